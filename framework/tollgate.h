/*
 * tollgate.h: what a bench is. The only header that a suite includes.
 *
 *	static int getppid_raw(struct tg_run *run)
 *	{
 *		for (uint64_t i = 0; i < run->ops; i++)
 *			if (syscall(SYS_getppid) < 0)
 *				return -errno;
 *		return 0;
 *	}
 *	static const struct tg_bench benches[] = {
 *		TG_BENCH("getppid", .body = getppid_raw, .calls = {{SYS_getppid, 1}}),
 *	};
 *	TG_SUITE(syscall, benches);
 *
 * Rules for a body: it runs exactly run->ops operations, checks every result, and returns 0 or -errno (a
 * failed body refuses the whole sample). No allocation, stdio or clock inside the loop unless that is what
 * is measured. Bodies are static: one that is in no table does not compile.
 */
#ifndef TOLLGATE_H
#define TOLLGATE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"

enum tg_kind {
	TG_BODY,  /* the probe times `ops` operations */
	TG_LIFE,  /* the host's clock on one whole sandbox */
	TG_GAUGE, /* the host reads a value while the probe holds a state */
};

/* What a cost is divided by. */
enum tg_ref {
	TG_REF_NATIVE,
	TG_REF_RUNC, /* where native is no twin worth dividing by: start-up */
	TG_REF_NONE, /* the absolute cost, with .tolerance in .unit: for what can be 0 */
};

/* A LIFE bench's stretch of a sandbox's life, a GAUGE bench's reading. */
enum tg_metric {
	TG_METRIC_NONE,
	TG_LIFE_FIRST_BYTE, /* spawn of the runtime to the first byte from the probe */
	TG_LIFE_TOTAL,	    /* spawn to nothing left: no process, mount or cgroup */
	TG_LIFE_CREATE,	    /* OCI lanes, in steps: `create` */
	TG_LIFE_START,	    /* `start` */
	TG_LIFE_EXIT,	    /* told to quit, to the end of its last process */
	TG_LIFE_DELETE,	    /* `delete`, to nothing left */
	TG_LIFE_CHURN,	    /* .params sandboxes at once (at most 16): first spawn to the last one gone */
	TG_GAUGE_IDLE_CPU,  /* us of CPU that all its host processes use in a second */
	TG_GAUGE_PSS,	    /* KiB: PSS and shmem of all host processes of the sandbox */
};

enum tg_flag {
	TG_FRESH = 1,	/* each turn in a forked child of the probe: benches that leak on purpose */
	TG_CONTROL = 2, /* expected to cost the same in every lane; outside tolerance it voids the lane */
	TG_QUICK = 4,	/* in the small set for pull requests */
	TG_FULL = 8,	/* only with --full */
	TG_CALLS_VARY = 16,	 /* .calls is empty: their number is not whole, or up to the libc */
	TG_CALLS_PER_PARAM = 32, /* .calls are those of one of the parameter's N: "map_touch_many/N" */
};

/* Where a file bench puts its files; each place is a case of its own: "file/open_close/bind". */
enum tg_place {
	TG_TMPFS = 1, /* the sandbox's own tmpfs */
	TG_BIND = 2,  /* a host's tmpfs, bound in */
	TG_ROOT = 4,  /* the root file system */
};

/* One turn's sub-batch, as a body sees it. */
struct tg_run {
	uint64_t ops;
	int64_t param;	  /* N of "write_file/N"; 0 without parameters */
	const char *dir;  /* of the bench's place (tmpfs where it has none), with a trailing slash: "/tmp/" */

	/* Set up by .setup, used by .body, released by .teardown; fds start as -1 and are closed for you. */
	int fd[2];
	void *mem;
	size_t size;

	/* Laps; a body only calls tg_lap(). */
	const char *const *phases;
	uint64_t lap_start_ns;
	uint64_t lap_ns[TG_PHASES_MAX];
};

/* End of a phase: the time since the last lap (or the start of the sub-batch) is charged to `phase`, which
 * must be one of the bench's .phases. 0, or -EINVAL for an unknown name. */
int tg_lap(struct tg_run *run, const char *phase);

struct tg_call {
	short nr;
	unsigned short count; /* per op; 0 ends the list */
};

struct tg_bench {
	const char *name;   /* without the suite: "getpid" */
	const char *source; /* file:line of the row, for annotations */
	int (*body)(struct tg_run *run);
	int (*setup)(struct tg_run *run);     /* NULL: none; once per probe, before the first turn. 0 or -errno */
	void (*teardown)(struct tg_run *run); /* NULL: none; called after a failed setup, too */
	enum tg_kind kind;
	enum tg_ref ref;
	enum tg_metric metric;
	unsigned flags;	 /* enum tg_flag */
	int rev;	 /* raised when the body changes: baseline rows of another rev are void */
	unsigned places; /* enum tg_place; 0: no file, or one that is only a means */
	uint64_t turn_ops_max;	 /* > 0: at most this many ops in a turn, warm part and all: benches that leak */
	uint64_t turn_bytes_max; /* > 0: at most this many times the parameter, likewise */
	const char *gvisor;	 /* gVisor's own name of the same op: "BM_Getpid"; NULL: it has none */
	int cpus;	 /* 2: only in lanes placed on 2 or more CPUs; 0 and 1: in every lane */
	const char *unit;  /* NULL: "ns" */
	double tolerance;  /* > 0: this row's own, in .unit for TG_REF_NONE; 0: the run's */
	const int64_t *params, *full_params; /* full_params: only with --full */
	size_t param_count, full_param_count;
	int64_t growth[2]; /* {from, to}, both among the params: one more row, suite/bench/growth, whose value is
			    * ln(slowdown at `to` / slowdown at `from`): flat turning linear is seen at once */
	const char *phases[TG_PHASES_MAX + 1]; /* NULL-terminated; each its own row */
	struct tg_call calls[6];	       /* system calls of one op, natively; none: it makes none */
	struct tg_call extra[2]; /* at most so many besides, in a sub-batch of up to 32 ops: a rewind */
};

#define TG_STRING_(x) #x
#define TG_STRING(x)  TG_STRING_(x)

#define TG_BENCH(NAME, ...)                                                                        \
	{                                                                                          \
		.name = NAME, .source = __FILE__ ":" TG_STRING(__LINE__), __VA_ARGS__              \
	}

#define TG_PARAMS(...)                                                                             \
	.params = (const int64_t[]){__VA_ARGS__},                                                  \
	.param_count = sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)

#define TG_FULL_PARAMS(...)                                                                        \
	.full_params = (const int64_t[]){__VA_ARGS__},                                             \
	.full_param_count = sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)

struct tg_suite {
	const char *name;
	const struct tg_bench *benches;
	size_t count;
};

#define TG_SUITE(NAME, BENCHES)                                                                    \
	const struct tg_suite tg_suite_##NAME = {#NAME, BENCHES, TG_ARRAY_SIZE(BENCHES)}

#endif
