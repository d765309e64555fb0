/* LIFE benches: whole sandboxes on the host's clock. */
#include "host/turns.h"
#include "common/clock.h"
#include "host/order.h"

#include <errno.h>
#include <string.h>

#define CHURN_MAX 16

/* The ways to live one life; each gives its own metrics. */
enum way { PLAIN, STEPS, CHURN };

static enum way way_of(enum tg_metric metric)
{
	switch (metric) {
	case TG_LIFE_CREATE:
	case TG_LIFE_START:
	case TG_LIFE_EXIT:
	case TG_LIFE_DELETE:
		return STEPS;
	case TG_LIFE_CHURN:
		return CHURN;
	default:
		return PLAIN;
	}
}

static uint64_t deadline_of(const struct tg_lane *lane)
{
	return tg_now_ns() + lane->start_timeout_ms * 1000000ULL;
}

/* Live `count` lives at once; *life spans them: from the first spawn to when the last is gone. */
static int live(const struct tg_session_plan *plan, const struct tg_lane *lane, bool in_steps, size_t count,
	struct tg_life *life, struct tg_err *err)
{
	struct tg_sandbox boxes[CHURN_MAX] = {0};
	uint64_t deadline = deadline_of(lane);
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i++)
		rc = tg_sandbox_prepare(&boxes[i], lane, &plan->ground, in_steps, err);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = tg_sandbox_go(&boxes[i], lane, err);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = tg_sandbox_await(&boxes[i], lane, &plan->ground, deadline, err);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = tg_sandbox_tell(&boxes[i], err);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = tg_sandbox_gone(&boxes[i], err);
	*life = boxes[0].child.life;
	for (size_t i = 0; i < count; i++) {
		const struct tg_life *one = &boxes[i].child.life;

		if (one->spawn_ns < life->spawn_ns)
			life->spawn_ns = one->spawn_ns;
		if (one->gone_ns > life->gone_ns)
			life->gone_ns = one->gone_ns;
		tg_child_kill(&boxes[i].child);
	}
	return rc;
}

static uint64_t span(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

static uint64_t metric_of(const struct tg_life *life, enum tg_metric metric)
{
	switch (metric) {
	case TG_LIFE_FIRST_BYTE:
		return span(life->spawn_ns, life->first_byte_ns);
	case TG_LIFE_CREATE:
		return span(life->spawn_ns, life->created_ns);
	case TG_LIFE_START:
		return span(life->created_ns, life->started_ns);
	case TG_LIFE_EXIT:
		return span(life->quit_ns, life->exit_ns);
	case TG_LIFE_DELETE:
		return span(life->exit_ns, life->gone_ns);
	default:
		return span(life->spawn_ns, life->gone_ns);
	}
}

static bool wanted(const struct tg_session_plan *plan, const bool *use, size_t i, enum way way)
{
	const struct tg_item *item = &plan->items[i];

	return item->c.bench->kind == TG_LIFE && (use ? use[i] : !item->left_out) &&
		way_of(item->c.bench->metric) == way;
}

static int store(struct tg_session_plan *plan, const struct tg_player *p, const struct tg_life *life,
	const bool *use, enum way way, int64_t param, enum tg_stage stage, struct tg_samples *samples)
{
	struct tg_sample s = tg_turns_sample(plan, p, stage);

	s.ops = s.batches = 1;
	for (size_t i = 0; i < plan->item_count; i++) {
		if (!wanted(plan, use, i, way) || (way == CHURN && plan->items[i].c.param != param))
			continue;
		s.row = plan->items[i].row;
		s.ns[0] = metric_of(life, plan->items[i].c.bench->metric);
		if (tg_samples_add(samples, &s) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* One life of the player in the item's way, for all items of that way. */
static int one_life(struct tg_session_plan *plan, struct tg_player *p, const struct tg_item *item,
	const bool *use, enum tg_stage stage, struct tg_samples *samples)
{
	enum way way = way_of(item->c.bench->metric);
	size_t count = way == CHURN ? (size_t)item->c.param : 1;
	struct tg_err err = {0};
	struct tg_life life;

	if (p->failed || (way == STEPS && p->lane->kind != TG_LANE_OCI))
		return 0;
	if (live(plan, p->lane, way == STEPS, count < CHURN_MAX ? count : CHURN_MAX, &life, &err) < 0) {
		tg_turns_fail(p, item->c.name, &err);
		return 0;
	}
	p->lives_ns += span(life.spawn_ns, life.gone_ns);
	return store(plan, p, &life, use, way, item->c.param, stage, samples);
}

/* All lanes, in the order of one row of the design. */
static int one_round(struct tg_session_plan *plan, const struct tg_item *item, const bool *use,
	enum tg_stage stage, struct tg_samples *samples)
{
	size_t order[TG_LANES_MAX];
	int rc = 0;

	tg_order_row(plan->player_count, plan->seed + plan->next_row++, order);
	for (size_t i = 0; i < plan->player_count && rc == 0 && !(plan->stop && *plan->stop); i++)
		if (!tg_turns_repeats_native(plan, order[i]))
			rc = one_life(plan, &plan->players[order[i]], item, use, stage, samples);
	return rc;
}

int tg_turns_lives(struct tg_session_plan *plan, const bool *use, enum tg_stage stage,
	struct tg_samples *samples, struct tg_err *err)
{
	bool done[CHURN] = {false};

	for (size_t i = 0; i < plan->item_count; i++) {
		enum way way = way_of(plan->items[i].c.bench->metric);

		if (!wanted(plan, use, i, way) || (way != CHURN && done[way]))
			continue;
		for (unsigned r = 0; r < TG_LIFE_ROUNDS; r++)
			if (one_round(plan, &plan->items[i], use, stage, samples) < 0)
				return tg_err_set(err, ENOMEM, "out of memory for samples");
		if (way != CHURN)
			done[way] = true; /* one life gives all metrics of its way */
		if (plan->stop && *plan->stop)
			return tg_err_set(err, EINTR, "stopped by signal %d", *plan->stop);
	}
	return 0;
}
