/*
 * wire.h: what the host and a probe say to each other, over the probe's stdin and stdout.
 *
 * One line each way, in lockstep: the host sends a request, the probe answers it. Text, because every wire
 * must carry it (pipes, Docker, a VM's serial line). Lines are bounded, words are separated by one space,
 * numbers are decimal. What a probe prints is untrusted: every decoder checks shape, range and length.
 *
 *	probe  TG hello <wire> <build> <cases>
 *	host   TG turn <seq> <bench> <warm_ops> <ops> <batches> <inject_ppm>
 *	probe  TG turn <seq> <error> <warm_ns> <batches> <phases> {<start_ns> <end_ns> {<phase_ns>}*phases}*batches
 *	host   TG hold <seq> <bench>             enter and keep the state of a GAUGE bench
 *	probe  TG held <seq> <error>
 *	host   TG look <seq>                     what does the probe see?
 *	probe  TG look <seq> <text>              printable, one line
 *	host   TG quit <seq>                     no answer: the probe exits 0
 */
#ifndef TG_COMMON_WIRE_H
#define TG_COMMON_WIRE_H

#include "common/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TG_WIRE_VERSION	    1
#define TG_LINE_MAX	    4096 /* with its newline */
#define TG_WIRE_BATCHES_MAX 16
#define TG_BUILD_ID_LEN	    16 /* hex digits */
#define TG_WIRE_OPS_MAX	    (UINT64_C(1) << 40)

struct tg_hello {
	unsigned wire;
	char build[TG_BUILD_ID_LEN + 1];
	unsigned cases;
};

enum tg_request_kind { TG_REQ_TURN, TG_REQ_HOLD, TG_REQ_LOOK, TG_REQ_QUIT };

struct tg_request {
	enum tg_request_kind kind;
	uint32_t seq;
	char bench[TG_BENCH_NAME_MAX];
	uint64_t warm_ops, ops; /* of the warm part (may be 0), of one sub-batch (>= 1) */
	uint32_t batches;	/* 1..TG_WIRE_BATCHES_MAX */
	uint32_t inject_ppm;	/* spin for this share of each sub-batch's own time, inside its timed region */
};

struct tg_batch {
	uint64_t start_ns, end_ns; /* the probe's CLOCK_MONOTONIC */
	uint64_t phase_ns[TG_PHASES_MAX];
};

struct tg_answer {
	enum tg_request_kind kind; /* TURN, HOLD or LOOK */
	uint32_t seq;
	int error; /* positive errno; batches is 0 then */
	uint64_t warm_ns; /* spent in the warm part */
	uint32_t batches, phases;
	struct tg_batch batch[TG_WIRE_BATCHES_MAX];
	char text[TG_LINE_MAX]; /* LOOK */
};

/* Each writes one line with its newline to buf[TG_LINE_MAX], NUL-terminated; returns its length, or
 * -EMSGSIZE where it does not fit. No allocation, no stdio: the probe uses them. */
int tg_wire_put_hello(char *buf, const struct tg_hello *h);
int tg_wire_put_request(char *buf, const struct tg_request *r);
int tg_wire_put_answer(char *buf, const struct tg_answer *a);

/* Each reads one line without its newline, NUL-terminated. 0, or -EPROTO and *out undefined. */
int tg_wire_get_hello(const char *line, struct tg_hello *out);
int tg_wire_get_request(const char *line, struct tg_request *out);
int tg_wire_get_answer(const char *line, struct tg_answer *out);

#endif
