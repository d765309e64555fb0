/*
 * child.h: one sandbox, from spawn to nothing left. Host side.
 *
 * Between the conductor and the runtime stands a small init of ours, process 1 of a private PID and mount
 * namespace: it lays out the arena (lanes/launch.h), spawns the runtime when told, reaps all, and looks
 * whether anything is left. It dies with the conductor (PR_SET_PDEATHSIG), and with it, by the kernel's
 * doing, every process and mount of the sandbox.
 */
#ifndef TG_HOST_CHILD_H
#define TG_HOST_CHILD_H

#include "common/error.h"
#include "common/wire.h"
#include "lanes/launch.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What this user may do: everything (root), namespaces of his own, or neither. */
enum tg_isolation { TG_ISOLATION_ROOT, TG_ISOLATION_USER, TG_ISOLATION_NONE };
enum tg_isolation tg_isolation_find(void);

/* The life of a sandbox on the host's clock (CLOCK_MONOTONIC, ns); 0 = did not happen. */
struct tg_life {
	uint64_t spawn_ns;	/* the runtime was forked */
	uint64_t created_ns;	/* in steps: `create` came back */
	uint64_t started_ns;	/* in steps: `start` came back */
	uint64_t quit_ns;	/* it was told to quit */
	uint64_t first_byte_ns; /* the first byte came out of the sandbox */
	uint64_t exit_ns;	/* the runtime's own process ended; in steps: the sandbox's last one */
	uint64_t gone_ns;	/* no process, mount or cgroup was left */
	int status;		/* of the runtime, as waitpid gives it */
	char left[128];		/* what had to be removed by force; "" = nothing */
};

struct tg_child {
	pid_t pid; /* the init's, as the host sees it; 0 = none */
	int in, out, err, go, notes; /* -1 = closed */
	struct tg_life life;
	char cgroup[64];
	char plain_dir[64]; /* arena of a child without namespaces; "" = none */
	size_t line_len;
	char line[2 * TG_LINE_MAX]; /* what came out and is not yet a whole line */
	char tail[1024];	    /* the last of stderr, printable, one line */
	bool exited;		    /* the exit note came */
	char died[160];		    /* the init's own failure; "" = none */
};

/*
 * Start the init of `launch` and let it lay out the arena; the runtime is not spawned yet.
 * Success: 0 and *c is to be given to tg_child_end. Failure: -errno, nothing is left running.
 */
int tg_child_start(const struct tg_launch *launch, const cpu_set_t *cpus, enum tg_isolation isolation,
	struct tg_child *c, struct tg_err *err);

/* Wait for the arena, then spawn the runtime. 0, -ETIMEDOUT, or the init's failure. */
int tg_child_go(struct tg_child *c, uint64_t deadline_ns, struct tg_err *err);

/* Send a line. 0, -EPIPE where the sandbox is gone. */
int tg_child_send(struct tg_child *c, const char *line, size_t len, struct tg_err *err);

/*
 * The next line that the sandbox printed, without newline, into line[TG_LINE_MAX].
 * 0; -ETIMEDOUT past the deadline; -EPIPE when it has exited or closed its output; -EPROTO for a line that is
 * too long or has bytes that are not printable. err has the last lines of stderr.
 */
int tg_child_read(struct tg_child *c, uint64_t deadline_ns, char *line, struct tg_err *err);

/* Close its input and wait until the runtime has exited and nothing is left; kill at the deadline.
 * 0: it left by itself with status 0 and without leftovers; -errno with the reason else. The child is
 * released in every case: no process, mount or cgroup remains, or err says what does (-EBUSY). */
int tg_child_end(struct tg_child *c, uint64_t deadline_ns, struct tg_err *err);

/* Kill at once and release. Nothing for a child with pid 0. */
void tg_child_kill(struct tg_child *c);

/* Remove a plain_dir, by its name in the directory `parent`. Follows no link. 1 when it is gone, else 0. */
int tg_child_remove_plain(int parent, const char *name);

#endif
