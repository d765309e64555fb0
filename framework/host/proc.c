#include "host/proc.h"
#include "common/cleanup.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static ssize_t read_small(const char *path, char *buf, size_t size)
{
	tg_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (n >= 0)
		buf[n] = '\0';
	return n;
}

static pid_t parent_of(const char *pid)
{
	char path[64], buf[512];
	const char *p;
	int parent;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	if (read_small(path, buf, sizeof(buf)) <= 0)
		return -1;
	p = strrchr(buf, ')'); /* the name may hold anything */
	return p && sscanf(p + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

struct pair {
	pid_t pid, parent;
};

int tg_proc_descendants(pid_t top, pid_t pids[TG_PIDS_MAX])
{
	tg_autofree struct pair *all = NULL;
	size_t count = 0, room = 0;
	int found = 0;
	DIR *dir = opendir("/proc");
	struct dirent *e;

	if (!dir)
		return -errno;
	while ((e = readdir(dir))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		if (count == room) {
			struct pair *more = realloc(all, (room = room * 2 + 256) * sizeof(*all));

			if (!more) {
				closedir(dir);
				return -ENOMEM;
			}
			all = more;
		}
		all[count++] = (struct pair){atoi(e->d_name), parent_of(e->d_name)};
	}
	closedir(dir);
	for (int done = -1; done < found; done++) {
		pid_t parent = done < 0 ? top : pids[done];

		for (size_t i = 0; i < count && found < TG_PIDS_MAX; i++)
			if (all[i].parent == parent)
				pids[found++] = all[i].pid;
	}
	return found;
}

static bool placed(pid_t tid, const cpu_set_t *cpus)
{
	cpu_set_t is;

	return sched_getaffinity(tid, sizeof(is), &is) < 0 || CPU_EQUAL(&is, cpus);
}

static int place_threads(pid_t pid, const cpu_set_t *cpus, struct tg_err *err)
{
	char path[64];
	DIR *dir;
	struct dirent *e;
	int rc = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir)) && rc == 0) {
		pid_t tid = atoi(e->d_name);

		if (tid <= 0 || placed(tid, cpus))
			continue;
		sched_setaffinity(tid, sizeof(*cpus), cpus);
		if (!placed(tid, cpus))
			rc = tg_err_set(err, EPERM, "process %d thread %d runs on other CPUs than its lane's",
				pid, tid);
	}
	if (dir)
		closedir(dir);
	return rc;
}

int tg_proc_place(pid_t top, const cpu_set_t *cpus, struct tg_err *err)
{
	pid_t pids[TG_PIDS_MAX];
	int n = tg_proc_descendants(top, pids);

	if (n <= 0)
		return tg_err_set(err, n < 0 ? -n : ESRCH, "no process of the sandbox is to be seen in /proc");
	for (int i = 0; i < n; i++)
		if (place_threads(pids[i], cpus, err) < 0)
			return -err->code;
	return 0;
}

int tg_proc_pss_kib(pid_t top, uint64_t *kib, struct tg_err *err)
{
	pid_t pids[TG_PIDS_MAX];
	int n = tg_proc_descendants(top, pids);
	uint64_t sum = 0;

	if (n < 0)
		return tg_err_set(err, -n, "/proc: %s", strerror(-n));
	for (int i = 0; i < n; i++) {
		char path[64], buf[2048];
		const char *p;
		unsigned long v;

		snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pids[i]);
		if (read_small(path, buf, sizeof(buf)) <= 0)
			continue; /* a thread group that is just ending has no memory left */
		p = strstr(buf, "\nPss:");
		if (p && sscanf(p, "\nPss: %lu", &v) == 1)
			sum += v;
	}
	if (sum == 0)
		return tg_err_set(err, ESRCH, "no process of the sandbox has memory to be seen in /proc");
	*kib = sum;
	return 0;
}

static uint64_t threads_cpu_ns(pid_t pid)
{
	char path[64], buf[128];
	uint64_t sum = 0;
	DIR *dir;
	struct dirent *e;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		char stat[128];
		unsigned long ns;

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(stat, sizeof(stat), "/proc/%d/task/%.20s/schedstat", pid, e->d_name);
		if (read_small(stat, buf, sizeof(buf)) > 0 && sscanf(buf, "%lu", &ns) == 1)
			sum += ns;
	}
	if (dir)
		closedir(dir);
	return sum;
}

int tg_proc_cpu_us(pid_t top, uint64_t *us, struct tg_err *err)
{
	pid_t pids[TG_PIDS_MAX];
	int n = tg_proc_descendants(top, pids);
	uint64_t sum = 0;

	if (n <= 0)
		return tg_err_set(err, n < 0 ? -n : ESRCH, "no process of the sandbox is to be seen in /proc");
	for (int i = 0; i < n; i++)
		sum += threads_cpu_ns(pids[i]);
	*us = sum / 1000;
	return 0;
}
