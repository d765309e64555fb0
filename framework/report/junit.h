/* junit.h: a run's verdicts as JUnit XML: our own writer, because cmocka's neither escapes nor
 * gives reasons. */
#ifndef TG_REPORT_JUNIT_H
#define TG_REPORT_JUNIT_H

#include "common/error.h"
#include "store/results.h"

#include <stdio.h>

/*
 * One <testsuite> per suite, one <testcase> per judged row (controls and rows that were only
 * measured are left out), classname "tollgate.syscall", name "getpid/runc". REGRESSED is a
 * <failure>, ERROR an <error>; INCONCLUSIVE, SKIPPED and watched rows are <skipped> with the
 * reason. In a void run nothing is judged: every case is skipped, and a suite "tollgate" has one
 * <error> that says why.
 */
void tg_junit_print(FILE *out, const struct tg_results *r);

/* The same into the file `path`, whole or not at all. 0 or -errno. */
int tg_junit_write(const struct tg_results *r, const char *path, struct tg_err *err);

#endif
