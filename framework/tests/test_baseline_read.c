/* test_baseline_read.c: hostile baseline files: each is refused, by file and key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/baseline_sample.h"

#include "common/cleanup.h"

#include <errno.h>

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
	{"syscall", "lane:native\"", "lane:01234567890123456789012345678901234567890123456789\"",
		"key \"name\""},
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

#define WITH_FILES(f) cmocka_unit_test_setup_teardown(f, files_setup, files_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILES(load_of_hostile_files_names_file_and_key),
		WITH_FILES(load_of_every_prefix_fails),
		WITH_FILES(load_of_odd_directory_entries_says_which),
	};

	return cmocka_run_group_tests_name("baseline_read", tests, NULL, NULL);
}
