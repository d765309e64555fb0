/* turns.h: how each kind of bench is run in one block. Of the conductor only. */
#ifndef TG_HOST_TURNS_H
#define TG_HOST_TURNS_H

#include "host/conductor.h"

/*
 * Wait until reading the clock is cheap in every lane. gVisor's vDSO answers only after about two seconds; until then
 * each reading is a system call of some 15 us (ptrace), 5 % of a sub-batch. Gives up after four seconds: a lane
 * without a vDSO has that cost always.
 */
void tg_turns_settle(struct tg_session_plan *plan);

/* These return 0, or -ENOMEM / -EINTR; a lane that fails is marked and the rest goes on. */
int tg_turns_body(struct tg_session_plan *plan, struct tg_item *item, enum tg_stage stage,
	struct tg_samples *samples, struct tg_err *err);
int tg_turns_gauge(struct tg_session_plan *plan, struct tg_item *item, enum tg_stage stage,
	struct tg_samples *samples, struct tg_err *err);

/* The LIFE items of the block together: one life gives all its metrics. No other sandbox is running. */
int tg_turns_lives(struct tg_session_plan *plan, const bool *use, enum tg_stage stage,
	struct tg_samples *samples, struct tg_err *err);

/* The player is out of the session, for this reason; its sandbox is killed. */
void tg_turns_fail(struct tg_player *p, const char *bench, const struct tg_err *err);

/* A sample of this block with everything but the bench's own in it. */
struct tg_sample tg_turns_sample(const struct tg_session_plan *plan, const struct tg_player *p,
	enum tg_stage stage);

/* A second native has nothing to add where no lane is divided by it: lives and gauges leave it out. */
bool tg_turns_repeats_native(const struct tg_session_plan *plan, size_t who);

#endif
