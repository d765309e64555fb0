/* lane.h: one way to run a probe. Host side only; no fork here: a lane becomes a launch, a plain description. */
#ifndef TG_LANES_LANE_H
#define TG_LANES_LANE_H

#include "common/error.h"
#include "common/limits.h"

#include <stdbool.h>
#include <stddef.h>

enum tg_lane_kind {
	TG_LANE_NATIVE,	 /* fork + exec in an equal mount tree */
	TG_LANE_OCI,	 /* PATH [ARGS] --root STATE run --bundle BUNDLE ID */
	TG_LANE_COMMAND, /* argv with {probe}, {root} and {bind} in it */
};

#define TG_LANE_ARGS_MAX 16
#define TG_LANE_ARG_MAX	 256

struct tg_lane {
	char name[TG_LANE_NAME_MAX]; /* [A-Za-z0-9._:-]+, what a baseline knows it by */
	enum tg_lane_kind kind;
	char path[TG_PATH_MAX]; /* the runtime; looked up in PATH when it has no slash; "" for native */
	size_t arg_count;
	char args[TG_LANE_ARGS_MAX][TG_LANE_ARG_MAX];
	char alternative[TG_PATH_MAX]; /* tried where `path` is not there; "" = none */
	char probe[TG_PATH_MAX];       /* another probe than this build's; "" = this build's */
	int cpus;		       /* 1, 2, …; part of a baseline's identity */
	bool only_cgroup2;	       /* sees a cgroup2 mount alone on /sys/fs/cgroup (crun, hybrid hosts) */
	bool by_default;	       /* in the set that runs without --lanes */
	bool overridden;	       /* by --lane NAME=PATH or a user's lanes file */
	unsigned start_timeout_ms;     /* > 0: until its hello, and the longest silence after it */
};

struct tg_lanes {
	size_t count;
	struct tg_lane v[TG_LANES_MAX];
};

/* The lane of that name, or NULL. */
struct tg_lane *tg_lanes_find(struct tg_lanes *lanes, const char *name);

/* `--lane NAME=PATH[,ARG…]`: put the runtime at PATH behind lane NAME (a new OCI lane where there is none of
 * that name; native lanes are refused). With ARGs they replace the lane's own; without, the lane's stay. */
int tg_lanes_override(struct tg_lanes *lanes, const char *spec, struct tg_err *err);

#endif
