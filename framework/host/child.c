#include "host/child.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "host/cgroup.h"
#include "host/init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int wait_pid(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

enum tg_isolation tg_isolation_find(void)
{
	pid_t pid;

	if (geteuid() == 0)
		return TG_ISOLATION_ROOT;
	pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) < 0 ||
			mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
			mount("tollgate", TG_ARENA, "tmpfs", 0, "mode=755") < 0);
	return pid > 0 && wait_pid(pid) == 0 ? TG_ISOLATION_USER : TG_ISOLATION_NONE;
}

/* ---- the pipes ---- */

enum { IN, OUT, ERR, GO, NOTES, PIPES };

static void close_pipes(int pipes[PIPES][2])
{
	for (int i = 0; i < PIPES; i++)
		for (int end = 0; end < 2; end++)
			if (pipes[i][end] >= 0)
				close(pipes[i][end]);
}

static int open_pipes(int pipes[PIPES][2])
{
	memset(pipes, -1, PIPES * sizeof(pipes[0]));
	for (int i = 0; i < PIPES; i++)
		if (pipe2(pipes[i], O_CLOEXEC) < 0)
			return -1;
	return 0;
}

static int keep(int pipes[PIPES][2], int which, int end)
{
	int fd = pipes[which][end];

	pipes[which][end] = -1;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* ---- start ---- */

static pid_t clone_init(struct tg_init *init)
{
	static const unsigned long spaces[] = {
		[TG_ISOLATION_ROOT] = CLONE_NEWNS | CLONE_NEWPID,
		[TG_ISOLATION_USER] = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID,
	};
	unsigned long flags = init->isolation == TG_ISOLATION_NONE ? 0 : spaces[init->isolation];
	pid_t pid;

	/* a plain fork where none are wanted, so that sanitizers and coverage see it as one */
	pid = flags ? (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0) : fork();
	if (pid == 0)
		tg_init_main(init);
	return pid;
}

int tg_child_start(const struct tg_launch *launch, const cpu_set_t *cpus, enum tg_isolation isolation,
	struct tg_child *c, struct tg_err *err)
{
	struct tg_init init = {.launch = launch, .cpus = *cpus, .isolation = isolation,
		.uid = geteuid(), .gid = getegid()};
	int pipes[PIPES][2];

	*c = (struct tg_child){.in = -1, .out = -1, .err = -1, .go = -1, .notes = -1};
	if (isolation != TG_ISOLATION_ROOT && launch->config)
		return tg_err_set(err, EPERM, "needs root");
	if (isolation == TG_ISOLATION_NONE && !launch->enter_root)
		return tg_err_set(err, EPERM, "needs root, or a kernel that gives users namespaces");
	snprintf(c->cgroup, sizeof(c->cgroup), "%s", launch->cgroup);
	if (isolation == TG_ISOLATION_NONE) {
		strcpy(c->plain_dir, "/tmp/tollgate-XXXXXX");
		if (!mkdtemp(c->plain_dir))
			return tg_err_set(err, errno, "mkdtemp /tmp/tollgate-XXXXXX: %s", strerror(errno));
		init.plain_dir = c->plain_dir;
	}
	if (open_pipes(pipes) < 0) {
		close_pipes(pipes);
		return tg_err_set(err, errno, "pipe: %s", strerror(errno));
	}
	init.in = pipes[IN][0];
	init.out = pipes[OUT][1];
	init.err = pipes[ERR][1];
	init.go = pipes[GO][0];
	init.notes = pipes[NOTES][1];
	c->pid = clone_init(&init);
	if (c->pid < 0) {
		c->pid = 0;
		close_pipes(pipes);
		return tg_err_set(err, errno, "clone: %s", strerror(errno));
	}
	c->in = keep(pipes, IN, 1);
	c->out = keep(pipes, OUT, 0);
	c->err = keep(pipes, ERR, 0);
	c->go = keep(pipes, GO, 1);
	c->notes = keep(pipes, NOTES, 0);
	close_pipes(pipes);
	return 0;
}

/* ---- what comes out ---- */

/* Keep the last of stderr, as one printable line. */
static void take_stderr(struct tg_child *c)
{
	char buf[512];
	ssize_t n = read(c->err, buf, sizeof(buf));
	size_t used = strlen(c->tail);

	if (n <= 0) {
		if (n == 0) {
			close(c->err);
			c->err = -1;
		}
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		char ch = buf[i] == '\n' || buf[i] == '\t' ? ' ' : buf[i];

		if (ch < ' ' || ch > '~')
			continue;
		if (used == sizeof(c->tail) - 1) {
			memmove(c->tail, c->tail + used / 2, used - used / 2);
			used -= used / 2;
		}
		c->tail[used++] = ch;
	}
	c->tail[used] = '\0';
}

static void take_note(struct tg_child *c, bool *ready)
{
	struct tg_note note;

	if (read(c->notes, &note, sizeof(note)) != (ssize_t)sizeof(note)) {
		close(c->notes);
		c->notes = -1;
		return;
	}
	note.text[sizeof(note.text) - 1] = '\0';
	if (note.kind == TG_NOTE_READY) {
		*ready = true;
	} else if (note.kind == TG_NOTE_FAILED) {
		snprintf(c->died, sizeof(c->died), "%s", note.text);
	} else {
		c->exited = true;
		c->life.spawn_ns = note.spawn_ns;
		c->life.created_ns = note.created_ns;
		c->life.started_ns = note.started_ns;
		c->life.exit_ns = note.exit_ns;
		c->life.gone_ns = note.gone_ns;
		c->life.status = note.status;
		snprintf(c->life.left, sizeof(c->life.left), "%.127s", note.text);
	}
}

static void take_stdout(struct tg_child *c)
{
	ssize_t n = read(c->out, c->line + c->line_len, sizeof(c->line) - c->line_len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close(c->out);
		c->out = -1;
		return;
	}
	if (!c->life.first_byte_ns)
		c->life.first_byte_ns = tg_now_ns();
	c->line_len += (size_t)n;
}

/* Wait for one event. False past the deadline, or when nothing can come any more. */
static bool pump(struct tg_child *c, uint64_t deadline_ns, bool *ready)
{
	bool room = c->line_len < sizeof(c->line);
	struct pollfd fds[] = {{.fd = room ? c->out : -1, .events = POLLIN},
		{.fd = c->err, .events = POLLIN}, {.fd = c->notes, .events = POLLIN}};
	uint64_t now = tg_now_ns();
	struct timespec left = {0};
	int n;

	if (fds[0].fd < 0 && fds[1].fd < 0 && fds[2].fd < 0)
		return false;
	if (deadline_ns > now) {
		left.tv_sec = (time_t)((deadline_ns - now) / TG_NS_PER_S);
		left.tv_nsec = (long)((deadline_ns - now) % TG_NS_PER_S);
	}
	n = ppoll(fds, TG_ARRAY_SIZE(fds), &left, NULL);
	if (n < 0)
		return errno == EINTR;
	if (n == 0)
		return false;
	if (fds[0].revents)
		take_stdout(c);
	if (fds[1].revents)
		take_stderr(c);
	if (fds[2].revents)
		take_note(c, ready);
	return true;
}

/* Say what is known of an end: "WHAT (exit status N): reason; stderr: …" */
static int gone(struct tg_child *c, int code, const char *what, struct tg_err *err)
{
	size_t len = strlen(c->tail);
	char how[64] = "";

	while (len && c->tail[len - 1] == ' ')
		c->tail[--len] = '\0';
	if (c->exited && WIFSIGNALED(c->life.status))
		snprintf(how, sizeof(how), " (killed by signal %d)", WTERMSIG(c->life.status));
	else if (c->exited)
		snprintf(how, sizeof(how), " (exit status %d)", WEXITSTATUS(c->life.status));
	/* the end of stderr says most */
	return tg_err_set(err, code, "%s%s%s%s%s%s", what, how, c->died[0] ? ": " : "", c->died,
		len ? "; stderr: " : "", len > 120 ? c->tail + len - 120 : c->tail);
}

int tg_child_go(struct tg_child *c, uint64_t deadline_ns, struct tg_err *err)
{
	bool ready = false;

	while (!ready && !c->died[0])
		if (!pump(c, deadline_ns, &ready))
			return gone(c, c->notes < 0 ? EPIPE : ETIMEDOUT, "its init did not come up", err);
	if (c->died[0])
		return gone(c, EIO, "its init failed", err);
	if (write(c->go, "g", 1) != 1)
		return gone(c, EPIPE, "its init went away", err);
	return 0;
}

int tg_child_send(struct tg_child *c, const char *line, size_t len, struct tg_err *err)
{
	/* requests are far smaller than a pipe: a full one means that nobody reads */
	ssize_t n = c->in >= 0 ? write(c->in, line, len) : -1;

	if (n != (ssize_t)len)
		return gone(c, EPIPE, "it does not take requests", err);
	return 0;
}

static bool take_line(struct tg_child *c, char *line, bool *bad)
{
	char *nl = memchr(c->line, '\n', c->line_len);
	size_t len;

	if (!nl) {
		*bad = c->line_len >= TG_LINE_MAX;
		return *bad;
	}
	len = (size_t)(nl - c->line);
	*bad = len >= TG_LINE_MAX;
	if (!*bad) {
		memcpy(line, c->line, len);
		if (len && line[len - 1] == '\r')
			len--;
		line[len] = '\0';
		for (size_t i = 0; i < len; i++)
			*bad |= line[i] < ' ' || line[i] > '~';
	}
	c->line_len -= (size_t)(nl + 1 - c->line);
	memmove(c->line, nl + 1, c->line_len);
	return true;
}

int tg_child_read(struct tg_child *c, uint64_t deadline_ns, char *line, struct tg_err *err)
{
	bool bad = false, ready = false;

	while (!take_line(c, line, &bad)) {
		bool more = pump(c, deadline_ns, &ready);

		if (c->out < 0 || c->exited || c->died[0]) {
			/* let the exit note and the rest of stderr arrive: they say why */
			uint64_t soon = tg_now_ns() + TG_NS_PER_S / 5;

			while ((!c->exited || c->err >= 0) && pump(c, soon, &ready))
				;
			if (take_line(c, line, &bad))
				break;
			return gone(c, EPIPE, "it ended", err);
		}
		if (!more)
			return gone(c, ETIMEDOUT, "no answer in time", err);
	}
	return bad ? gone(c, EPROTO, "it printed garbage", err) : 0;
}

/* ---- the end ---- */

int tg_child_remove_plain(int parent, const char *name)
{
	static const char *const dirs[] = {"proc", "dev", "sys", "tmp", "bind", "."};
	tg_autofd int top = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	for (size_t i = 0; top >= 0 && i < TG_ARRAY_SIZE(dirs); i++) {
		int fd = openat(top, dirs[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
		struct dirent *e;

		while (dir && (e = readdir(dir)))
			unlinkat(dirfd(dir), e->d_name, 0); /* a directory stays */
		if (dir)
			closedir(dir);
		unlinkat(top, dirs[i], AT_REMOVEDIR);
	}
	return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

/* The init is dead or dying: with it go all processes and mounts. Release the rest. */
static void release(struct tg_child *c)
{
	int *const fds[] = {&c->in, &c->out, &c->err, &c->go, &c->notes};

	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		wait_pid(c->pid);
	}
	c->pid = 0;
	for (size_t i = 0; i < TG_ARRAY_SIZE(fds); i++)
		if (*fds[i] >= 0) {
			close(*fds[i]);
			*fds[i] = -1;
		}
	if (c->cgroup[0])
		tg_cgroup_sweep(c->cgroup);
	if (c->plain_dir[0])
		tg_child_remove_plain(AT_FDCWD, c->plain_dir);
}

int tg_child_end(struct tg_child *c, uint64_t deadline_ns, struct tg_err *err)
{
	bool ready = false;
	int rc = 0;

	if (c->pid <= 0)
		return 0;
	if (c->in >= 0)
		close(c->in);
	c->in = -1;
	while (!c->exited && !c->died[0] && c->notes >= 0) {
		c->line_len = 0; /* nobody reads it any more */
		if (!pump(c, deadline_ns, &ready))
			break;
	}
	/* nobody holds its stderr any more: what it said last is there, and then its end */
	while (c->exited && c->err >= 0) {
		c->line_len = 0;
		if (!pump(c, deadline_ns, &ready))
			break;
	}
	if (!c->exited)
		rc = gone(c, ETIMEDOUT, "it did not end when told", err);
	else if (c->life.left[0])
		rc = tg_err_set(err, EBUSY, "it left %s behind", c->life.left);
	else if (c->life.status != 0)
		rc = gone(c, EIO, "it ended badly", err);
	release(c);
	return rc;
}

void tg_child_kill(struct tg_child *c)
{
	if (c->pid > 0)
		release(c);
}
