/* tsv.h: one line a row and lane, for gnuplot and for scripts. */
#ifndef TG_REPORT_TSV_H
#define TG_REPORT_TSV_H

#include "store/results.h"

#include <stdio.h>

/*
 * A header line that names the columns, then tab-separated values; "-" where there is none:
 * bench lane ref unit cpus blocks cost slowdown base delta_lo delta_hi mde role verdict
 * cost: median of one op in `unit`; slowdown, base: ratios (absolute rows: costs); delta_*: natural logarithms
 * (absolute rows: in unit); mde: a share.
 */
void tg_tsv_print(FILE *out, const struct tg_results *r);

/* The same to a file, whole or not at all. */
int tg_tsv_write(const struct tg_results *r, const char *path, struct tg_err *err);

#endif
