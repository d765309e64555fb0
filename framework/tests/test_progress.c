/* test_progress.c: how far a run is, on a terminal and in a log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "report/progress.h"
#include "report/text.h"

#include <string.h>

#define S 1000000000ULL

struct capture {
	char *text;
	size_t size;
	FILE *out;
};

static int setup(void **state)
{
	struct capture *c = calloc(1, sizeof(*c));

	*state = c;
	if (!c)
		return -1;
	c->out = open_memstream(&c->text, &c->size);
	return c->out ? 0 : -1;
}

static int teardown(void **state)
{
	struct capture *c = *state;

	fclose(c->out);
	free(c->text);
	free(c);
	return 0;
}

static const char *text_of(struct capture *c)
{
	fflush(c->out);
	return c->text;
}

static void log_has_a_line_at_each_block_and_each_ten_seconds(void **state)
{
	struct capture *c = *state;
	struct tg_progress p;

	tg_progress_begin(&p, c->out, false, "syscall", 12, 100 * S);
	tg_progress_step(&p, 0, "getpid", 101 * S);
	tg_progress_step(&p, 0, "getpid", 109 * S);
	tg_progress_step(&p, 0, "open_close", 111 * S);
	tg_progress_step(&p, 0, "open_close", 112 * S);
	tg_progress_step(&p, 7, "getpid", 131 * S);
	tg_progress_step(&p, 7, "getpid", 132 * S);
	tg_progress_step(&p, 12, NULL, 158 * S);
	tg_progress_end(&p, 158 * S);
	assert_string_equal(text_of(c),
		"syscall 0/12 blocks  0:11  open_close\n"
		"syscall 7/12 blocks  0:31 left 0:22\n"
		"syscall 12/12 blocks  0:58\n");
}

static void log_has_no_escape_codes(void **state)
{
	struct capture *c = *state;
	struct tg_progress p;

	tg_progress_begin(&p, c->out, false, "a\033[2Jb", 2, 0);
	tg_progress_step(&p, 0, "x\033[2J\ry", 20 * S);
	tg_progress_end(&p, 30 * S);
	assert_null(strchr(text_of(c), '\033'));
	assert_null(strchr(text_of(c), '\r'));
}

static void terminal_redraws_one_line(void **state)
{
	struct capture *c = *state;
	struct tg_progress p;

	tg_progress_begin(&p, c->out, true, "syscall", 4, 0);
	tg_progress_step(&p, 0, "getpid", S / 100); /* too soon to redraw */
	tg_progress_step(&p, 1, "getpid", 10 * S);
	tg_progress_step(&p, 4, "getpid", 40 * S);
	tg_progress_end(&p, 40 * S);
	assert_string_equal(text_of(c),
		"\rsyscall ──────────────────── 0/4 blocks  0:00\033[K"
		"\rsyscall █████─────────────── 1/4 blocks  0:10 left 0:30  getpid\033[K"
		"\rsyscall ████████████████████ 4/4 blocks  0:40  getpid\033[K"
		"\rsyscall ████████████████████ 4/4 blocks  0:40\033[K\n");
}

static void terminal_line_never_wraps(void **state)
{
	static const char name[] = "a/very/long/µµµµµµµµµµµµµµµµµµµµµµµµµµµµµµµµµµµµµµµµµµµµµ/name";
	struct capture *c = *state;
	struct tg_progress p;
	char *line, *rest;

	tg_progress_begin(&p, c->out, true, "a-suite-with-a-long-name-too", 1000, 0);
	tg_progress_step(&p, 999, name, 7300 * S);
	tg_progress_end(&p, 7300 * S);
	assert_non_null(strstr(text_of(c), "2:01:40"));
	rest = c->text;
	while ((line = strsep(&rest, "\r")) != NULL) {
		char *erase = strstr(line, "\033[K");

		if (erase)
			*erase = '\0';
		if (tg_text_width(line) > 79)
			fail_msg("%zu columns: %s", tg_text_width(line), line);
	}
}

static void run_cut_short_ends_with_what_was_done(void **state)
{
	struct capture *c = *state;
	struct tg_progress p;

	tg_progress_begin(&p, c->out, false, "file", 12, 0);
	tg_progress_end(&p, 5 * S);
	tg_progress_begin(&p, c->out, false, "file", 0, 0);
	tg_progress_step(&p, 3, NULL, S); /* more than there are: not a division by zero */
	tg_progress_end(&p, 5 * S);
	assert_string_equal(text_of(c), "file 0/12 blocks  0:05\nfile 0/0 blocks  0:05\n");
}

static void no_stream_is_silent(void **state)
{
	struct tg_progress p;

	(void)state;
	tg_progress_begin(&p, NULL, true, "file", 12, 0);
	tg_progress_step(&p, 3, NULL, S);
	tg_progress_end(&p, 5 * S);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(log_has_a_line_at_each_block_and_each_ten_seconds),
		TEST(log_has_no_escape_codes),
		TEST(terminal_redraws_one_line),
		TEST(terminal_line_never_wraps),
		TEST(run_cut_short_ends_with_what_was_done),
		cmocka_unit_test(no_stream_is_silent),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
