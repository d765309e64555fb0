#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "report/tsv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *printed(const struct tg_results *r)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	tg_tsv_print(out, r);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void print_judged_row_has_every_column(void **state)
{
	double y[] = {0.1}, cost[] = {110};
	struct tg_result row = {.bench = "syscall/getpid", .lane = "runc", .ref = "native", .unit = "ns",
		.cpus = 1, .blocks = 1, .y = y, .cost = cost, .judged = true,
		.verdict = {.kind = TG_PASS, .blocks_now = 1, .slowdown = 1.25, .base = 1.2, .lo = -0.01, .hi = 0.02,
			.mde = 0.06, .role = TG_ROLE_GATE}};
	struct tg_results r = {.count = 1, .v = &row};
	char *text = printed(&r);

	(void)state;
	assert_non_null(strstr(text, "syscall/getpid\trunc\tnative\tns\t1\t1\t110\t1.25\t1.2\t-0.01\t0.02\t0.06\t"
				     "gate\tPASS\n"));
	free(text);
}

static void print_missing_values_are_dashes(void **state)
{
	double y[] = {NAN}, cost[] = {NAN};
	struct tg_result row = {.bench = "a/b", .lane = "native", .ref = "native", .unit = "ns", .cpus = 1,
		.blocks = 1, .y = y, .cost = cost};
	struct tg_results r = {.count = 1, .v = &row};
	char *text = printed(&r);

	(void)state;
	assert_non_null(strstr(text, "a/b\tnative\tnative\tns\t1\t1\t-\t-\t-\t-\t-\t-\t-\t-\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(print_judged_row_has_every_column),
		cmocka_unit_test(print_missing_values_are_dashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
