#include "report/junit.h"

#include "report/gate_line.h"
#include "report/text.h"
#include "store/file.h"

#include <string.h>

enum outcome { OK, FAILURE, ERROR, SKIPPED, OUTCOMES };

/* XML 1.0 text and attribute values; what must not be in XML at all (control characters) is left
 * out. */
static void put_escaped(FILE *out, const char *s, size_t bytes)
{
	static const char special[] = "&<>\"'";
	static const char *const entity[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};
	const char *end = s + bytes, *found;

	while (s < end) {
		size_t length = tg_text_character(s);

		found = strchr(special, *s);
		if (*s && found)
			fputs(entity[found - special], out);
		else if (length)
			fwrite(s, 1, length, out);
		else if ((unsigned char)*s >= 0x80)
			fputc('?', out);
		s += length ? length : 1;
	}
}

static void put_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	put_escaped(out, value, strlen(value));
	fputc('"', out);
}

static bool is_case(const struct tg_result *r)
{
	return r->judged && !r->null_control;
}

static enum outcome outcome_of(const struct tg_results *all, const struct tg_result *r)
{
	if (all->is_void || tg_gate_line_watched(r))
		return SKIPPED;
	switch (r->verdict.kind) {
	case TG_PASS:
	case TG_IMPROVED:
		return OK;
	case TG_REGRESSED:
		return FAILURE;
	case TG_ERROR:
		return ERROR;
	case TG_INCONCLUSIVE:
	case TG_SKIPPED:
		return SKIPPED;
	}
	return ERROR;
}

static bool same_suite(const struct tg_result *a, const struct tg_result *b)
{
	size_t n = tg_gate_line_suite(a);

	return n == tg_gate_line_suite(b) && !strncmp(a->bench, b->bench, n);
}

static bool first_of_suite(const struct tg_results *all, size_t index)
{
	if (!is_case(&all->v[index]))
		return false;
	for (size_t i = 0; i < index; i++)
		if (is_case(&all->v[i]) && same_suite(&all->v[i], &all->v[index]))
			return false;
	return true;
}

static void put_skipped(FILE *out, const struct tg_results *all, const struct tg_result *r)
{
	char why[TG_GATE_LINE_MAX], mde[TG_TEXT_SHORT];
	const char *reason = r->verdict.reason;

	if (all->is_void) {
		snprintf(why, sizeof(why), "the run is void: %s", all->void_reason);
	} else if (tg_gate_line_watched(r)) {
		tg_text_percent(mde, sizeof(mde), r->verdict.mde);
		if (tg_gate_line_absolute(r))
			tg_text_cost(mde, sizeof(mde), r->verdict.mde, r->unit);
		snprintf(why, sizeof(why), "watched, decides nothing: MDE %s", mde);
	} else {
		snprintf(why, sizeof(why), "%s%s%s", tg_verdict_name(r->verdict.kind),
			*reason ? ": " : "", reason);
	}
	fputs("      <skipped", out);
	put_attribute(out, "message", why);
	fputs("/>\n", out);
}

/* "suites/syscall.c:42" as the two attributes that CI systems annotate a line by */
static void put_source(FILE *out, const char *source)
{
	const char *colon = source ? strrchr(source, ':') : NULL;

	if (!colon)
		return;
	fputs(" file=\"", out);
	put_escaped(out, source, (size_t)(colon - source));
	fputc('"', out);
	put_attribute(out, "line", colon + 1);
}

static void put_case(FILE *out, const struct tg_results *all, const struct tg_result *r)
{
	char name[TG_BENCH_NAME_MAX + TG_LANE_NAME_MAX], line[TG_GATE_LINE_MAX];
	enum outcome outcome = outcome_of(all, r);

	snprintf(name, sizeof(name), "%s/%s", tg_gate_line_bench(r), r->lane);
	tg_gate_line(line, sizeof(line), r);
	fputs("    <testcase", out);
	put_attribute(out, "name", name);
	fputs(" classname=\"tollgate.", out);
	put_escaped(out, r->bench, tg_gate_line_suite(r));
	fputs("\" time=\"0\"", out);
	put_source(out, r->source);
	fputs(">\n", out);
	if (outcome == FAILURE || outcome == ERROR) {
		fputs(outcome == FAILURE ? "      <failure" : "      <error", out);
		put_attribute(out, "type", tg_verdict_name(r->verdict.kind));
		put_attribute(out, "message", line);
		fputs("/>\n", out);
	} else if (outcome == SKIPPED) {
		put_skipped(out, all, r);
	}
	fputs("      <system-out>", out);
	put_escaped(out, line, strlen(line));
	fputs("</system-out>\n    </testcase>\n", out);
}

static void put_counts(FILE *out, const size_t n[OUTCOMES])
{
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"",
		n[OK] + n[FAILURE] + n[ERROR] + n[SKIPPED], n[FAILURE], n[ERROR], n[SKIPPED]);
}

static void put_suite(FILE *out, const struct tg_results *all, const struct tg_result *first)
{
	size_t n[OUTCOMES] = {0};

	for (size_t i = 0; i < all->count; i++)
		if (is_case(&all->v[i]) && same_suite(&all->v[i], first))
			n[outcome_of(all, &all->v[i])]++;
	fputs("  <testsuite name=\"", out);
	put_escaped(out, first->bench, tg_gate_line_suite(first));
	fputc('"', out);
	put_counts(out, n);
	put_attribute(out, "timestamp", all->date);
	put_attribute(out, "hostname", all->machine.name);
	fputs(">\n", out);
	for (size_t i = 0; i < all->count; i++)
		if (is_case(&all->v[i]) && same_suite(&all->v[i], first))
			put_case(out, all, &all->v[i]);
	fputs("  </testsuite>\n", out);
}

static void put_void(FILE *out, const char *reason)
{
	fputs("  <testsuite name=\"tollgate\" tests=\"1\" failures=\"0\" errors=\"1\" "
	      "skipped=\"0\">\n"
	      "    <testcase name=\"controls\" classname=\"tollgate.run\" time=\"0\">\n"
	      "      <error type=\"VOID\"",
		out);
	put_attribute(out, "message", reason);
	fputs("/>\n    </testcase>\n  </testsuite>\n", out);
}

void tg_junit_print(FILE *out, const struct tg_results *r)
{
	size_t n[OUTCOMES] = {0};

	for (size_t i = 0; i < r->count; i++)
		if (is_case(&r->v[i]))
			n[outcome_of(r, &r->v[i])]++;
	n[ERROR] += r->is_void;

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tollgate\"", out);
	put_counts(out, n);
	fprintf(out, " time=\"%.3f\">\n", r->wall_s);
	if (r->is_void)
		put_void(out, r->void_reason);
	for (size_t i = 0; i < r->count; i++)
		if (first_of_suite(r, i))
			put_suite(out, r, &r->v[i]);
	fputs("</testsuites>\n", out);
}

int tg_junit_write(const struct tg_results *r, const char *path, struct tg_err *err)
{
	struct tg_newfile f = {0};

	if (tg_newfile_open(&f, path, err) < 0)
		return tg_err_wrap(err, "junit");
	tg_junit_print(f.stream, r);
	if (tg_newfile_publish(&f, err) < 0)
		return tg_err_wrap(err, "junit");
	return 0;
}
