#include "common/cases.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PLACES 3
static const char *const place_names[PLACES] = {"tmpfs", "bind", "root"};

static size_t params_of(const struct tg_bench *b)
{
	size_t params = b->param_count + b->full_param_count;

	return params ? params : 1;
}

static size_t places_of(const struct tg_bench *b)
{
	return b->places ? (size_t)__builtin_popcount(b->places) : 1;
}

static size_t spread(const struct tg_bench *b)
{
	return params_of(b) * places_of(b);
}

size_t tg_case_count(const struct tg_suite *const *suites, size_t count)
{
	size_t n = 0;

	for (size_t s = 0; s < count; s++)
		for (size_t b = 0; b < suites[s]->count; b++)
			n += spread(&suites[s]->benches[b]);
	return n;
}

const char *tg_place_name(enum tg_place place)
{
	return place ? place_names[__builtin_ctz(place)] : "";
}

static void name_of(const struct tg_case *c, const char *phase, char out[TG_BENCH_NAME_MAX])
{
	bool has_param = c->bench->param_count + c->bench->full_param_count > 0;
	int used = snprintf(out, TG_BENCH_NAME_MAX, "%s/%s%s%s%s%s", c->suite->name, c->bench->name,
		c->place ? "/" : "", tg_place_name(c->place), phase ? "/" : "", phase ? phase : "");

	if (has_param && used > 0 && used < TG_BENCH_NAME_MAX)
		snprintf(out + used, TG_BENCH_NAME_MAX - (size_t)used, "/%" PRId64, c->param);
}

/* The nth place of the set. */
static enum tg_place place_at(unsigned places, size_t n)
{
	for (; n; n--)
		places &= places - 1;
	return (enum tg_place)(places & -places);
}

static void fill(const struct tg_suite *suite, const struct tg_bench *b, size_t i, struct tg_case *out)
{
	size_t param = i % params_of(b);

	*out = (struct tg_case){.suite = suite, .bench = b, .place = place_at(b->places, i / params_of(b))};
	if (param < b->param_count) {
		out->param = b->params[param];
	} else if (b->full_param_count) {
		out->param = b->full_params[param - b->param_count];
		out->full = true;
	}
	out->full |= (b->flags & TG_FULL) != 0;
	name_of(out, NULL, out->name);
}

bool tg_case_at(const struct tg_suite *const *suites, size_t count, size_t index, struct tg_case *out)
{
	for (size_t s = 0; s < count; s++)
		for (size_t b = 0; b < suites[s]->count; b++) {
			size_t n = spread(&suites[s]->benches[b]);

			if (index < n) {
				fill(suites[s], &suites[s]->benches[b], index, out);
				return true;
			}
			index -= n;
		}
	return false;
}

bool tg_case_find(const struct tg_suite *const *suites, size_t count, const char *name,
	struct tg_case *out)
{
	for (size_t i = 0; tg_case_at(suites, count, i, out); i++)
		if (!strcmp(out->name, name))
			return true;
	return false;
}

void tg_case_row(const struct tg_case *c, const char *phase, char out[TG_BENCH_NAME_MAX])
{
	name_of(c, phase, out);
}
