/* test_results.c: results.json and flat.json, as Google Benchmark's readers and a later report see
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/results.h"

#include "common/cleanup.h"
#include "store/json.h"
#include "tests/store_files.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

enum { NATIVE, NULL_LANE, RUNC, PSS, IDLE, BROKEN, MS, RESULTS };

static struct tg_result result(const char *bench, const char *lane, size_t blocks, double cost)
{
	struct tg_result r = {
		.ref = "native",
		.unit = "ns",
		.source = "suites/syscall.c:42",
		.cpus = 1,
		.ops = 5000,
		.batches = 8,
		.blocks = blocks,
		.native = 107.5,
		.mad = 0.01,
		.rounds = 8,
		.tolerance = 0.05,
		.y = calloc(blocks + 1, sizeof(double)),
		.cost = calloc(blocks + 1, sizeof(double)),
	};

	snprintf(r.bench, sizeof(r.bench), "%s", bench);
	snprintf(r.lane, sizeof(r.lane), "%s", lane);
	for (size_t i = 0; i < blocks; i++) {
		r.cost[i] = cost * (1 + 0.001 * (double)(i * 5 % 7));
		r.y[i] = strcmp(lane, "native") == 0 ? NAN : log(r.cost[i] / 107.5);
	}
	return r;
}

static struct tg_verdict verdict(enum tg_verdict_kind kind, const char *reason)
{
	struct tg_verdict v = {
		.kind = kind,
		.slowdown = 1.0125,
		.base = 1.01,
		.delta = 0.0025,
		.lo = -0.012,
		.hi = 0.017,
		.se = 0.008,
		.df = INFINITY,
		.p = 0.75,
		.mde = 0.061,
		.role = TG_ROLE_WATCH,
		.blocks_now = 12,
		.sessions_base = 8,
		.blocks_needed = -1,
		.mde_floor = 0.04,
		.p_confirm = NAN,
	};

	snprintf(v.reason, sizeof(v.reason), "%s", reason);
	return v;
}

static void fill_results(struct tg_results *r)
{
	r->v = calloc(RESULTS, sizeof(*r->v));
	r->count = RESULTS;
	r->v[NATIVE] = result("syscall/getpid", "native", 12, 107.5);
	r->v[NULL_LANE] = result("syscall/getpid", "null", 12, 107.9);
	r->v[NULL_LANE].null_control = true;
	r->v[RUNC] = result("syscall/getpid", "runc", 12, 109.0);
	r->v[RUNC].cost[5] = r->v[RUNC].y[5] = NAN;
	r->v[RUNC].judged = true;
	r->v[RUNC].verdict = verdict(TG_PASS, "");
	r->v[PSS] = result("footprint/pss", "runc", 12, 4096);
	strcpy(r->v[PSS].ref, "none");
	strcpy(r->v[PSS].unit, "KiB");
	r->v[PSS].native = NAN;
	r->v[PSS].judged = true;
	r->v[PSS].verdict = verdict(TG_INCONCLUSIVE, "too \"noisy\"");
	r->v[IDLE] = result("footprint/idle", "runc", 12, 0);
	strcpy(r->v[IDLE].ref, "none");
	strcpy(r->v[IDLE].unit, "ms");
	for (size_t i = 0; i < 12; i++)
		r->v[IDLE].y[i] = 0;
	r->v[BROKEN] = result("syscall/getpid", "runsc-kvm", 0, 0);
	r->v[BROKEN].source = NULL;
	r->v[BROKEN].judged = true;
	r->v[BROKEN].verdict = verdict(TG_ERROR, "not ready within 10 s");
	r->v[MS] = result("startup/total", "runc", 1, 151.25);
	strcpy(r->v[MS].unit, "ms");
}

static struct tg_results sample(void)
{
	struct tg_results r = {
		.date = "2026-11-21T09:30:00+00:00",
		.command = "check",
		.seed = (unsigned long)-1,
		.tolerance = 0.05,
		.baseline_sessions = 8,
		.baseline_date = "2026-11-20T09:30:00+00:00",
		.lane_count = 2,
		.is_void = true,
		.void_reason = "null lane off",
		.timed_s = 10.5,
		.warm_s = 5.25,
		.wall_s = 60.125,
		.machine = {.name = "vm-epyc-2", .count = 4},
	};

	r.machine.facts[0] = (struct tg_fact){"cpu_model", "AMD EPYC", true};
	r.machine.facts[1] = (struct tg_fact){"cores", "2", true};
	r.machine.facts[2] = (struct tg_fact){"load", "0.10 0.20 0.30", false};
	r.machine.facts[3] = (struct tg_fact){"governor", "powersave", false};
	r.lanes[0] = (struct tg_lane_state){.name = "native", .cpus = 1, .ready = true};
	r.lanes[1] = (struct tg_lane_state){.name = "runsc-kvm",
		.version = "runsc version 1",
		.path = "/usr/bin/runsc",
		.cpus = 1,
		.reason = "said \xff\n\x1b[31m"};
	fill_results(&r);
	return r;
}

static cJSON *written(struct files *f, const struct tg_results *r, bool flat)
{
	const char *path = files_path(f, flat ? "flat.json" : "results.json");
	struct tg_err err = {0};
	cJSON *root = NULL;
	char *text;

	if ((flat ? tg_results_write_flat : tg_results_write)(r, path, &err) < 0)
		fail_msg("%s", err.msg);
	text = files_get(path);
	if (tg_json_parse(text, strlen(text), &root, &err) < 0)
		fail_msg("%s", err.msg);
	free(text);
	return root;
}

static const cJSON *rows_of(const cJSON *root)
{
	const cJSON *rows = cJSON_GetObjectItemCaseSensitive(root, "benchmarks");

	assert_true(cJSON_IsArray(rows));
	return rows;
}

static const cJSON *row_named(const cJSON *root, const char *name, int nth)
{
	const cJSON *row;

	cJSON_ArrayForEach(row,
		rows_of(root)) if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row,
						  "name")),
					   name) == 0 &&
		nth-- == 0) return row;
	return NULL;
}

static double number(const cJSON *row, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, key);

	return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static const char *text_at(const cJSON *row, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, key);

	return cJSON_IsString(item) ? item->valuestring : "";
}

/* What compare.py, Bencher and github-action-benchmark stumble over. */
static void check_rules(const cJSON *root)
{
	const cJSON *context = cJSON_GetObjectItemCaseSensitive(root, "context"), *row;

	assert_true(cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(context, "caches")));
	assert_true(number(context, "json_schema_version") == 1);
	assert_string_equal(text_at(context, "library_build_type"), "release");
	assert_string_equal(text_at(context, "machine_cpu_model"), "AMD EPYC");
	assert_true(number(context, "num_cpus") == 2);
	cJSON_ArrayForEach(row, rows_of(root))
	{
		assert_true(number(row, "real_time") > 0 || number(row, "cpu_time") == 0 ||
			strcmp(text_at(row, "run_type"), "aggregate") == 0);
		assert_true(isfinite(number(row, "real_time")));
		assert_true(isfinite(number(row, "cpu_time")));
		assert_string_equal(text_at(row, "time_unit"), "ns");
		assert_non_null(strstr(text_at(row, "run_name"), "/lane:"));
	}
}

static void full_file_has_repetitions_and_aggregates_of_each_listed_row(void **state)
{
	static const struct {
		const char *name;
		int count;
	} rows[] = {
		{"syscall/getpid/lane:native", 12},
		{"syscall/getpid/lane:native_mean", 1},
		{"syscall/getpid/lane:native_median", 1},
		{"syscall/getpid/lane:native_stddev", 1},
		{"syscall/getpid/lane:native_cv", 1},
		{"syscall/getpid/lane:runc", 11}, /* one block gave nothing */
		{"footprint/pss/lane:runc", 12},
		{"startup/total/lane:runc", 1},
		{"startup/total/lane:runc_median", 1},
		{"startup/total/lane:runc_stddev", 0}, /* of one value there is none */
		{"footprint/idle/lane:runc", 0},
		{"syscall/getpid/lane:runsc-kvm", 0},
	};
	struct tg_results r = sample();
	cJSON *root = written(*state, &r, false);

	check_rules(root);
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		int n = 0;

		while (row_named(root, rows[i].name, n))
			n++;
		if (n != rows[i].count)
			fail_msg("%s: %d rows instead of %d", rows[i].name, n, rows[i].count);
	}
	cJSON_Delete(root);
	tg_results_free(&r);
}

static void repetition_rows_count_up_and_carry_y(void **state)
{
	struct tg_results r = sample();
	cJSON *root = written(*state, &r, false);
	const cJSON *row = row_named(root, "syscall/getpid/lane:runc", 5);

	assert_true(number(row, "repetition_index") == 6);
	assert_true(number(row, "repetitions") == 12);
	assert_true(number(row, "iterations") == 5000 * 8 * 8);
	assert_true(fabs(number(row, "real_time") / r.v[RUNC].cost[6] - 1) < 1e-9);
	assert_true(fabs(number(row, "y") - r.v[RUNC].y[6]) < 1e-9);
	row = row_named(root, "syscall/getpid/lane:native", 0);
	assert_true(isnan(number(row, "y")));
	row = row_named(root, "startup/total/lane:runc", 0);
	assert_true(number(row, "real_time") == 151.25e6);
	row = row_named(root, "footprint/pss/lane:runc", 0);
	assert_true(number(row, "real_time") == 4096);
	assert_string_equal(text_at(row, "label"), "KiB");
	cJSON_Delete(root);
	tg_results_free(&r);
}

static void median_row_carries_the_verdict(void **state)
{
	static const struct {
		const char *key;
		double want;
	} numbers[] = {{"slowdown", 1.0125}, {"base_slowdown", 1.01}, {"delta_lo", -0.012},
		{"delta_hi", 0.017}, {"mde", 0.061}, {"p", 0.75}, {"ops", 5000}, {"cpus", 1},
		{"tolerance", 0.05}, {"native", 107.5}, {"blocks", 12}, {"rounds", 8}};
	struct tg_results r = sample();
	cJSON *root = written(*state, &r, false);
	const cJSON *row = row_named(root, "syscall/getpid/lane:runc_median", 0);

	for (size_t i = 0; i < TG_ARRAY_SIZE(numbers); i++)
		if (number(row, numbers[i].key) != numbers[i].want)
			fail_msg("%s is %g", numbers[i].key, number(row, numbers[i].key));
	assert_true(isnan(number(row, "df")));
	assert_string_equal(text_at(row, "label"), "PASS");
	assert_string_equal(text_at(row, "role"), "watch");
	assert_string_equal(text_at(row, "ref"), "native");
	assert_string_equal(text_at(row, "unit"), "ns");
	row = row_named(root, "footprint/pss/lane:runc_median", 0);
	assert_string_equal(text_at(row, "label"), "INCONCLUSIVE: too \"noisy\" (KiB)");
	row = row_named(root, "syscall/getpid/lane:null_median", 0);
	assert_string_equal(text_at(row, "label"), "");
	assert_string_equal(text_at(row, "verdict"), "");
	assert_true(fabs(number(row, "slowdown") - 107.9 / 107.5) < 0.01);
	cJSON_Delete(root);
	tg_results_free(&r);
}

static void flat_file_has_one_row_a_name(void **state)
{
	struct tg_results r = sample();
	cJSON *root = written(*state, &r, true);
	const cJSON *row;

	check_rules(root);
	assert_int_equal(cJSON_GetArraySize(rows_of(root)), 5);
	cJSON_ArrayForEach(row, rows_of(root))
	{
		assert_string_equal(text_at(row, "run_type"), "iteration");
		assert_string_equal(text_at(row, "name"), text_at(row, "run_name"));
	}
	row = row_named(root, "syscall/getpid/lane:native", 0);
	assert_true(number(row, "real_time") > 107.5 && number(row, "real_time") < 108.2);
	assert_false(tg_json_has(root, "tollgate"));
	cJSON_Delete(root);
	tg_results_free(&r);
}

static bool same(double a, double b)
{
	return isnan(a) || isinf(a) ? isnan(b) : fabs(a - b) <= 1e-9 * fabs(a) + 1e-6;
}

static void same_verdict(const struct tg_verdict *a, const struct tg_verdict *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_string_equal(a->reason, b->reason);
	assert_int_equal(a->role, b->role);
	assert_true(same(a->slowdown, b->slowdown) && same(a->base, b->base));
	assert_true(same(a->delta, b->delta) && same(a->lo, b->lo) && same(a->hi, b->hi));
	assert_true(same(a->se, b->se) && same(a->df, b->df) && same(a->p, b->p));
	assert_true(same(a->mde, b->mde) && same(a->mde_floor, b->mde_floor));
	assert_true(same(a->p_confirm, b->p_confirm));
	assert_int_equal(a->blocks_now, b->blocks_now);
	assert_int_equal(a->sessions_base, b->sessions_base);
	assert_int_equal(a->blocks_needed, b->blocks_needed);
}

static void same_result(const struct tg_result *a, const struct tg_result *b)
{
	assert_string_equal(a->bench, b->bench);
	assert_string_equal(a->lane, b->lane);
	assert_string_equal(a->ref, b->ref);
	assert_string_equal(a->unit, b->unit);
	if (a->source)
		assert_string_equal(a->source, b->source);
	else
		assert_null(b->source);
	assert_int_equal(a->cpus, b->cpus);
	assert_int_equal(a->ops, b->ops);
	assert_int_equal(a->batches, b->batches);
	assert_int_equal(a->rounds, b->rounds);
	assert_int_equal(a->judged, b->judged);
	assert_int_equal(a->null_control, b->null_control);
	assert_true(same(a->native, b->native) && same(a->mad, b->mad));
	assert_true(same(a->tolerance, b->tolerance));
	assert_int_equal(a->blocks, b->blocks);
	for (size_t i = 0; i < a->blocks; i++)
		assert_true(same(a->y[i], b->y[i]) && same(a->cost[i], b->cost[i]));
	if (a->judged)
		same_verdict(&a->verdict, &b->verdict);
}

static void read_of_a_written_file_has_all_a_report_needs(void **state)
{
	struct tg_results r = sample(), again = {0};
	struct tg_err err = {0};
	char *one, *two;

	cJSON_Delete(written(*state, &r, false));
	if (tg_results_read(files_path(*state, "results.json"), &again, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(again.count, r.count);
	for (size_t i = 0; i < r.count; i++)
		same_result(&r.v[i], &again.v[i]);
	assert_string_equal(again.date, r.date);
	assert_string_equal(again.command, "check");
	assert_true(again.seed == r.seed);
	assert_true(again.is_void);
	assert_string_equal(again.void_reason, "null lane off");
	assert_int_equal(again.baseline_sessions, 8);
	assert_true(again.wall_s == 60.125 && again.timed_s == 10.5 && again.warm_s == 5.25);
	assert_int_equal(again.lane_count, 2);
	assert_true(again.lanes[0].ready);
	assert_string_equal(again.lanes[1].reason, "said ???[31m");
	assert_string_equal(again.lanes[1].path, "/usr/bin/runsc");
	assert_memory_equal(&again.machine, &r.machine, sizeof(r.machine));

	/* What was read is written the same. */
	one = files_get(files_path(*state, "results.json"));
	cJSON_Delete(written(*state, &again, false));
	two = files_get(files_path(*state, "results.json"));
	assert_string_equal(one, two);
	free(one);
	free(two);
	tg_results_free(&r);
	tg_results_free(&again);
}

static void read_of_an_empty_run_is_fine(void **state)
{
	struct tg_results r = {.date = "d", .command = "run", .machine = {.name = "m"}}, again;

	cJSON_Delete(written(*state, &r, false));
	assert_int_equal(tg_results_read(files_path(*state, "results.json"), &again, NULL), 0);
	assert_int_equal(again.count, 0);
	tg_results_free(&again);
}

static const struct {
	const char *from, *to, *want;
} hostile[] = {
	{"\"tollgate\": {", "\"other\": {", "key \"tollgate\""},
	{"\"version\": 1", "\"version\": 2", "key \"version\""},
	{"\"benchmarks\": [", "\"benchmarks\": {}, \"x\": [", "key \"benchmarks\""},
	{"\"index\":0", "\"index\":1", "key \"index\": given twice"},
	{"\"index\":0", "\"index\":7", "key \"index\""},
	{"\"index\":0", "\"index\":-1", "key \"index\""},
	{"\"blocks\":12", "\"blocks\":5", "key \"repetition_index\""},
	{"\"blocks\":12", "\"blocks\":1e9", "key \"blocks\""},
	{"\"blocks\":12", "\"blocks\":12,\"blocks\":12", "key \"blocks\" is given twice"},
	{"\"repetition_index\":3", "\"repetition_index\":99", "key \"repetition_index\""},
	{"\"real_time\":107.5", "\"real_time\":-1", "key \"real_time\""},
	{"\"real_time\":107.5", "\"real_time\":1e999", "not a finite number"},
	{"\"family_index\":0", "\"family_index\":2", "key \"run_name\""},
	{"\"verdict\":\"PASS\"", "\"verdict\":\"FINE\"", "key \"verdict\""},
	{"\"role\":\"watch\"", "\"role\":\"x\"", "key \"role\""},
	{"\"judged\":true", "\"judged\":1", "key \"judged\""},
	{"\"reason\":\"\"", "\"reason\":\"\\u001b\"", "key \"reason\""},
	{"\"name\":\"runsc-kvm\"", "\"name\":7", "key \"lanes\": key \"name\""},
	{"\"seed\":\"", "\"seed\":7,\"x\":\"", "key \"seed\""},
	{"\"cost\":[]", "\"cost\":[1]", "key \"unlisted\": key \"cost\""},
};

static void read_of_hostile_files_names_the_key_and_leaves_the_output(void **state)
{
	struct tg_results r = sample();
	char *good;

	cJSON_Delete(written(*state, &r, false));
	tg_results_free(&r);
	good = files_get(files_path(*state, "results.json"));
	for (size_t i = 0; i < TG_ARRAY_SIZE(hostile); i++) {
		struct tg_results got = {.count = 77};
		struct tg_err err = {0};
		char *bad = replaced(good, hostile[i].from, hostile[i].to);

		files_put(*state, "bad.json", bad);
		if (tg_results_read(files_path(*state, "bad.json"), &got, &err) != -EINVAL ||
			got.count != 77 || !strstr(err.msg, "/bad.json: ") ||
			!strstr(err.msg, hostile[i].want))
			fail_msg("row %zu: `%s` instead of `%s`", i, err.msg, hostile[i].want);
		free(bad);
	}
	for (size_t n = 0; n < strlen(good) - 1; n += 17) {
		struct tg_results got = {.count = 77};

		files_put_bytes(*state, "bad.json", good, n);
		assert_int_equal(
			tg_results_read(files_path(*state, "bad.json"), &got, NULL), -EINVAL);
		assert_int_equal(got.count, 77);
	}
	free(good);
}

static void write_on_a_full_disk_keeps_the_old_file(void **state)
{
	struct tg_results r = sample();
	struct tg_err err = {0};
	struct rlimit lim;
	char *text;
	int rc;

	files_put(*state, "results.json", "old");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &lim), 0);
	lim.rlim_cur = 2000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
	rc = tg_results_write(&r, files_path(*state, "results.json"), &err);
	lim.rlim_cur = lim.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
	assert_int_equal(rc, -EFBIG);
	assert_non_null(strstr(err.msg, "/results.json: "));
	text = files_get(files_path(*state, "results.json"));
	assert_string_equal(text, "old");
	assert_int_equal(files_count(((struct files *)*state)->dir), 1);
	free(text);
	tg_results_free(&r);
}

#define WITH_FILES(f) cmocka_unit_test_setup_teardown(f, files_setup, files_teardown)

/* With a path: write the sample there, for ci/test-compare-py.sh. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		WITH_FILES(full_file_has_repetitions_and_aggregates_of_each_listed_row),
		WITH_FILES(repetition_rows_count_up_and_carry_y),
		WITH_FILES(median_row_carries_the_verdict),
		WITH_FILES(flat_file_has_one_row_a_name),
		WITH_FILES(read_of_a_written_file_has_all_a_report_needs),
		WITH_FILES(read_of_an_empty_run_is_fine),
		WITH_FILES(read_of_hostile_files_names_the_key_and_leaves_the_output),
		WITH_FILES(write_on_a_full_disk_keeps_the_old_file),
	};

	if (argc == 2) {
		struct tg_results r = sample();
		int rc = tg_results_write(&r, argv[1], NULL);

		tg_results_free(&r);
		return rc < 0;
	}
	return cmocka_run_group_tests_name("results", tests, NULL, NULL);
}
