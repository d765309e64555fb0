/* test_wire.c: the two sides understand each other, and nothing else is understood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* 95 characters: the longest name there is */
#define NAME95                                                                                     \
	"syscall/0123456789012345678901234567890123456789012345678901234567890123456789012345678"  \
	"90123456"
#define TEXT64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char line[TG_LINE_MAX];

/* The line of length `len` that was just put, without its newline. */
static void check_line(int len, const char *want)
{
	if (len < 1 || line[len - 1] != '\n' || line[len] != '\0')
		fail_msg("%d characters instead of `%s`", len, want);
	line[len - 1] = '\0';
	assert_string_equal(line, want);
}

/* ---- round trips ---- */

static void hello_comes_back_as_it_was_put(void **state)
{
	static const struct {
		struct tg_hello hello;
		const char *line;
	} rows[] = {
		{{1, "0123456789abcdef", 12}, "TG hello 1 0123456789abcdef 12"},
		{{0, "x", 0}, "TG hello 0 x 0"},
		{{UINT32_MAX, "~", UINT32_MAX}, "TG hello 4294967295 ~ 4294967295"},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_hello out;

		check_line(tg_wire_put_hello(line, &rows[i].hello), rows[i].line);
		assert_int_equal(tg_wire_get_hello(line, &out), 0);
		assert_int_equal(out.wire, rows[i].hello.wire);
		assert_string_equal(out.build, rows[i].hello.build);
		assert_int_equal(out.cases, rows[i].hello.cases);
	}
}

static void request_comes_back_as_it_was_put(void **state)
{
	static const struct {
		struct tg_request request;
		const char *line;
	} rows[] = {
		{{TG_REQ_TURN, 3, "syscall/getpid", 0, 1, 1, 0},
			"TG turn 3 syscall/getpid 0 1 1 0"},
		{{TG_REQ_TURN, UINT32_MAX, NAME95, TG_WIRE_OPS_MAX, TG_WIRE_OPS_MAX,
			 TG_WIRE_BATCHES_MAX, 100000000},
			"TG turn 4294967295 " NAME95 " 1099511627776 1099511627776 16 100000000"},
		{{TG_REQ_HOLD, 0, "footprint/idle_pss", 0, 0, 0, 0},
			"TG hold 0 footprint/idle_pss"},
		{{TG_REQ_LOOK, 9, "", 0, 0, 0, 0}, "TG look 9"},
		{{TG_REQ_QUIT, 10, "", 0, 0, 0, 0}, "TG quit 10"},
	};

	(void)state;
	assert_int_equal(strlen(NAME95), TG_BENCH_NAME_MAX - 1);
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_request out;

		check_line(tg_wire_put_request(line, &rows[i].request), rows[i].line);
		if (tg_wire_get_request(line, &out) != 0)
			fail_msg("row %zu: `%s` is refused", i, line);
		assert_int_equal(out.kind, rows[i].request.kind);
		assert_int_equal(out.seq, rows[i].request.seq);
		assert_string_equal(out.bench, rows[i].request.bench);
		assert_true(out.warm_ops == rows[i].request.warm_ops);
		assert_true(out.ops == rows[i].request.ops);
		assert_int_equal(out.batches, rows[i].request.batches);
		assert_int_equal(out.inject_ppm, rows[i].request.inject_ppm);
	}
}

static void check_answer(size_t row, const struct tg_answer *want, const char *text)
{
	static struct tg_answer out;

	memset(&out, 0x5a, sizeof(out)); /* nothing may be left as it was */
	check_line(tg_wire_put_answer(line, want), text);
	if (tg_wire_get_answer(line, &out) != 0)
		fail_msg("row %zu: `%s` is refused", row, line);
	assert_int_equal(out.kind, want->kind);
	assert_int_equal(out.seq, want->seq);
	if (want->kind == TG_REQ_LOOK) {
		assert_string_equal(out.text, want->text);
		return;
	}
	assert_int_equal(out.error, want->error);
	assert_true(out.warm_ns == want->warm_ns);
	assert_int_equal(out.batches, want->batches);
	assert_int_equal(out.phases, want->phases);
	for (uint32_t b = 0; b < want->batches; b++) {
		assert_true(out.batch[b].start_ns == want->batch[b].start_ns);
		assert_true(out.batch[b].end_ns == want->batch[b].end_ns);
		for (uint32_t p = 0; p < want->phases; p++)
			assert_true(out.batch[b].phase_ns[p] == want->batch[b].phase_ns[p]);
	}
}

static void answer_comes_back_as_it_was_put(void **state)
{
	static const struct {
		struct tg_answer answer;
		const char *line;
	} rows[] = {
		{{.kind = TG_REQ_TURN,
			 .seq = 7,
			 .warm_ns = 5,
			 .batches = 1,
			 .batch = {{10, 20, {0}}}},
			"TG turn 7 0 5 1 0 10 20"},
		{{.kind = TG_REQ_TURN,
			 .seq = 7,
			 .batches = 2,
			 .phases = 2,
			 .batch = {{10, 20, {4, 6}}, {20, 20, {0, 0}}}},
			"TG turn 7 0 0 2 2 10 20 4 6 20 20 0 0"},
		{{.kind = TG_REQ_TURN, .batches = 1, .batch = {{0, INT64_MAX, {0}}}},
			"TG turn 0 0 0 1 0 0 9223372036854775807"},
		{{.kind = TG_REQ_TURN, .seq = 1, .error = 38}, "TG turn 1 38 0 0 0"},
		{{.kind = TG_REQ_TURN, .seq = 1, .error = 4095}, "TG turn 1 4095 0 0 0"},
		{{.kind = TG_REQ_HOLD, .seq = 2}, "TG held 2 0"},
		{{.kind = TG_REQ_HOLD, .seq = 2, .error = 2}, "TG held 2 2"},
		{{.kind = TG_REQ_LOOK, .seq = 3, .text = "cpus=1, cwd=/ a  b"},
			"TG look 3 cpus=1, cwd=/ a  b"},
		{{.kind = TG_REQ_LOOK, .seq = 3, .text = ""}, "TG look 3 "},
	};

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++)
		check_answer(i, &rows[i].answer, rows[i].line);
}

static struct tg_answer fullest(uint64_t start)
{
	struct tg_answer a = {.kind = TG_REQ_TURN,
		.seq = UINT32_MAX,
		.warm_ns = INT64_MAX,
		.batches = TG_WIRE_BATCHES_MAX,
		.phases = TG_PHASES_MAX};

	for (uint32_t b = 0; b < a.batches; b++)
		a.batch[b] =
			(struct tg_batch){start + 1000 * b, start + 1000 * b + 999, {1, 2, 3, 4}};
	return a;
}

static void fullest_answer_fits_a_line_and_comes_back(void **state)
{
	struct tg_answer a = fullest(INT64_MAX - 100000), out;
	int len = tg_wire_put_answer(line, &a);

	(void)state;
	assert_true(len > 0 && len < TG_LINE_MAX);
	line[len - 1] = '\0';
	assert_int_equal(tg_wire_get_answer(line, &out), 0);
	assert_memory_equal(out.batch, a.batch, sizeof(a.batch));
}

/* ---- what does not fit ---- */

static void put_of_more_than_a_line_is_emsgsize_and_stays_inside(void **state)
{
	struct {
		char line[TG_LINE_MAX];
		char guard[16];
	} at;
	static struct tg_answer a = {.kind = TG_REQ_LOOK};
	const size_t head = strlen("TG look 0 ");

	(void)state;
	memset(a.text, 'x', sizeof(a.text));
	for (size_t len = sizeof(a.text) - 16; len < sizeof(a.text); len++) {
		/* with its newline and its NUL a line is TG_LINE_MAX bytes at most */
		bool fits = head + len + 2 <= TG_LINE_MAX;
		int rc;

		memset(&at, 'g', sizeof(at));
		a.text[len] = '\0';
		rc = tg_wire_put_answer(at.line, &a);
		a.text[len] = 'x';
		if (rc != (fits ? (int)(head + len + 1) : -EMSGSIZE))
			fail_msg("a text of %zu characters: %d", len, rc);
		assert_memory_equal(at.guard, "gggggggggggggggg", sizeof(at.guard));
	}
}

/* ---- hostile lines ---- */

/* Every line that is cut short is refused, but for those that are a whole other line. */
static void check_prefixes(const char *whole, size_t whole_from, int (*get)(const char *))
{
	char cut[512];

	assert_int_equal(get(whole), 0);
	for (size_t n = 0; n < strlen(whole); n++) {
		snprintf(cut, sizeof(cut), "%.*s", (int)n, whole);
		if ((get(cut) == 0) != (n >= whole_from))
			fail_msg("`%s` is %s", cut, n >= whole_from ? "refused" : "taken");
	}
}

static int get_hello(const char *text)
{
	struct tg_hello out;

	return tg_wire_get_hello(text, &out);
}

static int get_request(const char *text)
{
	struct tg_request out;

	return tg_wire_get_request(text, &out);
}

static int get_answer(const char *text)
{
	static struct tg_answer out;

	return tg_wire_get_answer(text, &out);
}

static void lines_cut_at_every_byte_are_refused(void **state)
{
	(void)state;
	/* a number that loses its last digits is still one */
	check_prefixes("TG hello 1 0123456789abcdef 999", strlen("TG hello 1 0123456789abcdef 9"),
		get_hello);
	check_prefixes("TG turn 7 syscall/getpid 100 200 8 999",
		strlen("TG turn 7 syscall/getpid 100 200 8 9"), get_request);
	check_prefixes("TG hold 7 footprint/pss", strlen("TG hold 7 f"), get_request);
	check_prefixes("TG quit 7", strlen("TG quit 7"), get_request);
	check_prefixes("TG turn 7 0 500 2 1 100 200 50 200 900 77",
		strlen("TG turn 7 0 500 2 1 100 200 50 200 900 7"), get_answer);
	check_prefixes("TG held 7 0", strlen("TG held 7 0"), get_answer);
	check_prefixes("TG look 7 x", strlen("TG look 7 "), get_answer);
}

#define OVER32 "4294967296"
#define OVER63 "9223372036854775808"
#define OVER64 "18446744073709551616"

static const struct {
	int (*get)(const char *);
	const char *line;
} hostile[] = {
	/* hello */
	{get_hello, ""},
	{get_hello, "hello"},
	{get_hello, "TG"},
	{get_hello, "TG hello"},
	{get_hello, "TG hello 1 0123456789abcdef 12 "},
	{get_hello, "TG hello 1 0123456789abcdef 12 3"},
	{get_hello, " TG hello 1 0123456789abcdef 12"},
	{get_hello, "tg hello 1 0123456789abcdef 12"},
	{get_hello, "TG hallo 1 0123456789abcdef 12"},
	{get_hello, "TG  hello 1 0123456789abcdef 12"},
	{get_hello, "TG hello  1 0123456789abcdef 12"},
	{get_hello, "TG hello\t1 0123456789abcdef 12"},
	{get_hello, "TG hello +1 0123456789abcdef 12"},
	{get_hello, "TG hello -1 0123456789abcdef 12"},
	{get_hello, "TG hello 01 0123456789abcdef 12"},
	{get_hello, "TG hello 1x 0123456789abcdef 12"},
	{get_hello, "TG hello 0x1 0123456789abcdef 12"},
	{get_hello, "TG hello 1. 0123456789abcdef 12"},
	{get_hello, "TG hello 1 0123456789abcdef0 12"}, /* a build id of 17 */
	{get_hello, "TG hello 1 " TEXT64 TEXT64 " 12"},
	{get_hello, "TG hello 1  12"},
	{get_hello,
		"TG hello 1 01234567\x01"
		"9abcdef 12"},
	{get_hello,
		"TG hello 1 01234567\xc3\xa9"
		"9abcde 12"},
	{get_hello,
		"TG hello 1 01234567\x7f"
		"9abcdef 12"},
	{get_hello, "TG hello " OVER32 " 0123456789abcdef 12"},
	{get_hello, "TG hello " OVER64 " 0123456789abcdef 12"},
	{get_hello, "TG hello 1 0123456789abcdef " OVER32},
	{get_hello, "TG turn 7 0 5 1 0 10 20"},
	{get_hello, "TG hello 1 0123456789abcdef 12\r"},
	/* request */
	{get_request, ""},
	{get_request, "TG "},
	{get_request, "TG turn 7 syscall/getpid 100 0 8 0"},   /* no ops */
	{get_request, "TG turn 7 syscall/getpid 100 200 0 0"}, /* no sub-batches */
	{get_request, "TG turn 7 syscall/getpid 100 200 17 0"},
	{get_request, "TG turn 7 syscall/getpid 100 200 " OVER32 " 0"},
	{get_request, "TG turn 7 syscall/getpid 100 1099511627777 8 0"},
	{get_request, "TG turn 7 syscall/getpid 1099511627777 200 8 0"},
	{get_request, "TG turn 7 syscall/getpid 100 " OVER64 " 8 0"},
	{get_request, "TG turn 7 syscall/getpid 100 184467440737095516160 8 0"},
	{get_request, "TG turn 7 syscall/getpid 100 200 8 100000001"},
	{get_request, "TG turn 7 syscall/getpid -100 200 8 0"},
	{get_request, "TG turn 7 syscall/getpid 100 +200 8 0"},
	{get_request, "TG turn 7 syscall/getpid 100 0200 8 0"},
	{get_request, "TG turn 7 syscall/getpid 00 200 8 0"},
	{get_request, "TG turn 7 syscall/getpid 100 200 8 0 0"},
	{get_request, "TG turn 7 syscall/getpid 100 200 8"},
	{get_request, "TG turn 7 sys call/getpid 100 200 8 0"},
	{get_request, "TG turn 7  100 200 8 0"},
	{get_request, "TG turn 7 " NAME95 "x 100 200 8 0"},
	{get_request, "TG turn 7 sys\x1b[31m 100 200 8 0"},
	{get_request, "TG turn " OVER32 " syscall/getpid 100 200 8 0"},
	{get_request, "TG turn"},
	{get_request, "TG turns 7 syscall/getpid 100 200 8 0"},
	{get_request, "TG hold 7"},
	{get_request, "TG hold 7 a b"},
	{get_request, "TG hold 7 " NAME95 "x"},
	{get_request, "TG held 7 0"},
	{get_request, "TG look"},
	{get_request, "TG look 7 "},
	{get_request, "TG look 7 x"},
	{get_request, "TG quit"},
	{get_request, "TG quit 7 7"},
	{get_request, "TG quit -7"},
	{get_request, "TG hello 1 0123456789abcdef 12"},
	/* answer */
	{get_answer, ""},
	{get_answer, "TG"},
	{get_answer, "TG "},
	{get_answer, "TG quit 7"},
	{get_answer, "TG hello 1 0123456789abcdef 12"},
	{get_answer, "TG turn 7 0 5 1 0 20 10"},       /* ends before it starts */
	{get_answer, "TG turn 7 0 5 2 0 10 20 19 30"}, /* starts before the last one ended */
	{get_answer, "TG turn 7 0 5 2 0 10 20 20 19"},
	{get_answer, "TG turn 7 0 5 1 2 10 20 6 5"}, /* laps longer than the sub-batch */
	{get_answer, "TG turn 7 0 5 1 2 10 20 9223372036854775807 9223372036854775807"},
	{get_answer, "TG turn 7 0 5 1 4 10 20 9223372036854775807 9223372036854775807 1 1"},
	{get_answer, "TG turn 7 0 5 0 0"},	  /* neither times nor an error */
	{get_answer, "TG turn 7 38 5 1 0 10 20"}, /* both */
	{get_answer, "TG turn 7 4096 5 0 0"},	  /* no errno */
	{get_answer, "TG turn 7 -38 5 0 0"},
	{get_answer,
		"TG turn 7 0 5 17 0 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 "
		"1 1 1"},
	{get_answer, "TG turn 7 0 5 1 5 10 20 1 1 1 1 1"},
	{get_answer, "TG turn 7 0 5 1 0 10"},
	{get_answer, "TG turn 7 0 5 1 0 10 20 30"},
	{get_answer, "TG turn 7 0 5 2 0 10 20"},
	{get_answer, "TG turn 7 0 5 1 1 10 20"},
	{get_answer, "TG turn 7 0 5 1 0 10 20 "},
	{get_answer, "TG turn 7 0 5 1 0 10  20"},
	{get_answer, "TG turn 7 0 5 1 0 010 20"},
	{get_answer, "TG turn 7 0 5 1 0 +10 20"},
	{get_answer, "TG turn 7 0 5 1 0 10 20.5"},
	{get_answer, "TG turn 7 0 5 1 0 10 " OVER63},
	{get_answer, "TG turn 7 0 5 1 0 10 " OVER64},
	{get_answer, "TG turn 7 0 " OVER63 " 1 0 10 20"},
	{get_answer, "TG turn " OVER32 " 0 5 1 0 10 20"},
	{get_answer, "TG turn 7 0 5 1 0 10 20\r"},
	{get_answer, "TG turn 7 nan 5 1 0 10 20"},
	{get_answer, "TG turn 7 0 5 1 0 1: 200"},
	{get_answer, "TG turn 7 0 5 1 0 1/ 200"},
	{get_answer, "TG held 7"},
	{get_answer, "TG held 7 0 0"},
	{get_answer, "TG held 7 4096"},
	{get_answer, "TG hold 7 0"},
	{get_answer, "TG look 7"},
	{get_answer, "TG look x y"},
	{get_answer, "TG look 7 a\tb"},
	{get_answer, "TG look 7 a\x1b[2J"},
	{get_answer, "TG look 7 \xc3\xa9"},
};

static void hostile_lines_are_eproto(void **state)
{
	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(hostile); i++) {
		int rc = hostile[i].get(hostile[i].line);

		if (rc != -EPROTO)
			fail_msg("row %zu: %d for `%s`", i, rc, hostile[i].line);
	}
}

/* No byte of a good line may become any other byte and overrun something: run it under a sanitizer.
 */
static void every_byte_changed_is_taken_or_refused_without_harm(void **state)
{
	static struct tg_answer a;
	char changed[TG_LINE_MAX];
	size_t taken = 0, tried = 0;
	int len;

	(void)state;
	a = fullest(1000000);
	len = tg_wire_put_answer(line, &a);
	assert_true(len > 0);
	line[len - 1] = '\0';
	for (int at = 0; at < len - 1; at++)
		for (int c = 1; c < 256; c += 1 + (at > 64) * 6) {
			memcpy(changed, line, (size_t)len);
			changed[at] = (char)c;
			taken += get_answer(changed) == 0;
			tried++;
		}
	/* most changes break the line; a digit that becomes another one may not */
	assert_true(taken > 0 && taken < tried / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_comes_back_as_it_was_put),
		cmocka_unit_test(request_comes_back_as_it_was_put),
		cmocka_unit_test(answer_comes_back_as_it_was_put),
		cmocka_unit_test(fullest_answer_fits_a_line_and_comes_back),
		cmocka_unit_test(put_of_more_than_a_line_is_emsgsize_and_stays_inside),
		cmocka_unit_test(lines_cut_at_every_byte_are_refused),
		cmocka_unit_test(hostile_lines_are_eproto),
		cmocka_unit_test(every_byte_changed_is_taken_or_refused_without_harm),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
