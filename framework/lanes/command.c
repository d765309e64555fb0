/* command: any program that ends up running the probe on its own stdin and stdout; {probe}, {root} and {bind} in its
 * arguments stand for the probe's path, the prepared root file system and what belongs on its /bind. */
#include "lanes/kinds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int expand(const char *arg, char *out, size_t size)
{
	static const struct {
		const char *word, *value;
	} words[] = {{"{probe}", TG_ARENA_ROOT "/probe"}, {"{root}", TG_ARENA_ROOT},
		{"{bind}", TG_ARENA_BIND}};
	size_t used = 0;

	while (*arg) {
		size_t step = 1;
		const char *value = arg;
		size_t len = 1;

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (!strncmp(arg, words[i].word, strlen(words[i].word))) {
				step = strlen(words[i].word);
				value = words[i].value;
				len = strlen(value);
			}
		if (used + len >= size)
			return -E2BIG;
		memcpy(out + used, value, len);
		used += len;
		arg += step;
	}
	out[used] = '\0';
	return 0;
}

int tg_command_launch(const struct tg_lane *lane, const char *id, struct tg_launch *l, struct tg_err *err)
{
	(void)id;
	for (size_t i = 0; i < lane->arg_count; i++) {
		char arg[2 * TG_LANE_ARG_MAX];

		if (expand(lane->args[i], arg, sizeof(arg)) < 0)
			return tg_err_set(err, E2BIG, "argument %zu is too long", i + 1);
		if (tg_launch_arg(l->argv, arg, err) < 0)
			return -err->code;
	}
	return 0;
}
