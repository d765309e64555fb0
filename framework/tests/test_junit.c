/* test_junit.c: a run's verdicts as JUnit XML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "report/junit.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS 8

struct fixture {
	struct tg_results r;
	struct tg_result rows[ROWS];
	char *text;
};

static struct tg_result *add(
	struct fixture *f, const char *bench, enum tg_verdict_kind kind, const char *reason)
{
	struct tg_result *row = &f->rows[f->r.count++];

	*row = (struct tg_result){
		.lane = "runc", .ref = "native", .unit = "ns", .tolerance = 0.05, .judged = true};
	row->rounds = 8;
	row->verdict = (struct tg_verdict){.kind = kind,
		.slowdown = 1.2,
		.base = 1.0,
		.delta = log(1.2),
		.lo = log(1.17),
		.hi = log(1.23),
		.mde = 0.06,
		.blocks_now = 12,
		.sessions_base = 8};
	snprintf(row->bench, sizeof(row->bench), "%s", bench);
	snprintf(row->verdict.reason, sizeof(row->verdict.reason), "%s", reason);
	return row;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->r.v = f->rows;
	strcpy(f->r.date, "2026-12-01T10:00:00+00:00");
	strcpy(f->r.machine.name, "vm-epyc-2");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->text);
	free(f);
	return 0;
}

static const char *print(struct fixture *f)
{
	size_t size;
	FILE *out;

	free(f->text);
	f->text = NULL;
	out = open_memstream(&f->text, &size);
	assert_non_null(out);
	tg_junit_print(out, &f->r);
	fclose(out);
	return f->text;
}

static void check_has(const char *text, const char *want)
{
	if (!strstr(text, want))
		fail_msg("no %s in:\n%s", want, text);
}

static void check_has_not(const char *text, const char *unwanted)
{
	if (strstr(text, unwanted))
		fail_msg("%s in:\n%s", unwanted, text);
}

static void one_regressed_gate_is_one_failure(void **state)
{
	struct fixture *f = *state;

	add(f, "syscall/getpid", TG_REGRESSED, "")->source = "suites/syscall.c:42";
	assert_string_equal(print(f),
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"tollgate\" tests=\"1\" failures=\"1\" errors=\"0\" "
		"skipped=\"0\" "
		"time=\"0.000\">\n"
		"  <testsuite name=\"syscall\" tests=\"1\" failures=\"1\" errors=\"0\" "
		"skipped=\"0\" "
		"timestamp=\"2026-12-01T10:00:00+00:00\" hostname=\"vm-epyc-2\">\n"
		"    <testcase name=\"getpid/runc\" classname=\"tollgate.syscall\" time=\"0\" "
		"file=\"suites/syscall.c\" line=\"42\">\n"
		"      <failure type=\"REGRESSED\" message=\"getpid/runc 1.200x (base 1.000x, "
		"+20.0 % "
		"[+17.0,+23.0], tolerance 5 %, MDE80 6 %) REGRESSED n=12x8 B=8\"/>\n"
		"      <system-out>getpid/runc 1.200x (base 1.000x, +20.0 % [+17.0,+23.0], "
		"tolerance 5 %, MDE80 6 %) REGRESSED n=12x8 B=8</system-out>\n"
		"    </testcase>\n"
		"  </testsuite>\n"
		"</testsuites>\n");
}

static void every_kind_is_counted_in_its_suite(void **state)
{
	struct fixture *f = *state;
	const char *text;

	add(f, "syscall/getpid", TG_PASS, "");
	add(f, "memory/map", TG_ERROR, "clock");
	add(f, "syscall/open", TG_INCONCLUSIVE, "unconfirmed");
	add(f, "syscall/read", TG_SKIPPED, "not selected");
	add(f, "syscall/fork", TG_REGRESSED, "")->verdict.role = TG_ROLE_WATCH;
	add(f, "syscall/stat", TG_PASS, "")->null_control = true;
	add(f, "syscall/only", TG_PASS, "")->judged = false;
	add(f, "syscall/write", TG_IMPROVED, "");
	text = print(f);
	check_has(text,
		"<testsuites name=\"tollgate\" tests=\"6\" failures=\"0\" errors=\"1\" "
		"skipped=\"3\"");
	check_has(text,
		"<testsuite name=\"syscall\" tests=\"5\" failures=\"0\" errors=\"0\" "
		"skipped=\"3\"");
	check_has(text,
		"<testsuite name=\"memory\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\"");
	check_has(text, "<error type=\"ERROR\" message=\"map/runc ");
	check_has(text, "<skipped message=\"INCONCLUSIVE: unconfirmed\"/>");
	check_has(text, "<skipped message=\"SKIPPED: not selected\"/>");
	check_has(text, "<skipped message=\"watched, decides nothing: MDE 6 %\"/>");
	check_has_not(text, "stat/runc");
	check_has_not(text, "only/runc");
}

static void markup_and_control_characters_cannot_break_out(void **state)
{
	struct fixture *f = *state;
	struct tg_result *row =
		add(f, "sys<&>\"'call/get<pid>", TG_ERROR, "</failure>&\"'\033[2J\n\x01\xff]]> µ");
	const char *text;

	strcpy(row->lane, "ru\"nc");
	row->source = "a<b>.c:7";
	text = print(f);
	check_has(text, "<testsuite name=\"sys&lt;&amp;&gt;&quot;&apos;call\"");
	check_has(text,
		"name=\"get&lt;pid&gt;/ru&quot;nc\" "
		"classname=\"tollgate.sys&lt;&amp;&gt;&quot;&apos;call\"");
	check_has(text, "file=\"a&lt;b&gt;.c\" line=\"7\"");
	check_has(text, "&lt;/failure&gt;&amp;&quot;&apos;");
	check_has(text, "]]&gt; µ)");
	check_has_not(text, "</failure>");
	for (const char *c = text; *c; c++)
		if (((unsigned char)*c < 0x20 && *c != '\n') || *c == 0x7F ||
			(unsigned char)*c == 0xFF)
			fail_msg("byte %#x in the XML", (unsigned)(unsigned char)*c);
}

static void reason_of_a_skip_is_escaped(void **state)
{
	struct fixture *f = *state;
	const char *text;

	add(f, "syscall/getpid", TG_SKIPPED, "a\033b\"<c>");
	text = print(f);
	check_has(text, "<skipped message=\"SKIPPED: ab&quot;&lt;c&gt;\"/>"); /* controls removed */
}

static void void_run_fails_once_and_skips_the_rest(void **state)
{
	struct fixture *f = *state;
	const char *text;

	add(f, "syscall/getpid", TG_REGRESSED, "");
	add(f, "syscall/open", TG_ERROR, "clock");
	f->r.is_void = true;
	strcpy(f->r.void_reason, "4 of 40 controls off");
	text = print(f);
	check_has(text,
		"<testsuites name=\"tollgate\" tests=\"3\" failures=\"0\" errors=\"1\" "
		"skipped=\"2\"");
	check_has(text, "<error type=\"VOID\" message=\"4 of 40 controls off\"/>");
	check_has(text, "<skipped message=\"the run is void: 4 of 40 controls off\"/>");
	check_has_not(text, "<failure");
}

static void empty_run_is_still_a_document(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(print(f),
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"tollgate\" tests=\"0\" failures=\"0\" errors=\"0\" "
		"skipped=\"0\" "
		"time=\"0.000\">\n"
		"</testsuites>\n");
}

static size_t files_in(const char *dir)
{
	DIR *d = opendir(dir);
	size_t count = 0;

	assert_non_null(d);
	while (readdir(d))
		count++;
	closedir(d);
	return count - 2;
}

static void file_is_whole_or_not_there(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/tg_junit_XXXXXX", path[64], missing[64], text[4096] = "";
	struct tg_err err = {0};
	FILE *in;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/junit.xml", dir);
	snprintf(missing, sizeof(missing), "%s/no/such/junit.xml", dir);
	add(f, "syscall/getpid", TG_PASS, "");

	assert_int_equal(tg_junit_write(&f->r, path, &err), 0);
	in = fopen(path, "r");
	assert_non_null(in);
	assert_true(fread(text, 1, sizeof(text) - 1, in) > 0);
	fclose(in);
	assert_string_equal(text, print(f));
	assert_int_equal(files_in(dir), 1); /* nothing temporary left */

	assert_int_equal(tg_junit_write(&f->r, missing, &err), -ENOENT);
	check_has(err.msg, "junit");
	assert_int_equal(files_in(dir), 1);

	/* a directory is in the way: refused, and still there */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(tg_junit_write(&f->r, path, &err) < 0);
	assert_int_equal(files_in(dir), 1);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_regressed_gate_is_one_failure),
		TEST(every_kind_is_counted_in_its_suite),
		TEST(markup_and_control_characters_cannot_break_out),
		TEST(reason_of_a_skip_is_escaped),
		TEST(void_run_fails_once_and_skips_the_rest),
		TEST(empty_run_is_still_a_document),
		TEST(file_is_whole_or_not_there),
	};

	return cmocka_run_group_tests_name("junit", tests, NULL, NULL);
}
