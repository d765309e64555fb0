#include "common/clock.h"
#include "tollgate.h"

#include <string.h>

int tg_lap(struct tg_run *run, const char *phase)
{
	uint64_t now = tg_now_ns();

	for (size_t i = 0; i < TG_PHASES_MAX && run->phases && run->phases[i]; i++)
		if (!strcmp(run->phases[i], phase)) {
			run->lap_ns[i] += now - run->lap_start_ns;
			run->lap_start_ns = now;
			return 0;
		}
	return -EINVAL;
}
