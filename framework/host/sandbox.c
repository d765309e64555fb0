#include "host/sandbox.h"
#include "common/clock.h"
#include "host/proc.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define QUIT_NS (10 * TG_NS_PER_S)

int tg_ground_find(struct tg_ground *g, const char *probe, const char *build_id, struct tg_err *err)
{
	cpu_set_t first;

	*g = (struct tg_ground){.build_id = build_id};
	if (strlen(probe) >= sizeof(g->probe) || access(probe, R_OK) < 0)
		return tg_err_set(err, ENOENT, "no probe at `%.180s`: build it first", probe);
	strcpy(g->probe, probe);
	if (sched_getaffinity(0, sizeof(g->allowed), &g->allowed) < 0)
		return tg_err_set(err, errno, "sched_getaffinity: %s", strerror(errno));
	g->isolation = tg_isolation_find();
	CPU_ZERO(&first);
	for (size_t i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &g->allowed)) {
			CPU_SET(i, &first);
			break;
		}
	if (sched_setaffinity(0, sizeof(first), &first) < 0)
		return tg_err_set(err, errno, "sched_setaffinity: %s", strerror(errno));
	return 0;
}

int tg_ground_cpus(const struct tg_ground *g, int count, cpu_set_t *out, struct tg_err *err)
{
	int left = count;

	CPU_ZERO(out);
	for (size_t i = CPU_SETSIZE; i-- > 0 && left > 0;)
		if (CPU_ISSET(i, &g->allowed)) {
			CPU_SET(i, out);
			left--;
		}
	if (left)
		return tg_err_set(err, EINVAL, "needs %d CPUs, this machine gives %d", count,
			CPU_COUNT(&g->allowed));
	return 0;
}

/* A name for one sandbox, unique on the machine: a runtime keeps state under it. */
static void make_id(const struct tg_lane *lane, char id[64])
{
	static atomic_uint counter;
	size_t n = (size_t)snprintf(id, 64, "%d-%u-%.40s", getpid(), counter++, lane->name);

	for (size_t i = 0; i < n; i++)
		if (id[i] == '.' || id[i] == ':' || id[i] == '_')
			id[i] = '-';
}

int tg_sandbox_prepare(struct tg_sandbox *s, const struct tg_lane *lane, const struct tg_ground *g,
	bool in_steps, struct tg_err *err)
{
	struct tg_launch launch;
	char id[64];
	int rc;

	*s = (struct tg_sandbox){0};
	make_id(lane, id);
	rc = tg_ground_cpus(g, lane->cpus, &s->cpus, err);
	if (rc < 0)
		return rc;
	rc = tg_launch_make(lane, id, g->probe, &launch, err);
	if (rc < 0)
		return rc;
	if (in_steps && !launch.steps[0][0])
		rc = tg_err_set(err, ENOTSUP, "lane `%s` has no create, start and delete", lane->name);
	launch.in_steps = in_steps;
	if (rc == 0)
		rc = tg_child_start(&launch, &s->cpus, g->isolation, &s->child, err);
	tg_launch_free(&launch); /* the init has its own copy of our memory */
	return rc;
}

int tg_sandbox_go(struct tg_sandbox *s, const struct tg_lane *lane, struct tg_err *err)
{
	int rc = tg_child_go(&s->child, tg_now_ns() + lane->start_timeout_ms * 1000000ULL, err);

	if (rc < 0)
		tg_child_kill(&s->child);
	return rc;
}

int tg_sandbox_begin(struct tg_sandbox *s, const struct tg_lane *lane, const struct tg_ground *g,
	struct tg_err *err)
{
	int rc = tg_sandbox_prepare(s, lane, g, false, err);

	return rc < 0 ? rc : tg_sandbox_go(s, lane, err);
}

static int check_hello(const char *line, const struct tg_lane *lane, const struct tg_ground *g,
	struct tg_err *err)
{
	struct tg_hello hello;

	if (tg_wire_get_hello(line, &hello) < 0)
		return tg_err_set(err, EPROTO, "expected a probe's hello, got `%.80s`", line);
	if (hello.wire != TG_WIRE_VERSION)
		return tg_err_set(err, EPROTO, "its probe speaks wire version %u, this build %d",
			hello.wire, TG_WIRE_VERSION);
	if (!lane->probe[0] && strcmp(hello.build, g->build_id) != 0)
		return tg_err_set(err, EPROTO, "its probe is of build %s, not of this one (%s): build again",
			hello.build, g->build_id);
	return 0;
}

int tg_sandbox_await(struct tg_sandbox *s, const struct tg_lane *lane, const struct tg_ground *g,
	uint64_t deadline_ns, struct tg_err *err)
{
	char line[TG_LINE_MAX];
	int rc = tg_child_read(&s->child, deadline_ns, line, err);

	if (rc == -ETIMEDOUT) {
		char tail[160];

		snprintf(tail, sizeof(tail), "%.159s", err->msg + strlen("no answer in time"));
		rc = tg_err_set(err, ETIMEDOUT, TG_NOT_READY "%u s%s", lane->start_timeout_ms / 1000,
			tail);
	} else if (rc == 0) {
		rc = check_hello(line, lane, g, err);
	}
	if (rc < 0)
		tg_child_kill(&s->child);
	return rc;
}

int tg_sandbox_place(struct tg_sandbox *s, struct tg_err *err)
{
	int rc = tg_proc_place(s->child.pid, &s->cpus, err);

	if (rc < 0)
		tg_child_kill(&s->child);
	return rc;
}

/* `probe_ns` passed in there while between min and max passed here: one clock, one rate? */
static bool rate_agrees(uint64_t probe_ns, int64_t min_ns, int64_t max_ns)
{
	const double slack = 50e3; /* two clocks are read at two moments */

	return (double)probe_ns <= (double)max_ns * 1.001 + slack &&
		(double)probe_ns >= (double)min_ns * 0.999 - slack;
}

static int check_clock(struct tg_sandbox *s, const struct tg_answer *a, uint64_t sent, uint64_t received,
	struct tg_err *err)
{
	uint64_t start = a->batch[0].start_ns;
	uint64_t end = a->batch[a->batches - 1].end_ns;

	if (!rate_agrees(end - start, 0, (int64_t)(received - sent)))
		return tg_err_set(err, EPROTO, "clock: a turn of %.3f ms by its clock took %.3f ms by the host's",
			(double)(end - start) / 1e6, (double)(received - sent) / 1e6);
	if (!s->clock.known) {
		s->clock.known = true;
		s->clock.sent_ns = sent;
		s->clock.received_ns = received;
		s->clock.start_ns = start;
		return 0;
	}
	if (end < s->clock.start_ns ||
		!rate_agrees(end - s->clock.start_ns, (int64_t)(sent - s->clock.received_ns),
			(int64_t)(received - s->clock.sent_ns)))
		return tg_err_set(err, EPROTO,
			"clock: %.6f s passed by its clock, between %.6f and %.6f s by the host's",
			((double)end - (double)s->clock.start_ns) / 1e9,
			((double)sent - (double)s->clock.received_ns) / 1e9,
			(double)(received - s->clock.sent_ns) / 1e9);
	return 0;
}

int tg_sandbox_ask(struct tg_sandbox *s, struct tg_request *req, uint64_t timeout_ns,
	struct tg_answer *answer, struct tg_err *err)
{
	char line[TG_LINE_MAX];
	uint64_t sent, received;
	int len, rc;

	req->seq = ++s->seq;
	len = tg_wire_put_request(line, req);
	if (len < 0)
		return tg_err_set(err, EMSGSIZE, "request for `%.80s` is too long", req->bench);
	sent = tg_now_ns();
	rc = tg_child_send(&s->child, line, (size_t)len, err);
	if (rc == 0)
		rc = tg_child_read(&s->child, sent + timeout_ns, line, err);
	received = tg_now_ns();
	if (rc < 0)
		return rc;
	if (tg_wire_get_answer(line, answer) < 0 || answer->kind != req->kind)
		return tg_err_set(err, EPROTO, "it printed garbage: `%.80s`", line);
	if (answer->seq != req->seq)
		return tg_err_set(err, EPROTO, "it answered request %u, not %u", answer->seq, req->seq);
	if (req->kind != TG_REQ_TURN || answer->error)
		return 0;
	if (answer->batches != req->batches)
		return tg_err_set(err, EPROTO, "it ran %u sub-batches, not %u", answer->batches, req->batches);
	s->timed_ns += answer->batch[answer->batches - 1].end_ns - answer->batch[0].start_ns;
	s->warm_ns += answer->warm_ns;
	s->turn_ns += received - sent;
	return check_clock(s, answer, sent, received, err);
}

int tg_sandbox_tell(struct tg_sandbox *s, struct tg_err *err)
{
	char line[TG_LINE_MAX];
	struct tg_request quit = {.kind = TG_REQ_QUIT, .seq = ++s->seq};
	int len = tg_wire_put_request(line, &quit);
	int rc;

	s->child.life.quit_ns = tg_now_ns();
	rc = tg_child_send(&s->child, line, (size_t)len, err);
	if (rc < 0)
		tg_child_kill(&s->child);
	return rc;
}

int tg_sandbox_gone(struct tg_sandbox *s, struct tg_err *err)
{
	return tg_child_end(&s->child, tg_now_ns() + QUIT_NS, err);
}

int tg_sandbox_quit(struct tg_sandbox *s, struct tg_err *err)
{
	int rc = tg_sandbox_tell(s, err);

	return rc < 0 ? rc : tg_sandbox_gone(s, err);
}
