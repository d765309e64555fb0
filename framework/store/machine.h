/* machine.h: what this machine is. Strict facts refuse a baseline when they differ; the others are
 * noted. */
#ifndef TG_STORE_MACHINE_H
#define TG_STORE_MACHINE_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

#define TG_FACTS_MAX 48

struct tg_fact {
	char key[32];
	char value[192];
	bool strict;
};

struct tg_machine {
	char name[64]; /* directory below baselines/: [a-z0-9._-]+ */
	size_t count;
	struct tg_fact facts[TG_FACTS_MAX];
};

/* [a-z0-9._-]+, no dot in front, fits in tg_machine.name. */
bool tg_machine_name_ok(const char *name);

/*
 * Look at this machine. `name` (--machine, may be NULL) wins over TOLLGATE_MACHINE, over DMI, over
 * a slug of CPU and core count. Strict: cpu_model, stepping, microcode, cores, smt, hypervisor,
 * kernel, mitigations, cgroup_mode, thp, clocksource, wire. Noted: mhz, libc, governor, load,
 * boot_id, commit (of this project, TG_COMMIT where the build defines it). What cannot be read is
 * "unknown". Only a name with characters outside [a-z0-9._-], starting with a dot, or too long
 * fails (-EINVAL).
 */
int tg_machine_read(const char *name, struct tg_machine *out, struct tg_err *err);

/* The same with the machine's files below `root` ("" = this machine), and no look at
 * TOLLGATE_MACHINE. */
int tg_machine_read_at(
	const char *root, const char *name, struct tg_machine *out, struct tg_err *err);

const char *tg_machine_fact(
	const struct tg_machine *m, const char *key); /* NULL where there is none */

/* The first strict fact of `was` (a baseline's) that differs today, or NULL; *now_value is today's.
 * A strict fact that only one of them has counts as "unknown" in the other. */
const struct tg_fact *tg_machine_differs(
	const struct tg_machine *was, const struct tg_machine *now, const char **now_value);

#endif
