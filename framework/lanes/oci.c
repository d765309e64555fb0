/* oci: any runtime with the command line of runc: PATH [ARGS] --root STATE run --bundle BUNDLE ID. */
#include "lanes/kinds.h"
#include "store/oci_spec.h"

#include <errno.h>
#include <stdio.h>

/* RUNTIME [ARGS] --root STATE WORDS… */
static int command(const struct tg_lane *lane, const char *runtime, const char *const *words, char **argv,
	struct tg_err *err)
{
	int rc = argv[0] ? 0 : tg_launch_arg(argv, runtime, err);

	for (size_t i = 0; i < lane->arg_count && rc >= 0; i++)
		rc = tg_launch_arg(argv, lane->args[i], err);
	if (rc >= 0)
		rc = tg_launch_args(argv, (const char *const[]){"--root", TG_ARENA_STATE, NULL}, err);
	return rc >= 0 ? tg_launch_args(argv, words, err) : rc;
}

int tg_oci_launch(const struct tg_lane *lane, const char *id, struct tg_launch *l, struct tg_err *err)
{
	static const char *const probe[] = {"/probe", NULL};
	static const struct tg_oci_mount mounts[] = {
		{.destination = "/tmp", .type = "tmpfs", .source = "tmpfs", .options = {"mode=1777"}},
		{.destination = "/bind", .type = "bind", .source = TG_ARENA_BIND, .options = {"rbind", "rw"}},
	};
	char cgroup[80];
	int rc;

	snprintf(l->cgroup, sizeof(l->cgroup), TG_CGROUP_TOP "/%s", id);
	snprintf(cgroup, sizeof(cgroup), "/%s", l->cgroup);
	l->config = tg_oci_spec_text(&(struct tg_oci_spec){
		.root = "rootfs",
		.args = probe,
		.env = tg_lane_environment,
		.mounts = mounts,
		.mount_count = sizeof(mounts) / sizeof(mounts[0]),
		.cgroups_path = cgroup,
	});
	if (!l->config)
		return tg_err_set(err, ENOMEM, "out of memory");
	rc = command(lane, l->argv[0], (const char *const[]){"run", "--bundle", TG_ARENA_BUNDLE, id, NULL},
		l->argv, err);
	if (rc >= 0)
		rc = command(lane, l->argv[0],
			(const char *const[]){"create", "--bundle", TG_ARENA_BUNDLE, id, NULL},
			l->steps[TG_STEP_CREATE], err);
	if (rc >= 0)
		rc = command(lane, l->argv[0], (const char *const[]){"start", id, NULL},
			l->steps[TG_STEP_START], err);
	if (rc >= 0)
		rc = command(lane, l->argv[0], (const char *const[]){"delete", id, NULL},
			l->steps[TG_STEP_DELETE], err);
	return rc;
}
