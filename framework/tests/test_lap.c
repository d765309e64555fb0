/* test_lap.c: phases of a sub-batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "tollgate.h"

static const char *const four[TG_PHASES_MAX + 1] = {"map", "touch", "unmap", "close"};

static void spin_ns(uint64_t ns)
{
	uint64_t end = tg_now_ns() + ns;

	while (tg_now_ns() < end)
		;
}

static void lap_charges_the_time_since_the_last_one(void **state)
{
	uint64_t start = tg_now_ns();
	struct tg_run run = {.phases = four, .lap_start_ns = start};
	uint64_t sum = 0;

	(void)state;
	spin_ns(2000000);
	assert_int_equal(tg_lap(&run, "touch"), 0);
	spin_ns(1000000);
	assert_int_equal(tg_lap(&run, "close"), 0);
	spin_ns(2000000);
	assert_int_equal(tg_lap(&run, "touch"), 0);
	for (size_t i = 0; i < TG_PHASES_MAX; i++)
		sum += run.lap_ns[i];
	assert_int_equal(run.lap_ns[0], 0);
	assert_true(run.lap_ns[1] >= 4000000);
	assert_int_equal(run.lap_ns[2], 0);
	assert_true(run.lap_ns[3] >= 1000000);
	/* nothing is lost between laps, nothing is counted twice */
	assert_int_equal(sum, run.lap_start_ns - start);
}

static void lap_of_an_unknown_phase_charges_nothing(void **state)
{
	static const char *const none[TG_PHASES_MAX + 1] = {NULL};
	static const struct {
		const char *const *phases;
		const char *phase;
	} rows[] = {{four, "mapx"}, {four, ""}, {four, "ma"}, {none, "map"}, {NULL, "map"}};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_run run = {.phases = rows[i].phases, .lap_start_ns = 5};
		int rc = tg_lap(&run, rows[i].phase);

		if (rc != -EINVAL || run.lap_start_ns != 5)
			fail_msg("row %zu, \"%s\": %d", i, rows[i].phase, rc);
		for (size_t p = 0; p < TG_PHASES_MAX; p++)
			assert_int_equal(run.lap_ns[p], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lap_charges_the_time_since_the_last_one),
		cmocka_unit_test(lap_of_an_unknown_phase_charges_nothing),
	};

	return cmocka_run_group_tests_name("lap", tests, NULL, NULL);
}
