#include "store/baseline_rules.h"

#include "store/file.h"
#include "store/json.h"
#include "store/machine_json.h"
#include "store/names.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define BENCH_LANE_MAX (TG_BENCH_NAME_MAX + TG_LANE_NAME_MAX + 8)

static cJSON *session_object(const struct tg_baseline_session *s)
{
	tg_autojson cJSON *obj = cJSON_CreateObject();

	if (!tg_json_put_text(obj, "id", s->id) || !tg_json_put_text(obj, "date", s->date) ||
		!tg_json_put_text(obj, "boot", s->boot) ||
		!tg_json_put_u64(obj, "rounds", s->rounds) ||
		!tg_json_put_fixed(obj, "mad", s->mad, 6) ||
		!tg_json_put(obj, "y", tg_json_fixed_array(s->y, s->blocks, 6)))
		return NULL;
	return tg_steal(&obj);
}

static cJSON *sessions_array(const struct tg_baseline_row *row)
{
	tg_autojson cJSON *array = cJSON_CreateArray();

	for (size_t i = 0; array && i < row->session_count; i++) {
		cJSON *item = session_object(&row->sessions[i]);

		if (!item || !cJSON_AddItemToArray(array, item)) {
			cJSON_Delete(item);
			return NULL;
		}
	}
	return tg_steal(&array);
}

static bool put_gbench_keys(cJSON *obj, const struct tg_baseline_row *row)
{
	char name[BENCH_LANE_MAX];
	double ns = tg_unit_ns(row->unit);
	double time = row->real_time * (ns > 0 ? ns : 1);

	snprintf(name, sizeof(name), "%s/lane:%s", row->bench, row->lane);
	return tg_json_put_text(obj, "name", name) && tg_json_put_text(obj, "run_name", name) &&
		tg_json_put_text(obj, "run_type", "iteration") &&
		tg_json_put_int(obj, "repetitions", 1) &&
		tg_json_put_int(obj, "repetition_index", 0) && tg_json_put_int(obj, "threads", 1) &&
		tg_json_put_u64(obj, "iterations", row->ops) &&
		tg_json_put_number(obj, "real_time", time, 9) &&
		tg_json_put_number(obj, "cpu_time", time, 9) &&
		tg_json_put_text(obj, "time_unit", "ns");
}

static cJSON *row_object(const struct tg_baseline_row *row)
{
	tg_autojson cJSON *obj = cJSON_CreateObject();

	if (!put_gbench_keys(obj, row) || !tg_json_put_text(obj, "ref", row->ref) ||
		!tg_json_put_text(obj, "unit", row->unit) ||
		!tg_json_put_int(obj, "cpus", row->cpus) ||
		!tg_json_put_u64(obj, "ops", row->ops) || !tg_json_put_int(obj, "rev", row->rev) ||
		!tg_json_put_text(obj, "role", row->role == TG_ROLE_GATE ? "gate" : "watch") ||
		!tg_json_put_number(obj, "mde", row->mde, 6) ||
		!tg_json_put_number(obj, "tolerance", row->tolerance, 9) ||
		!tg_json_put(obj, "sessions", sessions_array(row)))
		return NULL;
	return tg_steal(&obj);
}

static cJSON *context_object(const struct tg_baseline *b, const char *suite)
{
	tg_autojson cJSON *obj = cJSON_CreateObject();
	const char *cores = tg_machine_fact(&b->machine, "cores");
	const char *mhz = tg_machine_fact(&b->machine, "mhz");
	const char *newest;

	tg_baseline_span(b, NULL, NULL, NULL, &newest);
	if (!tg_json_put_text(obj, "date", newest) ||
		!tg_json_put_int(obj, "num_cpus", cores ? atoi(cores) : 0) ||
		!tg_json_put_int(obj, "mhz_per_cpu", mhz ? atoi(mhz) : 0) ||
		!tg_json_put(obj, "caches", cJSON_CreateArray()) ||
		!tg_json_put(obj, "load_avg", cJSON_CreateArray()) ||
		!tg_json_put_text(obj, "library_build_type", "release") ||
		!tg_json_put_int(obj, "json_schema_version", 1) ||
		!tg_json_put_text(obj, "tollgate_baseline", "1") ||
		!tg_json_put_text(obj, "machine", b->machine.name) ||
		!tg_json_put_text(obj, "suite", suite))
		return NULL;
	return tg_steal(&obj);
}

static int print_suite(FILE *out, const struct tg_baseline *b, const char *suite)
{
	char of[TG_SUITE_NAME_MAX];
	const char *separator = "\n";
	int rc;

	fputs("{\n\"context\": ", out);
	rc = tg_json_print(out, context_object(b, suite), ",\n\"benchmarks\": [");
	for (size_t i = 0; i < b->row_count && rc == 0; i++) {
		if (!tg_baseline_suite(b->rows[i].bench, of) || strcmp(of, suite) != 0)
			continue;
		fputs(separator, out);
		separator = ",\n";
		rc = tg_json_print(out, row_object(&b->rows[i]), "");
	}
	fputs("\n]\n}\n", out);
	return rc;
}

static cJSON *moderation_object(const struct tg_lane_moderation *m)
{
	tg_autojson cJSON *obj = cJSON_CreateObject();
	bool ok = tg_json_put_text(obj, "lane", m->lane);

	/* JSON has no infinity; the fit has: all variances are one. */
	ok = ok &&
		(isinf(m->d0) ? tg_json_put_text(obj, "d0", "inf")
			      : tg_json_put_number(obj, "d0", m->d0, 9));
	ok = ok && tg_json_put_number(obj, "s02", m->s02, 9);
	return ok ? tg_steal(&obj) : NULL;
}

static int print_machine(FILE *out, const struct tg_baseline *b)
{
	tg_autojson cJSON *machine = tg_machine_to_json(&b->machine);
	char *text = machine ? cJSON_Print(machine) : NULL;
	int rc = 0;

	if (!text)
		return -ENOMEM;
	fprintf(out, "{\n\"tollgate\": %d,\n\"machine\": %s,\n\"moderation\": [",
		TG_BASELINE_FORMAT, text);
	cJSON_free(text);
	for (size_t i = 0; i < b->moderation_count && rc == 0; i++) {
		fputs(i ? ",\n" : "\n", out);
		rc = tg_json_print(out, moderation_object(&b->moderation[i]), "");
	}
	fputs(b->moderation_count ? "\n]\n}\n" : "]\n}\n", out);
	return rc;
}

/* All files in the making: none is published before every one is on the disk. */
struct writer {
	size_t count;
	struct tg_newfile *files; /* owned */
	char (*suites)[TG_SUITE_NAME_MAX];
};

static void writer_clear(struct writer *w)
{
	for (size_t i = 0; i < w->count; i++)
		tg_newfile_abandon(&w->files[i]);
	free(w->files);
	free(w->suites);
}

static int make_file(struct writer *w, const struct tg_baseline *b, const char *dir,
	const char *suite, struct tg_err *err)
{
	struct tg_newfile *f = &w->files[w->count];
	char path[TG_PATH_MAX];
	long size;
	int rc;

	if (snprintf(path, sizeof(path), "%s/%s.json", dir, suite ? suite : "machine") >=
		(int)sizeof(path))
		return tg_err_set(err, ENAMETOOLONG, "%.100s...: name too long", dir);
	rc = tg_newfile_open(f, path, err);
	if (rc < 0)
		return rc;
	w->count++;
	rc = suite ? print_suite(f->stream, b, suite) : print_machine(f->stream, b);
	if (rc < 0)
		return tg_err_set(err, -rc, "%s: %s", path, strerror(-rc));
	size = ftell(f->stream);
	if (size > (long)TG_BASELINE_FILE_MAX)
		return tg_err_set(err, EFBIG, "%s: over %zu bytes", path, TG_BASELINE_FILE_MAX);
	return tg_newfile_seal(f, err);
}

static int make_all(
	struct writer *w, const struct tg_baseline *b, const char *dir, struct tg_err *err)
{
	size_t suites = 0;
	int rc = 0;

	w->files = calloc(b->row_count + 1, sizeof(*w->files));
	w->suites = calloc(b->row_count + 1, sizeof(*w->suites));
	if (!w->files || !w->suites)
		return tg_err_set(err, ENOMEM, "%s: out of memory", dir);
	for (size_t i = 0; i < b->row_count && rc == 0; i++) {
		size_t k = 0;

		tg_baseline_suite(b->rows[i].bench, w->suites[suites]);
		while (strcmp(w->suites[k], w->suites[suites]) != 0)
			k++;
		if (k == suites)
			rc = make_file(w, b, dir, w->suites[suites++], err);
	}
	/* Last: a directory that was new is a baseline only once machine.json is there. */
	return rc < 0 ? rc : make_file(w, b, dir, NULL, err);
}

static int check(const struct tg_baseline *b, struct tg_err *err)
{
	int rc = 0;

	if (!tg_machine_name_ok(b->machine.name))
		return tg_err_set(err, EINVAL, "machine name: not 1 to 63 of a-z 0-9 . _ -");
	for (size_t i = 0; i < b->row_count && rc == 0; i++) {
		rc = tg_baseline_check_row(&b->rows[i], err);
		if (rc < 0)
			tg_err_wrap(err, "row `%s/lane:%s`", b->rows[i].bench, b->rows[i].lane);
	}
	for (size_t i = 0; i < b->moderation_count && rc == 0; i++)
		rc = tg_baseline_check_moderation(&b->moderation[i], err);
	return rc;
}

int tg_baseline_save(const struct tg_baseline *b, const char *dir, struct tg_err *err)
{
	struct writer w = {0};
	int rc = check(b, err);

	if (rc < 0) {
		tg_err_wrap(err, "%s", dir);
		return rc;
	}
	rc = tg_dir_make(dir, err);
	if (rc == 0)
		rc = make_all(&w, b, dir, err);
	for (size_t i = 0; i < w.count && rc == 0; i++)
		rc = tg_newfile_publish(&w.files[i], err);
	writer_clear(&w);
	return rc;
}
