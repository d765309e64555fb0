/* startup: a sandbox's life on the host's clock. No bodies: the host times the whole life. */
#include "tollgate.h"

static const struct tg_bench benches[] = {
	TG_BENCH("first_byte", .kind = TG_LIFE, .ref = TG_REF_RUNC, .metric = TG_LIFE_FIRST_BYTE),
	/* the steps of `create`, `start` and `delete` apart: another life than `run` */
	TG_BENCH("create", .kind = TG_LIFE, .ref = TG_REF_RUNC, .metric = TG_LIFE_CREATE, .flags = TG_FULL),
	TG_BENCH("start", .kind = TG_LIFE, .ref = TG_REF_RUNC, .metric = TG_LIFE_START, .flags = TG_FULL),
	TG_BENCH("exit", .kind = TG_LIFE, .ref = TG_REF_RUNC, .metric = TG_LIFE_EXIT, .flags = TG_FULL),
	TG_BENCH("delete", .kind = TG_LIFE, .ref = TG_REF_RUNC, .metric = TG_LIFE_DELETE, .flags = TG_FULL),
	TG_BENCH("churn", .kind = TG_LIFE, .ref = TG_REF_RUNC, .metric = TG_LIFE_CHURN, .flags = TG_FULL,
		TG_PARAMS(4)),
	/* gVisor has burnt 150-220 ms a second doing nothing; 5 ms more is a change */
	TG_BENCH("idle_cpu", .kind = TG_GAUGE, .ref = TG_REF_NONE, .metric = TG_GAUGE_IDLE_CPU,
		.unit = "us/s", .tolerance = 5000, .flags = TG_FULL),
	TG_BENCH("total", .kind = TG_LIFE, .ref = TG_REF_RUNC, .metric = TG_LIFE_TOTAL, .flags = TG_QUICK),
};

TG_SUITE(startup, benches);
