#include "common/cases.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static size_t spread(const struct tg_bench *b)
{
	size_t params = b->param_count + b->full_param_count;

	return params ? params : 1;
}

size_t tg_case_count(const struct tg_suite *const *suites, size_t count)
{
	size_t n = 0;

	for (size_t s = 0; s < count; s++)
		for (size_t b = 0; b < suites[s]->count; b++)
			n += spread(&suites[s]->benches[b]);
	return n;
}

static void name_of(const struct tg_case *c, const char *phase, char out[TG_BENCH_NAME_MAX])
{
	bool has_param = c->bench->param_count + c->bench->full_param_count > 0;
	int used = snprintf(out, TG_BENCH_NAME_MAX, "%s/%s%s%s", c->suite->name, c->bench->name,
		phase ? "/" : "", phase ? phase : "");

	if (has_param && used > 0 && used < TG_BENCH_NAME_MAX)
		snprintf(out + used, TG_BENCH_NAME_MAX - (size_t)used, "/%" PRId64, c->param);
}

static void fill(const struct tg_suite *suite, const struct tg_bench *b, size_t i, struct tg_case *out)
{
	*out = (struct tg_case){.suite = suite, .bench = b};
	if (i < b->param_count) {
		out->param = b->params[i];
	} else if (b->full_param_count) {
		out->param = b->full_params[i - b->param_count];
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
