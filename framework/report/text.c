#include "report/text.h"

#include "common/cleanup.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define UNIT_MAX_BYTES 8 /* a longer one is cut: cells have to fit beside each other */

struct scale {
	const char *unit;
	double of_base; /* how many of the base unit one of these is */
};

static const struct scale times[] = {{"ns", 1}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}};
static const struct scale sizes[] = {
	{"B", 1}, {"KiB", 1024}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}};

static const struct scale *find_scale(const struct scale *table, size_t n, const char *unit)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(table[i].unit, unit))
			return &table[i];
	return NULL;
}

/* The largest unit that leaves at least 1; 999.5 already prints as 1.00 of the next one. */
static const struct scale *best_scale(const struct scale *table, size_t n, double base_value)
{
	const struct scale *best = table;

	for (size_t i = 1; i < n; i++)
		if (fabs(base_value) >= table[i].of_base * 0.9995)
			best = &table[i];
	return best;
}

/* `digits` significant digits, with an exponent only where nobody would count the zeros */
static void significant(char *buf, size_t size, double value, int digits, bool sign)
{
	int whole = value == 0.0 ? 1 : (int)floor(log10(fabs(value))) + 1;
	int decimals;

	if (fabs(value) >= 1e8) {
		snprintf(buf, size, sign ? "%+.1e" : "%.1e", value);
		return;
	}
	/* 9.996 has one digit before the point and prints as 10.0 */
	if (value != 0.0 && fabs(value) >= pow(10.0, whole) - 0.5 * pow(10.0, whole - digits))
		whole++;
	decimals = digits - (whole < 1 ? 1 : whole);
	if (decimals < 0)
		decimals = 0;
	snprintf(buf, size, sign ? "%+.*f" : "%.*f", decimals, value);
}

static void cost(char *buf, size_t size, double value, const char *unit, bool sign)
{
	const struct scale *table = times, *from, *to;
	size_t n = TG_ARRAY_SIZE(times);
	char number[TG_TEXT_SHORT], clean[UNIT_MAX_BYTES + 1];

	if (!isfinite(value)) {
		snprintf(buf, size, "-");
		return;
	}
	if (!unit || !*unit)
		unit = "ns";
	if (!strcmp(unit, "us"))
		unit = "µs";
	from = find_scale(table, n, unit);
	if (!from) {
		table = sizes;
		n = TG_ARRAY_SIZE(sizes);
		from = find_scale(table, n, unit);
	}
	if (from) {
		to = value == 0.0 ? from : best_scale(table, n, value * from->of_base);
		value = value * from->of_base / to->of_base;
		unit = to->unit;
	}
	significant(number, sizeof(number), value, 3, sign);
	tg_text_clean(clean, sizeof(clean), unit);
	snprintf(buf, size, "%s %s", number, clean);
}

void tg_text_cost(char *buf, size_t size, double value, const char *unit)
{
	cost(buf, size, value, unit, false);
}

void tg_text_cost_change(char *buf, size_t size, double value, const char *unit)
{
	cost(buf, size, value, unit, true);
}

void tg_text_ratio(char *buf, size_t size, double ratio, int digits)
{
	char number[TG_TEXT_SHORT];

	if (!isfinite(ratio)) {
		snprintf(buf, size, "-");
		return;
	}
	significant(number, sizeof(number), ratio, digits, false);
	snprintf(buf, size, "%sx", number);
}

void tg_text_change(char *buf, size_t size, double log_change)
{
	double percent = expm1(log_change) * 100.0;

	if (isnan(percent))
		snprintf(buf, size, "-");
	else if (isinf(percent))
		snprintf(buf, size, "%s", percent > 0.0 ? "+inf" : "-inf");
	else if (fabs(percent) >= 1e6)
		snprintf(buf, size, "%+.1e", percent);
	else
		snprintf(buf, size, "%+.1f", fabs(percent) < 0.05 ? 0.0 : percent);
}

void tg_text_percent(char *buf, size_t size, double ratio)
{
	double percent = ratio * 100.0;

	if (isnan(percent))
		snprintf(buf, size, "-");
	else if (isinf(percent))
		snprintf(buf, size, "inf");
	else if (fabs(percent) >= 1e6)
		snprintf(buf, size, "%.1e %%", percent);
	else if (fabs(percent - round(percent)) < 1e-6 || fabs(percent) >= 100.0)
		snprintf(buf, size, "%.0f %%", percent);
	else
		snprintf(buf, size, "%.1f %%", percent);
}

size_t tg_text_width(const char *s)
{
	size_t columns = 0;

	for (; *s; s++)
		if (((unsigned char)*s & 0xC0) != 0x80)
			columns++;
	return columns;
}

size_t tg_text_character(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	uint32_t code;
	size_t length;

	if (*u < 0x80)
		return *u >= 0x20 && *u != 0x7F ? 1 : 0;
	if (*u >= 0xC2 && *u <= 0xDF)
		length = 2;
	else if (*u >= 0xE0 && *u <= 0xEF)
		length = 3;
	else if (*u >= 0xF0 && *u <= 0xF4)
		length = 4;
	else
		return 0;

	code = *u & (0xFFu >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((u[i] & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (u[i] & 0x3Fu);
	}
	if ((length == 3 && code < 0x800) || (length == 4 && code < 0x10000) || code > 0x10FFFF)
		return 0; /* overlong */
	if (code < 0xA0 || (code >= 0xD800 && code <= 0xDFFF) || (code & 0xFFFE) == 0xFFFE)
		return 0; /* C1, surrogates, noncharacters */
	return length;
}

void tg_text_clean(char *buf, size_t size, const char *s)
{
	size_t used = 0;

	if (size == 0)
		return;
	while (*s) {
		size_t length = tg_text_character(s);

		if (used + (length ? length : 1) >= size)
			break;
		if (length)
			memcpy(buf + used, s, length);
		else
			buf[used] = '?';
		used += length ? length : 1;
		s += length ? length : 1;
	}
	buf[used] = '\0';
}

/* One word of at most `width` columns to `out`; returns its bytes. */
static size_t put_columns(FILE *out, const char *word, size_t bytes, size_t width)
{
	size_t i = 0;

	for (size_t columns = 0; i < bytes && columns < width; columns++) {
		size_t length = tg_text_character(word + i);

		if (length)
			fwrite(word + i, 1, length, out);
		else
			fputc('?', out);
		i += length ? length : 1;
	}
	return i;
}

/* Columns that put_columns would need: an invalid byte is one. */
static size_t columns_of(const char *word, size_t bytes)
{
	size_t columns = 0;

	for (size_t i = 0; i < bytes; columns++) {
		size_t length = tg_text_character(word + i);

		i += length ? length : 1;
	}
	return columns;
}

void tg_text_wrap(FILE *out, const char *text, size_t column, size_t indent, size_t width)
{
	bool first = true; /* of its line: no blanks before it */

	if (width < indent + 8)
		width = indent + 8;
	while (*text) {
		size_t blanks = first ? 0 : strspn(text, " ");
		size_t bytes, columns;

		text += first ? strspn(text, " ") : blanks;
		bytes = strcspn(text, " ");
		if (bytes == 0)
			break;
		columns = columns_of(text, bytes);
		if (!first && column + blanks + columns > width) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else {
			fprintf(out, "%*s", (int)blanks, "");
			column += blanks;
		}
		/* a word longer than a line is cut into lines */
		while (column + columns > width && column < width) {
			size_t done = put_columns(out, text, bytes, width - column);

			text += done;
			bytes -= done;
			columns = columns_of(text, bytes);
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		}
		put_columns(out, text, bytes, columns);
		column += columns;
		text += bytes;
		first = false;
	}
	fputc('\n', out);
}
