#include "host/samples.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 4096 /* names are found by a walk; a hostile file may not make it a long one */

/* One more of `size` bytes each. 0 or -ENOMEM. */
static int grow(void **v, size_t count, size_t *capacity, size_t size)
{
	size_t more = *capacity ? *capacity * 2 : 64;
	void *p;

	if (count < *capacity)
		return 0;
	p = reallocarray(*v, more, size);
	if (!p)
		return -ENOMEM;
	*v = p;
	*capacity = more;
	return 0;
}

int tg_samples_add(struct tg_samples *set, const struct tg_sample *turn)
{
	void *v = set->v;
	int rc = grow(&v, set->count, &set->capacity, sizeof(*set->v));

	if (rc < 0)
		return rc;
	set->v = v;
	set->v[set->count++] = *turn;
	return 0;
}

int tg_samples_row(struct tg_samples *set, const char *name, const char *unit)
{
	void *rows = set->rows;
	struct tg_row_name *row;
	int rc;

	if (strlen(name) >= TG_BENCH_NAME_MAX || strlen(unit) >= TG_UNIT_MAX)
		return -ENAMETOOLONG;
	for (size_t i = 0; i < set->row_count; i++)
		if (strcmp(set->rows[i].name, name) == 0)
			return strcmp(set->rows[i].unit, unit) == 0 ? (int)i : -EINVAL;
	if (set->row_count == ROWS_MAX)
		return -ENOSPC;
	rc = grow(&rows, set->row_count, &set->row_capacity, sizeof(*set->rows));
	if (rc < 0)
		return rc;
	set->rows = rows;
	row = &set->rows[set->row_count];
	*row = (struct tg_row_name){0};
	memcpy(row->name, name, strlen(name) + 1);
	memcpy(row->unit, unit, strlen(unit) + 1);
	return (int)set->row_count++;
}

int tg_samples_lane(struct tg_samples *set, const char *name)
{
	if (strlen(name) >= TG_LANE_NAME_MAX)
		return -ENAMETOOLONG;
	for (size_t i = 0; i < set->lane_count; i++)
		if (strcmp(set->lanes[i], name) == 0)
			return (int)i;
	if (set->lane_count == TG_LANES_MAX)
		return -ENOSPC;
	memcpy(set->lanes[set->lane_count], name, strlen(name) + 1);
	return (int)set->lane_count++;
}

void tg_samples_free(struct tg_samples *set)
{
	free(set->v);
	free(set->rows);
	*set = (struct tg_samples){0};
}
