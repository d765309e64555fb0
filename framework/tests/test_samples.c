/* test_samples.c: the set, and samples.jsonl. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "host/samples.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "store/samples_file.h"
#include "tests/store_files.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#define HEAD "{\"tollgate\":1,\"machine\":\"vm-epyc-2\",\"seed\":7}\n"
#define TURN                                                                                       \
	"{\"session\":3,\"block\":1,\"bench\":\"a/"                                                \
	"b\",\"lane\":\"runc\",\"ops\":500,\"ns\":[10,20]}\n"

static void row_of_a_known_name_is_the_same_index(void **state)
{
	struct tg_samples set = {0};
	char name[TG_BENCH_NAME_MAX + 1];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(tg_samples_row(&set, "a/b", "ns"), 0);
	assert_int_equal(tg_samples_row(&set, "a/c", "KiB"), 1);
	assert_int_equal(tg_samples_row(&set, "a/b", "ns"), 0);
	assert_int_equal(tg_samples_row(&set, "a/b", "KiB"), -EINVAL);
	assert_int_equal(tg_samples_row(&set, name, "ns"), -ENAMETOOLONG);
	assert_int_equal(tg_samples_row(&set, name + 1, "ns"), 2);
	assert_int_equal(tg_samples_row(&set, "a/d", "0123456789012345"), -ENAMETOOLONG);
	assert_string_equal(set.rows[1].unit, "KiB");
	assert_int_equal(tg_samples_lane(&set, "runc"), 0);
	assert_int_equal(tg_samples_lane(&set, name), -ENAMETOOLONG);
	assert_int_equal(tg_samples_lane(&set, "runc"), 0);
	tg_samples_free(&set);
}

static void names_over_the_limits_are_enospc(void **state)
{
	struct tg_samples set = {0};
	char name[32];

	(void)state;
	for (int i = 0; i < 4096; i++) {
		snprintf(name, sizeof(name), "a/%d", i);
		assert_int_equal(tg_samples_row(&set, name, "ns"), i);
	}
	assert_int_equal(tg_samples_row(&set, "one more", "ns"), -ENOSPC);
	for (int i = 0; i < TG_LANES_MAX; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		assert_int_equal(tg_samples_lane(&set, name), i);
	}
	assert_int_equal(tg_samples_lane(&set, "more"), -ENOSPC);
	tg_samples_free(&set);
	assert_int_equal(set.row_count, 0);
	tg_samples_free(&set);
}

static struct tg_samples make_set(size_t turns)
{
	struct tg_samples set = {.machine = "vm-epyc-2", .seed = 7};

	tg_samples_row(&set, "a/\"b\\", "ns");
	tg_samples_row(&set, "a/pss", "KiB");
	tg_samples_lane(&set, "native");
	tg_samples_lane(&set, "runc");
	for (size_t i = 0; i < turns; i++) {
		struct tg_sample s = {
			.session = (uint32_t)(3 + i / 1000000),
			.block = (uint32_t)(i / 100),
			.row = (uint16_t)(i % 2),
			.lane = (uint16_t)(i / 2 % 2),
			.cpus = (uint8_t)(1 + i % 2),
			.stage = i % 3 == 0,
			.batches = (uint8_t)(i % 16 + 1),
			.error = i % 5 == 0 ? ENOSYS : 0,
			.ops = i + 1,
		};

		for (unsigned k = 0; k < s.batches; k++)
			s.ns[k] = i * 1000 + k;
		s.ns[0] += i == 2 ? UINT64_C(1) << 53 : 0;
		assert_int_equal(tg_samples_add(&set, &s), 0);
	}
	return set;
}

static void read_of_a_written_file_has_every_turn(void **state)
{
	struct tg_samples set = make_set(200), again = {0};
	struct tg_err err = {0};
	char *one, *two;

	set.seed = (unsigned long)-1; /* more than a double holds */
	if (tg_samples_write(&set, files_path(*state, "one"), &err) < 0 ||
		tg_samples_read(files_path(*state, "one"), &again, &err) < 0 ||
		tg_samples_write(&again, files_path(*state, "two"), &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(again.count, set.count);
	assert_string_equal(again.machine, set.machine);
	assert_true(again.seed == set.seed);
	for (size_t i = 0; i < set.count; i++)
		assert_memory_equal(&again.v[i], &set.v[i], sizeof(set.v[i]));
	assert_string_equal(again.rows[0].name, "a/\"b\\");
	assert_string_equal(again.rows[1].unit, "KiB");
	one = files_get(files_path(*state, "one"));
	two = files_get(files_path(*state, "two"));
	assert_string_equal(one, two);
	free(one);
	free(two);
	tg_samples_free(&set);
	tg_samples_free(&again);
}

static void read_of_every_optional_key_is_taken(void **state)
{
	static const char text[] = HEAD
		"{\"session\":1,\"block\":2,\"bench\":\"a/b\",\"phase\":\"touch\",\"lane\":\"x\","
		"\"ops\":1,\"ns\":5,\"unit\":\"us\",\"stage\":\"confirm\",\"cpus\":2,\"round\":9}\n"
		"{\"session\":1,\"block\":2,\"bench\":\"a/"
		"b\",\"lane\":\"x\",\"ops\":1,\"error\":38}";
	struct tg_samples set = {0};
	struct tg_err err = {0};

	if (tg_samples_read(files_put(*state, "s", text), &set, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(set.count, 2);
	assert_string_equal(set.rows[set.v[0].row].name, "a/b/touch");
	assert_string_equal(set.rows[set.v[0].row].unit, "us");
	assert_int_equal(set.v[0].batches, 1);
	assert_int_equal(set.v[0].ns[0], 5);
	assert_int_equal(set.v[0].stage, TG_STAGE_CONFIRM);
	assert_int_equal(set.v[0].cpus, 2);
	assert_int_equal(set.v[1].error, 38);
	assert_int_equal(set.v[1].batches, 1);
	assert_int_equal(set.v[1].cpus, 1);
	tg_samples_free(&set);
}

static void read_of_a_second_file_shifts_sessions_that_are_taken(void **state)
{
	static const char other[] =
		"{\"tollgate\":1,\"machine\":\"other\",\"seed\":9}\n"
		"{\"session\":3,\"block\":0,\"bench\":\"c\",\"lane\":\"crun\",\"ops\":1,\"ns\":1}\n"
		"{\"session\":5,\"block\":0,\"bench\":\"a/"
		"b\",\"lane\":\"runc\",\"ops\":1,\"ns\":1}\n";
	struct tg_samples set = {0};

	files_put(*state, "one", HEAD TURN);
	files_put(*state, "two", other);
	assert_int_equal(tg_samples_read(files_path(*state, "one"), &set, NULL), 0);
	assert_int_equal(tg_samples_read(files_path(*state, "two"), &set, NULL), 0);
	assert_int_equal(set.count, 3);
	assert_int_equal(set.v[1].session, 4);
	assert_int_equal(set.v[2].session, 6);
	assert_string_equal(set.rows[set.v[1].row].name, "c");
	assert_string_equal(set.lanes[set.v[1].lane], "crun");
	assert_int_equal(set.v[2].row, set.v[0].row);
	assert_int_equal(set.v[2].lane, set.v[0].lane);
	assert_string_equal(set.machine, "vm-epyc-2");
	assert_int_equal(set.seed, 7);
	tg_samples_free(&set);
}

/* TURN with `from` replaced by `to`, as line 3, must fail with `want`. */
static const struct {
	const char *from, *to, *want;
} hostile[] = {
	{"\"session\":3", "\"session\":-1", "key \"session\""},
	{"\"session\":3", "\"session\":2147483648", "key \"session\""},
	{"\"session\":3,", "", "key \"session\""},
	{"\"block\":1", "\"block\":1.5", "key \"block\""},
	{"\"block\":1", "\"block\":2147483648", "key \"block\""},
	{"\"block\":1", "\"block\":1,\"block\":2", "key \"block\" is given twice"},
	{"\"a/b\"", "\"\"", "key \"bench\""},
	{"\"a/b\"", "\" a\"", "key \"bench\""},
	{"\"a/b\"", "\"a\\u001b[31m\"", "key \"bench\""},
	{"\"a/b\"", "\"\xc3\xa9\"", "key \"bench\""},
	{"\"a/b\"", "7", "key \"bench\""},
	{"\"a/b\"", "\"a/b\",\"unit\":\"KiB\"", "key \"unit\": another unit"},
	{"\"a/b\"", "\"a/b\",\"unit\":\"a b\"", "key \"unit\""},
	{"\"a/b\"", "\"a/b\",\"phase\":\"\"", "key \"phase\""},
	{"\"a/b\"", "\"a/b\",\"stage\":\"x\"", "key \"stage\""},
	{"\"a/b\"", "\"a/b\",\"cpus\":0", "key \"cpus\""},
	{"\"a/b\"", "\"a/b\",\"cpus\":256", "key \"cpus\""},
	{"\"a/b\"", "\"a/b\",\"error\":-1", "key \"error\""},
	{"\"a/b\"",
		"\"0123456789012345678901234567890123456789012345678901234567890123456789012345"
		"67890123456789012345\"",
		"key \"bench\""},
	{"\"runc\"", "\"a/b\"", "key \"lane\""},
	{"\"runc\"", "\"\"", "key \"lane\""},
	{"\"runc\"", "\"012345678901234567890123456789012345678901234567\"", "key \"lane\""},
	{"\"ops\":500", "\"ops\":0", "key \"ops\""},
	{"\"ops\":500", "\"ops\":1e999", "key \"ops\""},
	{"\"ops\":500", "\"ops\":9223372036854775808", "key \"ops\""},
	{",\"ns\":[10,20]", "", "key \"ns\""},
	{"[10,20]", "[]", "key \"ns\": empty"},
	{"[10,20]", "[-1]", "key \"ns\""},
	{"[10,20]", "[1.5]", "key \"ns\""},
	{"[10,20]", "[1e999]", "not a finite number"},
	{"[10,20]", "[9223372036854775808]", "key \"ns\""},
	{"[10,20]", "[null]", "key \"ns\""},
	{"[10,20]", "\"10\"", "key \"ns\""},
	{"[10,20]", "-10", "key \"ns\""},
	{"[10,20]", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "key \"ns\": over 16"},
	{"{\"session\"", "[{\"session\"", "not JSON"},
	{"}\n", "}}\n", "trailing garbage"},
	{"[10,20]", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1", "nested too deeply"},
	{"{\"session\":3,", "[]\n{", "not an object"},
	{"{\"session\":3,", "\n{", "byte 1"},
};

static void read_of_hostile_lines_names_line_and_key_and_adds_nothing(void **state)
{
	struct tg_samples set = {0};

	assert_int_equal(tg_samples_read(files_put(*state, "good", HEAD TURN), &set, NULL), 0);
	for (size_t i = 0; i < TG_ARRAY_SIZE(hostile); i++) {
		char *text = replaced(TURN, hostile[i].from, hostile[i].to), *file;
		struct tg_err err = {0};

		assert_true(asprintf(&file, "%s%s%s", HEAD, TURN, text) > 0);
		if (tg_samples_read(files_put(*state, "bad", file), &set, &err) != -EINVAL ||
			!strstr(err.msg, "/bad:3: ") || !strstr(err.msg, hostile[i].want) ||
			strchr(err.msg, '\n') || set.count != 1 || set.row_count != 1 ||
			set.lane_count != 1)
			fail_msg("row %zu: `%s` instead of `%s`", i, err.msg, hostile[i].want);
		free(text);
		free(file);
	}
	tg_samples_free(&set);
}

static void read_of_hostile_headers_says_line_1(void **state)
{
	static const char *const heads[] = {"", "\n", "[]\n", "{}\n", "{\"tollgate\":2}\n",
		"{\"tollgate\":\"1\",\"machine\":\"x\"}\n", "{\"tollgate\":1}\n",
		"{\"tollgate\":1,\"machine\":\"../x\"}\n", "{\"tollgate\":1,\"machine\":7}\n",
		"{\"tollgate\":1,\"machine\":\"x\",\"seed\":-1}\n",
		"{\"tollgate\":1,\"machine\":\"x\",\"seed\":\"1x\"}\n",
		"{\"tollgate\":1,\"machine\":\"x\",\"seed\":\"99999999999999999999\"}\n", TURN};

	for (size_t i = 0; i < TG_ARRAY_SIZE(heads); i++) {
		struct tg_samples set = {0};
		struct tg_err err = {0};
		int rc = tg_samples_read(files_put(*state, "h", heads[i]), &set, &err);

		if (rc != -EINVAL || !strstr(err.msg, i ? "/h:1: " : "/h:0: empty") || set.rows)
			fail_msg("row %zu: %d `%s`", i, rc, err.msg);
	}
}

static void read_of_every_cut_keeps_whole_lines_or_fails(void **state)
{
	static const char text[] = HEAD TURN TURN;
	const size_t first = sizeof(HEAD) - 1, second = first + sizeof(TURN) - 1;

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		struct tg_samples set = {0};
		int rc;

		files_put_bytes(*state, "cut", text, n);
		rc = tg_samples_read(files_path(*state, "cut"), &set, NULL);
		/* A cut just before or after a newline leaves whole lines; any other is refused. */
		if ((rc == 0) !=
			(n + 1 == first || n == first || n + 1 == second || n == second ||
				n + 2 == sizeof(text)))
			fail_msg("cut at %zu: %d", n, rc);
		tg_samples_free(&set);
	}
}

static void read_of_long_lines_and_nuls_is_refused(void **state)
{
	const size_t limit = 64 << 10;
	char *text = malloc(limit + 1000);
	struct tg_samples set = {0};
	struct tg_err err = {0};
	size_t len = (size_t)sprintf(text, "%s", HEAD TURN), turn = sizeof(TURN) - 2;

	/* A line of exactly 64 KiB is fine, one more is not. */
	len--;
	memset(text + len, ' ', limit - turn);
	text[len + limit - turn] = '\n';
	files_put_bytes(*state, "l", text, len + limit - turn + 1);
	assert_int_equal(tg_samples_read(files_path(*state, "l"), &set, &err), 0);
	text[len + limit - turn] = ' ';
	text[len + limit - turn + 1] = '\n';
	files_put_bytes(*state, "l", text, len + limit - turn + 2);
	assert_int_equal(tg_samples_read(files_path(*state, "l"), &set, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "/l:2: over 65536 bytes"));
	text[len + 1] = '\0';
	text[len + 2] = '\n';
	files_put_bytes(*state, "l", text, len + 3);
	assert_int_equal(tg_samples_read(files_path(*state, "l"), &set, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "/l:2: NUL byte"));
	free(text);
	tg_samples_free(&set);
}

static void write_of_a_bad_turn_is_refused_and_writes_nothing(void **state)
{
	static const struct tg_sample good = {.cpus = 1, .batches = 1, .ops = 1};

	for (int i = 0; i < 8; i++) {
		struct tg_samples set = make_set(0);
		struct tg_sample s = good;
		struct tg_err err = {0};

		s.row = i == 0 ? 9 : 0;
		s.lane = i == 1 ? 9 : 0;
		s.batches = i == 2 ? 0 : i == 3 ? TG_BATCHES_MAX + 1 : 1;
		s.ops = i == 4 ? 0 : 1;
		s.cpus = i == 5 ? 0 : 1;
		s.session = i == 6 ? UINT32_MAX : 0;
		if (i == 7)
			strcpy(set.rows[0].name, "a\nb");
		tg_samples_add(&set, &s);
		if (tg_samples_write(&set, files_path(*state, "w"), &err) != -EINVAL)
			fail_msg("case %d was written", i);
		assert_non_null(strstr(err.msg, "/w: turn 0 "));
		assert_int_equal(files_count(((struct files *)*state)->dir), 0);
		tg_samples_free(&set);
	}
}

static void write_on_a_full_disk_keeps_the_old_file(void **state)
{
	struct tg_samples set = make_set(1000);
	struct tg_err err = {0};
	struct rlimit lim;
	char *text;
	int rc;

	files_put(*state, "w", "old");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &lim), 0);
	lim.rlim_cur = 5000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
	rc = tg_samples_write(&set, files_path(*state, "w"), &err);
	lim.rlim_cur = lim.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
	assert_int_equal(rc, -EFBIG);
	text = files_get(files_path(*state, "w"));
	assert_string_equal(text, "old");
	assert_int_equal(files_count(((struct files *)*state)->dir), 1);
	free(text);
	assert_int_equal(tg_samples_write(&set, "/dev/full", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "/dev/full: no regular file"));
	tg_samples_free(&set);
}

/* 5 s for 10^6 lines is the promise; sanitizers are given 8 times that. */
static void read_of_many_lines_takes_seconds(void **state)
{
	struct tg_samples set = make_set(100000), again = {0};
	uint64_t start;

	assert_int_equal(tg_samples_write(&set, files_path(*state, "big"), NULL), 0);
	start = tg_now_ns();
	assert_int_equal(tg_samples_read(files_path(*state, "big"), &again, NULL), 0);
	if (tg_now_ns() - start > 4 * TG_NS_PER_S)
		fail_msg("100000 lines in %llu ms",
			(unsigned long long)(tg_now_ns() - start) / 1000000);
	assert_int_equal(again.count, set.count);
	tg_samples_free(&set);
	tg_samples_free(&again);
}

#define WITH_FILES(f) cmocka_unit_test_setup_teardown(f, files_setup, files_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_of_a_known_name_is_the_same_index),
		cmocka_unit_test(names_over_the_limits_are_enospc),
		WITH_FILES(read_of_a_written_file_has_every_turn),
		WITH_FILES(read_of_every_optional_key_is_taken),
		WITH_FILES(read_of_a_second_file_shifts_sessions_that_are_taken),
		WITH_FILES(read_of_hostile_lines_names_line_and_key_and_adds_nothing),
		WITH_FILES(read_of_hostile_headers_says_line_1),
		WITH_FILES(read_of_every_cut_keeps_whole_lines_or_fails),
		WITH_FILES(read_of_long_lines_and_nuls_is_refused),
		WITH_FILES(write_of_a_bad_turn_is_refused_and_writes_nothing),
		WITH_FILES(write_on_a_full_disk_keeps_the_old_file),
		WITH_FILES(read_of_many_lines_takes_seconds),
	};

	return cmocka_run_group_tests_name("samples", tests, NULL, NULL);
}
