/* test_table.c: a run's results as a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "report/table.h"
#include "report/text.h"

#include <math.h>
#include <string.h>

#define ROWS  256
#define PLAIN ((struct tg_table_style){.width = 100})

struct fixture {
	struct tg_results r;
	struct tg_result rows[ROWS];
	char *text;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->r.v = f->rows;
	strcpy(f->r.machine.name, "vm-epyc-2");
	f->r.tolerance = 0.05;
	f->r.baseline_sessions = 8;
	strcpy(f->r.baseline_date, "2026-12-01T10:00:00+00:00");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->text);
	free(f);
	return 0;
}

static void add_lane(struct fixture *f, const char *name, const char *unavailable)
{
	struct tg_lane_state *lane = &f->r.lanes[f->r.lane_count++];

	snprintf(lane->name, sizeof(lane->name), "%s", name);
	lane->ready = !unavailable;
	if (unavailable)
		snprintf(lane->reason, sizeof(lane->reason), "%s", unavailable);
}

static struct tg_result *add(struct fixture *f, const char *bench, const char *lane,
	enum tg_verdict_kind kind, double slowdown, double change)
{
	struct tg_result *row = &f->rows[f->r.count++];

	assert_true(f->r.count <= ROWS);
	*row = (struct tg_result){
		.ref = "native", .unit = "ns", .tolerance = 0.05, .judged = true, .rounds = 8};
	snprintf(row->bench, sizeof(row->bench), "%s", bench);
	snprintf(row->lane, sizeof(row->lane), "%s", lane);
	row->native = 108;
	row->mad = 0.0031;
	row->verdict = (struct tg_verdict){.kind = kind,
		.slowdown = slowdown,
		.base = slowdown / (1 + change),
		.delta = log1p(change),
		.lo = log1p(change - 0.03),
		.hi = log1p(change + 0.03),
		.se = 0.012,
		.df = 9.5,
		.mde = 0.061,
		.blocks_now = 12,
		.sessions_base = 8};
	return row;
}

static const char *print(struct fixture *f, struct tg_table_style style)
{
	size_t size;
	FILE *out;

	free(f->text);
	f->text = NULL;
	out = open_memstream(&f->text, &size);
	assert_non_null(out);
	tg_table_print(out, &f->r, &style);
	fclose(out);
	return f->text;
}

static void check_has(const char *text, const char *want)
{
	if (!strstr(text, want))
		fail_msg("no \"%s\" in:\n%s", want, text);
}

static void check_has_not(const char *text, const char *unwanted)
{
	if (strstr(text, unwanted))
		fail_msg("\"%s\" in:\n%s", unwanted, text);
}

/* No line wider than `width` columns, none with blanks at its end; returns the number of lines. */
static size_t check_lines(const char *text, size_t width)
{
	tg_autofree char *copy = strdup(text);
	char *rest = copy, *line;
	size_t lines = 0;

	assert_non_null(copy);
	while ((line = strsep(&rest, "\n")) != NULL) {
		lines++;
		if (tg_text_width(line) > width)
			fail_msg("%zu columns: %s", tg_text_width(line), line);
		if (*line && line[strlen(line) - 1] == ' ')
			fail_msg("blank at the end of: %s", line);
	}
	return lines;
}

static void small_run_is_the_table_of_the_manual(void **state)
{
	struct fixture *f = *state;

	add_lane(f, "native", NULL);
	add_lane(f, "null", NULL);
	add_lane(f, "runc", NULL);
	add_lane(f, "runsc-ptrace", NULL);
	add_lane(f, "runsc-kvm", "not ready within 10 s");
	add_lane(f, "kata", "not installed");
	add(f, "syscall/getpid", "null", TG_PASS, 1.001, 0)->null_control = true;
	add(f, "syscall/getpid", "runc", TG_PASS, 1.01, 0.004);
	add(f, "syscall/getpid", "runsc-ptrace", TG_PASS, 77.9, 0.004);
	add(f, "syscall/open_close/bind", "null", TG_PASS, 1.0, 0)->null_control = true;
	add(f, "syscall/open_close/bind", "runc", TG_IMPROVED, 0.9, -0.123);
	add(f, "syscall/open_close/bind", "runsc-ptrace", TG_REGRESSED, 9.8, 0.123);
	for (size_t i = 3; i < 6; i++)
		f->rows[i].native = 1600;
	assert_string_equal(print(f, PLAIN),
		"machine vm-epyc-2 (fingerprint matches) · baseline 8 sessions, 2026-12-01 · "
		"tolerance 5 %\n"
		"lanes   native null runc runsc-ptrace · unavailable: runsc-kvm (not ready within "
		"10 s), "
		"kata (not\n        installed)\n"
		"\n"
		"syscall                 native   null           runc            runsc-ptrace\n"
		"  getpid                108 ns   1.00x control  1.01x pass      77.9x pass"
		"  +0.4 %  MDE 6.1 %\n"
		"  open_close/bind       1.60 µs  1.00x control  0.90x IMPROVED  9.80x REGRESSED\n"
		"      runc  -12.3 % [-15.3, -9.3]  MDE 6.1 %\n"
		"      runsc-ptrace  +12.3 % [+9.3, +15.3]  MDE 6.1 %\n"
		"\n"
		"detail  open_close/bind/runsc-ptrace 9.800x (base 8.727x, +12.3 % [+9.3,+15.3], "
		"tolerance 5 %, MDE80\n          6.1 %) REGRESSED n=12x8 B=8\n"
		"4 gates: 2 pass, 1 regressed, 1 improved\n");
}

static void forty_benches_in_six_lanes_fit_in_100_columns(void **state)
{
	static const char *const lanes[] = {
		"null", "runc", "runsc-ptrace", "runsc-systrap", "runsc-systrap-1cpu", "crun"};
	struct fixture *f = *state;
	size_t lines;

	for (size_t l = 0; l < TG_ARRAY_SIZE(lanes); l++)
		add_lane(f, lanes[l], NULL);
	for (size_t b = 0; b < 40; b++)
		for (size_t l = 0; l < TG_ARRAY_SIZE(lanes); l++) {
			char bench[TG_BENCH_NAME_MAX];

			snprintf(bench, sizeof(bench), "memory/map_touch_unmap_%zu/1048576", b);
			add(f, bench, lanes[l], b % 8 == l ? TG_REGRESSED : TG_PASS, 1234.5, 0.1);
		}
	lines = check_lines(print(f, PLAIN), 100);
	check_has(f->text, "map_touch_unmap_39/1048576");
	check_has(f->text, "240 gates: 210 pass, 30 regressed\n");
	/* two groups of lanes, 30 notes, 30 details of at most two lines, and a few more */
	if (lines > 2 * 41 + 30 + 60 + 12)
		fail_msg("%zu lines:\n%s", lines, f->text);
	check_lines(print(f, (struct tg_table_style){.width = 80, .verbose = true}), 80);
}

static void longest_names_and_reasons_stay_in_the_width(void **state)
{
	struct fixture *f = *state;
	char bench[TG_BENCH_NAME_MAX], lane[TG_LANE_NAME_MAX], reason[256];
	struct tg_result *row;

	memset(bench, 'b', sizeof(bench));
	memcpy(bench, "x/", 2);
	bench[sizeof(bench) - 1] = '\0';
	memset(lane, 'l', sizeof(lane));
	lane[sizeof(lane) - 1] = '\0';
	memset(reason, 'r', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	add_lane(f, lane, NULL);
	add_lane(f, "kata", reason);
	add(f, bench, lane, TG_REGRESSED, 9.8, 0.123);
	row = add(f, "x/y", lane, TG_INCONCLUSIVE, 9.8, 0.02);
	snprintf(row->verdict.reason, sizeof(row->verdict.reason), "%.150s", reason);
	snprintf(row->ref, sizeof(row->ref), "%s", "a-reference-lane-with-a-name-too-long-to-show");
	row = add(f, "x/z", "kata", TG_ERROR, NAN, NAN);
	snprintf(row->verdict.reason, sizeof(row->verdict.reason), "%.150s", reason);
	check_lines(print(f, (struct tg_table_style){.width = 100, .verbose = true}), 100);
	check_lines(print(f, (struct tg_table_style){.width = 80}), 80);
}

static void colours_are_only_there_when_asked_for(void **state)
{
	struct fixture *f = *state;

	add_lane(f, "runc", NULL);
	add(f, "syscall/getpid", "runc", TG_REGRESSED, 9.8, 0.123);
	f->r.is_void = true;
	strcpy(f->r.void_reason, "\033[2J4 of 40 controls off");
	strcpy(f->r.machine.name, "a\033[2Jb");
	check_has_not(print(f, PLAIN), "\033");
	check_has(f->text, "9.80x REGRESSED");
	check_has(print(f, (struct tg_table_style){.color = true}),
		"9.80x \033[1;31mREGRESSED\033[0m");
	check_has_not(f->text, "\033[2J"); /* ours alone */
}

static void void_run_says_so_first(void **state)
{
	struct fixture *f = *state;

	add_lane(f, "runc", NULL);
	add(f, "syscall/getpid", "runc", TG_PASS, 1.0, 0);
	f->r.is_void = true;
	strcpy(f->r.void_reason, "4 of 40 controls off");
	print(f, PLAIN);
	assert_int_equal(strncmp(f->text, "VOID    4 of 40 controls off\nmachine ", 37), 0);
	check_has(f->text, "\nvoid · 1 gate: 1 pass, 0 regressed\n");
}

static void measured_rows_have_a_slowdown_and_no_verdict(void **state)
{
	double y[] = {log(2.0), log(2.0), NAN};
	struct fixture *f = *state;
	struct tg_result *row = add(f, "syscall/getpid", "runc", TG_REGRESSED, 9.8, 0.123);

	row->judged = false;
	row->y = y;
	row->blocks = TG_ARRAY_SIZE(y);
	f->r.baseline_sessions = 0;
	check_has(print(f, PLAIN), "machine vm-epyc-2 · no baseline · tolerance 5 %\n");
	check_has(f->text, "  getpid                108 ns  2.00x\n");
	check_has(f->text, "\n1 row measured, no verdict\n");
	check_has_not(f->text, "REGRESSED");
	check_has_not(f->text, "9.80x");
}

static void native_alone_shows_its_cost(void **state)
{
	double y[] = {NAN, NAN}, cost[] = {2.0e6, 2.6e6};
	struct fixture *f = *state;
	struct tg_result *row = add(f, "syscall/getpid", "native", TG_PASS, 1, 0);

	row->judged = false;
	row->y = y;
	row->cost = cost;
	row->native = NAN;
	row->blocks = 2;
	check_has(print(f, PLAIN),
		"syscall                 native\n"
		"  getpid                2.30 ms\n");
}

static void absolute_rows_show_costs(void **state)
{
	struct fixture *f = *state;
	struct tg_result *row = add(f, "footprint/idle", "runc", TG_REGRESSED, 12595.2, 0);

	strcpy(row->ref, "none");
	strcpy(row->unit, "KiB");
	row->tolerance = 1024;
	row->native = NAN;
	row->verdict.base = 10000;
	row->verdict.delta = 2595.2;
	row->verdict.lo = 2000;
	row->verdict.hi = 3000;
	row->verdict.mde = 1500;
	check_has(print(f, PLAIN),
		"  idle                  12.3 MiB REGRESSED  "
		"+2.53 MiB [+1.95 MiB, +2.93 MiB]  MDE 1.46 MiB\n");
	check_has(f->text, "(base 9.77 MiB, +2.53 MiB [+1.95 MiB,+2.93 MiB], tolerance 1.00 MiB,");
}

static void controls_and_watched_rows_are_not_gates(void **state)
{
	struct fixture *f = *state;
	struct tg_result *row;

	add(f, "syscall/a", "null", TG_PASS, 1.0, 0)->null_control = true;
	add(f, "syscall/b", "null", TG_PASS, 1.08, 0)->null_control = true;
	add(f, "syscall/a", "runc", TG_REGRESSED, 3.0, 0.5)->verdict.role = TG_ROLE_WATCH;
	row = add(f, "syscall/b", "runc", TG_INCONCLUSIVE, 3.0, 0.04);
	strcpy(row->verdict.reason, "null");
	check_has(print(f, PLAIN), "1.00x control      3.00x watch\n");
	check_has(f->text,
		"1.08x control OFF  3.00x INCONCLUSIVE\n"
		"      runc  +4.0 % [+1.0, +7.0]  MDE 6.1 %  null\n");
	check_has(f->text,
		"\n1 gate: 0 pass, 0 regressed, 1 inconclusive · 1 watched · 1 of 2 controls "
		"off\n");
	check_has_not(f->text, "detail");
}

static void summary_counts_every_kind(void **state)
{
	static const enum tg_verdict_kind kinds[] = {TG_PASS, TG_REGRESSED, TG_IMPROVED,
		TG_INCONCLUSIVE, TG_INCONCLUSIVE, TG_INCONCLUSIVE, TG_SKIPPED, TG_ERROR};
	struct fixture *f = *state;

	for (size_t i = 0; i < TG_ARRAY_SIZE(kinds); i++) {
		char bench[32];

		snprintf(bench, sizeof(bench), "syscall/b%zu", i);
		add(f, bench, "runc", kinds[i], 1.5, 0.01);
	}
	f->rows[3].verdict.blocks_needed = 18;
	f->rows[4].verdict.blocks_needed = 3;
	f->rows[5].verdict.blocks_needed = -1;
	check_has(print(f, PLAIN),
		"\n8 gates: 1 pass, 1 regressed, 1 failed, 1 improved, 3 inconclusive "
		"(18 more blocks would settle 2),\n        1 skipped\n");
}

static void one_reason_for_many_gates_is_said_once(void **state)
{
	static const char changed[] = "rebaseline: kernel, was 6.1, is 6.18";
	struct fixture *f = *state;
	struct tg_result *row;

	for (size_t i = 0; i < 6; i++) {
		char bench[32];

		snprintf(bench, sizeof(bench), "syscall/b%zu", i);
		row = add(f, bench, "runc", TG_INCONCLUSIVE, 1.5, 0);
		row->verdict.base = row->verdict.delta = NAN;
		strcpy(row->verdict.reason, changed);
		row = add(f, bench, "kata", TG_ERROR, NAN, NAN);
		row->verdict.blocks_now = 0;
		strcpy(row->verdict.reason, "not ready within 10 s");
	}
	check_has(print(f, PLAIN), "machine vm-epyc-2 (rebaseline: kernel, was 6.1, is 6.18) · ");
	check_has(f->text,
		"\ndetail  b0/kata ERROR(not ready within 10 s) B=8 · and 5 more like it\n"
		"why     6 inconclusive: rebaseline: kernel, was 6.1, is 6.18\n12 gates");
	check_has_not(f->text, "fingerprint matches");
}

static void verbose_has_a_line_per_gate(void **state)
{
	struct fixture *f = *state;

	add(f, "syscall/getpid", "runc", TG_PASS, 1.0, 0);
	check_has_not(print(f, PLAIN), "mad=");
	check_has(print(f, (struct tg_table_style){.verbose = true}),
		"gate    syscall/getpid/runc n=12 rounds=8 mad=0.0031 role=gate df=9.5 "
		"se=0.0120\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(small_run_is_the_table_of_the_manual),
		TEST(forty_benches_in_six_lanes_fit_in_100_columns),
		TEST(longest_names_and_reasons_stay_in_the_width),
		TEST(colours_are_only_there_when_asked_for),
		TEST(void_run_says_so_first),
		TEST(measured_rows_have_a_slowdown_and_no_verdict),
		TEST(native_alone_shows_its_cost),
		TEST(absolute_rows_show_costs),
		TEST(controls_and_watched_rows_are_not_gates),
		TEST(summary_counts_every_kind),
		TEST(one_reason_for_many_gates_is_said_once),
		TEST(verbose_has_a_line_per_gate),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
