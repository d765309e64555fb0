/* test_launch.c: lanes as argv and bundle. Nothing is started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "lanes/launch.h"
#include "store/json.h"
#include "tests/store_files.h"

#include <errno.h>

#define SH "/bin/sh"

static struct tg_lane lane_of(enum tg_lane_kind kind, const char *path)
{
	struct tg_lane lane = {.name = "x", .kind = kind, .cpus = 1, .start_timeout_ms = 1000};

	snprintf(lane.path, sizeof(lane.path), "%s", path);
	return lane;
}

static void add_arg(struct tg_lane *lane, const char *arg)
{
	snprintf(lane->args[lane->arg_count++], TG_LANE_ARG_MAX, "%s", arg);
}

static struct tg_launch make(const struct tg_lane *lane)
{
	struct tg_launch l = {0};
	struct tg_err err = {0};

	if (tg_launch_make(lane, "7-0-x", "/own/probe", &l, &err) < 0)
		fail_msg("%s", err.msg);
	return l;
}

/* argv must be `first` (a realpath for SH), then `want` up to its NULL. */
static void check_argv(const struct tg_launch *l, const char *first, const char *const *want)
{
	char full[TG_PATH_MAX];
	size_t n = 0;

	if (first) {
		assert_non_null(realpath(first, full));
		assert_string_equal(l->argv[n++], full);
	}
	for (; *want; want++, n++)
		if (!l->argv[n] || strcmp(l->argv[n], *want) != 0)
			fail_msg("argv[%zu] is `%s`, not `%s`", n,
				l->argv[n] ? l->argv[n] : "(end)", *want);
	assert_null(l->argv[n]);
}

static void native_runs_the_probe_in_the_root(void **state)
{
	struct tg_lane lane = lane_of(TG_LANE_NATIVE, "");
	struct tg_launch l;

	(void)state;
	lane.cpus = 2;
	l = make(&lane);
	check_argv(&l, NULL, (const char *const[]){"/probe", NULL});
	assert_true(l.enter_root);
	assert_null(l.config);
	assert_string_equal(l.cgroup, "");
	assert_string_equal(l.probe, "/own/probe");
	assert_int_equal(l.cpus, 2);
	tg_launch_free(&l);
}

static void oci_runs_the_bundle_with_its_flags_first(void **state)
{
	struct tg_lane lane = lane_of(TG_LANE_OCI, SH);
	struct tg_launch l;

	(void)state;
	add_arg(&lane, "--platform=ptrace");
	add_arg(&lane, "");
	lane.only_cgroup2 = true;
	strcpy(lane.probe, "/another/probe");
	l = make(&lane);
	check_argv(&l, SH,
		(const char *const[]){"--platform=ptrace", "", "--root", TG_ARENA_STATE, "run",
			"--bundle", TG_ARENA_BUNDLE, "7-0-x", NULL});
	assert_false(l.enter_root);
	assert_true(l.only_cgroup2);
	assert_string_equal(l.cgroup, "tollgate/7-0-x");
	assert_string_equal(l.probe, "/another/probe");
	tg_launch_free(&l);
}

/* The bundle: the same root, arguments, mounts and limits as a native probe gets from the init. */
static void oci_config_has_root_args_and_mounts(void **state)
{
	struct tg_lane lane = lane_of(TG_LANE_OCI, SH);
	struct tg_launch l = make(&lane);
	tg_autojson cJSON *root = NULL;
	const cJSON *process, *mounts, *m;
	struct tg_err err = {0};
	char points[256] = "";

	(void)state;
	assert_non_null(l.config);
	if (tg_json_parse(l.config, strlen(l.config), &root, &err) < 0)
		fail_msg("%s", err.msg);
	m = cJSON_GetObjectItemCaseSensitive(root, "root");
	assert_string_equal(
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(m, "path")), "rootfs");
	assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(m, "readonly")));
	process = cJSON_GetObjectItemCaseSensitive(root, "process");
	m = cJSON_GetObjectItemCaseSensitive(process, "args");
	assert_int_equal(cJSON_GetArraySize(m), 1);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(m, 0)), "/probe");
	m = cJSON_GetObjectItemCaseSensitive(process, "env");
	for (int i = 0; tg_lane_environment[i]; i++)
		assert_string_equal(
			cJSON_GetStringValue(cJSON_GetArrayItem(m, i)), tg_lane_environment[i]);
	mounts = cJSON_GetObjectItemCaseSensitive(root, "mounts");
	cJSON_ArrayForEach(m, mounts)
	{
		const char *point =
			cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(m, "destination"));

		strcat(points, point);
		strcat(points, " ");
	}
	assert_string_equal(points, "/proc /dev /tmp /bind ");
	m = cJSON_GetArrayItem(mounts, 3);
	assert_string_equal(
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(m, "source")), TG_ARENA_BIND);
	m = cJSON_GetObjectItemCaseSensitive(root, "linux");
	assert_string_equal(
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(m, "cgroupsPath")),
		"/tollgate/7-0-x");
	tg_launch_free(&l);
}

static void command_replaces_probe_root_and_bind(void **state)
{
	static const char *const args[] = {"--bind", "{root}", "/", "{probe}", "a{root}b{probe}",
		"{rootx}", "{", "{{probe}}", "", "{bind}"};
	struct tg_lane lane = lane_of(TG_LANE_COMMAND, SH);
	struct tg_launch l;

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(args); i++)
		add_arg(&lane, args[i]);
	l = make(&lane);
	check_argv(&l, SH,
		(const char *const[]){"--bind", "/dev/shm/bundle/rootfs", "/",
			"/dev/shm/bundle/rootfs/probe",
			"a/dev/shm/bundle/rootfsb/dev/shm/bundle/rootfs/probe", "{rootx}", "{",
			"{/dev/shm/bundle/rootfs/probe}", "", "/dev/shm/bind", NULL});
	assert_false(l.enter_root);
	assert_null(l.config);
	tg_launch_free(&l);
}

static void command_argument_that_grows_too_long_is_e2big(void **state)
{
	struct tg_lane lane = lane_of(TG_LANE_COMMAND, SH);
	char arg[TG_LANE_ARG_MAX] = "";
	struct tg_launch l = {0};
	struct tg_err err = {0};

	(void)state;
	while (strlen(arg) + strlen("{probe}") < sizeof(arg))
		strcat(arg, "{probe}");
	add_arg(&lane, "-x");
	add_arg(&lane, arg);
	assert_int_equal(tg_launch_make(&lane, "id", "/p", &l, &err), -E2BIG);
	assert_string_equal(err.msg, "argument 2 is too long");
	assert_null(l.argv[0]);
}

static void missing_runtime_is_enoent_and_named(void **state)
{
	static const struct {
		const char *path, *alternative, *want;
	} rows[] = {
		{"/no/such/runtime", "", "not installed: no program `/no/such/runtime`"},
		{"no-such-runtime", "", "not installed: no program `no-such-runtime`"},
		{"no-such-runtime", "nor-this",
			"not installed: no program `no-such-runtime` or nor-this"},
		{"/etc", "", "not installed: no program `/etc`"},		/* a directory */
		{"/etc/passwd", "", "not installed: no program `/etc/passwd`"}, /* may not be run */
		{"", "", "not installed: no program ``"},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_lane lane = lane_of(TG_LANE_OCI, rows[i].path);
		struct tg_launch l = {0};
		struct tg_err err = {0};
		char path[TG_PATH_MAX] = "left";

		strcpy(lane.alternative, rows[i].alternative);
		if (tg_launch_make(&lane, "id", "/p", &l, &err) != -ENOENT || err.code != ENOENT ||
			strcmp(err.msg, rows[i].want) != 0 || l.argv[0])
			fail_msg("row %zu: `%s`", i, err.msg);
		assert_int_equal(tg_lane_find_runtime(&lane, path, NULL), -ENOENT);
		assert_string_equal(path, "");
	}
}

static void runtime_is_searched_in_path_and_its_alternative_after_it(void **state)
{
	struct files *f = *state;
	char path[TG_PATH_MAX], found[TG_PATH_MAX], want[TG_PATH_MAX], cwd[TG_PATH_MAX];
	const char *saved = getenv("PATH");
	tg_autofree char *old = strdup(saved ? saved : "");
	struct tg_lane lane = lane_of(TG_LANE_OCI, "tg-runtime");

	files_put(f, "a/tg-runtime", "not to be run");
	chmod(files_put(f, "b/tg-runtime", ""), 0755);
	chmod(files_put(f, "b/tg-other", ""), 0755);
	/* relative and empty entries are no place to look for what runs as root */
	chmod(files_put(f, "tg-runtime", ""), 0755);
	chmod(files_put(f, "tg-missing", ""), 0755);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(f->dir), 0);
	snprintf(path, sizeof(path), ":.:b:%s/none:%s/a:%s/b", f->dir, f->dir, f->dir);
	setenv("PATH", path, 1);
	strcpy(lane.alternative, "tg-other");
	snprintf(want, sizeof(want), "%s/b/tg-runtime", f->dir);
	assert_int_equal(tg_lane_find_runtime(&lane, found, NULL), 0);
	assert_string_equal(found, want);
	strcpy(lane.path, "tg-missing");
	snprintf(want, sizeof(want), "%s/b/tg-other", f->dir);
	assert_int_equal(tg_lane_find_runtime(&lane, found, NULL), 0);
	assert_string_equal(found, want);
	assert_int_equal(chdir(cwd), 0);
	setenv("PATH", old, 1);
}

static void runtime_by_a_relative_path_becomes_absolute(void **state)
{
	struct files *f = *state;
	char found[TG_PATH_MAX], want[TG_PATH_MAX], cwd[TG_PATH_MAX];
	struct tg_lane lane = lane_of(TG_LANE_OCI, "./runtime");

	chmod(files_put(f, "runtime", ""), 0755);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(f->dir), 0);
	assert_int_equal(tg_lane_find_runtime(&lane, found, NULL), 0);
	assert_int_equal(chdir(cwd), 0);
	snprintf(want, sizeof(want), "%s/runtime", f->dir);
	assert_string_equal(found, want);
}

/* The arena is mounted over /dev/shm: a runtime that lies there would vanish under it. */
static void runtime_below_the_arena_is_refused(void **state)
{
	char path[] = TG_ARENA "/tg-test-XXXXXX";
	struct tg_lane lane;
	struct tg_launch l = {0};
	struct tg_err err = {0};
	int fd = mkstemp(path);
	int rc;

	(void)state;
	assert_true(fd >= 0);
	fchmod(fd, 0755);
	close(fd);
	lane = lane_of(TG_LANE_OCI, path);
	rc = tg_launch_make(&lane, "id", "/p", &l, &err);
	unlink(path);
	assert_int_equal(rc, -EINVAL);
	assert_non_null(strstr(err.msg, path));
	assert_non_null(strstr(err.msg, "hidden by the lane's own /dev/shm"));
	assert_null(l.argv[0]);
}

static void free_of_nothing_is_fine(void **state)
{
	struct tg_launch l = {0};

	(void)state;
	tg_launch_free(&l);
	assert_null(l.argv[0]);
}

#define WITH_FILES(f) cmocka_unit_test_setup_teardown(f, files_setup, files_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(native_runs_the_probe_in_the_root),
		cmocka_unit_test(oci_runs_the_bundle_with_its_flags_first),
		cmocka_unit_test(oci_config_has_root_args_and_mounts),
		cmocka_unit_test(command_replaces_probe_root_and_bind),
		cmocka_unit_test(command_argument_that_grows_too_long_is_e2big),
		cmocka_unit_test(missing_runtime_is_enoent_and_named),
		WITH_FILES(runtime_is_searched_in_path_and_its_alternative_after_it),
		WITH_FILES(runtime_by_a_relative_path_becomes_absolute),
		cmocka_unit_test(runtime_below_the_arena_is_refused),
		cmocka_unit_test(free_of_nothing_is_fine),
	};

	return cmocka_run_group_tests_name("launch", tests, NULL, NULL);
}
