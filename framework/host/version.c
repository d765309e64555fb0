#include "host/version.h"
#include "common/cleanup.h"
#include "lanes/launch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>

static pid_t run(const char *path, int out)
{
	char *const argv[] = {(char *)path, "--version", NULL};
	pid_t pid = fork();
	int null;

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null, 0);
	dup2(out, 1);
	dup2(null, 2);
	execve(path, argv, (char *const *)tg_lane_environment);
	_exit(127);
}

void tg_lane_version(const struct tg_lane *lane, char *out, size_t size)
{
	char path[TG_PATH_MAX];
	int ends[2];
	size_t used = 0;
	ssize_t n = 1;
	pid_t pid;

	out[0] = '\0';
	if (lane->kind == TG_LANE_NATIVE) {
		struct utsname u;

		if (uname(&u) == 0)
			snprintf(out, size, "Linux %s", u.release);
		return;
	}
	if (tg_lane_find_runtime(lane, path, NULL) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return;
	pid = run(path, ends[1]);
	close(ends[1]);
	while (n > 0 && used < size - 1 && !memchr(out, '\n', used)) {
		struct pollfd fd = {.fd = ends[0], .events = POLLIN};

		n = poll(&fd, 1, 2000) > 0 ? read(ends[0], out + used, size - 1 - used) : 0;
		used += n > 0 ? (size_t)n : 0;
	}
	close(ends[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	out[used] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	for (char *p = out; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}
