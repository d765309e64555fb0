#include "host/cgroup.h"
#include "common/limits.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TOP "/sys/fs/cgroup"

/* A cgroup directory goes by rmdir once its children are gone; its files are no obstacle. The kernel may take
 * a moment to let go of processes that have just died. */
static void remove_tree(const char *path, int depth)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	DIR *dir = depth > 0 ? opendir(path) : NULL;
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char sub[TG_PATH_MAX];

		if (e->d_type == DT_DIR && e->d_name[0] != '.' &&
			snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name) < (int)sizeof(sub))
			remove_tree(sub, depth - 1);
	}
	if (dir)
		closedir(dir);
	for (int i = 0; i < 500 && rmdir(path) < 0 && errno == EBUSY; i++)
		nanosleep(&moment, NULL);
}

static unsigned sweep_below(const char *hierarchy, const char *name)
{
	char path[TG_PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/%s", hierarchy, name) >= (int)sizeof(path) ||
		stat(path, &st) < 0)
		return 0;
	remove_tree(path, 8);
	return 1;
}

unsigned tg_cgroup_sweep(const char *name)
{
	unsigned found = sweep_below(TOP, name);
	DIR *dir = opendir(TOP);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char path[TG_PATH_MAX];

		if (e->d_type == DT_DIR && e->d_name[0] != '.' &&
			snprintf(path, sizeof(path), TOP "/%s", e->d_name) < (int)sizeof(path))
			found += sweep_below(path, name);
	}
	if (dir)
		closedir(dir);
	return found;
}
