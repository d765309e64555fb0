/* The gates as cmocka groups: one group a suite, one test a gate, each looking up its finished verdict. */
#include "cli/commands.h"
#include "report/gate_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* On cmocka's stream, where it cannot break the XML that may be there. */
static void note(const char *what, const char *line)
{
	const char *format = getenv("CMOCKA_MESSAGE_OUTPUT");

	if (format && !strcasecmp(format, "xml"))
		fprintf(stderr, "# %s%s\n", what, line);
	else
		print_message("# %s%s\n", what, line);
}

static void gate(void **state)
{
	const struct tg_result *r = *state;
	char line[TG_GATE_LINE_MAX];

	tg_gate_line(line, sizeof(line), r);
	switch (r->verdict.kind) {
	case TG_REGRESSED:
	case TG_ERROR:
		if (tg_gate_line_watched(r)) {
			note("watched, decides nothing: ", line);
			return;
		}
		fail_msg("%s", line);
		return;
	case TG_INCONCLUSIVE:
	case TG_SKIPPED:
		note("", line); /* cmocka's skip takes no reason */
		skip();
		return;
	case TG_PASS:
	case TG_IMPROVED:
		assert_true(r->judged);
		return;
	}
}

static void run_suite(const struct tg_results *r, const char *suite, size_t len)
{
	struct CMUnitTest *tests = calloc(r->count + 1, sizeof(*tests));
	char(*names)[2 * TG_BENCH_NAME_MAX] = calloc(r->count + 1, sizeof(*names));
	char group[TG_BENCH_NAME_MAX];
	size_t n = 0;

	snprintf(group, sizeof(group), "%.*s", (int)len, suite);
	for (size_t i = 0; tests && names && i < r->count; i++) {
		struct tg_result *res = &r->v[i];

		if (!res->judged || res->null_control || tg_gate_line_suite(res) != len ||
			strncmp(res->bench, suite, len) != 0)
			continue;
		snprintf(names[n], sizeof(names[n]), "%s/%s", tg_gate_line_bench(res), res->lane);
		tests[n] = (struct CMUnitTest){names[n], gate, NULL, NULL, res};
		n++;
	}
	if (n)
		_cmocka_run_group_tests(group, tests, n, NULL, NULL);
	free(tests);
	free(names);
}

void tg_gates_run(const struct tg_results *r)
{
	for (size_t i = 0; i < r->count; i++) {
		size_t len = tg_gate_line_suite(&r->v[i]);
		bool seen = false;

		for (size_t j = 0; j < i; j++)
			seen |= tg_gate_line_suite(&r->v[j]) == len &&
				!strncmp(r->v[j].bench, r->v[i].bench, len);
		if (!seen)
			run_suite(r, r->v[i].bench, len);
	}
}
