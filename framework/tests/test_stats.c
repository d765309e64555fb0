/* test_stats.c: reference values are from scipy 1.10.1; each table names the call that made it. */
#include "verdict/stats.h"

#include "common/cleanup.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/verdict_check.h"

#include <stdlib.h>
#include <string.h>

#define WALSH_MAX 40

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* All Walsh averages, sorted: the definition, to hold the selection against. */
static size_t walsh_list(const double *x, size_t n, double *out)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t j = i; j < n; j++)
			out[count++] = 0.5 * (x[i] + x[j]);
	}
	qsort(out, count, sizeof(*out), cmp_double);
	return count;
}

/* ---- order statistics and moments ---- */

static const struct {
	const char *name;
	double x[8];
	size_t n;
	double median, mad, mean, variance, hodges_lehmann;
} samples[] = {
	{"none", {0}, 0, NAN, NAN, NAN, NAN, NAN},
	{"one", {3}, 1, 3, 0, 3, NAN, 3},
	{"two", {4, 1}, 2, 2.5, 1.5, 2.5, 4.5, 2.5},
	{"odd", {5, 1, 3}, 3, 3, 2, 3, 4, 3},
	{"even", {9, 1, 2, 4}, 4, 3, 1.5, 4, 38.0 / 3, 3.5},
	{"ties", {2, 2, 2, 7, 2}, 5, 2, 0, 3, 5, 2},
	{"zeros", {0, 0, 0, 0}, 4, 0, 0, 0, 0, 0},
	{"signs", {-1, 1, -3, 3}, 4, 0, 2, 0, 20.0 / 3, 0},
	{"outlier", {1, 2, 3, 4, 1e9}, 5, 3, 1, 200000002, 1.99999999e17, 3},
	{"nan", {1, NAN, 3}, 3, NAN, NAN, NAN, NAN, NAN},
	{"inf", {1, 2, INFINITY}, 3, 2, 1, INFINITY, NAN, INFINITY},
	{"-inf", {1, 2, 3, 4, -INFINITY}, 5, 2, 1, -INFINITY, NAN, 2},
	{"both inf", {-INFINITY, 2, INFINITY}, 3, 2, INFINITY, NAN, NAN, NAN},
	{"same inf", {INFINITY, INFINITY}, 2, INFINITY, NAN, INFINITY, NAN, INFINITY},
};

static void sample_statistics_match_hand_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(samples); i++) {
		const double *x = samples[i].x;
		size_t n = samples[i].n;

		check_close("median", i, tg_median(x, n), samples[i].median, 1e-12);
		check_close("mad", i, tg_mad(x, n), samples[i].mad, 1e-12);
		check_close("mean", i, tg_mean(x, n), samples[i].mean, 1e-12);
		check_close("variance", i, tg_variance(x, n), samples[i].variance, 1e-6);
		check_close("hl", i, tg_hodges_lehmann(x, n), samples[i].hodges_lehmann, 1e-12);
	}
}

static void hodges_lehmann_equals_median_of_all_walsh_averages(void **state)
{
	double x[WALSH_MAX], walsh[WALSH_MAX * (WALSH_MAX + 1) / 2];
	uint64_t rng = 1;

	(void)state;
	for (size_t n = 1; n <= WALSH_MAX; n++) {
		for (int kind = 0; kind < 3; kind++) {
			size_t count;

			for (size_t i = 0; i < n; i++) {
				double z = normal(&rng);

				x[i] = kind == 0 ? z : kind == 1 ? floor(2.0 * z) : exp(20.0 * z);
			}
			count = walsh_list(x, n, walsh);
			check_close("hl", n, tg_hodges_lehmann(x, n), tg_median(walsh, count), 0);
		}
	}
}

static void statistics_of_large_sample_leave_input_alone(void **state)
{
	double x[501], before[501];

	(void)state;
	for (size_t i = 0; i < 501; i++)
		x[i] = (double)(i * 37 % 501); /* a permutation of 0..500 */
	memcpy(before, x, sizeof(x));
	check_close("median", 0, tg_median(x, 501), 250, 0);
	check_close("mad", 0, tg_mad(x, 501), 125, 0);
	check_close("hl", 0, tg_hodges_lehmann(x, 501), 250, 0);
	assert_memory_equal(x, before, sizeof(x));
}

static void estimates_follow_shift_scale_and_permutation(void **state)
{
	double x[12], y[12], lo, hi, lo2, hi2;
	uint64_t rng = 2;

	(void)state;
	for (size_t trial = 0; trial < 200; trial++) {
		double shift = normal(&rng), scale = exp(normal(&rng));

		for (size_t i = 0; i < 12; i++)
			x[i] = normal(&rng);
		for (size_t i = 0; i < 12; i++)
			y[i * 5 % 12] = 4.0 + shift + scale * x[i];
		tg_signed_rank_bounds(x, 12, 0.05, &lo, &hi);
		tg_signed_rank_bounds(y, 12, 0.05, &lo2, &hi2);
		shift += 4.0;
		check_close("hl", trial, tg_hodges_lehmann(y, 12) - shift,
			scale * tg_hodges_lehmann(x, 12), 1e-9);
		check_close("lo", trial, lo2 - shift, scale * lo, 1e-9);
		check_close("hi", trial, hi2 - shift, scale * hi, 1e-9);
		check_close("mad", trial, tg_mad(y, 12), scale * tg_mad(x, 12), 1e-9);
		check_close(
			"p", trial, tg_signed_rank_p(y, 12, shift), tg_signed_rank_p(x, 12, 0), 0);
	}
}

/* ---- signed rank ---- */

/*
 * c: pmf = scipy.stats._morestats._get_wilcoxon_distr(n); the largest c with sum(pmf[:c]) <= alpha.
 * Powers of two have Walsh averages that are all different, so each bound tells its c.
 */
static const struct {
	size_t n;
	double alpha;
	size_t c;
} critical[] = {
	{1, 0.05, 0},
	{4, 0.05, 0},
	{5, 0.05, 1},
	{5, 0.01, 0},
	{6, 0.05, 3},
	{6, 0.01, 0},
	{8, 0.05, 6},
	{8, 0.01, 2},
	{12, 0.05, 18},
	{12, 0.01, 10},
	{20, 0.05, 61},
	{20, 0.01, 44},
	{30, 0.05, 152},
	{30, 0.01, 121},
};

static void signed_rank_bounds_match_exact_critical_values(void **state)
{
	double x[WALSH_MAX], walsh[WALSH_MAX * (WALSH_MAX + 1) / 2], lo, hi;

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(critical); i++) {
		size_t n = critical[i].n, c = critical[i].c, count;

		for (size_t k = 0; k < n; k++)
			x[k] = ldexp(1.0, (int)(k * 7 % n));
		count = walsh_list(x, n, walsh);
		tg_signed_rank_bounds(x, n, critical[i].alpha, &lo, &hi);
		check_close("lo", i, lo, c == 0 ? -INFINITY : walsh[c - 1], 0);
		check_close("hi", i, hi, c == 0 ? INFINITY : walsh[count - c], 0);
	}
}

static void signed_rank_bounds_without_information_are_infinite(void **state)
{
	static const double with_nan[] = {1, 2, 3, NAN, 5, 6, 7, 8};
	static const double with_inf[] = {1, 2, 3, 4, 5, 6, INFINITY, -INFINITY};
	static const struct {
		const double *x;
		size_t n;
		double alpha;
	} rows[] = {
		{with_nan, 0, 0.05},
		{with_nan, 3, 0.05},
		{with_nan, 8, 0.05},
		{with_inf, 8, 0.05},
		{with_inf, 6, 0.0},
		{with_inf, 6, NAN},
	};
	double lo, hi;

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		lo = hi = 0.0;
		tg_signed_rank_bounds(rows[i].x, rows[i].n, rows[i].alpha, &lo, &hi);
		check_close("lo", i, lo, -INFINITY, 0);
		check_close("hi", i, hi, INFINITY, 0);
	}
	tg_signed_rank_bounds(with_inf, 7, 0.05, &lo, &hi);
	check_close("one infinity, lo", 0, lo, 2, 0);
	check_close("one infinity, hi", 0, hi, INFINITY, 0);
}

/*
 * wilcoxon(x - mu, zero_method="zsplit", alternative="greater", method="exact").pvalue; scipy has
 * no exact value with zeros, so "zeros" is sum(_get_wilcoxon_distr(8)[29:]) for T+ = 29.5.
 */
static const struct {
	const char *name;
	double x[9];
	size_t n;
	double mu, p;
} rank_p[] = {
	{"none", {0}, 0, 0, 1},
	{"one above", {1}, 1, 0, 0.5},
	{"one equal", {1}, 1, 1, 1},
	{"plain", {.011, -.004, .023, .017, .002, -.009, .031, .014}, 8, 0, 0.0390625},
	{"mu inside", {.011, -.004, .023, .017, .002, -.009, .031, .014}, 8, .01, 0.47265625},
	{"mu above all", {.011, -.004, .023, .017, .002, -.009, .031, .014}, 8, .05, 1},
	{"ties", {1, 2, 2, -2, 3, -1, 4, 4, 5}, 9, 0, 0.02734375},
	{"zeros", {0, 0, 1, 2, -3, 4, 5, 6}, 8, 0, 0.07421875},
	{"all below", {-1, -2, -3, -4, -5}, 5, 0, 1},
	{"all above", {1, 2, 3, 4, 5}, 5, 0, 0.03125},
	{"infinite above", {1, 2, 3, 4, INFINITY}, 5, 0, 0.03125},
	{"nan", {1, 2, NAN, 4, 5}, 5, 0, NAN},
	{"nan mu", {1, 2, 3, 4, 5}, 5, NAN, NAN},
};

static void signed_rank_p_matches_scipy(void **state)
{
	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rank_p); i++)
		check_close(rank_p[i].name, i,
			tg_signed_rank_p(rank_p[i].x, rank_p[i].n, rank_p[i].mu), rank_p[i].p,
			1e-12);
}

static void signed_rank_p_all_equal_to_mu_never_rejects(void **state)
{
	double x[30] = {0};

	(void)state;
	for (size_t n = 1; n <= 30; n++) {
		double p = tg_signed_rank_p(x, n, 0.0);

		if (p < 0.5)
			fail_msg("n %zu: p %.17g", n, p);
	}
}

/* wilcoxon(sin(1.7 i) + .05 + 1e-5 i, i < 450, alternative="greater", method="approx",
 * correction=True).pvalue */
static void signed_rank_large_sample_matches_normal_approximation(void **state)
{
	double x[450], lo, hi;

	(void)state;
	for (size_t i = 0; i < 450; i++)
		x[i] = sin((double)i * 1.7) + 0.05 + (double)i * 1e-5;
	check_close("p", 0, tg_signed_rank_p(x, 450, 0.0), 0.01657641042986575, 1e-9);
	tg_signed_rank_bounds(x, 450, 0.0166, &lo, &hi);
	assert_true(lo > 0.0);
	tg_signed_rank_bounds(x, 450, 0.0165, &lo, &hi);
	assert_true(lo < 0.0);
	/* below the border: the same with i < 400 and method="exact" */
	check_close("exact p", 0, tg_signed_rank_p(x, 400, 0.0), 0.027148657901987, 1e-9);
}

static void signed_rank_bound_is_above_mu_exactly_when_p_rejects(void **state)
{
	double x[12], lo, hi;
	uint64_t rng = 3;
	int rejected = 0;

	(void)state;
	for (size_t trial = 0; trial < 2000; trial++) {
		double mu = -0.4;
		bool by_p, by_bound;

		for (size_t i = 0; i < 12; i++)
			x[i] = normal(&rng);
		tg_signed_rank_bounds(x, 12, 0.05, &lo, &hi);
		by_bound = lo > mu;
		by_p = tg_signed_rank_p(x, 12, mu) <= 0.05;
		if (by_bound != by_p)
			fail_msg("trial %zu: lo %.17g, p %.17g", trial, lo,
				tg_signed_rank_p(x, 12, mu));
		rejected += by_p;
	}
	assert_in_range(rejected, 200, 1800);
}

/* Distribution free: for any symmetric law each bound covers 0 with probability 1 - P(T+ < c). */
static void signed_rank_bounds_cover_the_centre_at_their_level(void **state)
{
	static const struct {
		const char *name;
		size_t n;
		double coverage; /* 1 - sum(_get_wilcoxon_distr(n)[:c]) at alpha .05 */
		int law;
	} rows[] = {
		{"normal 8", 8, 1 - 10.0 / 256, 0},
		{"Laplace 8", 8, 1 - 10.0 / 256, 1},
		{"uniform 12", 12, 1 - 189.0 / 4096, 2},
		{"Cauchy 12", 12, 1 - 189.0 / 4096, 3},
	};
	enum { TRIALS = 10000 };
	uint64_t rng = 4;

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		double sd = sqrt(rows[i].coverage * (1.0 - rows[i].coverage) / TRIALS);
		int below = 0, above = 0;

		for (int trial = 0; trial < TRIALS; trial++) {
			double x[12], lo, hi;

			for (size_t k = 0; k < rows[i].n; k++) {
				double u = uniform(&rng) - 0.5;

				x[k] = rows[i].law == 0	   ? normal(&rng)
					: rows[i].law == 1 ? copysign(log(1.0 - 2.0 * fabs(u)), u)
					: rows[i].law == 2 ? u
							   : tan(M_PI * u);
			}
			tg_signed_rank_bounds(x, rows[i].n, 0.05, &lo, &hi);
			below += lo <= 0.0;
			above += hi >= 0.0;
		}
		check_close(rows[i].name, i, (double)below / TRIALS, rows[i].coverage, 4.5 * sd);
		check_close(rows[i].name, i, (double)above / TRIALS, rows[i].coverage, 4.5 * sd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sample_statistics_match_hand_values),
		cmocka_unit_test(hodges_lehmann_equals_median_of_all_walsh_averages),
		cmocka_unit_test(statistics_of_large_sample_leave_input_alone),
		cmocka_unit_test(estimates_follow_shift_scale_and_permutation),
		cmocka_unit_test(signed_rank_bounds_match_exact_critical_values),
		cmocka_unit_test(signed_rank_bounds_without_information_are_infinite),
		cmocka_unit_test(signed_rank_p_matches_scipy),
		cmocka_unit_test(signed_rank_p_all_equal_to_mu_never_rejects),
		cmocka_unit_test(signed_rank_large_sample_matches_normal_approximation),
		cmocka_unit_test(signed_rank_bound_is_above_mu_exactly_when_p_rejects),
		cmocka_unit_test(signed_rank_bounds_cover_the_centre_at_their_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
