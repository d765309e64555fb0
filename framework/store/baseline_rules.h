/* baseline_rules.h: what a baseline file may hold; the same rules for what is read and what is
 * written. */
#ifndef TG_STORE_BASELINE_RULES_H
#define TG_STORE_BASELINE_RULES_H

#include "store/baseline.h"

#include <time.h>

#define TG_BASELINE_FILE_MAX ((size_t)1 << 20)
#define TG_BASELINE_FORMAT   1
#define TG_SUITE_NAME_MAX    48
#define TG_Y_MAX	     1e15 /* an absolute cost */
#define TG_LN_RATIO_MAX	     50.0 /* e^50: no slowdown is that */

/* Copy the first component of `bench`: [A-Za-z0-9._-]+, no dot in front, not "machine". False: it
 * is none. */
bool tg_baseline_suite(const char *bench, char suite[TG_SUITE_NAME_MAX]);

/* RFC 3339 with Z or an offset, as seconds since 1970; -1 where it is none. */
time_t tg_baseline_time(const char *date);

/* -EINVAL with the row's name and key in err. */
int tg_baseline_check_row(const struct tg_baseline_row *row, struct tg_err *err);
int tg_baseline_check_moderation(const struct tg_lane_moderation *m, struct tg_err *err);

/* Release what the row holds. */
void tg_baseline_row_clear(struct tg_baseline_row *row);

/* Append *row (its contents are moved) where there is none of that bench and lane. -ENOMEM,
 * -EEXIST. */
int tg_baseline_append(struct tg_baseline *b, struct tg_baseline_row *row);

#endif
