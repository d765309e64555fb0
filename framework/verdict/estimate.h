/* estimate.h: turns in, block values out. Pure: no I/O, no clock, no globals. */
#ifndef TG_VERDICT_ESTIMATE_H
#define TG_VERDICT_ESTIMATE_H

#include "verdict/sample.h"

#include <stdbool.h>
#include <stddef.h>

#define TG_NO_LANE UINT16_MAX

/* What a row is divided by: an index into the lane names, or TG_NO_LANE for absolute values. */
struct tg_row_policy {
	uint16_t ref_lane;
	bool any_cpus; /* the reference may be placed otherwise: whole lives of sandboxes */
};

/*
 * The value of one block: one (row, lane, cpus, session, block).
 * Relative rows: y is the median over rounds of ln(lane cost / reference cost), where the reference
 * of a turn is the geometric mean of the nearest turns of the reference lane with the same cpus
 * (unless any_cpus) before and after it in the same session, block and row (of one, where the other
 * does not exist); NAN for the reference lane itself.
 * Absolute rows: y is the median cost.
 */
struct tg_block {
	uint16_t row, lane;
	uint8_t cpus, stage;
	uint32_t session, block;
	double y;
	double mad;  /* median |y_r - y| over rounds, unscaled */
	double cost; /* median over rounds of the turn's cost per op: ns, or the row's unit */
	double tail; /* median over rounds of ln(mean / low quantile) of the sub-batches; >= 0 */
	uint32_t rounds;  /* rounds that made y; for the reference lane, cost */
	uint32_t dropped; /* turns left out: error, zero time, or no reference turn at all */
	int32_t error;	  /* errno of the first failed turn, which refuses them all; 0 = none */
};

/*
 * The cost of one op in a turn: a low quantile of its sub-batches (the second smallest of 8 or
 * more, the smallest of fewer), per op. > 0; NAN for a failed turn or one whose quantile is 0.
 * (Absolute rows take the 0 in tg_estimate: an idle sandbox may use none.)
 */
double tg_turn_cost(const struct tg_sample *s);

/*
 * Reduce `n` turns, given in the order they ran, to blocks. `rows` has one entry per row index
 * used.
 * Success: 0; *out (malloc'ed, the caller frees; NULL if none) holds *out_count blocks sorted
 * by row, lane, cpus, session, block. A block one of whose turns failed is there with its error,
 * rounds 0 and NANs: a body that failed once may have done less work in its other turns too.
 * Failure: -ENOMEM, or -EINVAL when a sample names a row >= row_count, has batches out of 1..MAX or
 * no ops (a failed turn may have neither).
 */
int tg_estimate(const struct tg_sample *samples, size_t n, const struct tg_row_policy *rows,
	size_t row_count, struct tg_block **out, size_t *out_count);

#endif
