/* text.h: numbers and words as a person reads them. Buffers are cut to their size, terminated. */
#ifndef TG_REPORT_TEXT_H
#define TG_REPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TG_TEXT_SHORT 32 /* enough for any number below with its unit */

/* A cost with three significant digits in a unit of its size: 108 ns, 1.60 µs, 2.30 ms; KiB, MiB
 * for sizes (units "B", "KiB", "MiB", "GiB"); other units as they are. NAN: "-". */
void tg_text_cost(char *buf, size_t size, double value, const char *unit);

/* The same with its sign: "+50.0 ns". */
void tg_text_cost_change(char *buf, size_t size, double value, const char *unit);

/* A ratio with `digits` significant digits, 1.01x, 77.9x. NAN: "-". */
void tg_text_ratio(char *buf, size_t size, double ratio, int digits);

/* The percentage of a change in log units, signed, without the sign for percent: ln 1.123 is
 * "+12.3". */
void tg_text_change(char *buf, size_t size, double log_change);

/* A tolerance or an effect, 0.05: "5 %", 0.061: "6.1 %". */
void tg_text_percent(char *buf, size_t size, double ratio);

/* Columns on a terminal. Every character here is one column wide. */
size_t tg_text_width(const char *s);

/* Copy without what could drive a terminal or break XML: control characters (C0, DEL, C1), invalid
 * UTF-8 and noncharacters become '?'. buf may be NULL when size is 0. */
void tg_text_clean(char *buf, size_t size, const char *s);

/* Bytes of the printable UTF-8 character at s; 0 for one that tg_text_clean would replace. */
size_t tg_text_character(const char *s);

/*
 * Print `text`, cleaned, in lines of at most `width` columns, broken at spaces; every line but the
 * first starts with `indent` spaces. `column` columns of the first line are already used. Ends with
 * a newline.
 */
void tg_text_wrap(FILE *out, const char *text, size_t column, size_t indent, size_t width);

#endif
