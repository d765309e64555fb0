/* The commands that only look: lanes, suites, machine, doctor; and clean. */
#include "cli/commands.h"
#include "common/clock.h"
#include "host/version.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const char tg_build_id[];

int tg_cmd_lanes(const struct tg_options *o)
{
	struct tg_options all = *o;
	struct tg_work w = {0};
	struct tg_err err = {0};
	char names[TG_LANES_MAX * TG_LANE_NAME_MAX] = "";
	int status = 0;

	/* every lane that there is, not only the default ones */
	if (tg_work_lanes(&w, o, &err) < 0)
		return tg_fail(&err, TG_EXIT_USAGE);
	for (size_t i = 0; i < w.lanes.count; i++) {
		strcat(names, i ? "," : "");
		strcat(names, w.lanes.v[i].name);
	}
	memset(&w, 0, sizeof(w));
	all.lanes = o->lanes ? o->lanes : names;
	if (tg_work_open(&w, &all, &err) < 0 || tg_lock(&err) < 0) {
		status = tg_fail(&err, TG_EXIT_USAGE);
	} else {
		tg_signals_catch();
		for (size_t i = 0; i < w.plan.player_count; i++) {
			struct tg_player *p = &w.players[i];
			const struct tg_life *life = &p->box.child.life;
			struct tg_session_plan alone = w.plan;

			/* one by one: a lane that hangs may keep its CPU from the others */
			alone.players = p;
			alone.player_count = 1;
			tg_conductor_try(&alone);
			tg_lane_version(p->lane, p->version, sizeof(p->version));
			if (p->failed)
				printf("%-24s unavailable: %s\n", p->lane->name, p->reason);
			else
				printf("%-24s ready in %.0f ms, cpus %d%s%s\n", p->lane->name,
					(double)(life->first_byte_ns - life->spawn_ns) / 1e6, p->lane->cpus,
					p->version[0] ? ", " : "", p->version);
		}
	}
	tg_work_free(&w);
	tg_sweep();
	return status;
}

int tg_cmd_suites(const struct tg_options *o)
{
	static const char *const kinds[] = {"body", "life", "gauge"};
	struct tg_case c;

	for (size_t i = 0; tg_case_at(tg_suites, tg_suite_count, i, &c); i++) {
		if (c.bench->flags & TG_CONTROL || !tg_list_has(o->suites, c.suite->name))
			continue;
		printf("%-40s %-6s%s%s\n", c.name, kinds[c.bench->kind],
			c.bench->flags & TG_QUICK && !c.full ? " quick" : "", c.full ? " full" : "");
	}
	return 0;
}

int tg_cmd_machine(const struct tg_options *o)
{
	struct tg_machine m;
	struct tg_err err = {0};

	if (tg_machine_read(o->machine, &m, &err) < 0)
		return tg_fail(&err, TG_EXIT_USAGE);
	printf("%s\n", m.name);
	for (size_t i = 0; i < m.count; i++)
		printf("  %-16s %-7s %s\n", m.facts[i].key, m.facts[i].strict ? "strict" : "noted",
			m.facts[i].value);
	return 0;
}

/* What a user would be asked first when something is odd. */
int tg_cmd_doctor(const struct tg_options *o)
{
	static const char *const rights[] = {"root: every lane can run",
		"no root, but namespaces of your own: native and command lanes can run",
		"no root and no namespaces: only native lanes can run, without an equal mount tree"};
	struct tg_work w = {0};
	struct tg_err err = {0};
	int status = 0;

	if (tg_work_open(&w, o, &err) < 0) {
		status = tg_fail(&err, TG_EXIT_USAGE);
	} else {
		printf("version    " TG_VERSION ", build %s\n", tg_build_id);
		printf("probe      %s\n", w.plan.ground.probe);
		printf("machine    %s\n", w.machine.name);
		printf("baseline   %s: %s\n", w.baseline_dir,
			access(w.baseline_dir, R_OK) == 0 ? "there" : "none yet: make baseline");
		printf("rights     %s\n", rights[w.plan.ground.isolation]);
		printf("CPUs       %d, the conductor on the first\n", CPU_COUNT(&w.plan.ground.allowed));
		printf("lanes      `tollgate lanes` starts each once\n");
	}
	tg_work_free(&w);
	return status;
}

int tg_cmd_clean(const struct tg_options *o)
{
	struct tg_err err = {0};
	unsigned n;

	(void)o;
	if (tg_lock(&err) < 0)
		return tg_fail(&err, TG_EXIT_USAGE);
	n = tg_sweep();
	printf("%u thing(s) of killed runs removed\n", n);
	return 0;
}
