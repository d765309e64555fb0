/* test_lanes_file.c: lanes.json: the default one, Docker's, and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/lanes_file.h"

#include "common/cleanup.h"
#include "tests/store_files.h"

#include <errno.h>

/* The smallest file with every key. */
static const char valid[] =
	"{\"runtimes\":{\"new\":{\"path\":\"/usr/bin/runc\",\"runtimeArgs\":[\"--x\",\"-y\"],"
	"\"kind\":\"oci\",\"cpus\":2,\"alternative\":\"crun\",\"probe\":\"/p\","
	"\"cgroup\":\"unified\",\"default\":true,\"startTimeout\":2.5}}}";

static struct tg_lanes lanes, untouched;

static void start_with_one_lane(void)
{
	memset(&lanes, 0, sizeof(lanes));
	lanes.count = 1;
	strcpy(lanes.v[0].name, "old");
	strcpy(lanes.v[0].path, "/old");
	lanes.v[0].cpus = 3;
	lanes.v[0].by_default = true;
	lanes.v[0].start_timeout_ms = 77;
	untouched = lanes;
}

static void parse_of_every_key_fills_the_lane(void **state)
{
	const struct tg_lane *l;

	(void)state;
	start_with_one_lane();
	assert_int_equal(tg_lanes_file_parse(valid, "t", &lanes, NULL), 0);
	assert_int_equal(lanes.count, 2);
	l = &lanes.v[1];
	assert_string_equal(l->name, "new");
	assert_int_equal(l->kind, TG_LANE_OCI);
	assert_string_equal(l->path, "/usr/bin/runc");
	assert_int_equal(l->arg_count, 2);
	assert_string_equal(l->args[1], "-y");
	assert_string_equal(l->alternative, "crun");
	assert_string_equal(l->probe, "/p");
	assert_int_equal(l->cpus, 2);
	assert_true(l->only_cgroup2);
	assert_true(l->by_default);
	assert_false(l->overridden);
	assert_int_equal(l->start_timeout_ms, 2500);
}

static void parse_of_a_known_name_replaces_it_with_defaults(void **state)
{
	const struct tg_lane *l = &lanes.v[0];

	(void)state;
	start_with_one_lane();
	assert_int_equal(
		tg_lanes_file_parse("{\"runtimes\":{\"old\":{\"path\":\"x\"}}}", "t", &lanes, NULL),
		0);
	assert_int_equal(lanes.count, 1);
	assert_string_equal(l->path, "x");
	assert_int_equal(l->kind, TG_LANE_OCI);
	assert_int_equal(l->cpus, 1);
	assert_int_equal(l->start_timeout_ms, 10000);
	assert_false(l->by_default);
	assert_true(l->overridden);
}

static void parse_of_dockers_daemon_json_takes_commands_and_leaves_shims(void **state)
{
	static const char daemon[] =
		"{\"data-root\":\"/x\",\"log-opts\":{\"a\":\"b\"},\"default-runtime\":\"runc\",\n"
		"\"runtimes\":{\"runsc\":{\"path\":\"/usr/bin/runsc\",\"runtimeArgs\":[\"--a\"]},\n"
		"\"kata\":{\"runtimeType\":\"io.containerd.kata.v2\",\"options\":{\"x\":1}},\n"
		"\"youki\":{\"path\":\"/usr/bin/youki\"}}}";

	(void)state;
	start_with_one_lane();
	assert_int_equal(tg_lanes_file_parse(daemon, "daemon.json", &lanes, NULL), 0);
	assert_int_equal(lanes.count, 3);
	assert_string_equal(lanes.v[1].name, "runsc");
	assert_string_equal(lanes.v[2].name, "youki");
}

static void load_marks_a_users_entries_as_overridden(void **state)
{
	(void)state;
	start_with_one_lane();
	assert_int_equal(tg_lanes_file_load(files_put(*state, "l.json", valid), &lanes, NULL), 0);
	assert_true(lanes.v[1].overridden);
	assert_false(lanes.v[0].overridden);
}

static void load_of_the_default_file_has_the_documented_lanes(void **state)
{
	static const char *const defaults[] = {
		"native", "null", "runc", "runsc-ptrace", "runsc-systrap", "runsc-systrap-1cpu"};
	struct tg_err err = {0};
	size_t found = 0;

	(void)state;
	memset(&lanes, 0, sizeof(lanes));
	if (tg_lanes_file_load(TG_TEST_SOURCE "/framework/lanes/lanes.json", &lanes, &err) < 0)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < lanes.count; i++)
		if (lanes.v[i].by_default)
			assert_string_equal(lanes.v[i].name, defaults[found++]);
	assert_int_equal(found, TG_ARRAY_SIZE(defaults));
	assert_int_equal(lanes.count, 11);
	assert_string_equal(lanes.v[4].alternative, "");
	assert_string_equal(lanes.v[6].alternative, "runsc");
	assert_int_equal(lanes.v[6].cpus, 2);
	assert_int_equal(lanes.v[10].kind, TG_LANE_COMMAND);
	assert_string_equal(lanes.v[10].args[3], "{root}");
}

/* Every broken variant of `valid`: `from` replaced by `to` must fail with `want` in the message. */
static const struct {
	const char *from, *to, *want;
} hostile[] = {
	{"\"cpus\":2", "\"cpus\":\"2\"", "t: runtime `new`: key \"cpus\""},
	{"\"cpus\":2", "\"cpus\":0", "key \"cpus\""},
	{"\"cpus\":2", "\"cpus\":1.5", "key \"cpus\""},
	{"\"cpus\":2", "\"cpus\":1e999", "key \"cpus\""},
	{"\"cpus\":2", "\"cpus\":2,\"cpus\":2", "key \"cpus\" is given twice"},
	{"\"cpus\":2", "\"CPUS\":2", "key \"CPUS\" is unknown"},
	{"\"cpus\":2", "\"shell\":true", "key \"shell\" is unknown"},
	{"\"path\":\"/usr/bin/runc\",", "", "key \"path\""},
	{"\"/usr/bin/runc\"", "\"\"", "key \"path\""},
	{"\"/usr/bin/runc\"", "7", "key \"path\""},
	{"\"/usr/bin/runc\"", "\"a\\nb\"", "key \"path\": control"},
	{"\"/usr/bin/runc\"", "\"a\\u007fb\"", "key \"path\": control"},
	{"\"--x\"", "{}", "key \"runtimeArgs\""},
	{"\"--x\"", "\"\\u001b[31m\"", "key \"runtimeArgs\": control"},
	{"[\"--x\",\"-y\"]", "\"--x\"", "key \"runtimeArgs\""},
	{"[\"--x\",\"-y\"]", "[1,2,3]", "key \"runtimeArgs\""},
	{"[\"--x\",\"-y\"]",
		"[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\","
		"\"\"]",
		"key \"runtimeArgs\": over 16"},
	{"\"oci\"", "\"vm\"", "key \"kind\""},
	{"\"oci\"", "\"native\"", "key \"kind\""},
	{"\"unified\"", "\"v1\"", "key \"cgroup\""},
	{"\"default\":true", "\"default\":1", "key \"default\""},
	{"2.5", "0", "key \"startTimeout\""},
	{"2.5", "-1", "key \"startTimeout\""},
	{"2.5", "1e9", "key \"startTimeout\""},
	{"\"new\"", "\"\"", "a name is"},
	{"\"new\"", "\"a b\"", "runtime `a b`: a name is"},
	{"\"new\"", "\"../x\"", "a name is"},
	{"\"new\"", "\"a\\u0001\"", "runtime `a?`: a name is"},
	{"\"new\"", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", "a name is"},
	{"\"runtimes\":{", "\"runtimes\":[], \"x\":{", "key \"runtimes\""},
	{"\"runtimes\":{", "\"x\":{", "key \"runtimes\": missing"},
	{"{\"path\"", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[{\"path\"", "nested too deeply"},
};

static void parse_of_hostile_files_names_the_key_and_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(hostile); i++) {
		char *text = replaced(valid, hostile[i].from, hostile[i].to);
		struct tg_err err = {0};

		start_with_one_lane();
		if (tg_lanes_file_parse(text, "t", &lanes, &err) >= 0 ||
			strncmp(err.msg, "t: ", 3) != 0 || !strstr(err.msg, hostile[i].want) ||
			memcmp(&lanes, &untouched, sizeof(lanes)) != 0)
			fail_msg("row %zu: `%s` instead of `%s`", i, err.msg, hostile[i].want);
		free(text);
	}
}

static void parse_of_every_prefix_fails_and_changes_nothing(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(valid) - 1; n++) {
		char *text = strndup(valid, n);
		struct tg_err err = {0};

		start_with_one_lane();
		if (tg_lanes_file_parse(text, "t", &lanes, &err) != -EINVAL || !err.msg[0] ||
			memcmp(&lanes, &untouched, sizeof(lanes)) != 0)
			fail_msg("%zu bytes: `%s`", n, err.msg);
		free(text);
	}
}

static void parse_of_too_many_lanes_fails_and_changes_nothing(void **state)
{
	char text[4096], *p = text;
	struct tg_err err = {0};

	(void)state;
	start_with_one_lane();
	p += sprintf(p, "{\"runtimes\":{");
	for (int i = 0; i < TG_LANES_MAX; i++)
		p += sprintf(p, "%s\"n%d\":{\"path\":\"x\"}", i ? "," : "", i);
	sprintf(p, "}}");
	assert_int_equal(tg_lanes_file_parse(text, "t", &lanes, &err), -ENOSPC);
	assert_memory_equal(&lanes, &untouched, sizeof(lanes));
	assert_non_null(strstr(err.msg, "over 32 lanes"));
}

static void load_of_no_file_names_it(void **state)
{
	struct tg_err err = {0};

	start_with_one_lane();
	assert_int_equal(tg_lanes_file_load(files_path(*state, "none"), &lanes, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/none: "));
	assert_int_equal(tg_lanes_file_load(((struct files *)*state)->dir, &lanes, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "no regular file"));
}

#define WITH_FILES(f) cmocka_unit_test_setup_teardown(f, files_setup, files_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_of_every_key_fills_the_lane),
		cmocka_unit_test(parse_of_a_known_name_replaces_it_with_defaults),
		cmocka_unit_test(parse_of_dockers_daemon_json_takes_commands_and_leaves_shims),
		WITH_FILES(load_marks_a_users_entries_as_overridden),
		cmocka_unit_test(load_of_the_default_file_has_the_documented_lanes),
		cmocka_unit_test(parse_of_hostile_files_names_the_key_and_changes_nothing),
		cmocka_unit_test(parse_of_every_prefix_fails_and_changes_nothing),
		cmocka_unit_test(parse_of_too_many_lanes_fails_and_changes_nothing),
		WITH_FILES(load_of_no_file_names_it),
	};

	return cmocka_run_group_tests_name("lanes_file", tests, NULL, NULL);
}
