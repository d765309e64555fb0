#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <string.h>
#include <stdio.h>
#include <stdlib.h>

int tg_share_parse(const char *text, double *out)
{
	char *end;
	double v;

	errno = 0;
	v = strtod(text, &end);
	if (end == text || errno || !isfinite(v))
		return -EINVAL;
	while (*end == ' ')
		end++;
	if (*end == '%') {
		v /= 100;
		end++;
	}
	if (*end || v <= 0 || v > 100)
		return -EINVAL;
	*out = v;
	return 0;
}

int tg_duration_parse(const char *text, uint64_t *out)
{
	static const struct {
		char unit;
		double seconds;
	} units[] = {{'\0', 1}, {'s', 1}, {'m', 60}, {'h', 3600}};
	char *end;
	double v;

	errno = 0;
	v = strtod(text, &end);
	if (end == text || errno || !(v > 0))
		return -EINVAL;
	for (size_t i = 0; i < TG_ARRAY_SIZE(units); i++)
		if (*end == units[i].unit && (!*end || !end[1]) && v * units[i].seconds <= 7 * 24 * 3600) {
			*out = (uint64_t)(v * units[i].seconds * 1e9);
			return *out ? 0 : -EINVAL;
		}
	return -EINVAL;
}

bool tg_list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	if (!list)
		return true;
	for (; *list; list += strcspn(list, ",") + (list[strcspn(list, ",")] == ','))
		if (strcspn(list, ",") == len && !strncmp(list, word, len))
			return true;
	return false;
}

static int parse_count(const char *text, unsigned max, unsigned *out)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || v == 0 || v > max)
		return -EINVAL;
	*out = (unsigned)v;
	return 0;
}

/* LANE:BENCH:20% ; a bench's name may hold colons ("fork/pipe_pingpong/cpus:2"), so a lane's may not here */
static int parse_inject(const char *text, struct tg_inject *out)
{
	const char *last = strrchr(text, ':');
	const char *mid = strchr(text, ':');

	if (!mid || mid == last || mid == text || (size_t)(mid - text) >= sizeof(out->lane) ||
		(size_t)(last - mid - 1) >= sizeof(out->bench) || tg_share_parse(last + 1, &out->share) < 0)
		return -EINVAL;
	snprintf(out->lane, sizeof(out->lane), "%.*s", (int)(mid - text), text);
	snprintf(out->bench, sizeof(out->bench), "%.*s", (int)(last - mid - 1), mid + 1);
	return 0;
}

enum {
	OPT_SUITE = 256, OPT_LANES, OPT_LANE, OPT_LANES_FILE, OPT_BENCH, OPT_MACHINE, OPT_BASELINE,
	OPT_TOLERANCE, OPT_BUDGET, OPT_QUICK, OPT_FULL, OPT_STRICT, OPT_OUT, OPT_SESSIONS, OPT_APPEND,
	OPT_A, OPT_B, OPT_BISECT, OPT_SAME, OPT_QUIET, OPT_VERBOSE, OPT_BLOCKS, OPT_ROUNDS,
	OPT_SEED, OPT_INJECT, OPT_VERSION
};

static const struct option longs[] = {
	{"suite", required_argument, NULL, OPT_SUITE},
	{"lanes", required_argument, NULL, OPT_LANES},
	{"lane", required_argument, NULL, OPT_LANE},
	{"lanes-file", required_argument, NULL, OPT_LANES_FILE},
	{"bench", required_argument, NULL, OPT_BENCH},
	{"machine", required_argument, NULL, OPT_MACHINE},
	{"baseline", required_argument, NULL, OPT_BASELINE},
	{"tolerance", required_argument, NULL, OPT_TOLERANCE},
	{"budget", required_argument, NULL, OPT_BUDGET},
	{"quick", no_argument, NULL, OPT_QUICK},
	{"full", no_argument, NULL, OPT_FULL},
	{"strict", no_argument, NULL, OPT_STRICT},
	{"out", required_argument, NULL, OPT_OUT},
	{"sessions", required_argument, NULL, OPT_SESSIONS},
	{"append", no_argument, NULL, OPT_APPEND},
	{"a", required_argument, NULL, OPT_A},
	{"b", required_argument, NULL, OPT_B},
	{"bisect", no_argument, NULL, OPT_BISECT},
	{"allow-same", no_argument, NULL, OPT_SAME},
	{"quiet", no_argument, NULL, OPT_QUIET},
	{"verbose", no_argument, NULL, OPT_VERBOSE},
	{"blocks", required_argument, NULL, OPT_BLOCKS},
	{"rounds", required_argument, NULL, OPT_ROUNDS},
	{"seed", required_argument, NULL, OPT_SEED},
	{"inject", required_argument, NULL, OPT_INJECT},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static int expected(struct tg_err *err, const char *option, const char *what)
{
	return tg_err_set(err, EINVAL, "--%s `%.80s`: expected %s", option, optarg, what);
}

static int take_value(int opt, struct tg_options *o, struct tg_err *err)
{
	switch (opt) {
	case OPT_TOLERANCE:
		return tg_share_parse(optarg, &o->tolerance) < 0 || o->tolerance > 1
			? expected(err, "tolerance", "a share such as 5% or 0.05, above 0 and at most 100 %")
			: 0;
	case OPT_BUDGET:
		return tg_duration_parse(optarg, &o->budget_ns) < 0
			? expected(err, "budget", "a time such as 90s, 10m or 1h")
			: 0;
	case OPT_SESSIONS:
		return parse_count(optarg, 100, &o->sessions) < 0 || o->sessions < TG_BASELINE_SESSIONS_MIN
			? expected(err, "sessions", "a whole number from 4 to 100")
			: 0;
	case OPT_BLOCKS:
		return parse_count(optarg, 1000, &o->blocks) < 0
			? expected(err, "blocks", "a whole number from 1 to 1000")
			: 0;
	case OPT_ROUNDS:
		return parse_count(optarg, 1000, &o->rounds) < 0
			? expected(err, "rounds", "a whole number from 1 to 1000")
			: 0;
	case OPT_SEED: {
		unsigned seed = 0;

		if (strcmp(optarg, "0") != 0 && parse_count(optarg, 1000000000, &seed) < 0)
			return expected(err, "seed", "a whole number up to 10^9");
		o->seed = seed;
		return 0;
	}
	case OPT_INJECT:
		return parse_inject(optarg, &o->inject) < 0
			? expected(err, "inject", "LANE:BENCH:20%, e.g. runc:syscall/getpid:20%")
			: 0;
	case OPT_LANE:
		if (o->override_count == TG_OVERRIDES_MAX)
			return tg_err_set(err, E2BIG, "--lane is given more than %d times", TG_OVERRIDES_MAX);
		o->overrides[o->override_count++] = optarg;
		return 0;
	}
	return 0;
}

static void take_word(int opt, struct tg_options *o)
{
	const struct {
		int opt;
		const char **text;
		bool *flag;
	} words[] = {
		{OPT_SUITE, &o->suites, NULL}, {OPT_LANES, &o->lanes, NULL},
		{OPT_LANES_FILE, &o->lanes_file, NULL}, {OPT_BENCH, &o->bench, NULL},
		{OPT_MACHINE, &o->machine, NULL}, {OPT_BASELINE, &o->baseline_dir, NULL},
		{OPT_OUT, &o->out, NULL}, {OPT_A, &o->a, NULL}, {OPT_B, &o->b, NULL},
		{OPT_QUICK, NULL, &o->quick}, {OPT_FULL, NULL, &o->full}, {OPT_STRICT, NULL, &o->strict},
		{OPT_APPEND, NULL, &o->append}, {OPT_BISECT, NULL, &o->bisect},
		{OPT_SAME, NULL, &o->allow_same}, {OPT_QUIET, NULL, &o->quiet},
		{OPT_VERBOSE, NULL, &o->verbose},
	};

	for (size_t i = 0; i < TG_ARRAY_SIZE(words); i++)
		if (words[i].opt == opt && words[i].text)
			*words[i].text = optarg;
		else if (words[i].opt == opt)
			*words[i].flag = true;
}

static int check_together(const struct tg_options *o, struct tg_err *err)
{
	bool compare = !strcmp(o->command, "compare");

	if (o->quick && o->full)
		return tg_err_set(err, EINVAL, "--quick and --full exclude each other");
	if (o->append && o->sessions)
		return tg_err_set(err, EINVAL, "--append adds one session: leave --sessions out");
	if (o->machine && o->baseline_dir)
		return tg_err_set(err, EINVAL, "--machine and --baseline exclude each other");
	if (compare && (!o->a || !o->b))
		return tg_err_set(err, EINVAL, "compare needs two lanes: --a LANE --b LANE");
	if (!compare && (o->a || o->b || o->bisect))
		return tg_err_set(err, EINVAL, "--a, --b and --bisect belong to `tollgate compare`");
	if (strcmp(o->command, "record") != 0 && (o->append || o->sessions))
		return tg_err_set(err, EINVAL, "--sessions and --append belong to `tollgate record`");
	return 0;
}

int tg_options_parse(int argc, char **argv, const char *fallback, struct tg_options *o, const char **help,
	struct tg_err *err)
{
	bool has_command = argc > 1 && argv[1][0] != '-';
	int opt, at = 0;

	*o = (struct tg_options){.command = has_command ? argv[1] : fallback};
	*help = o->command;
	argv += has_command;
	argc -= has_command;
	optind = 0;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+:h", longs, &at)) != -1) {
		if (opt == 'h' || opt == OPT_VERSION) {
			if (opt == OPT_VERSION)
				*help = "version";
			return 1;
		}
		if (opt == '?')
			return tg_err_set(err, EINVAL, "unknown option `%.80s`; tollgate --help lists them",
				argv[optind - 1]);
		if (opt == ':')
			return tg_err_set(err, EINVAL, "option `%.80s` needs a value", argv[optind - 1]);
		take_word(opt, o);
		if (take_value(opt, o, err) < 0)
			return -err->code;
	}
	if (!o->command)
		return tg_err_set(err, EINVAL, "no command; tollgate --help lists them");
	if (optind < argc)
		return tg_err_set(err, EINVAL, "`%.80s` is not expected here", argv[optind]);
	return check_together(o, err);
}
