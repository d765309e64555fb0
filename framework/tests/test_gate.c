/* test_gate.c: reference values are from scipy 1.10.1; false alarm rates from simulation with a
 * fixed seed. */
#include "verdict/gate.h"

#include "common/cleanup.h"
#include "verdict/stats.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/verdict_check.h"

#include <stdio.h>
#include <string.h>

static void check_verdict(
	const char *what, const struct tg_verdict *v, enum tg_verdict_kind kind, const char *reason)
{
	if (v->kind != kind || strcmp(v->reason, reason) != 0)
		fail_msg("%s: %s \"%s\", delta %g [%g, %g], want %s \"%s\"", what,
			tg_verdict_name(v->kind), v->reason, v->delta, v->lo, v->hi,
			tg_verdict_name(kind), reason);
}

/* ---- figures of one judgement ---- */

static const double base_y[5][4] = {
	{.231, .243, .226, .238},
	{.252, .239, .247, .244},
	{.228, .235, .221, .233},
	{.241, .236, .249, .240},
	{.237, .230, .242, .229},
};
static const double now_y[8] = {.252, .263, .247, .259, .255, .250, .261, .249};

static const struct tg_session base[5] = {
	{base_y[0], 4}, {base_y[1], 4}, {base_y[2], 4}, {base_y[3], 4}, {base_y[4], 4}};

/*
 * The header's formulas written once more in Python, with numpy.var(ddof=1) for v and sB2, scipy's
 * t.ppf, t.sf and norm's for d0 = inf; all of delta, se, df, lo, hi, p, mde, mde_floor.
 */
static const struct {
	const char *name;
	size_t sessions, blocks;
	struct tg_policy policy;
	double delta, se, df, lo, hi, p, mde, mde_floor;
} figures[] = {
	{"Q = P", 5, 4, {.05, false, .05, .2, 0, 0}, 0.01835, 0.00690271686, 4, 0.00363446529,
		0.0330655347, 0.994199158, 0.0725091582, 0.0700880843},
	{"Q < P", 5, 2, {.05, false, .05, .2, 0, 0}, 0.0206, 0.00756703376, 5.71471155,
		0.00576337645, 0.0354366236, 0.994651734, 0.0730511902, 0.0700880843},
	{"Q > P", 5, 8, {.05, false, .05, .2, 0, 0}, 0.01785, 0.00654532276, 4, 0.00389637475,
		0.0318036253, 0.995438081, 0.0713319702, 0.0700880843},
	{"moderated", 5, 4, {.05, false, .05, .2, 8, 5e-5}, 0.01835, 0.00747545985, 12,
		0.00502658093, 0.0316734191, 0.999225993, 0.0710470688, 0.0691343669},
	{"d0 infinite", 5, 4, {.05, false, .05, .2, INFINITY, 5e-5}, 0.01835, 0.00774596669,
		INFINITY, 0.00560901859, 0.0310909814, 0.999957493, 0.0704191659, 0.0686970492},
	{"d0 infinite, Q < P", 5, 2, {.05, false, .05, .2, INFINITY, 5e-5}, 0.0206, 0.00834341057,
		786.670773, 0.00686013064, 0.0343398694, 0.999617979, 0.072031921, 0.0686970492},
	{"other levels", 4, 4, {.02, false, .01, .1, 0, 0}, 0.01775, 0.00794840131, 3,
		-0.0183413285, 0.0538413285, 0.593539141, 0.0713412897, 0.0671597409},
};

static void judge_matches_independent_formula(void **state)
{
	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(figures); i++) {
		const char *name = figures[i].name;
		struct tg_session now = {now_y, figures[i].blocks};
		struct tg_verdict v;
		double mde;

		tg_gate_judge(base, figures[i].sessions, now, &figures[i].policy, &v);
		check_close(name, i, v.delta, figures[i].delta, 1e-7);
		check_close(name, i, v.se, figures[i].se, 1e-7);
		check_close(name, i, v.df, figures[i].df, 1e-7);
		check_close(name, i, v.lo, figures[i].lo, 1e-7);
		check_close(name, i, v.hi, figures[i].hi, 1e-7);
		check_close(name, i, v.p, figures[i].p, 1e-7);
		check_close(name, i, v.mde, figures[i].mde, 1e-7);
		check_close(name, i, v.mde_floor, figures[i].mde_floor, 1e-7);
		check_close(name, i, log(v.slowdown / v.base), v.delta, 1e-9);
		check_close(name, i, v.p_confirm, NAN, 0);
		assert_int_equal(v.blocks_now, figures[i].blocks);
		assert_int_equal(v.sessions_base, figures[i].sessions);
		assert_int_equal(v.role, TG_ROLE_GATE);
		tg_gate_role(
			base, figures[i].sessions, figures[i].blocks, &figures[i].policy, &mde);
		check_close(name, i, mde, v.mde, 1e-12);
	}
}

static void judge_ragged_sessions_uses_harmonic_mean(void **state)
{
	static const double one[] = {.24}, two[] = {.23, .25};
	const struct tg_session ragged[] = {base[0], base[1], base[2], {one, 1}, {two, 2}};
	struct tg_policy policy = TG_POLICY_DEFAULT;
	struct tg_verdict v;

	(void)state;
	tg_gate_judge(ragged, 5, (struct tg_session){now_y, 4}, &policy, &v);
	/* P = 5 / (1/4 + 1/4 + 1/4 + 1 + 1/2); the session of one block has no variance */
	check_close("se", 0, v.se, 0.0054441865, 1e-7);
	check_close("df", 0, v.df, 4, 0);
	check_close("floor", 0, v.mde_floor, 0.0599026078, 1e-7);
}

static void judge_absolute_row_stays_in_its_unit(void **state)
{
	double y[5][4], now[4];
	struct tg_session sessions[5];
	struct tg_policy policy = {.tolerance = 1.5, .absolute = true, .alpha = .05, .beta = .2};
	struct tg_verdict v;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		y[i / 4][i % 4] = 100.0 * base_y[i / 4][i % 4];
	for (size_t i = 0; i < 4; i++)
		now[i] = 100.0 * now_y[i];
	for (size_t i = 0; i < 5; i++)
		sessions[i] = (struct tg_session){y[i], 4};
	tg_gate_judge(sessions, 5, (struct tg_session){now, 4}, &policy, &v);
	check_close("delta", 0, v.delta, 1.835, 1e-7);
	check_close("se", 0, v.se, 0.690271686, 1e-7);
	check_close("p", 0, v.p, 0.326417343, 1e-7);
	check_close("mde", 0, v.mde, 3.62107468, 1e-7);
	check_close("floor", 0, v.mde_floor, 3.39508027, 1e-7);
	check_close("slowdown", 0, v.slowdown, 25.525, 1e-7);
	check_close("base", 0, v.base, 23.69, 1e-7);
	assert_int_equal(v.role, TG_ROLE_WATCH); /* MDE above twice the tolerance */
	check_verdict("absolute", &v, TG_INCONCLUSIVE,
		"out of reach on this machine: smallest reachable MDE 3.395");
	policy.tolerance = 3.4;
	tg_gate_judge(sessions, 5, (struct tg_session){now, 4}, &policy, &v);
	check_verdict("wider", &v, TG_PASS, "");
	assert_int_equal(v.role, TG_ROLE_GATE);
}

/* ---- verdicts ---- */

static void each_kind_trips(void **state)
{
	static const struct {
		const char *name;
		double shift; /* of today's blocks, which are about .2545 against .2372 */
		enum tg_verdict_kind kind;
		const char *reason;
		int needed;
	} rows[] = {
		{"same", -.018, TG_PASS, "", 0},
		{"a little slower", 0, TG_PASS, "", 0},
		{"slower by the tolerance", .03, TG_INCONCLUSIVE,
			"out of reach on this machine: smallest reachable MDE 7.0 %", -1},
		{"close", .01665, TG_INCONCLUSIVE, "7 more blocks would settle it", 7},
		{"closer", .01575, TG_INCONCLUSIVE, "1 more block would settle it", 1},
		{"close to a regression", .0442, TG_INCONCLUSIVE, "7 more blocks would settle it",
			7},
		{"slower", .05, TG_REGRESSED, "", 0},
		{"faster", -.05, TG_PASS, "", 0},
		{"much faster", -.09, TG_IMPROVED, "", 0},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_policy policy = TG_POLICY_DEFAULT;
		struct tg_verdict v;
		double now[4];

		for (size_t k = 0; k < 4; k++)
			now[k] = now_y[k] + rows[i].shift;
		tg_gate_judge(base, 5, (struct tg_session){now, 4}, &policy, &v);
		check_verdict(rows[i].name, &v, rows[i].kind, rows[i].reason);
		if (v.blocks_needed != rows[i].needed)
			fail_msg("%s: needs %d", rows[i].name, v.blocks_needed);
	}
}

static void too_little_data_says_what_to_do(void **state)
{
	static const double nans[] = {NAN, INFINITY, NAN, -INFINITY};
	static const struct tg_session holes[] = {
		{base_y[0], 4}, {nans, 4}, {base_y[1], 4}, {nans, 0}, {base_y[2], 4}, {NULL, 0}};
	static const struct {
		const char *name;
		const struct tg_session *base;
		size_t count;
		struct tg_session now;
		struct tg_policy policy;
		enum tg_verdict_kind kind;
		const char *reason;
	} rows[] = {
		{"none", NULL, 0, {now_y, 4}, {.05, false, .05, .2, 0, 0}, TG_INCONCLUSIVE,
			"no baseline: tollgate record"},
		{"one", base, 1, {now_y, 4}, {.05, false, .05, .2, 0, 0}, TG_INCONCLUSIVE,
			"baseline has 1 session, needs 4: tollgate record --append"},
		{"two", base, 2, {now_y, 4}, {.05, false, .05, .2, 9, 1e-4}, TG_INCONCLUSIVE,
			"baseline has 2 sessions, needs 4: tollgate record --append"},
		{"holes", holes, 6, {now_y, 4}, {.05, false, .05, .2, 0, 0}, TG_INCONCLUSIVE,
			"baseline has 3 sessions, needs 4: tollgate record --append"},
		{"no blocks", base, 5, {NULL, 0}, {.05, false, .05, .2, 0, 0}, TG_INCONCLUSIVE,
			"no usable block today"},
		{"nan blocks", base, 5, {nans, 4}, {.05, false, .05, .2, 0, 0}, TG_INCONCLUSIVE,
			"no usable block today"},
		{"nothing", NULL, 0, {NULL, 0}, {.05, false, .05, .2, 0, 0}, TG_INCONCLUSIVE,
			"no usable block today"},
		{"tolerance 0", base, 5, {now_y, 4}, {0, false, .05, .2, 0, 0}, TG_ERROR,
			"policy: tolerance, alpha or beta out of range"},
		{"alpha nan", base, 5, {now_y, 4}, {.05, false, NAN, .2, 0, 0}, TG_ERROR,
			"policy: tolerance, alpha or beta out of range"},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_verdict v;

		tg_gate_judge(rows[i].base, rows[i].count, rows[i].now, &rows[i].policy, &v);
		check_verdict(rows[i].name, &v, rows[i].kind, rows[i].reason);
		check_close(rows[i].name, i, v.p, NAN, 0);
		check_close(rows[i].name, i, v.lo, NAN, 0);
	}
}

static void judge_leaves_out_blocks_that_are_not_finite(void **state)
{
	static const double holed_base[] = {NAN, .231, .243, INFINITY, .226, .238};
	static const double holed_now[] = {.252, NAN, .263, .247, -INFINITY, .259};
	struct tg_session sessions[7];
	struct tg_policy policy = TG_POLICY_DEFAULT;
	struct tg_verdict plain, holed;

	(void)state;
	memcpy(sessions, base, sizeof(base));
	sessions[0] = (struct tg_session){holed_base, 6};
	sessions[5] = (struct tg_session){holed_base, 1};
	sessions[6] = (struct tg_session){NULL, 0};
	tg_gate_judge(base, 5, (struct tg_session){now_y, 4}, &policy, &plain);
	tg_gate_judge(sessions, 7, (struct tg_session){holed_now, 6}, &policy, &holed);
	check_close("lo", 0, holed.lo, plain.lo, 0);
	check_close("hi", 0, holed.hi, plain.hi, 0);
	check_close("mde", 0, holed.mde, plain.mde, 0);
	assert_int_equal(holed.blocks_now, 4);
	assert_int_equal(holed.sessions_base, 5);
}

/* A footprint in whole pages, idle CPU: all values equal. p, bounds and MDE have to be numbers. */
static void zero_variance_still_judges(void **state)
{
	static const struct {
		const char *name;
		double base_step, base_jitter, now, tolerance;
		bool absolute;
		enum tg_verdict_kind kind;
	} rows[] = {
		{"equal", 0, 0, 1, .05, false, TG_PASS},
		{"above", 0, 0, 1.1, .05, false, TG_REGRESSED},
		{"below", 0, 0, .9, .05, false, TG_IMPROVED},
		{"within", 0, 0, 1.0487, .05, false, TG_PASS},
		{"at the tolerance", 0, 0, 2, 1, true, TG_INCONCLUSIVE},
		{"absolute zero", 0, 0, 1, 1e-3, true, TG_PASS},
		{"absolute above", 0, 0, 4097, 4095, true, TG_REGRESSED},
		{"no within variance", .001, 0, 1.003, .05, false, TG_PASS},
		{"no within variance, above", .001, 0, 1.2, .05, false, TG_REGRESSED},
		{"no session variance", 0, .01, 1, .05, false, TG_PASS},
		{"no session variance, above", 0, .01, 1.2, .05, false, TG_REGRESSED},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_policy policy = TG_POLICY_DEFAULT;
		double y[4][4], now[6];
		struct tg_session sessions[4];

		policy.tolerance = rows[i].tolerance;
		policy.absolute = rows[i].absolute;
		for (size_t s = 0; s < 4; s++) {
			for (size_t b = 0; b < 4; b++)
				y[s][b] = 1.0 + rows[i].base_step * (double)s +
					rows[i].base_jitter * ((double)b - 1.5);
			sessions[s] = (struct tg_session){y[s], 4};
		}
		for (size_t b = 0; b < 6; b++)
			now[b] = rows[i].now;
		for (size_t q = 1; q <= 6; q++) {
			struct tg_verdict v;

			tg_gate_judge(sessions, 4, (struct tg_session){now, q}, &policy, &v);
			if (v.kind != rows[i].kind || !(v.p >= 0.0 && v.p <= 1.0) ||
				!(v.se > 0.0) || !isfinite(v.lo) || !isfinite(v.hi) ||
				!isfinite(v.mde) || !isfinite(v.mde_floor) || isnan(v.df))
				fail_msg("%s, %zu blocks: %s p %g se %g df %g [%g, %g] mde %g",
					rows[i].name, q, tg_verdict_name(v.kind), v.p, v.se, v.df,
					v.lo, v.hi, v.mde);
		}
	}
}

/* ---- roles and names ---- */

static void role_follows_mde_and_blocks(void **state)
{
	struct tg_policy policy = TG_POLICY_DEFAULT;
	double one, four, many;

	(void)state;
	assert_int_equal(tg_gate_role(base, 5, 1, &policy, &one), TG_ROLE_GATE);
	assert_int_equal(tg_gate_role(base, 5, 4, &policy, &four), TG_ROLE_GATE);
	assert_int_equal(tg_gate_role(base, 5, 1000000, &policy, &many), TG_ROLE_GATE);
	assert_true(one > four && four > many && many > policy.tolerance);
	policy.tolerance = .09;
	assert_int_equal(tg_gate_role(base, 5, 4, &policy, &four), TG_ROLE_WATCH);
	assert_true(four > TG_MDE_GATE_MAX);
	assert_int_equal(tg_gate_role(base, 3, 4, &policy, &four), TG_ROLE_WATCH);
	check_close("too few sessions", 0, four, NAN, 0);
	assert_int_equal(tg_gate_role(base, 5, 0, &policy, &four), TG_ROLE_WATCH);
	check_close("no blocks", 0, four, NAN, 0);
}

/* ---- compare ---- */

static const double cmp_y[12] = {
	.061, .052, .070, .049, .058, .066, .055, .063, .047, .059, .068, .054};

static void compare_matches_scipy(void **state)
{
	struct tg_policy policy = TG_POLICY_DEFAULT;
	struct tg_verdict v;

	(void)state;
	tg_gate_compare((struct tg_session){cmp_y, 12}, &policy, &v);
	check_verdict("compare", &v, TG_REGRESSED, "");
	check_close("delta", 0, v.delta, .0585, 1e-12);
	/* sorted Walsh averages 18 and 61 of 78: c = 18 by scipy's _get_wilcoxon_distr(12) */
	check_close("lo", 0, v.lo, .054, 1e-12);
	check_close("hi", 0, v.hi, .0625, 1e-12);
	/* wilcoxon(y - log(1.05), alternative="greater", method="exact").pvalue */
	check_close("p", 0, v.p, 0.000732421875, 1e-12);
	/* sqrt(pi / 3 * var(y, ddof=1) / 12); expm1(log(1.05) + (t.ppf(.95, 11) + t.ppf(.8, 11))
	 * se) */
	check_close("se", 0, v.se, 0.0021871874207348633, 1e-9);
	check_close("mde", 0, v.mde, 0.0561529872, 1e-8);
	check_close("floor", 0, v.mde_floor, .05, 1e-5);
	check_close("base", 0, v.base, 1, 0);
	check_close("slowdown", 0, v.slowdown, exp(.0585), 1e-12);
	assert_int_equal(v.sessions_base, 0);
	assert_int_equal(v.blocks_now, 12);
}

static void compare_each_kind_trips(void **state)
{
	static const struct {
		const char *name;
		double y[6];
		size_t n;
		bool absolute;
		enum tg_verdict_kind kind;
		const char *reason;
	} rows[] = {
		{"same", {.001, -.002, .003, -.001, 0, .002}, 6, false, TG_PASS, ""},
		{"slower", {.10, .11, .09, .12, .10, .11}, 6, false, TG_REGRESSED, ""},
		{"faster", {-.10, -.11, -.09, -.12, -.10, -.11}, 6, false, TG_IMPROVED, ""},
		{"noisy", {.1, -.1, .05, -.07, .2, -.15}, 6, false, TG_INCONCLUSIVE,
			"18 more blocks would settle it"},
		{"too few", {.1, .1, .1, .1}, 4, false, TG_INCONCLUSIVE,
			"1 more block would settle it"},
		{"one", {0}, 1, false, TG_INCONCLUSIVE, "4 more blocks would settle it"},
		{"none", {NAN, INFINITY}, 2, false, TG_INCONCLUSIVE, "no usable block today"},
		{"all equal", {0, 0, 0, 0, 0}, 5, false, TG_PASS, ""},
		{"absolute", {.04, .03, .02, .03, .04}, 5, true, TG_PASS, ""},
		{"absolute above", {5, 6, 7, 5, 6}, 5, true, TG_REGRESSED, ""},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_policy policy = TG_POLICY_DEFAULT;
		struct tg_verdict v;

		policy.absolute = rows[i].absolute;
		tg_gate_compare((struct tg_session){rows[i].y, rows[i].n}, &policy, &v);
		check_verdict(rows[i].name, &v, rows[i].kind, rows[i].reason);
		check_close(rows[i].name, i, v.base, rows[i].absolute ? 0 : 1, 0);
		if (rows[i].n > 4)
			assert_true(v.p >= 0.0 && v.p <= 1.0);
	}
}

static void verdict_names_are_those_of_the_report(void **state)
{
	static const char *const names[] = {
		"PASS", "REGRESSED", "IMPROVED", "INCONCLUSIVE", "SKIPPED", "ERROR", "?"};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(names); i++)
		assert_string_equal(tg_verdict_name((enum tg_verdict_kind)i), names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judge_matches_independent_formula),
		cmocka_unit_test(judge_ragged_sessions_uses_harmonic_mean),
		cmocka_unit_test(judge_absolute_row_stays_in_its_unit),
		cmocka_unit_test(each_kind_trips),
		cmocka_unit_test(too_little_data_says_what_to_do),
		cmocka_unit_test(judge_leaves_out_blocks_that_are_not_finite),
		cmocka_unit_test(zero_variance_still_judges),
		cmocka_unit_test(role_follows_mde_and_blocks),
		cmocka_unit_test(compare_matches_scipy),
		cmocka_unit_test(compare_each_kind_trips),
		cmocka_unit_test(verdict_names_are_those_of_the_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
