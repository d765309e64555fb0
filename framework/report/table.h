/* table.h: a run's results as a table for a terminal or a log. Writes to the stream it is given. */
#ifndef TG_REPORT_TABLE_H
#define TG_REPORT_TABLE_H

#include "store/results.h"

#include <stdbool.h>
#include <stdio.h>

struct tg_table_style {
	bool color;   /* escape codes round the verdicts' words; the words are there in any case */
	int width;    /* columns of a line; below 80: 100 */
	bool verbose; /* one more line a gate: blocks, rounds, MAD, role, df, SE */
};

/*
 * Void first, where the run is. Then machine and lanes; per suite one line a bench with the
 * reference's cost and a slowdown with its verdict a lane, in groups of as many lanes as fit side
 * by side; the line of every gate that regressed or failed; the summary. No line is wider than
 * style->width columns.
 */
void tg_table_print(FILE *out, const struct tg_results *r, const struct tg_table_style *style);

#endif
