/*
 * The probe: runs bench bodies inside a lane and answers over stdin and stdout.
 * argv[1], if given, is the prefix of all places (a native lane without a root of its own), or "--noop": the
 * only program in a sandbox stands for the smallest one, too, where the cost of an exec is measured.
 */
#include "probe/probe.h"

#include <malloc.h>
#include <signal.h>
#include <string.h>

extern const char tg_build_id[];

struct reader {
	char buf[TG_LINE_MAX];
	size_t len;
};

static int write_all(const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The next line into line[TG_LINE_MAX], without its newline (nor a terminal's carriage return). */
static int read_line(struct reader *r, char *line)
{
	for (;;) {
		char *nl = memchr(r->buf, '\n', r->len);

		if (nl) {
			size_t len = (size_t)(nl - r->buf);

			memcpy(line, r->buf, len);
			if (len && line[len - 1] == '\r')
				len--;
			line[len] = '\0';
			r->len -= (size_t)(nl + 1 - r->buf);
			memmove(r->buf, nl + 1, r->len);
			return 0;
		}
		if (r->len == sizeof(r->buf))
			return -1;
		ssize_t n = read(STDIN_FILENO, r->buf + r->len, sizeof(r->buf) - r->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		r->len += (size_t)n;
	}
}

static void serve(struct tg_stage *stage, const struct tg_request *req, struct tg_answer *a)
{
	a->kind = req->kind;
	a->seq = req->seq;
	a->error = 0;
	a->warm_ns = 0;
	a->batches = a->phases = 0;
	if (req->kind == TG_REQ_TURN)
		tg_turn(stage, req, a);
	else if (req->kind == TG_REQ_HOLD)
		a->error = -tg_stage_enter(stage, req->bench);
	else
		tg_look(a->text, sizeof(a->text) - 64);
}

int main(int argc, char **argv)
{
	static struct reader reader;
	static char line[TG_LINE_MAX];
	static struct tg_answer answer;
	static struct tg_stage stage;
	struct tg_hello hello = {.wire = TG_WIRE_VERSION,
		.cases = (unsigned)tg_case_count(tg_suites, tg_suite_count)};
	struct tg_request req;
	int len;

	if (argc > 1 && !strcmp(argv[1], "--noop"))
		_exit(0);
	stage.root = argc > 1 ? argv[1] : "";
	signal(SIGPIPE, SIG_IGN);
#ifdef M_MMAP_THRESHOLD
	/* glibc moves the threshold as a program frees: the same malloc would cost another thing later */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
	strncpy(hello.build, tg_build_id, TG_BUILD_ID_LEN);
	len = tg_wire_put_hello(line, &hello);
	if (len < 0 || write_all(line, (size_t)len) < 0)
		return 1;
	while (read_line(&reader, line) == 0) {
		if (tg_wire_get_request(line, &req) < 0)
			return 2;
		if (req.kind == TG_REQ_QUIT)
			break;
		serve(&stage, &req, &answer);
		len = tg_wire_put_answer(line, &answer);
		if (len < 0 || write_all(line, (size_t)len) < 0)
			return 1;
	}
	tg_stage_leave(&stage);
	return 0;
}
