/* order.h: the order of lanes in a round. */
#ifndef TG_HOST_ORDER_H
#define TG_HOST_ORDER_H

#include <stddef.h>

/*
 * Row `round` of a Williams design for `count` lanes: balanced for position and for what ran just before
 * (Williams 1949). Even counts repeat after `count` rows: row i is (0, 1, count-1, 2, count-2, …) + i mod count;
 * odd ones after 2 * count, the second half being the mirror images of the first.
 */
void tg_order_row(size_t count, size_t round, size_t *order);

#endif
