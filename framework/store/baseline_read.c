#include "store/baseline_rules.h"

#include "store/file.h"
#include "store/json.h"
#include "store/machine_json.h"
#include "store/names.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#define BLOCKS_MAX 4096
#define FILES_MAX  256

/* Absent: not a number, as it was when it was written. */
static int get_optional(const cJSON *obj, const char *key, double *out, struct tg_err *err)
{
	*out = NAN;
	return tg_json_has(obj, key) ? tg_json_number(obj, key, 0, TG_Y_MAX, out, err) : 0;
}

static int read_values(const cJSON *obj, struct tg_baseline_session *s, struct tg_err *err)
{
	const cJSON *array, *item;
	size_t n = 0;
	int count, rc = tg_json_array(obj, "y", &array, err);

	if (rc < 0)
		return rc;
	count = cJSON_GetArraySize(array);
	if (count > BLOCKS_MAX)
		return tg_err_set(err, EINVAL, "key \"y\": over %d values", BLOCKS_MAX);
	if (count == 0)
		return 0;
	s->y = calloc((size_t)count, sizeof(*s->y));
	if (!s->y)
		return tg_err_set(err, ENOMEM, "out of memory");
	cJSON_ArrayForEach(item, array)
	{
		if (!cJSON_IsNumber(item))
			return tg_err_set(err, EINVAL, "key \"y\": not an array of numbers");
		s->y[n++] = item->valuedouble;
	}
	s->blocks = n;
	return 0;
}

static int read_session(const cJSON *obj, struct tg_baseline_session *s, struct tg_err *err)
{
	static const char *const keys[] = {"id", "date", "boot", "rounds", "mad", "y", NULL};
	uint64_t rounds = 0;
	int rc = tg_json_only(obj, keys, err);

	if (rc == 0)
		rc = tg_json_text(obj, "id", s->id, sizeof(s->id), err);
	if (rc == 0)
		rc = tg_json_text(obj, "date", s->date, sizeof(s->date), err);
	if (rc == 0)
		rc = tg_json_text(obj, "boot", s->boot, sizeof(s->boot), err);
	if (rc == 0)
		rc = tg_json_u64(obj, "rounds", 0, INT_MAX, &rounds, err);
	if (rc == 0)
		rc = get_optional(obj, "mad", &s->mad, err);
	s->rounds = (unsigned)rounds;
	return rc < 0 ? rc : read_values(obj, s, err);
}

static int read_sessions(const cJSON *obj, struct tg_baseline_row *row, struct tg_err *err)
{
	const cJSON *array, *item;
	int rc = tg_json_array(obj, "sessions", &array, err);

	if (rc < 0)
		return rc;
	row->sessions = calloc((size_t)cJSON_GetArraySize(array) + 1, sizeof(*row->sessions));
	if (!row->sessions)
		return tg_err_set(err, ENOMEM, "out of memory");
	cJSON_ArrayForEach(item, array)
	{
		struct tg_baseline_session *s = &row->sessions[row->session_count++];

		rc = read_session(item, s, err);
		if (rc < 0) {
			tg_err_wrap(err, "session %zu", row->session_count - 1);
			return rc;
		}
	}
	return 0;
}

/* "suite/bench/lane:L" */
static int read_name(const cJSON *obj, struct tg_baseline_row *row, struct tg_err *err)
{
	char name[TG_BENCH_NAME_MAX + TG_LANE_NAME_MAX + 8];
	char *mark;
	int rc = tg_json_text(obj, "name", name, sizeof(name), err);

	if (rc < 0)
		return rc;
	mark = strstr(name, "/lane:");
	if (!mark || (size_t)(mark - name) >= sizeof(row->bench) ||
		strlen(mark + 6) >= sizeof(row->lane))
		return tg_err_set(err, EINVAL, "key \"name\": not suite/bench/lane:L");
	*mark = '\0';
	memcpy(row->bench, name, strlen(name) + 1);
	memcpy(row->lane, mark + 6, strlen(mark + 6) + 1);
	return 0;
}

/* One of two words; *second says which. */
static int get_either(const cJSON *obj, const char *key, const char *const words[2], bool *second,
	struct tg_err *err)
{
	char word[16];
	int rc = tg_json_text(obj, key, word, sizeof(word), err);

	if (rc < 0)
		return rc;
	if (strcmp(word, words[0]) != 0 && (!words[1] || strcmp(word, words[1]) != 0))
		return tg_err_set(
			err, EINVAL, "key \"%s\": \"%s\" instead of \"%s\"", key, word, words[0]);
	*second = strcmp(word, words[0]) != 0;
	return 0;
}

static int read_measure(const cJSON *obj, struct tg_baseline_row *row, struct tg_err *err)
{
	static const char *const ns[] = {"ns", NULL}, *const iteration[] = {"iteration", NULL};
	bool second;
	double unit_ns;
	int rc = get_either(obj, "time_unit", ns, &second, err);

	if (rc == 0)
		rc = get_either(obj, "run_type", iteration, &second, err);
	if (rc == 0)
		rc = tg_json_text(obj, "ref", row->ref, sizeof(row->ref), err);
	if (rc == 0)
		rc = tg_json_text(obj, "unit", row->unit, sizeof(row->unit), err);
	if (rc == 0)
		rc = tg_json_number(obj, "cpu_time", 0, TG_Y_MAX, &row->real_time, err);
	if (rc == 0)
		rc = tg_json_number(obj, "real_time", 0, TG_Y_MAX, &row->real_time, err);
	unit_ns = tg_unit_ns(row->unit);
	if (unit_ns > 0)
		row->real_time /= unit_ns;
	return rc;
}

static int read_policy(const cJSON *obj, struct tg_baseline_row *row, struct tg_err *err)
{
	static const char *const roles[] = {"gate", "watch"};
	bool watch = false;
	int rc = tg_json_int(obj, "cpus", 1, 255, &row->cpus, err);

	if (rc == 0)
		rc = tg_json_u64(obj, "ops", 1, TG_JSON_EXACT_MAX, &row->ops, err);
	if (rc == 0)
		rc = tg_json_int(obj, "rev", 0, INT_MAX, &row->rev, err);
	if (rc == 0)
		rc = get_either(obj, "role", roles, &watch, err);
	if (rc == 0)
		rc = get_optional(obj, "mde", &row->mde, err);
	if (rc == 0)
		rc = tg_json_number(obj, "tolerance", 0, TG_Y_MAX, &row->tolerance, err);
	row->role = watch ? TG_ROLE_WATCH : TG_ROLE_GATE;
	return rc;
}

static int read_row(
	const cJSON *obj, const char *suite, struct tg_baseline_row *row, struct tg_err *err)
{
	static const char *const keys[] = {"name", "run_name", "run_type", "repetitions",
		"repetition_index", "threads", "iterations", "real_time", "cpu_time", "time_unit",
		"ref", "unit", "cpus", "ops", "rev", "role", "mde", "tolerance", "sessions", NULL};
	char of[TG_SUITE_NAME_MAX];
	int rc = tg_json_only(obj, keys, err);

	if (rc == 0)
		rc = read_name(obj, row, err);
	if (rc == 0)
		rc = read_measure(obj, row, err);
	if (rc == 0)
		rc = read_policy(obj, row, err);
	if (rc == 0)
		rc = read_sessions(obj, row, err);
	if (rc == 0)
		rc = tg_baseline_check_row(row, err);
	if (rc == 0 && (!tg_baseline_suite(row->bench, of) || strcmp(of, suite) != 0))
		rc = tg_err_set(
			err, EINVAL, "key \"name\": a row of another suite than `%s`", suite);
	return rc;
}

static int read_rows(
	const cJSON *array, const char *suite, struct tg_baseline *b, struct tg_err *err)
{
	const cJSON *item;
	size_t n = 0;

	cJSON_ArrayForEach(item, array)
	{
		struct tg_baseline_row row = {0};
		int rc = read_row(item, suite, &row, err);

		if (rc == 0) {
			rc = tg_baseline_append(b, &row);
			if (rc < 0)
				tg_err_set(err, rc == -EEXIST ? EINVAL : -rc, "key \"name\": %s",
					rc == -EEXIST ? "given twice" : "out of memory");
		}
		if (rc < 0) {
			if (row.bench[0])
				tg_err_wrap(err, "row %zu `%s`", n, row.bench);
			else
				tg_err_wrap(err, "row %zu", n);
			tg_baseline_row_clear(&row);
			return rc == -ENOMEM ? rc : -EINVAL;
		}
		n++;
	}
	return 0;
}

static int check_context(
	const cJSON *context, const char *suite, const struct tg_baseline *b, struct tg_err *err)
{
	char text[64];
	int rc = tg_json_text(context, "tollgate_baseline", text, sizeof(text), err);

	if (rc == 0 && strcmp(text, "1") != 0)
		rc = tg_err_set(
			err, EINVAL, "key \"tollgate_baseline\": \"%s\" instead of \"1\"", text);
	if (rc == 0)
		rc = tg_json_text(context, "machine", text, sizeof(text), err);
	if (rc == 0 && strcmp(text, b->machine.name) != 0)
		rc = tg_err_set(err, EINVAL, "key \"machine\": not the one of machine.json");
	if (rc == 0)
		rc = tg_json_text(context, "suite", text, sizeof(text), err);
	if (rc == 0 && strcmp(text, suite) != 0)
		rc = tg_err_set(err, EINVAL, "key \"suite\": not the file's name");
	return rc;
}

static int parse_suite(
	const cJSON *root, const char *suite, struct tg_baseline *b, struct tg_err *err)
{
	static const char *const keys[] = {"context", "benchmarks", NULL};
	const cJSON *context, *rows;
	int rc = tg_json_only(root, keys, err);

	if (rc == 0)
		rc = tg_json_object(root, "context", &context, err);
	if (rc == 0)
		rc = check_context(context, suite, b, err);
	if (rc == 0)
		rc = tg_json_array(root, "benchmarks", &rows, err);
	return rc < 0 ? rc : read_rows(rows, suite, b, err);
}

static int read_moderation(const cJSON *obj, struct tg_lane_moderation *m, struct tg_err *err)
{
	static const char *const keys[] = {"lane", "d0", "s02", NULL};
	const cJSON *d0 = cJSON_GetObjectItemCaseSensitive(obj, "d0");
	int rc = tg_json_only(obj, keys, err);

	if (rc == 0)
		rc = tg_json_text(obj, "lane", m->lane, sizeof(m->lane), err);
	if (rc == 0 && cJSON_IsString(d0) && strcmp(d0->valuestring, "inf") == 0)
		m->d0 = INFINITY;
	else if (rc == 0)
		rc = tg_json_number(obj, "d0", 0, 1e12, &m->d0, err);
	if (rc == 0)
		rc = tg_json_number(obj, "s02", 0, TG_Y_MAX, &m->s02, err);
	return rc < 0 ? rc : tg_baseline_check_moderation(m, err);
}

static int parse_machine(const cJSON *root, struct tg_baseline *b, struct tg_err *err)
{
	static const char *const keys[] = {"tollgate", "machine", "moderation", NULL};
	const cJSON *machine, *array, *item;
	int version, rc = tg_json_only(root, keys, err);

	if (rc == 0)
		rc = tg_json_int(
			root, "tollgate", TG_BASELINE_FORMAT, TG_BASELINE_FORMAT, &version, err);
	if (rc == 0)
		rc = tg_json_object(root, "machine", &machine, err);
	if (rc == 0)
		rc = tg_machine_from_json(machine, &b->machine, err);
	if (rc == 0)
		rc = tg_json_array(root, "moderation", &array, err);
	if (rc < 0)
		return rc;
	cJSON_ArrayForEach(item, array)
	{
		struct tg_lane_moderation m = {0};

		if (b->moderation_count == TG_LANES_MAX)
			return tg_err_set(
				err, EINVAL, "key \"moderation\": over %d lanes", TG_LANES_MAX);
		rc = read_moderation(item, &m, err);
		for (size_t i = 0; i < b->moderation_count && rc == 0; i++)
			if (strcmp(b->moderation[i].lane, m.lane) == 0)
				rc = tg_err_set(err, EINVAL, "key \"lane\": given twice");
		if (rc < 0) {
			tg_err_wrap(err, "key \"moderation\"");
			return rc;
		}
		b->moderation[b->moderation_count++] = m;
	}
	return 0;
}

/* machine.json where suite is NULL. */
static int read_one(const char *dir, const char *suite, struct tg_baseline *b, struct tg_err *err)
{
	char path[TG_PATH_MAX];
	tg_autofree char *text = NULL;
	tg_autojson cJSON *root = NULL;
	size_t len;
	int rc;

	if (snprintf(path, sizeof(path), "%s/%s.json", dir, suite ? suite : "machine") >=
		(int)sizeof(path))
		return tg_err_set(err, ENAMETOOLONG, "%.100s...: name too long", dir);
	rc = tg_file_read(path, TG_BASELINE_FILE_MAX, &text, &len, err);
	if (rc < 0)
		return rc;
	rc = tg_json_parse(text, len, &root, err);
	if (rc == 0)
		rc = suite ? parse_suite(root, suite, b, err) : parse_machine(root, b, err);
	if (rc < 0)
		tg_err_wrap(err, "%s", path);
	return rc;
}

static int is_suite_file(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 && strcmp(d->d_name + len - 5, ".json") == 0 &&
		strcmp(d->d_name, "machine.json") != 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_suites(const char *dir, struct tg_baseline *b, struct tg_err *err)
{
	struct dirent **list;
	int rc = 0, n = scandir(dir, &list, is_suite_file, by_name);

	if (n < 0)
		return tg_err_set(err, errno, "%s: %s", dir, strerror(errno));
	if (n > FILES_MAX)
		rc = tg_err_set(err, EFBIG, "%s: over %d files", dir, FILES_MAX);
	for (int i = 0; i < n; i++) {
		char suite[256 + 1], of[TG_SUITE_NAME_MAX];

		snprintf(suite, sizeof(suite), "%.*s/", (int)strlen(list[i]->d_name) - 5,
			list[i]->d_name);
		if (rc == 0 && !tg_baseline_suite(suite, of))
			rc = tg_err_set(err, EINVAL, "%s: a file that is named like no suite", dir);
		if (rc == 0)
			rc = read_one(dir, of, b, err);
		free(list[i]);
	}
	free(list);
	return rc;
}

int tg_baseline_load(const char *dir, struct tg_baseline **ret, struct tg_err *err)
{
	tg_auto(baseline) struct tg_baseline *b = calloc(1, sizeof(*b));
	int rc;

	if (!b)
		return tg_err_set(err, ENOMEM, "%s: out of memory", dir);
	rc = read_one(dir, NULL, b, err);
	if (rc == 0)
		rc = read_suites(dir, b, err);
	if (rc < 0)
		return rc;
	*ret = tg_steal(&b);
	return 0;
}
