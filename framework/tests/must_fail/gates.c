/*
 * gates: hand-made results through the gates' own cmocka groups. What has to trip trips with a
 * message that says how slow, since when, how sure and against which tolerance; what must not trip
 * does not. The text that each case has to print stands in tests.cmake.
 */
#include "cli/commands.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct tg_result ratio = {
	.bench = "syscall/getpid",
	.lane = "runc",
	.ref = "native",
	.unit = "ns",
	.tolerance = 0.05,
	.judged = true,
	.rounds = 8,
	.verdict = {.kind = TG_REGRESSED,
		.slowdown = 1.2,
		.base = 1.0,
		.mde = 0.06,
		.blocks_now = 12,
		.sessions_base = 8,
		.p_confirm = NAN},
};

/* 1: there is no such case */
static int make(const char *name, struct tg_result *r)
{
	*r = ratio;
	r->verdict.delta = log(1.2);
	r->verdict.lo = log(1.17);
	r->verdict.hi = log(1.23);
	if (!strcmp(name, "regressed"))
		return 0;
	if (!strcmp(name, "absolute")) {
		strcpy(r->bench, "footprint/idle_pss");
		strcpy(r->ref, "none");
		strcpy(r->unit, "KiB");
		r->tolerance = 2048;
		r->verdict.slowdown = 20480;
		r->verdict.base = 10240;
		r->verdict.delta = 10240;
		r->verdict.lo = 9216;
		r->verdict.hi = 11264;
		r->verdict.mde = 1024;
		return 0;
	}
	if (!strcmp(name, "error")) {
		r->verdict = (struct tg_verdict){
			.kind = TG_ERROR, .reason = "not ready within 10 s", .p_confirm = NAN};
		return 0;
	}
	if (!strcmp(name, "watched")) {
		r->verdict.role = TG_ROLE_WATCH;
		return 0;
	}
	if (!strcmp(name, "inconclusive")) {
		r->verdict.kind = TG_INCONCLUSIVE;
		strcpy(r->verdict.reason, "unconfirmed");
		return 0;
	}
	if (!strcmp(name, "null")) {
		strcpy(r->lane, "null");
		r->null_control = true;
		return 0;
	}
	return 1;
}

int main(int argc, char **argv)
{
	struct tg_result rows[8];
	struct tg_results r = {.v = rows};

	for (int i = 1; i < argc; i++)
		if (r.count == 8 || make(argv[i], &rows[r.count++])) {
			fprintf(stderr, "no case `%s`\n", argv[i]);
			return 2;
		}
	tg_gates_run(&r);
	return 0;
}
