/* probe.h: the parts of the probe. Static, libc only: no malloc, no stdio, no locale while timing. */
#ifndef TG_PROBE_PROBE_H
#define TG_PROBE_PROBE_H

#include "common/cases.h"
#include "common/wire.h"

/* The bench whose state is set up: kept over the turns of one bench, released when another one comes. */
struct tg_stage {
	struct tg_case c;
	struct tg_run run;
	bool up;
	const char *root; /* prefix of all places: "" in a root of its own */
	char dir[TG_PATH_MAX];
};

/* Set up `name` unless it is up already. 0 or -errno (-ENOENT: no such bench here). */
int tg_stage_enter(struct tg_stage *stage, const char *name);
void tg_stage_leave(struct tg_stage *stage);

/* Run one turn: a warm part, then the sub-batches. Fills *a; an error of the body goes into a->error. */
void tg_turn(struct tg_stage *stage, const struct tg_request *req, struct tg_answer *a);

/* What the probe sees: affinity, environment, limits, mounts, as one printable line. */
void tg_look(char *text, size_t size);

#endif
