/* The commands that measure: check, run, compare, record. */
#include "cli/commands.h"
#include "cli/judge.h"
#include "common/clock.h"
#include "host/version.h"
#include "report/junit.h"
#include "report/table.h"
#include "report/tsv.h"
#include "store/file.h"
#include "store/samples_file.h"
#include "verdict/stats.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- results ---- */

static void date_now(char out[32])
{
	time_t now = time(NULL);
	struct tm tm;
	size_t n;

	localtime_r(&now, &tm);
	n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S%z", &tm);
	if (n == 24) { /* +0100 becomes +01:00 */
		memmove(out + 23, out + 22, 3);
		out[22] = ':';
	}
}

static void describe_lanes(const struct tg_work *w, struct tg_results *r)
{
	for (size_t i = 0; i < w->plan.player_count; i++) {
		const struct tg_player *p = &w->players[i];
		struct tg_lane_state *s = &r->lanes[r->lane_count++];

		snprintf(s->name, sizeof(s->name), "%s", p->lane->name);
		snprintf(s->version, sizeof(s->version), "%s", p->version);
		tg_lane_find_runtime(p->lane, s->path, NULL);
		s->cpus = p->lane->cpus;
		s->ready = !p->failed;
		snprintf(s->reason, sizeof(s->reason), "%s", p->reason);
		s->timed_s = (double)p->timed_ns / 1e9;
		s->warm_s = (double)p->warm_ns / 1e9;
		s->fixed_s = (double)(p->turn_ns - p->timed_ns - p->warm_ns) / 1e9;
		r->timed_s += s->timed_s + (double)p->lives_ns / 1e9;
		r->warm_s += s->warm_s;
	}
}

static int make_results(const struct tg_work *w, struct tg_results *r, struct tg_err *err)
{
	const char *newest = NULL;

	r->machine = w->machine;
	date_now(r->date);
	snprintf(r->command, sizeof(r->command), "%s", w->o->command);
	r->seed = w->plan.seed;
	if (w->baseline) {
		tg_baseline_span(w->baseline, &r->baseline_sessions, NULL, NULL, &newest);
		snprintf(r->baseline_date, sizeof(r->baseline_date), "%s", newest ? newest : "");
	}
	describe_lanes(w, r);
	r->wall_s = (double)w->plan.wall_ns / 1e9;
	return tg_judge(w, r, err);
}

static int write_outputs(const struct tg_work *w, const struct tg_results *r, struct tg_err *err)
{
	char path[TG_PATH_MAX + 32];

	if (tg_dir_make(w->out_dir, err) < 0)
		return -err->code;
	snprintf(path, sizeof(path), "%s/samples.jsonl", w->out_dir);
	if (tg_samples_write(&w->samples, path, err) < 0)
		return -err->code;
	snprintf(path, sizeof(path), "%s/results.json", w->out_dir);
	if (tg_results_write(r, path, err) < 0)
		return -err->code;
	snprintf(path, sizeof(path), "%s/flat.json", w->out_dir);
	if (tg_results_write_flat(r, path, err) < 0)
		return -err->code;
	snprintf(path, sizeof(path), "%s/gates.tsv", w->out_dir);
	if (tg_tsv_write(r, path, err) < 0)
		return -err->code;
	snprintf(path, sizeof(path), "%s/junit.xml", w->out_dir);
	return tg_junit_write(r, path, err);
}

static void print_results(const struct tg_work *w, const struct tg_results *r)
{
	const char *no_color = getenv("NO_COLOR");
	struct tg_table_style style = {.width = 100, .verbose = w->o->verbose,
		.color = isatty(STDOUT_FILENO) && !(no_color && *no_color)};

	tg_table_print(stdout, r, &style);
	printf("time    %.0f s measuring: %.0f %% timed, %.0f %% in warm parts\n", r->wall_s,
		100 * r->timed_s / r->wall_s, 100 * r->warm_s / r->wall_s);
	for (size_t i = 0; i < r->lane_count && w->o->verbose; i++)
		if (r->lanes[i].timed_s > 0)
			printf("        %s: fixed cost of a turn (clock, call, wire) %.2f %% of its sub-batches\n",
				r->lanes[i].name, 100 * r->lanes[i].fixed_s / r->lanes[i].timed_s);
	printf("report  %s/{results.json,flat.json,gates.tsv,samples.jsonl,junit.xml}\n", w->out_dir);
}

/* ---- one run ---- */

static void say(const struct tg_work *w, const char *text)
{
	if (!w->o->quiet)
		fprintf(stderr, "tollgate: %s\n", text);
}

static int open_run(struct tg_work *w, const struct tg_options *o, struct tg_err *err)
{
	char text[200];
	int rc = tg_work_open(w, o, err);

	if (rc < 0)
		return TG_EXIT_USAGE;
	if (tg_lock(err) < 0)
		return TG_EXIT_USAGE;
	tg_signals_catch();
	w->plan.stop = &tg_signal;
	tg_sweep();
	if (tg_work_ready(w, err) < 0)
		return TG_EXIT_NOTHING;
	for (size_t i = 0; i < w->plan.player_count; i++)
		tg_lane_version(w->players[i].lane, w->players[i].version, sizeof(w->players[i].version));
	snprintf(text, sizeof(text), "%zu benches in %zu lanes, %u blocks of %u rounds, at most %.0f s",
		w->plan.item_count - 1, w->plan.player_count, w->blocks, w->plan.rounds,
		(double)w->budget_ns / 1e9);
	say(w, text);
	return 0;
}

static int measure(struct tg_work *w, const char *label, struct tg_err *err)
{
	int rc;

	w->blocks_done = 0;
	tg_progress_begin(&w->progress, w->o->quiet ? NULL : stderr, isatty(STDERR_FILENO), label, w->blocks,
		tg_now_ns());
	rc = tg_work_measure(w, err);
	tg_progress_end(&w->progress, tg_now_ns());
	return rc;
}

/* Measure the flagged gates again in fresh blocks, while the budget lasts. */
static int confirm(struct tg_work *w, struct tg_results *r, struct tg_err *err)
{
	tg_autofree bool *use = calloc(w->plan.item_count + 1, sizeof(*use));
	uint64_t end = w->start_ns + w->budget_ns;
	size_t flagged;
	char text[120];
	int rc = 0;

	if (!use)
		return tg_err_set(err, ENOMEM, "out of memory");
	flagged = tg_judge_flagged(w, r, use);
	if (!flagged || r->is_void)
		return 0;
	use[0] = true; /* the control goes along */
	snprintf(text, sizeof(text), "%zu gate(s) look regressed: measuring them again", flagged);
	say(w, text);
	for (unsigned b = 0; b < w->blocks && rc == 0; b++) {
		uint64_t start = tg_now_ns();

		rc = tg_conductor_block(&w->plan, TG_STAGE_CONFIRM, use, &w->samples, err);
		if (tg_now_ns() + (tg_now_ns() - start) > end)
			break;
	}
	return rc < 0 ? rc : tg_judge_confirm(w, r, err);
}

static int finish(struct tg_work *w, struct tg_results *r, struct tg_err *err)
{
	if (write_outputs(w, r, err) < 0)
		return tg_fail(err, TG_EXIT_USAGE);
	return 0;
}

static void warn_of_baseline(const struct tg_baseline *b)
{
	size_t boots = 0;

	tg_baseline_span(b, NULL, &boots, NULL, NULL);
	if (boots < 2)
		printf("\nwarning: all sessions of the baseline are of one boot; what a reboot changes is not in it. "
		       "Add one:\n    build/tollgate record --append\n");
}

static void advise(const struct tg_work *w, int status)
{
	if (w->baseline)
		warn_of_baseline(w->baseline);
	if (w->unknown_benches)
		printf("\n%zu benches are not in the baseline and were not measured; `build/tollgate record` records "
		       "all\n", w->unknown_benches);
	if (w->refused[0])
		printf("\nthe baseline in %s is of another machine: %s\n", w->baseline_dir, w->refused);
	if (!w->baseline)
		printf("\nno baseline of this machine: nothing was judged. Record one with\n"
		       "    make baseline            (tollgate record: 8 sessions; then `make check` compares)\n"
		       "or compare two runtimes right now, without a baseline:\n"
		       "    tollgate compare --a LANE --b LANE\n");
	else if (status == TG_EXIT_NOTHING)
		printf("\nnothing could be judged: the reasons stand above\n");
}

int tg_cmd_check(const struct tg_options *o)
{
	struct tg_work w = {0};
	struct tg_results r = {0};
	struct tg_err err = {0};
	bool judging = !strcmp(o->command, "check");
	int status = open_run(&w, o, &err);

	if (status) {
		tg_fail(&err, status);
		goto out;
	}
	if (measure(&w, "blocks", &err) < 0 || make_results(&w, &r, &err) < 0 ||
		(judging && w.baseline && confirm(&w, &r, &err) < 0)) {
		if (w.samples.count)
			finish(&w, &r, &(struct tg_err){0});
		status = tg_fail(&err, TG_EXIT_VOID);
		goto out;
	}
	status = finish(&w, &r, &err);
	if (status)
		goto out;
	if (judging && w.baseline)
		tg_gates_run(&r);
	print_results(&w, &r);
	status = (int)tg_judge_exit(&w, &r);
	if (!judging && status == TG_EXIT_NOTHING)
		status = TG_EXIT_OK; /* nothing was to be judged */
	if (judging)
		advise(&w, status);
out:
	tg_results_free(&r);
	tg_work_free(&w);
	tg_sweep();
	return status;
}

/* ---- compare ---- */

/* Stop on precision: every row's interval is narrower than the tolerance, or has no more to give. */
static size_t imprecise(const struct tg_work *w, const struct tg_results *r, bool *use)
{
	size_t n = 0;

	memset(use, 0, w->plan.item_count * sizeof(*use));
	for (size_t i = 0; i < r->count; i++) {
		const struct tg_result *res = &r->v[i];
		double tau = strcmp(res->ref, "none") != 0 ? log1p(res->tolerance) : res->tolerance;

		if (!res->judged || !(res->verdict.hi - res->verdict.lo > tau))
			continue;
		for (size_t k = 0; k < w->plan.item_count; k++)
			if (!strncmp(w->items[k].c.name, res->bench, strlen(res->bench))) {
				use[k] = true;
				n++;
			}
	}
	return n;
}

static int compare_until_precise(struct tg_work *w, struct tg_results *r, struct tg_err *err)
{
	tg_autofree bool *use = calloc(w->plan.item_count + 1, sizeof(*use));
	uint64_t end = w->start_ns + w->budget_ns;
	int rc = use ? measure(w, "blocks", err) : tg_err_set(err, ENOMEM, "out of memory");

	if (rc == 0)
		rc = make_results(w, r, err);
	while (rc == 0 && !w->o->blocks && tg_now_ns() < end && imprecise(w, r, use)) {
		use[0] = true;
		for (int b = 0; b < 4 && rc == 0 && tg_now_ns() < end; b++)
			rc = tg_conductor_block(&w->plan, TG_STAGE_SCREEN, use, &w->samples, err);
		tg_results_free(r);
		*r = (struct tg_results){0};
		if (rc == 0)
			rc = make_results(w, r, err);
	}
	return rc;
}

static int bisect_status(int status)
{
	if (status == TG_EXIT_NOTHING)
		return TG_EXIT_BISECT_SKIP;
	return status == TG_EXIT_USAGE || status == TG_EXIT_VOID ? TG_EXIT_BISECT_ABORT : status;
}

int tg_cmd_compare(const struct tg_options *o)
{
	struct tg_work w = {0};
	struct tg_results r = {0};
	struct tg_err err = {0};
	int status = open_run(&w, o, &err);

	if (status) {
		tg_fail(&err, status);
		goto out;
	}
	if (compare_until_precise(&w, &r, &err) < 0) {
		status = tg_fail(&err, TG_EXIT_VOID);
		goto out;
	}
	status = finish(&w, &r, &err);
	if (status)
		goto out;
	if (!o->bisect)
		tg_gates_run(&r);
	print_results(&w, &r);
	status = (int)tg_judge_exit(&w, &r);
out:
	tg_results_free(&r);
	tg_work_free(&w);
	tg_sweep();
	return o->bisect ? bisect_status(status) : status;
}

/* ---- record ---- */

static int record_session(struct tg_work *w, struct tg_baseline *b, unsigned at, unsigned of,
	struct tg_err *err)
{
	struct tg_results r = {0};
	char label[24], id[32];
	time_t now = time(NULL);
	struct tm tm;
	int rc;

	snprintf(label, sizeof(label), "session %u/%u", at, of);
	rc = measure(w, label, err);
	if (rc == 0)
		rc = make_results(w, &r, err);
	for (size_t i = 0; i < w->plan.player_count && rc == 0; i++)
		if (w->players[i].failed && w->players[i].started)
			rc = tg_err_set(err, EIO, "lane %s failed: %.180s", w->players[i].lane->name,
				w->players[i].reason);
	if (rc == 0 && r.is_void)
		rc = tg_err_set(err, EIO, "session %u is void: %.150s", at, r.void_reason);
	gmtime_r(&now, &tm);
	snprintf(id + strftime(id, sizeof(id), "%Y%m%dT%H%M%SZ", &tm), 8, "-%u", at);
	if (rc == 0)
		rc = tg_judge_record(w, &r, b, id, err);
	if (rc == 0)
		rc = write_outputs(w, &r, err);
	tg_results_free(&r);
	/* the next session reuses what this one calibrated */
	w->plan.session++;
	w->plan.next_block = 0;
	return rc;
}

static int record_all(struct tg_work *w, const struct tg_options *o, struct tg_err *err)
{
	unsigned sessions = o->append ? 1 : o->sessions ? o->sessions : 8;
	struct tg_baseline *b = o->append ? tg_steal(&w->baseline) : tg_baseline_new(&w->machine);
	int rc = b ? 0 : tg_err_set(err, ENOENT, "--append: no baseline of this machine in %.160s yet: "
						 "record one first", w->baseline_dir);

	for (unsigned s = 1; s <= sessions && rc == 0; s++)
		rc = record_session(w, b, s, sessions, err);
	if (rc == 0) {
		tg_baseline_settle(b);
		rc = tg_baseline_save(b, w->baseline_dir, err);
	}
	if (rc == 0) {
		size_t all = 0, boots = 0;

		tg_baseline_span(b, &all, &boots, NULL, NULL);
		printf("baseline %s: %zu rows, %zu sessions, %zu boot(s)\n", w->baseline_dir, b->row_count, all,
			boots);
		if (boots < 2)
			printf("all sessions are of one boot: add one after a reboot with `tollgate record "
			       "--append`\n");
	}
	tg_baseline_free(b);
	return rc;
}

int tg_cmd_record(const struct tg_options *o)
{
	struct tg_work w = {0};
	struct tg_err err = {0};
	int status = open_run(&w, o, &err);

	if (status == 0 && o->append && w.refused[0]) {
		tg_err_set(&err, EINVAL, "--append: the baseline is of another machine: %.200s", w.refused);
		status = TG_EXIT_USAGE;
	}
	if (status == 0 && record_all(&w, o, &err) < 0) {
		tg_err_wrap(&err, "nothing was recorded");
		status = err.code == ENOENT ? TG_EXIT_USAGE : TG_EXIT_VOID;
	}
	if (status)
		tg_fail(&err, status);
	tg_work_free(&w);
	tg_sweep();
	return status;
}
