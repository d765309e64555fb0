#include "verdict/stats.h"

#include "common/cleanup.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALL 64 /* values sorted on the stack; a session has about 12 blocks, a block 8 rounds */

/* ---- order statistics ---- */

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void sort(double *x, size_t n)
{
	if (n > SMALL) {
		qsort(x, n, sizeof(*x), cmp_double);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		double v = x[i];
		size_t j = i;

		for (; j > 0 && x[j - 1] > v; j--)
			x[j] = x[j - 1];
		x[j] = v;
	}
}

/*
 * A sorted copy of x: in small[SMALL], or in *heap (the caller frees) where it does not fit.
 * NULL for n == 0, a NAN in x, or no memory.
 */
static double *sorted_copy(const double *x, size_t n, double *small, double **heap)
{
	double *copy = small;

	if (n == 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (isnan(x[i]))
			return NULL;
	}
	if (n > SMALL)
		copy = *heap = calloc(n, sizeof(*x));
	if (copy == NULL)
		return NULL;
	memcpy(copy, x, n * sizeof(*x));
	sort(copy, n);
	return copy;
}

static double median_of_sorted(const double *x, size_t n)
{
	if (n % 2 == 1)
		return x[n / 2];
	return 0.5 * x[n / 2 - 1] + 0.5 * x[n / 2];
}

double tg_median(const double *x, size_t n)
{
	double small[SMALL];
	tg_autofree double *heap = NULL;
	const double *sorted = sorted_copy(x, n, small, &heap);

	return sorted == NULL ? NAN : median_of_sorted(sorted, n);
}

double tg_mad(const double *x, size_t n)
{
	double small[SMALL];
	tg_autofree double *heap = NULL;
	double *away = sorted_copy(x, n, small, &heap);
	double centre;

	if (away == NULL)
		return NAN;
	centre = median_of_sorted(away, n);
	for (size_t i = 0; i < n; i++) {
		away[i] = fabs(away[i] - centre);
		if (isnan(away[i]))
			return NAN;
	}
	sort(away, n);
	return median_of_sorted(away, n);
}

double tg_mean(const double *x, size_t n)
{
	double sum = 0.0;

	if (n == 0)
		return NAN;
	for (size_t i = 0; i < n; i++)
		sum += x[i];
	return sum / (double)n;
}

double tg_variance(const double *x, size_t n)
{
	double mean = tg_mean(x, n);
	double sum = 0.0;

	if (n < 2)
		return NAN;
	for (size_t i = 0; i < n; i++)
		sum += (x[i] - mean) * (x[i] - mean);
	return sum / (double)(n - 1);
}

/* ---- Walsh averages ---- */

/* How many Walsh averages of the sorted x are at most w: the borders form a staircase, O(n). */
static size_t walsh_count(const double *x, size_t n, double w)
{
	size_t count = 0, end = n;

	for (size_t i = 0; i < n; i++) {
		while (end > i && 0.5 * (x[i] + x[end - 1]) > w)
			end--;
		if (end <= i)
			break;
		count += end - i;
	}
	return count;
}

/* Doubles in their order as unsigned integers, so that bisection ends at an exact value. */
static uint64_t order_of(double x)
{
	const uint64_t sign = UINT64_C(1) << 63;
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return (bits & sign) ? ~bits : bits | sign;
}

static double value_of(uint64_t order)
{
	const uint64_t sign = UINT64_C(1) << 63;
	uint64_t bits = (order & sign) ? order & ~sign : ~order;
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* The k-th smallest (1..M) Walsh average of the sorted x. Exact, and needs no list of all M. */
static double walsh_select(const double *x, size_t n, size_t k)
{
	uint64_t lo = order_of(x[0]), hi = order_of(x[n - 1]);

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (walsh_count(x, n, value_of(mid)) >= k)
			hi = mid;
		else
			lo = mid + 1;
	}
	return value_of(lo) + 0.0; /* 0, never -0 */
}

/* -inf + inf has no average, and would break the order that the selection relies on. */
static bool both_infinities(const double *sorted, size_t n)
{
	return isinf(sorted[0]) && isinf(sorted[n - 1]) && sorted[0] < sorted[n - 1];
}

double tg_hodges_lehmann(const double *x, size_t n)
{
	double small[SMALL];
	tg_autofree double *heap = NULL;
	const double *sorted = sorted_copy(x, n, small, &heap);
	size_t count = n * (n + 1) / 2;
	double upper;

	if (sorted == NULL || both_infinities(sorted, n))
		return NAN;
	upper = walsh_select(sorted, n, count / 2 + 1);
	if (count % 2 == 1)
		return upper;
	return 0.5 * walsh_select(sorted, n, count / 2) + 0.5 * upper;
}

/* ---- signed rank ---- */

/* Above this the normal approximation is good to 4 digits, and O(n^3) would be felt. */
#define EXACT_MAX 400

/*
 * P(T+ = s), s = 0..n(n+1)/2, of the untied null distribution: each rank i is positive with
 * probability one half, so f_i[s] = (f_{i-1}[s] + f_{i-1}[s - i]) / 2. NULL without memory; the
 * caller frees.
 */
static double *signed_rank_pmf(size_t n)
{
	size_t top = n * (n + 1) / 2, reached = 0;
	double *f = calloc(top + 1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f[0] = 1.0;
	for (size_t i = 1; i <= n; i++) {
		reached += i;
		for (size_t s = reached; s >= i; s--)
			f[s] = 0.5 * (f[s] + f[s - i]);
		for (size_t s = 0; s < i; s++)
			f[s] *= 0.5;
	}
	return f;
}

static double signed_rank_sd(size_t n)
{
	double m = (double)n;

	return sqrt(m * (m + 1.0) * (2.0 * m + 1.0) / 24.0);
}

/* The largest c with P(T+ < c) <= alpha; 0 also where memory is out, which makes the bounds
 * infinite. */
static size_t signed_rank_critical(size_t n, double alpha)
{
	size_t top = n * (n + 1) / 2, c = 0;
	tg_autofree double *f = NULL;
	double below = 0.0;

	if (n > EXACT_MAX) {
		double edge =
			0.5 * (double)top + 0.5 + signed_rank_sd(n) * tg_normal_quantile(alpha);

		return edge < 1.0 ? 0 : edge > (double)top ? top : (size_t)edge;
	}
	f = signed_rank_pmf(n);
	if (f == NULL)
		return 0;
	while (c < top && below + f[c] <= alpha)
		below += f[c++];
	return c;
}

void tg_signed_rank_bounds(const double *x, size_t n, double alpha, double *lo, double *hi)
{
	double small[SMALL];
	tg_autofree double *heap = NULL;
	const double *sorted = sorted_copy(x, n, small, &heap);
	size_t c;

	*lo = -INFINITY;
	*hi = INFINITY;
	if (sorted == NULL || both_infinities(sorted, n) || !(alpha > 0.0 && alpha < 1.0))
		return;
	c = signed_rank_critical(n, alpha);
	if (c == 0)
		return;
	*lo = walsh_select(sorted, n, c);
	*hi = walsh_select(sorted, n, n * (n + 1) / 2 + 1 - c);
}

double tg_signed_rank_p(const double *x, size_t n, double mu)
{
	double small[SMALL];
	tg_autofree double *heap = NULL;
	const double *sorted = sorted_copy(x, n, small, &heap);
	size_t top = n * (n + 1) / 2, at_most, equal, against;
	tg_autofree double *f = NULL;
	double p = 0.0;

	if (n == 0)
		return 1.0;
	if (sorted == NULL || isnan(mu) || both_infinities(sorted, n))
		return NAN;
	/* T+ with midranks, zeros ranked and split, is the number of Walsh averages above mu plus
	 * half of those equal to it; what is left over counts against the alternative. */
	at_most = walsh_count(sorted, n, mu);
	equal = at_most - walsh_count(sorted, n, nextafter(mu, -INFINITY));
	against = at_most - equal / 2;
	if (n > EXACT_MAX) {
		double z = ((double)against + 0.5 - 0.5 * (double)top) / signed_rank_sd(n);

		return 0.5 * erfc(-z * M_SQRT1_2);
	}
	f = signed_rank_pmf(n);
	if (f == NULL)
		return 1.0;
	for (size_t s = 0; s <= against; s++)
		p += f[s];
	return fmin(p, 1.0);
}

/* ---- normal and t ---- */

/* Above this t is the normal with two terms of Cornish & Fisher's expansion (Abramowitz &
 * Stegun 26.7.5), which is then the more accurate: the continued fraction loses digits in 1 - x. */
#define DF_LARGE 1e5

double tg_normal_quantile(double p)
{
	double q = fmin(p, 1.0 - p), r, z;

	if (!(p >= 0.0 && p <= 1.0))
		return NAN;
	if (p == 0.0 || p == 1.0)
		return p == 0.0 ? -INFINITY : INFINITY;
	if (p == 0.5)
		return 0.0;
	/* Abramowitz & Stegun 26.2.23 (absolute error 4.5e-4), then Halley steps on the tail. */
	r = sqrt(-2.0 * log(q));
	z = r -
		(2.515517 + r * (0.802853 + r * 0.010328)) /
			(1.0 + r * (1.432788 + r * (0.189269 + r * 0.001308)));
	for (int i = 0; i < 3; i++) {
		double density = exp(-0.5 * z * z) / sqrt(2.0 * M_PI);
		double step = (0.5 * erfc(z * M_SQRT1_2) - q) / density;

		if (isfinite(step))
			z += step / (1.0 - 0.5 * z * step);
	}
	return p < 0.5 ? -z : z;
}

/*
 * The continued fraction of the incomplete beta function, DLMF 8.17.22
 * (https://dlmf.nist.gov/8.17.E22), by the modified Lentz method (Thompson & Barnett 1986).
 * Converges fast for x < (a + 1) / (a + b + 2).
 */
static double beta_fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double f = 1.0, c = 1.0, d = 0.0;

	for (int k = 1; k < 100000; k++) {
		double m = k / 2;
		double term = k % 2 == 0
			? m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
			: -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));

		d = 1.0 + term * d;
		d = 1.0 / (fabs(d) < tiny ? tiny : d);
		c = 1.0 + term / c;
		c = fabs(c) < tiny ? tiny : c;
		f *= c * d;
		if (fabs(c * d - 1.0) < 1e-16)
			break;
	}
	return 1.0 / f;
}

/* ln(Gamma(a + 1/2) / Gamma(a)); the series (DLMF 5.11.13) where the difference would cancel. */
static double ln_gamma_half_step(double a)
{
	double i = 1.0 / a, i2 = i * i;
	int sign;

	if (a < 20.0)
		return lgamma_r(a + 0.5, &sign) - lgamma_r(a, &sign);
	return 0.5 * log(a) -
		i * (1.0 / 8 - i2 * (1.0 / 192 - i2 * (1.0 / 640 - i2 * (17.0 / 14336))));
}

/* ln(1 + t^2 / df) */
static double ln_spread(double t, double df)
{
	double r = t / sqrt(df);

	return r > 1e150 ? 2.0 * log(r) : log1p(r * r);
}

/* P(T > t) for t >= 0: half of I_x(df/2, 1/2), x = df / (df + t^2) (DLMF 8.17.1 and 8.17.4). */
static double t_tail(double t, double df)
{
	double a = 0.5 * df, ln_x, x, y, front;

	if (t == 0.0 || isinf(t))
		return t == 0.0 ? 0.5 : 0.0;
	if (df > DF_LARGE) {
		double t2 = t * t;
		double z = t *
			(1.0 - (t2 + 1.0) / (4.0 * df) +
				(13.0 * t2 * t2 + 8.0 * t2 + 3.0) / (96.0 * df * df));

		return 0.5 * erfc(z * M_SQRT1_2);
	}
	ln_x = -ln_spread(t, df);
	x = exp(ln_x);
	y = -expm1(ln_x);
	front = exp(a * ln_x + ln_gamma_half_step(a)) * sqrt(y / M_PI);
	if (x < (a + 1.0) / (a + 2.5))
		return 0.5 * front / a * beta_fraction(a, 0.5, x);
	return 0.5 - front * beta_fraction(0.5, a, y);
}

double tg_t_cdf(double t, double df)
{
	if (isnan(t) || !(df > 0.0))
		return NAN;
	return t < 0.0 ? t_tail(-t, df) : 1.0 - t_tail(t, df);
}

/*
 * ln tail is concave in ln t, so Newton's method there converges from the right, and from the left
 * overshoots once; the bracket is for rounding and underflow only. The normal's quantile is the
 * left end.
 */
static double t_upper_quantile(double q, double df)
{
	double u = log(fmax(-tg_normal_quantile(q), 1e-17)), lo = u, hi = INFINITY;
	double scale = ln_gamma_half_step(0.5 * df) - 0.5 * log(M_PI * df);

	for (int i = 0; i < 2000 && u < 709.0; i++) {
		double t = exp(u), tail = t_tail(t, df), next;

		if (tail > q)
			lo = u;
		else
			hi = u;
		next = u +
			log(tail / q) * tail /
				(t * exp(scale - 0.5 * (df + 1.0) * ln_spread(t, df)));
		if (!(next <= lo + 1.0))
			next = lo + 1.0;
		if (next < lo || next > hi)
			next = 0.5 * (lo + hi);
		if (fabs(next - u) <= 1e-9) /* convergence is quadratic: the next is exact */
			return exp(next);
		u = next;
	}
	return u < 709.0 ? exp(u) : INFINITY;
}

double tg_t_quantile(double p, double df)
{
	double q = fmin(p, 1.0 - p), t;

	if (!(p >= 0.0 && p <= 1.0) || !(df > 0.0))
		return NAN;
	if (p == 0.0 || p == 1.0)
		return p == 0.0 ? -INFINITY : INFINITY;
	if (q == 0.5)
		return 0.0;
	if (df > DF_LARGE) {
		double z = -tg_normal_quantile(q), z2 = z * z;

		t = z *
			(1.0 + (z2 + 1.0) / (4.0 * df) +
				(5.0 * z2 * z2 + 16.0 * z2 + 3.0) / (96.0 * df * df));
	} else {
		t = t_upper_quantile(q, df);
	}
	return p < 0.5 ? -t : t;
}

/* ---- gamma's derivatives ---- */

/* c[0] + c[1] x + ... + c[n-1] x^(n-1) */
static double polynomial(const double *c, size_t n, double x)
{
	double sum = 0.0;

	while (n-- > 0)
		sum = sum * x + c[n];
	return sum;
}

/* Abramowitz & Stegun 6.3.5 (recurrence) and 6.3.18 (asymptotic series). */
double tg_digamma(double x)
{
	static const double c[] = {-1.0 / 12, 1.0 / 120, -1.0 / 252, 1.0 / 240, -1.0 / 132};
	double sum = 0.0, i2;

	if (!(x > 0.0))
		return NAN;
	for (; x < 12.0; x += 1.0)
		sum -= 1.0 / x;
	i2 = 1.0 / (x * x);
	return sum + log(x) - 0.5 / x + i2 * polynomial(c, TG_ARRAY_SIZE(c), i2);
}

/* Abramowitz & Stegun 6.4.6 and 6.4.12. */
double tg_trigamma(double x)
{
	static const double c[] = {1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66};
	double sum = 0.0, i2;

	if (!(x > 0.0))
		return NAN;
	for (; x < 12.0; x += 1.0)
		sum += 1.0 / (x * x);
	i2 = 1.0 / (x * x);
	return sum + 1.0 / x + 0.5 * i2 + i2 / x * polynomial(c, TG_ARRAY_SIZE(c), i2);
}

/* x with trigamma(x) = y > 0. 1/x < trigamma(x) < 1/x + 1/x^2 gives the bracket. */
static double trigamma_inverse(double y)
{
	double lo = 1.0 / y, hi = (1.0 + sqrt(1.0 + 4.0 * y)) / (2.0 * y);

	for (int i = 0; i < 100; i++) {
		double mid = sqrt(lo * hi);

		if (tg_trigamma(mid) > y)
			lo = mid;
		else
			hi = mid;
	}
	return sqrt(lo * hi);
}

/* ---- many gates ---- */

void tg_holm(const double *p, size_t n, double alpha, bool *reject)
{
	for (size_t i = 0; i < n; i++)
		reject[i] = false;
	for (size_t done = 0; done < n; done++) {
		size_t best = n;

		for (size_t i = 0; i < n; i++) {
			if (!reject[i] && !isnan(p[i]) && (best == n || p[i] < p[best]))
				best = i;
		}
		if (best == n || p[best] > alpha / (double)(n - done))
			return;
		reject[best] = true;
	}
}

static bool usable_variance(double v, double df)
{
	return v > 0.0 && isfinite(v) && df > 0.0 && isfinite(df);
}

/* Smyth 2004, section 6.2; limma's fitFDist. e is ln v less its own expected bias. */
static double centred_log(double v, double df)
{
	return log(v) - tg_digamma(0.5 * df) + log(0.5 * df);
}

void tg_moderation_fit(const double *v, const double *df, size_t n, double *d0, double *s02)
{
	double mean = 0.0, spread = 0.0, own = 0.0, pooled = 0.0, df_sum = 0.0, excess;
	size_t used = 0;

	*d0 = 0.0;
	*s02 = 0.0;
	for (size_t i = 0; i < n; i++) {
		if (!usable_variance(v[i], df[i]))
			continue;
		used++;
		mean += centred_log(v[i], df[i]);
		own += tg_trigamma(0.5 * df[i]);
		pooled += v[i] * df[i];
		df_sum += df[i];
	}
	if (used < 3)
		return;
	mean /= (double)used;
	for (size_t i = 0; i < n; i++) {
		if (usable_variance(v[i], df[i])) {
			double away = centred_log(v[i], df[i]) - mean;

			spread += away * away;
		}
	}
	excess = spread / (double)(used - 1) - own / (double)used;
	if (excess > 0.0) {
		*d0 = 2.0 * trigamma_inverse(excess);
		*s02 = exp(mean + tg_digamma(0.5 * *d0) - log(0.5 * *d0));
	} else { /* no more spread than chance gives: one common variance, pooled */
		*d0 = INFINITY;
		*s02 = pooled / df_sum;
	}
}
