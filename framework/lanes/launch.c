#include "lanes/launch.h"
#include "lanes/kinds.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* With the PWD that bwrap adds. runsc of 2024 shuffles it anew at every start. */
const char *const tg_lane_environment[] = {
	"HOME=/", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PWD=/", NULL};

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static bool search(const char *name, char out[TG_PATH_MAX])
{
	const char *path = getenv("PATH");

	if (strchr(name, '/')) {
		char full[PATH_MAX];

		if (!is_program(name) || !realpath(name, full) || strlen(full) >= TG_PATH_MAX)
			return false;
		strcpy(out, full);
		return true;
	}
	for (path = path ? path : "/usr/sbin:/usr/bin:/sbin:/bin"; *path;) {
		size_t len = strcspn(path, ":");

		if (len && snprintf(out, TG_PATH_MAX, "%.*s/%s", (int)len, path, name) < TG_PATH_MAX &&
			out[0] == '/' && is_program(out))
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

int tg_lane_find_runtime(const struct tg_lane *lane, char out[TG_PATH_MAX], struct tg_err *err)
{
	out[0] = '\0';
	if (lane->kind == TG_LANE_NATIVE)
		return 0;
	if (search(lane->path, out) || (lane->alternative[0] && search(lane->alternative, out)))
		return 0;
	out[0] = '\0';
	return tg_err_set(err, ENOENT, "not installed: no program `%.100s`%s%.100s", lane->path,
		lane->alternative[0] ? " or " : "", lane->alternative);
}

int tg_launch_arg(char **argv, const char *arg, struct tg_err *err)
{
	size_t n = 0;

	while (argv[n])
		n++;
	if (n == TG_LAUNCH_ARGS)
		return tg_err_set(err, E2BIG, "more than %d arguments", TG_LAUNCH_ARGS);
	argv[n] = strdup(arg);
	return argv[n] ? 0 : tg_err_set(err, ENOMEM, "out of memory");
}

int tg_launch_args(char **argv, const char *const *args, struct tg_err *err)
{
	for (; *args; args++)
		if (tg_launch_arg(argv, *args, err) < 0)
			return -err->code;
	return 0;
}

static void free_argv(char **argv)
{
	while (*argv)
		free(*argv++);
}

void tg_launch_free(struct tg_launch *l)
{
	free_argv(l->argv);
	for (int i = 0; i < TG_STEPS; i++)
		free_argv(l->steps[i]);
	free(l->config);
	*l = (struct tg_launch){0};
}

int tg_launch_make(const struct tg_lane *lane, const char *id, const char *own_probe,
	struct tg_launch *out, struct tg_err *err)
{
	static int (*const kinds[])(const struct tg_lane *, const char *, struct tg_launch *,
		struct tg_err *) = {
		[TG_LANE_NATIVE] = tg_native_launch,
		[TG_LANE_OCI] = tg_oci_launch,
		[TG_LANE_COMMAND] = tg_command_launch,
	};
	struct tg_launch l = {.cpus = lane->cpus, .only_cgroup2 = lane->only_cgroup2};
	char runtime[TG_PATH_MAX];
	struct tg_err own = {0};
	int rc;

	if (!err)
		err = &own;
	rc = tg_lane_find_runtime(lane, runtime, err);
	if (rc < 0)
		return rc;
	if (!strncmp(runtime, TG_ARENA "/", strlen(TG_ARENA "/")))
		return tg_err_set(err, EINVAL, "`%.150s` is hidden by the lane's own %s: move it", runtime,
			TG_ARENA);
	snprintf(l.probe, sizeof(l.probe), "%s", lane->probe[0] ? lane->probe : own_probe);
	rc = runtime[0] ? tg_launch_arg(l.argv, runtime, err) : 0;
	if (rc >= 0)
		rc = kinds[lane->kind](lane, id, &l, err);
	if (rc < 0) {
		tg_launch_free(&l);
		return rc;
	}
	*out = l;
	return 0;
}
