/* test_baseline.c: add and settle, save and load what was saved, a full disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/baseline_sample.h"

#include "common/cleanup.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

static void same_file(struct files *f, const char *one, const char *two)
{
	char *a = files_get(files_path(f, one)), *b = files_get(files_path(f, two));

	assert_non_null(a);
	assert_non_null(b);
	assert_string_equal(a, b);
	free(a);
	free(b);
}

static void save_load_save_is_byte_identical(void **state)
{
	struct tg_baseline *b = sample(), *again;
	char dir[PATH_SIZE], second[PATH_SIZE];

	strcpy(dir, files_path(*state, "deep/one"));
	strcpy(second, files_path(*state, "two"));
	b->moderation[0].d0 = INFINITY;
	save_ok(b, dir);
	again = load_ok(dir);
	assert_true(isinf(again->moderation[0].d0));
	save_ok(again, second);
	same_file(*state, "deep/one/machine.json", "two/machine.json");
	same_file(*state, "deep/one/syscall.json", "two/syscall.json");
	same_file(*state, "deep/one/footprint.json", "two/footprint.json");
	assert_int_equal(files_count(dir), 3);
	tg_baseline_free(b);
	tg_baseline_free(again);
}

static void check_row(const struct tg_baseline_row *was, const struct tg_baseline_row *now)
{
	assert_non_null(now);
	assert_string_equal(was->ref, now->ref);
	assert_string_equal(was->unit, now->unit);
	assert_int_equal(was->cpus, now->cpus);
	assert_int_equal(was->ops, now->ops);
	assert_int_equal(was->rev, now->rev);
	assert_int_equal(was->role, now->role);
	assert_true(isnan(was->mde) ? isnan(now->mde) : fabs(was->mde / now->mde - 1) < 1e-5);
	assert_true(was->tolerance == now->tolerance);
	assert_true(fabs(was->real_time / now->real_time - 1) < 1e-8);
	assert_int_equal(was->session_count, now->session_count);
	for (size_t s = 0; s < was->session_count; s++) {
		const struct tg_baseline_session *a = &was->sessions[s], *b = &now->sessions[s];

		assert_string_equal(a->id, b->id);
		assert_string_equal(a->date, b->date);
		assert_string_equal(a->boot, b->boot);
		assert_int_equal(a->rounds, b->rounds);
		assert_int_equal(a->blocks, b->blocks);
		assert_true(isnan(a->mad) ? isnan(b->mad) : fabs(a->mad - b->mad) <= 5e-7);
		for (size_t i = 0; i < a->blocks; i++)
			assert_true(fabs(a->y[i] - b->y[i]) <= 5.1e-7);
	}
}

static void load_of_a_saved_baseline_has_every_value(void **state)
{
	struct tg_baseline *b = sample(), *again;
	const char *value;

	save_ok(b, files_path(*state, "m"));
	again = load_ok(files_path(*state, "m"));
	assert_int_equal(again->row_count, b->row_count);
	for (size_t i = 0; i < b->row_count; i++)
		check_row(&b->rows[i], tg_baseline_find(again, b->rows[i].bench, b->rows[i].lane));
	assert_string_equal(again->machine.name, "vm-epyc-2");
	assert_null(tg_machine_differs(&b->machine, &again->machine, &value));
	assert_string_equal(tg_machine_fact(&again->machine, "cpu_model"), "AMD \"EPYC\" \\");
	assert_false(again->machine.facts[2].strict);
	assert_int_equal(again->moderation_count, b->moderation_count);
	assert_null(tg_baseline_find(again, "syscall/getpid", "crun"));
	tg_baseline_free(b);
	tg_baseline_free(again);
}

static void saved_rows_are_one_a_line_with_six_decimals(void **state)
{
	struct tg_baseline *b = sample();
	char *text;
	size_t rows = 0;

	save_ok(b, files_path(*state, "m"));
	text = files_get(files_path(*state, "m/syscall.json"));
	for (const char *at = text; (at = strstr(at, "\n{\"name\":\"syscall/")); at++)
		rows++;
	assert_int_equal(rows, 4);
	assert_non_null(strstr(text, "\"y\":[0.240000,0.250000,0.260000,"));
	assert_non_null(strstr(text, "\"mad\":0.012346"));
	assert_non_null(strstr(text, "\"caches\":[]"));
	assert_null(strstr(text, "null"));
	assert_null(strstr(text, "nan"));
	free(text);
	tg_baseline_free(b);
}

static void times_in_ms_are_ns_in_the_file(void **state)
{
	struct tg_machine m = machine();
	struct tg_baseline *b = tg_baseline_new(&m), *again;
	struct tg_baseline_row row = row_of("startup/total", "runc");
	char *text;

	strcpy(row.unit, "ms");
	row.real_time = 151.5;
	add(b, &row, 0, 0, 0);
	save_ok(b, files_path(*state, "m"));
	text = files_get(files_path(*state, "m/startup.json"));
	assert_non_null(strstr(text, "\"real_time\":151500000,"));
	again = load_ok(files_path(*state, "m"));
	assert_true(fabs(again->rows[0].real_time - 151.5) < 1e-9);
	free(text);
	tg_baseline_free(b);
	tg_baseline_free(again);
}

static void load_without_a_baseline_is_enoent(void **state)
{
	struct tg_baseline *b = NULL;
	struct tg_err err = {0};

	assert_int_equal(tg_baseline_load(files_path(*state, "none"), &b, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/none/machine.json"));
	files_put(*state, "empty/syscall.json", "{}");
	assert_int_equal(tg_baseline_load(files_path(*state, "empty"), &b, &err), -ENOENT);
	assert_null(b);
}

static void save_of_what_load_would_refuse_writes_nothing(void **state)
{
	static const char *const benches[] = {"nosuite", "machine/x", "a/../b", "a/b\n", "../a/b",
		".a/b", "a/b/lane:c/d", "a//b"};
	struct tg_machine m = machine();

	for (size_t i = 0; i <= TG_ARRAY_SIZE(benches); i++) {
		struct tg_baseline *b = tg_baseline_new(&m);
		struct tg_baseline_row row =
			row_of(i < TG_ARRAY_SIZE(benches) ? benches[i] : "a/b", "runc");
		struct tg_err err = {0};

		if (i == TG_ARRAY_SIZE(benches))
			row.real_time = NAN;
		add(b, &row, 0, 0.1, 0.01);
		if (tg_baseline_save(b, files_path(*state, "m"), &err) != -EINVAL)
			fail_msg("row %zu was written", i);
		assert_non_null(strstr(err.msg, "key \""));
		assert_int_equal(files_count(((struct files *)*state)->dir), 0);
		tg_baseline_free(b);
	}
}

/* Files over `bytes` cannot be written, as on a full disk. */
static void limit_files(rlim_t bytes)
{
	struct rlimit lim;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &lim), 0);
	lim.rlim_cur = bytes < lim.rlim_max ? bytes : lim.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
}

static void save_on_a_full_disk_keeps_every_old_file(void **state)
{
	struct tg_baseline *b = sample(), *old;
	struct tg_err err = {0};
	char dir[PATH_SIZE];
	int rc;

	strcpy(dir, files_path(*state, "m"));
	save_ok(b, dir);
	old = load_ok(dir);
	for (size_t i = 0; i < b->row_count; i++)
		b->rows[i].real_time = 999;
	/* footprint.json (first) fits, syscall.json does not: neither may change. */
	limit_files(3000);
	rc = tg_baseline_save(b, dir, &err);
	limit_files(RLIM_INFINITY);
	assert_int_equal(rc, -EFBIG);
	assert_non_null(strstr(err.msg, "/m/syscall.json: "));
	assert_int_equal(files_count(dir), 3);
	save_ok(old, files_path(*state, "copy"));
	same_file(*state, "m/footprint.json", "copy/footprint.json");
	same_file(*state, "m/syscall.json", "copy/syscall.json");
	same_file(*state, "m/machine.json", "copy/machine.json");
	tg_baseline_free(b);
	tg_baseline_free(old);
}

static void save_into_no_directory_fails(void **state)
{
	struct tg_baseline *b = sample();
	struct tg_err err = {0};

	files_put(*state, "file", "x");
	assert_true(tg_baseline_save(b, files_path(*state, "file/m"), &err) < 0);
	assert_non_null(strstr(err.msg, "/file/m: "));
	assert_true(tg_baseline_save(b, files_path(*state, "file"), &err) < 0);
	tg_baseline_free(b);
}

static void save_under_sudo_belongs_to_the_caller(void **state)
{
	struct tg_baseline *b = sample();
	struct stat st;

	if (geteuid() != 0) {
		tg_baseline_free(b);
		skip();
	}
	setenv("SUDO_UID", "12345", 1);
	setenv("SUDO_GID", "23456", 1);
	save_ok(b, files_path(*state, "m"));
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	tg_baseline_free(b);
	assert_int_equal(stat(files_path(*state, "m"), &st), 0);
	assert_int_equal(st.st_uid, 12345);
	assert_int_equal(stat(files_path(*state, "m/machine.json"), &st), 0);
	assert_int_equal(st.st_uid, 12345);
	assert_int_equal(st.st_gid, 23456);
}

static void add_keeps_benches_in_order_of_recording_and_lanes_sorted(void **state)
{
	static const char *const order[] = {"z/b runc", "z/b zlane", "a/b alane", "a/b crun"};
	struct tg_machine m = machine();
	struct tg_baseline *b = tg_baseline_new(&m);
	struct tg_baseline_row rows[] = {row_of("z/b", "zlane"), row_of("a/b", "crun"),
		row_of("z/b", "runc"), row_of("a/b", "alane")};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++)
		add(b, &rows[i], 0, 0.1, 0.01);
	assert_int_equal(b->row_count, TG_ARRAY_SIZE(order));
	for (size_t i = 0; i < b->row_count; i++) {
		char text[256];

		snprintf(text, sizeof(text), "%s %s", b->rows[i].bench, b->rows[i].lane);
		assert_string_equal(text, order[i]);
	}
	tg_baseline_free(b);
}

static void add_leaves_out_what_is_not_finite(void **state)
{
	struct tg_machine m = machine();
	struct tg_baseline *b = tg_baseline_new(&m);
	struct tg_baseline_row row = row_of("a/b", "runc");
	double y[] = {0.1, NAN, 0.2, INFINITY};
	struct tg_baseline_session s = {.id = "s", .blocks = 4, .y = y};

	(void)state;
	assert_int_equal(tg_baseline_add(b, &row, &s), 0);
	y[0] = 7; /* copied, not borrowed */
	assert_int_equal(b->rows[0].sessions[0].blocks, 2);
	assert_true(b->rows[0].sessions[0].y[0] == 0.1);
	assert_true(b->rows[0].sessions[0].y[1] == 0.2);
	assert_int_equal(tg_baseline_add(b, &row, &s), -EEXIST);
	assert_int_equal(b->rows[0].session_count, 1);
	tg_baseline_free(b);
}

static void add_with_another_rev_starts_the_row_anew(void **state)
{
	struct tg_machine m = machine();
	struct tg_baseline *b = tg_baseline_new(&m);
	struct tg_baseline_row row = row_of("a/b", "runc");

	(void)state;
	add(b, &row, 0, 0.1, 0.01);
	row.real_time = 237.25;
	row.ops = 1;
	add(b, &row, 1, 0.1, 0.01);
	assert_int_equal(b->rows[0].session_count, 2);
	assert_int_equal(b->rows[0].ops, 5000);
	assert_true(fabs(b->rows[0].real_time - 187.25) < 1e-9);
	row.rev = 2;
	add(b, &row, 2, 0.1, 0.01);
	assert_int_equal(b->row_count, 1);
	assert_int_equal(b->rows[0].session_count, 1);
	assert_int_equal(b->rows[0].ops, 1);
	assert_int_equal(b->rows[0].rev, 2);
	tg_baseline_free(b);
}

static void settle_tells_gates_from_watched_rows(void **state)
{
	struct tg_baseline *b = sample();
	struct tg_machine m = machine();
	struct tg_baseline *few = tg_baseline_new(&m);
	struct tg_baseline_row row = row_of("a/b", "runc");

	(void)state;
	assert_int_equal(tg_baseline_find(b, "syscall/getpid", "runc")->role, TG_ROLE_GATE);
	assert_int_equal(tg_baseline_find(b, "syscall/noisy \"q\"", "runc")->role, TG_ROLE_WATCH);
	assert_int_equal(tg_baseline_find(b, "footprint/pss", "runc")->role, TG_ROLE_GATE);
	assert_int_equal(tg_baseline_find(b, "syscall/getpid", "native")->role, TG_ROLE_WATCH);
	assert_true(tg_baseline_find(b, "syscall/getpid", "runc")->mde <= TG_MDE_GATE_MAX);
	assert_true(tg_baseline_find(b, "syscall/noisy \"q\"", "runc")->mde > TG_MDE_GATE_MAX);
	assert_true(b->moderation_count <= 1); /* native has no values to fit */
	for (int s = 0; s < TG_BASELINE_SESSIONS_MIN - 1; s++)
		add(few, &row, s, 0.1, 0.001);
	tg_baseline_settle(few);
	assert_int_equal(few->rows[0].role, TG_ROLE_WATCH);
	assert_true(isnan(few->rows[0].mde));
	tg_baseline_free(b);
	tg_baseline_free(few);
}

static void span_counts_sessions_and_boots_and_orders_dates_by_time(void **state)
{
	struct tg_machine m = machine();
	struct tg_baseline *b = tg_baseline_new(&m);
	struct tg_baseline_row row = row_of("a/b", "runc"), other = row_of("a/c", "runc");
	struct tg_baseline_session s = {.id = "x", .boot = "boot-0"};
	const char *oldest, *newest;
	size_t sessions, boots;

	(void)state;
	tg_baseline_span(b, &sessions, &boots, &oldest, &newest);
	assert_int_equal(sessions + boots, 0);
	assert_string_equal(oldest, "");
	for (int i = 1; i < 4; i++) {
		add(b, &row, i, 0.1, 0.01);
		add(b, &other, i, 0.1, 0.01);
	}
	/* Sorts before "2026-11-21T09…" as text, is later as time. */
	strcpy(s.date, "2026-11-21T08:00:00-23:00");
	assert_int_equal(tg_baseline_add(b, &row, &s), 0);
	tg_baseline_span(b, &sessions, &boots, &oldest, &newest);
	assert_int_equal(sessions, 4);
	assert_int_equal(boots, 2);
	assert_string_equal(oldest, "2026-11-21T09:30:00+00:00");
	assert_string_equal(newest, "2026-11-23T09:30:00+00:00");
	tg_baseline_span(b, NULL, NULL, NULL, NULL);
	tg_baseline_free(b);
	tg_baseline_free(NULL);
}

#define WITH_FILES(f) cmocka_unit_test_setup_teardown(f, files_setup, files_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILES(save_load_save_is_byte_identical),
		WITH_FILES(load_of_a_saved_baseline_has_every_value),
		WITH_FILES(saved_rows_are_one_a_line_with_six_decimals),
		WITH_FILES(times_in_ms_are_ns_in_the_file),
		WITH_FILES(load_without_a_baseline_is_enoent),
		WITH_FILES(save_of_what_load_would_refuse_writes_nothing),
		WITH_FILES(save_on_a_full_disk_keeps_every_old_file),
		WITH_FILES(save_into_no_directory_fails),
		WITH_FILES(save_under_sudo_belongs_to_the_caller),
		cmocka_unit_test(add_keeps_benches_in_order_of_recording_and_lanes_sorted),
		cmocka_unit_test(add_leaves_out_what_is_not_finite),
		cmocka_unit_test(add_with_another_rev_starts_the_row_anew),
		cmocka_unit_test(settle_tells_gates_from_watched_rows),
		cmocka_unit_test(span_counts_sessions_and_boots_and_orders_dates_by_time),
	};

	return cmocka_run_group_tests_name("baseline", tests, NULL, NULL);
}
