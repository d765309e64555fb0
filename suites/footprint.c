/* footprint: memory that a sandbox takes on the host while its probe does nothing. */
#include "tollgate.h"

static const struct tg_bench benches[] = {
	TG_BENCH("idle_pss", .kind = TG_GAUGE, .ref = TG_REF_NONE, .metric = TG_GAUGE_PSS,
		.unit = "KiB", .tolerance = 2048),
};

TG_SUITE(footprint, benches);
