/* judge.h: the samples of a run and its baseline become results: one for every row in every lane. */
#ifndef TG_CLI_JUDGE_H
#define TG_CLI_JUDGE_H

#include "cli/work.h"

/*
 * Reduce and judge the screen's blocks of w->samples. *r is filled and owned by the caller (tg_results_free).
 * 0 or -ENOMEM.
 */
int tg_judge(const struct tg_work *w, struct tg_results *r, struct tg_err *err);

/* The items whose gates are flagged (REGRESSED, role gate), for the confirming blocks; returns how many gates. */
size_t tg_judge_flagged(const struct tg_work *w, const struct tg_results *r, bool *use);

/* Judge the confirming blocks and settle the flagged verdicts of *r by Holm. */
int tg_judge_confirm(const struct tg_work *w, struct tg_results *r, struct tg_err *err);

/* The exit status that a run's results ask for, without usage errors. */
enum tg_exit tg_judge_exit(const struct tg_work *w, const struct tg_results *r);

/* Add the run's block values to `b` as one session. 0 or -ENOMEM. */
int tg_judge_record(const struct tg_work *w, const struct tg_results *r, struct tg_baseline *b,
	const char *session_id, struct tg_err *err);

#endif
