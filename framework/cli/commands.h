/* commands.h: one function for each command; each returns the process's exit status. */
#ifndef TG_CLI_COMMANDS_H
#define TG_CLI_COMMANDS_H

#include "cli/work.h"

int tg_cmd_check(const struct tg_options *o); /* check and run */
int tg_cmd_compare(const struct tg_options *o);
int tg_cmd_record(const struct tg_options *o);
int tg_cmd_lanes(const struct tg_options *o);
int tg_cmd_suites(const struct tg_options *o);
int tg_cmd_machine(const struct tg_options *o);
int tg_cmd_doctor(const struct tg_options *o);
int tg_cmd_clean(const struct tg_options *o);

/* "tollgate: MESSAGE" on stderr; returns `status`. */
int tg_fail(const struct tg_err *err, int status);

/* Run the judged gates of `r` as cmocka groups, one a suite. */
void tg_gates_run(const struct tg_results *r);

/* Open the machine-wide lock: one conductor at a time. 0, or -EBUSY with err. */
int tg_lock(struct tg_err *err);

/* Remove what a killed run left: cgroups and plain directories. Only under the lock. Returns how many things. */
unsigned tg_sweep(void);

/* Set by SIGINT, SIGTERM and SIGHUP. */
extern volatile int tg_signal;
void tg_signals_catch(void);

#endif
