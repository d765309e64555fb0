/* test_text.c: numbers and words as a person reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "report/text.h"

#include <math.h>
#include <string.h>

static void check(const char *what, double value, const char *got, const char *want)
{
	if (strcmp(got, want))
		fail_msg("%s of %.17g: \"%s\", want \"%s\"", what, value, got, want);
}

static void cost_has_three_digits_and_a_unit_of_its_size(void **state)
{
	static const struct {
		double value;
		const char *unit, *want;
	} rows[] = {
		{108, "ns", "108 ns"},
		{1600, "ns", "1.60 µs"},
		{2.3e6, "ns", "2.30 ms"},
		{4.25e9, "ns", "4.25 s"},
		{999.4, "ns", "999 ns"},
		{999.6, "ns", "1.00 µs"},
		{9.996, "ns", "10.0 ns"},
		{0.034, "ns", "0.03 ns"},
		{0, "ns", "0.00 ns"},
		{1.5, "ms", "1.50 ms"},
		{1500, "us", "1.50 ms"},
		{512, "KiB", "512 KiB"},
		{12595.2, "KiB", "12.3 MiB"},
		{3, "switches", "3.00 switches"},
		{0, "KiB", "0.00 KiB"},
		{NAN, "ns", "-"},
		{1e15, "ns", "1000000 s"},
		{108, "", "108 ns"},
		{2147483648.0, "B", "2.00 GiB"},
		{-1600, "ns", "-1.60 µs"},
	};
	char buf[TG_TEXT_SHORT];

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		tg_text_cost(buf, sizeof(buf), rows[i].value, rows[i].unit);
		check("cost", rows[i].value, buf, rows[i].want);
	}
	tg_text_cost_change(buf, sizeof(buf), 50, "ns");
	check("cost change", 50, buf, "+50.0 ns");
}

static void ratio_has_the_digits_asked_for(void **state)
{
	static const struct {
		double value;
		int digits;
		const char *want;
	} rows[] = {
		{1.0123, 3, "1.01x"},
		{77.94, 3, "77.9x"},
		{9.8, 3, "9.80x"},
		{9.999, 3, "10.0x"},
		{123.6, 3, "124x"},
		{1273.4, 3, "1273x"},
		{1.2734, 4, "1.273x"},
		{0.5, 3, "0.50x"},
		{INFINITY, 3, "-"},
		{99.96, 3, "100x"},
	};
	char buf[TG_TEXT_SHORT];

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		tg_text_ratio(buf, sizeof(buf), rows[i].value, rows[i].digits);
		check("ratio", rows[i].value, buf, rows[i].want);
	}
}

static void change_and_percent_are_short(void **state)
{
	char buf[TG_TEXT_SHORT];

	(void)state;
	tg_text_change(buf, sizeof(buf), log(1.123));
	check("change", 1.123, buf, "+12.3");
	tg_text_change(buf, sizeof(buf), -0.00001);
	check("change", 0, buf, "+0.0");
	tg_text_change(buf, sizeof(buf), INFINITY);
	check("change", INFINITY, buf, "+inf");
	tg_text_change(buf, sizeof(buf), -INFINITY);
	check("change", -INFINITY, buf, "-100.0");
	tg_text_percent(buf, sizeof(buf), 0.05);
	check("percent", 0.05, buf, "5 %");
	tg_text_percent(buf, sizeof(buf), 0.0612);
	check("percent", 0.0612, buf, "6.1 %");
	tg_text_percent(buf, sizeof(buf), INFINITY);
	check("percent", INFINITY, buf, "inf");
	tg_text_percent(buf, sizeof(buf), NAN);
	check("percent", NAN, buf, "-");
}

static void clean_replaces_what_drives_a_terminal(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{"plain µ · text", "plain µ · text"},
		{"\033[31mred", "?[31mred"},
		{"a\nb\tc\x7f", "a?b?c?"},
		{"\xc2\x9b"
		 "31m",
			"??31m"},	      /* C1: a CSI in one character */
		{"\xff\xc3", "??"},	      /* no UTF-8; cut in the middle */
		{"\xed\xa0\x80", "???"},      /* a surrogate */
		{"\xef\xbf\xbe", "???"},      /* a noncharacter: not in XML */
		{"\xc0\xaf", "??"},	      /* overlong */
		{"\xe0\x80\xaf", "???"},      /* overlong */
		{"\xf4\x90\x80\x80", "????"}, /* past the last code point */
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		tg_text_clean(buf, sizeof(buf), rows[i].in);
		check("clean", (double)i, buf, rows[i].want);
	}
	tg_text_clean(buf, 4, "abµ"); /* µ has two bytes: no half of it */
	check("clean", 4, buf, "ab");
	tg_text_clean(NULL, 0, "x");
}

static void check_wrap(
	const char *text, size_t column, size_t indent, size_t width, const char *want)
{
	tg_autofree char *got = NULL;
	size_t size;
	FILE *out = open_memstream(&got, &size);

	assert_non_null(out);
	tg_text_wrap(out, text, column, indent, width);
	fclose(out);
	assert_string_equal(got, want);
}

static void wrap_breaks_at_spaces_and_cuts_long_words(void **state)
{
	(void)state;
	check_wrap("one two three four", 0, 2, 12, "one two\n  three four\n");
	check_wrap("one two", 8, 2, 12, "one\n  two\n");
	check_wrap("", 0, 2, 12, "\n");
	check_wrap("abcdefghijklmnopqrstuvwxyz", 0, 2, 12, "abcdefghijkl\n  mnopqrstuv\n  wxyz\n");
	check_wrap("µµµµµµ µµµµµ", 0, 0, 12, "µµµµµµ µµµµµ\n");
	check_wrap("\033[2J", 0, 0, 12, "?[2J\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cost_has_three_digits_and_a_unit_of_its_size),
		cmocka_unit_test(ratio_has_the_digits_asked_for),
		cmocka_unit_test(change_and_percent_are_short),
		cmocka_unit_test(clean_replaces_what_drives_a_terminal),
		cmocka_unit_test(wrap_breaks_at_spaces_and_cuts_long_words),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
