/* test_estimate.c: hand-made turns; every expected value can be worked out on paper. */
#include "verdict/estimate.h"

#include "common/cleanup.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

enum { N, A, B, C }; /* lanes; N is the reference */

static const struct tg_row_policy relative[] = {{.ref_lane = N}, {.ref_lane = N}};
static const struct tg_row_policy absolute[] = {{.ref_lane = TG_NO_LANE}};

static void check_close(const char *what, size_t row, double got, double want)
{
	if ((isnan(got) && isnan(want)) || got == want || fabs(got - want) <= 1e-12)
		return;
	fail_msg("%s, row %zu: got %.17g, want %.17g", what, row, got, want);
}

/* One turn of one sub-batch of one op on one CPU in block 0. */
static struct tg_sample turn(uint16_t lane, uint64_t ns)
{
	return (struct tg_sample){.lane = lane, .cpus = 1, .batches = 1, .ops = 1, .ns = {ns}};
}

static struct tg_sample failed(uint16_t lane, int error)
{
	return (struct tg_sample){.lane = lane, .cpus = 1, .error = error};
}

static const struct tg_block *find(const struct tg_block *b, size_t n, uint16_t lane, uint8_t cpus)
{
	for (size_t i = 0; i < n; i++) {
		if (b[i].lane == lane && b[i].cpus == cpus)
			return &b[i];
	}
	fail_msg("no block of lane %u on %u cpus", lane, cpus);
	return NULL;
}

/* ---- the cost of a turn ---- */

static void turn_cost_is_low_quantile_per_op(void **state)
{
	static const struct {
		const char *name;
		struct tg_sample s;
		double cost;
	} rows[] = {
		{"one", {.batches = 1, .ops = 4, .ns = {10}}, 2.5},
		{"smallest of 7", {.batches = 7, .ops = 1, .ns = {9, 8, 3, 7, 6, 5, 4, 1}}, 3},
		{"second of 8", {.batches = 8, .ops = 1, .ns = {9, 8, 3, 7, 6, 5, 4, 1}}, 3},
		{"second of 8, first last",
			{.batches = 8, .ops = 1, .ns = {1, 2, 9, 9, 9, 9, 9, 9}}, 2},
		{"second of 8, ties", {.batches = 8, .ops = 2, .ns = {4, 4, 9, 9, 9, 9, 9, 9}}, 2},
		{"second of 16",
			{.batches = 16,
				.ops = 1,
				.ns = {16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}},
			2},
		{"one zero of 8", {.batches = 8, .ops = 1, .ns = {0, 2, 9, 9, 9, 9, 9, 9}}, 2},
		{"two zeros of 8", {.batches = 8, .ops = 1, .ns = {0, 2, 0, 9, 9, 9, 9, 9}}, NAN},
		{"zero", {.batches = 1, .ops = 1, .ns = {0}}, NAN},
		{"error", {.batches = 1, .ops = 1, .error = EIO, .ns = {5}}, NAN},
		{"no batches", {.ops = 1, .ns = {5}}, NAN},
		{"no ops", {.batches = 1, .ns = {5}}, NAN},
		{"huge", {.batches = 1, .ops = 1, .ns = {UINT64_MAX}}, 0x1p64},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++)
		check_close(rows[i].name, i, tg_turn_cost(&rows[i].s), rows[i].cost);
}

/* ---- pairing ---- */

struct pairing {
	const char *name;
	struct tg_sample turns[10];
	size_t n;
	double ratio; /* exp(y) of lane A */
	uint32_t rounds, dropped;
};

static void lane_turn_is_divided_by_its_neighbours(void **state)
{
	const struct pairing rows[] = {
		{"both", {turn(N, 4), turn(A, 12), turn(N, 9)}, 3, 2, 1, 0},
		{"shared", {turn(N, 4), turn(A, 12), turn(N, 9), turn(B, 7), turn(N, 1)}, 5, 2, 1,
			0},
		{"only before", {turn(N, 4), turn(A, 12)}, 2, 3, 1, 0},
		{"only after", {turn(A, 12), turn(N, 6)}, 2, 2, 1, 0},
		{"none", {turn(A, 12), turn(B, 6)}, 2, NAN, 0, 1},
		{"nearest", {turn(N, 100), turn(N, 4), turn(A, 12), turn(N, 9), turn(N, 100)}, 5, 2,
			1, 0},
		{"lane lost between", {turn(N, 4), turn(B, 1), turn(A, 12), turn(C, 1), turn(N, 9)},
			5, 2, 1, 0},
		{"reference failed", {turn(N, 4), failed(N, EIO), turn(A, 12), turn(N, 9)}, 4, 2, 1,
			0},
		{"reference zero", {turn(N, 4), turn(A, 12), turn(N, 0), turn(N, 9)}, 4, 2, 1, 0},
		{"reference zero, only it", {turn(A, 12), turn(N, 0)}, 2, NAN, 0, 1},
		{"lane zero", {turn(N, 1), turn(A, 0), turn(N, 1), turn(A, 5), turn(N, 1)}, 5, 5, 1,
			1},
		{"median of three",
			{turn(N, 1), turn(A, 2), turn(N, 1), turn(A, 50), turn(N, 1), turn(A, 3),
				turn(N, 1)},
			7, 3, 3, 0},
		{"median of two", {turn(N, 1), turn(A, 2), turn(N, 1), turn(A, 8), turn(N, 1)}, 5,
			4, 2, 0},
		{"lane failed once", {turn(N, 1), turn(A, 2), turn(N, 1), failed(A, EIO)}, 4, NAN,
			0, 2},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		tg_autofree struct tg_block *blocks = NULL;
		const struct tg_block *b;
		size_t count = 0;

		assert_int_equal(
			tg_estimate(rows[i].turns, rows[i].n, relative, 2, &blocks, &count), 0);
		b = find(blocks, count, A, 1);
		check_close(rows[i].name, i, exp(b->y), rows[i].ratio);
		if (b->rounds != rows[i].rounds || b->dropped != rows[i].dropped)
			fail_msg("%s: rounds %u, dropped %u", rows[i].name, b->rounds, b->dropped);
	}
}

static void neighbours_come_only_from_own_segment(void **state)
{
	/* natives of other placements, blocks, sessions and rows stand nearer than A's own */
	struct tg_sample s[11];
	tg_autofree struct tg_block *blocks = NULL;
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < 11; i++)
		s[i] = turn(N, 1000);
	s[0] = turn(N, 4);
	s[1].cpus = 2;
	s[2].block = 1;
	s[3].session = 1;
	s[4].row = 1;
	s[5] = turn(A, 12);
	s[6].row = 1;
	s[7].session = 1;
	s[8].block = 1;
	s[9].cpus = 2;
	s[10] = turn(N, 9);
	assert_int_equal(tg_estimate(s, 11, relative, 2, &blocks, &count), 0);
	assert_int_equal(count, 6);
	check_close("ratio", 0, exp(find(blocks, count, A, 1)->y), 2);
}

static void placements_are_kept_apart(void **state)
{
	struct tg_sample s[] = {
		turn(N, 1), turn(N, 10), turn(A, 2), turn(A, 30), turn(N, 1), turn(N, 10)};
	tg_autofree struct tg_block *blocks = NULL;
	size_t count = 0;

	(void)state;
	s[1].cpus = s[3].cpus = s[5].cpus = 2;
	assert_int_equal(tg_estimate(s, 6, relative, 2, &blocks, &count), 0);
	assert_int_equal(count, 4);
	check_close("1 cpu", 1, exp(find(blocks, count, A, 1)->y), 2);
	check_close("2 cpus", 2, exp(find(blocks, count, A, 2)->y), 3);
	check_close("native on 2", 2, find(blocks, count, N, 2)->cost, 10);
}

static void any_cpus_row_pairs_over_placements(void **state)
{
	static const struct tg_row_policy anywhere[] = {{.ref_lane = N, .any_cpus = true}};
	struct tg_sample s[] = {turn(N, 4), turn(A, 12), turn(A, 30), turn(N, 9)};
	tg_autofree struct tg_block *blocks = NULL;
	size_t count = 0;

	(void)state;
	s[1].cpus = 2;
	assert_int_equal(tg_estimate(s, 4, anywhere, 1, &blocks, &count), 0);
	assert_int_equal(count, 3); /* blocks are still told apart by placement */
	check_close("1 cpu", 1, exp(find(blocks, count, A, 1)->y), 5);
	check_close("2 cpus", 2, exp(find(blocks, count, A, 2)->y), 2);
}

/* ---- blocks ---- */

static void block_has_cost_mad_and_tail(void **state)
{
	/* costs per op 2, 4, 16 against 1: y = ln 2, ln 4, ln 16 */
	struct tg_sample s[] = {turn(N, 1), turn(A, 4), turn(N, 1), turn(A, 8), turn(N, 1),
		turn(A, 32), turn(N, 1)};
	tg_autofree struct tg_block *blocks = NULL;
	const struct tg_block *a, *n;
	size_t count = 0;

	(void)state;
	for (size_t i = 1; i < 7; i += 2) {
		s[i].ops = 2;
		s[i].batches = 2;
		s[i].ns[1] = s[i].ns[0] * i; /* mean / smallest: 1, 2, 3 */
	}
	s[0].stage = s[1].stage = TG_STAGE_CONFIRM;
	assert_int_equal(tg_estimate(s, 7, relative, 2, &blocks, &count), 0);
	assert_int_equal(count, 2);
	a = find(blocks, count, A, 1);
	check_close("y", 0, a->y, log(4));
	check_close("mad", 0, a->mad, log(2));
	check_close("cost", 0, a->cost, 4);
	check_close("tail", 0, a->tail, log(2));
	assert_int_equal(a->rounds, 3);
	assert_int_equal(a->dropped, 0);
	assert_int_equal(a->error, 0);
	assert_int_equal(a->stage, TG_STAGE_CONFIRM);
	n = find(blocks, count, N, 1);
	check_close("reference y", 0, n->y, NAN);
	check_close("reference cost", 0, n->cost, 1);
	check_close("reference tail", 0, n->tail, 0);
	assert_int_equal(n->rounds, 4);
	assert_int_equal(n->dropped, 0);
}

static void tail_is_never_negative(void **state)
{
	struct tg_sample s = {
		.cpus = 1, .lane = A, .batches = 8, .ops = 1, .ns = {0, 5, 5, 5, 5, 5, 5, 5}};
	tg_autofree struct tg_block *blocks = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(tg_estimate(&s, 1, absolute, 1, &blocks, &count), 0);
	check_close("cost", 0, blocks[0].cost, 5);
	check_close("tail", 0, blocks[0].tail, 0);
}

static void absolute_row_takes_costs_and_zero(void **state)
{
	static const struct {
		const char *name;
		uint64_t ns[3];
		double y, mad, tail;
	} rows[] = {
		{"plain", {5, 9, 7}, 7, 2, 0},
		{"one zero", {0, 9, 7}, 7, 2, 0},
		{"all zero", {0, 0, 0}, 0, 0, NAN},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_sample s[3];
		tg_autofree struct tg_block *blocks = NULL;
		size_t count = 0;

		for (size_t k = 0; k < 3; k++)
			s[k] = turn(N, rows[i].ns[k]);
		assert_int_equal(tg_estimate(s, 3, absolute, 1, &blocks, &count), 0);
		assert_int_equal(count, 1);
		check_close(rows[i].name, i, blocks[0].y, rows[i].y);
		check_close(rows[i].name, i, blocks[0].mad, rows[i].mad);
		check_close(rows[i].name, i, blocks[0].cost, rows[i].y);
		check_close(rows[i].name, i, blocks[0].tail, rows[i].tail);
		assert_int_equal(blocks[0].rounds, 3);
	}
}

static void failed_turn_refuses_the_whole_block(void **state)
{
	/* A fails twice in block 0 and never in block 1; its other turns look fast */
	struct tg_sample s[] = {turn(N, 4), turn(A, 1), failed(A, ENOSPC), failed(A, EIO),
		turn(B, 8), turn(N, 4), turn(N, 4), turn(A, 8)};
	tg_autofree struct tg_block *blocks = NULL;
	size_t count = 0;

	(void)state;
	s[6].block = s[7].block = 1;
	assert_int_equal(tg_estimate(s, 8, relative, 2, &blocks, &count), 0);
	assert_int_equal(count, 5); /* N 0, N 1, A 0, A 1, B 0 */
	assert_int_equal(blocks[2].lane, A);
	assert_int_equal(blocks[2].error, ENOSPC);
	assert_int_equal(blocks[2].rounds, 0);
	assert_int_equal(blocks[2].dropped, 3);
	check_close("failed y", 0, blocks[2].y, NAN);
	check_close("failed cost", 0, blocks[2].cost, NAN);
	check_close("failed mad", 0, blocks[2].mad, NAN);
	check_close("failed tail", 0, blocks[2].tail, NAN);
	assert_int_equal(blocks[3].lane, A);
	assert_int_equal(blocks[3].error, 0);
	check_close("next block", 1, exp(blocks[3].y), 2);
	check_close("other lane", 0, exp(blocks[4].y), 2);
}

static void blocks_come_out_sorted(void **state)
{
	struct tg_sample s[64];
	tg_autofree struct tg_block *blocks = NULL;
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		size_t k = i * 37 % 64;

		s[i] = turn(k & 1, 5);
		s[i].cpus = (uint8_t)(1 + (k >> 1 & 1));
		s[i].row = k >> 2 & 1;
		s[i].session = 70000 * (uint32_t)(k >> 3 & 1);
		s[i].block = (uint32_t)(k >> 4);
	}
	assert_int_equal(tg_estimate(s, 64, relative, 2, &blocks, &count), 0);
	assert_int_equal(count, 64);
	for (size_t i = 0; i < 64; i++) {
		const struct tg_block *b = &blocks[i];
		size_t rank = b->row * 32U + b->lane * 16U + (b->cpus - 1U) * 8U +
			(b->session != 0) * 4U + b->block;

		if (rank != i)
			fail_msg("block %zu has rank %zu", i, rank);
	}
}

static void estimate_ignores_how_segments_interleave(void **state)
{
	/* the same turns, block by block and then block 1's in between block 0's */
	struct tg_sample apart[6] = {
		turn(N, 4), turn(A, 12), turn(N, 9), turn(N, 1), turn(A, 5), turn(N, 1)};
	struct tg_sample mixed[6];
	tg_autofree struct tg_block *a = NULL;
	tg_autofree struct tg_block *b = NULL;
	size_t count_a = 0, count_b = 0;

	(void)state;
	apart[3].block = apart[4].block = apart[5].block = 1;
	for (size_t i = 0; i < 6; i++)
		mixed[i] = apart[i / 2 + 3 * (i % 2)];
	assert_int_equal(tg_estimate(apart, 6, relative, 2, &a, &count_a), 0);
	assert_int_equal(tg_estimate(mixed, 6, relative, 2, &b, &count_b), 0);
	assert_int_equal(count_a, 4);
	assert_int_equal(count_b, 4);
	for (size_t i = 0; i < 4; i++) {
		check_close("y", i, b[i].y, a[i].y);
		check_close("cost", i, b[i].cost, a[i].cost);
	}
}

/* ---- refusals and size ---- */

static void no_turns_give_no_blocks(void **state)
{
	struct tg_block *blocks = (void *)&blocks;
	size_t count = 7;

	(void)state;
	assert_int_equal(tg_estimate(NULL, 0, relative, 2, &blocks, &count), 0);
	assert_null(blocks);
	assert_int_equal(count, 0);
}

static void malformed_turn_is_einval(void **state)
{
	static const struct {
		const char *name;
		struct tg_sample s;
		int rc;
	} rows[] = {
		{"good", {.batches = TG_BATCHES_MAX, .ops = 1}, 0},
		{"row out of range", {.row = 2, .batches = 1, .ops = 1}, -EINVAL},
		{"failed, row out of range", {.row = 2, .error = EIO}, -EINVAL},
		{"no batches", {.ops = 1}, -EINVAL},
		{"too many batches", {.batches = TG_BATCHES_MAX + 1, .ops = 1}, -EINVAL},
		{"failed, too many", {.batches = TG_BATCHES_MAX + 1, .ops = 1, .error = EIO},
			-EINVAL},
		{"no ops", {.batches = 1}, -EINVAL},
		{"failed, nothing else", {.error = EIO}, 0},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		const struct tg_sample s[] = {turn(N, 1), rows[i].s};
		struct tg_block *blocks = NULL;
		size_t count = 99;
		int rc = tg_estimate(s, 2, relative, 2, &blocks, &count);

		if (rc != rows[i].rc)
			fail_msg("%s: %d", rows[i].name, rc);
		if (rc < 0 && (blocks != NULL || count != 99))
			fail_msg("%s: outputs touched", rows[i].name);
		free(blocks);
	}
}

/* Bench by bench, block by block, as a run records them; and one bench without any block borders.
 */
static void estimate_of_many_turns_is_fast(void **state)
{
	enum { TURNS = 300000 };
	tg_autofree struct tg_sample *s = calloc(TURNS, sizeof(*s));
	struct timespec start, end;

	(void)state;
	assert_non_null(s);
	for (int shape = 0; shape < 2; shape++) {
		tg_autofree struct tg_block *blocks = NULL;
		size_t count = 0;
		double seconds;

		for (size_t i = 0; i < TURNS; i++) {
			s[i] = turn(
				i % 2 == 0 ? N : (uint16_t)(1 + i / 2 % 5), i % 2 == 0 ? 10 : 30);
			s[i].row = shape == 0 ? i / 100 % 2 : 0;
			s[i].block = shape == 0 ? (uint32_t)(i / 1000) : 0;
		}
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
		assert_int_equal(tg_estimate(s, TURNS, relative, 2, &blocks, &count), 0);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
		seconds = (double)(end.tv_sec - start.tv_sec) +
			1e-9 * (double)(end.tv_nsec - start.tv_nsec);
		assert_int_equal(count, shape == 0 ? 300 * 2 * 6 : 6);
		for (size_t i = 0; i < count; i++)
			check_close("ratio", i, exp(blocks[i].y), blocks[i].lane == N ? NAN : 3);
		/* far above O(n log n) even under a sanitizer, far below what O(n^2) takes */
		if (seconds > 5.0)
			fail_msg("shape %d took %.1f s", shape, seconds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turn_cost_is_low_quantile_per_op),
		cmocka_unit_test(lane_turn_is_divided_by_its_neighbours),
		cmocka_unit_test(neighbours_come_only_from_own_segment),
		cmocka_unit_test(placements_are_kept_apart),
		cmocka_unit_test(any_cpus_row_pairs_over_placements),
		cmocka_unit_test(block_has_cost_mad_and_tail),
		cmocka_unit_test(tail_is_never_negative),
		cmocka_unit_test(absolute_row_takes_costs_and_zero),
		cmocka_unit_test(failed_turn_refuses_the_whole_block),
		cmocka_unit_test(blocks_come_out_sorted),
		cmocka_unit_test(estimate_ignores_how_segments_interleave),
		cmocka_unit_test(no_turns_give_no_blocks),
		cmocka_unit_test(malformed_turn_is_einval),
		cmocka_unit_test(estimate_of_many_turns_is_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
