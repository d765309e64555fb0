/* test_scenario_ends.c: runs that are refused, stopped or killed leave one clear line and nothing
 * else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lanes/launch.h"
#include "tests/scenario.h"

#define SIZE  " --suite syscall --bench syscall/getpid --rounds 2 --blocks 4"
#define LONG  " --suite syscall --bench syscall/getpid --blocks 900 --budget 1h"
#define FILES " --machine test --out {}/out --lanes-file {}/same.json"
#define LANES " --lanes native,fake"
#define READY                                                                                        \
	"blocks of" /* "tollgate: 1 benches in 2 lanes, 900 blocks of 8 rounds, …": the lanes came \
		       up */

static int setup(void **state)
{
	if (scenario_setup(state) < 0)
		return -1;
	scenario_lanes(*state, "same.json", 5.0, "native", "cost=2000", "fake", "cost=6000", NULL);
	return 0;
}

/* ---- refused ---- */

static void wrong_lines_are_exit_2_with_one_line(void **state)
{
	static const struct {
		const char *line, *want;
	} rows[] = {
		{"", "no command"},
		{"chekc", "unknown command `chekc`"},
		{"check --nonsense", "unknown option `--nonsense`"},
		{"check" LANES FILES " --suite nosuch", "unknown suite `nosuch`"},
		{"check" LANES FILES " --suite syscall,nosuch", "unknown suite `nosuch`"},
		{"check" FILES " --lanes native,nosuch", "unknown lane `nosuch`"},
		{"check" LANES FILES " --bench syscall/nosuch",
			"no bench matches `syscall/nosuch`"},
		{"check" LANES FILES " --tolerance five", "--tolerance `five`"},
		{"check" LANES FILES " --tolerance 0%", "--tolerance `0%`"},
		{"check" LANES FILES " --inject fake:syscall/nosuch:5%",
			"--inject: no bench `syscall/nosuch`"},
		{"check" LANES FILES " --inject nosuch:syscall/getpid:5%",
			"--inject: unknown lane `nosuch`"},
		{"compare --a fake --b nosuch" FILES, "unknown lane `nosuch`"},
		{"compare --a fake --b fake" FILES, "same program and flags"},
		{"check --lanes native,gone --lane gone=/no/such/runtime", "not installed"},
		{"check --lane runc=/no/such/runtime", "not installed"},
		{"compare --a native --b gone --lane gone=/no/such/runtime", "not installed"},
		{"check --lanes-file {}/none.json", "/none.json"},
		{"check --baseline {}/none" LANES " --lanes-file {}/same.json --out {}/out",
			"/none"},
		{"record --append" SIZE LANES
		 " --quiet --machine new --out {}/out --lanes-file {}/same.json",
			"record one first"},
		{"check --machine ../x" LANES " --lanes-file {}/same.json", "machine name"},
		{"suites --machine", "needs a value"},
	};
	struct scenario *s = *state;

	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		print_message("# %s\n", rows[i].line);
		scenario_is_refused(s, rows[i].line, rows[i].want);
	}
	assert_int_not_equal(access(files_path(&s->files, "out"), F_OK), 0);
	assert_int_not_equal(access(files_path(&s->files, "baselines"), F_OK), 0);
}

static void malformed_lanes_files_are_exit_2_and_name_the_place(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"", "/bad.json"},
		{"{", "/bad.json"},
		{"[]", "not an object"},
		{"{\"runtimes\": {\"x\": {}}}", "runtime `x`: key \"path\""},
		{"{\"runtimes\": {\"x\": {\"path\": \"/bin/true\", \"shell\": true}}}",
			"key \"shell\" is unknown"},
		{"{\"runtimes\": {\"native\": {\"path\": \"/bin/true\", \"kind\": \"vm\"}}}",
			"key \"kind\""},
	};
	struct scenario *s = *state;

	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		files_put(&s->files, "bad.json", rows[i].text);
		scenario_is_refused(s, "check --lanes-file {}/bad.json --quiet", rows[i].want);
	}
}

static void malformed_baselines_are_exit_2_and_name_the_file(void **state)
{
	static const struct {
		const char *file, *text, *want;
	} rows[] = {
		{"baselines/bad/machine.json", "{", "machine.json"},
		{"baselines/bad/machine.json", "[1,2]", "machine.json"},
		{"baselines/bad/machine.json", "", "machine.json"},
	};
	struct scenario *s = *state;

	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		files_put(&s->files, rows[i].file, rows[i].text);
		scenario_is_refused(s,
			"check --machine bad --quiet" SIZE LANES
			" --out {}/out --lanes-file {}/same.json",
			rows[i].want);
	}
}

static void help_and_lists_are_exit_0(void **state)
{
	static const struct {
		const char *line, *want;
	} rows[] = {
		{"--help", "tollgate check"},
		{"check --help", "--strict"},
		{"compare --help", "--bisect"},
		{"--version", "tollgate 0."},
		{"suites", "syscall/getpid"},
		{"suites --suite startup", "startup/total"},
		{"machine --machine me", "cpu_model"},
		{"doctor", "probe"},
		{"clean", "removed"},
		{"lanes --lanes native,fake --lanes-file {}/same.json", "ready in"},
	};
	struct scenario *s = *state;

	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		scenario_exits(s, rows[i].line, 0);
		scenario_says(s, rows[i].want);
	}
}

static void lanes_tells_of_each_why_it_is_unavailable(void **state)
{
	struct scenario *s = *state;

	scenario_lanes(s, "some.json", 2.0, "native", "cost=2000", "good", "cost=2000", "dead",
		"die=hello", "mute", "hang=hello", NULL);
	scenario_exits(s,
		"lanes --lanes native,good,dead,mute,gone --lanes-file {}/some.json --lane "
		"gone=/no/such",
		0);
	scenario_line_says(s, "good ", "ready in");
	scenario_line_says(s, "dead ", "unavailable: it ended (exit status 3)");
	scenario_line_says(s, "mute ", "unavailable: not ready within 2 s");
	scenario_line_says(s, "gone ", "unavailable: not installed");
}

/* ---- one at a time ---- */

static void second_run_is_refused_while_the_first_measures(void **state)
{
	struct scenario *s = *state;
	static struct scenario second;

	second = *s;
	scenario_start_until(s, "run" LONG LANES FILES, READY);
	scenario_start(&second, "run --quiet" SIZE LANES FILES);
	scenario_end(&second);
	kill(s->pid, SIGTERM);
	scenario_end(s);
	if (second.status != 2 ||
		strcmp(second.text,
			"tollgate: another tollgate is measuring on this machine: wait for it to "
			"end\n") != 0)
		fail_msg("exit status %d: %s", second.status, second.text);
	scenario_check_gone(s, 0, true);
	scenario_exits(s, "run --quiet" SIZE LANES FILES, 0);
}

/* ---- stopped and killed ---- */

static void stopped_run_is_void_and_leaves_nothing(void **state)
{
	static const struct {
		int signal;
		bool group; /* as a terminal does: to everyone in the foreground */
	} rows[] = {{SIGINT, true}, {SIGINT, false}, {SIGTERM, false}, {SIGHUP, false}};
	struct scenario *s = *state;

	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		uint64_t start;

		scenario_start_until(s, "run" LONG LANES FILES, READY);
		start = tg_now_ns();
		kill(rows[i].group ? -s->pid : s->pid, rows[i].signal);
		scenario_end(s);
		if (s->status != 99 || tg_now_ns() - start > 5 * TG_NS_PER_S)
			fail_msg("row %zu: exit status %d after %.1f s: %s", i, s->status,
				(double)(tg_now_ns() - start) / 1e9, s->text);
		scenario_check_gone(s, 0, true);
	}
}

/* Until `count` processes are there: in the middle of a block. */
static void wait_until_it_measures(struct scenario *s, int count)
{
	const struct timespec tick = {.tv_nsec = 5000000};
	pid_t pids[TG_PIDS_MAX];
	uint64_t end = tg_now_ns() + 10 * TG_NS_PER_S;

	while (tg_proc_descendants(getpid(), pids) < count && tg_now_ns() < end)
		nanosleep(&tick, NULL);
	if (tg_now_ns() >= end)
		fail_msg("its lanes do not run: %s", s->text);
}

static void killed_run_leaves_no_process(void **state)
{
	struct scenario *s = *state;

	scenario_start_until(s, "run" LONG LANES FILES, READY);
	wait_until_it_measures(s, 5); /* itself, two inits, two lanes */
	kill(s->pid, SIGKILL);
	scenario_end(s);
	assert_int_equal(s->status, -SIGKILL);
	scenario_check_gone(s, 2 * TG_NS_PER_S, true);
}

/* With a real runtime there are control groups, which outlive everybody: `clean` is for them. */
static void clean_removes_what_a_killed_run_with_a_runtime_left(void **state)
{
	struct scenario *s = *state;
	struct tg_lane runc = {.kind = TG_LANE_OCI, .path = "runc"};
	char path[TG_PATH_MAX];
	pid_t killed;

	if (geteuid() != 0 || tg_lane_find_runtime(&runc, path, NULL) < 0) {
		print_message("# needs root and runc\n");
		skip();
	}
	scenario_start_until(s, "run --lanes native,runc --out {}/out" LONG, READY);
	wait_until_it_measures(s, 5);
	kill(s->pid, SIGKILL);
	scenario_end(s);
	killed = s->pid;
	if (!scenario_cgroups(killed, path, sizeof(path)))
		print_message("# it left no control group to remove\n");
	scenario_check_gone(s, 2 * TG_NS_PER_S, false);
	scenario_exits(s, "clean", 0);
	if (scenario_cgroups(killed, path, sizeof(path)))
		fail_msg("%s is left after `clean`", path);
}

/* The leak check itself: it sees an orphan of whatever name. */
static void leak_check_sees_an_orphan(void **state)
{
	char found[64] = "";
	pid_t pid = fork();
	int n = 0;

	(void)state;
	if (pid == 0) {
		if (fork() == 0) {
			prctl(PR_SET_NAME, "orphan");
			pause();
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 100 && strcmp(found, "orphan") != 0; i++) {
		n = scenario_processes(found, sizeof(found));
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	assert_int_equal(n, 1);
	assert_string_equal(found, "orphan");
	{
		pid_t pids[TG_PIDS_MAX];

		assert_int_equal(tg_proc_descendants(getpid(), pids), 1);
		kill(pids[0], SIGKILL);
		waitpid(pids[0], NULL, 0);
	}
	assert_int_equal(scenario_processes(found, sizeof(found)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leak_check_sees_an_orphan),
		cmocka_unit_test(wrong_lines_are_exit_2_with_one_line),
		cmocka_unit_test(malformed_lanes_files_are_exit_2_and_name_the_place),
		cmocka_unit_test(malformed_baselines_are_exit_2_and_name_the_file),
		cmocka_unit_test(help_and_lists_are_exit_0),
		cmocka_unit_test(lanes_tells_of_each_why_it_is_unavailable),
		cmocka_unit_test(second_run_is_refused_while_the_first_measures),
		cmocka_unit_test(stopped_run_is_void_and_leaves_nothing),
		cmocka_unit_test(killed_run_leaves_no_process),
		cmocka_unit_test(clean_removes_what_a_killed_run_with_a_runtime_left),
	};

	if (scenario_impossible())
		return scenario_impossible();
	return cmocka_run_group_tests_name("scenario_ends", tests, setup, scenario_teardown);
}
