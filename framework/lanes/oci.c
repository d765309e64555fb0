/* oci: any runtime with the command line of runc: PATH [ARGS] --root STATE run --bundle BUNDLE ID. */
#include "lanes/kinds.h"
#include "store/oci_spec.h"

#include <errno.h>
#include <stdio.h>

int tg_oci_launch(const struct tg_lane *lane, const char *id, struct tg_launch *l, struct tg_err *err)
{
	static const char *const probe[] = {"/probe", NULL};
	static const struct tg_oci_mount mounts[] = {
		{.destination = "/tmp", .type = "tmpfs", .source = "tmpfs", .options = {"mode=1777"}},
		{.destination = "/bind", .type = "bind", .source = TG_ARENA_BIND, .options = {"rbind", "rw"}},
	};
	char cgroup[80];
	int rc = 0;

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
	for (size_t i = 0; i < lane->arg_count && rc >= 0; i++)
		rc = tg_launch_arg(l, lane->args[i], err);
	if (rc >= 0)
		rc = tg_launch_args(l,
			(const char *const[]){"--root", TG_ARENA_STATE, "run", "--bundle", TG_ARENA_BUNDLE, id,
				NULL},
			err);
	return rc;
}
