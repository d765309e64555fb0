/* test_lane.c: lanes by name, and `--lane NAME=PATH[,ARG...]`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "lanes/lane.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct tg_lanes lanes, untouched;

static void start_with_three(void)
{
	memset(&lanes, 0, sizeof(lanes));
	lanes.count = 3;
	strcpy(lanes.v[0].name, "native");
	lanes.v[0].kind = TG_LANE_NATIVE;
	strcpy(lanes.v[1].name, "runsc:new");
	lanes.v[1].kind = TG_LANE_OCI;
	strcpy(lanes.v[1].path, "runsc");
	strcpy(lanes.v[1].alternative, "runsc-old");
	lanes.v[1].arg_count = 2;
	strcpy(lanes.v[1].args[0], "--platform=ptrace");
	strcpy(lanes.v[1].args[1], "--network=none");
	lanes.v[1].cpus = 2;
	lanes.v[1].by_default = true;
	lanes.v[1].start_timeout_ms = 77;
	strcpy(lanes.v[2].name, "bwrap");
	lanes.v[2].kind = TG_LANE_COMMAND;
	strcpy(lanes.v[2].path, "bwrap");
	untouched = lanes;
}

static void find_takes_whole_names(void **state)
{
	(void)state;
	start_with_three();
	assert_ptr_equal(tg_lanes_find(&lanes, "native"), &lanes.v[0]);
	assert_ptr_equal(tg_lanes_find(&lanes, "bwrap"), &lanes.v[2]);
	assert_null(tg_lanes_find(&lanes, "nativ"));
	assert_null(tg_lanes_find(&lanes, "native2"));
	assert_null(tg_lanes_find(&lanes, ""));
	lanes.count = 2;
	assert_null(tg_lanes_find(&lanes, "bwrap"));
}

static void override_of_a_known_lane_keeps_all_but_the_runtime(void **state)
{
	const struct tg_lane *l = &lanes.v[1];

	(void)state;
	start_with_three();
	assert_int_equal(tg_lanes_override(&lanes, "runsc:new=/opt/my=runsc", NULL), 0);
	assert_int_equal(lanes.count, 3);
	assert_string_equal(l->path, "/opt/my=runsc");
	assert_string_equal(l->alternative, "");
	assert_int_equal(l->arg_count, 2);
	assert_string_equal(l->args[0], "--platform=ptrace");
	assert_int_equal(l->cpus, 2);
	assert_int_equal(l->start_timeout_ms, 77);
	assert_true(l->by_default);
	assert_true(l->overridden);
	assert_false(lanes.v[2].overridden);
}

static void override_with_arguments_replaces_the_lanes_own(void **state)
{
	const struct tg_lane *l = &lanes.v[1];

	(void)state;
	start_with_three();
	assert_int_equal(tg_lanes_override(&lanes, "runsc:new=runsc,--platform=systrap", NULL), 0);
	assert_int_equal(l->arg_count, 1);
	assert_string_equal(l->args[0], "--platform=systrap");
	assert_int_equal(tg_lanes_override(&lanes, "bwrap=/b,-a,,x y", NULL), 0);
	assert_int_equal(lanes.v[2].kind, TG_LANE_COMMAND);
	assert_int_equal(lanes.v[2].arg_count, 3);
	assert_string_equal(lanes.v[2].args[1], "");
	assert_string_equal(lanes.v[2].args[2], "x y");
}

static void override_of_a_new_name_adds_an_oci_lane(void **state)
{
	const struct tg_lane *l = &lanes.v[3];

	(void)state;
	start_with_three();
	assert_int_equal(tg_lanes_override(&lanes, "youki.1_2-3=youki", NULL), 0);
	assert_int_equal(lanes.count, 4);
	assert_string_equal(l->name, "youki.1_2-3");
	assert_int_equal(l->kind, TG_LANE_OCI);
	assert_string_equal(l->path, "youki");
	assert_int_equal(l->cpus, 1);
	assert_int_equal(l->start_timeout_ms, 10000);
	assert_true(l->overridden);
}

#define A47  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A64  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A256 A64 A64 A64 A64

static void override_with_a_bad_spec_changes_nothing(void **state)
{
	static const struct {
		const char *spec;
		int rc;
		const char *want;
	} rows[] = {
		{"", -EINVAL, "NAME=PATH"},
		{"runc", -EINVAL, "--lane runc: expected NAME=PATH"},
		{"=runc", -EINVAL, "NAME=PATH"},
		{"new=", -EINVAL, "--lane new: expected NAME=PATH"},
		{"new=,-x", -EINVAL, "NAME=PATH"},
		{"a b=runc", -EINVAL, "NAME=PATH"},
		{"a/b=runc", -EINVAL, "NAME=PATH"},
		{"a\x1b[m=runc", -EINVAL, "NAME=PATH"},
		{A47 "a=runc", -EINVAL, "NAME=PATH"},
		{"native=/bin/true", -EINVAL, "native lane has no runtime"},
		{"new=" A256 A256, -EINVAL, "NAME=PATH"},
		{"new=runc," A256, -E2BIG, "one too long"},
		{"new=runc,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", -E2BIG, "more than 16"},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_err err = {0};
		int rc;

		start_with_three();
		rc = tg_lanes_override(&lanes, rows[i].spec, &err);
		if (rc != rows[i].rc || err.code != -rc || !strstr(err.msg, rows[i].want) ||
			memcmp(&lanes, &untouched, sizeof(lanes)) != 0)
			fail_msg("row %zu: %d `%s` for `%s`", i, rc, err.msg, rows[i].spec);
	}
}

static void override_at_the_limits_is_taken(void **state)
{
	(void)state;
	start_with_three();
	assert_int_equal(tg_lanes_override(&lanes, A47 "=runc", NULL), 0);
	assert_int_equal(
		tg_lanes_override(&lanes, "new=runc,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", NULL),
		0);
	assert_int_equal(lanes.v[4].arg_count, TG_LANE_ARGS_MAX);
}

static void override_past_the_last_lane_is_enospc(void **state)
{
	struct tg_err err = {0};
	char spec[32];

	(void)state;
	start_with_three();
	for (int i = 3; i < TG_LANES_MAX; i++) {
		snprintf(spec, sizeof(spec), "n%d=runc", i);
		assert_int_equal(tg_lanes_override(&lanes, spec, &err), 0);
	}
	untouched = lanes;
	assert_int_equal(tg_lanes_override(&lanes, "one-more=runc", &err), -ENOSPC);
	assert_non_null(strstr(err.msg, "more than 32 lanes"));
	assert_memory_equal(&lanes, &untouched, sizeof(lanes));
	assert_int_equal(tg_lanes_override(&lanes, "n9=crun", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(find_takes_whole_names),
		cmocka_unit_test(override_of_a_known_lane_keeps_all_but_the_runtime),
		cmocka_unit_test(override_with_arguments_replaces_the_lanes_own),
		cmocka_unit_test(override_of_a_new_name_adds_an_oci_lane),
		cmocka_unit_test(override_with_a_bad_spec_changes_nothing),
		cmocka_unit_test(override_at_the_limits_is_taken),
		cmocka_unit_test(override_past_the_last_lane_is_enospc),
	};

	return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
