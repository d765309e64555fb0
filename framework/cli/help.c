#include "cli/help.h"
#include "common/cleanup.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char general[] =
	"tollgate: regression performance gates for sandboxes\n"
	"\n"
	"  tollgate check     measure and gate against this machine's baseline\n"
	"  tollgate run       measure, no verdict\n"
	"  tollgate record    measure and write the baseline of this machine\n"
	"  tollgate compare   two lanes paired in one session, no baseline needed\n"
	"  tollgate lanes     the ways to run, each ready or unavailable and why\n"
	"  tollgate suites    the benches\n"
	"  tollgate machine   this machine's name and fingerprint\n"
	"  tollgate doctor    what is here, what is missing\n"
	"  tollgate clean     remove what a killed run left behind\n"
	"\n"
	"tollgate COMMAND --help tells of its options.\n"
	"Exit status: 0 judged, nothing regressed; 1 regressed or error; 2 usage or configuration;\n"
	"77 nothing could be judged; 99 void (a control failed, or stopped).\n";

static const char measuring[] =
	"  --suite S,...          suites (default: all); `tollgate suites` lists them\n"
	"  --bench GLOB           benches by full name, e.g. 'syscall/get*'\n"
	"  --lanes L,...          lanes; `tollgate lanes` lists them\n"
	"  --lane NAME=PATH[,ARG...]  put a just-built runtime behind a lane\n"
	"  --lanes-file FILE      more lanes, in the schema of Docker's daemon.json\n"
	"  --machine NAME         this machine's name (also TOLLGATE_MACHINE)\n"
	"  --tolerance 5%         tolerated slowdown of every row\n"
	"  --budget 10m           stop in time; benches that do not fit are left out and named\n"
	"  --quick | --full       the small set for pull requests | every parameter\n"
	"  --blocks N, --rounds N, --seed N   (default 12, 8, from the clock)\n"
	"  --inject LANE:BENCH:20%    slow one bench of one lane for real: must end REGRESSED\n"
	"  --out DIR              where the report goes (default: report, beside the program)\n"
	"  --quiet, --verbose\n";

static const struct {
	const char *name, *text;
	bool measures;
} texts[] = {
	{"check",
		"tollgate check: measure and gate against the baseline of this machine.\n"
		"Without a baseline: a quick table, and what to run next.\n\n"
		"  --baseline DIR         another baseline than baselines/<machine>\n"
		"  --strict               a missing baseline or an inconclusive gate is 1, too\n",
		true},
	{"run", "tollgate run: measure, no verdict.\n\n", true},
	{"record",
		"tollgate record: measure sessions and write baselines/<machine>/.\n\n"
		"  --sessions N           how many, at least 4 (default 8)\n"
		"  --append               add one session to the baseline that is there\n",
		true},
	{"compare",
		"tollgate compare --a LANE --b LANE: is B slower than A? Both in one session, no baseline.\n\n"
		"  --a LANE, --b LANE     e.g. an old and a new build of one runtime\n"
		"  --allow-same           even if they are the same program and flags\n"
		"  --bisect               exit status for `git bisect run`: 125 skips, 128 aborts\n",
		true},
	{"lanes", "tollgate lanes [--lanes L,...] [--lanes-file FILE] [--lane NAME=PATH]: start each once.\n",
		false},
	{"suites", "tollgate suites [--suite S,...]: the benches, their kind, and the sets they are in.\n", false},
	{"machine", "tollgate machine [--machine NAME]: name and fingerprint; strict facts refuse a baseline.\n",
		false},
	{"doctor", "tollgate doctor: what is here, what is missing.\n", false},
	{"clean", "tollgate clean: remove cgroups and directories of runs that were killed.\n", false},
};

int tg_help(const char *command)
{
	if (command && !strcmp(command, "version")) {
		printf("tollgate " TG_VERSION "\n");
		return 0;
	}
	for (size_t i = 0; command && i < TG_ARRAY_SIZE(texts); i++)
		if (!strcmp(texts[i].name, command)) {
			printf("%s%s", texts[i].text, texts[i].measures ? measuring : "");
			return 0;
		}
	printf("%s", general);
	return 0;
}
