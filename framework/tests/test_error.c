/* test_error.c: messages on the caller's stack, cut and never overrun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/error.h"

#include <errno.h>
#include <string.h>

static void set_fills_code_and_message_and_returns_minus_code(void **state)
{
	struct tg_err err = {0};

	(void)state;
	assert_int_equal(tg_err_set(&err, ENOENT, "no `%s` at %d", "x", 7), -ENOENT);
	assert_int_equal(err.code, ENOENT);
	assert_string_equal(err.msg, "no `x` at 7");
}

static void set_without_a_place_only_returns_minus_code(void **state)
{
	(void)state;
	assert_int_equal(tg_err_set(NULL, EPROTO, "%s", "lost"), -EPROTO);
	assert_true(tg_err_wrap(NULL, "%s", "lost") < 0);
}

static void set_longer_than_the_message_is_cut(void **state)
{
	struct {
		struct tg_err err;
		char guard[8];
	} at = {.guard = "guarded"};
	char text[600];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(tg_err_set(&at.err, E2BIG, "%s", text), -E2BIG);
	assert_int_equal(strlen(at.err.msg), sizeof(at.err.msg) - 1);
	assert_string_equal(at.guard, "guarded");
}

static void wrap_puts_its_words_before_the_message(void **state)
{
	struct tg_err err = {0};

	(void)state;
	tg_err_set(&err, EIO, "disk full");
	assert_int_equal(tg_err_wrap(&err, "line %d", 3), -EIO);
	assert_int_equal(tg_err_wrap(&err, "file `%s`", "b"), -EIO);
	assert_string_equal(err.msg, "file `b`: line 3: disk full");
	assert_int_equal(err.code, EIO);
}

/* The outer words stay whole; what does not fit of the inner ones is cut. */
static void wrap_of_a_full_message_is_cut(void **state)
{
	struct {
		struct tg_err err;
		char guard[8];
	} at = {.guard = "guarded"};
	const size_t lengths[] = {0, 1, 252, 253, 254, 255, 256, 400};
	char text[600];

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		memset(text, 'b', sizeof(text));
		text[lengths[i]] = '\0';
		tg_err_set(&at.err, EIO, "%0*d", 255, 0);
		assert_int_equal(tg_err_wrap(&at.err, "%s", text), -EIO);
		if (strlen(at.err.msg) != sizeof(at.err.msg) - 1 ||
			strncmp(at.err.msg, text, lengths[i] < 255 ? lengths[i] : 255) != 0 ||
			strcmp(at.guard, "guarded") != 0)
			fail_msg("wrapped in %zu characters: `%s`", lengths[i], at.err.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_fills_code_and_message_and_returns_minus_code),
		cmocka_unit_test(set_without_a_place_only_returns_minus_code),
		cmocka_unit_test(set_longer_than_the_message_is_cut),
		cmocka_unit_test(wrap_puts_its_words_before_the_message),
		cmocka_unit_test(wrap_of_a_full_message_is_cut),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
