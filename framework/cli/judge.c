#include "cli/judge.h"
#include "verdict/estimate.h"
#include "verdict/stats.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct blocks {
	struct tg_block *v;
	size_t count;
};

static int lane_index(const struct tg_work *w, const char *name)
{
	for (size_t i = 0; i < w->samples.lane_count; i++)
		if (!strcmp(w->samples.lanes[i], name))
			return (int)i;
	return -1;
}

/* What each row is divided by. In `compare` that is lane A, for all rows that are ratios. */
static struct tg_row_policy policy_of(const struct tg_work *w, const struct tg_bench *bench)
{
	const char *name = w->o->a && bench->ref != TG_REF_NONE ? w->o->a
		: bench->ref == TG_REF_NATIVE			? "native"
		: bench->ref == TG_REF_RUNC			? "runc"
								: "";
	int lane = lane_index(w, name);

	if (w->o->a && lane < 0 && !strncmp(name, "native", 6))
		lane = lane_index(w, "native");
	return (struct tg_row_policy){.ref_lane = lane < 0 ? TG_NO_LANE : (uint16_t)lane,
		.any_cpus = bench->kind == TG_LIFE};
}

/* One block more for each block in which both levels were measured: how much dearer the far one is. */
static int grow(const struct tg_item *item, struct blocks *all)
{
	size_t count = all->count;
	struct tg_block *more;

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < count && all->v[i].row == item->row; k++) {
			const struct tg_block *to = &all->v[i], *from = &all->v[k];
			struct tg_block b = *to;

			if (from->row != item->growth_from || from->lane != to->lane || from->cpus != to->cpus ||
				from->session != to->session || from->block != to->block)
				continue;
			b.row = item->growth_row;
			b.y = to->y - from->y;
			b.cost = to->cost / from->cost;
			b.error = to->error ? to->error : from->error;
			more = realloc(all->v, (all->count + 1) * sizeof(*more));
			if (!more)
				return -ENOMEM;
			all->v = more;
			all->v[all->count++] = b;
		}
	return 0;
}

static int estimate(const struct tg_work *w, struct blocks *out, struct tg_err *err)
{
	tg_autofree struct tg_row_policy *rows = calloc(w->samples.row_count, sizeof(*rows));

	if (!rows)
		return tg_err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < w->plan.item_count; i++) {
		const struct tg_item *item = &w->items[i];

		rows[item->row] = policy_of(w, item->c.bench);
		for (size_t p = 0; p < item->phase_count; p++)
			rows[item->phase_row[p]] = rows[item->row];
	}
	if (tg_estimate(w->samples.v, w->samples.count, rows, w->samples.row_count, &out->v, &out->count) < 0)
		return tg_err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < w->plan.item_count; i++)
		if (w->items[i].grows && grow(&w->items[i], out) < 0) {
			free(out->v);
			return tg_err_set(err, ENOMEM, "out of memory");
		}
	return 0;
}

static bool belongs(const struct tg_work *w, const struct tg_block *b, uint16_t row,
	const struct tg_player *p, enum tg_stage stage)
{
	return b->row == row && b->lane == p->id && b->cpus == p->lane->cpus && b->stage == stage &&
		b->session == w->plan.session;
}

/* Gather one row in one lane. */
static int gather(const struct tg_work *w, const struct blocks *all, uint16_t row,
	const struct tg_player *p, enum tg_stage stage, struct tg_result *out, int *error)
{
	double mads[1024];
	size_t n = 0;

	for (size_t i = 0; i < all->count; i++)
		n += belongs(w, &all->v[i], row, p, stage);
	out->y = calloc(n + 1, sizeof(double));
	out->cost = calloc(n + 1, sizeof(double));
	if (!out->y || !out->cost)
		return -ENOMEM;
	for (size_t i = 0; i < all->count; i++) {
		const struct tg_block *b = &all->v[i];

		if (!belongs(w, b, row, p, stage))
			continue;
		if (b->error && !*error)
			*error = b->error;
		if (out->blocks < TG_ARRAY_SIZE(mads))
			mads[out->blocks] = b->mad;
		out->y[out->blocks] = b->y;
		out->cost[out->blocks++] = b->cost;
		if (b->rounds > out->rounds)
			out->rounds = b->rounds;
	}
	out->mad = tg_median(mads, n < TG_ARRAY_SIZE(mads) ? n : TG_ARRAY_SIZE(mads));
	return 0;
}

static double median_cost(const struct tg_work *w, const struct blocks *all, uint16_t row, uint16_t lane, int cpus)
{
	double costs[1024];
	size_t n = 0;

	for (size_t i = 0; i < all->count && n < TG_ARRAY_SIZE(costs); i++)
		if (all->v[i].row == row && all->v[i].lane == lane && all->v[i].stage == TG_STAGE_SCREEN &&
			all->v[i].session == w->plan.session && (cpus == 0 || all->v[i].cpus == cpus) && isfinite(all->v[i].cost))
			costs[n++] = all->v[i].cost;
	return tg_median(costs, n);
}

__attribute__((format(printf, 3, 4))) static void decide(struct tg_result *r, enum tg_verdict_kind kind,
	const char *fmt, ...)
{
	va_list ap;

	r->judged = true;
	r->verdict.kind = kind;
	va_start(ap, fmt);
	vsnprintf(r->verdict.reason, sizeof(r->verdict.reason), fmt, ap);
	va_end(ap);
}

/* Does the lane do what the machine does where no kernel is asked? */
static double control_of(const struct tg_work *w, const struct blocks *all, const struct tg_player *p)
{
	struct tg_result r = {0};
	double hl = NAN;
	int error = 0;

	if (gather(w, all, w->items[0].row, p, TG_STAGE_SCREEN, &r, &error) == 0)
		hl = tg_hodges_lehmann(r.y, r.blocks);
	free(r.y);
	free(r.cost);
	return hl;
}

static double tolerance_of(const struct tg_work *w, const struct tg_bench *bench,
	const struct tg_baseline_row *row)
{
	if (w->o->tolerance > 0 && bench->ref != TG_REF_NONE)
		return w->o->tolerance;
	if (row && row->tolerance > 0)
		return row->tolerance;
	return bench->tolerance > 0 ? bench->tolerance : TG_POLICY_DEFAULT.tolerance;
}

static struct tg_policy gate_policy(const struct tg_work *w, const struct tg_result *r, bool absolute)
{
	struct tg_policy policy = TG_POLICY_DEFAULT;

	policy.tolerance = r->tolerance;
	policy.absolute = absolute;
	for (size_t i = 0; !absolute && w->baseline && i < w->baseline->moderation_count; i++)
		if (!strcmp(w->baseline->moderation[i].lane, r->lane)) {
			policy.d0 = w->baseline->moderation[i].d0;
			policy.s02 = w->baseline->moderation[i].s02;
		}
	return policy;
}

static int judge_against(const struct tg_work *w, const struct tg_baseline_row *row, bool absolute,
	struct tg_result *r)
{
	struct tg_policy policy = gate_policy(w, r, absolute);
	tg_autofree struct tg_session *base = calloc(row->session_count + 1, sizeof(*base));
	size_t n = 0;

	if (!base)
		return -ENOMEM;
	for (size_t i = 0; i < row->session_count; i++)
		if (row->sessions[i].blocks)
			base[n++] = (struct tg_session){row->sessions[i].y, row->sessions[i].blocks};
	tg_gate_judge(base, n, (struct tg_session){r->y, r->blocks}, &policy, &r->verdict);
	r->judged = true;
	return 0;
}

/* B against A: ratios are divided by A already, absolute costs are subtracted block by block. */
static void judge_compare(const struct tg_work *w, const struct blocks *all, uint16_t row, bool absolute,
	struct tg_result *r)
{
	struct tg_policy policy = TG_POLICY_DEFAULT;

	policy.tolerance = r->tolerance;
	policy.absolute = absolute;
	if (absolute)
		for (size_t i = 0, n = 0; i < all->count && n < r->blocks; i++)
			for (size_t p = 0; p < w->plan.player_count; p++)
				if (!strcmp(w->players[p].lane->name, w->o->a) &&
					belongs(w, &all->v[i], row, &w->players[p], TG_STAGE_SCREEN))
					r->y[n++] -= all->v[i].cost;
	tg_gate_compare((struct tg_session){r->y, r->blocks}, &policy, &r->verdict);
	r->judged = true;
}

static int judge_one(const struct tg_work *w, const struct blocks *all, const struct tg_item *item,
	uint16_t row, const struct tg_player *p, int error, struct tg_result *r)
{
	const struct tg_bench *bench = item->c.bench;
	const struct tg_baseline_row *base =
		w->baseline ? tg_baseline_find(w->baseline, r->bench, r->lane) : NULL;
	bool absolute = bench->ref == TG_REF_NONE;
	bool expected = tg_work_expects(w, p);
	double control = bench->kind == TG_BODY ? control_of(w, all, p) : 0;

	r->tolerance = tolerance_of(w, bench, base);
	if (p->reference || (!r->blocks && p->lane->kind == TG_LANE_NATIVE) || (bench->ref == TG_REF_RUNC && !w->o->a && !strcmp(p->lane->name, "runc")) ||
		(p->lane->kind == TG_LANE_NATIVE && bench->kind != TG_BODY) ||
		(w->o->a && strcmp(p->lane->name, w->o->b) != 0))
		return 0; /* shown, not judged */
	if (p->failed)
		decide(r, expected ? TG_ERROR : TG_SKIPPED, "%.150s", p->reason);
	else if (error)
		decide(r, base ? TG_ERROR : TG_SKIPPED, "the operation fails: %s", strerror(error));
	else if (item->left_out)
		decide(r, TG_INCONCLUSIVE, "left out: does not fit the budget");
	else if (fabs(control) > log1p(TG_POLICY_DEFAULT.tolerance))
		decide(r, TG_INCONCLUSIVE, "control: pure computing is %.2fx native in this lane", exp(control));
	else if (w->o->a)
		judge_compare(w, all, row, absolute, r);
	else if (!base)
		return 0;
	else if (base->rev != bench->rev)
		decide(r, TG_INCONCLUSIVE, "rebaseline: rev of the bench was %d, is %d", base->rev, bench->rev);
	else if (base->cpus != p->lane->cpus)
		decide(r, TG_INCONCLUSIVE, "rebaseline: placement was %d CPUs, is %d", base->cpus, p->lane->cpus);
	else
		return judge_against(w, base, absolute, r);
	return 0;
}

static int add_result(const struct tg_work *w, const struct blocks *all, const struct tg_item *item,
	uint16_t row, const struct tg_player *p, struct tg_results *out)
{
	struct tg_result *r = &out->v[out->count];
	const struct tg_row_policy policy = policy_of(w, item->c.bench);
	size_t who = (size_t)(p - w->players);
	int error = 0, rc;

	*r = (struct tg_result){.source = item->c.bench->source, .cpus = p->lane->cpus,
		.batches = item->c.bench->kind == TG_BODY ? TG_BATCHES : 1, .ops = item->ops[who]};
	r->ops += r->ops == 0;
	snprintf(r->bench, sizeof(r->bench), "%s", w->samples.rows[row].name);
	snprintf(r->unit, sizeof(r->unit), "%s", w->samples.rows[row].unit);
	snprintf(r->lane, sizeof(r->lane), "%s", p->lane->name);
	snprintf(r->ref, sizeof(r->ref), "%s",
		policy.ref_lane == TG_NO_LANE ? "none" : w->samples.lanes[policy.ref_lane]);
	r->verdict.p_confirm = NAN;
	rc = gather(w, all, row, p, TG_STAGE_SCREEN, r, &error);
	out->count++;
	if (rc < 0)
		return rc;
	r->native = policy.ref_lane == TG_NO_LANE
		? NAN
		: median_cost(w, all, row, policy.ref_lane, policy.any_cpus ? 0 : p->lane->cpus);
	r->null_control = !w->o->a && !strcmp(p->lane->name, "null") && !strcmp(r->ref, "native");
	return judge_one(w, all, item, row, p, error, r);
}

/* Native against native: where even that is off, nothing else can be said of the bench. */
static int apply_null(struct tg_results *r)
{
	tg_autofree struct tg_session *nulls = calloc(r->count + 1, sizeof(*nulls));
	tg_autofree size_t *at = calloc(r->count + 1, sizeof(*at));
	tg_autofree bool *off = calloc(r->count + 1, sizeof(*off));
	size_t n = 0, proved;

	if (!nulls || !at || !off)
		return -ENOMEM;
	for (size_t i = 0; i < r->count; i++)
		if (r->v[i].null_control && r->v[i].blocks) {
			nulls[n] = (struct tg_session){r->v[i].y, r->v[i].blocks};
			at[n++] = i;
		}
	proved = tg_gate_null(nulls, n, r->tolerance, off);
	if (n && (double)proved > 0.05 * (double)n) {
		r->is_void = true;
		snprintf(r->void_reason, sizeof(r->void_reason),
			"native against native differs beyond the tolerance in %zu of %zu benches", proved, n);
	}
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; off[k] && i < r->count; i++)
			if (!strcmp(r->v[i].bench, r->v[at[k]].bench) && r->v[i].judged && i != at[k] &&
				r->v[i].verdict.kind <= TG_IMPROVED)
				decide(&r->v[i], TG_INCONCLUSIVE, "null: native against native is %.3fx here",
					exp(tg_hodges_lehmann(nulls[k].y, nulls[k].blocks)));
	return 0;
}

/* Not every bench is of every lane: some want more CPUs; and a lane that never came up and that nobody asked
 * for has no rows: the line of lanes says why. */
static bool belongs_here(const struct tg_work *w, const struct tg_item *item, const struct tg_player *p)
{
	if (p->failed && !p->started && !tg_work_expects(w, p))
		return false;
	return item->c.bench->cpus <= p->lane->cpus;
}

int tg_judge(const struct tg_work *w, struct tg_results *r, struct tg_err *err)
{
	struct blocks all = {0};
	tg_autofree struct tg_block *owned = NULL;
	size_t rows = 0;
	int rc = estimate(w, &all, err);

	if (rc < 0)
		return rc;
	owned = all.v;
	for (size_t i = 1; i < w->plan.item_count; i++)
		rows += 1 + w->items[i].phase_count + w->items[i].grows;
	r->tolerance = w->o->tolerance > 0 ? w->o->tolerance : TG_POLICY_DEFAULT.tolerance;
	r->v = calloc(rows * w->plan.player_count + 1, sizeof(*r->v));
	if (!r->v)
		return tg_err_set(err, ENOMEM, "out of memory");
	for (size_t i = 1; i < w->plan.item_count && rc == 0; i++) /* 0 is the control */
		for (size_t p = 0; p < w->plan.player_count && rc == 0; p++) {
			const struct tg_item *item = &w->items[i];

			if (!belongs_here(w, item, &w->players[p]))
				continue;
			rc = add_result(w, &all, item, item->row, &w->players[p], r);
			for (size_t k = 0; k < item->phase_count && rc == 0; k++)
				rc = add_result(w, &all, item, item->phase_row[k], &w->players[p], r);
			if (item->grows && rc == 0)
				rc = add_result(w, &all, item, item->growth_row, &w->players[p], r);
		}
	if (rc == 0)
		rc = apply_null(r);
	return rc < 0 ? tg_err_set(err, ENOMEM, "out of memory") : 0;
}

/* ---- confirm ---- */

static bool flagged(const struct tg_result *r)
{
	return r->judged && !r->null_control && r->verdict.kind == TG_REGRESSED &&
		r->verdict.role == TG_ROLE_GATE;
}

static const struct tg_item *item_of(const struct tg_work *w, const struct tg_result *r)
{
	for (size_t i = 0; i < w->plan.item_count; i++) {
		const struct tg_item *item = &w->items[i];

		if (!strcmp(w->samples.rows[item->row].name, r->bench) ||
			(item->grows && !strcmp(w->samples.rows[item->growth_row].name, r->bench)))
			return item;
		for (size_t k = 0; k < item->phase_count; k++)
			if (!strcmp(w->samples.rows[item->phase_row[k]].name, r->bench))
				return item;
	}
	return NULL;
}

size_t tg_judge_flagged(const struct tg_work *w, const struct tg_results *r, bool *use)
{
	size_t n = 0;

	memset(use, 0, w->plan.item_count * sizeof(*use));
	for (size_t i = 0; i < r->count; i++)
		if (flagged(&r->v[i])) {
			use[item_of(w, &r->v[i]) - w->items] = true;
			n++;
		}
	return n;
}

static int judge_again(const struct tg_work *w, const struct blocks *all, const struct tg_result *r,
	struct tg_verdict *again)
{
	const struct tg_item *item = item_of(w, r);
	const struct tg_baseline_row *base = tg_baseline_find(w->baseline, r->bench, r->lane);
	struct tg_result fresh = *r;
	int error = 0, row = -1, rc = 0;

	for (size_t i = 0; i < w->samples.row_count; i++)
		if (!strcmp(w->samples.rows[i].name, r->bench))
			row = (int)i;
	fresh.y = fresh.cost = NULL;
	fresh.blocks = 0;
	fresh.judged = false;
	for (size_t p = 0; p < w->plan.player_count && rc == 0; p++)
		if (!strcmp(w->players[p].lane->name, r->lane) && !w->players[p].failed)
			rc = gather(w, all, (uint16_t)row, &w->players[p], TG_STAGE_CONFIRM, &fresh, &error);
	if (rc == 0 && fresh.blocks && !error)
		rc = judge_against(w, base, item->c.bench->ref == TG_REF_NONE, &fresh);
	free(fresh.y);
	free(fresh.cost);
	*again = fresh.verdict;
	return rc < 0 ? rc : fresh.judged;
}

int tg_judge_confirm(const struct tg_work *w, struct tg_results *r, struct tg_err *err)
{
	struct blocks all = {0};
	tg_autofree struct tg_block *owned = NULL;
	tg_autofree struct tg_verdict *screen = calloc(r->count + 1, sizeof(*screen));
	tg_autofree struct tg_verdict *again = calloc(r->count + 1, sizeof(*again));
	tg_autofree const struct tg_verdict **known = calloc(r->count + 1, sizeof(*known));
	tg_autofree size_t *at = calloc(r->count + 1, sizeof(*at));
	size_t n = 0;

	if (!screen || !again || !known || !at)
		return tg_err_set(err, ENOMEM, "out of memory");
	if (estimate(w, &all, err) < 0)
		return -err->code;
	owned = all.v;
	for (size_t i = 0; i < r->count; i++) {
		int rc;

		if (!flagged(&r->v[i]))
			continue;
		rc = judge_again(w, &all, &r->v[i], &again[n]);
		if (rc < 0)
			return tg_err_set(err, ENOMEM, "out of memory");
		known[n] = rc ? &again[n] : NULL;
		screen[n] = r->v[i].verdict;
		at[n++] = i;
	}
	if (tg_gate_confirm(screen, known, n, TG_POLICY_DEFAULT.alpha) < 0)
		return tg_err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		r->v[at[i]].verdict = screen[i];
	return 0;
}

enum tg_exit tg_judge_exit(const struct tg_work *w, const struct tg_results *r)
{
	size_t judged = 0, red = 0, open = 0;

	if (r->is_void)
		return TG_EXIT_VOID;
	for (size_t i = 0; i < r->count; i++) {
		const struct tg_verdict *v = &r->v[i].verdict;
		bool gate = v->role == TG_ROLE_GATE;

		if (!r->v[i].judged || r->v[i].null_control)
			continue;
		red += v->kind == TG_ERROR || (v->kind == TG_REGRESSED && gate);
		judged += v->kind == TG_PASS || v->kind == TG_IMPROVED || v->kind == TG_REGRESSED;
		open += v->kind == TG_INCONCLUSIVE && gate;
	}
	if (red || (w->o->strict && (open || w->unknown_benches || !w->baseline)))
		return TG_EXIT_REGRESSED;
	return judged ? TG_EXIT_OK : TG_EXIT_NOTHING;
}

int tg_judge_record(const struct tg_work *w, const struct tg_results *r, struct tg_baseline *b,
	const char *session_id, struct tg_err *err)
{
	const char *boot = tg_machine_fact(&w->machine, "boot_id");

	for (size_t i = 0; i < r->count; i++) {
		const struct tg_result *res = &r->v[i];
		const struct tg_item *item = item_of(w, res);
		struct tg_baseline_row like = {.cpus = res->cpus, .ops = res->ops, .rev = item->c.bench->rev,
			.tolerance = res->tolerance, .real_time = tg_median(res->cost, res->blocks)};
		struct tg_baseline_session s = {.mad = res->mad, .rounds = res->rounds, .y = res->y};

		if (!isfinite(like.real_time))
			continue;
		while (s.blocks < res->blocks && isfinite(res->y[s.blocks]))
			s.blocks++;
		if (s.blocks < res->blocks)
			s.blocks = 0; /* the reference itself: a cost, and nothing to compare it with */
		s.mad = isfinite(s.mad) ? s.mad : 0;
		snprintf(like.bench, sizeof(like.bench), "%s", res->bench);
		snprintf(like.lane, sizeof(like.lane), "%s", res->lane);
		snprintf(like.ref, sizeof(like.ref), "%s", res->ref);
		snprintf(like.unit, sizeof(like.unit), "%s", res->unit);
		snprintf(s.id, sizeof(s.id), "%s", session_id);
		snprintf(s.date, sizeof(s.date), "%s", r->date);
		snprintf(s.boot, sizeof(s.boot), "%s", boot ? boot : "unknown");
		int rc = tg_baseline_add(b, &like, &s);

		if (rc < 0)
			return tg_err_set(err, -rc, "%s in %s, session %s: %s", like.bench, like.lane, s.id,
				strerror(-rc));
	}
	return 0;
}
