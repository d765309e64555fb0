/* test_gate_line.c: one gate in one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "report/gate_line.h"

#include <math.h>
#include <string.h>

static struct tg_result passed(void)
{
	struct tg_result r = {
		.bench = "syscall/getpid",
		.lane = "runc",
		.ref = "native",
		.unit = "ns",
		.blocks = 12,
		.rounds = 8,
		.tolerance = 0.05,
		.judged = true,
		.verdict =
			{
				.kind = TG_PASS,
				.slowdown = 1.2734,
				.base = 1.2621,
				.delta = log(1.009),
				.lo = log(0.992),
				.hi = log(1.026),
				.mde = 0.067,
				.blocks_now = 12,
				.sessions_base = 8,
			},
	};

	return r;
}

static void check(const struct tg_result *r, const char *want)
{
	char line[TG_GATE_LINE_MAX];

	tg_gate_line(line, sizeof(line), r);
	assert_string_equal(line, want);
}

static void line_of_a_pass_has_every_number(void **state)
{
	struct tg_result r = passed();

	(void)state;
	check(&r,
		"getpid/runc 1.273x (base 1.262x, +0.9 % [-0.8,+2.6], tolerance 5 %, MDE80 6.7 %) "
		"PASS n=12x8 B=8");
}

static void line_of_each_kind_names_it_with_its_reason(void **state)
{
	static const struct {
		enum tg_verdict_kind kind;
		const char *reason, *want;
	} rows[] = {
		{TG_REGRESSED, "", ") REGRESSED n="},
		{TG_IMPROVED, "", ") IMPROVED n="},
		{TG_INCONCLUSIVE, "unconfirmed", ") INCONCLUSIVE(unconfirmed) n="},
		{TG_SKIPPED, "not selected", ") SKIPPED(not selected) n="},
		{TG_ERROR, "clock", ") ERROR(clock) n="},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_result r = passed();
		char line[TG_GATE_LINE_MAX];

		r.verdict.kind = rows[i].kind;
		strcpy(r.verdict.reason, rows[i].reason);
		tg_gate_line(line, sizeof(line), &r);
		if (!strstr(line, rows[i].want))
			fail_msg("row %zu: no \"%s\" in \"%s\"", i, rows[i].want, line);
	}
}

static void line_of_an_absolute_row_has_costs(void **state)
{
	struct tg_result r = passed();

	(void)state;
	strcpy(r.bench, "footprint/idle");
	strcpy(r.ref, "none");
	strcpy(r.unit, "KiB");
	r.tolerance = 1024;
	r.verdict.slowdown = 12595.2;
	r.verdict.base = 12288;
	r.verdict.delta = 307.2;
	r.verdict.lo = 0;
	r.verdict.hi = 512;
	r.verdict.mde = 700;
	check(&r,
		"idle/runc 12.3 MiB (base 12.0 MiB, +307 KiB [+0.00 KiB,+512 KiB], tolerance 1.00 "
		"MiB, "
		"MDE80 700 KiB) PASS n=12x8 B=8");
}

static void line_without_a_baseline_leaves_it_out(void **state)
{
	struct tg_result r = passed();

	(void)state;
	r.verdict.kind = TG_INCONCLUSIVE;
	strcpy(r.verdict.reason, "no baseline: tollgate record");
	r.verdict.base = r.verdict.delta = r.verdict.lo = r.verdict.hi = r.verdict.mde = NAN;
	r.verdict.sessions_base = 0;
	check(&r, "getpid/runc 1.273x INCONCLUSIVE(no baseline: tollgate record) n=12x8");
}

/* A lane that never came up has a verdict of zeros: none of them is a number to show. */
static void line_of_a_dead_lane_has_no_numbers(void **state)
{
	struct tg_result r = passed();

	(void)state;
	r.blocks = 0;
	r.verdict = (struct tg_verdict){.kind = TG_ERROR, .reason = "not ready within 10 s"};
	check(&r, "getpid/runc ERROR(not ready within 10 s)");
}

static void line_of_a_measured_row_is_its_estimate(void **state)
{
	double y[] = {log(2.0), NAN, log(2.0), log(2.0)};
	struct tg_result r = passed();

	(void)state;
	r.judged = false;
	r.y = y;
	r.blocks = TG_ARRAY_SIZE(y);
	check(&r, "getpid/runc 2.000x n=4x8");
	r.judged = r.null_control = true;
	r.verdict.blocks_now = 0;
	check(&r, "getpid/runc 2.000x control n=4x8");
}

static void line_of_a_watched_row_says_so(void **state)
{
	struct tg_result r = passed();
	char line[TG_GATE_LINE_MAX];

	(void)state;
	r.verdict.role = TG_ROLE_WATCH;
	tg_gate_line(line, sizeof(line), &r);
	assert_non_null(strstr(line, " PASS watch n=12x8"));
	assert_true(tg_gate_line_watched(&r));
	assert_false(tg_gate_line_counts(&r));
	r.verdict.kind = TG_ERROR; /* watched or not, a lane that fails is a failure */
	assert_false(tg_gate_line_watched(&r));
	assert_true(tg_gate_line_counts(&r));
}

static void line_is_one_clean_line_cut_to_its_buffer(void **state)
{
	struct tg_result r = passed();
	char line[TG_GATE_LINE_MAX], small[16];

	(void)state;
	strcpy(r.lane, "ru\033nc");
	r.verdict.kind = TG_ERROR;
	memset(r.verdict.reason, '\n', sizeof(r.verdict.reason) - 1);
	tg_gate_line(line, sizeof(line), &r);
	assert_null(strchr(line, '\n'));
	assert_null(strchr(line, '\033'));
	tg_gate_line(small, sizeof(small), &r);
	assert_int_equal(strlen(small), sizeof(small) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_of_a_pass_has_every_number),
		cmocka_unit_test(line_of_each_kind_names_it_with_its_reason),
		cmocka_unit_test(line_of_an_absolute_row_has_costs),
		cmocka_unit_test(line_without_a_baseline_leaves_it_out),
		cmocka_unit_test(line_of_a_dead_lane_has_no_numbers),
		cmocka_unit_test(line_of_a_measured_row_is_its_estimate),
		cmocka_unit_test(line_of_a_watched_row_says_so),
		cmocka_unit_test(line_is_one_clean_line_cut_to_its_buffer),
	};

	return cmocka_run_group_tests_name("gate_line", tests, NULL, NULL);
}
