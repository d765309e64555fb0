/* test_cases.c: table rows spelled out as cases and names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/cases.h"

#include <string.h>

static int nothing(struct tg_run *run)
{
	(void)run;
	return 0;
}

static const struct tg_bench first_benches[] = {
	TG_BENCH("plain", .body = nothing),
	TG_BENCH("sized", .body = nothing, TG_PARAMS(1, 4096), TG_FULL_PARAMS(-7, INT64_MIN),
		.phases = {"map", "touch"}),
	TG_BENCH("rare", .body = nothing, .flags = TG_FULL),
	TG_BENCH("rare_sized", .body = nothing, TG_FULL_PARAMS(9)),
};
static const struct tg_bench last_benches[] = {
	TG_BENCH("open/bind", .body = nothing),
};
static const struct tg_suite first = {"first", first_benches, TG_ARRAY_SIZE(first_benches)};
static const struct tg_suite empty = {"empty", NULL, 0};
static const struct tg_suite last = {"last", last_benches, TG_ARRAY_SIZE(last_benches)};
static const struct tg_suite *const suites[] = {&first, &empty, &last};

static const struct {
	const char *name;
	int64_t param;
	bool full;
	const char *phase_row; /* of "touch" */
} rows[] = {
	{"first/plain", 0, false, "first/plain/touch"},
	{"first/sized/1", 1, false, "first/sized/touch/1"},
	{"first/sized/4096", 4096, false, "first/sized/touch/4096"},
	{"first/sized/-7", -7, true, "first/sized/touch/-7"},
	{"first/sized/-9223372036854775808", INT64_MIN, true,
		"first/sized/touch/-9223372036854775808"},
	{"first/rare", 0, true, "first/rare/touch"},
	{"first/rare_sized/9", 9, true, "first/rare_sized/touch/9"},
	{"last/open/bind", 0, false, "last/open/bind/touch"},
};

static void at_spells_out_params_in_table_order(void **state)
{
	struct tg_case c;
	char name[TG_BENCH_NAME_MAX];

	(void)state;
	assert_int_equal(tg_case_count(suites, 3), TG_ARRAY_SIZE(rows));
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		if (!tg_case_at(suites, 3, i, &c) || strcmp(c.name, rows[i].name) != 0 ||
			c.param != rows[i].param || c.full != rows[i].full)
			fail_msg("row %zu: %s, not %s", i, c.name, rows[i].name);
		tg_case_row(&c, "touch", name);
		assert_string_equal(name, rows[i].phase_row);
		tg_case_row(&c, NULL, name);
		assert_string_equal(name, rows[i].name);
	}
	assert_false(tg_case_at(suites, 3, TG_ARRAY_SIZE(rows), &c));
	assert_false(tg_case_at(suites, 3, SIZE_MAX, &c));
	assert_false(tg_case_at(suites, 0, 0, &c));
}

static void find_takes_whole_names_only(void **state)
{
	static const char *const absent[] = {"", "first", "first/", "first/sized",
		"first/sized/40960", "first/sized/01", "first/plain/0", "first/plain/touch",
		"plain", "last/open", "FIRST/plain"};
	struct tg_case c;

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++)
		if (!tg_case_find(suites, 3, rows[i].name, &c) ||
			strcmp(c.name, rows[i].name) != 0 || c.param != rows[i].param)
			fail_msg("row %zu: `%s` is not found", i, rows[i].name);
	for (size_t i = 0; i < TG_ARRAY_SIZE(absent); i++)
		if (tg_case_find(suites, 3, absent[i], &c))
			fail_msg("`%s` is found as `%s`", absent[i], c.name);
}

static void name_longer_than_the_limit_is_cut(void **state)
{
	char long_name[2 * TG_BENCH_NAME_MAX];
	struct tg_bench bench = {.name = long_name, .body = nothing, TG_PARAMS(123456)};
	const struct tg_suite suite = {"s", &bench, 1};
	const struct tg_suite *const one[] = {&suite};
	struct {
		struct tg_case c;
		char guard[8];
	} at = {.guard = "guarded"};

	(void)state;
	for (size_t len = TG_BENCH_NAME_MAX - 12; len < TG_BENCH_NAME_MAX + 4; len++) {
		memset(long_name, 'x', sizeof(long_name));
		long_name[len] = '\0';
		assert_true(tg_case_at(one, 1, 0, &at.c));
		assert_true(strlen(at.c.name) < TG_BENCH_NAME_MAX);
		assert_string_equal(at.guard, "guarded");
	}
}

/* What the build linked: names that the wire, the stores and a shell all take. */
static void linked_suites_have_unique_names_of_plain_characters(void **state)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_/-.:";
	struct tg_case c, same;

	(void)state;
	assert_true(tg_case_count(tg_suites, tg_suite_count) > 1);
	for (size_t i = 0; tg_case_at(tg_suites, tg_suite_count, i, &c); i++) {
		bool ok = strspn(c.name, allowed) == strlen(c.name) &&
			strlen(c.name) < TG_BENCH_NAME_MAX - 1 &&
			tg_case_find(tg_suites, tg_suite_count, c.name, &same) &&
			same.bench == c.bench && same.param == c.param;

		if (!ok)
			fail_msg("case %zu: `%s`", i, c.name);
		assert_true(c.bench->kind != TG_BODY || c.bench->body != NULL);
		assert_true(c.bench->kind == TG_BODY || c.bench->metric != TG_METRIC_NONE);
	}
	assert_true(tg_case_at(tg_suites, tg_suite_count, 0, &c));
	assert_string_equal(c.name, "control/spin");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_spells_out_params_in_table_order),
		cmocka_unit_test(find_takes_whole_names_only),
		cmocka_unit_test(name_longer_than_the_limit_is_cut),
		cmocka_unit_test(linked_suites_have_unique_names_of_plain_characters),
	};

	return cmocka_run_group_tests_name("cases", tests, NULL, NULL);
}
