/* test_stats_distributions.c: t, normal, gamma, Holm and the moderation prior. Reference values are
 * from scipy 1.10.1; each table names the call that made it. */
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

static void t_cdf_matches_scipy(void **state)
{
	static const struct {
		double t, df, p;
	} rows[] = {
		/* stats.t.cdf(t, df), stats.norm.cdf(t) for INFINITY */
		{0.0, 3.0, 0.5},
		{1.0, 1.0, 0.75},
		{-1.0, 1.0, 0.25},
		{2.5, 2.0, 0.9351941398892446},
		{-3.2, 7.0, 0.007532905671244649},
		{1.8946, 7.0, 0.9500015727403809},
		{5.41, 7.0, 0.9995011326925097},
		{1e-05, 4.5, 0.5000037754682083},
		{-40.0, 3.0, 1.719034039457927e-05},
		{12.0, 0.5, 0.907469739465399},
		{-2.0, 30.7, 0.027207252973959},
		{1.65, 100.0, 0.9489596862310721},
		{-3.0, 1e4, 0.001353224094998832},
		{2.0, 1e5, 0.9772485182712468},
		{-2.0, 1e7, 0.02275014544592147},
		{1.5, INFINITY, 0.9331927987311419},
		/* edges */
		{INFINITY, 3, 1},
		{-INFINITY, 3, 0},
		{-INFINITY, INFINITY, 0},
		{NAN, 3, NAN},
		{1, 0, NAN},
		{1, -1, NAN},
		{1, NAN, NAN},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++)
		check_close("t cdf", i, tg_t_cdf(rows[i].t, rows[i].df), rows[i].p, 1e-12);
}

static void t_quantile_matches_scipy(void **state)
{
	static const struct {
		double p, df, t;
	} rows[] = {
		/* stats.t.ppf is good to 1e-9 only: its value polished by brentq on stats.t.cdf */
		{0.95, 1.0, 6.313751514675036},
		{0.95, 3.0, 2.353363434801822},
		{0.95, 7.0, 1.894578605090006},
		{0.99, 7.0, 2.997951566868528},
		{0.8, 7.0, 0.8960296443137645},
		{0.9995, 7.0, 5.407882520861828},
		{0.9995, 20.0, 3.849516274930875},
		{0.05, 2.5, -2.558218614135936},
		{0.2, 88.0, -0.8457248803487338},
		{0.6, 0.5, 0.3979754267847906},
		{1e-06, 13.3, -7.972484396996757},
		{0.975, 1e4, 1.960201239890626},
		{0.95, 1e7, 1.644853779328401},
		{0.9995, INFINITY, 3.290526731491926},
		/* edges */
		{0.5, 7, 0},
		{0, 7, -INFINITY},
		{1, 7, INFINITY},
		{-0.1, 7, NAN},
		{1.1, 7, NAN},
		{NAN, 7, NAN},
		{0.5, 0, NAN},
		{0.5, NAN, NAN},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++)
		check_close(
			"t quantile", i, tg_t_quantile(rows[i].p, rows[i].df), rows[i].t, 1e-12);
}

static void t_quantile_inverts_cdf_everywhere(void **state)
{
	static const double df[] = {
		0.3, 1, 1.9, 3, 7, 19.99, 20.01, 39.9, 40.1, 300, 9.9e4, 1.01e5, 1e9, INFINITY};
	static const double p[] = {
		1e-9, 1e-6, 1e-4, 0.01, 0.05, 0.2, 0.45, 0.4999999, 0.50001, 0.8, 0.999};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(df); i++) {
		for (size_t k = 0; k < TG_ARRAY_SIZE(p); k++) {
			double t = tg_t_quantile(p[k], df[i]);

			check_close("p of quantile", i * 100 + k, tg_t_cdf(t, df[i]), p[k], 1e-9);
			if (i > 0 && fabs(t) > fabs(tg_t_quantile(p[k], df[i - 1])))
				fail_msg("df %g, p %g: %.17g grew with df", df[i], p[k], t);
		}
	}
}

static void normal_quantile_matches_scipy(void **state)
{
	static const struct {
		double p, z;
	} rows[] = {
		/* stats.norm.ppf(p) */
		{1e-300, -37.0470962993612},
		{1e-20, -9.262340089798409},
		{1e-05, -4.264890793922825},
		{0.0005, -3.290526731491894},
		{0.05, -1.644853626951473},
		{0.3, -0.5244005127080409},
		{0.5, 0},
		{0.8, 0.8416212335729143},
		{0.95, 1.644853626951472},
		{0.99, 2.326347874040841},
		{0.999999, 4.753424308817087},
		{0, -INFINITY},
		{1, INFINITY},
		{-1e-9, NAN},
		{NAN, NAN},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++)
		check_close("normal quantile", i, tg_normal_quantile(rows[i].p), rows[i].z, 1e-12);
}

static void gamma_derivatives_match_scipy(void **state)
{
	static const struct {
		double x, digamma, trigamma;
	} rows[] = {
		/* special.digamma(x), special.polygamma(1, x) */
		{1e-05, -100000.5771992157, 10000000001.64491},
		{0.01, -100.5608854578687, 10001.62121352831},
		{0.5, -1.963510026021424, 4.93480220054468},
		{1.0, -0.5772156649015329, 1.644934066848227},
		{1.5, 0.03648997397857652, 0.9348022005446793},
		{3.5, 1.103156640645243, 0.3303577561002349},
		{6.0, 1.7061176684318, 0.1813229557371153},
		{11.9, 2.433933536882538, 0.08766320119000418},
		{12.0, 2.442661679975812, 0.0869018728717684},
		{50.0, 3.901989673427892, 0.02020133322669713},
		{1e5, 11.5129204649619, 1.000005000016666e-05},
		{0, NAN, NAN},
		{-1.5, NAN, NAN},
		{NAN, NAN, NAN},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		check_close("digamma", i, tg_digamma(rows[i].x), rows[i].digamma, 1e-12);
		check_close("trigamma", i, tg_trigamma(rows[i].x), rows[i].trigamma, 1e-12);
	}
}

/* ---- many gates ---- */

static void holm_rejects_by_hand_values(void **state)
{
	static const struct {
		const char *name;
		double p[5];
		size_t n;
		bool reject[5];
	} rows[] = {
		{"none", {0}, 0, {false}},
		{"one", {0.05}, 1, {true}},
		{"one above", {0.0501}, 1, {false}},
		/* .05 / 4 = .0125, / 3 = .0167, / 2 = .025: .03 stops it, and .04 behind it */
		{"steps", {0.01, 0.04, 0.03, 0.005}, 4, {true, false, false, true}},
		{"all", {0.012, 0.016, 0.024, 0.049}, 4, {true, true, true, true}},
		{"first stops all", {0.013, 0.013, 0.013, 0.013}, 4, {false}},
		{"nan counts", {0.02, NAN, 0.04}, 3, {false}},
		{"nan behind", {0.01, NAN, 0.02}, 3, {true, false, true}},
		{"all nan", {NAN, NAN}, 2, {false}},
		{"zeros", {0, 0, 1}, 3, {true, true, false}},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		bool reject[5] = {true, true, true, true, true};

		tg_holm(rows[i].p, rows[i].n, 0.05, reject);
		for (size_t k = 0; k < rows[i].n; k++) {
			if (reject[k] != rows[i].reject[k])
				fail_msg("%s: p[%zu] = %g: reject %d", rows[i].name, k,
					rows[i].p[k], reject[k]);
		}
	}
}

/*
 * limma's fitFDist: e = log(v) - digamma(df/2) + log(df/2), ev = var(e) - mean(polygamma(1, df/2)),
 * d0 = 2 brentq(polygamma(1, y) - ev), s02 = exp(mean(e) + digamma(d0/2) - log(d0/2));
 * ev <= 0: d0 infinite, s02 = sum(v df) / sum(df) (limma takes the plain mean of v; the same for
 * equal df).
 */
static void moderation_fit_matches_limma_formula(void **state)
{
	static const struct {
		const char *name;
		double v[8], df[8];
		size_t n;
		double d0, s02;
	} rows[] = {
		{"equal df", {1e-4, 4e-4, 2e-5, 9e-4, 3e-4, 5e-5}, {7, 7, 7, 7, 7, 7}, 6,
			1.9663195167081, 9.58791251776455e-05},
		{"mixed df", {1e-4, 4e-4, 2e-5, 9e-4, 3e-3, 5e-6}, {7, 7, 3, 15, 7, 4}, 6,
			0.998364663843727, 5.04867767808943e-05},
		{"three", {1, 2, 8}, {7, 7, 7}, 3, 3.40841399827644, 2.12247389315356},
		{"alike", {1e-4, 1.1e-4, .9e-4, 1.2e-4}, {7, 7, 7, 7}, 4, INFINITY, 0.000105},
		{"alike, mixed df", {1e-4, 1.1e-4, .9e-4, 1.2e-4}, {7, 3, 7, 7}, 4, INFINITY,
			0.000104166666666667},
		{"unusable left out", {0, 1, 2, 8, -1, NAN, INFINITY, 5}, {7, 7, 7, 7, 7, 7, 7, 0},
			8, 3.40841399827644, 2.12247389315356},
		{"two usable", {1, 2, 0}, {7, 7, 7}, 3, 0, 0},
		{"none", {0}, {0}, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		double d0 = NAN, s02 = NAN;

		tg_moderation_fit(rows[i].v, rows[i].df, rows[i].n, &d0, &s02);
		check_close(rows[i].name, i, d0, rows[i].d0, 1e-11);
		check_close(rows[i].name, i, s02, rows[i].s02, 1e-11);
	}
}

/* Variances drawn from the prior that is to be found: v = s02 d0 / chi2(d0) * chi2(d) / d. */
static void moderation_fit_recovers_the_prior(void **state)
{
	enum { GATES = 4000, D0 = 10, D = 7 };
	tg_autofree double *v = calloc(GATES, sizeof(*v));
	tg_autofree double *df = calloc(GATES, sizeof(*df));
	double d0, s02;
	uint64_t rng = 5;

	(void)state;
	assert_non_null(v);
	assert_non_null(df);
	for (size_t i = 0; i < GATES; i++) {
		double prior = 0.0, own = 0.0;

		for (int k = 0; k < D0; k++)
			prior += pow(normal(&rng), 2.0);
		for (int k = 0; k < D; k++)
			own += pow(normal(&rng), 2.0);
		v[i] = 3e-4 * D0 / prior * own / D;
		df[i] = D;
	}
	tg_moderation_fit(v, df, GATES, &d0, &s02);
	check_close("d0", 0, d0, D0, 0.15);
	check_close("s02", 0, s02, 3e-4, 0.05);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_cdf_matches_scipy),
		cmocka_unit_test(t_quantile_matches_scipy),
		cmocka_unit_test(t_quantile_inverts_cdf_everywhere),
		cmocka_unit_test(normal_quantile_matches_scipy),
		cmocka_unit_test(gamma_derivatives_match_scipy),
		cmocka_unit_test(holm_rejects_by_hand_values),
		cmocka_unit_test(moderation_fit_matches_limma_formula),
		cmocka_unit_test(moderation_fit_recovers_the_prior),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
