/* gate_line.h: one gate in one line: the same in the table, in JUnit and in a cmocka message. */
#ifndef TG_REPORT_GATE_LINE_H
#define TG_REPORT_GATE_LINE_H

#include "store/results.h"

#include <stdbool.h>
#include <stddef.h>

#define TG_GATE_LINE_MAX 640

/*
 * getpid/runc 1.273x (base 1.262x, +0.9 % [-0.8,+2.6], tolerance 5 %, MDE80 6.7 %) PASS n=12x8 B=8
 * bench without its suite, lane, slowdown; the change against the baseline with its one-sided 95 %
 * bounds; the smallest change found with power 80 %; verdict(reason); blocks x rounds; baseline
 * sessions. An absolute row has costs in place of ratios. What has no value is left out. Cut to
 * `size`, printable UTF-8, one line.
 */
void tg_gate_line(char *buf, size_t size, const struct tg_result *r);

/* How much, with its bounds: "+12.3 % [+9.1, +15.6]"; "" where there is none. */
void tg_gate_line_change(char *buf, size_t size, const struct tg_result *r, const char *separator);

/* A row without a reference: its value is a cost in r->unit, not a ratio. */
bool tg_gate_line_absolute(const struct tg_result *r);

/* The row's value today: the verdict's, or the Hodges-Lehmann estimate of a row that is only
 * measured. A ratio, or the cost of an absolute row. NAN: none. */
double tg_gate_line_value(const struct tg_result *r);

/* "syscall/getpid" is "getpid" of suite "syscall"; a name without a slash is its own suite. */
const char *tg_gate_line_bench(const struct tg_result *r);
size_t tg_gate_line_suite(const struct tg_result *r); /* bytes of the suite's name at r->bench */

/* Judged and counted: not a control, and not a watched row (which decides nothing, except that it
 * failed). */
bool tg_gate_line_counts(const struct tg_result *r);
bool tg_gate_line_watched(const struct tg_result *r);

#endif
