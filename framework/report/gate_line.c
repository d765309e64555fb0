#include "report/gate_line.h"

#include "common/cleanup.h"
#include "report/text.h"
#include "verdict/stats.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool tg_gate_line_absolute(const struct tg_result *r)
{
	return !r->ref[0] || !strcmp(r->ref, "none");
}

const char *tg_gate_line_bench(const struct tg_result *r)
{
	const char *slash = strchr(r->bench, '/');

	return slash ? slash + 1 : r->bench;
}

size_t tg_gate_line_suite(const struct tg_result *r)
{
	return strcspn(r->bench, "/");
}

bool tg_gate_line_watched(const struct tg_result *r)
{
	return r->judged && !r->null_control && r->verdict.role == TG_ROLE_WATCH &&
		r->verdict.kind != TG_ERROR && r->verdict.kind != TG_SKIPPED;
}

bool tg_gate_line_counts(const struct tg_result *r)
{
	return r->judged && !r->null_control && !tg_gate_line_watched(r);
}

/* Hodges-Lehmann over the blocks that gave a value */
static double measured(const struct tg_result *r)
{
	tg_autofree double *finite = NULL;
	size_t n = 0;
	double centre;

	if (!r->y || r->blocks == 0)
		return NAN;
	finite = calloc(r->blocks, sizeof(*finite));
	if (!finite)
		return NAN;
	for (size_t i = 0; i < r->blocks; i++)
		if (isfinite(r->y[i]))
			finite[n++] = r->y[i];
	centre = tg_hodges_lehmann(finite, n);
	return tg_gate_line_absolute(r) ? centre : exp(centre);
}

double tg_gate_line_value(const struct tg_result *r)
{
	if (r->judged && r->verdict.blocks_now > 0 && isfinite(r->verdict.slowdown))
		return r->verdict.slowdown;
	return measured(r);
}

void tg_gate_line_change(char *buf, size_t size, const struct tg_result *r, const char *separator)
{
	const struct tg_verdict *v = &r->verdict;
	char delta[TG_TEXT_SHORT], lo[TG_TEXT_SHORT], hi[TG_TEXT_SHORT];

	buf[0] = '\0';
	if (!r->judged || v->blocks_now == 0 || !isfinite(v->delta) || !isfinite(v->base))
		return;
	if (tg_gate_line_absolute(r)) {
		tg_text_cost_change(delta, sizeof(delta), v->delta, r->unit);
		tg_text_cost_change(lo, sizeof(lo), v->lo, r->unit);
		tg_text_cost_change(hi, sizeof(hi), v->hi, r->unit);
		snprintf(buf, size, "%s [%s%s%s]", delta, lo, separator, hi);
		return;
	}
	tg_text_change(delta, sizeof(delta), v->delta);
	tg_text_change(lo, sizeof(lo), v->lo);
	tg_text_change(hi, sizeof(hi), v->hi);
	snprintf(buf, size, "%s %% [%s%s%s]", delta, lo, separator, hi);
}

__attribute__((format(printf, 4, 5))) static void append(
	char *buf, size_t size, size_t *used, const char *fmt, ...)
{
	va_list args;
	int n;

	if (*used + 1 >= size)
		return;
	va_start(args, fmt);
	n = vsnprintf(buf + *used, size - *used, fmt, args);
	va_end(args);
	if (n > 0)
		*used += (size_t)n < size - *used ? (size_t)n : size - *used - 1;
}

static void put_value(char *buf, size_t size, const struct tg_result *r, double value)
{
	if (tg_gate_line_absolute(r))
		tg_text_cost(buf, size, value, r->unit);
	else
		tg_text_ratio(buf, size, value, 4);
}

/* (base 1.262x, +0.9 % [-0.8,+2.6], tolerance 5 %, MDE80 6.7 %) */
static void append_baseline(char *buf, size_t size, size_t *used, const struct tg_result *r)
{
	const struct tg_verdict *v = &r->verdict;
	char change[4 * TG_TEXT_SHORT], text[TG_TEXT_SHORT];
	bool absolute = tg_gate_line_absolute(r);

	tg_gate_line_change(change, sizeof(change), r, ",");
	if (!change[0])
		return;
	put_value(text, sizeof(text), r, v->base);
	append(buf, size, used, " (base %s, %s", text, change);
	if (absolute)
		tg_text_cost(text, sizeof(text), r->tolerance, r->unit);
	else
		tg_text_percent(text, sizeof(text), r->tolerance);
	append(buf, size, used, ", tolerance %s", text);
	if (!isnan(v->mde)) {
		if (absolute)
			tg_text_cost(text, sizeof(text), v->mde, r->unit);
		else
			tg_text_percent(text, sizeof(text), v->mde);
		append(buf, size, used, ", MDE80 %s", text);
	}
	append(buf, size, used, ")");
}

void tg_gate_line(char *buf, size_t size, const struct tg_result *r)
{
	char line[TG_GATE_LINE_MAX], text[TG_TEXT_SHORT];
	const struct tg_verdict *v = &r->verdict;
	double value = tg_gate_line_value(r);
	bool gate = r->judged && !r->null_control;
	size_t used = 0, blocks = gate ? v->blocks_now : r->blocks;

	append(line, sizeof(line), &used, "%s/%s", tg_gate_line_bench(r), r->lane);
	if (isfinite(value)) {
		put_value(text, sizeof(text), r, value);
		append(line, sizeof(line), &used, " %s", text);
	}
	if (r->null_control) {
		append(line, sizeof(line), &used, " control");
	} else if (gate) {
		append_baseline(line, sizeof(line), &used, r);
		append(line, sizeof(line), &used, " %s", tg_verdict_name(v->kind));
		if (v->reason[0])
			append(line, sizeof(line), &used, "(%s)", v->reason);
		if (tg_gate_line_watched(r))
			append(line, sizeof(line), &used, " watch");
	}
	if (blocks > 0)
		append(line, sizeof(line), &used, " n=%zux%u", blocks, r->rounds);
	if (gate && v->sessions_base > 0)
		append(line, sizeof(line), &used, " B=%zu", v->sessions_base);
	tg_text_clean(buf, size, line);
}
