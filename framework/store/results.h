/* results.h: one run's outcome, as Google Benchmark JSON. The struct that report/ prints too. */
#ifndef TG_STORE_RESULTS_H
#define TG_STORE_RESULTS_H

#include "common/error.h"
#include "common/limits.h"
#include "store/machine.h"
#include "verdict/gate.h"

#include <stdint.h>

struct tg_result {
	char bench[TG_BENCH_NAME_MAX];
	char lane[TG_LANE_NAME_MAX];
	char ref[TG_LANE_NAME_MAX];
	char unit[TG_UNIT_MAX];
	const char *source; /* "suites/syscall.c:42", borrowed; NULL = unknown */
	int cpus;
	uint64_t ops; /* of one sub-batch */
	unsigned batches;
	size_t blocks;
	double *y;	 /* owned; block values; NAN where a block gave none */
	double *cost;	 /* owned; `blocks` median costs of one op */
	double native;	 /* median cost of one op in the reference lane, NAN = none */
	double mad;	 /* median over blocks of the rounds' MAD */
	unsigned rounds; /* of a block */
	double tolerance;
	bool judged; /* verdict below means something; false: measured only (native, run, quick
			table) */
	bool null_control; /* this row is the null lane's: a control, not a gate */
	struct tg_verdict verdict;
};

struct tg_lane_state {
	char name[TG_LANE_NAME_MAX];
	char version[96]; /* first line of `PATH --version`, printable ASCII; "" = none */
	char path[TG_PATH_MAX];
	int cpus;
	bool ready;
	char reason[256]; /* why not, one line */
	double timed_s, warm_s, fixed_s; /* its turns: in sub-batches, in warm parts, clock and call and wire */
};

struct tg_results {
	struct tg_machine machine;
	char date[32];	  /* RFC 3339 with offset */
	char command[16]; /* "check", "run", "record", "compare" */
	unsigned long seed;
	double tolerance; /* the run's default */
	size_t baseline_sessions;
	char baseline_date[32]; /* of its newest session; "" = no baseline */
	size_t lane_count;
	struct tg_lane_state lanes[TG_LANES_MAX];
	size_t count;
	struct tg_result *v; /* owned */
	char *sources;	     /* owned; where v[].source point after tg_results_read, else NULL */
	bool is_void;
	char void_reason[160];
	double timed_s, warm_s, wall_s; /* in sub-batches and timed lives, in warm parts, of the measuring */
};

void tg_results_free(struct tg_results *r); /* what it holds */

/*
 * results.json: Google Benchmark JSON that also holds all a report needs. Every block is a
 * repetition row named `suite/bench/lane:L`, then mean, median, stddev, cv (the last two from 2
 * blocks on); the context has the fingerprint as strings. real_time is in ns; where the unit is
 * none of time (KiB), real_time is the value itself, time_unit still "ns", and `label` says the
 * unit. The median row carries what was judged as extra keys: ref, unit, cpus, ops, tolerance,
 * native, mad, slowdown, base_slowdown, delta_lo, delta_hi, mde, p, role, verdict, reason, …; its
 * label is the verdict's name, with ": reason" and " (unit)" where there are such. Repetition rows
 * carry `y`. A third top-level key "tollgate" holds the run, the lanes, and under "unlisted" the
 * results without a finite cost, or with one of 0, which readers of times would choke on.
 * Non-finite numbers are left out (arrays: null). Whole or not at all.
 */
int tg_results_write(const struct tg_results *r, const char *path, struct tg_err *err);

/* flat.json: one "iteration" row per name holding the median, no aggregates. */
int tg_results_write_flat(const struct tg_results *r, const char *path, struct tg_err *err);

/*
 * Read a results.json of ours back. Success: 0, *out is filled and the caller's to free (what it
 * held before is not looked at). Failure: -errno, *out untouched, err names file and key.
 * Non-finite numbers come back as NAN, times with 10 digits.
 */
int tg_results_read(const char *path, struct tg_results *out, struct tg_err *err);

#endif
