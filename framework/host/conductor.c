#include "host/conductor.h"
#include "common/clock.h"
#include "host/order.h"
#include "host/turns.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static void fail_player(struct tg_player *p, const struct tg_err *err)
{
	p->failed = true;
	snprintf(p->reason, sizeof(p->reason), "%s", err->msg);
	tg_child_kill(&p->box.child);
}

static uint64_t start_deadline(const struct tg_player *p)
{
	return p->started_ns + p->lane->start_timeout_ms * 1000000ULL;
}

/* Wait until a pending player has something to say or is past its deadline; NULL: none is pending. */
static struct tg_player *next_to_speak(struct tg_session_plan *plan, const bool *pending)
{
	for (;;) {
		struct pollfd fds[TG_LANES_MAX];
		uint64_t now = tg_now_ns(), deadline = UINT64_MAX;
		bool any = false;

		for (size_t i = 0; i < plan->player_count; i++) {
			uint64_t due = start_deadline(&plan->players[i]);

			fds[i] = (struct pollfd){.fd = pending[i] ? plan->players[i].box.child.out : -1,
				.events = POLLIN};
			if (!pending[i])
				continue;
			any = true;
			if (due <= now)
				return &plan->players[i];
			deadline = due < deadline ? due : deadline;
		}
		if (!any)
			return NULL;
		poll(fds, plan->player_count, (int)((deadline - now) / 1000000) + 1);
		for (size_t i = 0; i < plan->player_count; i++)
			if (fds[i].revents)
				return &plan->players[i];
	}
}

/* Fresh sandboxes in every lane that still plays, coming up side by side. */
static void start_all(struct tg_session_plan *plan)
{
	bool pending[TG_LANES_MAX] = {false};
	struct tg_player *p;
	struct tg_err err;

	for (size_t i = 0; i < plan->player_count; i++) {
		p = &plan->players[i];
		err = (struct tg_err){0};
		p->started_ns = tg_now_ns();
		if (!p->failed && tg_sandbox_begin(&p->box, p->lane, &plan->ground, &err) < 0)
			fail_player(p, &err);
		pending[i] = !p->failed;
	}
	while ((p = next_to_speak(plan, pending))) {
		pending[p - plan->players] = false;
		err = (struct tg_err){0};
		if (tg_sandbox_await(&p->box, p->lane, &plan->ground, start_deadline(p), &err) < 0 ||
			tg_sandbox_place(&p->box, &err) < 0)
			fail_player(p, &err);
		else
			p->started = true;
	}
}

static void stop_all(struct tg_session_plan *plan)
{
	for (size_t i = 0; i < plan->player_count; i++) {
		struct tg_player *p = &plan->players[i];
		struct tg_err err = {0};

		p->timed_ns += p->box.timed_ns;
		p->warm_ns += p->box.warm_ns;
		p->turn_ns += p->box.turn_ns;
		p->box.timed_ns = p->box.warm_ns = p->box.turn_ns = 0;
		if (p->failed || p->box.child.pid <= 0)
			continue;
		if (tg_sandbox_quit(&p->box, &err) < 0)
			fail_player(p, &err);
	}
}

size_t tg_conductor_try(struct tg_session_plan *plan)
{
	size_t ready = 0;

	start_all(plan);
	stop_all(plan);
	for (size_t i = 0; i < plan->player_count && plan->player_count > 1; i++) {
		struct tg_session_plan alone = *plan;

		if (strncmp(plan->players[i].reason, TG_NOT_READY, strlen(TG_NOT_READY)) != 0)
			continue;
		alone.players = &plan->players[i];
		alone.player_count = 1;
		plan->players[i].failed = false;
		plan->players[i].reason[0] = '\0';
		start_all(&alone);
		stop_all(&alone);
	}
	for (size_t i = 0; i < plan->player_count; i++)
		ready += !plan->players[i].failed;
	return ready;
}

/* Without its reference a lane says nothing. */
static int check_references(const struct tg_session_plan *plan, struct tg_err *err)
{
	for (size_t i = 0; i < plan->player_count; i++)
		if (plan->players[i].reference && plan->players[i].failed)
			return tg_err_set(err, EIO, "lane %s failed: %.180s", plan->players[i].lane->name,
				plan->players[i].reason);
	return 0;
}

static int stopped(const struct tg_session_plan *plan, struct tg_err *err)
{
	if (plan->stop && *plan->stop)
		return tg_err_set(err, EINTR, "stopped by signal %d", *plan->stop);
	return 0;
}

static int run_item(struct tg_session_plan *plan, struct tg_item *item, enum tg_stage stage,
	struct tg_samples *samples, struct tg_err *err)
{
	switch (item->c.bench->kind) {
	case TG_BODY:
		return tg_turns_body(plan, item, stage, samples, err);
	case TG_GAUGE:
		return tg_turns_gauge(plan, item, stage, samples, err);
	case TG_LIFE:
		return 0; /* all together, once the block's own sandboxes are gone */
	}
	return tg_err_set(err, EINVAL, "bench `%s` is of no known kind", item->c.name);
}

static bool wanted(const struct tg_session_plan *plan, const bool *use, size_t i)
{
	return use ? use[i] : !plan->items[i].left_out;
}

static int run_items(struct tg_session_plan *plan, enum tg_stage stage, const bool *use,
	struct tg_samples *samples, struct tg_err *err)
{
	size_t done = 0, of = 0;
	int rc = 0;

	for (size_t i = 0; i < plan->item_count; i++)
		of += wanted(plan, use, i);
	for (size_t i = 0; i < plan->item_count && rc == 0; i++) {
		struct tg_item *item = &plan->items[i];
		uint64_t start = tg_now_ns();

		if (!wanted(plan, use, i))
			continue;
		rc = run_item(plan, item, stage, samples, err);
		item->spent_ns += tg_now_ns() - start;
		if (rc == 0)
			rc = check_references(plan, err);
		if (rc == 0)
			rc = stopped(plan, err);
		if (plan->progress)
			plan->progress(plan->arg, item, ++done, of);
	}
	return rc;
}

static bool wants(const struct tg_session_plan *plan, const bool *use, enum tg_kind kind)
{
	for (size_t i = 1; i < plan->item_count; i++) /* 0 is the control */
		if (wanted(plan, use, i) && plan->items[i].c.bench->kind == kind)
			return true;
	return false;
}

static void kill_all(struct tg_session_plan *plan)
{
	for (size_t i = 0; i < plan->player_count; i++)
		tg_child_kill(&plan->players[i].box.child);
}

int tg_conductor_block(struct tg_session_plan *plan, enum tg_stage stage, const bool *use,
	struct tg_samples *samples, struct tg_err *err)
{
	uint64_t start = tg_now_ns();
	int rc;

	start_all(plan);
	rc = check_references(plan, err);
	if (rc == 0 && wants(plan, use, TG_BODY))
		tg_turns_settle(plan);
	if (rc == 0)
		rc = run_items(plan, stage, use, samples, err);
	if (rc == 0)
		stop_all(plan);
	else
		kill_all(plan);
	if (rc == 0 && wants(plan, use, TG_LIFE))
		rc = tg_turns_lives(plan, use, stage, samples, err);
	if (rc == 0)
		rc = check_references(plan, err);
	plan->next_block++;
	plan->wall_ns += tg_now_ns() - start;
	return rc;
}
