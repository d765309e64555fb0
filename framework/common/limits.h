/* limits.h: sizes that both sides of the wall and every file format agree on. */
#ifndef TG_COMMON_LIMITS_H
#define TG_COMMON_LIMITS_H

#define TG_BENCH_NAME_MAX 96 /* suite/bench[/place][/phase][/param], with its NUL */
#define TG_LANE_NAME_MAX  48
#define TG_PATH_MAX	  512
#define TG_LANES_MAX	  32
#define TG_PHASES_MAX	  4
#define TG_UNIT_MAX	  16

#endif
