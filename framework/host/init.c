#include "host/init.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "host/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <linux/magic.h>

#define NOTES_FD 3
#define GO_FD	 4
#define GRACE_NS (2 * TG_NS_PER_S)

static void tell(const struct tg_note *note)
{
	ssize_t n = write(NOTES_FD, note, sizeof(*note));

	(void)n; /* a conductor that is gone has taken us with it */
}

_Noreturn static void fail(const char *what, const char *where)
{
	struct tg_note note = {.kind = TG_NOTE_FAILED, .status = errno};

	snprintf(note.text, sizeof(note.text), "%s %.100s: %s", what, where, strerror(errno));
	tell(&note);
	_exit(1);
}

static void must(int rc, const char *what, const char *where)
{
	if (rc < 0)
		fail(what, where);
}

static void write_text(const char *path, const char *text, bool required)
{
	tg_autofd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	size_t len = strlen(text);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		must(required ? -1 : 0, "write", path);
}

/* All that the sandbox must not inherit goes; 0, 1, 2, notes and go stand at fixed places. */
static void settle_fds(struct tg_init *init)
{
	int *const fds[] = {&init->in, &init->out, &init->err, &init->notes, &init->go};

	for (size_t i = 0; i < TG_ARRAY_SIZE(fds); i++) {
		int high = fcntl(*fds[i], F_DUPFD, 64);

		must(high, "dup", "descriptor");
		*fds[i] = high;
	}
	dup2(init->in, 0);
	dup2(init->out, 1);
	dup2(init->err, 2);
	dup3(init->notes, NOTES_FD, O_CLOEXEC);
	dup3(init->go, GO_FD, O_CLOEXEC);
	must((int)syscall(SYS_close_range, GO_FD + 1, ~0U, 0), "close", "descriptors");
}

static void map_user(const struct tg_init *init)
{
	char map[64];

	write_text("/proc/self/setgroups", "deny", false);
	snprintf(map, sizeof(map), "0 %u 1", init->uid);
	write_text("/proc/self/uid_map", map, true);
	snprintf(map, sizeof(map), "0 %u 1", init->gid);
	write_text("/proc/self/gid_map", map, true);
}

static void copy_probe(int from, const char *to)
{
	tg_autofd int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	char buf[65536];
	ssize_t n;

	must(fd, "create", to);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(fd, buf, (size_t)n) != n)
			fail("write", to);
	must((int)n, "read", "the probe");
	must(fchmod(fd, 0755), "chmod", to);
}

static void make_dirs(const char *top, const char *const *names)
{
	char path[TG_PATH_MAX];

	for (; *names; names++) {
		snprintf(path, sizeof(path), "%s%s", top, *names);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			fail("mkdir", path);
	}
}

static const char *const root_dirs[] = {"/proc", "/dev", "/sys", "/tmp", "/bind", NULL};

/* crun refuses a machine with cgroup v1 and v2 beside each other: show it v2 alone. */
static void show_only_cgroup2(void)
{
	struct statfs fs;

	if (statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
		return;
	must(umount2("/sys/fs/cgroup", MNT_DETACH), "unmount", "/sys/fs/cgroup");
	must(mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL), "mount cgroup2 on", "/sys/fs/cgroup");
}

static void lay_out_arena(const struct tg_launch *launch)
{
	static const char *const dirs[] = {"/bundle", "/bundle/rootfs", "/bind", "/state", NULL};
	tg_autofd int probe = open(launch->probe, O_RDONLY | O_CLOEXEC);

	must(probe, "open", launch->probe);
	must(mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL), "make private", "/");
	must(mount("proc", "/proc", "proc", 0, NULL), "mount", "/proc");
	must(mount("tollgate", TG_ARENA, "tmpfs", 0, "mode=755"), "mount a tmpfs on", TG_ARENA);
	make_dirs(TG_ARENA, dirs);
	must(mount("tollgate", TG_ARENA_BIND, "tmpfs", 0, "mode=1777"), "mount a tmpfs on", TG_ARENA_BIND);
	make_dirs(TG_ARENA_ROOT, root_dirs);
	copy_probe(probe, TG_ARENA_ROOT "/probe");
	if (launch->config)
		write_text(TG_ARENA_BUNDLE "/config.json", launch->config, true);
	if (launch->only_cgroup2)
		show_only_cgroup2();
}

/* A child without namespaces: a plain directory of its own stands for the root. */
static void lay_out_plain(const struct tg_init *init)
{
	char path[TG_PATH_MAX];
	tg_autofd int probe = open(init->launch->probe, O_RDONLY | O_CLOEXEC);

	must(probe, "open", init->launch->probe);
	make_dirs(init->plain_dir, root_dirs);
	snprintf(path, sizeof(path), "%s/probe", init->plain_dir);
	copy_probe(probe, path);
}

static void make_node(const char *name, unsigned minor_nr)
{
	char path[64], host[64];

	snprintf(path, sizeof(path), TG_ARENA_ROOT "/dev/%s", name);
	snprintf(host, sizeof(host), "/dev/%s", name);
	if (mknod(path, S_IFCHR | 0666, makedev(1, minor_nr)) == 0 && chmod(path, 0666) == 0) {
		/* a namespace of a user may make a node that it may not open */
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd >= 0) {
			close(fd);
			return;
		}
	}
	write_text(path, "", true);
	must(mount(host, path, NULL, MS_BIND, NULL), "bind", host);
}

/* The tree of mounts that an OCI runtime makes of our config.json, for a probe that has no runtime. */
static void enter_root(void)
{
	must(unshare(CLONE_NEWNS), "unshare", "mounts");
	must(mount(TG_ARENA_ROOT, TG_ARENA_ROOT, NULL, MS_BIND | MS_REC, NULL), "bind", TG_ARENA_ROOT);
	must(mount("proc", TG_ARENA_ROOT "/proc", "proc", 0, NULL), "mount", "proc");
	must(mount("tmpfs", TG_ARENA_ROOT "/dev", "tmpfs", MS_NOSUID, "mode=755"), "mount", "dev");
	make_node("null", 3);
	make_node("zero", 5);
	make_node("full", 7);
	make_node("random", 8);
	make_node("urandom", 9);
	must(mount("tmpfs", TG_ARENA_ROOT "/tmp", "tmpfs", 0, "mode=1777"), "mount", "tmp");
	must(mount(TG_ARENA_BIND, TG_ARENA_ROOT "/bind", NULL, MS_BIND, NULL), "bind", "bind");
	must(chdir(TG_ARENA_ROOT), "enter", TG_ARENA_ROOT);
	must((int)syscall(SYS_pivot_root, ".", "."), "pivot_root", TG_ARENA_ROOT);
	must(umount2(".", MNT_DETACH), "detach", "the old root");
	must(chdir("/"), "enter", "/");
}

_Noreturn static void exec_runtime(const struct tg_init *init, char *const *argv)
{
	char probe[TG_PATH_MAX];
	char *plain[] = {probe, (char *)init->plain_dir, NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	must(sched_setaffinity(0, sizeof(init->cpus), &init->cpus), "set", "the CPU affinity");
	if (init->isolation == TG_ISOLATION_NONE) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(probe, sizeof(probe), "%s/probe", init->plain_dir);
		argv = plain;
	} else if (init->launch->enter_root) {
		enter_root();
	}
	execve(argv[0], argv, (char *const *)tg_lane_environment);
	fail("run", argv[0]);
}

static unsigned mount_count(void)
{
	tg_autofd int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	char buf[4096];
	unsigned lines = 0;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			lines += buf[i] == '\n';
	return lines;
}

/* Reap until nobody is left, for GRACE_NS past the runtime's own exit. Returns how many had to be killed. */
static unsigned reap(const struct tg_init *init, pid_t runtime, struct tg_note *note)
{
	const struct timespec tick = {.tv_nsec = 20000000};
	sigset_t chld;
	int status;
	pid_t pid;
	unsigned killed = 0;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	while ((pid = waitpid(-1, &status, WNOHANG)) >= 0 || errno != ECHILD) {
		if (pid == runtime) {
			note->status = status;
			note->exit_ns = tg_now_ns();
		} else if (pid > 0) {
			killed += killed > 0;
		} else if (note->exit_ns && tg_now_ns() > note->exit_ns + GRACE_NS && !killed &&
			init->isolation != TG_ISOLATION_NONE) { /* process 1 reaches its namespace, no further */
			kill(-1, SIGKILL);
			killed = 1;
		} else {
			/* no tick while the sandbox lives: it would be measured */
			sigtimedwait(&chld, NULL, note->exit_ns ? &tick : NULL);
		}
	}
	return killed ? killed - 1 : 0;
}

static pid_t spawn(const struct tg_init *init, char *const *argv)
{
	pid_t pid = fork();

	if (pid == 0)
		exec_runtime(init, argv);
	must(pid, "fork", argv[0]);
	return pid;
}

/* Run one step to its end; orphans of the sandbox that end meanwhile are reaped too. */
static int run_step(const struct tg_init *init, enum tg_step step)
{
	pid_t pid = spawn(init, init->launch->steps[step]), ended;
	int status = 0;

	do
		ended = waitpid(-1, &status, 0);
	while (ended != pid && (ended > 0 || errno == EINTR));
	return status;
}

/* The sandbox's processes are ours once `create` has come back; the last of them ends its life. */
static void wait_for_all(struct tg_note *note)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	note->exit_ns = tg_now_ns();
}

static void live_in_steps(const struct tg_init *init, struct tg_note *note)
{
	note->status = run_step(init, TG_STEP_CREATE);
	note->created_ns = tg_now_ns();
	if (note->status == 0)
		note->status = run_step(init, TG_STEP_START);
	note->started_ns = tg_now_ns();
	close(0);
	close(1);
	if (note->status == 0) {
		wait_for_all(note);
		note->status = run_step(init, TG_STEP_DELETE);
	}
	close(2);
}

static void watch_over(const struct tg_init *init, unsigned mounts)
{
	struct tg_note note = {.kind = TG_NOTE_EXITED, .spawn_ns = tg_now_ns()};
	unsigned left, mounts_left, groups;
	pid_t runtime = 0;

	if (init->launch->in_steps) {
		live_in_steps(init, &note);
	} else {
		runtime = spawn(init, init->launch->argv);
		close(0);
		close(1);
		close(2);
	}
	left = reap(init, runtime, &note);
	mounts_left = mount_count();
	mounts_left = mounts_left > mounts ? mounts_left - mounts : 0;
	groups = init->launch->cgroup[0] ? tg_cgroup_sweep(init->launch->cgroup) : 0;
	note.gone_ns = tg_now_ns();
	if (left + mounts_left + groups)
		snprintf(note.text, sizeof(note.text), "%u process(es), %u mount(s), %u cgroup(s)", left,
			mounts_left, groups);
	tell(&note);
}

_Noreturn void tg_init_main(struct tg_init *init)
{
	struct tg_note ready = {.kind = TG_NOTE_READY};
	sigset_t chld;
	char go;
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "tollgate-init");
	settle_fds(init);
	for (int s = 1; s < 32; s++)
		signal(s, SIG_DFL);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_SETMASK, &chld, NULL);
	if (init->isolation == TG_ISOLATION_USER)
		map_user(init);
	if (init->isolation == TG_ISOLATION_NONE)
		lay_out_plain(init);
	else
		lay_out_arena(init->launch);
	tell(&ready);
	do
		n = read(GO_FD, &go, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		watch_over(init, mount_count());
	_exit(0);
}
