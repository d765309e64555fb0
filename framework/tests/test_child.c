/* test_child.c: sandboxes of real processes, from spawn to nothing left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "host/child.h"
#include "tests/scenario.h"

#include <sched.h>

#define PROBE	TG_TEST_BUILD "/probe"
#define SOON_NS (10 * TG_NS_PER_S) /* nothing here takes that long; a loaded machine may */

extern const char tg_build_id[];

static cpu_set_t one_cpu(void)
{
	cpu_set_t all, one;

	CPU_ZERO(&one);
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	for (size_t i = CPU_SETSIZE; i-- > 0;)
		if (CPU_ISSET(i, &all)) {
			CPU_SET(i, &one);
			break;
		}
	return one;
}

static uint64_t soon(void)
{
	return tg_now_ns() + SOON_NS;
}

static void check_gone(void)
{
	char found[64] = "";
	int n = scenario_processes(found, sizeof(found));

	if (n != 0)
		fail_msg("%d process(es) are left, one is `%s`", n, found);
}

/* ---- starting ---- */

/* A sandbox of a shell script, or of `argv` where that has more than one word. */
static void start_argv(struct tg_child *c, const char *const *argv)
{
	struct tg_launch l = {.cpus = 1};
	cpu_set_t cpus = one_cpu();
	struct tg_err err = {0};
	int rc;

	if (tg_isolation_find() == TG_ISOLATION_NONE) {
		print_message("# needs root, or namespaces of one's own\n");
		skip();
	}
	snprintf(l.probe, sizeof(l.probe), "%s", PROBE);
	for (size_t i = 0; argv[i]; i++)
		l.argv[i] = strdup(argv[i]);
	rc = tg_child_start(&l, &cpus, tg_isolation_find(), c, &err);
	tg_launch_free(&l);
	if (rc < 0 || tg_child_go(c, soon(), &err) < 0)
		fail_msg("%s", err.msg);
}

static void start_shell(struct tg_child *c, const char *script)
{
	start_argv(c, (const char *const[]){"/bin/sh", "-c", script, NULL});
}

static void start_native(struct tg_child *c, enum tg_isolation isolation)
{
	struct tg_lane lane = {.name = "native", .kind = TG_LANE_NATIVE, .cpus = 1};
	cpu_set_t cpus = one_cpu();
	struct tg_launch l;
	struct tg_err err = {0};
	int rc;

	assert_int_equal(tg_launch_make(&lane, "id", PROBE, &l, &err), 0);
	rc = tg_child_start(&l, &cpus, isolation, c, &err);
	tg_launch_free(&l);
	if (rc < 0 || tg_child_go(c, soon(), &err) < 0)
		fail_msg("%s", err.msg);
}

static void read_line(struct tg_child *c, const char *want)
{
	char line[TG_LINE_MAX];
	struct tg_err err = {0};

	if (tg_child_read(c, soon(), line, &err) < 0)
		fail_msg("instead of `%s`: %s", want, err.msg);
	assert_string_equal(line, want);
}

static void check_read_fails(struct tg_child *c, int want, const char *text)
{
	char line[TG_LINE_MAX];
	struct tg_err err = {0};
	int rc =
		tg_child_read(c, want == -ETIMEDOUT ? tg_now_ns() + 100000000 : soon(), line, &err);

	if (rc != want || !strstr(err.msg, text))
		fail_msg("%d `%s` instead of %d `%s`", rc, err.msg, want, text);
}

/* ---- a life ---- */

static void live_natively(enum tg_isolation isolation)
{
	struct tg_child c;
	char line[TG_LINE_MAX];
	struct tg_hello hello;
	struct tg_err err = {0};
	uint64_t before = tg_now_ns();

	start_native(&c, isolation);
	if (tg_child_read(&c, soon(), line, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(tg_wire_get_hello(line, &hello), 0);
	assert_string_equal(hello.build, tg_build_id);
	assert_int_equal(hello.wire, TG_WIRE_VERSION);
	assert_int_equal(tg_child_send(&c, "TG quit 1\n", strlen("TG quit 1\n"), &err), 0);
	if (tg_child_end(&c, soon(), &err) != 0)
		fail_msg("%s", err.msg);
	/* spawn < first byte < exit <= gone, all of them now */
	assert_true(before < c.life.spawn_ns);
	assert_true(c.life.spawn_ns < c.life.first_byte_ns);
	assert_true(c.life.first_byte_ns < c.life.exit_ns);
	assert_true(c.life.exit_ns <= c.life.gone_ns);
	assert_true(c.life.gone_ns <= tg_now_ns());
	assert_int_equal(c.life.status, 0);
	assert_string_equal(c.life.left, "");
	assert_int_equal(c.pid, 0);
	check_gone();
}

static void native_probe_greets_quits_and_leaves_nothing(void **state)
{
	(void)state;
	live_natively(tg_isolation_find());
}

static void native_probe_without_namespaces_leaves_no_directory(void **state)
{
	int before = scenario_plain_dirs();

	(void)state;
	live_natively(TG_ISOLATION_NONE);
	assert_int_equal(scenario_plain_dirs(), before);
}

static void probe_ends_at_the_end_of_its_input_too(void **state)
{
	struct tg_child c;
	char line[TG_LINE_MAX];
	struct tg_err err = {0};

	(void)state;
	start_native(&c, tg_isolation_find());
	assert_int_equal(tg_child_read(&c, soon(), line, &err), 0);
	assert_int_equal(tg_child_end(&c, soon(), &err), 0);
	check_gone();
}

static void child_that_is_killed_leaves_nothing(void **state)
{
	struct tg_child c;
	char line[TG_LINE_MAX];
	struct tg_err err = {0};

	(void)state;
	start_native(&c, tg_isolation_find());
	assert_int_equal(tg_child_read(&c, soon(), line, &err), 0);
	tg_child_kill(&c);
	assert_int_equal(c.pid, 0);
	check_gone();
	tg_child_kill(&c); /* nothing for one that is gone */
	assert_int_equal(tg_child_end(&c, soon(), &err), 0);
}

static void child_that_was_never_told_to_go_leaves_nothing(void **state)
{
	struct tg_lane lane = {.name = "native", .kind = TG_LANE_NATIVE, .cpus = 1};
	cpu_set_t cpus = one_cpu();
	struct tg_launch l;
	struct tg_child c;
	struct tg_err err = {0};

	(void)state;
	assert_int_equal(tg_launch_make(&lane, "id", PROBE, &l, &err), 0);
	assert_int_equal(tg_child_start(&l, &cpus, tg_isolation_find(), &c, &err), 0);
	tg_launch_free(&l);
	tg_child_kill(&c);
	assert_true(c.life.spawn_ns == 0);
	check_gone();
}

/* ---- what comes out ---- */

static void lines_come_one_by_one_however_they_are_written(void **state)
{
	struct tg_child c;
	struct tg_err err = {0};

	(void)state;
	start_shell(&c,
		"printf 'TG a'; sleep 0.05; printf 'b\\nsecond\\r\\n\\nlast one\\nand a rest'; "
		"read x");
	read_line(&c, "TG ab");
	read_line(&c, "second");
	read_line(&c, "");
	read_line(&c, "last one");
	check_read_fails(&c, -ETIMEDOUT, "no answer in time");
	assert_int_equal(
		tg_child_end(&c, soon(), &err), -EIO); /* `read` fails at the end of the input */
	check_gone();
}

static void request_arrives(void **state)
{
	struct tg_child c;
	struct tg_err err = {0};

	(void)state;
	start_shell(&c, "while read line; do echo \"got $line\"; done; exit 0");
	assert_int_equal(tg_child_send(&c, "TG one\n", 7, &err), 0);
	read_line(&c, "got TG one");
	assert_int_equal(tg_child_send(&c, "TG two\n", 7, &err), 0);
	read_line(&c, "got TG two");
	assert_int_equal(tg_child_end(&c, soon(), &err), 0);
	check_gone();
}

static void longest_line_is_read(void **state)
{
	struct tg_child c;
	char line[TG_LINE_MAX];
	struct tg_err err = {0};

	(void)state;
	start_shell(&c, "head -c 4095 /dev/zero | tr '\\0' x; echo; echo after");
	if (tg_child_read(&c, soon(), line, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(strlen(line), TG_LINE_MAX - 1);
	read_line(&c, "after");
	tg_child_kill(&c);
	check_gone();
}

static void garbage_is_eproto(void **state)
{
	static const char *const scripts[] = {
		"printf '%04096d\\n' 0; read x", /* a line too long by one, in one piece */
		"head -c 4096 /dev/zero | tr '\\0' x; echo; read x", /* and in several */
		"head -c 100000 /dev/zero | tr '\\0' x; read x",     /* one that does not end */
		"printf 'TG \\033[31m\\n'; read x", /* what a terminal would obey */
		"printf 'a\\000b\\n'; read x",
		"printf 'caf\\303\\251\\n'; read x",
		"printf 'tab\\there\\n'; read x",
		"printf 'a\\rb\\n'; read x",
		"printf '\\177\\n'; read x",
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(scripts); i++) {
		struct tg_child c;
		char line[TG_LINE_MAX];
		struct tg_err err = {0};

		start_shell(&c, scripts[i]);
		if (tg_child_read(&c, soon(), line, &err) != -EPROTO ||
			!strstr(err.msg, "it printed garbage"))
			fail_msg("row %zu, `%s`: `%s`", i, scripts[i], err.msg);
		tg_child_kill(&c);
		check_gone();
	}
}

/* ---- ends ---- */

static void end_says_how_and_has_the_last_of_stderr(void **state)
{
	static const struct {
		const char *script, *want;
	} rows[] = {
		{"echo one >&2; echo two >&2; exit 3", "it ended (exit status 3); stderr: one two"},
		{"exit 0", "it ended (exit status 0)"},
		{"kill -9 $$", "it ended (killed by signal 9)"},
		{"printf 'a\\033[31mb\\007' >&2; exit 1", "stderr: a[31mb"},
		{"i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done; exit 4",
			"line 1998 line 1999"},
		{"exec >&-; echo why >&2; exit 5", "stderr: why"},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_child c;
		char line[TG_LINE_MAX];
		struct tg_err err = {0};

		start_shell(&c, rows[i].script);
		if (tg_child_read(&c, soon(), line, &err) != -EPIPE ||
			!strstr(err.msg, rows[i].want))
			fail_msg("row %zu, `%s`: `%s`", i, rows[i].script, err.msg);
		tg_child_kill(&c);
		check_gone();
	}
}

static void program_that_cannot_run_is_named(void **state)
{
	struct tg_child c;
	struct tg_err err = {0};

	(void)state;
	start_argv(&c, (const char *const[]){"/no/such/runtime", "run", NULL});
	check_read_fails(&c, -EPIPE, "run /no/such/runtime: No such file or directory");
	assert_int_not_equal(tg_child_end(&c, soon(), &err), 0);
	check_gone();
}

static void probe_that_is_missing_is_named(void **state)
{
	struct tg_launch l = {.probe = "/no/such/probe", .enter_root = true, .cpus = 1};
	cpu_set_t cpus = one_cpu();
	struct tg_child c;
	struct tg_err err = {0};

	(void)state;
	l.argv[0] = strdup("/probe");
	assert_int_equal(tg_child_start(&l, &cpus, tg_isolation_find(), &c, &err), 0);
	assert_int_equal(tg_child_go(&c, soon(), &err), -EIO);
	assert_non_null(strstr(err.msg, "its init failed"));
	assert_non_null(strstr(err.msg, "open /no/such/probe: No such file or directory"));
	tg_child_kill(&c);
	tg_launch_free(&l);
	check_gone();
}

static void child_that_ignores_the_end_of_its_input_is_etimedout(void **state)
{
	struct tg_child c;
	struct tg_err err = {0};
	uint64_t start;

	(void)state;
	start_argv(&c, (const char *const[]){"/bin/sleep", "1000", NULL});
	start = tg_now_ns();
	assert_int_equal(tg_child_end(&c, start + 300000000, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.msg, "it did not end when told"));
	assert_true(tg_now_ns() - start >= 300000000);
	assert_int_equal(c.pid, 0);
	check_gone();
}

static void child_that_ends_badly_is_eio(void **state)
{
	struct tg_child c;
	struct tg_err err = {0};

	(void)state;
	start_shell(&c, "read x; echo because >&2; exit 7");
	assert_int_equal(tg_child_end(&c, soon(), &err), -EIO);
	assert_non_null(strstr(err.msg, "it ended badly (exit status 7); stderr: because"));
	check_gone();
}

static void child_that_leaves_processes_behind_is_ebusy(void **state)
{
	static const struct {
		const char *script, *want;
	} rows[] = {
		{"sleep 1000 & exit 0", "it left 1 process(es), 0 mount(s), 0 cgroup(s) behind"},
		{"setsid sleep 1000 >/dev/null 2>&1 </dev/null & exit 0", "it left 1 process(es)"},
		{"sleep 1000 & sleep 1000 & trap '' TERM; exit 0", "it left 2 process(es)"},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_child c;
		struct tg_err err = {0};
		int rc;

		start_shell(&c, rows[i].script);
		rc = tg_child_end(&c, soon(), &err);
		if (rc != -EBUSY || !strstr(err.msg, rows[i].want))
			fail_msg("row %zu, `%s`: %d `%s`", i, rows[i].script, rc, err.msg);
		check_gone();
	}
}

static void child_whose_helpers_end_soon_after_it_is_fine(void **state)
{
	struct tg_child c;
	struct tg_err err = {0};

	(void)state;
	start_shell(&c, "sleep 0.3 & exit 0");
	if (tg_child_end(&c, soon(), &err) != 0)
		fail_msg("%s", err.msg);
	assert_true(c.life.gone_ns - c.life.exit_ns > 100000000);
	check_gone();
}

static void child_that_leaves_a_mount_behind_is_ebusy(void **state)
{
	struct tg_child c;
	struct tg_err err = {0};
	int rc;

	(void)state;
	if (geteuid() != 0) {
		print_message("# needs root\n");
		skip();
	}
	start_shell(&c, "mount -t tmpfs left /mnt; exit 0");
	rc = tg_child_end(&c, soon(), &err);
	if (rc != -EBUSY || !strstr(err.msg, "0 process(es), 1 mount(s)"))
		fail_msg("%d `%s`", rc, err.msg);
	check_gone();
}

/* ---- what it is given ---- */

static void child_gets_our_environment_and_nothing_else(void **state)
{
	struct tg_child c;

	(void)state;
	start_argv(&c, (const char *const[]){"/usr/bin/env", NULL});
	for (size_t i = 0; tg_lane_environment[i]; i++)
		read_line(&c, tg_lane_environment[i]);
	check_read_fails(&c, -EPIPE, "exit status 0");
	tg_child_kill(&c);
	check_gone();
}

static void child_gets_no_descriptor_of_ours(void **state)
{
	char path[] = "/tmp/tg-open-XXXXXX", line[TG_LINE_MAX];
	int fd = mkstemp(path);
	int high = fcntl(fd, F_DUPFD, 20); /* not close-on-exec, as a library's may be */
	struct tg_child c;
	struct tg_err err = {0};
	int listed = 0;

	(void)state;
	assert_true(fd >= 0 && high >= 20);
	start_shell(&c, "for fd in /proc/self/fd/*; do readlink $fd; done");
	while (tg_child_read(&c, soon(), line, &err) == 0) {
		listed++;
		if (strstr(line, "tg-open-"))
			fail_msg("%s is open in the sandbox", line);
	}
	tg_child_kill(&c);
	close(fd);
	close(high);
	unlink(path);
	assert_int_equal(listed, 3);
	check_gone();
}

static void child_runs_on_its_cpu(void **state)
{
	cpu_set_t cpus = one_cpu();
	char want[64];
	struct tg_child c;
	size_t cpu = 0;

	(void)state;
	while (!CPU_ISSET(cpu, &cpus))
		cpu++;
	snprintf(want, sizeof(want), "Cpus_allowed_list: %zu", cpu);
	start_shell(&c, "grep ^Cpus_allowed_list /proc/self/status | tr '\\t' ' '");
	read_line(&c, want);
	tg_child_kill(&c);
	check_gone();
}

/* Its own process numbers, its own /proc, and the host's file system otherwise. */
static void child_sees_only_its_own_processes(void **state)
{
	struct tg_child c;

	(void)state;
	start_shell(&c,
		"for p in /proc/[0-9]*; do echo ${p##*/}; done | sort -n | head -n 1; cat "
		"/proc/1/comm");
	read_line(&c, "1");
	read_line(&c, "tollgate-init");
	tg_child_kill(&c);
	check_gone();
}

/* ---- the conductor dies ---- */

static void check_death_of_the_conductor(int signal_nr, const char *script)
{
	int told[2];
	pid_t pid;
	char byte, found[64] = "";
	uint64_t end;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	if (pid == 0) {
		struct tg_child c;
		char line[TG_LINE_MAX];
		struct tg_err err = {0};

		if (script)
			start_shell(&c, script);
		else
			start_native(&c, tg_isolation_find());
		if (tg_child_read(&c, soon(), line, &err) == 0 && write(told[1], "!", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(told[1]);
	assert_int_equal(read(told[0], &byte, 1), 1);
	close(told[0]);
	assert_true(scenario_processes(found, sizeof(found)) >= 3); /* it, the init, the sandbox */
	kill(pid, signal_nr);
	end = tg_now_ns() + 2 * TG_NS_PER_S;
	while (scenario_processes(found, sizeof(found)) > 0 && tg_now_ns() < end)
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	check_gone();
}

static void sigkill_of_the_conductor_leaves_no_process(void **state)
{
	(void)state;
	check_death_of_the_conductor(SIGKILL, NULL);
	if (tg_isolation_find() != TG_ISOLATION_NONE)
		check_death_of_the_conductor(SIGKILL,
			"trap '' HUP INT TERM; setsid sleep 1000 & sleep 1000 & echo up; read x; "
			"sleep 1000");
}

static int become_subreaper(void **state)
{
	(void)state;
	return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(native_probe_greets_quits_and_leaves_nothing),
		cmocka_unit_test(native_probe_without_namespaces_leaves_no_directory),
		cmocka_unit_test(probe_ends_at_the_end_of_its_input_too),
		cmocka_unit_test(child_that_is_killed_leaves_nothing),
		cmocka_unit_test(child_that_was_never_told_to_go_leaves_nothing),
		cmocka_unit_test(lines_come_one_by_one_however_they_are_written),
		cmocka_unit_test(request_arrives),
		cmocka_unit_test(longest_line_is_read),
		cmocka_unit_test(garbage_is_eproto),
		cmocka_unit_test(end_says_how_and_has_the_last_of_stderr),
		cmocka_unit_test(program_that_cannot_run_is_named),
		cmocka_unit_test(probe_that_is_missing_is_named),
		cmocka_unit_test(child_that_ignores_the_end_of_its_input_is_etimedout),
		cmocka_unit_test(child_that_ends_badly_is_eio),
		cmocka_unit_test(child_that_leaves_processes_behind_is_ebusy),
		cmocka_unit_test(child_whose_helpers_end_soon_after_it_is_fine),
		cmocka_unit_test(child_that_leaves_a_mount_behind_is_ebusy),
		cmocka_unit_test(child_gets_our_environment_and_nothing_else),
		cmocka_unit_test(child_gets_no_descriptor_of_ours),
		cmocka_unit_test(child_runs_on_its_cpu),
		cmocka_unit_test(child_sees_only_its_own_processes),
		cmocka_unit_test(sigkill_of_the_conductor_leaves_no_process),
	};

	return cmocka_run_group_tests_name("child", tests, become_subreaper, NULL);
}
