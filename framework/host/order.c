#include "host/order.h"

void tg_order_row(size_t count, size_t round, size_t *order)
{
	size_t rows = count % 2 ? 2 * count : count;
	size_t row;

	if (count == 0)
		return;
	row = round % rows;
	for (size_t i = 0; i < count; i++) {
		size_t step = i % 2 ? (i + 1) / 2 : (count - i / 2) % count;
		size_t at = row < count ? i : count - 1 - i;

		order[at] = (step + row) % count;
	}
}
