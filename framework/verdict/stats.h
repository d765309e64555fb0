/* stats.h: the few statistics a gate needs. Pure and deterministic. Inputs are never modified.
 * More than 64 values need memory; without it the answer is NAN, infinite bounds, or a p of 1. */
#ifndef TG_VERDICT_STATS_H
#define TG_VERDICT_STATS_H

#include <stdbool.h>
#include <stddef.h>

/* Sample median; the mean of the two middle values for even n. NAN for n == 0 or any NAN in x. */
double tg_median(const double *x, size_t n);

/* Median of |x - median(x)|, unscaled. NAN for n == 0. */
double tg_mad(const double *x, size_t n);

double tg_mean(const double *x, size_t n);     /* NAN for n == 0 */
double tg_variance(const double *x, size_t n); /* divisor n - 1; NAN for n < 2 */

/* Hodges-Lehmann estimate: median of the n(n+1)/2 Walsh averages (x_i + x_j)/2, i <= j
 * (Hodges & Lehmann 1963). NAN for n == 0 or any NAN. */
double tg_hodges_lehmann(const double *x, size_t n);

/*
 * One-sided signed-rank confidence bounds of the centre of symmetry, each at level 1 - alpha: w_(c)
 * and w_(M+1-c) of the M sorted Walsh averages, c the largest with P(T+ < c) <= alpha, exact
 * (Wilcoxon 1945; Tukey's Walsh-average form). *lo = -INFINITY, *hi = INFINITY where n is too small
 * for alpha (c == 0). n == 0, a NAN, or infinities of both signs give the same. The distribution is
 * exact to n = 400 and its normal approximation above.
 */
void tg_signed_rank_bounds(const double *x, size_t n, double alpha, double *lo, double *hi);

/*
 * Exact one-sided signed-rank p-value of H0: centre <= mu, against centre > mu. Values equal to mu
 * are counted as half a rank pair on each side (mid-p is not used: the result is conservative).
 * 1 for n == 0; NAN for a NAN.
 */
double tg_signed_rank_p(const double *x, size_t n, double mu);

double tg_normal_quantile(double p);
double tg_t_cdf(double t, double df);	   /* df > 0, need not be whole; INFINITY is the normal */
double tg_t_quantile(double p, double df); /* 0 < p < 1; +-INFINITY at 1 and 0; NAN outside */
double tg_digamma(double x);		   /* x > 0 */
double tg_trigamma(double x);		   /* x > 0 */

/* Holm 1979. reject[i] says whether hypothesis i of p-value p[i] is rejected at family-wise alpha.
 * A NAN p-value is never rejected but counts in n. */
void tg_holm(const double *p, size_t n, double alpha, bool *reject);

/*
 * Moderation of variances across gates (Smyth 2004, limma): fits d0 and s02 of a scaled inverse
 * chi-square prior from n variances v[i] > 0 with df[i] degrees of freedom. Non-positive or
 * non-finite entries are left out. With fewer than 3 usable entries *d0 = *s02 = 0 (no moderation).
 * *d0 may be INFINITY: s02 is then the pooled variance.
 */
void tg_moderation_fit(const double *v, const double *df, size_t n, double *d0, double *s02);

#endif
