#include "store/results.h"

#include "common/cleanup.h"
#include "store/file.h"
#include "store/json.h"
#include "store/machine_json.h"
#include "store/names.h"
#include "verdict/stats.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define ROW_NAME_MAX (TG_BENCH_NAME_MAX + TG_LANE_NAME_MAX + 8)
#define DIGITS	     10

void tg_results_free(struct tg_results *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->v[i].y);
		free(r->v[i].cost);
	}
	free(r->v);
	free(r->sources);
	r->v = NULL;
	r->sources = NULL;
	r->count = 0;
}

/*
 * Can the result stand among rows that other programs read as times? One real_time of 0 makes
 * compare.py's OVERALL_GEOMEAN vanish without a word, and a missing one is fatal to the whole file.
 */
static bool is_listed(const struct tg_result *res)
{
	bool some = false;

	for (size_t i = 0; i < res->blocks; i++) {
		if (!isfinite(res->cost[i]))
			continue;
		if (res->cost[i] <= 0)
			return false;
		some = true;
	}
	return some;
}

/* The finite costs, in ns where the unit is one of time, else as they are. Returns how many. */
static size_t times_of(const struct tg_result *res, double *out)
{
	double ns = tg_unit_ns(res->unit);
	size_t n = 0;

	for (size_t i = 0; i < res->blocks; i++)
		if (isfinite(res->cost[i]))
			out[n++] = res->cost[i] * (ns > 0 ? ns : 1);
	return n;
}

static void row_name(const struct tg_result *res, char name[ROW_NAME_MAX])
{
	snprintf(name, ROW_NAME_MAX, "%s/lane:%s", res->bench, res->lane);
}

/* The keys that every row starts with; `aggregate` is NULL in an iteration row. */
static bool put_head(cJSON *obj, const struct tg_result *res, size_t index, const char *aggregate)
{
	char run_name[ROW_NAME_MAX], name[ROW_NAME_MAX + 16];

	row_name(res, run_name);
	snprintf(name, sizeof(name), "%s%s%s", run_name, aggregate ? "_" : "",
		aggregate ? aggregate : "");
	return tg_json_put_text(obj, "name", name) && tg_json_put_u64(obj, "family_index", index) &&
		tg_json_put_int(obj, "per_family_instance_index", 0) &&
		tg_json_put_text(obj, "run_name", run_name) &&
		tg_json_put_text(obj, "run_type", aggregate ? "aggregate" : "iteration");
}

static bool put_times(cJSON *obj, uint64_t iterations, double time)
{
	/* cpu_time: gVisor's CPU clocks tick at 10 ms, so there is none worth writing; readers need
	 * one. */
	return tg_json_put_u64(obj, "iterations", iterations) &&
		tg_json_put_number(obj, "real_time", time, DIGITS) &&
		tg_json_put_number(obj, "cpu_time", time, DIGITS) &&
		tg_json_put_text(obj, "time_unit", "ns");
}

static bool put_unit_label(cJSON *obj, const struct tg_result *res)
{
	return tg_unit_ns(res->unit) > 0 || tg_json_put_text(obj, "label", res->unit);
}

static uint64_t iterations_of(const struct tg_result *res)
{
	uint64_t batches = res->batches ? res->batches : 1, rounds = res->rounds ? res->rounds : 1;

	return res->ops * batches * rounds;
}

static cJSON *repetition_row(const struct tg_result *res, size_t index, size_t block)
{
	tg_autojson cJSON *obj = cJSON_CreateObject();
	double ns = tg_unit_ns(res->unit);

	if (!put_head(obj, res, index, NULL) || !tg_json_put_u64(obj, "repetitions", res->blocks) ||
		!tg_json_put_u64(obj, "repetition_index", block) ||
		!tg_json_put_int(obj, "threads", 1) ||
		!put_times(obj, iterations_of(res), res->cost[block] * (ns > 0 ? ns : 1)) ||
		!tg_json_put_number(obj, "y", res->y[block], DIGITS) || !put_unit_label(obj, res))
		return NULL;
	return tg_steal(&obj);
}

static cJSON *aggregate_row(
	const struct tg_result *res, size_t index, size_t n, const char *aggregate, double value)
{
	tg_autojson cJSON *obj = cJSON_CreateObject();
	const char *kind = strcmp(aggregate, "cv") == 0 ? "percentage" : "time";

	if (!put_head(obj, res, index, aggregate) ||
		!tg_json_put_u64(obj, "repetitions", res->blocks) ||
		!tg_json_put_int(obj, "threads", 1) ||
		!tg_json_put_text(obj, "aggregate_name", aggregate) ||
		!tg_json_put_text(obj, "aggregate_unit", kind) || !put_times(obj, n, value))
		return NULL;
	return tg_steal(&obj);
}

static bool put_measure(cJSON *obj, const struct tg_result *res, size_t index)
{
	return tg_json_put_u64(obj, "index", index) && tg_json_put_text(obj, "ref", res->ref) &&
		tg_json_put_text(obj, "unit", res->unit) &&
		tg_json_put_int(obj, "cpus", res->cpus) && tg_json_put_u64(obj, "ops", res->ops) &&
		tg_json_put_u64(obj, "batches", res->batches) &&
		tg_json_put_u64(obj, "rounds", res->rounds) &&
		tg_json_put_u64(obj, "blocks", res->blocks) &&
		tg_json_put_number(obj, "native", res->native, DIGITS) &&
		tg_json_put_number(obj, "mad", res->mad, DIGITS) &&
		tg_json_put_number(obj, "tolerance", res->tolerance, DIGITS) &&
		(!res->source || tg_json_put_text(obj, "source", res->source)) &&
		tg_json_put_bool(obj, "null_control", res->null_control) &&
		tg_json_put_bool(obj, "judged", res->judged);
}

static bool put_verdict(cJSON *obj, const struct tg_verdict *v)
{
	return tg_json_put_text(obj, "verdict", tg_verdict_name(v->kind)) &&
		tg_json_put_text(obj, "reason", v->reason) &&
		tg_json_put_text(obj, "role", v->role == TG_ROLE_GATE ? "gate" : "watch") &&
		tg_json_put_number(obj, "slowdown", v->slowdown, DIGITS) &&
		tg_json_put_number(obj, "base_slowdown", v->base, DIGITS) &&
		tg_json_put_number(obj, "delta", v->delta, DIGITS) &&
		tg_json_put_number(obj, "delta_lo", v->lo, DIGITS) &&
		tg_json_put_number(obj, "delta_hi", v->hi, DIGITS) &&
		tg_json_put_number(obj, "se", v->se, DIGITS) &&
		tg_json_put_number(obj, "df", v->df, DIGITS) &&
		tg_json_put_number(obj, "p", v->p, DIGITS) &&
		tg_json_put_number(obj, "p_confirm", v->p_confirm, DIGITS) &&
		tg_json_put_number(obj, "mde", v->mde, DIGITS) &&
		tg_json_put_number(obj, "mde_floor", v->mde_floor, DIGITS) &&
		tg_json_put_u64(obj, "blocks_now", v->blocks_now) &&
		tg_json_put_int(obj, "blocks_needed", v->blocks_needed) &&
		tg_json_put_u64(obj, "sessions_base", v->sessions_base);
}

/* A result that was measured but not judged has a slowdown too. */
static bool put_slowdown(cJSON *obj, const struct tg_result *res)
{
	tg_autofree double *y = calloc(res->blocks + 1, sizeof(*y));
	double centre;
	size_t n = 0;

	if (!y)
		return false;
	for (size_t i = 0; i < res->blocks; i++)
		if (isfinite(res->y[i]))
			y[n++] = res->y[i];
	centre = tg_hodges_lehmann(y, n); /* NAN for none, and then it is left out */
	return tg_json_put_number(
		obj, "slowdown", strcmp(res->ref, "none") == 0 ? centre : exp(centre), DIGITS);
}

static bool put_outcome(cJSON *obj, const struct tg_result *res)
{
	return res->judged ? put_verdict(obj, &res->verdict) : put_slowdown(obj, res);
}

/* "INCONCLUSIVE: reason (KiB)" */
static bool put_verdict_label(cJSON *obj, const struct tg_result *res)
{
	char label[256];

	if (!res->judged)
		return put_unit_label(obj, res);
	snprintf(label, sizeof(label), "%s%s%s", tg_verdict_name(res->verdict.kind),
		res->verdict.reason[0] ? ": " : "", res->verdict.reason);
	if (!(tg_unit_ns(res->unit) > 0))
		snprintf(label + strlen(label), sizeof(label) - strlen(label), " (%s)", res->unit);
	return tg_json_put_text(obj, "label", label);
}

static cJSON *median_row(const struct tg_result *res, size_t index, size_t n, double median)
{
	tg_autojson cJSON *obj = aggregate_row(res, index, n, "median", median);

	if (!put_measure(obj, res, index) || !put_outcome(obj, res) || !put_verdict_label(obj, res))
		return NULL;
	return tg_steal(&obj);
}

/* One row, with the comma that separates it from the one before. */
static int print_row(FILE *out, bool *first, cJSON *row)
{
	fputs(*first ? "\n" : ",\n", out);
	*first = false;
	return tg_json_print(out, row, "");
}

static int print_aggregates(FILE *out, bool *first, const struct tg_result *res, size_t index,
	const double *times, size_t n)
{
	double mean = tg_mean(times, n), stddev = sqrt(tg_variance(times, n));
	int rc = print_row(out, first, aggregate_row(res, index, n, "mean", mean));

	if (rc == 0)
		rc = print_row(out, first, median_row(res, index, n, tg_median(times, n)));
	if (n < 2)
		return rc;
	if (rc == 0)
		rc = print_row(out, first, aggregate_row(res, index, n, "stddev", stddev));
	if (rc == 0)
		rc = print_row(out, first, aggregate_row(res, index, n, "cv", stddev / mean));
	return rc;
}

static int print_full(FILE *out, bool *first, const struct tg_result *res, size_t index)
{
	tg_autofree double *times = calloc(res->blocks + 1, sizeof(*times));
	int rc = times ? 0 : -ENOMEM;

	for (size_t i = 0; i < res->blocks && rc == 0; i++)
		if (isfinite(res->cost[i]))
			rc = print_row(out, first, repetition_row(res, index, i));
	if (rc == 0)
		rc = print_aggregates(out, first, res, index, times, times_of(res, times));
	return rc;
}

static cJSON *flat_row(const struct tg_result *res, size_t index)
{
	tg_autofree double *times = calloc(res->blocks + 1, sizeof(*times));
	tg_autojson cJSON *obj = cJSON_CreateObject();

	if (!times || !put_head(obj, res, index, NULL) || !tg_json_put_int(obj, "repetitions", 1) ||
		!tg_json_put_int(obj, "repetition_index", 0) ||
		!tg_json_put_int(obj, "threads", 1) ||
		!put_times(obj, iterations_of(res), tg_median(times, times_of(res, times))) ||
		!put_unit_label(obj, res))
		return NULL;
	return tg_steal(&obj);
}

static int print_flat(FILE *out, bool *first, const struct tg_result *res, size_t index)
{
	return print_row(out, first, flat_row(res, index));
}

/* What is in no benchmark row: nothing measured, or a cost of 0. Non-finite values are null. */
static cJSON *unlisted_row(const struct tg_result *res, size_t index)
{
	tg_autojson cJSON *obj = cJSON_CreateObject();
	char name[ROW_NAME_MAX];

	row_name(res, name);
	if (!tg_json_put_text(obj, "name", name) || !put_measure(obj, res, index) ||
		!put_outcome(obj, res) ||
		!tg_json_put(obj, "y", tg_json_fixed_array(res->y, res->blocks, 6)) ||
		!tg_json_put(obj, "cost", tg_json_fixed_array(res->cost, res->blocks, 6)))
		return NULL;
	return tg_steal(&obj);
}

static cJSON *load_array(const struct tg_machine *m)
{
	tg_autojson cJSON *array = cJSON_CreateArray();
	const char *load = tg_machine_fact(m, "load");
	double avg[3];
	int n = load ? sscanf(load, "%lf %lf %lf", &avg[0], &avg[1], &avg[2]) : 0;

	for (int i = 0; array && i < n; i++) {
		cJSON *item = isfinite(avg[i]) ? cJSON_CreateNumber(avg[i]) : NULL;

		if (!item || !cJSON_AddItemToArray(array, item)) {
			cJSON_Delete(item);
			return NULL;
		}
	}
	return tg_steal(&array);
}

static int fact_int(const struct tg_machine *m, const char *key)
{
	const char *value = tg_machine_fact(m, key);
	long n = value ? strtol(value, NULL, 10) : 0;

	return n > 0 && n < 1000000 ? (int)n : 0;
}

/* Google Benchmark's context; what is not its own is strings, as AddCustomContext makes them. */
static cJSON *context_object(const struct tg_results *r)
{
	tg_autojson cJSON *obj = cJSON_CreateObject();
	const struct tg_machine *m = &r->machine;
	const char *governor = tg_machine_fact(m, "governor");
	char host[65] = "unknown", key[48];
	bool ok;

	gethostname(host, sizeof(host) - 1);
	ok = tg_json_put_text(obj, "date", r->date) && tg_json_put_text(obj, "host_name", host) &&
		tg_json_put_text(obj, "executable", "tollgate") &&
		tg_json_put_int(obj, "num_cpus", fact_int(m, "cores")) &&
		tg_json_put_int(obj, "mhz_per_cpu", fact_int(m, "mhz"));
	if (ok && governor && strcmp(governor, "unknown") != 0)
		ok = tg_json_put_bool(
			obj, "cpu_scaling_enabled", strcmp(governor, "performance") != 0);
	ok = ok && tg_json_put(obj, "caches", cJSON_CreateArray()) &&
		tg_json_put(obj, "load_avg", load_array(m)) &&
		tg_json_put_text(obj, "library_build_type", "release") &&
		tg_json_put_int(obj, "json_schema_version", 1) &&
		tg_json_put_text(obj, "machine", m->name) &&
		tg_json_put_text(obj, "command", r->command);
	for (size_t i = 0; i < m->count && ok; i++) {
		snprintf(key, sizeof(key), "machine_%s", m->facts[i].key);
		ok = tg_json_put_text(obj, key, m->facts[i].value);
	}
	return ok ? tg_steal(&obj) : NULL;
}

static cJSON *lane_object(const struct tg_lane_state *lane)
{
	tg_autojson cJSON *obj = cJSON_CreateObject();

	if (!tg_json_put_text(obj, "name", lane->name) ||
		!tg_json_put_text(obj, "version", lane->version) ||
		!tg_json_put_text(obj, "path", lane->path) ||
		!tg_json_put_int(obj, "cpus", lane->cpus) ||
		!tg_json_put_bool(obj, "ready", lane->ready) ||
		!tg_json_put_text(obj, "reason", lane->reason))
		return NULL;
	return tg_steal(&obj);
}

static cJSON *run_object(const struct tg_results *r)
{
	tg_autojson cJSON *obj = cJSON_CreateObject();
	char seed[32];

	snprintf(seed, sizeof(seed), "%lu", r->seed); /* a string: a double holds 53 bits */
	if (!tg_json_put_text(obj, "command", r->command) || !tg_json_put_text(obj, "seed", seed) ||
		!tg_json_put_number(obj, "tolerance", r->tolerance, DIGITS) ||
		!tg_json_put_u64(obj, "baseline_sessions", r->baseline_sessions) ||
		!tg_json_put_text(obj, "baseline_date", r->baseline_date) ||
		!tg_json_put_bool(obj, "void", r->is_void) ||
		!tg_json_put_text(obj, "void_reason", r->void_reason) ||
		!tg_json_put_fixed(obj, "timed_s", r->timed_s, 3) ||
		!tg_json_put_fixed(obj, "warm_s", r->warm_s, 3) ||
		!tg_json_put_fixed(obj, "wall_s", r->wall_s, 3) ||
		!tg_json_put(obj, "machine", tg_machine_to_json(&r->machine)))
		return NULL;
	return tg_steal(&obj);
}

/* Beside Google Benchmark's two keys, which its readers look up by name: what they have no place
 * for. */
static int print_own(FILE *out, const struct tg_results *r)
{
	bool first = true;
	int rc;

	fputs(",\n\"tollgate\": {\n\"version\": 1,\n\"run\": ", out);
	rc = tg_json_print(out, run_object(r), ",\n\"lanes\": [");
	for (size_t i = 0; i < r->lane_count && rc == 0; i++)
		rc = print_row(out, &first, lane_object(&r->lanes[i]));
	fputs("],\n\"unlisted\": [", out);
	first = true;
	for (size_t i = 0; i < r->count && rc == 0; i++)
		if (!is_listed(&r->v[i]))
			rc = print_row(out, &first, unlisted_row(&r->v[i], i));
	fputs("]\n}", out);
	return rc;
}

static int print_all(FILE *out, const struct tg_results *r, bool flat)
{
	bool first = true;
	int rc;

	fputs("{\n\"context\": ", out);
	rc = tg_json_print(out, context_object(r), ",\n\"benchmarks\": [");
	for (size_t i = 0; i < r->count && rc == 0; i++)
		if (is_listed(&r->v[i]))
			rc = flat ? print_flat(out, &first, &r->v[i], i)
				  : print_full(out, &first, &r->v[i], i);
	fputs("\n]", out);
	if (rc == 0 && !flat)
		rc = print_own(out, r);
	fputs("\n}\n", out);
	return rc;
}

static int write_results(
	const struct tg_results *r, const char *path, bool flat, struct tg_err *err)
{
	struct tg_newfile f;
	int rc = tg_newfile_open(&f, path, err);

	if (rc < 0)
		return rc;
	rc = print_all(f.stream, r, flat);
	if (rc < 0) {
		tg_newfile_abandon(&f);
		return tg_err_set(err, -rc, "%s: %s", path, strerror(-rc));
	}
	return tg_newfile_publish(&f, err);
}

int tg_results_write(const struct tg_results *r, const char *path, struct tg_err *err)
{
	return write_results(r, path, false, err);
}

int tg_results_write_flat(const struct tg_results *r, const char *path, struct tg_err *err)
{
	return write_results(r, path, true, err);
}
