/* samples.h: all turns of one or more sessions, in the order they ran, with the names they index.
 */
#ifndef TG_HOST_SAMPLES_H
#define TG_HOST_SAMPLES_H

#include "common/error.h"
#include "common/limits.h"
#include "verdict/sample.h"

#include <stddef.h>

struct tg_row_name {
	char name[TG_BENCH_NAME_MAX]; /* bench, or bench with its phase */
	char unit[TG_UNIT_MAX];	      /* "ns", "KiB", "ms" */
};

struct tg_samples {
	char machine[64];
	unsigned long seed;
	size_t count, capacity;
	struct tg_sample *v;
	size_t row_count, row_capacity;
	struct tg_row_name *rows;
	size_t lane_count;
	char lanes[TG_LANES_MAX][TG_LANE_NAME_MAX];
};

/* Append a turn; indexes must come from _row and _lane. 0 or -ENOMEM. */
int tg_samples_add(struct tg_samples *set, const struct tg_sample *turn);

/* The index of a row or lane name, added where it is new. >= 0, or -ENOMEM, -ENAMETOOLONG, -ENOSPC
 * (over TG_LANES_MAX lanes or 4096 rows), -EINVAL (a row that is there with another unit). */
int tg_samples_row(struct tg_samples *set, const char *name, const char *unit);
int tg_samples_lane(struct tg_samples *set, const char *name);

void tg_samples_free(
	struct tg_samples *set); /* what it holds; the struct itself may be on the stack */

#endif
