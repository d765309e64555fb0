#include "report/grid.h"

#include "common/cleanup.h"
#include "report/gate_line.h"
#include "report/text.h"
#include "verdict/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INDENT	     2
#define NOTE_INDENT  6
#define GAP	     2
#define NAME_MIN     20
#define NAME_MAX_COL 36 /* a longer bench name gets a line of its own */
#define LANE_MAX_COL 30
#define REF_MAX_COL  20
#define NOTE_MAX     512

struct grid {
	FILE *out;
	const struct tg_results *r;
	const struct tg_result *suite; /* a row of it */
	const struct tg_table_style *style;
	size_t lane_count;
	const char *lanes[TG_LANES_MAX];
	size_t lane_width[TG_LANES_MAX];
	size_t name_width, ref_width; /* ref_width 0: no row has a reference */
	char ref_title[TG_LANE_NAME_MAX];
};

/* At 80 columns the indent, a name, a reference and the widest cell (32) just fit. */
static size_t name_max(const struct grid *g)
{
	size_t max = (size_t)g->style->width - 58;

	return max < NAME_MAX_COL ? max : NAME_MAX_COL;
}

static size_t lane_max(const struct grid *g)
{
	size_t max = (size_t)g->style->width - 60;

	return max < LANE_MAX_COL ? max : LANE_MAX_COL;
}

static bool in_suite(const struct grid *g, const struct tg_result *row)
{
	size_t n = tg_gate_line_suite(g->suite);

	return n == tg_gate_line_suite(row) && !strncmp(row->bench, g->suite->bench, n);
}

static bool is_reference(const struct tg_result *row)
{
	return !strcmp(row->lane, row->ref);
}

static const struct tg_result *find_row(const struct grid *g, const char *bench, const char *lane)
{
	for (size_t i = 0; i < g->r->count; i++)
		if (!strcmp(g->r->v[i].bench, bench) && !strcmp(g->r->v[i].lane, lane))
			return &g->r->v[i];
	return NULL;
}

static bool first_of_bench(const struct grid *g, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (!strcmp(g->r->v[i].bench, g->r->v[index].bench))
			return false;
	return in_suite(g, &g->r->v[index]);
}

/* What one op costs in the reference lane: noted on the rows of the others, or measured in its own.
 */
static double ref_cost(const struct grid *g, const char *bench, const char **unit)
{
	*unit = "ns";
	for (size_t i = 0; i < g->r->count; i++) {
		const struct tg_result *row = &g->r->v[i];

		if (!strcmp(row->bench, bench) && !tg_gate_line_absolute(row) &&
			isfinite(row->native) && row->native > 0.0) {
			*unit = row->unit;
			return row->native;
		}
	}
	for (size_t i = 0; i < g->r->count; i++) {
		const struct tg_result *row = &g->r->v[i];

		if (!strcmp(row->bench, bench) && is_reference(row) && row->cost) {
			*unit = row->unit;
			return tg_median(row->cost, row->blocks);
		}
	}
	return NAN;
}

bool tg_grid_control_off(const struct tg_result *row)
{
	double value = tg_gate_line_value(row);

	return !isfinite(value) || fabs(log(value)) > log1p(row->tolerance);
}

static const char *word_of(const struct tg_result *row, const char **color)
{
	static const struct {
		const char *word, *color;
	} words[] = {
		[TG_PASS] = {"pass", ""},
		[TG_REGRESSED] = {"REGRESSED", "\033[1;31m"},
		[TG_IMPROVED] = {"IMPROVED", "\033[32m"},
		[TG_INCONCLUSIVE] = {"INCONCLUSIVE", "\033[33m"},
		[TG_SKIPPED] = {"skipped", "\033[2m"},
		[TG_ERROR] = {"ERROR", "\033[1;31m"},
	};

	*color = "\033[2m";
	if (row->null_control) {
		if (!tg_grid_control_off(row))
			return "control";
		*color = "\033[33m";
		return "control OFF";
	}
	*color = "";
	if (!row->judged)
		return "";
	*color = "\033[2m";
	if (tg_gate_line_watched(row))
		return "watch";
	if ((size_t)row->verdict.kind >= TG_ARRAY_SIZE(words))
		return "?";
	*color = words[row->verdict.kind].color;
	return words[row->verdict.kind].word;
}

/* "9.80x", "12.3 MiB", or "" where only the word says something */
static void put_cell_value(char *buf, size_t size, const struct tg_result *row)
{
	double value = tg_gate_line_value(row);

	if (!isfinite(value))
		buf[0] = '\0';
	else if (tg_gate_line_absolute(row))
		tg_text_cost(buf, size, value, row->unit);
	else
		tg_text_ratio(buf, size, value, 3);
}

static size_t cell_width(const struct tg_result *row)
{
	char value[TG_TEXT_SHORT];
	const char *color, *word = word_of(row, &color);

	put_cell_value(value, sizeof(value), row);
	return tg_text_width(value) + (value[0] && word[0]) + strlen(word);
}

static bool is_eventful(const struct tg_result *row)
{
	return tg_gate_line_counts(row) &&
		(row->verdict.kind == TG_REGRESSED || row->verdict.kind == TG_IMPROVED ||
			row->verdict.kind == TG_INCONCLUSIVE);
}

/* "+12.3 % [+9.1, +15.6]  MDE 6.1 %  why"; "" where the row was not compared */
static void put_note(char *buf, size_t size, const struct tg_result *row)
{
	char change[4 * TG_TEXT_SHORT], mde[TG_TEXT_SHORT];
	const char *reason = row->verdict.reason;

	tg_gate_line_change(change, sizeof(change), row, ", ");
	buf[0] = '\0';
	if (!change[0])
		return;
	if (!is_eventful(row))
		*strchr(change, '[') = '\0'; /* a pass needs no interval to be believed */
	if (tg_gate_line_absolute(row))
		tg_text_cost(mde, sizeof(mde), row->verdict.mde, row->unit);
	else
		tg_text_percent(mde, sizeof(mde), row->verdict.mde);
	snprintf(buf, size, "%s%sMDE %s%s%s", change, is_eventful(row) ? "  " : " ", mde,
		*reason ? "  " : "", reason);
}

/* as put_name will print it */
static size_t clean_width(const char *name)
{
	char clean[TG_BENCH_NAME_MAX];

	tg_text_clean(clean, sizeof(clean), name);
	return tg_text_width(clean);
}

static void add_lane(struct grid *g, const char *lane)
{
	bool used = false;
	size_t width = clean_width(lane);

	for (size_t i = 0; i < g->lane_count; i++)
		if (!strcmp(g->lanes[i], lane))
			return;
	if (g->lane_count == TG_LANES_MAX)
		return;
	if (width > lane_max(g))
		width = lane_max(g);
	for (size_t i = 0; i < g->r->count; i++) {
		const struct tg_result *row = &g->r->v[i];

		if (strcmp(row->lane, lane) || !in_suite(g, row) || is_reference(row))
			continue;
		used = true;
		if (cell_width(row) > width)
			width = cell_width(row);
	}
	if (!used)
		return;
	g->lanes[g->lane_count] = lane;
	g->lane_width[g->lane_count++] = width;
}

/* Does the lane say anything in this suite? A reference on other CPUs, or one that was not asked, does not. */
static bool speaks(const struct grid *g, const char *lane)
{
	for (size_t i = 0; i < g->r->count; i++) {
		const struct tg_result *row = &g->r->v[i];

		if (in_suite(g, row) && !strcmp(row->lane, lane) &&
			(row->judged || isfinite(tg_gate_line_value(row))))
			return true;
	}
	return false;
}

/* Lanes in the order of the run, then those that only rows know (a results file of another
 * version). */
static void collect_lanes(struct grid *g)
{
	for (size_t i = 0; i < g->r->lane_count; i++)
		if (speaks(g, g->r->lanes[i].name))
			add_lane(g, g->r->lanes[i].name);
	for (size_t i = 0; i < g->r->count; i++)
		if (in_suite(g, &g->r->v[i]) && speaks(g, g->r->v[i].lane))
			add_lane(g, g->r->v[i].lane);
}

static void measure_columns(struct grid *g)
{
	g->name_width = NAME_MIN;
	for (size_t i = 0; i < g->r->count; i++) {
		const struct tg_result *row = &g->r->v[i];
		char cost[TG_TEXT_SHORT];
		const char *unit;
		double native;
		size_t width;

		if (!first_of_bench(g, i))
			continue;
		width = clean_width(tg_gate_line_bench(row));
		if (width > g->name_width && width <= name_max(g))
			g->name_width = width;
		native = ref_cost(g, row->bench, &unit);
		if (!isfinite(native))
			continue;
		tg_text_cost(cost, sizeof(cost), native, unit);
		if (tg_text_width(cost) > g->ref_width)
			g->ref_width = tg_text_width(cost);
		if (!g->ref_title[0] || !strcmp(g->ref_title, row->ref))
			tg_text_clean(g->ref_title, sizeof(g->ref_title), row->ref);
		else
			snprintf(g->ref_title, sizeof(g->ref_title), "reference");
	}
	if (g->ref_width > 0 && tg_text_width(g->ref_title) > REF_MAX_COL)
		snprintf(g->ref_title, sizeof(g->ref_title), "reference");
	if (g->ref_width > 0 && tg_text_width(g->ref_title) > g->ref_width)
		g->ref_width = tg_text_width(g->ref_title);
}

static void move_to(FILE *out, size_t *column, size_t target)
{
	if (*column < target) {
		fprintf(out, "%*s", (int)(target - *column), "");
		*column = target;
	}
}

/* `text`, cleaned, cut to `max` columns with an ellipsis */
static void put_name(FILE *out, size_t *column, const char *text, size_t max)
{
	char clean[TG_BENCH_NAME_MAX + 4];
	size_t bytes;

	tg_text_clean(clean, sizeof(clean) - 4, text);
	if (tg_text_width(clean) > max) {
		for (bytes = strlen(clean); tg_text_width(clean) > max - 1;)
			clean[--bytes] = '\0';
		memcpy(clean + bytes, "…", sizeof("…"));
	}
	fputs(clean, out);
	*column += tg_text_width(clean);
}

static void put_cell(const struct grid *g, size_t *column, const struct tg_result *row)
{
	char value[TG_TEXT_SHORT];
	const char *color, *word = word_of(row, &color);
	bool colored = g->style->color && *color && *word;

	put_cell_value(value, sizeof(value), row);
	fprintf(g->out, "%s%s%s%s%s", value, value[0] && word[0] ? " " : "", colored ? color : "",
		word, colored ? "\033[0m" : "");
	*column += cell_width(row);
}

static void put_header(const struct grid *g, size_t from, size_t to)
{
	size_t column = 0, target = INDENT + g->name_width + GAP;
	char suite[TG_BENCH_NAME_MAX];

	snprintf(suite, sizeof(suite), "%.*s", (int)tg_gate_line_suite(g->suite), g->suite->bench);
	put_name(g->out, &column, suite, INDENT + g->name_width);
	if (from == 0 && g->ref_width > 0) {
		move_to(g->out, &column, target);
		put_name(g->out, &column, g->ref_title, REF_MAX_COL);
		target += g->ref_width + GAP;
	}
	for (size_t i = from; i < to; i++) {
		move_to(g->out, &column, target);
		put_name(g->out, &column, g->lanes[i], lane_max(g));
		target += g->lane_width[i] + GAP;
	}
	fputc('\n', g->out);
}

/* What the cells of a line have no room for. `inlined` was printed at the end of that line. */
static void put_notes(const struct grid *g, const char *bench, size_t from, size_t to,
	const struct tg_result *inlined)
{
	for (size_t i = from; i < to; i++) {
		const struct tg_result *row = find_row(g, bench, g->lanes[i]);
		char note[NOTE_MAX], line[NOTE_MAX + TG_LANE_NAME_MAX + 8];

		if (!row || row == inlined || !is_eventful(row))
			continue;
		put_note(note, sizeof(note), row);
		if (!note[0])
			continue;
		snprintf(line, sizeof(line), "%s  %s", row->lane, note);
		fprintf(g->out, "%*s", NOTE_INDENT, "");
		tg_text_wrap(g->out, line, NOTE_INDENT, NOTE_INDENT + 2, (size_t)g->style->width);
	}
}

/* The last cell's note goes on its own line where it fits. Returns that row, or NULL. */
static const struct tg_result *inline_note(
	const struct grid *g, size_t *column, const struct tg_result *row)
{
	char note[NOTE_MAX], clean[NOTE_MAX];

	if (!row || !tg_gate_line_counts(row))
		return NULL;
	put_note(note, sizeof(note), row);
	tg_text_clean(clean, sizeof(clean), note);
	if (!clean[0] || *column + GAP + tg_text_width(clean) > (size_t)g->style->width)
		return NULL;
	fprintf(g->out, "%*s%s", GAP, "", clean);
	return row;
}

static void put_bench(
	const struct grid *g, const char *bench, const char *name, size_t from, size_t to)
{
	const struct tg_result *row = NULL;
	size_t column = INDENT, target = INDENT + g->name_width + GAP;
	char cost[TG_TEXT_SHORT];
	const char *unit;
	double native;

	fprintf(g->out, "%*s", INDENT, "");
	put_name(g->out, &column, name, (size_t)g->style->width - INDENT);
	if (column > target - GAP && (from < to || g->ref_width > 0)) {
		fputc('\n', g->out);
		column = 0;
	}
	if (from == 0 && g->ref_width > 0) {
		native = ref_cost(g, bench, &unit);
		tg_text_cost(cost, sizeof(cost), native, unit);
		move_to(g->out, &column, target);
		fputs(cost, g->out);
		column += tg_text_width(cost);
		target += g->ref_width + GAP;
	}
	for (size_t i = from; i < to; i++) {
		row = find_row(g, bench, g->lanes[i]);
		if (row && (is_reference(row) || cell_width(row) == 0))
			row = NULL;
		move_to(g->out, &column, target);
		if (row)
			put_cell(g, &column, row);
		else
			column += (size_t)fprintf(g->out, "-");
		target += g->lane_width[i] + GAP;
	}
	row = inline_note(g, &column, row);
	fputc('\n', g->out);
	put_notes(g, bench, from, to, row);
}

/* As many lanes from `from` on as fit; at least one. */
static size_t group_end(const struct grid *g, size_t from)
{
	size_t used = INDENT + g->name_width, to = from;

	if (from == 0 && g->ref_width > 0)
		used += GAP + g->ref_width;
	while (to < g->lane_count) {
		used += GAP + g->lane_width[to];
		if (used > (size_t)g->style->width && to > from)
			break;
		to++;
	}
	return to;
}

void tg_grid_print(
	FILE *out, const struct tg_results *r, size_t first, const struct tg_table_style *style)
{
	struct grid g = {.out = out, .r = r, .suite = &r->v[first], .style = style};
	size_t from = 0, to;

	collect_lanes(&g);
	measure_columns(&g);
	do {
		to = group_end(&g, from);
		put_header(&g, from, to);
		for (size_t i = 0; i < r->count; i++)
			if (first_of_bench(&g, i))
				put_bench(
					&g, r->v[i].bench, tg_gate_line_bench(&r->v[i]), from, to);
		from = to;
		if (from < g.lane_count)
			fputc('\n', out);
	} while (from < g.lane_count);
}
