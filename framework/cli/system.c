/* What a run asks of the machine as a whole: one conductor at a time, signals, nothing left of killed ones. */
#include "cli/commands.h"
#include "host/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

volatile int tg_signal;

static void on_signal(int nr)
{
	tg_signal = nr;
}

void tg_signals_catch(void)
{
	static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction act = {.sa_handler = on_signal};

	for (size_t i = 0; i < TG_ARRAY_SIZE(caught); i++)
		sigaction(caught[i], &act, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static bool locked;

/* An abstract socket is a lock without a file: the kernel drops it with its holder, however that ends. */
int tg_lock(struct tg_err *err)
{
	static const char name[] = "tollgate.conductor";
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(at.sun_path + 1, name, sizeof(name) - 1);
	if (fd < 0)
		return tg_err_set(err, errno, "socket: %s", strerror(errno));
	locked = bind(fd, (struct sockaddr *)&at,
			 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(name))) == 0;
	if (locked)
		return 0; /* held until this process ends */
	close(fd);
	return tg_err_set(err, EBUSY, "another tollgate is measuring on this machine: wait for it to end");
}

/* Directories of children that had no namespaces: /tmp/tollgate-XXXXXX, ours, with nothing but what we made. */
static unsigned sweep_plain(void)
{
	unsigned n = 0;
	DIR *dir = opendir("/tmp");
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		struct stat st;

		if (strncmp(e->d_name, "tollgate-", 9) != 0 || strlen(e->d_name) != 15 ||
			fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
			continue;
		n += (unsigned)tg_child_remove_plain(dirfd(dir), e->d_name);
	}
	if (dir)
		closedir(dir);
	return n;
}

unsigned tg_sweep(void)
{
	if (!locked)
		return 0; /* another one's sandboxes may be alive */
	return tg_cgroup_sweep(TG_CGROUP_TOP) + sweep_plain();
}
