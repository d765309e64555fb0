/* proc.h: what the host sees of a sandbox's processes. */
#ifndef TG_HOST_PROC_H
#define TG_HOST_PROC_H

#include "common/error.h"

#include <sched.h>
#include <stdint.h>
#include <sys/types.h>

#define TG_PIDS_MAX 256

/* All descendants of `top`, without itself. Returns how many (at most TG_PIDS_MAX), or -errno. */
int tg_proc_descendants(pid_t top, pid_t pids[TG_PIDS_MAX]);

/*
 * Prove that every thread of every descendant of `top` may run on `cpus` and nowhere else; a thread that may run
 * elsewhere is put right first, and proved afterwards.
 * 0, or -errno with err naming the process.
 */
int tg_proc_place(pid_t top, const cpu_set_t *cpus, struct tg_err *err);

/* Proportional set size of all descendants of `top`, shared memory in it. 0 or -errno. */
int tg_proc_pss_kib(pid_t top, uint64_t *kib, struct tg_err *err);

/* CPU time that all living threads of all descendants of `top` have used. 0 or -errno. */
int tg_proc_cpu_us(pid_t top, uint64_t *us, struct tg_err *err);

#endif
