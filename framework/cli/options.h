/* options.h: the command line, checked. */
#ifndef TG_CLI_OPTIONS_H
#define TG_CLI_OPTIONS_H

#include "common/error.h"
#include "common/limits.h"
#include "host/conductor.h"
#include "verdict/gate.h"

#include <stdbool.h>
#include <stdint.h>

/* Exit statuses; precedence 2 > 99 > 1 > 77 > 0. */
enum tg_exit {
	TG_EXIT_OK = 0,
	TG_EXIT_REGRESSED = 1, /* or a gate is ERROR */
	TG_EXIT_USAGE = 2,     /* usage or configuration */
	TG_EXIT_NOTHING = 77,  /* nothing could be judged */
	TG_EXIT_VOID = 99,
	TG_EXIT_BISECT_SKIP = 125,
	TG_EXIT_BISECT_ABORT = 128,
};

#define TG_OVERRIDES_MAX 16

struct tg_options {
	const char *command;
	const char *suites, *lanes; /* comma lists; NULL = the default set */
	const char *bench;	    /* glob over full bench names; NULL = all */
	const char *lanes_file;
	const char *overrides[TG_OVERRIDES_MAX]; /* --lane NAME=PATH[,ARG…] */
	size_t override_count;
	const char *machine, *baseline_dir, *out;
	double tolerance; /* 0 = each row's own, 5 % where it has none */
	uint64_t budget_ns; /* 0 = the command's default */
	bool quick, full, strict, append, bisect, allow_same, quiet, verbose;
	unsigned sessions, blocks, rounds; /* 0 = default */
	unsigned long seed;
	const char *a, *b;
	struct tg_inject inject;
};

/*
 * Parse argv (argv[0] is the program). `fallback` is the command where none is given (NULL: that is an error).
 * 0; -EINVAL with err; 1 when help or the version was asked for (*help names the command, or NULL for all).
 */
int tg_options_parse(int argc, char **argv, const char *fallback, struct tg_options *o, const char **help,
	struct tg_err *err);

/* "5%", "0.05" or "12.5 %" as a share. 0 or -EINVAL. */
int tg_share_parse(const char *text, double *out);

/* "10m", "90s", "90", "1h" as nanoseconds, > 0. 0 or -EINVAL. */
int tg_duration_parse(const char *text, uint64_t *out);

/* Is `word` in the comma list? NULL list: true. */
bool tg_list_has(const char *list, const char *word);

#endif
