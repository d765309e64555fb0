/* samples_file.h: samples.jsonl: a header line, then one line a turn, in the order they ran. */
#ifndef TG_STORE_SAMPLES_FILE_H
#define TG_STORE_SAMPLES_FILE_H

#include "host/samples.h"

/*
 * {"tollgate": 1, "machine": "…", "seed": 7}
 * {"session": 3, "block": 0, "bench": "syscall/getpid", "lane": "runc", "ops": 5000, "ns": [531,
 * …]}
 *
 * `ns` may be one number. Optional keys: phase (the row is named bench/phase), unit (default "ns"),
 * stage ("screen", "confirm"), cpus (default 1), error (errno; such a line needs no ns). Unknown
 * keys are left alone. A line is at most 64 KiB; a seed above 2^53 is written as a string. Times
 * above 2^53 ns (104 days) lose digits.
 */
/* Whole or not at all. -EINVAL for a turn that could not be read back. */
int tg_samples_write(const struct tg_samples *set, const char *path, struct tg_err *err);

/*
 * Append the sessions of the file at `path` to *set. Every line is checked; err names file and
 * line, and *set has the turns it had. Where a session number of the file is taken in *set already
 * (two files that both start at 0), all of the file's are shifted past the set's largest. The first
 * file gives machine and seed.
 */
int tg_samples_read(const char *path, struct tg_samples *set, struct tg_err *err);

#endif
