/* cgroup.h: removing what a sandbox leaves in the cgroup file systems. */
#ifndef TG_HOST_CGROUP_H
#define TG_HOST_CGROUP_H

/*
 * Remove the directory `name` (relative: "tollgate/x-1", or "tollgate" at the very end) and all below it in every
 * hierarchy mounted at or below /sys/fs/cgroup; what still has processes stays. Returns how many had it.
 */
unsigned tg_cgroup_sweep(const char *name);

#endif
