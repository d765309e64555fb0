/* test_baseline.c: load, save, add, settle; hostile files; a full disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/baseline.h"

#include "common/cleanup.h"
#include "tests/store_files.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

#define SESSIONS 5
#define BLOCKS	 6

static struct tg_machine machine(void)
{
	struct tg_machine m = {.name = "vm-epyc-2", .count = 3};

	m.facts[0] = (struct tg_fact){"cpu_model", "AMD \"EPYC\" \\", true};
	m.facts[1] = (struct tg_fact){"kernel", "6.18.5", true};
	m.facts[2] = (struct tg_fact){"libc", "2.36", false};
	return m;
}

static struct tg_baseline_row row_of(const char *bench, const char *lane)
{
	struct tg_baseline_row row = {
		.ref = "native",
		.unit = "ns",
		.cpus = 1,
		.ops = 5000,
		.rev = 1,
		.role = TG_ROLE_WATCH,
		.mde = NAN,
		.tolerance = 0.05,
		.real_time = 137.25,
	};

	snprintf(row.bench, sizeof(row.bench), "%s", bench);
	snprintf(row.lane, sizeof(row.lane), "%s", lane);
	return row;
}

static void add(struct tg_baseline *b, const struct tg_baseline_row *like, int session, double level,
	double spread)
{
	double y[BLOCKS];
	struct tg_baseline_session s = {.blocks = BLOCKS, .y = y, .mad = 0.0123456789, .rounds = 8};

	for (int i = 0; i < BLOCKS; i++)
		y[i] = level + spread * ((session * 7 + i * 5) % 11 - 5) / 5;
	snprintf(s.id, sizeof(s.id), "2026112%dT093000Z-1", session);
	snprintf(s.date, sizeof(s.date), "2026-11-2%dT09:30:00+00:00", session);
	snprintf(s.boot, sizeof(s.boot), "boot-%d", session / 2);
	assert_int_equal(tg_baseline_add(b, like, &s), 0);
}

/* Two suites, three relative benches in runc, an absolute one in KiB, a native row without values. */
static struct tg_baseline *sample(void)
{
	struct tg_machine m = machine();
	struct tg_baseline *b = tg_baseline_new(&m);
	struct tg_baseline_row row;

	assert_non_null(b);
	for (int s = 0; s < SESSIONS; s++) {
		row = row_of("syscall/getpid", "runc");
		add(b, &row, s, 0.25, 0.01);
		row = row_of("syscall/open/tmpfs", "runc");
		add(b, &row, s, 0.50, 0.02);
		row = row_of("syscall/noisy \"q\"", "runc");
		add(b, &row, s, 1.50, 0.90);
		row = row_of("footprint/pss", "runc");
		strcpy(row.ref, "none");
		strcpy(row.unit, "KiB");
		row.tolerance = 512;
		add(b, &row, s, 4096.125, 10);
		row = row_of("syscall/getpid", "native");
		{
			struct tg_baseline_session none = {.id = "", .date = "2026-11-20T09:30:00Z",
				.boot = "b", .mad = NAN, .rounds = 8};

			snprintf(none.id, sizeof(none.id), "n-%d", s);
			assert_int_equal(tg_baseline_add(b, &row, &none), 0);
		}
	}
	tg_baseline_settle(b);
	return b;
}

static void save_ok(const struct tg_baseline *b, const char *dir)
{
	struct tg_err err = {0};

	if (tg_baseline_save(b, dir, &err) < 0)
		fail_msg("%s", err.msg);
}

static struct tg_baseline *load_ok(const char *dir)
{
	struct tg_baseline *b = NULL;
	struct tg_err err = {0};

	if (tg_baseline_load(dir, &b, &err) < 0)
		fail_msg("%s", err.msg);
	return b;
}

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

/* `file` with `from` replaced by `to` must fail, naming the file and `want`. */
static const struct {
	const char *file, *from, *to, *want;
} hostile[] = {
	{"machine", "\"tollgate\": 1", "\"tollgate\": 2", "key \"tollgate\""},
	{"machine", "\"tollgate\": 1,", "", "key \"tollgate\""},
	{"machine", "\"tollgate\": 1,", "\"x\": 1, \"tollgate\": 1,", "key \"x\" is unknown"},
	{"machine", "\"vm-epyc-2\"", "\"../x\"", "key \"name\""},
	{"machine", "\"vm-epyc-2\"", "7", "key \"name\""},
	{"machine", "\"6.18.5\"", "\"a\\u0007\"", "key \"kernel\": not printable"},
	{"machine", "\"6.18.5\"", "6.18", "key \"kernel\""},
	{"machine", "\"kernel\"", "\"cpu_model\"", "key \"cpu_model\" is given twice"},
	{"machine", "\"libc\"", "\"kernel\"", "key \"kernel\" is given twice"},
	{"machine", "\"kernel\"", "\"ker nel\"", "no proper name"},
	{"machine", "\"lane\":\"runc\"", "\"lane\":\"a/b\"", "key \"lane\""},
	{"machine", "\"d0\":", "\"d0\":-", "key \"d0\""},
	{"machine", "\"s02\":", "\"s02\":-", "key \"s02\""},
	{"machine", "\"s02\":", "\"s02\":1e999,\"x\":", "not a finite number"},
	{"syscall", "\"context\"", "\"other\"", "key \"other\" is unknown"},
	{"syscall", "\"tollgate_baseline\":\"1\"", "\"tollgate_baseline\":\"2\"",
		"key \"tollgate_baseline\""},
	{"syscall", "\"tollgate_baseline\":\"1\",", "", "key \"tollgate_baseline\""},
	{"syscall", "\"machine\":\"vm-epyc-2\"", "\"machine\":\"other\"", "key \"machine\""},
	{"syscall", "\"suite\":\"syscall\"", "\"suite\":\"memory\"", "key \"suite\""},
	{"syscall", "syscall/getpid/lane:native", "memory/getpid/lane:native", "another suite"},
	{"syscall", "syscall/getpid/lane:native", "syscall/getpid", "key \"name\""},
	{"syscall", "syscall/getpid/lane:native", "syscall/getpid/lane:", "key \"name\""},
	{"syscall", "syscall/getpid/lane:native", "syscall/getpid/lane:runc", "given twice"},
	{"syscall", "syscall/getpid/lane:native", "syscall/getpid/lane:a/lane:b", "key \"name\""},
	{"syscall", "syscall/getpid/lane:native", "syscall/../x/lane:native", "key \"name\""},
	{"syscall", "syscall/getpid/lane:native", "/syscall/x/lane:native", "key \"name\""},
	{"syscall", "syscall/getpid/lane:native", "syscall/a\\u001b[m/lane:native", "printable"},
	{"syscall", "syscall/getpid/lane:native",
		"syscall/0123456789012345678901234567890123456789012345678901234567890123456789"
		"012345678901234567/lane:native",
		"key \"name\""},
	{"syscall", "lane:native\"",
		"lane:01234567890123456789012345678901234567890123456789\"", "key \"name\""},
	{"syscall", "\"time_unit\":\"ns\"", "\"time_unit\":\"us\"", "key \"time_unit\""},
	{"syscall", "\"run_type\":\"iteration\"", "\"run_type\":\"aggregate\"", "key \"run_type\""},
	{"syscall", "\"real_time\":137.25", "\"real_time\":-137.25", "key \"real_time\""},
	{"syscall", "\"real_time\":137.25", "\"real_time\":1e999", "key \"real_time\""},
	{"syscall", "\"real_time\":137.25", "\"real_time\":null", "key \"real_time\""},
	{"syscall", "\"real_time\":137.25", "\"real_time\":\"137\"", "key \"real_time\""},
	{"syscall", "\"real_time\":137.25,", "", "key \"real_time\": missing"},
	{"syscall", "\"cpu_time\":137.25", "\"cpu_time\":-1", "key \"cpu_time\""},
	{"syscall", "\"cpus\":1", "\"cpus\":0", "key \"cpus\""},
	{"syscall", "\"ops\":5000", "\"ops\":0", "key \"ops\""},
	{"syscall", "\"ops\":5000", "\"ops\":1.5", "key \"ops\""},
	{"syscall", "\"ops\":5000", "\"ops\":5000,\"ops\":1", "key \"ops\" is given twice"},
	{"syscall", "\"rev\":1", "\"rev\":-1", "key \"rev\""},
	{"syscall", "\"role\":\"", "\"role\":\"x", "key \"role\""},
	{"syscall", "\"tolerance\":0.05", "\"tolerance\":0", "key \"tolerance\""},
	{"syscall", "\"tolerance\":0.05", "\"tolerance\":-1", "key \"tolerance\""},
	{"syscall", "\"mde\":", "\"mde\":-", "key \"mde\""},
	{"syscall", "\"unit\":\"ns\"", "\"unit\":\"\"", "key \"unit\""},
	{"syscall", "\"unit\":\"ns\"", "\"unit\":\"n\\u0001\"", "key \"unit\""},
	{"syscall", "\"ref\":\"native\"", "\"ref\":\"\"", "key \"ref\""},
	{"syscall", "\"ref\":\"native\"", "\"ref\":[]", "key \"ref\""},
	{"syscall", "\"rev\":1", "\"rev\":1,\"zz\":1", "key \"zz\" is unknown"},
	{"syscall", "\"sessions\":[", "\"sessions\":[7,", "session 0: not an object"},
	{"syscall", "\"sessions\":[", "\"sessions\":{}, \"x\":[", "key"},
	{"syscall", "\"id\":\"20261120T093000Z-1\"", "\"id\":\"20261121T093000Z-1\"",
		"key \"id\": given twice"},
	{"syscall", "\"id\":\"20261120T093000Z-1\"", "\"id\":\"a b\"", "key \"id\""},
	{"syscall", "\"id\":\"20261120T093000Z-1\"", "\"id\":\"01234567890123456789012345678901\"",
		"key \"id\""},
	{"syscall", "2026-11-20T09:30:00Z", "2026-13-20T09:30:00Z", "key \"date\""},
	{"syscall", "2026-11-20T09:30:00Z", "2026-11-20 09:30:00Z", "key \"date\""},
	{"syscall", "2026-11-20T09:30:00Z", "2026-11-20T09:30:00", "key \"date\""},
	{"syscall", "2026-11-20T09:30:00Z", "2026-11-20T09:30:00+1:00", "key \"date\""},
	{"syscall", "\"boot\":\"b\"", "\"boot\":\"\"", "key \"boot\""},
	{"syscall", "\"rounds\":8", "\"rounds\":-8", "key \"rounds\""},
	{"syscall", "\"mad\":", "\"mad\":-", "key \"mad\""},
	{"syscall", "\"y\":[0.24", "\"y\":[1e999,0.24", "not a finite number"},
	{"syscall", "\"y\":[0.24", "\"y\":[null,0.24", "key \"y\""},
	{"syscall", "\"y\":[0.24", "\"y\":[51,0.24", "key \"y\": out of range"},
	{"syscall", "\"y\":[", "\"y\":\"", ""},
	{"footprint", "\"y\":[", "\"y\":[-1,", "key \"y\": negative cost"},
	{"footprint", "\"benchmarks\": [", "\"benchmarks\": [7,", "row 0: not an object"},
	{"footprint", "\"benchmarks\": [",
		"\"benchmarks\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "nested too deeply"},
};

static void load_of_hostile_files_names_file_and_key(void **state)
{
	struct tg_baseline *b = sample();

	save_ok(b, files_path(*state, "m"));
	tg_baseline_free(b);
	for (size_t i = 0; i < TG_ARRAY_SIZE(hostile); i++) {
		struct tg_baseline *got = NULL;
		struct tg_err err = {0};
		char name[64], *good, *bad;

		snprintf(name, sizeof(name), "m/%s.json", hostile[i].file);
		good = files_get(files_path(*state, name));
		bad = replaced(good, hostile[i].from, hostile[i].to);
		files_put(*state, name, bad);
		if (tg_baseline_load(files_path(*state, "m"), &got, &err) != -EINVAL || got ||
			!strstr(err.msg, name) || !strstr(err.msg, hostile[i].want) ||
			strchr(err.msg, '\n'))
			fail_msg("row %zu: `%s` instead of `%s`", i, err.msg, hostile[i].want);
		files_put(*state, name, good);
		free(good);
		free(bad);
	}
	b = load_ok(files_path(*state, "m"));
	tg_baseline_free(b);
}

static void load_of_every_prefix_fails(void **state)
{
	struct tg_machine m = machine();
	struct tg_baseline *b = tg_baseline_new(&m);
	struct tg_baseline_row row = row_of("a/b", "runc");
	static const char *const names[] = {"m/machine.json", "m/a.json"};

	add(b, &row, 0, 0.1, 0.01);
	save_ok(b, files_path(*state, "m"));
	tg_baseline_free(b);
	for (size_t i = 0; i < TG_ARRAY_SIZE(names); i++) {
		char *text = files_get(files_path(*state, names[i]));
		size_t len = strlen(text) - 1; /* without the newline it is still whole */

		for (size_t n = 0; n < len; n++) {
			struct tg_baseline *got = NULL;
			struct tg_err err = {0};

			files_put_bytes(*state, names[i], text, n);
			if (tg_baseline_load(files_path(*state, "m"), &got, &err) != -EINVAL || got)
				fail_msg("%s cut at %zu: `%s`", names[i], n, err.msg);
		}
		files_put(*state, names[i], text);
		free(text);
	}
}

static void load_of_odd_directory_entries_says_which(void **state)
{
	struct tg_baseline *b = sample(), *got = NULL;
	struct tg_err err = {0};
	char *big = malloc((1 << 20) + 2);

	save_ok(b, files_path(*state, "m"));
	tg_baseline_free(b);
	files_put(*state, "m/README.md", "not ours");
	files_put(*state, "m/.tmp-0123", "{");
	got = load_ok(files_path(*state, "m"));
	tg_baseline_free(got);
	got = NULL;

	memset(big, ' ', (1 << 20) + 1);
	big[(1 << 20) + 1] = '\0';
	files_put(*state, "m/big.json", big);
	free(big);
	assert_int_equal(tg_baseline_load(files_path(*state, "m"), &got, &err), -EFBIG);
	assert_non_null(strstr(err.msg, "big.json: over 1048576 bytes"));
	unlink(files_path(*state, "m/big.json"));

	assert_int_equal(mkfifo(files_path(*state, "m/pipe.json"), 0600), 0);
	assert_int_equal(tg_baseline_load(files_path(*state, "m"), &got, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "pipe.json: no regular file"));
	unlink(files_path(*state, "m/pipe.json"));

	files_put(*state, "m/a b.json", "{}");
	assert_int_equal(tg_baseline_load(files_path(*state, "m"), &got, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "named like no suite"));
	assert_null(got);
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
		WITH_FILES(load_of_hostile_files_names_file_and_key),
		WITH_FILES(load_of_every_prefix_fails),
		WITH_FILES(load_of_odd_directory_entries_says_which),
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
