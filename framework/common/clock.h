/* clock.h: the one clock of both sides of the wall. CLOCK_MONOTONIC is the same clock in every
 * container on a host; in gVisor and in a VM it has its own offset, which the host checks. */
#ifndef TG_COMMON_CLOCK_H
#define TG_COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

#define TG_NS_PER_S 1000000000ULL

static inline uint64_t tg_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * TG_NS_PER_S + (uint64_t)ts.tv_nsec;
}

#endif
