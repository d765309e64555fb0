/* baseline_sample.h: a baseline with one of every sort of row, for the tests of the store. */
#ifndef TG_TESTS_BASELINE_SAMPLE_H
#define TG_TESTS_BASELINE_SAMPLE_H

#include "store/baseline.h"
#include "tests/store_files.h"

#include <math.h>

#define SESSIONS 5
#define BLOCKS	 6

static inline struct tg_machine machine(void)
{
	struct tg_machine m = {.name = "vm-epyc-2", .count = 3};

	m.facts[0] = (struct tg_fact){"cpu_model", "AMD \"EPYC\" \\", true};
	m.facts[1] = (struct tg_fact){"kernel", "6.18.5", true};
	m.facts[2] = (struct tg_fact){"libc", "2.36", false};
	return m;
}

static inline struct tg_baseline_row row_of(const char *bench, const char *lane)
{
	struct tg_baseline_row row = {
		.ref = "native",
		.unit = "ns",
		.cpus = 1,
		.ops = 5000,
		.rev = 1,
		.role = TG_ROLE_WATCH,
		.mde = NAN,
		.tolerance = 0.05,
		.real_time = 137.25,
	};

	snprintf(row.bench, sizeof(row.bench), "%s", bench);
	snprintf(row.lane, sizeof(row.lane), "%s", lane);
	return row;
}

static inline void add(struct tg_baseline *b, const struct tg_baseline_row *like, int session,
	double level, double spread)
{
	double y[BLOCKS];
	struct tg_baseline_session s = {.blocks = BLOCKS, .y = y, .mad = 0.0123456789, .rounds = 8};

	for (int i = 0; i < BLOCKS; i++)
		y[i] = level + spread * ((session * 7 + i * 5) % 11 - 5) / 5;
	snprintf(s.id, sizeof(s.id), "2026112%dT093000Z-1", session % 10);
	snprintf(s.date, sizeof(s.date), "2026-11-2%dT09:30:00+00:00", session % 10);
	snprintf(s.boot, sizeof(s.boot), "boot-%d", session / 2);
	assert_int_equal(tg_baseline_add(b, like, &s), 0);
}

/* Two suites, three relative benches in runc, an absolute one in KiB, a native row without values.
 */
static inline struct tg_baseline *sample(void)
{
	struct tg_machine m = machine();
	struct tg_baseline *b = tg_baseline_new(&m);
	struct tg_baseline_row row;

	assert_non_null(b);
	for (int s = 0; s < SESSIONS; s++) {
		row = row_of("syscall/getpid", "runc");
		add(b, &row, s, 0.25, 0.01);
		row = row_of("syscall/open/tmpfs", "runc");
		add(b, &row, s, 0.50, 0.02);
		row = row_of("syscall/noisy \"q\"", "runc");
		add(b, &row, s, 1.50, 0.90);
		row = row_of("footprint/pss", "runc");
		strcpy(row.ref, "none");
		strcpy(row.unit, "KiB");
		row.tolerance = 512;
		add(b, &row, s, 4096.125, 10);
		row = row_of("syscall/getpid", "native");
		{
			struct tg_baseline_session none = {.id = "",
				.date = "2026-11-20T09:30:00Z",
				.boot = "b",
				.mad = NAN,
				.rounds = 8};

			snprintf(none.id, sizeof(none.id), "n-%d", s);
			assert_int_equal(tg_baseline_add(b, &row, &none), 0);
		}
	}
	tg_baseline_settle(b);
	return b;
}

static inline void save_ok(const struct tg_baseline *b, const char *dir)
{
	struct tg_err err = {0};

	if (tg_baseline_save(b, dir, &err) < 0)
		fail_msg("%s", err.msg);
}

static inline struct tg_baseline *load_ok(const char *dir)
{
	struct tg_baseline *b = NULL;
	struct tg_err err = {0};

	if (tg_baseline_load(dir, &b, &err) < 0)
		fail_msg("%s", err.msg);
	return b;
}

#endif
