#include "cli/commands.h"
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(const struct tg_options *);
} commands[] = {
	{"check", tg_cmd_check}, {"run", tg_cmd_check}, {"record", tg_cmd_record},
	{"compare", tg_cmd_compare}, {"lanes", tg_cmd_lanes}, {"suites", tg_cmd_suites},
	{"machine", tg_cmd_machine}, {"doctor", tg_cmd_doctor}, {"clean", tg_cmd_clean},
};

int tg_fail(const struct tg_err *err, int status)
{
	fprintf(stderr, "tollgate: %s\n", err->msg);
	return status;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	struct tg_options o;
	struct tg_err err = {0};
	const char *help = NULL;
	int rc;

	/* build/suites/<suite> is this program with one table: it checks */
	rc = tg_options_parse(argc, argv, strcmp(name, "tollgate") != 0 ? "check" : NULL, &o, &help, &err);
	if (rc < 0)
		return tg_fail(&err, TG_EXIT_USAGE);
	if (rc > 0)
		return tg_help(help);
	for (size_t i = 0; i < TG_ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, o.command))
			return commands[i].run(&o);
	tg_err_set(&err, 1, "unknown command `%.60s`; tollgate --help lists them", o.command);
	return tg_fail(&err, TG_EXIT_USAGE);
}
