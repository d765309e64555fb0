/*
 * launch.h: a lane as a plain description of what to start, before anything is started.
 *
 * The child (host/child.h) gives every launch an arena: a tmpfs of its own, mounted at TG_ARENA inside a
 * private mount namespace, gone with its last process:
 *	TG_ARENA/bundle/config.json	where `config` is not NULL
 *	TG_ARENA/bundle/rootfs		the root of the sandbox: /probe, and mount points proc dev sys tmp bind
 *	TG_ARENA/bind			a tmpfs of the host, bound to /bind in the sandbox
 *	TG_ARENA/state			for the runtime's own state
 */
#ifndef TG_LANES_LAUNCH_H
#define TG_LANES_LAUNCH_H

#include "lanes/lane.h"

#define TG_ARENA	"/dev/shm"
#define TG_ARENA_BUNDLE TG_ARENA "/bundle"
#define TG_ARENA_ROOT	TG_ARENA_BUNDLE "/rootfs"
#define TG_ARENA_BIND	TG_ARENA "/bind"
#define TG_ARENA_STATE	TG_ARENA "/state"
#define TG_CGROUP_TOP	"tollgate" /* all our cgroups are below this one, in every hierarchy */

#define TG_LAUNCH_ARGS 40

enum tg_step { TG_STEP_CREATE, TG_STEP_START, TG_STEP_DELETE, TG_STEPS };

struct tg_launch {
	char *argv[TG_LAUNCH_ARGS + 1];	      /* owned, NULL-terminated; argv[0] is an absolute path */
	/* A life in steps: create, start, delete; [0][0] NULL: the lane's kind has none. Owned. */
	char *steps[TG_STEPS][TG_LAUNCH_ARGS + 1];
	char *config;			      /* owned; text of the bundle's config.json, or NULL */
	char probe[TG_PATH_MAX];	      /* on the host; copied to rootfs/probe */
	char cgroup[64];		      /* "tollgate/<id>": swept when the sandbox is gone; "" = none */
	bool in_steps;			      /* run the steps, not argv */
	bool enter_root;		      /* no runtime: argv runs inside rootfs itself, mounts made by the child */
	bool only_cgroup2;
	int cpus; /* how many; the child chooses which */
};

/*
 * Describe how `lane` starts. `id` ([A-Za-z0-9-]+) names this one sandbox on the machine. `own_probe` is this
 * build's probe.
 * Success: 0, *out is to be released with tg_launch_free. -ENOENT: the runtime is not there (err: "not
 * installed: …"). Nothing is started and nothing written.
 */
int tg_launch_make(const struct tg_lane *lane, const char *id, const char *own_probe,
	struct tg_launch *out, struct tg_err *err);

void tg_launch_free(struct tg_launch *l);

/* Where the lane's runtime is: its path or alternative, searched in PATH where it has no slash.
 * 0, -ENOENT. A native lane has none: 0 and "". */
int tg_lane_find_runtime(const struct tg_lane *lane, char out[TG_PATH_MAX], struct tg_err *err);

/* The environment of everything in a lane, NULL-terminated: the same everywhere. */
extern const char *const tg_lane_environment[];

#endif
