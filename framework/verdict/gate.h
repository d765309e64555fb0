/* gate.h: baseline and today in, verdict out. Pure: no I/O, no clock, no JSON, no globals. */
#ifndef TG_VERDICT_GATE_H
#define TG_VERDICT_GATE_H

#include <stdbool.h>
#include <stddef.h>

enum tg_verdict_kind {
	TG_PASS,
	TG_REGRESSED,
	TG_IMPROVED,
	TG_INCONCLUSIVE,
	TG_SKIPPED,
	TG_ERROR,
};

enum tg_role { TG_ROLE_GATE, TG_ROLE_WATCH };

/* The block values of one session. Ragged counts are fine. */
struct tg_session {
	const double *y; /* borrowed; natural log of a ratio, or an absolute cost */
	size_t blocks;
};

struct tg_policy {
	double tolerance; /* relative: 0.05 is 5 %; absolute rows: in the row's unit; > 0 */
	bool absolute;	  /* y is a cost and the tolerance is in its unit, not a log-ratio */
	double alpha;	  /* one-sided level of the bounds; 0.05 */
	double beta;	  /* 1 - power of the minimum detectable effect; 0.2 */
	double d0, s02;	  /* variance moderation; d0 = 0: none */
};

#define TG_POLICY_DEFAULT ((struct tg_policy){.tolerance = 0.05, .alpha = 0.05, .beta = 0.2})

/* Fewer are refused: df = B - 1 is too small to bound anything. */
#define TG_BASELINE_SESSIONS_MIN 4

/* Role `gate`: the minimum detectable effect is at most this. */
#define TG_MDE_GATE_MAX 0.10

/*
 * All in log units (or the row's unit when absolute), except slowdown, base and mde, which are
 * ratios (exp), resp. the change itself: mde 0.061 is 6.1 %. NAN where there is no value.
 */
struct tg_verdict {
	enum tg_verdict_kind kind;
	char reason[160];  /* for INCONCLUSIVE, SKIPPED, ERROR: one line; else "" */
	double slowdown;   /* today; exp(Hodges-Lehmann over blocks), or the absolute cost */
	double base;	   /* mean of the baseline's session values, same scale as slowdown */
	double delta;	   /* today - baseline */
	double lo, hi;	   /* one-sided bounds of delta at 1 - alpha each */
	double se, df;	   /* of delta; prediction, both uncertainties in it */
	double p;	   /* one-sided p-value of H0: delta <= tau */
	double mde;	   /* smallest true change that is called REGRESSED with power 1 - beta */
	enum tg_role role; /* of this baseline row */
	size_t blocks_now, sessions_base;
	int blocks_needed; /* more blocks today until it is expected to settle; -1 out of reach */
	double mde_floor;  /* smallest MDE reachable with any number of blocks today */
	double p_confirm;  /* stage 2; NAN = not asked */
};

/*
 * Judge one gate: today's Q blocks against `count` baseline sessions, by a prediction interval.
 *
 *   thbar = mean th_s, v = var th_s, sB2 = mean within-session variance of y,
 *   B sessions, P the harmonic mean of their block counts, tau = ln(1 + tolerance)
 *
 *   SE^2 = v (1 + 1/B) + sB2 (1/Q - 1/P), floored at sB2 (1/Q + 1/(B P)); SE at least 1e-6 tau
 *
 *   df = Satterthwaite's for Q < P; for Q >= P those of v, as his formula goes to 0 for a
 *   difference. Measured false alarms at a true change of tau: 1-7 % up to Q = 4 P, up to 8 % at
 *   Q = 16 P (nominal 5 %).
 *
 *   REGRESSED lo > tau; IMPROVED hi < -tau; PASS hi <= tau; else INCONCLUSIVE
 *
 * Values that are not finite are left out. No block left today, or fewer than
 * TG_BASELINE_SESSIONS_MIN sessions: INCONCLUSIVE with the reason, blocks_needed -1. A policy out
 * of range, or no memory: ERROR. `role` is the one that P blocks give.
 */
void tg_gate_judge(const struct tg_session *base, size_t count, struct tg_session now,
	const struct tg_policy *policy, struct tg_verdict *out);

/* The role of a baseline row: its MDE when judged by `blocks` blocks, and gate or watch by
 * TG_MDE_GATE_MAX (absolute rows: gate if the MDE is at most twice the tolerance). *mde as in
 * tg_verdict. */
enum tg_role tg_gate_role(const struct tg_session *base, size_t count, size_t blocks,
	const struct tg_policy *policy, double *mde);

/* Two lanes in one session, no baseline: y = ln(b / a) by block. Signed-rank bounds and
 * Hodges-Lehmann; same verdicts. base is 1 (absolute: 0), sessions_base 0. se, df, mde and
 * blocks_needed are those of a t interval with the estimate's asymptotic variance pi/3 s^2/n; mde
 * is NAN where n is too small to reject. */
void tg_gate_compare(struct tg_session now, const struct tg_policy *policy, struct tg_verdict *out);

/*
 * Confirm: the `count` flagged gates (REGRESSED in the screen), measured again. verdicts[i] is the
 * screen's verdict, again[i] the one of the fresh blocks alone, NULL where there was no budget to
 * measure. Holm over all `count` at alpha: what is rejected stays REGRESSED, a gate measured again
 * but not rejected takes the confirm's kind, or INCONCLUSIVE("not confirmed …") where that is
 * REGRESSED or INCONCLUSIVE; what was not measured is INCONCLUSIVE(unconfirmed). p_confirm is
 * stored; p and the figures of the screen stay. 0, or -ENOMEM with the verdicts untouched.
 */
int tg_gate_confirm(struct tg_verdict *verdicts, const struct tg_verdict *const *again,
	size_t count, double alpha);

/*
 * The null lane's control over the benches of a run: nulls[i] are the null lane's block values of
 * bench i. off[i]: its Hodges-Lehmann estimate lies outside +-tolerance, or it has no block: its
 * gates are INCONCLUSIVE(null). Returns the number of benches *proved* off, by exact signed-rank
 * p-values with Benjamini and Hochberg's step-up at 0.01 over all benches: more than 5 % of them
 * void the run. Not Holm: the smallest p-value of 12 blocks is 2^-12, so past 40 benches Holm could
 * not reject even if every bench were off. With no bench off at all the chance of any rejection is
 * 0.01 by either. Without memory: count.
 */
size_t tg_gate_null(const struct tg_session *nulls, size_t count, double tolerance, bool *off);

const char *tg_verdict_name(enum tg_verdict_kind kind); /* "PASS", "REGRESSED", … */

#endif
