/* test_json.c: what is refused before and after cJSON, and what is never written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/json.h"

#include "common/cleanup.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static int parse(const char *text, cJSON **root, struct tg_err *err)
{
	return tg_json_parse(text, strlen(text), root, err);
}

static void parse_of_hostile_text_says_where(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"", "line 1, byte 1"},
		{"{", "cut short"},
		{"{\"a\":1}x", "byte 8: trailing garbage"},
		{"{\"a\":1} {}", "trailing garbage"},
		{"{\n\n\"a\": ]", "line 3, byte 9"},
		{"{\"a\":1,\"a\":2}", "key \"a\" is given twice"},
		{"[{\"x\":{\"q\":1,\"b\":1,\"q\":1}}]", "key \"q\" is given twice"},
		{"{\"a\":1,\"\\u0061\":2}", "key \"a\" is given twice"},
		{"{\"a\":1e999}", "key \"a\": not a finite number"},
		{"[-1e999]", "not a finite number"},
		{"{\"a\":NaN}", "not JSON"},
		{"{\"a\":Infinity}", "not JSON"},
		{"{\"a\":\"x\\u0000y\"}", "NUL in a string"},
		{"{\"a\":\"x\ty\"}", "control character"},
		{"{\"a\":\"x\ny\"}", "line 1, byte 8: control character"},
		{"\x01{}", "control character"},
		{"{'a':1}", "not JSON"},
		{"{\"a\":1,}", "not JSON"},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		cJSON *root = NULL;
		struct tg_err err = {0};

		if (parse(rows[i].text, &root, &err) != -EINVAL || root ||
			!strstr(err.msg, rows[i].want) || strchr(err.msg, '\n'))
			fail_msg("row %zu: `%s` instead of `%s`", i, err.msg, rows[i].want);
	}
}

static void parse_of_deep_text_stops_at_the_limit(void **state)
{
	char text[2 * TG_JSON_DEPTH_MAX + 3] = "";
	cJSON *root = NULL;
	struct tg_err err = {0};

	(void)state;
	memset(text, '[', TG_JSON_DEPTH_MAX);
	memset(text + TG_JSON_DEPTH_MAX, ']', TG_JSON_DEPTH_MAX);
	assert_int_equal(parse(text, &root, &err), 0);
	cJSON_Delete(root);
	root = NULL;
	memset(text, '[', TG_JSON_DEPTH_MAX + 1);
	memset(text + TG_JSON_DEPTH_MAX + 1, ']', TG_JSON_DEPTH_MAX + 1);
	assert_int_equal(parse(text, &root, &err), -EINVAL);
	assert_null(root);
	assert_non_null(strstr(err.msg, "byte 33: nested too deeply"));
}

static void parse_of_brackets_in_strings_is_not_deep(void **state)
{
	cJSON *root = NULL;

	(void)state;
	assert_int_equal(
		parse("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"]", &root, NULL), 0);
	cJSON_Delete(root);
}

static void parse_of_embedded_nul_fails(void **state)
{
	static const char text[] = "{\"a\":1}\0{\"b\":1}";
	cJSON *root = NULL;

	(void)state;
	assert_int_equal(tg_json_parse(text, sizeof(text) - 1, &root, NULL), -EINVAL);
	assert_null(root);
}

static void parse_of_many_keys_is_fast_and_finds_the_twin(void **state)
{
	const size_t n = 60000;
	char *text = malloc(n * 12 + 32), *p = text;
	cJSON *root = NULL;
	struct tg_err err = {0};

	(void)state;
	p += sprintf(p, "{");
	for (size_t i = 0; i < n; i++)
		p += sprintf(p, "\"k%06zu\":1,", i);
	sprintf(p, "\"k000007\":1}");
	assert_int_equal(parse(text, &root, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "key \"k000007\" is given twice"));
	free(text);
}

static void getters_of_wrong_values_name_the_key_and_leave_the_output(void **state)
{
	static const char text[] =
		"{\"s\":\"x\",\"long\":\"123456789\",\"u\":\"\xc3\xa9\",\"n\":-1,"
		"\"f\":1.5,\"big\":1e300,\"b\":true,\"o\":{},\"a\":[],\"z\":null}";
	static const char *const numbers[] = {
		"s", "n", "f", "big", "b", "o", "a", "z", "none", "S"};
	static const char *const texts[] = {"long", "u", "n", "b", "o", "a", "z", "none"};
	cJSON *root = NULL;

	(void)state;
	assert_int_equal(parse(text, &root, NULL), 0);
	for (size_t i = 0; i < TG_ARRAY_SIZE(numbers); i++) {
		uint64_t u = 77;
		int n = 77;
		struct tg_err err = {0};
		char want[32];

		snprintf(want, sizeof(want), "key \"%s\"", numbers[i]);
		assert_int_equal(tg_json_u64(root, numbers[i], 0, 1000, &u, &err), -EINVAL);
		assert_non_null(strstr(err.msg, want));
		assert_int_equal(tg_json_int(root, numbers[i], 0, 1000, &n, &err), -EINVAL);
		assert_non_null(strstr(err.msg, want));
		assert_int_equal(u, 77);
		assert_int_equal(n, 77);
	}
	for (size_t i = 0; i < TG_ARRAY_SIZE(texts); i++) {
		char out[9] = "kept";
		struct tg_err err = {0};

		assert_int_equal(tg_json_text(root, texts[i], out, sizeof(out), &err), -EINVAL);
		assert_string_equal(out, "kept");
		assert_non_null(strstr(err.msg, texts[i]));
	}
	cJSON_Delete(root);
}

static void whole_at_its_limits_is_exact(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t value;
	} rows[] = {
		{"0", true, 0},
		{"9007199254740992", true, UINT64_C(9007199254740992)},
		{"9223372036854774784", true, UINT64_C(9223372036854774784)},
		{"9223372036854775808", false, 0},
		{"-1", false, 0},
		{"0.5", false, 0},
		{"\"1\"", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		cJSON *item = NULL;
		uint64_t v = 0;

		assert_int_equal(parse(rows[i].text, &item, NULL), 0);
		if (tg_json_whole(item, 0, INT64_MAX, &v) != rows[i].ok || v != rows[i].value)
			fail_msg("row %zu: %s gave %llu", i, rows[i].text, (unsigned long long)v);
		cJSON_Delete(item);
	}
}

static void put_of_numbers_has_chosen_digits_and_no_infinity(void **state)
{
	cJSON *obj = cJSON_CreateObject();
	double v[] = {1.5, NAN, -1e-9};
	char *text;

	(void)state;
	assert_true(tg_json_put_number(obj, "a", 0.1, 6));
	assert_true(tg_json_put_number(obj, "b", NAN, 6));
	assert_true(tg_json_put_number(obj, "c", INFINITY, 6));
	assert_true(tg_json_put_fixed(obj, "d", -0.0000001, 6));
	assert_true(tg_json_put_fixed(obj, "e", -INFINITY, 6));
	assert_true(tg_json_put_u64(obj, "f", UINT64_MAX));
	assert_true(tg_json_put_text(obj, "g", "a\"b\n\xff"));
	assert_true(tg_json_put(obj, "h", tg_json_fixed_array(v, 3, 3)));
	text = cJSON_PrintUnformatted(obj);
	assert_string_equal(text,
		"{\"a\":0.1,\"d\":0.000000,\"f\":18446744073709551615,"
		"\"g\":\"a\\\"b??\",\"h\":[1.500,null,0.000]}");
	cJSON_free(text);
	cJSON_Delete(obj);
}

static void only_with_an_unknown_key_shows_it_printable(void **state)
{
	static const char *const keys[] = {"a", NULL};
	cJSON *root = NULL;
	struct tg_err err = {0};

	(void)state;
	assert_int_equal(parse("{\"a\":1,\"b\\n\\u001b[31m\":1}", &root, NULL), 0);
	assert_int_equal(tg_json_only(root, keys, &err), -EINVAL);
	assert_string_equal(err.msg, "key \"b??[31m\" is unknown");
	cJSON_Delete(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_of_hostile_text_says_where),
		cmocka_unit_test(parse_of_deep_text_stops_at_the_limit),
		cmocka_unit_test(parse_of_brackets_in_strings_is_not_deep),
		cmocka_unit_test(parse_of_embedded_nul_fails),
		cmocka_unit_test(parse_of_many_keys_is_fast_and_finds_the_twin),
		cmocka_unit_test(getters_of_wrong_values_name_the_key_and_leave_the_output),
		cmocka_unit_test(whole_at_its_limits_is_exact),
		cmocka_unit_test(put_of_numbers_has_chosen_digits_and_no_infinity),
		cmocka_unit_test(only_with_an_unknown_key_shows_it_printable),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
