/* startup: a sandbox's life on the host's clock. No bodies: the host times the whole life. */
#include "tollgate.h"

static const struct tg_bench benches[] = {
	TG_BENCH("first_byte", .kind = TG_LIFE, .ref = TG_REF_RUNC, .metric = TG_LIFE_FIRST_BYTE),
	TG_BENCH("total", .kind = TG_LIFE, .ref = TG_REF_RUNC, .metric = TG_LIFE_TOTAL, .flags = TG_QUICK),
};

TG_SUITE(startup, benches);
