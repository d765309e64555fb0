/* sandbox.h: a child that speaks the wire: one probe in one lane, answering requests. */
#ifndef TG_HOST_SANDBOX_H
#define TG_HOST_SANDBOX_H

#include "host/child.h"

/* What is the same for all sandboxes of a run. */
struct tg_ground {
	enum tg_isolation isolation;
	cpu_set_t allowed;		/* what the conductor itself was given */
	char probe[TG_PATH_MAX];	/* this build's */
	const char *build_id;		/* a probe of another build is refused, unless the lane names its own */
};

/* Read the machine's allowed CPUs and user's rights; pin the conductor to the first CPU. */
int tg_ground_find(struct tg_ground *g, const char *probe, const char *build_id, struct tg_err *err);

/* The CPUs of a lane that asks for `count`: the last ones allowed, so that the conductor's stays free if it can.
 * -EINVAL where the machine has fewer. */
int tg_ground_cpus(const struct tg_ground *g, int count, cpu_set_t *out, struct tg_err *err);

struct tg_sandbox {
	struct tg_child child;
	cpu_set_t cpus;
	uint32_t seq;
	struct {
		bool known;
		uint64_t sent_ns, received_ns, start_ns; /* of the first turn */
	} clock;
	uint64_t timed_ns, warm_ns, turn_ns; /* sums over turns */
};

/* Start, in steps so that many come up in parallel: _begin spawns the runtime, _await reads its hello and checks
 * wire version and build, _place proves from /proc that all its threads are where the lane belongs (apart,
 * because a life that is timed has no time for it). On failure the child is killed and err says why;
 * -ETIMEDOUT is told as TG_NOT_READY "N s". */
#define TG_NOT_READY "not ready within "
int tg_sandbox_begin(struct tg_sandbox *s, const struct tg_lane *lane, const struct tg_ground *g,
	struct tg_err *err);

/* _begin in two: _prepare lays out the arena (in_steps: for create, start, delete apart; -ENOTSUP where the lane's
 * kind has no steps), _go spawns. */
int tg_sandbox_prepare(struct tg_sandbox *s, const struct tg_lane *lane, const struct tg_ground *g,
	bool in_steps, struct tg_err *err);
int tg_sandbox_go(struct tg_sandbox *s, const struct tg_lane *lane, struct tg_err *err);
int tg_sandbox_await(struct tg_sandbox *s, const struct tg_lane *lane, const struct tg_ground *g,
	uint64_t deadline_ns, struct tg_err *err);
int tg_sandbox_place(struct tg_sandbox *s, struct tg_err *err);

/*
 * One request, one answer. req->seq is filled in. Checks the answer's kind and number, and a turn's times
 * against the host's clock: they must lie between sending and receiving at one offset, and the rates
 * agree within 0.1 %. -EPROTO with "clock: …" where not.
 */
int tg_sandbox_ask(struct tg_sandbox *s, struct tg_request *req, uint64_t timeout_ns,
	struct tg_answer *answer, struct tg_err *err);

/* Tell it to quit (_tell), and see that nothing is left (_gone); _quit is both. */
int tg_sandbox_tell(struct tg_sandbox *s, struct tg_err *err);
int tg_sandbox_gone(struct tg_sandbox *s, struct tg_err *err);
int tg_sandbox_quit(struct tg_sandbox *s, struct tg_err *err);

#endif
