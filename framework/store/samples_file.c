#include "store/samples_file.h"

#include "common/cleanup.h"
#include "store/file.h"
#include "store/json.h"
#include "store/names.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define LINE_MAX_BYTES ((size_t)64 << 10)
#define ERROR_MAX      4095 /* Linux keeps errno below it */

static const char *const stages[] = {"screen", "confirm"};

/* What the reader carries from line to line. */
struct reader {
	struct tg_samples set;
	char last_bench[TG_BENCH_NAME_MAX]; /* lines of one bench follow each other */
	char last_unit[TG_UNIT_MAX];
	uint16_t last_row;
	size_t line;
	char *buf; /* owned; LINE_MAX_BYTES + 2 */
};

static void write_quoted(FILE *out, const char *text)
{
	putc_unlocked('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc_unlocked('\\', out);
		putc_unlocked(*text, out);
	}
	putc_unlocked('"', out);
}

static void write_header(FILE *out, const struct tg_samples *set)
{
	const char *quote = set->seed > TG_JSON_EXACT_MAX ? "\"" : "";

	fputs("{\"tollgate\": 1, \"machine\": ", out);
	write_quoted(out, set->machine);
	fprintf(out, ", \"seed\": %s%lu%s}\n", quote, set->seed, quote);
}

static void write_turn(FILE *out, const struct tg_samples *set, const struct tg_sample *s)
{
	const struct tg_row_name *row = &set->rows[s->row];

	fprintf(out, "{\"session\": %u, \"block\": %u, \"bench\": ", s->session, s->block);
	write_quoted(out, row->name);
	fputs(", \"lane\": ", out);
	write_quoted(out, set->lanes[s->lane]);
	if (strcmp(row->unit, "ns") != 0) {
		fputs(", \"unit\": ", out);
		write_quoted(out, row->unit);
	}
	if (s->cpus != 1)
		fprintf(out, ", \"cpus\": %u", s->cpus);
	if (s->stage != TG_STAGE_SCREEN)
		fprintf(out, ", \"stage\": \"%s\"", stages[s->stage]);
	if (s->error)
		fprintf(out, ", \"error\": %d", s->error);
	fprintf(out, ", \"ops\": %llu, \"ns\": [", (unsigned long long)s->ops);
	for (unsigned i = 0; i < s->batches; i++)
		fprintf(out, "%s%llu", i ? ", " : "", (unsigned long long)s->ns[i]);
	fputs("]}\n", out);
}

/* What would not be read back is not written. */
static const char *turn_fault(const struct tg_samples *set, const struct tg_sample *s)
{
	if (s->row >= set->row_count || s->lane >= set->lane_count)
		return "names no row or lane";
	if (!tg_bench_name_ok(set->rows[s->row].name) || !tg_unit_ok(set->rows[s->row].unit) ||
		!tg_lane_name_ok(set->lanes[s->lane]))
		return "has a name or unit that a file may not have";
	if (s->session > INT32_MAX || s->block > INT32_MAX || s->cpus < 1 ||
		s->stage > TG_STAGE_CONFIRM || s->error < 0 || s->error > ERROR_MAX)
		return "is out of range";
	if (s->batches < 1 || s->batches > TG_BATCHES_MAX || s->ops < 1 || s->ops > INT64_MAX)
		return "has no sub-batches or ops";
	for (unsigned i = 0; i < s->batches; i++)
		if (s->ns[i] > INT64_MAX)
			return "has a time out of range";
	return NULL;
}

int tg_samples_write(const struct tg_samples *set, const char *path, struct tg_err *err)
{
	struct tg_newfile f;
	int rc;

	if (!tg_chars_ok(set->machine, "._-"))
		return tg_err_set(err, EINVAL, "%s: not a machine's name", path);
	for (size_t i = 0; i < set->count; i++) {
		const char *fault = turn_fault(set, &set->v[i]);

		if (fault)
			return tg_err_set(err, EINVAL, "%s: turn %zu %s", path, i, fault);
	}
	rc = tg_newfile_open(&f, path, err);
	if (rc < 0)
		return rc;
	write_header(f.stream, set);
	for (size_t i = 0; i < set->count; i++)
		write_turn(f.stream, set, &set->v[i]);
	return tg_newfile_publish(&f, err);
}

static int read_header(const cJSON *obj, struct tg_samples *set, struct tg_err *err)
{
	char text[32], *end;
	int version, rc;
	uint64_t seed = 0;

	rc = tg_json_int(obj, "tollgate", 1, 1, &version, err);
	if (rc == 0)
		rc = tg_json_text(obj, "machine", set->machine, sizeof(set->machine), err);
	if (rc == 0 && !tg_chars_ok(set->machine, "._-"))
		rc = tg_err_set(err, EINVAL, "key \"machine\": not a machine's name");
	if (rc < 0 || !tg_json_has(obj, "seed"))
		return rc;
	/* A string where a double would lose digits. */
	if (cJSON_IsString(cJSON_GetObjectItemCaseSensitive(obj, "seed"))) {
		rc = tg_json_text(obj, "seed", text, sizeof(text), err);
		errno = 0;
		seed = rc == 0 ? strtoull(text, &end, 10) : 0;
		if (rc == 0 && (text[strspn(text, "0123456789")] || !text[0] || errno))
			rc = tg_err_set(err, EINVAL, "key \"seed\": not a whole number");
	} else {
		rc = tg_json_u64(obj, "seed", 0, TG_JSON_EXACT_MAX, &seed, err);
	}
	set->seed = (unsigned long)seed;
	return rc;
}

static int read_times(const cJSON *obj, struct tg_sample *s, struct tg_err *err)
{
	const cJSON *ns = cJSON_GetObjectItemCaseSensitive(obj, "ns");
	const cJSON *item;

	if (!ns && s->error) { /* a body that failed may have no times */
		s->batches = 1;
		return 0;
	}
	if (tg_json_whole(ns, 0, INT64_MAX, &s->ns[0])) {
		s->batches = 1;
		return 0;
	}
	if (!cJSON_IsArray(ns))
		return tg_err_set(
			err, EINVAL, "key \"ns\": not a whole number or an array of them");
	cJSON_ArrayForEach(item, ns)
	{
		if (s->batches == TG_BATCHES_MAX)
			return tg_err_set(
				err, EINVAL, "key \"ns\": over %d sub-batches", TG_BATCHES_MAX);
		if (!tg_json_whole(item, 0, INT64_MAX, &s->ns[s->batches++]))
			return tg_err_set(err, EINVAL, "key \"ns\": not whole numbers below 2^63");
	}
	return s->batches ? 0 : tg_err_set(err, EINVAL, "key \"ns\": empty");
}

static int read_stage(const cJSON *obj, struct tg_sample *s, struct tg_err *err)
{
	char text[16];
	int rc;

	if (!tg_json_has(obj, "stage"))
		return 0;
	rc = tg_json_text(obj, "stage", text, sizeof(text), err);
	if (rc < 0)
		return rc;
	for (uint8_t i = 0; i < TG_ARRAY_SIZE(stages); i++)
		if (strcmp(text, stages[i]) == 0) {
			s->stage = i;
			return 0;
		}
	return tg_err_set(err, EINVAL, "key \"stage\": not screen or confirm");
}

static int read_numbers(const cJSON *obj, struct tg_sample *s, struct tg_err *err)
{
	uint64_t session, block;
	int cpus = 1, error = 0;
	int rc = tg_json_u64(obj, "session", 0, INT32_MAX, &session, err);

	if (rc == 0)
		rc = tg_json_u64(obj, "block", 0, INT32_MAX, &block, err);
	if (rc == 0)
		rc = tg_json_u64(obj, "ops", 1, INT64_MAX, &s->ops, err);
	if (rc == 0 && tg_json_has(obj, "cpus"))
		rc = tg_json_int(obj, "cpus", 1, UINT8_MAX, &cpus, err);
	if (rc == 0 && tg_json_has(obj, "error"))
		rc = tg_json_int(obj, "error", 0, ERROR_MAX, &error, err);
	if (rc < 0)
		return rc;
	s->session = (uint32_t)session;
	s->block = (uint32_t)block;
	s->cpus = (uint8_t)cpus;
	s->error = error;
	rc = read_stage(obj, s, err);
	return rc < 0 ? rc : read_times(obj, s, err);
}

/* The row's full name: bench, or bench/phase. */
static int read_bench(const cJSON *obj, char name[TG_BENCH_NAME_MAX], struct tg_err *err)
{
	char phase[TG_BENCH_NAME_MAX];
	size_t len;
	int rc = tg_json_text(obj, "bench", name, TG_BENCH_NAME_MAX, err);

	if (rc == 0 && !tg_bench_name_ok(name))
		rc = tg_err_set(err, EINVAL, "key \"bench\": empty, or a blank at an end");
	if (rc < 0 || !tg_json_has(obj, "phase"))
		return rc;
	rc = tg_json_text(obj, "phase", phase, sizeof(phase), err);
	if (rc < 0)
		return rc;
	len = strlen(name);
	if (!tg_bench_name_ok(phase) || len + 1 + strlen(phase) >= TG_BENCH_NAME_MAX)
		return tg_err_set(err, EINVAL, "key \"phase\": empty or too long");
	name[len] = '/';
	memcpy(name + len + 1, phase, strlen(phase) + 1);
	return 0;
}

static int name_fault(int rc, const char *key, struct tg_err *err)
{
	return tg_err_set(err, rc == -ENOMEM ? ENOMEM : EINVAL, "key \"%s\": %s", key,
		rc == -EINVAL		? "another unit than before"
			: rc == -ENOSPC ? "too many different names"
					: "out of memory");
}

static int read_row(const cJSON *obj, struct reader *r, struct tg_sample *s, struct tg_err *err)
{
	char name[TG_BENCH_NAME_MAX], unit[TG_UNIT_MAX] = "ns";
	int row, rc = read_bench(obj, name, err);

	if (rc == 0 && tg_json_has(obj, "unit"))
		rc = tg_json_text(obj, "unit", unit, sizeof(unit), err);
	if (rc == 0 && !tg_unit_ok(unit))
		rc = tg_err_set(err, EINVAL, "key \"unit\": not a unit");
	if (rc < 0)
		return rc;
	if (strcmp(name, r->last_bench) != 0 || strcmp(unit, r->last_unit) != 0) {
		row = tg_samples_row(&r->set, name, unit);
		if (row < 0)
			return name_fault(row, row == -EINVAL ? "unit" : "bench", err);
		memcpy(r->last_bench, name, sizeof(name));
		memcpy(r->last_unit, unit, sizeof(unit));
		r->last_row = (uint16_t)row;
	}
	s->row = r->last_row;
	return 0;
}

static int read_turn(const cJSON *obj, struct reader *r, struct tg_err *err)
{
	struct tg_sample s = {0};
	char lane[TG_LANE_NAME_MAX];
	int index, rc;

	if (!cJSON_IsObject(obj))
		return tg_err_set(err, EINVAL, "not an object");
	rc = read_numbers(obj, &s, err);
	if (rc == 0)
		rc = read_row(obj, r, &s, err);
	if (rc == 0)
		rc = tg_json_text(obj, "lane", lane, sizeof(lane), err);
	if (rc == 0 && !tg_lane_name_ok(lane))
		rc = tg_err_set(err, EINVAL, "key \"lane\": not a lane's name");
	if (rc < 0)
		return rc;
	index = tg_samples_lane(&r->set, lane);
	if (index < 0)
		return name_fault(index, "lane", err);
	s.lane = (uint16_t)index;
	rc = tg_samples_add(&r->set, &s);
	return rc < 0 ? tg_err_set(err, -rc, "out of memory") : 0;
}

/* One line into r->buf, without its newline. 1 = a line, 0 = end of file, -errno. */
static int next_line(FILE *in, struct reader *r, size_t *len, struct tg_err *err)
{
	if (!fgets(r->buf, (int)LINE_MAX_BYTES + 2, in)) {
		if (ferror(in))
			return tg_err_set(err, EIO, "cannot be read");
		return 0;
	}
	r->line++;
	*len = strlen(r->buf);
	if (*len > 0 && r->buf[*len - 1] == '\n')
		r->buf[--*len] = '\0';
	else if (*len > LINE_MAX_BYTES)
		return tg_err_set(err, EINVAL, "over %zu bytes", LINE_MAX_BYTES);
	else if (!feof(in))
		return tg_err_set(err, EINVAL, "NUL byte");
	return 1;
}

static int read_line(struct reader *r, size_t len, struct tg_err *err)
{
	tg_autojson cJSON *obj = NULL;
	int rc = tg_json_parse(r->buf, len, &obj, err);

	if (rc < 0)
		return rc;
	return r->line == 1 ? read_header(obj, &r->set, err) : read_turn(obj, r, err);
}

static int read_stream(FILE *in, struct reader *r, struct tg_err *err)
{
	size_t len = 0;
	int rc;

	while ((rc = next_line(in, r, &len, err)) > 0) {
		rc = read_line(r, len, err);
		if (rc < 0)
			return rc;
	}
	if (rc == 0 && r->line == 0)
		return tg_err_set(err, EINVAL, "empty: no header line");
	return rc;
}

/* Session numbers of `from` that *set has already: shift them all past its largest. */
static uint32_t session_shift(const struct tg_samples *set, const struct tg_samples *from)
{
	uint32_t last = 0, first = UINT32_MAX;

	for (size_t i = 0; i < set->count; i++)
		last = set->v[i].session > last ? set->v[i].session : last;
	for (size_t i = 0; i < from->count; i++)
		first = from->v[i].session < first ? from->v[i].session : first;
	if (set->count == 0 || from->count == 0 || first > last)
		return 0;
	return last + 1 - first;
}

/* Rows and lanes of `from` as indexes in *set, which grows by new names only. */
static int map_names(struct tg_samples *set, const struct tg_samples *from, uint16_t *rows,
	uint16_t *lanes, struct tg_err *err)
{
	for (size_t i = 0; i < from->row_count; i++) {
		int row = tg_samples_row(set, from->rows[i].name, from->rows[i].unit);

		if (row < 0)
			return name_fault(row, row == -EINVAL ? "unit" : "bench", err);
		rows[i] = (uint16_t)row;
	}
	for (size_t i = 0; i < from->lane_count; i++) {
		int lane = tg_samples_lane(set, from->lanes[i]);

		if (lane < 0)
			return name_fault(lane, "lane", err);
		lanes[i] = (uint16_t)lane;
	}
	return 0;
}

static int merge(struct tg_samples *set, const struct tg_samples *from, struct tg_err *err)
{
	struct tg_samples was = *set; /* counts to go back to */
	tg_autofree uint16_t *rows = calloc(from->row_count + 1, sizeof(*rows));
	uint16_t lanes[TG_LANES_MAX];
	uint32_t shift = session_shift(set, from);
	int rc = rows ? 0 : tg_err_set(err, ENOMEM, "out of memory");

	if (rc == 0)
		rc = map_names(set, from, rows, lanes, err);
	for (size_t i = 0; i < from->count && rc == 0; i++) {
		struct tg_sample s = from->v[i];

		s.row = rows[s.row];
		s.lane = lanes[s.lane];
		s.session += shift;
		rc = s.session > INT32_MAX
			? tg_err_set(err, EINVAL, "key \"session\": too many sessions")
			: tg_samples_add(set, &s);
	}
	if (rc < 0) {
		set->count = was.count;
		set->row_count = was.row_count;
		set->lane_count = was.lane_count;
		return rc == -ENOMEM ? tg_err_set(err, ENOMEM, "out of memory") : rc;
	}
	if (was.count == 0 && !was.machine[0]) {
		memcpy(set->machine, from->machine, sizeof(set->machine));
		set->seed = from->seed;
	}
	return 0;
}

int tg_samples_read(const char *path, struct tg_samples *set, struct tg_err *err)
{
	struct reader r = {0};
	FILE *in = fopen(path, "re");
	int rc;

	if (!in)
		return tg_err_set(err, errno, "%s: %s", path, strerror(errno));
	r.buf = malloc(LINE_MAX_BYTES + 2);
	rc = r.buf ? read_stream(in, &r, err) : tg_err_set(err, ENOMEM, "out of memory");
	if (rc < 0) {
		tg_err_wrap(err, "%s:%zu", path, r.line);
	} else {
		rc = merge(set, &r.set, err);
		if (rc < 0)
			tg_err_wrap(err, "%s", path);
	}
	fclose(in);
	free(r.buf);
	tg_samples_free(&r.set);
	return rc;
}
