/* grid.h: the benches x lanes part of the table, one suite at a time. Of this room only. */
#ifndef TG_REPORT_GRID_H
#define TG_REPORT_GRID_H

#include "report/table.h"

#include <stddef.h>

/* The grid of the suite that row r->v[first] belongs to. style->width is at least 80. */
void tg_grid_print(
	FILE *out, const struct tg_results *r, size_t first, const struct tg_table_style *style);

/* A control row whose slowdown lies outside its tolerance */
bool tg_grid_control_off(const struct tg_result *r);

#endif
