/* names.h: what names and units may look like in every file of this room. */
#ifndef TG_STORE_NAMES_H
#define TG_STORE_NAMES_H

#include "common/limits.h"

#include <stdbool.h>
#include <string.h>

static inline bool tg_chars_ok(const char *s, const char *punctuation)
{
	for (; *s; s++)
		if (!(*s >= '0' && *s <= '9') && !((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z') &&
			!strchr(punctuation, *s))
			return false;
	return true;
}

static inline bool tg_lane_name_ok(const char *s)
{
	return *s && strlen(s) < TG_LANE_NAME_MAX && tg_chars_ok(s, "._:-");
}

/* Printable ASCII without a space at either end. */
static inline bool tg_bench_name_ok(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len >= TG_BENCH_NAME_MAX || s[0] == ' ' || s[len - 1] == ' ')
		return false;
	for (; *s; s++)
		if (*s < 0x20 || *s >= 0x7f)
			return false;
	return true;
}

static inline bool tg_unit_ok(const char *s)
{
	return *s && strlen(s) < TG_UNIT_MAX && tg_chars_ok(s, "./%_-");
}

/* Nanoseconds in one `unit`; 0 where it is no unit of time. */
static inline double tg_unit_ns(const char *unit)
{
	return strcmp(unit, "ns") == 0	  ? 1.0
		: strcmp(unit, "us") == 0 ? 1e3
		: strcmp(unit, "ms") == 0 ? 1e6
		: strcmp(unit, "s") == 0  ? 1e9
					  : 0.0;
}

#endif
