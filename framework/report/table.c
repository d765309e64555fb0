#include "report/table.h"

#include "report/gate_line.h"
#include "report/grid.h"
#include "report/text.h"

#include <string.h>

#define LABEL	    8 /* columns of "lanes   " */
#define WIDTH	    100
#define WIDTH_MIN   80
#define LANE_TEXT   (TG_LANE_NAME_MAX + sizeof(((struct tg_lane_state *)0)->reason) + 8)
#define REASONS_MAX 8 /* lines of reasons; a ninth would not be read */

struct tally {
	size_t gates, kinds[TG_ERROR + 1];
	size_t watched, controls, controls_off;
	size_t settle;	 /* inconclusive gates that more blocks would settle */
	int more_blocks; /* so many */
	bool any_judged;
};

static void count_row(struct tally *t, const struct tg_result *row)
{
	if (row->null_control) {
		t->controls++;
		t->controls_off += tg_grid_control_off(row);
		return;
	}
	t->any_judged |= row->judged;
	t->watched += tg_gate_line_watched(row);
	if (!tg_gate_line_counts(row) || row->verdict.kind > TG_ERROR)
		return;
	t->gates++;
	t->kinds[row->verdict.kind]++;
	if (row->verdict.kind == TG_INCONCLUSIVE && row->verdict.blocks_needed > 0) {
		t->settle++;
		if (row->verdict.blocks_needed > t->more_blocks)
			t->more_blocks = row->verdict.blocks_needed;
	}
}

/* The gates say whether today's machine is the baseline's: they are inconclusive(rebaseline: …) if
 * not. */
static const char *rebaseline_reason(const struct tg_results *r)
{
	static const char prefix[] = "rebaseline";

	for (size_t i = 0; i < r->count; i++)
		if (r->v[i].judged && !strncmp(r->v[i].verdict.reason, prefix, sizeof(prefix) - 1))
			return r->v[i].verdict.reason;
	return NULL;
}

static void put_machine(FILE *out, const struct tg_results *r, const struct tally *t, size_t width)
{
	char line[1024], tolerance[TG_TEXT_SHORT], fingerprint[256] = "",
						   baseline[128] = "no baseline";
	const char *differs = rebaseline_reason(r);

	if (differs)
		snprintf(fingerprint, sizeof(fingerprint), " (%s)", differs);
	else if (r->baseline_sessions > 0 && t->any_judged)
		snprintf(fingerprint, sizeof(fingerprint), " (fingerprint matches)");
	if (r->baseline_sessions > 0)
		snprintf(baseline, sizeof(baseline), "baseline %zu session%s, %.10s",
			r->baseline_sessions, r->baseline_sessions == 1 ? "" : "s",
			r->baseline_date);
	tg_text_percent(tolerance, sizeof(tolerance), r->tolerance);
	snprintf(line, sizeof(line), "machine %s%s · %s · tolerance %s", r->machine.name,
		fingerprint, baseline, tolerance);
	tg_text_wrap(out, line, 0, LABEL, width);
}

static void put_lanes(FILE *out, const struct tg_results *r, size_t width)
{
	char line[TG_LANES_MAX * LANE_TEXT + 64];
	size_t used = 0;
	bool any = false;

	for (size_t i = 0; i < r->lane_count; i++)
		if (r->lanes[i].ready)
			used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s",
				used ? " " : "", r->lanes[i].name);
	for (size_t i = 0; i < r->lane_count; i++) {
		if (r->lanes[i].ready)
			continue;
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s (%s)",
			any	       ? ", "
				: used ? " · unavailable: "
				       : "none · unavailable: ",
			r->lanes[i].name, r->lanes[i].reason);
		any = true;
	}
	if (used == 0)
		return;
	fprintf(out, "%-*s", LABEL, "lanes");
	tg_text_wrap(out, line, LABEL, LABEL, width);
}

static bool same_failure(const struct tg_result *a, const struct tg_result *b)
{
	return a->verdict.kind == TG_ERROR && b->verdict.kind == TG_ERROR &&
		!strcmp(a->lane, b->lane) && !strcmp(a->verdict.reason, b->verdict.reason);
}

/* The full line of a gate that makes the run fail. A lane that is down fails every gate alike: said
 * once. */
static void put_details(FILE *out, const struct tg_results *r, size_t width)
{
	const char *label = "detail";

	for (size_t i = 0; i < r->count; i++) {
		const struct tg_result *row = &r->v[i];
		char line[TG_GATE_LINE_MAX + 64];
		size_t more = 0, earlier = 0;

		if (!tg_gate_line_counts(row) ||
			(row->verdict.kind != TG_REGRESSED && row->verdict.kind != TG_ERROR))
			continue;
		for (size_t j = 0; j < r->count; j++)
			if (j != i && tg_gate_line_counts(&r->v[j]) && same_failure(row, &r->v[j]))
				*(j < i ? &earlier : &more) += 1;
		if (earlier)
			continue;
		tg_gate_line(line, TG_GATE_LINE_MAX, row);
		if (more)
			snprintf(line + strlen(line), 64, " · and %zu more like it", more);
		fprintf(out, "%-*s", LABEL, label);
		tg_text_wrap(out, line, LABEL, LABEL + 2, width);
		label = "";
	}
}

/* A gate without a value of its own in the grid: its reason is said below it. */
static bool needs_reason(const struct tg_result *row)
{
	char change[4 * TG_TEXT_SHORT];

	if (!tg_gate_line_counts(row) || !row->verdict.reason[0])
		return false;
	if (row->verdict.kind == TG_SKIPPED)
		return true;
	tg_gate_line_change(change, sizeof(change), row, ",");
	return row->verdict.kind == TG_INCONCLUSIVE && !change[0];
}

static void put_reasons(FILE *out, const struct tg_results *r, size_t width)
{
	size_t lines = 0, others = 0;

	for (size_t i = 0; i < r->count; i++) {
		const struct tg_result *row = &r->v[i];
		char line[sizeof(row->verdict.reason) + 64];
		size_t same = 0, earlier = 0;

		if (!needs_reason(row))
			continue;
		for (size_t j = 0; j < r->count; j++)
			if (needs_reason(&r->v[j]) && r->v[j].verdict.kind == row->verdict.kind &&
				!strcmp(r->v[j].verdict.reason, row->verdict.reason))
				*(j < i ? &earlier : &same) += 1;
		if (earlier)
			continue;
		if (lines == REASONS_MAX) {
			others += same;
			continue;
		}
		snprintf(line, sizeof(line), "%zu %s: %s", same,
			row->verdict.kind == TG_SKIPPED ? "skipped" : "inconclusive",
			row->verdict.reason);
		fprintf(out, "%-*s", LABEL, lines++ ? "" : "why");
		tg_text_wrap(out, line, LABEL, LABEL + 2, width);
	}
	if (others)
		fprintf(out, "%*s%zu for other reasons\n", LABEL, "", others);
}

static void put_verbose(FILE *out, const struct tg_results *r, size_t width)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct tg_result *row = &r->v[i];
		const struct tg_verdict *v = &row->verdict;
		char line[TG_GATE_LINE_MAX];
		int n;

		if (!strcmp(row->lane, row->ref))
			continue;
		n = snprintf(line, sizeof(line), "%s/%s n=%zu rounds=%u mad=%.4f", row->bench,
			row->lane, row->judged && !row->null_control ? v->blocks_now : row->blocks,
			row->rounds, row->mad);
		if (row->judged && !row->null_control && n > 0)
			snprintf(line + n, sizeof(line) - (size_t)n, " role=%s df=%.1f se=%.4f",
				v->role == TG_ROLE_GATE ? "gate" : "watch", v->df, v->se);
		fprintf(out, "%-*s", LABEL, "gate");
		tg_text_wrap(out, line, LABEL, LABEL + 2, width);
	}
}

static size_t put_count(char *buf, size_t size, size_t count, const char *what)
{
	int n = count ? snprintf(buf, size, ", %zu %s", count, what) : 0;

	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

static void put_summary(FILE *out, const struct tg_results *r, const struct tally *t, size_t width)
{
	char line[512];
	size_t used;

	if (!t->any_judged) {
		snprintf(line, sizeof(line), "%zu row%s measured, no verdict", r->count,
			r->count == 1 ? "" : "s");
		tg_text_wrap(out, line, 0, LABEL, width);
		return;
	}
	used = (size_t)snprintf(line, sizeof(line), "%s%zu gate%s: %zu pass, %zu regressed",
		r->is_void ? "void · " : "", t->gates, t->gates == 1 ? "" : "s", t->kinds[TG_PASS],
		t->kinds[TG_REGRESSED]);
	used += put_count(line + used, sizeof(line) - used, t->kinds[TG_ERROR], "failed");
	used += put_count(line + used, sizeof(line) - used, t->kinds[TG_IMPROVED], "improved");
	used += put_count(
		line + used, sizeof(line) - used, t->kinds[TG_INCONCLUSIVE], "inconclusive");
	if (t->settle)
		used += (size_t)snprintf(line + used, sizeof(line) - used,
			" (%d more block%s would settle %zu)", t->more_blocks,
			t->more_blocks == 1 ? "" : "s", t->settle);
	used += put_count(line + used, sizeof(line) - used, t->kinds[TG_SKIPPED], "skipped");
	if (t->watched)
		used += (size_t)snprintf(
			line + used, sizeof(line) - used, " · %zu watched", t->watched);
	if (t->controls_off)
		snprintf(line + used, sizeof(line) - used, " · %zu of %zu controls off",
			t->controls_off, t->controls);
	tg_text_wrap(out, line, 0, LABEL, width);
}

static bool first_of_suite(const struct tg_results *r, size_t index)
{
	size_t n = tg_gate_line_suite(&r->v[index]);

	for (size_t i = 0; i < index; i++)
		if (tg_gate_line_suite(&r->v[i]) == n &&
			!strncmp(r->v[i].bench, r->v[index].bench, n))
			return false;
	return true;
}

void tg_table_print(FILE *out, const struct tg_results *r, const struct tg_table_style *style)
{
	struct tg_table_style s = *style;
	struct tally t = {0};
	size_t width;

	if (s.width < WIDTH_MIN)
		s.width = WIDTH;
	width = (size_t)s.width;
	for (size_t i = 0; i < r->count; i++)
		count_row(&t, &r->v[i]);

	if (r->is_void) {
		fprintf(out, "%sVOID%s    ", s.color ? "\033[1;31m" : "", s.color ? "\033[0m" : "");
		tg_text_wrap(out, r->void_reason, LABEL, LABEL, width);
	}
	put_machine(out, r, &t, width);
	put_lanes(out, r, width);
	for (size_t i = 0; i < r->count; i++) {
		if (!first_of_suite(r, i))
			continue;
		fputc('\n', out);
		tg_grid_print(out, r, i, &s);
	}
	fputc('\n', out);
	put_details(out, r, width);
	put_reasons(out, r, width);
	if (s.verbose)
		put_verbose(out, r, width);
	put_summary(out, r, &t, width);
}
