/* test_gate_rates.c: properties and error rates of the gate over simulated runs, fixed seeds; and
 * the decisions over many gates: confirm and the null control. */
#include "verdict/gate.h"

#include "common/cleanup.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/verdict_check.h"

#include <stdio.h>
#include <string.h>

#define SESSIONS_MAX 8
#define BLOCKS_MAX   48

/* ---- properties ---- */

struct run {
	double y[SESSIONS_MAX][BLOCKS_MAX], now[BLOCKS_MAX];
	struct tg_session sessions[SESSIONS_MAX];
};

/* Sessions and blocks as STATISTICS models them; `change` is true, in log units. */
static void simulate(struct run *r, uint64_t *rng, size_t count, size_t p, size_t q,
	double session_sd, double block_sd, double change)
{
	for (size_t s = 0; s <= count; s++) {
		double *y = s < count ? r->y[s] : r->now;
		double centre = session_sd * normal(rng) + (s < count ? 0.0 : change);

		for (size_t b = 0; b < (s < count ? p : q); b++)
			y[b] = centre + block_sd * normal(rng);
		if (s < count)
			r->sessions[s] = (struct tg_session){y, p};
	}
}

static void judge_ignores_shift_and_order(void **state)
{
	uint64_t rng = 11;

	(void)state;
	for (size_t trial = 0; trial < 100; trial++) {
		struct tg_policy policy = TG_POLICY_DEFAULT;
		struct run r, moved;
		struct tg_verdict v, w;

		simulate(&r, &rng, 5, 7, 9, .01, .02, .04);
		for (size_t s = 0; s < 5; s++) {
			for (size_t b = 0; b < 7; b++)
				moved.y[s][b * 3 % 7] = r.y[(s * 2 + 1) % 5][b] + 3.0;
			moved.sessions[s] = (struct tg_session){moved.y[s], 7};
		}
		for (size_t b = 0; b < 9; b++)
			moved.now[b * 2 % 9] = r.now[b] + 3.0;
		tg_gate_judge(r.sessions, 5, (struct tg_session){r.now, 9}, &policy, &v);
		tg_gate_judge(moved.sessions, 5, (struct tg_session){moved.now, 9}, &policy, &w);
		assert_int_equal(v.kind, w.kind);
		assert_int_equal(v.blocks_needed, w.blocks_needed);
		check_close("lo", trial, w.lo, v.lo, 1e-7);
		check_close("p", trial, w.p, v.p, 1e-7);
		check_close("mde", trial, w.mde, v.mde, 1e-7);
		check_close("slowdown", trial, w.slowdown, v.slowdown * exp(3.0), 1e-9);
	}
}

static void judge_absolute_row_follows_its_unit(void **state)
{
	uint64_t rng = 12;

	(void)state;
	for (size_t trial = 0; trial < 100; trial++) {
		struct tg_policy bytes = {
			.tolerance = .05, .absolute = true, .alpha = .05, .beta = .2};
		struct tg_policy kib = bytes;
		struct run r;
		struct tg_verdict v, w;

		simulate(&r, &rng, 4, 6, 3, .01, .02, .04);
		tg_gate_judge(r.sessions, 4, (struct tg_session){r.now, 3}, &bytes, &v);
		for (size_t s = 0; s < 4; s++) {
			for (size_t b = 0; b < 6; b++)
				r.y[s][b] *= 1024.0;
		}
		for (size_t b = 0; b < 3; b++)
			r.now[b] *= 1024.0;
		kib.tolerance *= 1024.0;
		tg_gate_judge(r.sessions, 4, (struct tg_session){r.now, 3}, &kib, &w);
		assert_int_equal(v.kind, w.kind);
		assert_int_equal(v.blocks_needed, w.blocks_needed);
		check_close("lo", trial, w.lo, 1024.0 * v.lo, 1e-9);
		check_close("p", trial, w.p, v.p, 1e-9);
		check_close("mde", trial, w.mde, 1024.0 * v.mde, 1e-9);
	}
}

/* With equal blocks today the interval depends on their number only: count by hand. */
static void blocks_needed_is_the_smallest_that_settles(void **state)
{
	enum { Q = 3, FAR = 3000 };
	static double now[FAR];
	uint64_t rng = 13;
	int seen[3] = {0};

	(void)state;
	for (size_t trial = 0; trial < 150; trial++) {
		struct tg_policy policy = TG_POLICY_DEFAULT;
		struct tg_verdict v;
		struct run r;
		int needed = -1;

		simulate(&r, &rng, 4, 12, 1, .003, .025, 0);
		for (size_t b = 0; b < FAR; b++)
			now[b] = .05 * uniform(&rng) * (b == 0) + (b > 0) * now[0];
		for (int extra = 0; extra <= FAR - Q && needed < 0; extra += extra < 60 ? 1 : 61) {
			tg_gate_judge(r.sessions, 4, (struct tg_session){now, Q + (size_t)extra},
				&policy, &v);
			if (v.kind != TG_INCONCLUSIVE)
				needed = extra;
		}
		tg_gate_judge(r.sessions, 4, (struct tg_session){now, Q}, &policy, &v);
		if (needed <= 60 ? v.blocks_needed != needed
				 : v.blocks_needed > needed || v.blocks_needed <= needed - 61)
			fail_msg("trial %zu: says %d, is %d", trial, v.blocks_needed, needed);
		seen[needed < 0 ? 0 : needed == 0 ? 1 : 2]++;
	}
	for (size_t i = 0; i < 3; i++)
		assert_true(seen[i] >= 5);
}

/* ---- calibration ---- */

/*
 * At a true change of exactly tau both REGRESSED and PASS are wrong, each at most 5 % of the time.
 * `most` leaves 3 standard errors of 2000 trials; with Q = 4 P the gate is known to reach 6 %
 * (gate.h). At least 1 % keeps the test itself from passing because nothing is ever decided.
 */
static const struct {
	const char *name;
	size_t sessions, q;
	double session_sd; /* of block_sd / sqrt(P) */
	bool moderated;
	double most;
} rates[] = {
	{"B 4", 4, 12, 1, false, .065},
	{"B 8", 8, 12, 1, false, .065},
	{"B 8, sessions alike", 8, 12, 0, false, .065},
	{"B 8, sessions differ", 8, 12, 3, false, .065},
	{"B 8, few blocks", 8, 4, 1, false, .065},
	{"B 4, few blocks", 4, 4, 1, false, .065},
	{"B 8, many blocks", 8, 48, 1, false, .08},
	{"B 8, moderated", 8, 12, 1, true, .065},
};

static void false_alarms_at_the_tolerance_are_at_alpha(void **state)
{
	enum { TRIALS = 2000, P = 12 };
	const double block_sd = .02, tau = log(1.05);
	uint64_t rng = 14;

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rates); i++) {
		double session_sd = rates[i].session_sd * block_sd / sqrt(P);
		struct tg_policy policy = TG_POLICY_DEFAULT;
		double regressed = 0, passed = 0;

		if (rates[i].moderated) {
			policy.d0 = 8;
			policy.s02 = 2.0 * block_sd * block_sd / P;
		}
		for (int trial = 0; trial < TRIALS; trial++) {
			struct tg_verdict v;
			struct run r;

			simulate(&r, &rng, rates[i].sessions, P, rates[i].q, session_sd, block_sd,
				tau);
			tg_gate_judge(r.sessions, rates[i].sessions,
				(struct tg_session){r.now, rates[i].q}, &policy, &v);
			regressed += v.kind == TG_REGRESSED;
			passed += v.kind == TG_PASS;
			if ((v.p <= policy.alpha) != (v.kind == TG_REGRESSED))
				fail_msg("%s: p %g and %s", rates[i].name, v.p,
					tg_verdict_name(v.kind));
		}
		regressed /= TRIALS;
		passed /= TRIALS;
		if (regressed > rates[i].most || passed > rates[i].most || regressed < .01 ||
			passed < .01)
			fail_msg("%s: REGRESSED %.3f, PASS %.3f at a change of tau", rates[i].name,
				regressed, passed);
	}
}

/* The detectable effect is one: at a true change of MDE, with the variance known, power is 1 -
 * beta. */
static void true_change_of_mde_is_caught_at_its_power(void **state)
{
	enum { TRIALS = 2000, P = 12, B = 8 };
	const double block_sd = .02, session_sd = .008;
	struct tg_policy policy = TG_POLICY_DEFAULT;
	double caught = 0, alarms = 0, mde;
	struct tg_verdict v;
	struct run r;
	uint64_t rng = 15;

	(void)state;
	policy.d0 = INFINITY;
	policy.s02 = session_sd * session_sd + M_PI / 3 * block_sd * block_sd / P;
	simulate(&r, &rng, B, P, P, session_sd, block_sd, 0);
	tg_gate_role(r.sessions, B, P, &policy, &mde);
	for (int trial = 0; trial < TRIALS; trial++) {
		simulate(&r, &rng, B, P, P, session_sd, block_sd, log1p(mde));
		tg_gate_judge(r.sessions, B, (struct tg_session){r.now, P}, &policy, &v);
		caught += v.kind == TG_REGRESSED;
		simulate(&r, &rng, B, P, P, session_sd, block_sd, 0);
		tg_gate_judge(r.sessions, B, (struct tg_session){r.now, P}, &policy, &v);
		alarms += v.kind == TG_REGRESSED;
	}
	check_close("power at the MDE", 0, caught / TRIALS, .8, .05);
	check_close("alarms without a change", 0, alarms / TRIALS, 0, 0);
}

/* ---- confirm ---- */

static struct tg_verdict fresh(enum tg_verdict_kind kind, double p)
{
	struct tg_verdict v = {.kind = kind, .p = p, .p_confirm = NAN};

	if (kind == TG_ERROR)
		snprintf(v.reason, sizeof(v.reason), "did not come up");
	return v;
}

static void confirm_keeps_only_what_holm_rejects(void **state)
{
	const struct tg_verdict again[] = {
		fresh(TG_REGRESSED, .008),  /* <= .05 / 6 */
		fresh(TG_REGRESSED, .0101), /* > .05 / 5: everything behind it fails too */
		fresh(TG_PASS, .99),
		fresh(TG_INCONCLUSIVE, .2),
		fresh(TG_ERROR, NAN),
	};
	const struct tg_verdict *list[] = {
		&again[2], &again[0], NULL, &again[1], &again[3], &again[4]};
	static const struct {
		enum tg_verdict_kind kind;
		const char *reason;
		double p_confirm;
	} want[] = {
		{TG_PASS, "", .99},
		{TG_REGRESSED, "", .008},
		{TG_INCONCLUSIVE, "unconfirmed: no budget to measure it again", NAN},
		{TG_INCONCLUSIVE, "not confirmed in fresh blocks: p 0.01", .0101},
		{TG_INCONCLUSIVE, "not confirmed in fresh blocks: p 0.2", .2},
		{TG_ERROR, "did not come up", NAN},
	};
	struct tg_verdict v[6];

	(void)state;
	for (size_t i = 0; i < 6; i++)
		v[i] = fresh(TG_REGRESSED, .001 * (double)(i + 1));
	assert_int_equal(tg_gate_confirm(v, list, 6, .05), 0);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(v[i].kind, want[i].kind);
		assert_string_equal(v[i].reason, want[i].reason);
		check_close("p_confirm", i, v[i].p_confirm, want[i].p_confirm, 1e-12);
		check_close("p of the screen", i, v[i].p, .001 * (double)(i + 1), 1e-12);
	}
	assert_int_equal(tg_gate_confirm(NULL, NULL, 0, .05), 0);
}

/* Screened gates all exactly at the tolerance: the chance that any stays REGRESSED is at most
 * alpha. */
static void confirm_holds_the_family_wise_rate(void **state)
{
	enum { TRIALS = 20000, GATES = 5 };
	uint64_t rng = 16;
	int wrong = 0;

	(void)state;
	for (int trial = 0; trial < TRIALS; trial++) {
		struct tg_verdict v[GATES], again[GATES];
		const struct tg_verdict *list[GATES];
		bool any = false;

		for (size_t i = 0; i < GATES; i++) {
			double p = uniform(&rng);

			v[i] = fresh(TG_REGRESSED, .01);
			again[i] = fresh(p <= .05 ? TG_REGRESSED : TG_INCONCLUSIVE, p);
			list[i] = &again[i];
		}
		assert_int_equal(tg_gate_confirm(v, list, GATES, .05), 0);
		for (size_t i = 0; i < GATES; i++)
			any = any || v[i].kind == TG_REGRESSED;
		wrong += any;
	}
	check_close("family-wise rate", 0, (double)wrong / TRIALS, 1 - pow(.99, 5), .12);
}

/* ---- null control ---- */

enum { BENCHES = 60, NULL_BLOCKS = 12 };

/* `bad` benches lie `centre` away, alternating up and down. */
static size_t null_control(uint64_t *rng, size_t bad, double centre, bool *off)
{
	double y[BENCHES][NULL_BLOCKS];
	struct tg_session nulls[BENCHES];

	for (size_t i = 0; i < BENCHES; i++) {
		double where = i < bad ? (i % 2 ? -centre : centre) : 0.0;

		for (size_t b = 0; b < NULL_BLOCKS; b++)
			y[i][b] = where + .01 * normal(rng);
		nulls[i] = (struct tg_session){y[i], NULL_BLOCKS};
	}
	return tg_gate_null(nulls, BENCHES, .05, off);
}

static void null_control_flags_what_is_off(void **state)
{
	static const struct {
		const char *name;
		size_t bad;
		double centre;
		size_t off, proved;
	} rows[] = {
		{"quiet", 0, 0, 0, 0},
		{"inside", 60, .03, 0, 0},
		{"one", 1, .2, 1, 0}, /* one bench cannot void a run of 60 */
		{"one in ten", 6, .2, 6, 6},
		{"all", 60, .2, 60, 60},
	};
	uint64_t rng = 17;

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		bool off[BENCHES];
		size_t proved = null_control(&rng, rows[i].bad, rows[i].centre, off), flagged = 0;

		for (size_t k = 0; k < BENCHES; k++)
			flagged += off[k];
		if (flagged != rows[i].off || proved != rows[i].proved)
			fail_msg("%s: %zu off, %zu proved", rows[i].name, flagged, proved);
	}
}

static void null_control_at_the_tolerance_rarely_proves(void **state)
{
	enum { RUNS = 200 };
	uint64_t rng = 18;
	int voided = 0;

	(void)state;
	for (int run = 0; run < RUNS; run++) {
		bool off[BENCHES];

		voided += null_control(&rng, BENCHES, log(1.05), off) > 0;
	}
	assert_in_range(voided, 0, 7); /* 1 % of 200, and 3.5 standard errors */
}

static void null_control_without_blocks_is_off_but_proves_nothing(void **state)
{
	static const double nans[] = {NAN, NAN}, good[] = {0, .001, -.001}, bad[] = {.2, .2};
	const struct tg_session nulls[] = {{NULL, 0}, {nans, 2}, {good, 3}, {bad, 2}};
	bool off[4];

	(void)state;
	assert_int_equal(tg_gate_null(nulls, 4, .05, off), 0);
	assert_true(off[0]);
	assert_true(off[1]);
	assert_false(off[2]);
	assert_true(off[3]); /* two blocks prove nothing, but its gates are not trusted */
	assert_int_equal(tg_gate_null(NULL, 0, .05, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judge_ignores_shift_and_order),
		cmocka_unit_test(judge_absolute_row_follows_its_unit),
		cmocka_unit_test(blocks_needed_is_the_smallest_that_settles),
		cmocka_unit_test(false_alarms_at_the_tolerance_are_at_alpha),
		cmocka_unit_test(true_change_of_mde_is_caught_at_its_power),
		cmocka_unit_test(confirm_keeps_only_what_holm_rejects),
		cmocka_unit_test(confirm_holds_the_family_wise_rate),
		cmocka_unit_test(null_control_flags_what_is_off),
		cmocka_unit_test(null_control_at_the_tolerance_rarely_proves),
		cmocka_unit_test(null_control_without_blocks_is_off_but_proves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
