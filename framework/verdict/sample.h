/* sample.h: one turn of one lane, as measured. The struct that crosses from host/ to verdict/ and
 * store/. */
#ifndef TG_VERDICT_SAMPLE_H
#define TG_VERDICT_SAMPLE_H

#include <stdint.h>

#define TG_BATCHES_MAX 16

enum tg_stage { TG_STAGE_SCREEN = 0, TG_STAGE_CONFIRM = 1 };

/*
 * `row` and `lane` are indexes into the name tables of the sample set that holds the turn. A row is
 * a bench, or one phase of a bench ("memory/map_1g/touch/4096"). `ns` is the elapsed time of each
 * sub-batch of `ops` operations; a GAUGE has one "sub-batch" of one op whose value is in the row's
 * unit. A turn whose body failed has error != 0 (positive errno) and is never used as a time.
 */
struct tg_sample {
	uint32_t session;
	uint32_t block; /* runs on over the stages of a session: a confirm block never shares a
			   number */
	uint16_t row;
	uint16_t lane;
	uint8_t cpus;	 /* placement of the lane: 1, 2, …; natives are told apart by it */
	uint8_t stage;	 /* enum tg_stage */
	uint8_t batches; /* 1..TG_BATCHES_MAX entries of ns are valid */
	int32_t error;
	uint64_t ops; /* of one sub-batch, >= 1 */
	uint64_t ns[TG_BATCHES_MAX];
};

#endif
