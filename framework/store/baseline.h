/* baseline.h: the recorded block values that gates compare against:
 * baselines/<machine>/{machine,<suite>}.json. */
#ifndef TG_STORE_BASELINE_H
#define TG_STORE_BASELINE_H

#include "common/cleanup.h"
#include "common/error.h"
#include "common/limits.h"
#include "store/machine.h"
#include "verdict/gate.h"

#include <stdint.h>

struct tg_baseline_session {
	char id[32];   /* "20261121T093000Z-1" */
	char date[32]; /* RFC 3339 */
	char boot[40]; /* kernel's boot_id */
	size_t blocks;
	double *y; /* owned; `blocks` values: ln ratio, or the cost of an absolute row */
	double mad;
	unsigned rounds;
};

/* One bench in one lane. A row of the reference lane itself (native) has sessions without y. */
struct tg_baseline_row {
	char bench[TG_BENCH_NAME_MAX];
	char lane[TG_LANE_NAME_MAX];
	char ref[TG_LANE_NAME_MAX]; /* "native", "runc", or "none" */
	char unit[TG_UNIT_MAX];
	int cpus;
	uint64_t ops; /* of one sub-batch; reused by every later run */
	int rev;      /* of the bench's body; another rev voids the row */
	enum tg_role role;
	double mde;	  /* NAN: too few sessions to tell */
	double tolerance; /* of this row */
	double real_time; /* cost of one op in the lane, in `unit`: mean of the sessions' medians */
	size_t session_count;
	struct tg_baseline_session *sessions; /* owned */
};

struct tg_lane_moderation {
	char lane[TG_LANE_NAME_MAX];
	double d0, s02; /* d0 may be INFINITY; 0 = none */
};

struct tg_baseline {
	struct tg_machine machine; /* as it was when the first session was recorded */
	size_t row_count;
	struct tg_baseline_row *rows; /* owned; by bench in the order of recording, then lane */
	size_t moderation_count;
	struct tg_lane_moderation moderation[TG_LANES_MAX];
};

/*
 * Read `dir` (baselines/<machine>): machine.json and every <suite>.json in it.
 * Success: 0, *ret is a new object that the caller owns. -ENOENT: no such directory or no
 * machine.json: "no baseline yet". Any other failure (a truncated, hostile or foreign file: unknown
 * top-level shape, duplicate keys, wrong units, non-finite or negative times, names with ".." or
 * control characters, deep nesting, over 1 MiB a file): -errno, err names file and place, nothing
 * is half read.
 */
int tg_baseline_load(const char *dir, struct tg_baseline **ret, struct tg_err *err);

/*
 * Write all files of `b` into `dir` (made where it is missing). Every file is on the disk under a
 * temporary name before the first is renamed, machine.json last: a failure leaves every old file as
 * it was, or wholly new. Rows are one a line in stable order, y with 6 decimals. Files belong to
 * SUDO_UID where that is set. -EINVAL: a row that _load would refuse. Files of suites that `b` has
 * no row of are left alone.
 */
int tg_baseline_save(const struct tg_baseline *b, const char *dir, struct tg_err *err);

struct tg_baseline *tg_baseline_new(const struct tg_machine *machine); /* NULL: out of memory */

const struct tg_baseline_row *tg_baseline_find(
	const struct tg_baseline *b, const char *bench, const char *lane);

/*
 * Append a session's values to the row (bench, lane), made where it is new from `like` (whose
 * sessions are ignored; its real_time is this session's median). The y array is copied without its
 * non-finite values. A row whose rev, ref, unit or cpus differ from like's is void: it starts anew
 * with this session; else the row keeps its ops and tolerance. 0, -ENOMEM, or -EEXIST where the row
 * has a session of that id.
 */
int tg_baseline_add(struct tg_baseline *b, const struct tg_baseline_row *like,
	const struct tg_baseline_session *session);

/* Recompute role and mde of every row and the moderation of every lane, after sessions were added.
 */
void tg_baseline_settle(struct tg_baseline *b);

/* Distinct session ids and boots over all rows. *oldest and *newest are RFC 3339 dates; may be
 * NULL. */
void tg_baseline_span(const struct tg_baseline *b, size_t *sessions, size_t *boots,
	const char **oldest, const char **newest);

void tg_baseline_free(struct tg_baseline *b); /* NULL is fine */
TG_DEFINE_CLEANUP(baseline)

#endif
