/* test_scenario_faults.c: lanes that hang, die, lie or babble are named with their reason, and the
 * others are judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/scenario.h"

#define SIZE   " --suite syscall --bench syscall/getpid --rounds 2 --quiet --blocks 4"
#define FILES  " --machine test --out {}/out --lanes-file {}/"
#define LANES  " --lanes native,fake,other"
#define NATIVE "cost=2000"
#define FAKE   "cost=6000"
#define OTHER  "cost=3000"

#define TIMEOUT_S 2.0 /* until its hello, and of a silence after it */

static int record(void **state)
{
	struct scenario *s;

	if (scenario_setup(state) < 0)
		return -1;
	s = *state;
	scenario_lanes(s, "same.json", 5.0, "native", NATIVE, "fake", FAKE, "other", OTHER, NULL);
	if (scenario_run(s, "record --sessions 4" SIZE LANES FILES "same.json") != 0) {
		print_error("record: %d: %s\n", s->status, s->text);
		return -1;
	}
	return 0;
}

static const struct {
	const char *script, *want;
} faults[] = {
	{"hang=hello", "not ready within 2 s"},
	{"hang=control:1", "in control/spin: no answer in time"},
	{"hang=turn:2", "in syscall/getpid: no answer in time"},
	{"die=hello", "it ended (exit status 3); stderr: fake_lane: dies as told"},
	{"die=control:2",
		"in control/spin: it ended (exit status 3); stderr: fake_lane: dies as told"},
	{"die=turn:2",
		"in syscall/getpid: it ended (exit status 3); stderr: fake_lane: dies as told"},
	{"garbage=hello", "it printed garbage"},
	{"garbage=turn:2", "in syscall/getpid: it printed garbage"},
	{"flood", "it printed garbage"},
	{"clock=half", "in control/spin: clock: "},
	{"clock=jump", "in syscall/getpid: clock: "},
	{"late", "it answered request 0, not 1"},
	{"twice", "it answered request 1, not 2"},
	{"build=0000", "its probe is of build 0000, not of this one"},
	{"wire=9", "its probe speaks wire version 9, this build 1"},
	{"errno=38", "the operation fails: Function not implemented"},
	{"nonsense", "it ended (exit status 64); stderr: fake_lane: what is `nonsense`?"},
	{"deaf", "it did not end when told"},
	{"leave", "it left 1 process(es)"},
};

static void lane_with_a_fault_is_error_with_its_reason_and_others_are_judged(void **state)
{
	struct scenario *s = *state;

	for (size_t i = 0; i < TG_ARRAY_SIZE(faults); i++) {
		char script[128];

		snprintf(script, sizeof(script), FAKE " %s", faults[i].script);
		scenario_lanes(s, "fault.json", TIMEOUT_S, "native", NATIVE, "fake", script,
			"other", OTHER, NULL);
		if (scenario_run(s, "check" SIZE LANES FILES "fault.json") != 1)
			fail_msg("%s: exit status %d: %s", script, s->status, s->text);
		print_message("# %s\n", script);
		scenario_line_says(s, "getpid/fake", "ERROR(");
		scenario_line_says(s, "getpid/fake", faults[i].want);
		scenario_says(s, "[  FAILED  ] getpid/fake");
		scenario_says(s, "[       OK ] getpid/other");
		scenario_says_not(s, "REGRESSED");
	}
}

/* What fails in the reference leaves nothing to divide by: void, not red, and nothing is recorded.
 */
static void reference_with_a_fault_voids_the_run(void **state)
{
	struct scenario *s = *state;

	scenario_lanes(
		s, "ref.json", TIMEOUT_S, "native", NATIVE " die=turn:2", "fake", FAKE, NULL);
	scenario_exits(s, "check" SIZE " --lanes native,fake" FILES "ref.json", 99);
	scenario_says(s, "lane native failed");
	scenario_exits(s, "record --append" SIZE " --lanes native,fake" FILES "ref.json", 99);
	scenario_says(s, "nothing was recorded");
	scenario_exits(s, "check" SIZE LANES FILES "same.json", 0);
	scenario_says(s, "baseline 4 sessions");
}

static void reference_that_does_not_come_up_judges_nothing(void **state)
{
	struct scenario *s = *state;

	scenario_lanes(s, "ref.json", TIMEOUT_S, "native", NATIVE " die=hello", "fake", FAKE, NULL);
	scenario_exits(s, "check" SIZE " --lanes native,fake" FILES "ref.json", 77);
	scenario_says(s, "lane native does not come up: it ended (exit status 3)");
}

static void record_with_a_lane_that_dies_records_nothing(void **state)
{
	struct scenario *s = *state;
	char path[PATH_SIZE];

	scenario_lanes(
		s, "fault.json", TIMEOUT_S, "native", NATIVE, "fake", FAKE " die=turn:2", NULL);
	scenario_exits(s,
		"record --sessions 4" SIZE " --lanes native,fake --machine none --out {}/out "
		"--lanes-file {}/fault.json",
		99);
	scenario_says(s, "nothing was recorded: lane fake failed: in syscall/getpid: it ended");
	snprintf(path, sizeof(path), "%s", files_path(&s->files, "baselines/none"));
	if (access(path, F_OK) == 0)
		fail_msg("%s is there", path);
}

/* In the middle of the blocks, when all looked well before. */
static void lane_that_fails_in_a_later_block_is_error(void **state)
{
	struct scenario *s = *state;

	scenario_lanes(s, "late.json", TIMEOUT_S, "native", NATIVE, "fake", FAKE " die=turn:7",
		"other", OTHER, NULL);
	scenario_exits(s, "check" SIZE " --rounds 9" LANES FILES "late.json", 1);
	scenario_line_says(s, "getpid/fake", "ERROR(in syscall/getpid: it ended (exit status 3)");
	scenario_says(s, "[       OK ] getpid/other");
}

/* A runtime that nobody asked for and no baseline knows may be missing or broken: that is no
 * failure. */
static void compare_with_a_lane_that_fails_is_error(void **state)
{
	struct scenario *s = *state;

	scenario_lanes(s, "pair.json", TIMEOUT_S, "native", NATIVE, "old", FAKE, "new",
		FAKE " die=turn:2", NULL);
	scenario_exits(s, "compare --a old --b new" SIZE FILES "pair.json", 1);
	scenario_line_says(s, "getpid/new", "ERROR(");
	scenario_exits(s, "compare --a new --b old" SIZE FILES "pair.json", 99);
	scenario_says(s, "lane new failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lane_with_a_fault_is_error_with_its_reason_and_others_are_judged),
		cmocka_unit_test(lane_that_fails_in_a_later_block_is_error),
		cmocka_unit_test(reference_with_a_fault_voids_the_run),
		cmocka_unit_test(reference_that_does_not_come_up_judges_nothing),
		cmocka_unit_test(record_with_a_lane_that_dies_records_nothing),
		cmocka_unit_test(compare_with_a_lane_that_fails_is_error),
	};

	if (scenario_impossible())
		return scenario_impossible();
	return cmocka_run_group_tests_name("scenario_faults", tests, record, scenario_teardown);
}
