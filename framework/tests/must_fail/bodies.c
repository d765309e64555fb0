/* bodies: benches that go wrong, linked into a probe of their own: none of them may give a time. */
#include "tollgate.h"

#include <signal.h>
#include <stdlib.h>

static int calls;

static int good(struct tg_run *run)
{
	(void)run;
	return 0;
}

static int fails(struct tg_run *run)
{
	(void)run;
	return -ENOSYS;
}

/* The warm part and two sub-batches go well. */
static int fails_later(struct tg_run *run)
{
	(void)run;
	return ++calls > 3 ? -EIO : 0;
}

static int no_setup(struct tg_run *run)
{
	(void)run;
	return -EACCES;
}

static int unknown_phase(struct tg_run *run)
{
	return tg_lap(run, "unmap");
}

static int dies(struct tg_run *run)
{
	(void)run;
	raise(SIGKILL);
	return 0;
}

static const struct tg_bench benches[] = {
	TG_BENCH("good", .body = good),
	TG_BENCH("fails", .body = fails),
	TG_BENCH("fails_later", .body = fails_later),
	TG_BENCH("no_setup", .body = good, .setup = no_setup),
	TG_BENCH("unknown_phase", .body = unknown_phase, .phases = {"map", "touch"}),
	TG_BENCH("fresh_fails", .body = fails, .flags = TG_FRESH),
	TG_BENCH("fresh_dies", .body = dies, .flags = TG_FRESH),
	TG_BENCH("life", .kind = TG_LIFE, .metric = TG_LIFE_TOTAL),
};

TG_SUITE(bodies, benches);
