/* test_scenarios.c: recorded and checked by the program itself, with lanes whose costs are known
 * exactly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/scenario.h"

/* 4 blocks: enough to judge; 5 for signed ranks; too few to prove the null lane off, for which 8
 * are needed. */
#define BENCH  " --suite syscall --bench syscall/getpid --rounds 2 --quiet"
#define SIZE   BENCH " --blocks 4"
#define FILES  " --machine test --out {}/out --lanes-file {}/"
#define LANES  " --lanes native,null,fake"
#define NATIVE "cost=2000 noise=0.002 seed=1"
#define NULLS  "cost=2000 noise=0.002 seed=2"
#define FAKE   "cost=6000 noise=0.002 seed=3"
#define OTHER  "cost=3000 noise=0.002 seed=4"

/* The baseline that the checks of this group share: fake costs 3 times native, other 1.5 times. */
static int record(void **state)
{
	struct scenario *s;

	if (scenario_setup(state) < 0)
		return -1;
	s = *state;
	scenario_lanes(s, "same.json", 5.0, "native", NATIVE, "null", NULLS, "fake", FAKE, "other",
		OTHER, NULL);
	if (scenario_run(s, "record --sessions 4" SIZE LANES ",other" FILES "same.json") != 0) {
		print_error("record: %d: %s\n", s->status, s->text);
		return -1;
	}
	return 0;
}

static void check_of_the_same_passes(void **state)
{
	struct scenario *s = *state;

	scenario_exits(s, "check" SIZE LANES FILES "same.json", 0);
	scenario_says(s, "[       OK ] getpid/fake");
	scenario_says(s, "1 pass");
	scenario_says_not(s, "REGRESSED");
	scenario_says_not(s, "FAILED");
}

static void check_leaves_its_files(void **state)
{
	static const struct {
		const char *file, *has;
	} rows[] = {
		{"out/samples.jsonl", "\"lane\":"},
		{"out/results.json", "syscall/getpid/lane:fake"},
		{"out/flat.json", "syscall/getpid/lane:fake"},
		{"out/junit.xml", "getpid"},
		{"baselines/test/machine.json", "{"},
		{"baselines/test/syscall.json", "syscall/getpid"},
	};
	struct scenario *s = *state;

	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		tg_autofree char *text = files_get(files_path(&s->files, rows[i].file));

		if (!text || !strstr(text, rows[i].has))
			fail_msg("%s: `%s` is not in %.300s", rows[i].file, rows[i].has,
				text ? text : "(none)");
	}
}

static void check_of_a_lane_20_percent_slower_is_red_and_names_it(void **state)
{
	struct scenario *s = *state;
	tg_autofree char *junit = NULL;

	scenario_lanes(s, "slow.json", 5.0, "native", NATIVE, "null", NULLS, "fake",
		FAKE " slow=1.2", "other", OTHER, NULL);
	scenario_exits(s, "check" SIZE LANES ",other" FILES "slow.json", 1);
	scenario_line_says(s, "getpid/fake", "REGRESSED");
	scenario_line_says(s, "getpid/fake", "+20.");
	scenario_line_says(s, "getpid/fake", "(base 3.");
	scenario_says(s, "[  FAILED  ] getpid/fake");
	scenario_says(s, "[       OK ] getpid/other");
	scenario_says(s, "1 regressed");
	junit = files_get(files_path(&s->files, "out/junit.xml"));
	assert_non_null(junit);
	assert_non_null(strstr(junit, "<failure"));
	assert_non_null(strstr(junit, "REGRESSED"));
}

/* The same, slowed by the program itself: the whole chain from the request to the exit status. */
static void check_with_an_injected_slowdown_is_red(void **state)
{
	struct scenario *s = *state;

	scenario_exits(s, "check --inject fake:syscall/getpid:20%" SIZE LANES FILES "same.json", 1);
	scenario_line_says(s, "getpid/fake", "REGRESSED");
	scenario_line_says(s, "getpid/fake", "+20.");
}

static void check_of_a_lane_20_percent_faster_is_improved(void **state)
{
	struct scenario *s = *state;

	scenario_lanes(s, "fast.json", 5.0, "native", NATIVE, "null", NULLS, "fake",
		FAKE " slow=0.8", "other", OTHER, NULL);
	scenario_exits(s, "check" SIZE LANES FILES "fast.json", 0);
	scenario_says(s, "IMPROVED");
	scenario_says(s, "1 improved");
}

static void check_within_the_tolerance_passes_and_with_a_smaller_one_does_not(void **state)
{
	struct scenario *s = *state;

	scenario_lanes(s, "bit.json", 5.0, "native", NATIVE, "null", NULLS, "fake",
		FAKE " slow=1.03", "other", OTHER, NULL);
	scenario_exits(s, "check" SIZE LANES FILES "bit.json", 0);
	scenario_says(s, "1 pass");
	scenario_exits(s, "check --tolerance 1%" SIZE LANES FILES "bit.json", 1);
	scenario_line_says(s, "getpid/fake", "tolerance 1 %");
	scenario_line_says(s, "getpid/fake", "REGRESSED");
}

/* Where native against native is off, nothing else may be red: not even a lane that is slower. */
static void check_with_the_null_lane_off_is_never_red(void **state)
{
	struct scenario *s = *state;

	scenario_lanes(s, "null.json", 5.0, "native", NATIVE, "null", NULLS " slow=1.3", "fake",
		FAKE " slow=1.2", "other", OTHER, NULL);
	scenario_exits(s, "check" SIZE LANES FILES "null.json", 77);
	scenario_says(s, "INCONCLUSIVE(null: native against native is 1.30");
	scenario_says_not(s, "REGRESSED");
	scenario_exits(s, "check --blocks 8" BENCH LANES FILES "null.json", 99);
	scenario_says(s, "void");
}

/* A lane of two levels: what a baseline of it is worth shows in the baseline, and it only gets
 * watched. */
static void check_of_a_two_moded_lane_is_never_red(void **state)
{
	struct scenario *s = *state;

	scenario_lanes(s, "modes.json", 5.0, "native", NATIVE, "fake",
		FAKE " modes=2 count={}/starts", NULL);
	scenario_exits(s,
		"record --sessions 4" SIZE " --lanes native,fake --machine moded --out {}/out "
		"--lanes-file {}/modes.json",
		0);
	for (int i = 0; i < 2; i++) {
		scenario_run(s,
			"check" SIZE " --lanes native,fake --machine moded --out {}/out "
			"--lanes-file {}/modes.json");
		if (s->status != 0 && s->status != 77)
			fail_msg("exit status %d: %s", s->status, s->text);
		scenario_says(s, "watch");
	}
}

static void check_with_big_noise_is_never_red(void **state)
{
	struct scenario *s = *state;

	scenario_lanes(s, "noise.json", 5.0, "native", NATIVE, "fake",
		"cost=6000 noise=0.5 seed=5 count={}/starts", NULL);
	scenario_exits(s,
		"record --sessions 4" SIZE " --lanes native,fake --machine noisy --out {}/out "
		"--lanes-file {}/noise.json",
		0);
	for (int i = 0; i < 3; i++) {
		scenario_run(s,
			"check" SIZE " --lanes native,fake --machine noisy --out {}/out "
			"--lanes-file {}/noise.json");
		if (s->status != 0 && s->status != 77)
			fail_msg("exit status %d: %s", s->status, s->text);
	}
}

static void check_without_a_baseline_shows_costs_and_says_what_to_run(void **state)
{
	struct scenario *s = *state;

	scenario_exits(s,
		"check" SIZE LANES " --machine unknown --out {}/out --lanes-file {}/same.json", 77);
	scenario_says(s, "make baseline");
	scenario_says(s, "getpid");
	scenario_says_not(s, "REGRESSED");
	scenario_exits(s,
		"check --strict" SIZE LANES
		" --machine unknown --out {}/out --lanes-file {}/same.json",
		1);
}

/* A fact of the machine changed: what was recorded says nothing any more. */
static void check_on_another_machine_judges_nothing(void **state)
{
	struct scenario *s = *state;
	tg_autofree char *machine = files_get(files_path(&s->files, "baselines/test/machine.json"));
	tg_autofree char *suite = files_get(files_path(&s->files, "baselines/test/syscall.json"));
	tg_autofree char *other = NULL;

	assert_non_null(machine);
	assert_non_null(suite);
	other = replaced(machine, "\"kernel\":\t\"", "\"kernel\":\t\"9");
	files_put(&s->files, "baselines/moved/machine.json", other);
	files_put(&s->files, "baselines/moved/syscall.json", suite);
	scenario_exits(s,
		"check" SIZE LANES " --machine moved --out {}/out --lanes-file {}/same.json", 77);
	scenario_says(s, "rebaseline: kernel was `9");
}

static void append_adds_a_session(void **state)
{
	struct scenario *s = *state;

	scenario_exits(s, "record --append" SIZE LANES FILES "same.json", 0);
	scenario_says(s, "5 sessions");
	scenario_exits(s, "check" SIZE LANES FILES "same.json", 0);
	scenario_says(s, "baseline 5 sessions");
}

/* ---- compare ---- */

static void compare_of_two_equal_lanes_passes(void **state)
{
	struct scenario *s = *state;

	scenario_lanes(s, "pair.json", 5.0, "native", NATIVE, "old", FAKE, "new", FAKE, "slow",
		FAKE " slow=1.1", NULL);
	scenario_exits(
		s, "compare --a old --b new --allow-same --blocks 5" BENCH FILES "pair.json", 0);
	scenario_says(s, "1 pass");
	scenario_is_refused(
		s, "compare --a old --b new" SIZE FILES "pair.json", "same program and flags");
}

static void compare_of_a_lane_10_percent_slower_is_red(void **state)
{
	struct scenario *s = *state;

	scenario_exits(s, "compare --a old --b slow --blocks 5" BENCH FILES "pair.json", 1);
	scenario_line_says(s, "getpid/slow", "REGRESSED");
	scenario_line_says(s, "getpid/slow", "+10.");
	scenario_exits(s, "compare --a slow --b old --blocks 5" BENCH FILES "pair.json", 0);
	scenario_says(s, "IMPROVED");
	scenario_exits(s,
		"compare --a old --b slow --tolerance 20% --blocks 5" BENCH FILES "pair.json", 0);
	scenario_exits(
		s, "compare --a old --b slow --bisect --blocks 5" BENCH FILES "pair.json", 1);
}

static void run_measures_and_judges_nothing(void **state)
{
	struct scenario *s = *state;

	scenario_exits(s, "run" SIZE LANES FILES "slow.json", 0);
	scenario_says(s, "getpid");
	scenario_says_not(s, "REGRESSED");
	scenario_says_not(s, "RUN      ]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_of_the_same_passes),
		cmocka_unit_test(check_leaves_its_files),
		cmocka_unit_test(check_of_a_lane_20_percent_slower_is_red_and_names_it),
		cmocka_unit_test(check_with_an_injected_slowdown_is_red),
		cmocka_unit_test(check_of_a_lane_20_percent_faster_is_improved),
		cmocka_unit_test(check_within_the_tolerance_passes_and_with_a_smaller_one_does_not),
		cmocka_unit_test(check_with_the_null_lane_off_is_never_red),
		cmocka_unit_test(check_of_a_two_moded_lane_is_never_red),
		cmocka_unit_test(check_with_big_noise_is_never_red),
		cmocka_unit_test(check_without_a_baseline_shows_costs_and_says_what_to_run),
		cmocka_unit_test(check_on_another_machine_judges_nothing),
		cmocka_unit_test(append_adds_a_session),
		cmocka_unit_test(compare_of_two_equal_lanes_passes),
		cmocka_unit_test(compare_of_a_lane_10_percent_slower_is_red),
		cmocka_unit_test(run_measures_and_judges_nothing),
	};

	if (scenario_impossible())
		return scenario_impossible();
	return cmocka_run_group_tests_name("scenarios", tests, record, scenario_teardown);
}
