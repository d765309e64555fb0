#include "verdict/estimate.h"

#include "common/cleanup.h"
#include "verdict/stats.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* One turn on its way to a block. Sort keys are copied from the sample: a sort that followed
 * pointers into 170-byte samples would spend its time in cache misses. */
struct turn {
	double cost; /* per op; NAN = not usable */
	double y;    /* ln ratio, or the cost; NAN = none */
	size_t order;
	uint32_t session, block;
	uint16_t row, lane;
	uint8_t cpus;
	uint8_t pairing; /* cpus, or 0 where any placement pairs */
};

/* The second smallest of 8 or more sub-batches, the smallest of fewer; 0 for none. */
static double low_quantile(const struct tg_sample *s)
{
	uint64_t first = UINT64_MAX, second = UINT64_MAX;

	for (uint8_t i = 0; i < s->batches; i++) {
		if (s->ns[i] < first) {
			second = first;
			first = s->ns[i];
		} else if (s->ns[i] < second) {
			second = s->ns[i];
		}
	}
	return (double)(s->batches >= 8 ? second : first);
}

/* As tg_turn_cost, but 0 stays 0: a value that an absolute row may have. */
static double cost_or_zero(const struct tg_sample *s)
{
	if (s->error != 0 || s->batches == 0 || s->batches > TG_BATCHES_MAX || s->ops == 0)
		return NAN;
	return low_quantile(s) / (double)s->ops;
}

double tg_turn_cost(const struct tg_sample *s)
{
	double cost = cost_or_zero(s);

	return cost > 0.0 ? cost : NAN;
}

/* ln(mean / low quantile), at least 0: the second smallest can be above a mean that a 0 pulls down.
 */
static double turn_tail(const struct tg_sample *s)
{
	double low = low_quantile(s), sum = 0.0;

	if (low <= 0.0)
		return NAN;
	for (uint8_t i = 0; i < s->batches; i++)
		sum += (double)s->ns[i];
	return fmax(0.0, log(sum / s->batches / low));
}

static int three_way(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Segments: the turns that can be each other's neighbours. Then in the order they ran. */
static int by_segment(const void *pa, const void *pb)
{
	const struct turn *a = pa, *b = pb;
	int c = three_way((uint64_t)a->row << 32 | a->session, (uint64_t)b->row << 32 | b->session);

	if (c == 0)
		c = three_way(
			(uint64_t)a->block << 8 | a->pairing, (uint64_t)b->block << 8 | b->pairing);
	return c != 0 ? c : three_way(a->order, b->order);
}

static uint64_t gate_key(const struct turn *t)
{
	return (uint64_t)t->row << 24 | (uint64_t)t->lane << 8 | t->cpus;
}

static uint64_t time_key(const struct turn *t)
{
	return (uint64_t)t->session << 32 | t->block;
}

static int by_block(const void *pa, const void *pb)
{
	const struct turn *a = pa, *b = pb;
	int c = three_way(gate_key(a), gate_key(b));

	if (c == 0)
		c = three_way(time_key(a), time_key(b));
	return c != 0 ? c : three_way(a->order, b->order);
}

static bool same_segment(const struct turn *a, const struct turn *b)
{
	return a->row == b->row && a->session == b->session && a->block == b->block &&
		a->pairing == b->pairing;
}

static bool same_block(const struct turn *a, const struct turn *b)
{
	return gate_key(a) == gate_key(b) && time_key(a) == time_key(b);
}

/* ln of the geometric mean of both neighbours, or of the one there is. */
static double reference(double before, double after)
{
	if (isnan(before))
		return after;
	return isnan(after) ? before : 0.5 * (before + after);
}

/* Turns of one segment in the order they ran: y = ln(cost / reference), NAN for the reference
 * itself. */
static void pair_with_reference(struct turn *t, size_t n, uint16_t ref_lane)
{
	double near = NAN;

	for (size_t i = 0; i < n; i++) {
		t[i].y = t[i].lane == ref_lane ? NAN : near;
		if (t[i].lane == ref_lane && !isnan(t[i].cost))
			near = log(t[i].cost);
	}
	near = NAN;
	for (size_t i = n; i-- > 0;) {
		if (t[i].lane != ref_lane)
			t[i].y = log(t[i].cost) - reference(t[i].y, near);
		else if (!isnan(t[i].cost))
			near = log(t[i].cost);
	}
}

static void fill_turn(
	const struct tg_sample *s, size_t order, const struct tg_row_policy *policy, struct turn *t)
{
	bool absolute = policy->ref_lane == TG_NO_LANE;

	*t = (struct turn){
		.cost = absolute ? cost_or_zero(s) : tg_turn_cost(s),
		.order = order,
		.session = s->session,
		.block = s->block,
		.row = s->row,
		.lane = s->lane,
		.cpus = s->cpus,
		.pairing = policy->any_cpus ? 0 : s->cpus,
	};
	t->y = t->cost;
}

/* `n` turns of one block into *b. `values` has room for n doubles. */
static void reduce(const struct tg_sample *samples, const struct turn *t, size_t n,
	uint16_t ref_lane, double *values, struct tg_block *b)
{
	bool is_reference = t->lane == ref_lane;
	size_t costs = 0, rounds = 0, tails = 0;

	*b = (struct tg_block){
		.row = t->row,
		.lane = t->lane,
		.cpus = t->cpus,
		.stage = samples[t->order].stage,
		.session = t->session,
		.block = t->block,
		.y = NAN,
		.mad = NAN,
		.cost = NAN,
		.tail = NAN,
		.dropped = (uint32_t)n,
	};
	/* A body that failed once may have done less work in its other turns too: none is trusted.
	 */
	for (size_t i = 0; i < n && b->error == 0; i++)
		b->error = samples[t[i].order].error;
	if (b->error != 0)
		return;

	for (size_t i = 0; i < n; i++) {
		if (!isnan(t[i].cost))
			values[costs++] = t[i].cost;
	}
	b->cost = tg_median(values, costs);
	for (size_t i = 0; i < n; i++) {
		double tail = isnan(t[i].cost) ? NAN : turn_tail(&samples[t[i].order]);

		if (!isnan(tail))
			values[tails++] = tail;
	}
	b->tail = tg_median(values, tails);
	for (size_t i = 0; i < n; i++) {
		if (!isnan(t[i].y))
			values[rounds++] = t[i].y;
	}
	b->y = tg_median(values, rounds);
	b->mad = tg_mad(values, rounds);
	b->rounds = (uint32_t)(is_reference ? costs : rounds);
	b->dropped = (uint32_t)n - b->rounds;
}

static bool valid(const struct tg_sample *s, size_t row_count)
{
	if (s->row >= row_count || s->batches > TG_BATCHES_MAX)
		return false;
	return s->error != 0 || (s->batches >= 1 && s->ops >= 1);
}

/* Sorted turns into *out. The counts are known first, so that memory is taken once. */
static int collect(const struct tg_sample *samples, const struct turn *t, size_t n,
	const struct tg_row_policy *rows, struct tg_block **out, size_t *out_count)
{
	tg_autofree struct tg_block *blocks = NULL;
	tg_autofree double *values = NULL;
	size_t count = 0, longest = 0, length = 0, b = 0;

	for (size_t i = 0; i < n; i++) {
		bool first = i == 0 || !same_block(&t[i - 1], &t[i]);

		count += first;
		length = first ? 1 : length + 1;
		longest = length > longest ? length : longest;
	}
	blocks = calloc(count, sizeof(*blocks));
	values = calloc(longest, sizeof(*values));
	if (blocks == NULL || values == NULL)
		return -ENOMEM;
	for (size_t i = 0, next; i < n; i = next) {
		for (next = i + 1; next < n && same_block(&t[i], &t[next]);)
			next++;
		reduce(samples, &t[i], next - i, rows[t[i].row].ref_lane, values, &blocks[b++]);
	}
	*out = tg_steal(&blocks);
	*out_count = count;
	return 0;
}

int tg_estimate(const struct tg_sample *samples, size_t n, const struct tg_row_policy *rows,
	size_t row_count, struct tg_block **out, size_t *out_count)
{
	tg_autofree struct turn *t = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!valid(&samples[i], row_count))
			return -EINVAL;
	}
	if (n == 0) {
		*out = NULL;
		*out_count = 0;
		return 0;
	}
	t = calloc(n, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		fill_turn(&samples[i], i, &rows[samples[i].row], &t[i]);

	qsort(t, n, sizeof(*t), by_segment);
	for (size_t i = 0, next; i < n; i = next) {
		uint16_t ref_lane = rows[t[i].row].ref_lane;

		for (next = i + 1; next < n && same_segment(&t[i], &t[next]);)
			next++;
		if (ref_lane != TG_NO_LANE)
			pair_with_reference(&t[i], next - i, ref_lane);
	}
	qsort(t, n, sizeof(*t), by_block);
	return collect(samples, t, n, rows, out, out_count);
}
