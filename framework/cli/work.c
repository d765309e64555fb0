#include "cli/work.h"
#include "common/clock.h"
#include "store/lanes_file.h"

#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

extern const char tg_builtin_lanes[];
extern const char tg_build_id[];

/* ---- lanes ---- */

int tg_work_lanes(struct tg_work *w, const struct tg_options *o, struct tg_err *err)
{
	int rc = tg_lanes_file_parse(tg_builtin_lanes, "built-in lanes", &w->lanes, err);

	w->o = o;
	if (rc == 0 && o->lanes_file)
		rc = tg_lanes_file_load(o->lanes_file, &w->lanes, err);
	for (size_t i = 0; i < o->override_count && rc == 0; i++)
		rc = tg_lanes_override(&w->lanes, o->overrides[i], err);
	return rc;
}

/* The natives of the placements are told apart by their CPUs; in samples they share one name. */
static bool is_native(const struct tg_lane *lane)
{
	return !strcmp(lane->name, "native") || !strncmp(lane->name, "native-", 7);
}

static struct tg_lane *native_of(struct tg_lanes *lanes, int cpus)
{
	for (size_t i = 0; i < lanes->count; i++)
		if (is_native(&lanes->v[i]) && lanes->v[i].cpus == cpus)
			return &lanes->v[i];
	return NULL;
}

static struct tg_player *add_player(struct tg_work *w, const struct tg_lane *lane)
{
	struct tg_player *p;

	for (size_t i = 0; i < w->plan.player_count; i++)
		if (w->players[i].lane == lane)
			return &w->players[i];
	p = &w->players[w->plan.player_count++];
	p->lane = lane;
	return p;
}

static int check_names(const struct tg_work *w, const char *list, struct tg_err *err)
{
	for (const char *at = list; at && *at;) {
		size_t len = strcspn(at, ",");
		char name[TG_LANE_NAME_MAX];

		snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : sizeof(name) - 1), at);
		if (!tg_lanes_find((struct tg_lanes *)&w->lanes, name))
			return tg_err_set(err, EINVAL, "unknown lane `%s`; `tollgate lanes` lists them", name);
		at += len + (at[len] == ',');
	}
	return 0;
}

static bool in_baseline(const struct tg_work *w, const char *bench, const char *lane)
{
	for (size_t i = 0; w->baseline && i < w->baseline->row_count; i++)
		if ((!bench || !strcmp(w->baseline->rows[i].bench, bench)) &&
			(!lane || !strcmp(w->baseline->rows[i].lane, lane)))
			return true;
	return false;
}

/* Without --lanes: the default ones, those put behind a name by --lane, and those that the baseline knows. */
static bool runs_unasked(const struct tg_work *w, const struct tg_lane *lane)
{
	return lane->by_default || (lane->overridden && !w->o->lanes_file) || in_baseline(w, NULL, lane->name);
}

/* The lanes of this run, each placement with its own native twin. In `compare` lane A is what B is divided by. */
static int choose_players(struct tg_work *w, struct tg_err *err)
{
	const struct tg_options *o = w->o;
	char pair[2 * TG_LANE_NAME_MAX + 2];
	const char *list = o->lanes;
	size_t chosen;
	int rc;

	if (o->a) {
		if (strlen(o->a) >= TG_LANE_NAME_MAX || strlen(o->b) >= TG_LANE_NAME_MAX)
			return tg_err_set(err, EINVAL, "unknown lane `%.80s`", o->a);
		snprintf(pair, sizeof(pair), "%s,%s", o->a, o->b);
		list = pair;
	}
	rc = check_names(w, list, err);
	if (rc < 0)
		return rc;
	w->players = calloc(TG_LANES_MAX, sizeof(*w->players));
	if (!w->players)
		return tg_err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < w->lanes.count; i++) {
		const struct tg_lane *lane = &w->lanes.v[i];

		if (list ? tg_list_has(list, lane->name) : runs_unasked(w, lane))
			add_player(w, lane);
	}
	chosen = w->plan.player_count; /* natives that are added for them follow */
	for (size_t i = 0; i < chosen; i++) {
		const struct tg_lane *native = native_of(&w->lanes, w->players[i].lane->cpus);

		if (!native)
			return tg_err_set(err, EINVAL, "lane `%s` runs on %d CPUs, and no native lane does",
				w->players[i].lane->name, w->players[i].lane->cpus);
		add_player(w, native)->reference = !o->a;
	}
	for (size_t i = 0; i < w->plan.player_count; i++)
		if (o->a && !strcmp(w->players[i].lane->name, o->a))
			w->players[i].reference = true;
	w->plan.players = w->players;
	return 0;
}

/* What was asked for by name must be there; what runs by default may be missing. */
static int check_runtimes(const struct tg_work *w, struct tg_err *err)
{
	for (size_t i = 0; i < w->plan.player_count; i++) {
		const struct tg_lane *lane = w->players[i].lane;
		char path[TG_PATH_MAX];

		if ((w->o->lanes || w->o->a || lane->overridden) && tg_lane_find_runtime(lane, path, err) < 0)
			return tg_err_wrap(err, "lane `%s`", lane->name);
	}
	return 0;
}

static int check_compare(const struct tg_work *w, struct tg_err *err)
{
	struct tg_lanes *lanes = (struct tg_lanes *)&w->lanes;
	const struct tg_lane *a, *b;
	char pa[TG_PATH_MAX], pb[TG_PATH_MAX];
	bool same;

	if (!w->o->a)
		return 0;
	a = tg_lanes_find(lanes, w->o->a);
	b = tg_lanes_find(lanes, w->o->b);
	if (a->cpus != b->cpus)
		return tg_err_set(err, EINVAL, "lanes `%s` and `%s` are placed on %d and %d CPUs: not comparable",
			a->name, b->name, a->cpus, b->cpus);
	tg_lane_find_runtime(a, pa, NULL); /* checked before */
	tg_lane_find_runtime(b, pb, NULL);
	same = a == b || (!strcmp(pa, pb) && a->arg_count == b->arg_count && !strcmp(a->probe, b->probe));
	for (size_t i = 0; same && i < a->arg_count; i++)
		same = !strcmp(a->args[i], b->args[i]);
	if (same && (a == b || !w->o->allow_same))
		return tg_err_set(err, EINVAL, "lanes `%s` and `%s` are the same program and flags%s", a->name,
			b->name, a == b ? "" : ": --allow-same compares them all the same");
	return 0;
}

/* ---- benches ---- */

static bool selected(const struct tg_work *w, const struct tg_case *c)
{
	const struct tg_options *o = w->o;

	if (c->bench->flags & TG_CONTROL)
		return true;
	if (!tg_list_has(o->suites, c->suite->name) || (o->bench && fnmatch(o->bench, c->name, 0) != 0))
		return false;
	return o->bench || ((o->full || !c->full) && (!o->quick || (c->bench->flags & TG_QUICK)));
}

static int check_suites(const struct tg_options *o, struct tg_err *err)
{
	for (const char *at = o->suites; at && *at;) {
		size_t len = strcspn(at, ",");
		bool found = false;

		for (size_t i = 0; i < tg_suite_count; i++)
			found |= strlen(tg_suites[i]->name) == len && !strncmp(tg_suites[i]->name, at, len);
		if (!found)
			return tg_err_set(err, EINVAL, "unknown suite `%.*s`; `tollgate suites` lists them",
				(int)(len < 60 ? len : 60), at);
		at += len + (at[len] == ',');
	}
	return 0;
}

static int add_rows(struct tg_work *w, struct tg_item *item, struct tg_err *err)
{
	const char *unit = item->c.bench->unit ? item->c.bench->unit : "ns";
	int row = tg_samples_row(&w->samples, item->c.name, unit);

	item->row = (uint16_t)row;
	for (; row >= 0 && item->phase_count < TG_PHASES_MAX && item->c.bench->phases[item->phase_count];
		item->phase_count++) {
		char name[TG_BENCH_NAME_MAX];

		tg_case_row(&item->c, item->c.bench->phases[item->phase_count], name);
		row = tg_samples_row(&w->samples, name, unit);
		item->phase_row[item->phase_count] = (uint16_t)row;
	}
	return row < 0 ? tg_err_set(err, -row, "row `%s`: %s", item->c.name, strerror(-row)) : 0;
}

/* "suite/bench/growth", once both of its parameters are in the run. */
static int add_growth(struct tg_work *w, struct tg_item *to, struct tg_err *err)
{
	char name[TG_BENCH_NAME_MAX];
	int row;

	for (size_t i = 0; i < w->plan.item_count; i++) {
		const struct tg_item *from = &w->items[i];

		if (from == to || from->c.bench != to->c.bench || from->c.place != to->c.place ||
			from->c.param != to->c.bench->growth[0] || to->c.param != to->c.bench->growth[1])
			continue;
		snprintf(name, sizeof(name), "%s", to->c.name);
		strcpy(strrchr(name, '/'), "/growth");
		row = tg_samples_row(&w->samples, name, "x");
		if (row < 0)
			return tg_err_set(err, -row, "row `%s`: %s", name, strerror(-row));
		to->grows = true;
		to->growth_row = (uint16_t)row;
		to->growth_from = from->row;
	}
	return 0;
}

static int choose_items(struct tg_work *w, struct tg_err *err)
{
	size_t count = tg_case_count(tg_suites, tg_suite_count);
	struct tg_case c;
	bool injected = w->o->inject.share == 0;

	if (check_suites(w->o, err) < 0)
		return -err->code;
	w->items = calloc(count, sizeof(*w->items));
	if (!w->items)
		return tg_err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; tg_case_at(tg_suites, tg_suite_count, i, &c); i++) {
		struct tg_item *item = &w->items[w->plan.item_count];

		if (!selected(w, &c))
			continue;
		/* against a baseline, what it does not know cannot be judged: it is counted, not measured */
		if (!strcmp(w->o->command, "check") && w->baseline && !w->o->suites && !w->o->bench &&
			!(c.bench->flags & TG_CONTROL) && !in_baseline(w, c.name, NULL)) {
			w->unknown_benches++;
			continue;
		}
		*item = (struct tg_item){.c = c};
		if (add_rows(w, item, err) < 0)
			return -err->code;
		injected |= !strcmp(c.name, w->o->inject.bench) && c.bench->kind == TG_BODY;
		w->plan.item_count++;
	}
	for (size_t i = 0; i < w->plan.item_count; i++)
		if (add_growth(w, &w->items[i], err) < 0)
			return -err->code;
	w->plan.items = w->items;
	if (w->plan.item_count < 2) /* the control alone */
		return tg_err_set(err, EINVAL, "no bench matches `%.80s`; `tollgate suites` lists them",
			w->o->bench ? w->o->bench : w->o->suites ? w->o->suites : "the baseline and the set");
	if (!injected)
		return tg_err_set(err, EINVAL, "--inject: no bench `%s` in this run, or it has no body",
			w->o->inject.bench);
	if (w->o->inject.share > 0 &&
		!tg_lanes_find(&w->lanes, w->o->inject.lane))
		return tg_err_set(err, EINVAL, "--inject: unknown lane `%s`", w->o->inject.lane);
	return 0;
}

static int name_lanes(struct tg_work *w, struct tg_err *err)
{
	for (size_t i = 0; i < w->plan.player_count; i++) {
		struct tg_player *p = &w->players[i];
		int id = tg_samples_lane(&w->samples, is_native(p->lane) ? "native" : p->lane->name);

		if (id < 0)
			return tg_err_set(err, -id, "lane `%s`: %s", p->lane->name, strerror(-id));
		p->id = (uint16_t)id;
	}
	return 0;
}

/* ---- files ---- */

/* Where this program lies, without a trailing slash. */
static int program_dir(char out[TG_PATH_MAX], struct tg_err *err)
{
	ssize_t n = readlink("/proc/self/exe", out, TG_PATH_MAX - 1);

	if (n <= 0)
		return tg_err_set(err, errno, "/proc/self/exe: %s", strerror(errno));
	out[n] = '\0';
	*strrchr(out, '/') = '\0';
	return 0;
}

static int find_probe(char out[TG_PATH_MAX], struct tg_err *err)
{
	static const char *const places[] = {"probe", "../probe", "../libexec/tollgate/probe"};
	char dir[TG_PATH_MAX];

	if (program_dir(dir, err) < 0)
		return -err->code;
	for (size_t i = 0; i < TG_ARRAY_SIZE(places); i++)
		if (snprintf(out, TG_PATH_MAX, "%s/%s", dir, places[i]) < TG_PATH_MAX &&
			access(out, X_OK) == 0)
			return 0;
	return tg_err_set(err, ENOENT, "no probe beside `%.180s`: build it first", dir);
}

static int find_dirs(struct tg_work *w, struct tg_err *err)
{
	const char *top = getenv("TOLLGATE_BASELINES");
	char dir[TG_PATH_MAX];
	int n;

	if (w->o->baseline_dir)
		n = snprintf(w->baseline_dir, TG_PATH_MAX, "%s", w->o->baseline_dir);
	else
		n = snprintf(w->baseline_dir, TG_PATH_MAX, "%s/%s", top ? top : TG_BASELINES, w->machine.name);
	if (n >= TG_PATH_MAX)
		return tg_err_set(err, ENAMETOOLONG, "the baseline's path is too long");
	if (w->o->out) {
		n = snprintf(w->out_dir, TG_PATH_MAX, "%s", w->o->out);
	} else {
		if (program_dir(dir, err) < 0)
			return -err->code;
		n = snprintf(w->out_dir, TG_PATH_MAX, "%s/report", access(dir, W_OK) == 0 ? dir : ".");
	}
	return n >= TG_PATH_MAX ? tg_err_set(err, ENAMETOOLONG, "--out: the path is too long") : 0;
}

static int read_baseline(struct tg_work *w, struct tg_err *err)
{
	struct tg_err own = {0};
	const struct tg_fact *was;
	const char *is = NULL;
	int rc = tg_baseline_load(w->baseline_dir, &w->baseline, &own);

	if (rc == -ENOENT && !w->o->baseline_dir)
		return 0;
	if (rc < 0) {
		*err = own;
		return rc;
	}
	was = tg_machine_differs(&w->baseline->machine, &w->machine, &is);
	if (!was)
		return 0;
	snprintf(w->refused, sizeof(w->refused), "rebaseline: %s was `%.90s`, is `%.90s`", was->key, was->value,
		is ? is : "unknown");
	tg_baseline_free(w->baseline);
	w->baseline = NULL;
	return 0;
}

/* ops of a sub-batch come from the baseline, so that what is fixed in a turn weighs the same as it did then */
static void reuse_ops(struct tg_work *w)
{
	for (size_t i = 0; w->baseline && i < w->plan.item_count; i++)
		for (size_t p = 0; p < w->plan.player_count; p++) {
			struct tg_item *item = &w->items[i];
			const struct tg_baseline_row *row =
				tg_baseline_find(w->baseline, item->c.name, w->players[p].lane->name);

			if (row && row->rev == item->c.bench->rev && row->cpus == w->players[p].lane->cpus)
				item->ops[p] = row->ops;
		}
}

static void on_progress(void *arg, const struct tg_item *item, size_t done, size_t of)
{
	struct tg_work *w = arg;

	(void)done;
	(void)of;
	tg_progress_step(&w->progress, w->blocks_done, item->c.name, tg_now_ns());
}

int tg_work_open(struct tg_work *w, const struct tg_options *o, struct tg_err *err)
{
	char probe[TG_PATH_MAX];
	bool judging = !strcmp(o->command, "check") || !strcmp(o->command, "record");

	w->start_ns = tg_now_ns();
	if (tg_work_lanes(w, o, err) < 0 || tg_machine_read(o->machine, &w->machine, err) < 0 ||
		find_dirs(w, err) < 0 || (judging && read_baseline(w, err) < 0) || choose_players(w, err) < 0 ||
		(strcmp(o->command, "lanes") != 0 && check_runtimes(w, err) < 0) ||
		check_compare(w, err) < 0 || choose_items(w, err) < 0 || name_lanes(w, err) < 0 ||
		find_probe(probe, err) < 0 || tg_ground_find(&w->plan.ground, probe, tg_build_id, err) < 0)
		return -err->code;
	reuse_ops(w);
	snprintf(w->samples.machine, sizeof(w->samples.machine), "%s", w->machine.name);
	w->samples.seed = w->plan.seed = o->seed ? o->seed : (unsigned long)(w->start_ns / 1000 % 1000000);
	w->plan.inject = o->inject;
	w->plan.rounds = o->rounds ? o->rounds : TG_ROUNDS;
	w->blocks = o->blocks ? o->blocks : TG_BLOCKS;
	w->budget_ns = o->budget_ns ? o->budget_ns : TG_BUDGET_NS;
	if (!strcmp(o->command, "check") && !w->baseline) {
		/* nothing to judge: a quick look is what is wanted */
		w->budget_ns = o->budget_ns ? o->budget_ns : TG_BUDGET_QUICK;
		w->blocks = o->blocks ? o->blocks : 4;
		w->plan.rounds = o->rounds ? o->rounds : 4;
	}
	w->plan.progress = on_progress;
	w->plan.arg = w;
	return 0;
}

void tg_work_free(struct tg_work *w)
{
	for (size_t i = 0; i < w->plan.player_count; i++)
		tg_child_kill(&w->players[i].box.child);
	tg_baseline_free(w->baseline);
	tg_samples_free(&w->samples);
	free(w->players);
	free(w->items);
}

/* ---- measuring ---- */

bool tg_work_expects(const struct tg_work *w, const struct tg_player *p)
{
	if (p->lane->overridden || w->o->a || (w->o->lanes && tg_list_has(w->o->lanes, p->lane->name)))
		return true;
	return in_baseline(w, NULL, p->lane->name);
}

/* Without a native of its own a placement says nothing; the others do. */
static void drop_placement(struct tg_work *w, struct tg_player *native)
{
	struct tg_err why;

	tg_err_set(&why, ENODEV, "%s", native->reason);
	native->reference = false;
	for (size_t i = 0; i < w->plan.player_count; i++) {
		struct tg_player *p = &w->players[i];

		if (p->lane->cpus != native->lane->cpus || p->failed)
			continue;
		p->failed = true;
		memcpy(p->reason, why.msg, sizeof(p->reason));
	}
}

int tg_work_ready(struct tg_work *w, struct tg_err *err)
{
	tg_conductor_try(&w->plan);
	for (size_t i = 0; i < w->plan.player_count; i++) {
		struct tg_player *p = &w->players[i];

		if (!p->reference || !p->failed)
			continue;
		if (p->lane->cpus == 1 || w->o->a)
			return tg_err_set(err, ENODEV, "lane %s does not come up: %.180s", p->lane->name,
				p->reason);
		drop_placement(w, p);
	}
	return 0;
}

static int rank(const struct tg_item *item, size_t i)
{
	if (item->c.bench->flags & TG_CONTROL)
		return -1;
	return (int)i + (item->c.bench->flags & TG_QUICK ? 0 : 100000);
}

/* After the first block the cost of each bench is known: what does not fit the budget is left out, whole. */
static void fit_budget(struct tg_work *w)
{
	uint64_t used = tg_now_ns() - w->start_ns;
	uint64_t reserve = w->baseline ? w->budget_ns * 3 / 10 : 0; /* for confirming */
	uint64_t left = w->budget_ns > used + reserve ? w->budget_ns - used - reserve : 0;
	uint64_t items = 0, fixed, more = w->blocks - 1;

	for (size_t i = 0; i < w->plan.item_count; i++)
		items += w->items[i].spent_ns;
	/* starting, stopping and the LIFE benches, which run together */
	fixed = w->plan.wall_ns > items ? w->plan.wall_ns - items : 0;
	left = left > fixed * more ? left - fixed * more : 0;
	while (items * more > left) {
		struct tg_item *last = NULL;

		for (size_t i = 0; i < w->plan.item_count; i++)
			if (!w->items[i].left_out && w->items[i].spent_ns > 0 &&
				!(w->items[i].c.bench->flags & TG_CONTROL) &&
				(!last || rank(&w->items[i], i) > rank(last, (size_t)(last - w->items))))
				last = &w->items[i];
		if (!last)
			return;
		last->left_out = true;
		w->left_out++;
		items -= last->spent_ns;
	}
}

int tg_work_measure(struct tg_work *w, struct tg_err *err)
{
	int rc = 0;

	for (; w->blocks_done < w->blocks && rc == 0; w->blocks_done++) {
		rc = tg_conductor_block(&w->plan, TG_STAGE_SCREEN, NULL, &w->samples, err);
		if (rc == 0 && w->blocks_done == 0 && strcmp(w->o->command, "record") != 0)
			fit_budget(w);
		if (rc == 0)
			tg_progress_step(&w->progress, w->blocks_done + 1, NULL, tg_now_ns());
	}
	return rc;
}
