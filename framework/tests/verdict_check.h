/* verdict_check.h: what the tests of verdict/ share. Include after cmocka.h. */
#ifndef TG_TESTS_VERDICT_CHECK_H
#define TG_TESTS_VERDICT_CHECK_H

#include <math.h>

/* cmocka's own comparison of doubles prints neither value well nor the row. `tolerance` is
 * relative. */
static inline void check_close(
	const char *what, size_t row, double got, double want, double tolerance)
{
	if ((isnan(got) && isnan(want)) || got == want)
		return;
	if (fabs(got - want) <= tolerance * fmax(fabs(want), 1e-300))
		return;
	fail_msg("%s, row %zu: got %.17g, want %.17g", what, row, got, want);
}

/* xorshift64* (Marsaglia 2003, Vigna 2016): the same numbers on every machine. In (0, 1). */
static inline double uniform(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return ((double)((*state * UINT64_C(0x2545F4914F6CDD1D)) >> 11) + 0.5) * 0x1p-53;
}

static inline double normal(uint64_t *state)
{
	double radius = sqrt(-2.0 * log(uniform(state)));

	return radius * cos(2.0 * M_PI * uniform(state));
}

#endif
