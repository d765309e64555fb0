/* cases.h: the table rows of the suites, spelled out: one case for each bench and parameter. */
#ifndef TG_COMMON_CASES_H
#define TG_COMMON_CASES_H

#include "tollgate.h"

/* The suites linked into this program, in the order of the build's list; made by the build. */
extern const struct tg_suite *const tg_suites[];
extern const size_t tg_suite_count;

struct tg_case {
	const struct tg_suite *suite;
	const struct tg_bench *bench;
	int64_t param;
	enum tg_place place; /* 0: none */
	bool full; /* only with --full */
	char name[TG_BENCH_NAME_MAX]; /* "syscall/write_file/4000" */
};

/* The number of cases of `suites`, and case `index` in table order. Returns false past the end. */
size_t tg_case_count(const struct tg_suite *const *suites, size_t count);
bool tg_case_at(const struct tg_suite *const *suites, size_t count, size_t index, struct tg_case *out);

/* The case of that name. */
bool tg_case_find(const struct tg_suite *const *suites, size_t count, const char *name,
	struct tg_case *out);

/* The row name of a phase of a case: suite/bench/phase[/param]. phase NULL: the case's own name. */
void tg_case_row(const struct tg_case *c, const char *phase, char out[TG_BENCH_NAME_MAX]);

/* "tmpfs", "bind", "root"; "" for none. */
const char *tg_place_name(enum tg_place place);

#endif
