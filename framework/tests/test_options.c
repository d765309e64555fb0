/* test_options.c: the command line, option by option. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/options.h"
#include "common/cleanup.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ARGS_MAX 24

/* Words of one line, split at single spaces; valid until the next call. */
static int split(const char *line, char *argv[ARGS_MAX + 1])
{
	static char words[512];
	int argc = 1;

	argv[0] = (char *)"tollgate";
	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok(words, " "); w && argc < ARGS_MAX; w = strtok(NULL, " "))
		argv[argc++] = w;
	argv[argc] = NULL;
	return argc;
}

static int parse(const char *line, const char *fallback, struct tg_options *o, const char **help,
	struct tg_err *err)
{
	char *argv[ARGS_MAX + 1];
	int argc = split(line, argv);

	return tg_options_parse(argc, argv, fallback, o, help, err);
}

static void share_of_text(void **state)
{
	static const struct {
		const char *text;
		double want; /* 0: refused */
	} rows[] = {
		{"5%", 0.05},
		{"0.05", 0.05},
		{"12.5 %", 0.125},
		{"100%", 1},
		{"1e-3", 0.001},
		{"10000%", 100},
		{"0.05%", 0.0005},
		{"", 0},
		{"%", 0},
		{"x", 0},
		{"5%%", 0},
		{"5% ", 0},
		{"5x", 0},
		{"-5%", 0},
		{"0", 0},
		{"0%", 0},
		{"nan", 0},
		{"inf", 0},
		{"1e999", 0},
		{"10001%", 0},
		{"5,5%", 0},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		double got = -7;
		int rc = tg_share_parse(rows[i].text, &got);

		if (rows[i].want > 0 ? rc != 0 || fabs(got - rows[i].want) > 1e-12
				     : rc != -EINVAL || got != -7)
			fail_msg("row %zu, \"%s\": %d, %g", i, rows[i].text, rc, got);
	}
}

static void duration_of_text(void **state)
{
	static const struct {
		const char *text;
		uint64_t want; /* 0: refused */
	} rows[] = {
		{"90", UINT64_C(90000000000)},
		{"90s", UINT64_C(90000000000)},
		{"10m", UINT64_C(600000000000)},
		{"1h", UINT64_C(3600000000000)},
		{"0.5s", 500000000},
		{"1.5m", UINT64_C(90000000000)},
		{"168h", UINT64_C(604800000000000)},
		{"", 0},
		{"s", 0},
		{"10x", 0},
		{"10ms", 0},
		{"10 m", 0},
		{"10m ", 0},
		{"0", 0},
		{"-1s", 0},
		{"nan", 0},
		{"inf", 0},
		{"169h", 0},
		{"1e30", 0},
		{"1e-12", 0},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		uint64_t got = 7;
		int rc = tg_duration_parse(rows[i].text, &got);

		if (rows[i].want ? rc != 0 || got != rows[i].want : rc != -EINVAL)
			fail_msg("row %zu, \"%s\": %d, %llu", i, rows[i].text, rc,
				(unsigned long long)got);
	}
}

static void list_has_whole_words(void **state)
{
	static const struct {
		const char *list, *word;
		bool want;
	} rows[] = {
		{NULL, "a", true},
		{"a", "a", true},
		{"a,b", "a", true},
		{"a,b", "b", true},
		{"a,b", "c", false},
		{"ab", "a", false},
		{"a", "ab", false},
		{"a,,b", "b", true},
		{",a", "a", true},
		{"a,", "a", true},
		{"", "a", false},
		{"runsc-systrap-1cpu", "runsc-systrap", false},
		{"runsc-systrap-1cpu,runsc-systrap", "runsc-systrap", true},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++)
		if (tg_list_has(rows[i].list, rows[i].word) != rows[i].want)
			fail_msg("row %zu: \"%s\" in \"%s\"", i, rows[i].word,
				rows[i].list ? rows[i].list : "(all)");
}

static void every_option_arrives(void **state)
{
	struct tg_options o;
	struct tg_err err = {0};
	const char *help = NULL;

	(void)state;
	if (parse("check --suite a,b --lanes c,d --lane x=/y,z --lane x2=/y2 --lanes-file f "
		  "--bench g* "
		  "--machine m --tolerance 7% --budget 90s --quick --strict --out o",
		    NULL, &o, &help, &err) != 0)
		fail_msg("%s", err.msg);
	assert_string_equal(o.command, "check");
	assert_string_equal(o.suites, "a,b");
	assert_string_equal(o.lanes, "c,d");
	assert_int_equal(o.override_count, 2);
	assert_string_equal(o.overrides[0], "x=/y,z");
	assert_string_equal(o.overrides[1], "x2=/y2");
	assert_string_equal(o.lanes_file, "f");
	assert_string_equal(o.bench, "g*");
	assert_string_equal(o.machine, "m");
	assert_string_equal(o.out, "o");
	assert_true(fabs(o.tolerance - 0.07) < 1e-12);
	assert_true(o.budget_ns == UINT64_C(90000000000));
	assert_true(o.quick && o.strict);
	assert_false(o.full || o.append || o.bisect || o.allow_same || o.quiet || o.verbose);
	if (parse("run --baseline d --full --quiet --verbose --blocks 3 --rounds 4 --seed 0 "
		  "--inject a-b:fork/pipe_pingpong/cpus:2:20%",
		    NULL, &o, &help, &err) != 0)
		fail_msg("%s", err.msg);
	assert_string_equal(o.baseline_dir, "d");
	assert_true(o.full && o.quiet && o.verbose);
	assert_int_equal(o.blocks, 3);
	assert_int_equal(o.rounds, 4);
	assert_int_equal(o.seed, 0);
	assert_string_equal(o.inject.lane, "a-b");
	assert_string_equal(o.inject.bench, "fork/pipe_pingpong/cpus:2");
	assert_true(fabs(o.inject.share - 0.2) < 1e-12);
	assert_int_equal(parse("record --sessions 4 --seed 1000000000", NULL, &o, &help, &err), 0);
	assert_int_equal(o.sessions, 4);
	assert_int_equal(o.seed, 1000000000);
	assert_int_equal(parse("record --append", NULL, &o, &help, &err), 0);
	assert_true(o.append);
	assert_int_equal(
		parse("compare --a x --b y --bisect --allow-same", NULL, &o, &help, &err), 0);
	assert_string_equal(o.a, "x");
	assert_string_equal(o.b, "y");
	assert_true(o.bisect && o.allow_same);
}

static void without_options_all_are_unset(void **state)
{
	struct tg_options o;
	struct tg_err err = {0};
	const char *help;

	(void)state;
	memset(&o, 0x5a, sizeof(o));
	assert_int_equal(parse("check", NULL, &o, &help, &err), 0);
	assert_null(o.suites);
	assert_null(o.lanes);
	assert_null(o.bench);
	assert_null(o.lanes_file);
	assert_null(o.machine);
	assert_null(o.baseline_dir);
	assert_null(o.out);
	assert_null(o.a);
	assert_int_equal(o.override_count, 0);
	assert_int_equal(o.blocks + o.rounds + o.sessions, 0);
	assert_true(o.tolerance == 0 && o.budget_ns == 0 && o.inject.share == 0);
	assert_int_equal(err.code, 0);
}

static void fallback_is_the_command_where_none_is_given(void **state)
{
	struct tg_options o;
	struct tg_err err = {0};
	const char *help;

	(void)state;
	assert_int_equal(parse("--quiet", "check", &o, &help, &err), 0);
	assert_string_equal(o.command, "check");
	assert_true(o.quiet);
	assert_int_equal(parse("run", "check", &o, &help, &err), 0);
	assert_string_equal(o.command, "run");
	assert_int_equal(parse("", NULL, &o, &help, &err), -EINVAL);
	assert_string_equal(err.msg, "no command; tollgate --help lists them");
}

static void help_and_version_are_asked_for(void **state)
{
	static const struct {
		const char *line, *help; /* NULL: all commands */
	} rows[] = {
		{"--help", NULL},
		{"-h", NULL},
		{"check --help", "check"},
		{"check -h", "check"},
		{"record --sessions 4 --help", "record"},
		{"--version", "version"},
		{"check --version", "version"},
		/* asked for help, a line that is wrong otherwise still gets it */
		{"compare --help", "compare"},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_options o;
		struct tg_err err = {0};
		const char *help = "unset";
		int rc = parse(rows[i].line, NULL, &o, &help, &err);

		if (rc != 1 ||
			(rows[i].help ? !help || strcmp(help, rows[i].help) != 0 : help != NULL))
			fail_msg("row %zu, \"%s\": %d, help of %s", i, rows[i].line, rc,
				help ? help : "all");
	}
}

static void wrong_lines_are_refused_in_one_sentence(void **state)
{
	static const struct {
		const char *line, *want;
	} rows[] = {
		{"check --nonsense", "unknown option `--nonsense`"},
		{"check --quickly", "unknown option `--quickly`"},
		{"check -q", "unknown option `-q`"},
		{"check --suite", "option `--suite` needs a value"},
		{"check --strict=1", "unknown option `--strict=1`"},
		{"check more", "`more` is not expected here"},
		{"check --quiet more", "`more` is not expected here"},
		{"check --tolerance 0", "--tolerance `0`: expected a share"},
		{"check --tolerance 101%", "--tolerance `101%`"},
		{"check --tolerance five", "--tolerance `five`"},
		{"check --budget 10x", "--budget `10x`: expected a time"},
		{"check --blocks 0", "--blocks `0`: expected a whole number from 1 to 1000"},
		{"check --blocks 1001", "--blocks `1001`"},
		{"check --blocks 4.5", "--blocks `4.5`"}, {"check --blocks -4", "--blocks `-4`"},
		{"check --blocks +4", "--blocks `+4`"},
		{"check --blocks 99999999999999999999", "--blocks `99999999999999999999`"},
		{"check --rounds x", "--rounds `x`"},
		{"check --seed 1000000001", "--seed `1000000001`"},
		{"check --seed x", "--seed `x`"},
		{"record --sessions 3", "--sessions `3`: expected a whole number from 4 to 100"},
		{"record --sessions 101", "--sessions `101`"},
		{"record --sessions 4 --append", "--append adds one session"},
		{"check --quick --full", "--quick and --full exclude each other"},
		{"check --machine m --baseline d", "--machine and --baseline exclude each other"},
		{"compare", "compare needs two lanes"},
		{"compare --a x", "compare needs two lanes"},
		{"compare --b x", "compare needs two lanes"},
		{"check --a x --b y", "belong to `tollgate compare`"},
		{"check --bisect", "belong to `tollgate compare`"},
		{"check --append", "belong to `tollgate record`"},
		{"run --sessions 4", "belong to `tollgate record`"},
		{"check --inject runc", "--inject `runc`: expected LANE:BENCH:20%"},
		{"check --inject runc:getpid", "--inject `runc:getpid`"},
		{"check --inject runc:getpid:", "--inject `runc:getpid:`"},
		{"check --inject runc:getpid:-5%", "--inject `runc:getpid:-5%`"},
		{"check --inject :getpid:5%", "--inject `:getpid:5%`"},
		{"check --lane 1=x --lane 2=x --lane 3=x --lane 4=x --lane 5=x --lane 6=x --lane "
		 "7=x "
		 "--lane 8=x --lane 9=x",
			NULL}, /* fine: below the most */
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_options o;
		struct tg_err err = {0};
		const char *help;
		int rc = parse(rows[i].line, NULL, &o, &help, &err);

		if (rows[i].want ? rc != -EINVAL || err.code != EINVAL ||
					!strstr(err.msg, rows[i].want) || strchr(err.msg, '\n')
				 : rc != 0)
			fail_msg("row %zu, \"%s\": %d `%s`", i, rows[i].line, rc, err.msg);
	}
}

static void more_overrides_than_there_is_room_for_are_refused(void **state)
{
	char *argv[2 * TG_OVERRIDES_MAX + 5] = {(char *)"tollgate", (char *)"check"};
	struct tg_options o;
	struct tg_err err = {0};
	const char *help;
	int argc = 2;

	(void)state;
	for (int i = 0; i <= TG_OVERRIDES_MAX; i++) {
		argv[argc++] = (char *)"--lane";
		argv[argc++] = (char *)"x=/y";
		assert_int_equal(tg_options_parse(argc, argv, NULL, &o, &help, &err),
			i < TG_OVERRIDES_MAX ? 0 : -E2BIG);
	}
	assert_string_equal(err.msg, "--lane is given more than 16 times");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(share_of_text),
		cmocka_unit_test(duration_of_text),
		cmocka_unit_test(list_has_whole_words),
		cmocka_unit_test(every_option_arrives),
		cmocka_unit_test(without_options_all_are_unset),
		cmocka_unit_test(fallback_is_the_command_where_none_is_given),
		cmocka_unit_test(help_and_version_are_asked_for),
		cmocka_unit_test(wrong_lines_are_refused_in_one_sentence),
		cmocka_unit_test(more_overrides_than_there_is_room_for_are_refused),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
