#include "store/results.h"

#include "common/cleanup.h"
#include "store/file.h"
#include "store/json.h"
#include "store/machine_json.h"
#include "store/names.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#define RESULTS_FILE_MAX ((size_t)64 << 20)
#define BLOCKS_MAX	 4096
#define SOURCE_MAX	 128
#define ROW_NAME_MAX	 (TG_BENCH_NAME_MAX + TG_LANE_NAME_MAX + 8)
#define NUMBER_MAX	 1e300

/* Absent means that it was not finite. */
static int get_number(const cJSON *obj, const char *key, double *out, struct tg_err *err)
{
	*out = NAN;
	return tg_json_has(obj, key) ? tg_json_number(obj, key, -NUMBER_MAX, NUMBER_MAX, out, err)
				     : 0;
}

static int get_size(const cJSON *obj, const char *key, size_t max, size_t *out, struct tg_err *err)
{
	uint64_t v = 0;
	int rc = tg_json_u64(obj, key, 0, max, &v, err);

	if (rc == 0)
		*out = (size_t)v;
	return rc;
}

static int get_unsigned(const cJSON *obj, const char *key, unsigned *out, struct tg_err *err)
{
	int v = 0, rc = tg_json_int(obj, key, 0, INT_MAX, &v, err);

	*out = (unsigned)v;
	return rc;
}

/* "suite/bench/lane:L" under `key` */
static int get_name(const cJSON *obj, const char *key, struct tg_result *res, struct tg_err *err)
{
	char name[ROW_NAME_MAX];
	char *mark;
	int rc = tg_json_text(obj, key, name, sizeof(name), err);

	if (rc < 0)
		return rc;
	mark = strstr(name, "/lane:");
	if (mark)
		*mark = '\0';
	if (!mark || !tg_bench_name_ok(name) || !tg_lane_name_ok(mark + 6))
		return tg_err_set(err, EINVAL, "key \"%s\": not suite/bench/lane:L", key);
	memcpy(res->bench, name, strlen(name) + 1);
	memcpy(res->lane, mark + 6, strlen(mark + 6) + 1);
	return 0;
}

static int get_kind(const cJSON *obj, struct tg_verdict *v, struct tg_err *err)
{
	char text[32];
	int rc = tg_json_text(obj, "verdict", text, sizeof(text), err);

	if (rc < 0)
		return rc;
	for (int k = TG_PASS; k <= TG_ERROR; k++)
		if (strcmp(tg_verdict_name((enum tg_verdict_kind)k), text) == 0) {
			v->kind = (enum tg_verdict_kind)k;
			return 0;
		}
	return tg_err_set(err, EINVAL, "key \"verdict\": \"%s\" is none", text);
}

static int get_role(const cJSON *obj, struct tg_verdict *v, struct tg_err *err)
{
	char text[16];
	int rc = tg_json_text(obj, "role", text, sizeof(text), err);

	if (rc == 0 && strcmp(text, "gate") != 0 && strcmp(text, "watch") != 0)
		rc = tg_err_set(err, EINVAL, "key \"role\": not gate or watch");
	if (rc == 0)
		v->role = strcmp(text, "gate") == 0 ? TG_ROLE_GATE : TG_ROLE_WATCH;
	return rc;
}

static int read_verdict(const cJSON *obj, struct tg_verdict *v, struct tg_err *err)
{
	const struct {
		const char *key;
		double *out;
	} numbers[] = {
		{"slowdown", &v->slowdown},
		{"base_slowdown", &v->base},
		{"delta", &v->delta},
		{"delta_lo", &v->lo},
		{"delta_hi", &v->hi},
		{"se", &v->se},
		{"df", &v->df},
		{"p", &v->p},
		{"p_confirm", &v->p_confirm},
		{"mde", &v->mde},
		{"mde_floor", &v->mde_floor},
	};
	int rc = get_kind(obj, v, err);

	if (rc == 0)
		rc = tg_json_text(obj, "reason", v->reason, sizeof(v->reason), err);
	if (rc == 0)
		rc = get_role(obj, v, err);
	for (size_t i = 0; i < TG_ARRAY_SIZE(numbers) && rc == 0; i++)
		rc = get_number(obj, numbers[i].key, numbers[i].out, err);
	if (rc == 0)
		rc = get_size(obj, "blocks_now", INT_MAX, &v->blocks_now, err);
	if (rc == 0)
		rc = get_size(obj, "sessions_base", INT_MAX, &v->sessions_base, err);
	if (rc == 0)
		rc = tg_json_int(obj, "blocks_needed", -1, INT_MAX, &v->blocks_needed, err);
	return rc;
}

static int read_measure(const cJSON *obj, struct tg_result *res, struct tg_err *err)
{
	int rc = tg_json_text(obj, "ref", res->ref, sizeof(res->ref), err);

	if (rc == 0)
		rc = tg_json_text(obj, "unit", res->unit, sizeof(res->unit), err);
	if (rc == 0)
		rc = tg_json_int(obj, "cpus", 0, 255, &res->cpus, err);
	if (rc == 0)
		rc = tg_json_u64(obj, "ops", 0, INT64_MAX, &res->ops, err);
	if (rc == 0)
		rc = get_unsigned(obj, "batches", &res->batches, err);
	if (rc == 0)
		rc = get_unsigned(obj, "rounds", &res->rounds, err);
	if (rc == 0)
		rc = get_number(obj, "native", &res->native, err);
	if (rc == 0)
		rc = get_number(obj, "mad", &res->mad, err);
	if (rc == 0)
		rc = get_number(obj, "tolerance", &res->tolerance, err);
	if (rc == 0)
		rc = tg_json_bool(obj, "null_control", &res->null_control, err);
	if (rc == 0)
		rc = tg_json_bool(obj, "judged", &res->judged, err);
	return rc;
}

static int make_blocks(const cJSON *obj, struct tg_result *res, struct tg_err *err)
{
	int rc = get_size(obj, "blocks", BLOCKS_MAX, &res->blocks, err);

	if (rc < 0)
		return rc;
	res->y = calloc(res->blocks + 1, sizeof(*res->y));
	res->cost = calloc(res->blocks + 1, sizeof(*res->cost));
	if (!res->y || !res->cost)
		return tg_err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < res->blocks; i++)
		res->y[i] = res->cost[i] = NAN;
	return 0;
}

/* A median row, or an unlisted one: everything but the blocks. */
static int read_result(const cJSON *obj, const char *name_key, struct tg_results *r,
	struct tg_result **ret, struct tg_err *err)
{
	struct tg_result *res;
	size_t index = 0;
	int rc = get_size(obj, "index", r->count - 1, &index, err);

	if (rc < 0)
		return rc;
	res = &r->v[index];
	if (res->y)
		return tg_err_set(err, EINVAL, "key \"index\": given twice");
	rc = get_name(obj, name_key, res, err);
	if (rc == 0)
		rc = make_blocks(obj, res, err);
	if (rc == 0)
		rc = read_measure(obj, res, err);
	if (rc == 0 && res->judged)
		rc = read_verdict(obj, &res->verdict, err);
	if (rc == 0 && tg_json_has(obj, "source")) {
		char *source = r->sources + index * SOURCE_MAX;

		rc = tg_json_text(obj, "source", source, SOURCE_MAX, err);
		res->source = source;
	}
	*ret = res;
	return rc;
}

static bool text_is(const cJSON *obj, const char *key, const char *text)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(obj, key);

	return cJSON_IsString(item) && strcmp(item->valuestring, text) == 0;
}

static int read_repetition(const cJSON *obj, struct tg_results *r, struct tg_err *err)
{
	char name[ROW_NAME_MAX];
	struct tg_result *res;
	size_t index = 0, block = 0;
	double ns;
	int rc = get_size(obj, "family_index", r->count - 1, &index, err);

	if (rc < 0)
		return rc;
	res = &r->v[index];
	snprintf(name, sizeof(name), "%s/lane:%s", res->bench, res->lane);
	if (!res->y || !text_is(obj, "run_name", name))
		return tg_err_set(err, EINVAL, "key \"run_name\": not the one of its median row");
	if (res->blocks == 0)
		return tg_err_set(err, EINVAL, "key \"repetition_index\": more than blocks");
	rc = get_size(obj, "repetition_index", res->blocks - 1, &block, err);
	if (rc == 0)
		rc = tg_json_number(obj, "real_time", 0, NUMBER_MAX, &res->cost[block], err);
	if (rc == 0)
		rc = get_number(obj, "y", &res->y[block], err);
	ns = tg_unit_ns(res->unit);
	if (ns > 0)
		res->cost[block] /= ns;
	return rc;
}

static int read_benchmarks(const cJSON *rows, struct tg_results *r, struct tg_err *err)
{
	struct tg_result *res;
	const cJSON *row;
	int rc = 0;

	cJSON_ArrayForEach(row, rows)
	{
		if (rc == 0 && text_is(row, "aggregate_name", "median"))
			rc = read_result(row, "run_name", r, &res, err);
	}
	cJSON_ArrayForEach(row, rows)
	{
		if (rc == 0 && text_is(row, "run_type", "iteration"))
			rc = read_repetition(row, r, err);
	}
	if (rc < 0)
		tg_err_wrap(err, "key \"benchmarks\"");
	return rc;
}

static int read_array(const cJSON *obj, const char *key, size_t n, double *out, struct tg_err *err)
{
	const cJSON *array, *item;
	size_t i = 0;
	int rc = tg_json_array(obj, key, &array, err);

	if (rc < 0)
		return rc;
	if ((size_t)cJSON_GetArraySize(array) != n)
		return tg_err_set(err, EINVAL, "key \"%s\": not one value a block", key);
	cJSON_ArrayForEach(item, array)
	{
		if (!cJSON_IsNumber(item) && !cJSON_IsNull(item))
			return tg_err_set(err, EINVAL, "key \"%s\": not numbers", key);
		out[i++] = cJSON_IsNull(item) ? NAN : item->valuedouble;
	}
	return 0;
}

static int read_unlisted(const cJSON *rows, struct tg_results *r, struct tg_err *err)
{
	const cJSON *row;

	cJSON_ArrayForEach(row, rows)
	{
		struct tg_result *res;
		int rc = read_result(row, "name", r, &res, err);

		if (rc == 0)
			rc = read_array(row, "y", res->blocks, res->y, err);
		if (rc == 0)
			rc = read_array(row, "cost", res->blocks, res->cost, err);
		if (rc < 0) {
			tg_err_wrap(err, "key \"unlisted\"");
			return rc;
		}
	}
	return 0;
}

static int read_lanes(const cJSON *array, struct tg_results *r, struct tg_err *err)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, array)
	{
		struct tg_lane_state *lane = &r->lanes[r->lane_count];
		int rc;

		if (r->lane_count == TG_LANES_MAX)
			return tg_err_set(err, EINVAL, "key \"lanes\": over %d", TG_LANES_MAX);
		rc = tg_json_text(item, "name", lane->name, sizeof(lane->name), err);
		if (rc == 0)
			rc = tg_json_text(
				item, "version", lane->version, sizeof(lane->version), err);
		if (rc == 0)
			rc = tg_json_text(item, "path", lane->path, sizeof(lane->path), err);
		if (rc == 0)
			rc = tg_json_int(item, "cpus", 0, 255, &lane->cpus, err);
		if (rc == 0)
			rc = tg_json_bool(item, "ready", &lane->ready, err);
		if (rc == 0)
			rc = tg_json_text(item, "reason", lane->reason, sizeof(lane->reason), err);
		if (rc < 0) {
			tg_err_wrap(err, "key \"lanes\"");
			return rc;
		}
		r->lane_count++;
	}
	return 0;
}

static int read_run(const cJSON *run, struct tg_results *r, struct tg_err *err)
{
	const cJSON *machine;
	char seed[32] = "";
	int rc = tg_json_text(run, "command", r->command, sizeof(r->command), err);

	if (rc == 0)
		rc = tg_json_text(run, "seed", seed, sizeof(seed), err);
	if (rc == 0)
		rc = get_number(run, "tolerance", &r->tolerance, err);
	if (rc == 0)
		rc = get_size(run, "baseline_sessions", INT_MAX, &r->baseline_sessions, err);
	if (rc == 0)
		rc = tg_json_text(
			run, "baseline_date", r->baseline_date, sizeof(r->baseline_date), err);
	if (rc == 0)
		rc = tg_json_bool(run, "void", &r->is_void, err);
	if (rc == 0)
		rc = tg_json_text(run, "void_reason", r->void_reason, sizeof(r->void_reason), err);
	if (rc == 0)
		rc = get_number(run, "timed_s", &r->timed_s, err);
	if (rc == 0)
		rc = get_number(run, "warm_s", &r->warm_s, err);
	if (rc == 0)
		rc = get_number(run, "wall_s", &r->wall_s, err);
	if (rc == 0)
		rc = tg_json_object(run, "machine", &machine, err);
	if (rc == 0)
		rc = tg_machine_from_json(machine, &r->machine, err);
	r->seed = strtoul(seed, NULL, 10);
	return rc;
}

static size_t count_medians(const cJSON *rows)
{
	const cJSON *row;
	size_t n = 0;

	cJSON_ArrayForEach(row, rows) n += text_is(row, "aggregate_name", "median");
	return n;
}

static int parse_results(const cJSON *root, struct tg_results *r, struct tg_err *err)
{
	const cJSON *context, *rows, *own, *run, *lanes, *unlisted;
	int version, rc = tg_json_object(root, "tollgate", &own, err);

	if (rc == 0)
		rc = tg_json_object(root, "context", &context, err);
	if (rc == 0)
		rc = tg_json_text(context, "date", r->date, sizeof(r->date), err);
	if (rc == 0)
		rc = tg_json_array(root, "benchmarks", &rows, err);
	if (rc == 0)
		rc = tg_json_int(own, "version", 1, 1, &version, err);
	if (rc == 0)
		rc = tg_json_object(own, "run", &run, err);
	if (rc == 0)
		rc = tg_json_array(own, "lanes", &lanes, err);
	if (rc == 0)
		rc = tg_json_array(own, "unlisted", &unlisted, err);
	if (rc < 0)
		return rc;
	r->count = count_medians(rows) + (size_t)cJSON_GetArraySize(unlisted);
	r->v = calloc(r->count + 1, sizeof(*r->v));
	r->sources = calloc(r->count + 1, SOURCE_MAX);
	if (!r->v || !r->sources)
		return tg_err_set(err, ENOMEM, "out of memory");
	rc = read_run(run, r, err);
	if (rc == 0)
		rc = read_lanes(lanes, r, err);
	if (rc == 0)
		rc = r->count ? read_unlisted(unlisted, r, err) : 0;
	if (rc == 0)
		rc = r->count ? read_benchmarks(rows, r, err) : 0;
	return rc;
}

int tg_results_read(const char *path, struct tg_results *out, struct tg_err *err)
{
	tg_autofree char *text = NULL;
	tg_autojson cJSON *root = NULL;
	tg_autofree struct tg_results *r = calloc(1, sizeof(*r));
	size_t len;
	int rc;

	if (!r)
		return tg_err_set(err, ENOMEM, "%s: out of memory", path);
	rc = tg_file_read(path, RESULTS_FILE_MAX, &text, &len, err);
	if (rc < 0)
		return rc;
	rc = tg_json_parse(text, len, &root, err);
	if (rc == 0)
		rc = parse_results(root, r, err);
	if (rc < 0) {
		tg_err_wrap(err, "%s", path);
		tg_results_free(r);
		return rc;
	}
	*out = *r;
	return 0;
}
