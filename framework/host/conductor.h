/*
 * conductor.h: runs the blocks of a session: fresh sandboxes in every lane, then every bench in table order,
 * round by round, each lane's turn between two native ones.
 */
#ifndef TG_HOST_CONDUCTOR_H
#define TG_HOST_CONDUCTOR_H

#include "common/cases.h"
#include "host/samples.h"
#include "host/sandbox.h"

#define TG_BATCHES     8
#define TG_LIFE_ROUNDS 3
#define TG_SPIN_ROUNDS 5
#define TG_BATCH_NS    900000 /* what a sub-batch is calibrated to: turns of 7 ms and their warm part */
#define TG_SPIN_NS     100000 /* the control's: short, so that it fits between a sandbox's own interruptions */

/* One lane of a session. */
struct tg_player {
	const struct tg_lane *lane;
	uint16_t id;	/* in samples->lanes; the natives of all placements share one */
	bool reference; /* a native that the other lanes of its placement are divided by */
	bool failed;	/* does not run any more in this session */
	bool started;	/* came up at least once */
	char reason[256];
	char version[96];
	struct tg_sandbox box;
	uint64_t started_ns; /* of its last start, for the deadline */
	uint64_t timed_ns, warm_ns, turn_ns; /* sums over turns: in sub-batches, in warm parts, as the host waited */
	uint64_t lives_ns;		     /* sum over timed lives */
};

/* One bench of a session. */
struct tg_item {
	struct tg_case c;
	uint16_t row;			/* of the bench itself */
	uint16_t phase_row[TG_PHASES_MAX];
	size_t phase_count;
	uint16_t growth_row, growth_from; /* of the item at growth[1]: its derived row, and the row it grew from */
	bool grows;
	uint64_t ops[TG_LANES_MAX];	/* of a sub-batch, by player; 0 = to be calibrated */
	uint64_t turn_ns[TG_LANES_MAX]; /* expected time of a turn; 0 = unknown */
	uint64_t spent_ns;		/* wall time of all its turns so far */
	bool left_out;			/* by the budget */
	bool cut;			/* a turn took 10 times its expected time: its block had 3 rounds */
};

struct tg_inject {
	char lane[TG_LANE_NAME_MAX];
	char bench[TG_BENCH_NAME_MAX];
	double share; /* 0.2: 20 % of the turn's own time is added inside the timed region */
};

struct tg_session_plan {
	size_t player_count;
	struct tg_player *players; /* owned by the caller */
	size_t item_count;
	struct tg_item *items; /* owned by the caller; spin's is first */
	struct tg_ground ground;
	unsigned rounds;
	uint32_t session;
	unsigned long seed;  /* of the lane order: the first Williams row */
	uint32_t next_block; /* block numbers run on over the stages */
	size_t next_row;     /* of the Williams design */
	struct tg_inject inject;
	const volatile int *stop; /* a signal's number, once it came */
	uint64_t wall_ns; /* of all blocks */

	/* told after every bench of a block; done runs from 1 to of */
	void (*progress)(void *arg, const struct tg_item *item, size_t done, size_t of);
	void *arg;
};

/*
 * Start every player once, in parallel, and stop it again; who did not come up in time is tried once more alone, since
 * a lane that hangs may have kept its CPU from the others. Fills failed and reason. Returns how many are ready.
 */
size_t tg_conductor_try(struct tg_session_plan *plan);

/*
 * Run one block of the items for which `use` is true (NULL: all but those left out), appending its turns to
 * *samples. A lane that fails is marked, named with its reason, and the others go on.
 * 0; -EINTR when stopped by a signal; -EIO when a reference lane failed (nothing can be judged); -ENOMEM.
 * No sandbox is left running in any case.
 */
int tg_conductor_block(struct tg_session_plan *plan, enum tg_stage stage, const bool *use,
	struct tg_samples *samples, struct tg_err *err);

#endif
