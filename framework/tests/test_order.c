/* test_order.c: the Williams design, counted out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "host/order.h"

#include <string.h>

#define LANES 8

static size_t rows_of(size_t count)
{
	return count % 2 ? 2 * count : count;
}

static void rows_are_permutations_and_write_no_further(void **state)
{
	(void)state;
	for (size_t count = 0; count <= LANES; count++)
		for (size_t r = 0; r < 3 * LANES; r++) {
			size_t order[LANES + 1];
			unsigned seen = 0;

			memset(order, 0xff, sizeof(order));
			tg_order_row(count, r, order);
			for (size_t i = 0; i < count; i++)
				seen |= order[i] < count ? 1U << order[i] : 1U << 31;
			if (seen != (1U << count) - 1 || order[count] != SIZE_MAX)
				fail_msg("%zu lanes, row %zu: lanes %x", count, r, seen);
		}
}

/* Over the design each lane stands at each place equally often, and each ordered pair of neighbours
 * comes equally often. */
static void design_is_balanced_for_place_and_predecessor(void **state)
{
	(void)state;
	for (size_t count = 1; count <= LANES; count++) {
		size_t at[LANES][LANES] = {0}, after[LANES][LANES] = {0};
		size_t rows = rows_of(count);

		for (size_t r = 0; r < rows; r++) {
			size_t order[LANES];

			tg_order_row(count, r, order);
			for (size_t i = 0; i < count; i++) {
				at[order[i]][i]++;
				if (i > 0)
					after[order[i - 1]][order[i]]++;
			}
		}
		for (size_t a = 0; a < count; a++)
			for (size_t b = 0; b < count; b++) {
				size_t pairs = a == b ? 0 : rows / count;

				if (at[a][b] != rows / count)
					fail_msg(
						"%zu lanes: lane %zu at place %zu %zu times of %zu",
						count, a, b, at[a][b], rows);
				if (after[a][b] != pairs)
					fail_msg("%zu lanes: %zu before %zu %zu times, not %zu",
						count, a, b, after[a][b], pairs);
			}
	}
}

static void rows_repeat_after_the_design(void **state)
{
	(void)state;
	for (size_t count = 1; count <= LANES; count++)
		for (size_t r = 0; r < rows_of(count); r++) {
			size_t first[LANES] = {0}, again[LANES] = {0};

			tg_order_row(count, r, first);
			tg_order_row(count, r + 5 * rows_of(count), again);
			assert_memory_equal(first, again, sizeof(first));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_permutations_and_write_no_further),
		cmocka_unit_test(design_is_balanced_for_place_and_predecessor),
		cmocka_unit_test(rows_repeat_after_the_design),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
