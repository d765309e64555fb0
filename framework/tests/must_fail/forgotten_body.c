/* A body that is in no table does not compile: bodies are static, and an unused one is an error. */
#include "tollgate.h"

static int in_the_table(struct tg_run *run)
{
	(void)run;
	return 0;
}

#ifndef NOTHING_IS_FORGOTTEN
static int forgotten(struct tg_run *run)
{
	(void)run;
	return 0;
}
#endif

static const struct tg_bench benches[] = {
	TG_BENCH("in_the_table", .body = in_the_table),
};

TG_SUITE(forgotten_body, benches);
