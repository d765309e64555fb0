/* test_real.c: every runtime that this machine has, for a moment: it measures, it is on equal
 * ground, it leaves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "host/sandbox.h"
#include "store/lanes_file.h"
#include "store/results.h"
#include "tests/scenario.h"

#include <math.h>

#define PROBE TG_TEST_BUILD "/probe"

extern const char tg_build_id[], tg_builtin_lanes[];

#define LANES "native,null,runc,crun,runsc-ptrace,runsc-systrap,bwrap"

static struct tg_lanes lanes;
static char ready[512]; /* "native,null,runc": what comes up here */
static struct scenario *s;

static bool listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; at && *at;
		at += strcspn(at, ",") + (at[strcspn(at, ",")] == ','))
		if (strcspn(at, ",") == len && !strncmp(at, name, len))
			return true;
	return false;
}

/* The names of a comma list, one by one: "" at its end. */
static const char *next_name(const char *list, char name[TG_LANE_NAME_MAX])
{
	size_t len = strcspn(list, ",");

	snprintf(name, TG_LANE_NAME_MAX, "%.*s", (int)len, list);
	return list + len + (list[len] == ',');
}

/* What TOLLGATE_REQUIRE_LANES names has to come up; anything else may be missing. */
static int setup(void **state)
{
	struct tg_err err = {0};
	char line[1024] = "lanes --lanes " LANES, name[TG_LANE_NAME_MAX];
	const char *required = getenv("TOLLGATE_REQUIRE_LANES");
	int missing = 0;

	if (scenario_setup(state) < 0 ||
		tg_lanes_file_parse(tg_builtin_lanes, "built-in", &lanes, &err) < 0)
		return -1;
	s = *state;
	if (required && *required)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), ",%s", required);
	if (scenario_run(s, line) != 0) {
		print_error("%s: %d: %s\n", line, s->status, s->text);
		return -1;
	}
	for (char *row = strtok(s->text, "\n"); row; row = strtok(NULL, "\n")) {
		if (!strstr(row, " ready in ")) {
			print_message("# %s\n", row);
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(row, " "), row);
		snprintf(ready + strlen(ready), sizeof(ready) - strlen(ready), "%s%s",
			ready[0] ? "," : "", name);
	}
	for (const char *at = required ? required : ""; *at;) {
		at = next_name(at, name);
		if (!listed(ready, name)) {
			print_error("lane %s is required and does not come up\n", name);
			missing++;
		}
	}
	return missing ? -1 : 0;
}

/* ---- a run ---- */

static const struct tg_result *result_of(
	const struct tg_results *r, const char *bench, const char *lane)
{
	for (size_t i = 0; i < r->count; i++)
		if (!strcmp(r->v[i].bench, bench) && !strcmp(r->v[i].lane, lane))
			return &r->v[i];
	return NULL;
}

static void check_costs(const struct tg_results *r, const char *bench, const char *lane)
{
	const struct tg_result *res = result_of(r, bench, lane);

	if (!res)
		fail_msg("%s in %s: no result", bench, lane);
	if (res->blocks != 1 || !isfinite(res->cost[0]) || res->cost[0] <= 0)
		fail_msg("%s in %s: %zu blocks, the first of %g", bench, lane, res->blocks,
			res->blocks ? res->cost[0] : NAN);
}

static bool is_second_native(const char *lane)
{
	return strcmp(lane, "native") != 0 && tg_lanes_find(&lanes, lane)->kind == TG_LANE_NATIVE;
}

static void run_measures_every_lane_and_leaves_nothing(void **state)
{
	static const char *const benches[] = {"syscall/getpid", "syscall/read_zero",
		"syscall/write_file/4000", "startup/first_byte", "startup/total",
		"footprint/idle_pss"};
	char line[800], name[TG_LANE_NAME_MAX];
	struct tg_results r;
	struct tg_err err = {0};

	(void)state;
	snprintf(line, sizeof(line),
		"run --lanes %s --suite syscall,startup,footprint --blocks 1 --rounds 1 --machine "
		"test --quiet "
		"--out {}/out",
		ready);
	scenario_exits(s, line, 0);
	if (tg_results_read(files_path(&s->files, "out/results.json"), &r, &err) < 0)
		fail_msg("%s", err.msg);
	for (const char *at = ready; *at;) {
		at = next_name(at, name);
		for (size_t b = 0; b < TG_ARRAY_SIZE(benches); b++)
			/* a second native has nothing to add but for what is divided by it */
			if (!is_second_native(name) ||
				!strncmp(benches[b], "syscall/", strlen("syscall/")))
				check_costs(&r, benches[b], name);
	}
	for (size_t i = 0; i < r.lane_count; i++)
		if (!r.lanes[i].ready)
			fail_msg("lane %s failed: %s", r.lanes[i].name, r.lanes[i].reason);
	tg_results_free(&r);
}

/* ---- equal ground ---- */

struct view {
	char text[TG_LINE_MAX];
	char *cpus, *cwd, *nofile, *env, *mounts; /* into text */
};

/* Cut "cpus=… cwd=… nofile=… env=… mounts=…" at its keys. */
static bool cut(struct view *v)
{
	char **const values[] = {&v->cpus, &v->cwd, &v->nofile, &v->env, &v->mounts};
	static const char *const keys[] = {"cpus=", " cwd=", " nofile=", " env=", " mounts="};
	char *at = v->text;

	for (size_t i = 0; i < TG_ARRAY_SIZE(keys); i++) {
		char *key = strstr(at, keys[i]);

		if (!key)
			return false;
		*key = '\0';
		at = key + strlen(keys[i]);
		*values[i] = at;
	}
	return true;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "A=1;B=2;" in the order of the alphabet: runsc of 2024 shuffles its environment at every start.
 */
static void sort_env(char *env, size_t size)
{
	char copy[1024], *vars[32];
	size_t n = 0, used = 0;

	snprintf(copy, sizeof(copy), "%s", env);
	for (char *var = strtok(copy, ";"); var && n < TG_ARRAY_SIZE(vars); var = strtok(NULL, ";"))
		vars[n++] = var;
	qsort(vars, n, sizeof(vars[0]), by_text);
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(env + used, size - used, "%s;", vars[i]);
}

/* Every thread of the sandbox, as the host sees it, may run on `cpus` and nowhere else. */
static void check_placed(const struct tg_lane *lane, pid_t top, const cpu_set_t *cpus)
{
	pid_t pids[TG_PIDS_MAX];
	int n = tg_proc_descendants(top, pids), threads = 0;

	for (int i = 0; i < n; i++) {
		char path[64];
		DIR *dir;
		struct dirent *e;

		snprintf(path, sizeof(path), "/proc/%d/task", pids[i]);
		dir = opendir(path);
		while (dir && (e = readdir(dir))) {
			cpu_set_t is;
			pid_t tid = atoi(e->d_name);

			if (tid <= 0 || sched_getaffinity(tid, sizeof(is), &is) < 0)
				continue;
			threads++;
			if (!CPU_EQUAL(&is, cpus))
				fail_msg("lane %s: process %d thread %d runs elsewhere", lane->name,
					pids[i], tid);
		}
		if (dir)
			closedir(dir);
	}
	if (threads == 0)
		fail_msg("lane %s has no thread to be seen", lane->name);
}

static void look(
	const struct tg_lane *lane, const struct tg_ground *g, struct view *v, cpu_set_t *cpus)
{
	static struct tg_answer answer;
	struct tg_sandbox box;
	struct tg_request req = {.kind = TG_REQ_LOOK};
	struct tg_err err = {0};
	uint64_t deadline = tg_now_ns() + lane->start_timeout_ms * UINT64_C(1000000);

	if (tg_sandbox_begin(&box, lane, g, &err) < 0 ||
		tg_sandbox_await(&box, lane, g, deadline, &err) < 0 ||
		tg_sandbox_place(&box, &err) < 0 ||
		tg_sandbox_ask(&box, &req, 10 * TG_NS_PER_S, &answer, &err) < 0)
		fail_msg("lane %s: %s", lane->name, err.msg);
	*cpus = box.cpus;
	check_placed(lane, box.child.pid, cpus);
	if (tg_sandbox_quit(&box, &err) < 0)
		fail_msg("lane %s: %s", lane->name, err.msg);
	memcpy(v->text, answer.text, sizeof(v->text));
	if (!cut(v))
		fail_msg("lane %s sees `%s`", lane->name, answer.text);
	sort_env(v->env, strlen(v->env) + 1);
}

/* "TYPE:POINT,": is there a mount on `point`? */
static bool has_mount(const struct view *v, const char *point)
{
	char end[64];

	snprintf(end, sizeof(end), ":%s,", point);
	return strstr(v->mounts, end) != NULL;
}

static void every_lane_sees_the_same(void **state)
{
	static const char *const points[] = {"/proc", "/dev", "/tmp", "/bind"};
	static struct view native, v;
	struct tg_ground g;
	cpu_set_t saved, cpus;
	struct tg_err err = {0};

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(saved), &saved), 0);
	assert_int_equal(tg_ground_find(&g, PROBE, tg_build_id, &err), 0);
	look(tg_lanes_find(&lanes, "native"), &g, &native, &cpus);
	for (const char *at = ready; *at;) {
		char placed[256] = "", name[TG_LANE_NAME_MAX];
		const struct tg_lane *lane;
		size_t n = 0;

		at = next_name(at, name);
		lane = tg_lanes_find(&lanes, name);
		assert_non_null(lane);
		look(lane, &g, &v, &cpus);
		for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
			if (CPU_ISSET(cpu, &cpus))
				n += (size_t)snprintf(placed + n, sizeof(placed) - n, "%zu,", cpu);
		print_message("# %s: cpus=%s cwd=%s nofile=%s env=%s\n", lane->name, v.cpus, v.cwd,
			v.nofile, v.env);
		if (strcmp(v.env, native.env) != 0 || strcmp(v.cwd, native.cwd) != 0 ||
			strcmp(v.nofile, native.nofile) != 0)
			fail_msg("lane %s sees cwd=%s nofile=%s env=%s, native cwd=%s nofile=%s "
				 "env=%s",
				lane->name, v.cwd, v.nofile, v.env, native.cwd, native.nofile,
				native.env);
		/* gVisor's kernel has CPUs of its own numbering; where they run is the host's to
		 * say */
		if (strncmp(lane->name, "runsc", strlen("runsc")) != 0 &&
			strcmp(v.cpus, placed) != 0)
			fail_msg("lane %s is placed on %s and sees %s", lane->name, placed, v.cpus);
		for (size_t p = 0; p < TG_ARRAY_SIZE(points); p++)
			if (!has_mount(&v, points[p]))
				fail_msg("lane %s has no mount on %s: %s", lane->name, points[p],
					v.mounts);
	}
	sched_setaffinity(0, sizeof(saved), &saved);
	scenario_check_gone(s, 0, false);
}

/* Killed in the middle, as after an error: no process and no control group of any runtime stays. */
static void killed_sandbox_leaves_nothing(void **state)
{
	struct tg_ground g;
	cpu_set_t saved;
	struct tg_err err = {0};
	char name[TG_LANE_NAME_MAX], found[TG_PATH_MAX] = "";

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(saved), &saved), 0);
	assert_int_equal(tg_ground_find(&g, PROBE, tg_build_id, &err), 0);
	for (const char *at = ready; *at;) {
		struct tg_sandbox box;
		const struct tg_lane *lane;

		at = next_name(at, name);
		lane = tg_lanes_find(&lanes, name);
		if (tg_sandbox_begin(&box, lane, &g, &err) < 0 ||
			tg_sandbox_await(&box, lane, &g, tg_now_ns() + 10 * TG_NS_PER_S, &err) < 0)
			fail_msg("lane %s: %s", name, err.msg);
		tg_child_kill(&box.child);
		if (scenario_processes(found, sizeof(found)) != 0)
			fail_msg("lane %s leaves a process `%s`", name, found);
		if (scenario_cgroups(getpid(), found, sizeof(found)) != 0)
			fail_msg("lane %s leaves a control group: %s", name, found);
	}
	sched_setaffinity(0, sizeof(saved), &saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(run_measures_every_lane_and_leaves_nothing),
		cmocka_unit_test(every_lane_sees_the_same),
		cmocka_unit_test(killed_sandbox_leaves_nothing),
	};

	return cmocka_run_group_tests_name("real", tests, setup, scenario_teardown);
}
