#include "verdict/gate.h"

#include "common/cleanup.h"
#include "verdict/stats.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * The least standard error, as a share of the tolerance. Baselines store 6 decimals, so values that
 * are all equal (a memory footprint in pages) may still differ by that much; and no verdict rests
 * on 0 / 0.
 */
#define SE_SHARE_MIN 1e-6

/* More blocks than this are out of reach whatever the budget. */
#define BLOCKS_EXTRA_MAX 1000000

#define NULL_ALPHA 0.01

/* What a baseline says about the next session. */
struct spread {
	double mean;	  /* of the session values */
	double between;	  /* v: variance of the session values, moderated */
	double df;	  /* of `between` */
	double within;	  /* sB2: mean variance of blocks inside a session */
	double within_df; /* of `within` */
	double inv_p;	  /* 1 / harmonic mean block count */
	size_t sessions;  /* that have a finite block */
};

/* What the width of an interval follows from: a baseline, or (base NULL) one session's own blocks.
 */
struct outlook {
	const struct spread *base;
	double variance; /* of the blocks, without a baseline */
	size_t blocks;	 /* today */
};

static double tau_of(const struct tg_policy *policy)
{
	return policy->absolute ? policy->tolerance : log1p(policy->tolerance);
}

static bool sane(const struct tg_policy *policy)
{
	return policy->tolerance > 0.0 && isfinite(policy->tolerance) && policy->alpha > 0.0 &&
		policy->alpha < 0.5 && policy->beta > 0.0 && policy->beta < 1.0;
}

/* From log units to the scale of slowdown and base, and of mde. */
static double shown(double value, const struct tg_policy *policy)
{
	return policy->absolute ? value : exp(value);
}

static double shown_change(double value, const struct tg_policy *policy)
{
	return policy->absolute ? value : expm1(value);
}

/* ---- the baseline ---- */

static size_t copy_finite(struct tg_session s, double *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s.blocks; i++) {
		if (isfinite(s.y[i]))
			out[n++] = s.y[i];
	}
	return n;
}

/* Smyth 2004: v~ = (d0 s0^2 + d v) / (d0 + d), d0 + d degrees of freedom. */
static void moderate(struct spread *b, const struct tg_policy *policy)
{
	if (!(policy->d0 > 0.0) || !(policy->s02 > 0.0) || !isfinite(policy->s02))
		return;
	if (isinf(policy->d0))
		b->between = policy->s02;
	else
		b->between = (policy->d0 * policy->s02 + b->df * b->between) / (policy->d0 + b->df);
	b->df += policy->d0;
}

/* Fewer than two sessions leave `between` NAN, none leaves `mean` NAN. 0 or -ENOMEM. */
static int summarise(const struct tg_session *base, size_t count, const struct tg_policy *policy,
	struct spread *out)
{
	size_t longest = 0, with_variance = 0;
	tg_autofree double *values = NULL;
	tg_autofree double *finite = NULL;
	struct spread b = {0};

	for (size_t i = 0; i < count; i++)
		longest = base[i].blocks > longest ? base[i].blocks : longest;
	values = calloc(count + 1, sizeof(*values));
	finite = calloc(longest + 1, sizeof(*finite));
	if (values == NULL || finite == NULL)
		return -ENOMEM;

	for (size_t i = 0; i < count; i++) {
		size_t n = copy_finite(base[i], finite);

		if (n == 0)
			continue;
		values[b.sessions++] = tg_hodges_lehmann(finite, n);
		b.inv_p += 1.0 / (double)n;
		if (n > 1) {
			b.within += tg_variance(finite, n);
			b.within_df += (double)(n - 1);
			with_variance++;
		}
	}
	b.mean = tg_mean(values, b.sessions);
	b.between = tg_variance(values, b.sessions);
	b.df = (double)b.sessions - 1.0;
	if (b.sessions > 0)
		b.inv_p /= (double)b.sessions;
	if (with_variance > 0)
		b.within /= (double)with_variance;
	moderate(&b, policy);
	*out = b;
	return 0;
}

/* ---- the interval ---- */

/*
 * Standard error and degrees of freedom of (today - baseline) with 1/inv_q blocks today. Written
 * out, the variance is sigS^2 (1 + 1/B) + sB2 (1/Q + 1/(B P)) with sigS^2 = v - sB2/P, and the
 * floor is sigS^2 = 0. With Q > P the second term is subtracted, where Satterthwaite's formula
 * gives any df down to 0: v's own are kept instead. test_gate.c measures the false alarm rates that
 * follow for Q on both sides of P.
 */
static void predict(const struct spread *b, const struct tg_policy *policy, double inv_q,
	double *se, double *df)
{
	double count = (double)b->sessions, least = SE_SHARE_MIN * tau_of(policy);
	double session = b->between * (1.0 + 1.0 / count);
	double blocks = b->within * (inv_q - b->inv_p);
	double variance = session + blocks;

	*df = b->df;
	if (inv_q - b->inv_p > 1e-9 && blocks > 0.0)
		*df = variance * variance /
			(session * session / b->df + blocks * blocks / b->within_df);
	variance = fmax(variance, b->within * (inv_q + b->inv_p / count));
	*se = fmax(sqrt(variance), least);
}

/* Without a baseline: the Hodges-Lehmann estimate of normal blocks has variance pi/3 s^2/n (its
 * efficiency is 3/pi; Hodges & Lehmann 1963). An estimate for planning; bounds are by signed rank.
 */
static void predict_alone(
	double variance, const struct tg_policy *policy, double inv_q, double *se, double *df)
{
	*df = inv_q > 0.0 ? 1.0 / inv_q - 1.0 : INFINITY;
	*se = fmax(sqrt(M_PI / 3.0 * variance * inv_q), SE_SHARE_MIN * tau_of(policy));
}

static void outlook_predict(const struct outlook *o, const struct tg_policy *policy, double inv_q,
	double *se, double *df)
{
	if (o->base != NULL)
		predict(o->base, policy, inv_q, se, df);
	else
		predict_alone(o->variance, policy, inv_q, se, df);
}

/* Whether n blocks can reach a signed-rank p-value of alpha at all. */
static bool enough_for_signed_rank(double inv_n, double alpha)
{
	return inv_n == 0.0 || exp2(-1.0 / inv_n) <= alpha;
}

/* Half the width of the interval with level 1 - alpha on each side. */
static double half_width(const struct outlook *o, const struct tg_policy *policy, double inv_q)
{
	double se, df;

	if (o->base == NULL && !enough_for_signed_rank(inv_q, policy->alpha))
		return INFINITY;
	outlook_predict(o, policy, inv_q, &se, &df);
	return se * tg_t_quantile(1.0 - policy->alpha, df);
}

static double mde_at(const struct outlook *o, const struct tg_policy *policy, double inv_q)
{
	double se, df, t;

	if (o->base == NULL && !enough_for_signed_rank(inv_q, policy->alpha))
		return NAN;
	outlook_predict(o, policy, inv_q, &se, &df);
	t = tg_t_quantile(1.0 - policy->alpha, df) + tg_t_quantile(1.0 - policy->beta, df);
	return shown_change(tau_of(policy) + t * se, policy);
}

static bool settles_with(
	const struct outlook *o, const struct tg_policy *policy, double delta, double inv_q)
{
	double half = half_width(o, policy, inv_q), tau = tau_of(policy);

	return delta - half > tau || delta + half <= tau;
}

/* The smallest number of blocks that, added to today's, is expected to settle `delta`; -1 for none.
 */
static int blocks_needed(const struct outlook *o, const struct tg_policy *policy, double delta)
{
	size_t low = 0, high, last = 0;

	/* Up to P the degrees of freedom fall as the error does, so the width need not: one by one.
	 */
	if (o->base != NULL)
		last = (size_t)ceil(1.0 / o->base->inv_p);
	for (low = 1; o->blocks + low <= last; low++) {
		if (settles_with(o, policy, delta, 1.0 / (double)(o->blocks + low)))
			return (int)low;
	}
	low--;
	if (!settles_with(o, policy, delta, 0.0))
		return -1;
	for (high = low + 1; !settles_with(o, policy, delta, 1.0 / (double)(o->blocks + high));) {
		low = high;
		high *= 2;
		if (high > BLOCKS_EXTRA_MAX)
			return -1;
	}
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (settles_with(o, policy, delta, 1.0 / (double)(o->blocks + middle)))
			high = middle;
		else
			low = middle;
	}
	return (int)high;
}

/* ---- verdicts ---- */

__attribute__((format(printf, 3, 4))) static void conclude(
	struct tg_verdict *v, enum tg_verdict_kind kind, const char *fmt, ...)
{
	va_list ap;

	v->kind = kind;
	va_start(ap, fmt);
	(void)vsnprintf(v->reason, sizeof(v->reason), fmt, ap);
	va_end(ap);
}

static struct tg_verdict empty_verdict(void)
{
	return (struct tg_verdict){
		.kind = TG_INCONCLUSIVE,
		.slowdown = NAN,
		.base = NAN,
		.delta = NAN,
		.lo = NAN,
		.hi = NAN,
		.se = NAN,
		.df = NAN,
		.p = NAN,
		.mde = NAN,
		.role = TG_ROLE_WATCH,
		.mde_floor = NAN,
		.p_confirm = NAN,
	};
}

static enum tg_verdict_kind kind_of(double lo, double hi, double tau)
{
	if (lo > tau)
		return TG_REGRESSED;
	if (hi < -tau)
		return TG_IMPROVED;
	return hi <= tau ? TG_PASS : TG_INCONCLUSIVE;
}

static enum tg_role role_of(double mde, const struct tg_policy *policy)
{
	double most = policy->absolute ? 2.0 * policy->tolerance : TG_MDE_GATE_MAX;

	return mde <= most ? TG_ROLE_GATE : TG_ROLE_WATCH;
}

/* The bounds are there: the verdict, and what would settle it. */
static void settle(const struct outlook *o, const struct tg_policy *policy, struct tg_verdict *v)
{
	v->kind = kind_of(v->lo, v->hi, tau_of(policy));
	v->mde_floor = mde_at(o, policy, 0.0);
	if (v->kind != TG_INCONCLUSIVE)
		return;
	v->blocks_needed = blocks_needed(o, policy, v->delta);
	if (v->blocks_needed > 0)
		conclude(v, TG_INCONCLUSIVE, "%d more block%s would settle it", v->blocks_needed,
			v->blocks_needed == 1 ? "" : "s");
	else
		conclude(v, TG_INCONCLUSIVE,
			"out of reach on this machine: smallest reachable MDE %.*f%s",
			policy->absolute ? 3 : 1, v->mde_floor * (policy->absolute ? 1.0 : 100.0),
			policy->absolute ? "" : " %");
}

void tg_gate_judge(const struct tg_session *base, size_t count, struct tg_session now,
	const struct tg_policy *policy, struct tg_verdict *out)
{
	struct tg_verdict v = empty_verdict();
	tg_autofree double *y = calloc(now.blocks + 1, sizeof(*y));
	struct spread b;
	struct outlook o = {.base = &b};
	double half;

	*out = v;
	if (!sane(policy)) {
		conclude(out, TG_ERROR, "policy: tolerance, alpha or beta out of range");
		return;
	}
	if (y == NULL || summarise(base, count, policy, &b) < 0) {
		conclude(out, TG_ERROR, "out of memory");
		return;
	}
	v.blocks_now = o.blocks = copy_finite(now, y);
	v.sessions_base = b.sessions;
	v.base = shown(b.mean, policy);
	v.slowdown = shown(tg_hodges_lehmann(y, o.blocks), policy);
	v.delta = tg_hodges_lehmann(y, o.blocks) - b.mean;
	if (b.sessions >= TG_BASELINE_SESSIONS_MIN)
		v.role = role_of(mde_at(&o, policy, b.inv_p), policy);
	if (o.blocks == 0 || b.sessions < TG_BASELINE_SESSIONS_MIN) {
		v.blocks_needed = -1;
		if (o.blocks == 0)
			conclude(&v, TG_INCONCLUSIVE, "no usable block today");
		else if (b.sessions == 0)
			conclude(&v, TG_INCONCLUSIVE, "no baseline: tollgate record");
		else
			conclude(&v, TG_INCONCLUSIVE,
				"baseline has %zu session%s, needs %d: tollgate record --append",
				b.sessions, b.sessions == 1 ? "" : "s", TG_BASELINE_SESSIONS_MIN);
		*out = v;
		return;
	}
	predict(&b, policy, 1.0 / (double)o.blocks, &v.se, &v.df);
	half = half_width(&o, policy, 1.0 / (double)o.blocks);
	v.lo = v.delta - half;
	v.hi = v.delta + half;
	v.p = tg_t_cdf((tau_of(policy) - v.delta) / v.se, v.df);
	v.mde = mde_at(&o, policy, 1.0 / (double)o.blocks);
	settle(&o, policy, &v);
	*out = v;
}

enum tg_role tg_gate_role(const struct tg_session *base, size_t count, size_t blocks,
	const struct tg_policy *policy, double *mde)
{
	struct spread b;
	struct outlook o = {.base = &b, .blocks = blocks};

	*mde = NAN;
	if (!sane(policy) || blocks == 0 || summarise(base, count, policy, &b) < 0 ||
		b.sessions < TG_BASELINE_SESSIONS_MIN)
		return TG_ROLE_WATCH;
	*mde = mde_at(&o, policy, 1.0 / (double)blocks);
	return role_of(*mde, policy);
}

void tg_gate_compare(struct tg_session now, const struct tg_policy *policy, struct tg_verdict *out)
{
	struct tg_verdict v = empty_verdict();
	tg_autofree double *y = calloc(now.blocks + 1, sizeof(*y));
	struct outlook o = {0};
	double inv_q;

	*out = v;
	if (!sane(policy)) {
		conclude(out, TG_ERROR, "policy: tolerance, alpha or beta out of range");
		return;
	}
	if (y == NULL) {
		conclude(out, TG_ERROR, "out of memory");
		return;
	}
	v.blocks_now = o.blocks = copy_finite(now, y);
	v.base = policy->absolute ? 0.0 : 1.0;
	v.role = TG_ROLE_GATE;
	if (o.blocks == 0) {
		v.blocks_needed = -1;
		conclude(&v, TG_INCONCLUSIVE, "no usable block today");
		*out = v;
		return;
	}
	v.delta = tg_hodges_lehmann(y, o.blocks);
	v.slowdown = shown(v.delta, policy);
	tg_signed_rank_bounds(y, o.blocks, policy->alpha, &v.lo, &v.hi);
	v.p = tg_signed_rank_p(y, o.blocks, tau_of(policy));
	inv_q = 1.0 / (double)o.blocks;
	if (o.blocks > 1) {
		o.variance = tg_variance(y, o.blocks);
		predict_alone(o.variance, policy, inv_q, &v.se, &v.df);
		v.mde = mde_at(&o, policy, inv_q);
	}
	settle(&o, policy, &v);
	*out = v;
}

/* ---- many gates ---- */

/* What the confirm said of one gate: `again` is NULL where it was not measured. */
static void confirm_one(struct tg_verdict *v, const struct tg_verdict *again, bool rejected)
{
	v->p_confirm = again != NULL ? again->p : NAN;
	if (again == NULL)
		conclude(v, TG_INCONCLUSIVE, "unconfirmed: no budget to measure it again");
	else if (rejected)
		conclude(v, TG_REGRESSED, "%s", "");
	else if (again->kind == TG_REGRESSED || again->kind == TG_INCONCLUSIVE)
		conclude(v, TG_INCONCLUSIVE, "not confirmed in fresh blocks: p %.2g", again->p);
	else
		conclude(v, again->kind, "%s", again->reason);
}

int tg_gate_confirm(struct tg_verdict *verdicts, const struct tg_verdict *const *again,
	size_t count, double alpha)
{
	tg_autofree double *p = calloc(count + 1, sizeof(*p));
	tg_autofree bool *rejected = calloc(count + 1, sizeof(*rejected));

	if (p == NULL || rejected == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		p[i] = again[i] != NULL ? again[i]->p : NAN;
	tg_holm(p, count, alpha, rejected);
	for (size_t i = 0; i < count; i++)
		confirm_one(&verdicts[i], again[i], rejected[i]);
	return 0;
}

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Benjamini & Hochberg 1995: how many of the n p-values are rejected at `alpha`. Sorts p. */
static size_t step_up(double *p, size_t n, double alpha)
{
	size_t k = n;

	qsort(p, n, sizeof(*p), cmp_double);
	while (k > 0 && p[k - 1] > alpha * (double)k / (double)n)
		k--;
	return k;
}

/* The p-value of H0: |centre| <= tau. Far from 0 only one side can reject, so the smaller one
 * holds. */
static double off_p(double *y, size_t n, double tau)
{
	double above = tg_signed_rank_p(y, n, tau), below;

	for (size_t i = 0; i < n; i++)
		y[i] = -y[i];
	below = tg_signed_rank_p(y, n, tau);
	return fmin(above, below);
}

size_t tg_gate_null(const struct tg_session *nulls, size_t count, double tolerance, bool *off)
{
	size_t longest = 0;
	tg_autofree double *y = NULL;
	tg_autofree double *p = calloc(count + 1, sizeof(*p));
	double tau = log1p(tolerance);

	for (size_t i = 0; i < count; i++)
		longest = nulls[i].blocks > longest ? nulls[i].blocks : longest;
	y = calloc(longest + 1, sizeof(*y));
	for (size_t i = 0; i < count; i++) {
		size_t n = y != NULL ? copy_finite(nulls[i], y) : 0;

		off[i] = n == 0 || fabs(tg_hodges_lehmann(y, n)) > tau;
		if (p != NULL)
			p[i] = n == 0 ? 1.0 : off_p(y, n, tau);
	}
	return p != NULL ? step_up(p, count, NULL_ALPHA) : count;
}

const char *tg_verdict_name(enum tg_verdict_kind kind)
{
	static const char *const names[] = {
		[TG_PASS] = "PASS",
		[TG_REGRESSED] = "REGRESSED",
		[TG_IMPROVED] = "IMPROVED",
		[TG_INCONCLUSIVE] = "INCONCLUSIVE",
		[TG_SKIPPED] = "SKIPPED",
		[TG_ERROR] = "ERROR",
	};

	if ((unsigned int)kind >= TG_ARRAY_SIZE(names))
		return "?";
	return names[kind];
}
