/* work.h: what one invocation measures, from the options to a plan that the conductor runs. */
#ifndef TG_CLI_WORK_H
#define TG_CLI_WORK_H

#include "cli/options.h"
#include "host/conductor.h"
#include "report/progress.h"
#include "store/baseline.h"
#include "store/results.h"

#define TG_BLOCKS	12
#define TG_ROUNDS	8
#define TG_BUDGET_NS	(600 * TG_NS_PER_S)
#define TG_BUDGET_QUICK (180 * TG_NS_PER_S) /* --quick, and a check without a baseline */

struct tg_work {
	const struct tg_options *o;
	struct tg_lanes lanes;
	struct tg_machine machine;
	char baseline_dir[TG_PATH_MAX];
	char out_dir[TG_PATH_MAX];
	struct tg_baseline *baseline; /* NULL = none, or refused */
	char refused[256];	      /* why a baseline is there but not used: "rebaseline: field, was, is" */
	struct tg_player *players;
	struct tg_item *items;
	struct tg_session_plan plan;
	struct tg_samples samples;
	struct tg_progress progress;
	unsigned blocks;
	unsigned blocks_done;
	uint64_t budget_ns, start_ns;
	size_t left_out;	/* benches, by the budget */
	size_t unknown_benches; /* that the baseline has no row of: not measured */
};

/*
 * Read lanes, machine and baseline, choose benches and lanes, find the probe. Nothing is started or written.
 * 0, or -errno with one clear line: the caller exits 2. tg_work_free in every case.
 */
int tg_work_open(struct tg_work *w, const struct tg_options *o, struct tg_err *err);
void tg_work_free(struct tg_work *w);

/* Lanes only: for `tollgate lanes`. */
int tg_work_lanes(struct tg_work *w, const struct tg_options *o, struct tg_err *err);

/* Start every lane once. Lanes that do not come up and were not asked for by name are dropped from the session,
 * but stay listed. 0; -ENODEV when no reference lane is left. */
int tg_work_ready(struct tg_work *w, struct tg_err *err);

/* Has the baseline a row of this lane, or did the user name it? Then its failure is an ERROR. */
bool tg_work_expects(const struct tg_work *w, const struct tg_player *p);

/* Run blocks w->blocks_done … w->blocks of a session; after the first, benches that do not fit the budget are left
 * out, the last ones first, those of the quick set last. 0, -EINTR, -EIO, -ENOMEM. */
int tg_work_measure(struct tg_work *w, struct tg_err *err);

#endif
