/* The framework's own bench: work that never enters a kernel, so it must cost the same in every lane. */
#include "tollgate.h"

static int spin(struct tg_run *run)
{
	volatile uint64_t sink;
	uint64_t x = 88172645463325252ULL;

	for (uint64_t i = 0; i < run->ops; i++)
		for (int j = 0; j < 64; j++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
		}
	sink = x;
	(void)sink;
	return 0;
}

static const struct tg_bench benches[] = {
	TG_BENCH("spin", .body = spin, .flags = TG_CONTROL),
};

TG_SUITE(control, benches);
