#include "host/turns.h"
#include "common/clock.h"
#include "host/order.h"
#include "host/proc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROUNDS_WHEN_SLOW 3

void tg_turns_fail(struct tg_player *p, const char *bench, const struct tg_err *err)
{
	p->failed = true;
	snprintf(p->reason, sizeof(p->reason), "in %.90s: %.150s", bench, err->msg);
	tg_child_kill(&p->box.child);
}

struct tg_sample tg_turns_sample(const struct tg_session_plan *plan, const struct tg_player *p,
	enum tg_stage stage)
{
	return (struct tg_sample){.session = plan->session, .block = plan->next_block, .lane = p->id,
		.cpus = (uint8_t)p->lane->cpus, .stage = (uint8_t)stage};
}

/* The longest silence of a lane: its start timeout, and what its turns are known to take. */
static uint64_t patience(const struct tg_player *p, const struct tg_item *item, size_t who)
{
	return p->lane->start_timeout_ms * 1000000ULL + 50 * item->turn_ns[who];
}

bool tg_turns_repeats_native(const struct tg_session_plan *plan, size_t who)
{
	for (size_t i = 0; i < who; i++)
		if (plan->players[i].lane->kind == TG_LANE_NATIVE &&
			plan->players[who].lane->kind == TG_LANE_NATIVE)
			return true;
	return false;
}

/* ---- BODY ---- */

/* One request in one lane; false when the lane failed. */
static bool ask(struct tg_session_plan *plan, size_t who, const struct tg_item *item, uint64_t warm_ops,
	uint64_t ops, uint32_t batches, struct tg_answer *a)
{
	struct tg_player *p = &plan->players[who];
	struct tg_request req = {.kind = TG_REQ_TURN, .warm_ops = warm_ops, .ops = ops, .batches = batches};
	struct tg_err err = {0};

	if (p->failed)
		return false;
	snprintf(req.bench, sizeof(req.bench), "%s", item->c.name);
	if (plan->inject.share > 0 && !strcmp(plan->inject.lane, p->lane->name) &&
		!strcmp(plan->inject.bench, item->c.name))
		req.inject_ppm = (uint32_t)(plan->inject.share * 1e6);
	if (tg_sandbox_ask(&p->box, &req, patience(p, item, who), a, &err) == 0)
		return true;
	tg_turns_fail(p, item->c.name, &err);
	return false;
}

/* The most ops of a sub-batch: of a turn's warm part and sub-batches together, a bench may set a bound. */
static uint64_t ops_max(const struct tg_case *c)
{
	uint64_t most = TG_WIRE_OPS_MAX;

	if (c->bench->turn_ops_max)
		most = c->bench->turn_ops_max / (TG_BATCHES + 1);
	if (c->bench->turn_bytes_max && c->param > 0 &&
		c->bench->turn_bytes_max / (uint64_t)c->param / (TG_BATCHES + 1) < most)
		most = c->bench->turn_bytes_max / (uint64_t)c->param / (TG_BATCHES + 1);
	return most ? most : 1;
}

#define CHEAP_NS     1000 /* two readings of a clock and a hundred steps of computing */
#define SETTLE_NS    (4 * TG_NS_PER_S)
#define SETTLE_STEP  20000000

/* Is a sub-batch of one step of the control as short as it should be? */
static bool clock_is_cheap(struct tg_session_plan *plan, size_t who)
{
	struct tg_answer a;
	uint64_t least = UINT64_MAX;

	if (!ask(plan, who, &plan->items[0], 0, 1, TG_BATCHES, &a) || a.error)
		return true; /* it has failed: nothing to wait for */
	for (uint32_t i = 0; i < a.batches; i++)
		if (a.batch[i].end_ns - a.batch[i].start_ns < least)
			least = a.batch[i].end_ns - a.batch[i].start_ns;
	return least <= CHEAP_NS;
}

void tg_turns_settle(struct tg_session_plan *plan)
{
	const struct timespec step = {.tv_nsec = SETTLE_STEP};
	uint64_t end = tg_now_ns() + SETTLE_NS;

	for (size_t i = 0; i < plan->player_count; i++)
		while (!clock_is_cheap(plan, i) && tg_now_ns() < end && !(plan->stop && *plan->stop))
			nanosleep(&step, NULL);
}

/* Find how many ops make a sub-batch of about TG_BATCH_NS. An op that fails leaves 1: its turns say why. */
static void calibrate(struct tg_session_plan *plan, size_t who, struct tg_item *item)
{
	const uint64_t target = item->c.bench->flags & TG_CONTROL ? TG_SPIN_NS : TG_BATCH_NS;
	uint64_t ops = 1, most = ops_max(&item->c);

	for (int tries = 0; tries < 24; tries++) {
		struct tg_answer a;
		uint64_t ns;

		if (!ask(plan, who, item, ops, ops, 1, &a) || a.error)
			break;
		ns = a.batch[0].end_ns - a.batch[0].start_ns;
		if (ns >= target / 2 || ops == most) {
			ops = ns ? ops * target / ns : ops;
			break;
		}
		ops *= ns > target / 100 ? (target + ns - 1) / ns : 32;
		ops = ops < most ? ops : most;
	}
	ops = ops < most ? ops : most;
	item->ops[who] = ops ? ops : 1;
}

/* Who shares one count, so that what is fixed in a turn weighs the same in both: the natives of one placement, and
 * a lane with the lane that it is compared with. */
static bool share_ops(const struct tg_player *a, const struct tg_player *b)
{
	bool natives = a->lane->kind == TG_LANE_NATIVE && b->lane->kind == TG_LANE_NATIVE;
	bool compared = (a->reference || b->reference) && a->lane->kind != TG_LANE_NATIVE &&
		b->lane->kind != TG_LANE_NATIVE;

	return a->lane->cpus == b->lane->cpus && (natives || compared);
}

static void settle_ops(struct tg_session_plan *plan, struct tg_item *item)
{
	for (size_t i = 0; i < plan->player_count; i++) {
		const struct tg_player *p = &plan->players[i];

		for (size_t j = 0; j < plan->player_count && !item->ops[i]; j++)
			if (share_ops(p, &plan->players[j]))
				item->ops[i] = item->ops[j];
		if (!item->ops[i] && !p->failed && item->c.bench->cpus <= p->lane->cpus)
			calibrate(plan, i, item);
	}
}

static int store(struct tg_session_plan *plan, const struct tg_item *item, size_t who, enum tg_stage stage,
	const struct tg_answer *a, struct tg_samples *samples)
{
	struct tg_sample s = tg_turns_sample(plan, &plan->players[who], stage);
	int rc;

	s.row = item->row;
	s.ops = item->ops[who];
	s.error = a->error;
	s.batches = (uint8_t)(a->error ? 1 : a->batches);
	for (uint32_t b = 0; b < a->batches; b++)
		s.ns[b] = a->batch[b].end_ns - a->batch[b].start_ns;
	rc = tg_samples_add(samples, &s);
	for (size_t p = 0; p < item->phase_count && rc == 0; p++) {
		s.row = item->phase_row[p];
		for (uint32_t b = 0; b < a->batches; b++)
			s.ns[b] = a->batch[b].phase_ns[p];
		rc = tg_samples_add(samples, &s);
	}
	return rc;
}

static int turn(struct tg_session_plan *plan, struct tg_item *item, size_t who, enum tg_stage stage,
	struct tg_samples *samples)
{
	struct tg_answer a;
	uint64_t start = tg_now_ns(), took;

	if (!ask(plan, who, item, item->ops[who], item->ops[who], TG_BATCHES, &a))
		return 0;
	took = tg_now_ns() - start;
	if (!item->turn_ns[who])
		item->turn_ns[who] = took;
	else if (took > 10 * item->turn_ns[who])
		item->cut = true;
	return store(plan, item, who, stage, &a, samples);
}

/* The players of one placement that this bench runs in: the reference first. 0 without a reference. */
static size_t group_of(const struct tg_session_plan *plan, const struct tg_item *item, int cpus,
	size_t out[TG_LANES_MAX])
{
	size_t n = 0;

	if (item->c.bench->cpus > cpus)
		return 0;
	for (int reference = 1; reference >= 0; reference--) {
		for (size_t i = 0; i < plan->player_count; i++)
			if (plan->players[i].lane->cpus == cpus && plan->players[i].reference == reference)
				out[n++] = i;
		if (n == 0)
			return 0;
	}
	return n;
}

/* N A N B N: every lane's turn stands between two of the reference, and neighbours share one. */
static int bracketed_round(struct tg_session_plan *plan, struct tg_item *item, const size_t *group,
	size_t count, size_t row, enum tg_stage stage, struct tg_samples *samples)
{
	size_t order[TG_LANES_MAX];
	int rc = turn(plan, item, group[0], stage, samples);

	tg_order_row(count - 1, row, order);
	for (size_t i = 0; i + 1 < count && rc == 0; i++) {
		size_t who = group[1 + order[i]];

		if (plan->players[who].failed)
			continue; /* its slot stays empty */
		rc = turn(plan, item, who, stage, samples);
		if (rc == 0)
			rc = turn(plan, item, group[0], stage, samples);
	}
	return rc;
}

static unsigned rounds_of(const struct tg_session_plan *plan, const struct tg_item *item)
{
	if (item->c.bench->flags & TG_CONTROL)
		return TG_SPIN_ROUNDS;
	return item->cut && plan->rounds > ROUNDS_WHEN_SLOW ? ROUNDS_WHEN_SLOW : plan->rounds;
}

int tg_turns_body(struct tg_session_plan *plan, struct tg_item *item, enum tg_stage stage,
	struct tg_samples *samples, struct tg_err *err)
{
	int most = 1;

	settle_ops(plan, item);
	item->cut = false;
	for (size_t i = 0; i < plan->player_count; i++)
		if (plan->players[i].lane->cpus > most)
			most = plan->players[i].lane->cpus;
	for (unsigned r = 0; r < rounds_of(plan, item); r++, plan->next_row++)
		for (int cpus = 1; cpus <= most; cpus++) {
			size_t group[TG_LANES_MAX];
			size_t n = group_of(plan, item, cpus, group);

			if (n && bracketed_round(plan, item, group, n, plan->seed + plan->next_row, stage, samples) < 0)
				return tg_err_set(err, ENOMEM, "out of memory for samples");
			if (plan->stop && *plan->stop)
				return 0;
		}
	return 0;
}

/* ---- GAUGE ---- */

#define IDLE_WINDOW_NS TG_NS_PER_S

static int read_gauge(enum tg_metric metric, pid_t pid, uint64_t *value, struct tg_err *err)
{
	return metric == TG_GAUGE_IDLE_CPU ? tg_proc_cpu_us(pid, value, err) : tg_proc_pss_kib(pid, value, err);
}

/* Bring the lane into the bench's state and read it once. */
static bool hold(struct tg_session_plan *plan, size_t who, const struct tg_item *item, uint64_t *value,
	int *error)
{
	struct tg_player *p = &plan->players[who];
	struct tg_request req = {.kind = TG_REQ_HOLD};
	struct tg_answer a;
	struct tg_err err = {0};

	if (p->failed || tg_turns_repeats_native(plan, who))
		return false;
	snprintf(req.bench, sizeof(req.bench), "%s", item->c.name);
	if (tg_sandbox_ask(&p->box, &req, patience(p, item, who), &a, &err) == 0 &&
		(a.error || read_gauge(item->c.bench->metric, p->box.child.pid, value, &err) == 0)) {
		*error = a.error;
		return true;
	}
	tg_turns_fail(p, item->c.name, &err);
	return false;
}

/* A counter is read a second time, all lanes over one window. */
static bool read_again(struct tg_player *p, const struct tg_item *item, uint64_t *value)
{
	uint64_t first = *value;
	struct tg_err err = {0};

	if (read_gauge(item->c.bench->metric, p->box.child.pid, value, &err) < 0) {
		tg_turns_fail(p, item->c.name, &err);
		return false;
	}
	*value = *value > first ? *value - first : 0;
	return true;
}

int tg_turns_gauge(struct tg_session_plan *plan, struct tg_item *item, enum tg_stage stage,
	struct tg_samples *samples, struct tg_err *err)
{
	const struct timespec window = {.tv_sec = IDLE_WINDOW_NS / TG_NS_PER_S};
	bool counter = item->c.bench->metric == TG_GAUGE_IDLE_CPU;
	uint64_t values[TG_LANES_MAX] = {0};
	bool held[TG_LANES_MAX];
	int errors[TG_LANES_MAX] = {0};

	for (size_t i = 0; i < plan->player_count; i++)
		held[i] = hold(plan, i, item, &values[i], &errors[i]);
	if (counter)
		nanosleep(&window, NULL);
	for (size_t i = 0; i < plan->player_count; i++) {
		struct tg_sample s = tg_turns_sample(plan, &plan->players[i], stage);

		if (!held[i] || (counter && !read_again(&plan->players[i], item, &values[i])))
			continue;
		s.row = item->row;
		s.ops = s.batches = 1;
		s.ns[0] = values[i];
		s.error = errors[i];
		if (tg_samples_add(samples, &s) < 0)
			return tg_err_set(err, ENOMEM, "out of memory for samples");
	}
	return 0;
}
