/* test_suites.c: every body of every suite, natively: its system calls, what it leaves behind, its
 * errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "probe/turn.c" /* turns as the probe takes them; it is in no library */

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

#define NR_MAX 512
#define MIB    (UINT64_C(1) << 20)
#define MARK_PID                                                                                   \
	(-12345) /* getpgid of it, always refused, stands at both ends of what is counted */

static char scratch[64];

/* ---- which cases ---- */

static uint64_t file_bytes(const struct tg_case *c)
{
	static const struct {
		const char *bench;
		uint64_t fixed, per_param;
	} rows[] = {{"read_seq", 0, 1000}, {"write_seq", 0, 1000}, {"rand_read", 64 * MIB, 0},
		{"dd_write", 0, 256}, {"dd_read", 0, 256}};

	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].bench, c->bench->name) && !strcmp(c->suite->name, "file"))
			return rows[i].fixed + rows[i].per_param * (uint64_t)c->param;
	return 0;
}

/* Why a case is left out here, or NULL. */
static const char *left_out(const struct tg_case *c)
{
	cpu_set_t cpus;
	uint64_t bytes = file_bytes(c);

	if (c->bench->kind != TG_BODY)
		return "the host times it";
	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0 || c->bench->cpus > CPU_COUNT(&cpus))
		return "needs more CPUs";
	if (bytes > 100 * MIB || (bytes > 32 * MIB && c->place != TG_TMPFS))
		return "its file is too large for a test";
	return NULL;
}

/* ---- what a bench may leave behind: nothing ---- */

struct traces {
	int files, fds, threads, maps;
	cpu_set_t cpus;
};

static int counted;

static int count_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)st;
	(void)type;
	(void)ftw;
	counted++;
	return 0;
}

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static int lines(const char *path)
{
	FILE *f = fopen(path, "r");
	int n = 0, c;

	while (f && (c = fgetc(f)) != EOF)
		n += c == '\n';
	if (f)
		fclose(f);
	return n;
}

static struct traces traces(void)
{
	struct traces t = {.fds = entries("/proc/self/fd"),
		.threads = entries("/proc/self/task"),
		.maps = lines("/proc/self/maps")};

	counted = 0;
	nftw(scratch, count_file, 8, FTW_PHYS);
	t.files = counted;
	sched_getaffinity(0, sizeof(t.cpus), &t.cpus);
	return t;
}

/* What is here and was not before, into text; false if nothing. The allocator may keep a few
 * mappings. */
static bool left_behind(const struct traces *was, char text[128])
{
	struct traces is = traces();
	pid_t child = waitpid(-1, NULL, WNOHANG);
	bool childless = child < 0 && errno == ECHILD;

	/* a thread that was joined is in /proc for a moment more */
	for (int tries = 0; tries < 10000 && is.threads > was->threads; tries++) {
		sched_yield();
		is = traces();
	}
	if (is.files == was->files && is.fds == was->fds && is.threads == was->threads &&
		is.maps <= was->maps + 32 && childless && CPU_EQUAL(&is.cpus, &was->cpus))
		return false;
	snprintf(text, 128, "files %d, fds %d, threads %d, mappings %+d, child %d, cpus %s",
		is.files - was->files, is.fds - was->fds, is.threads - was->threads,
		is.maps - was->maps, (int)child,
		CPU_EQUAL(&is.cpus, &was->cpus) ? "same" : "other");
	return true;
}

static void every_case_runs_and_leaves_nothing_behind(void **state)
{
	static struct tg_stage stage;
	static struct tg_answer a;
	struct tg_case c;
	int failed = 0, ran = 0;

	(void)state;
	stage.root = scratch;
	for (size_t i = 0; tg_case_at(tg_suites, tg_suite_count, i, &c); i++) {
		struct tg_request req = {.warm_ops = 2, .ops = 3, .batches = 2};
		struct traces was;
		char text[128] = "";

		if (left_out(&c))
			continue;
		was = traces();
		strcpy(req.bench, c.name);
		a = (struct tg_answer){0};
		tg_turn(&stage, &req, &a);
		tg_stage_leave(&stage);
		ran++;
		if (a.error || a.batches != 2) {
			print_error("%s: %s, %u batches\n", c.name, strerror(a.error), a.batches);
			failed++;
		}
		if (left_behind(&was, text)) {
			print_error("%s leaves behind: %s\n", c.name, text);
			failed++;
		}
	}
	print_message("%d cases\n", ran);
	assert_int_equal(failed, 0);
	assert_true(ran > 150);
}

/* ---- system calls ---- */

struct tally {
	uint64_t count[NR_MAX];
	uint64_t last; /* the call that was entered */
	int marks;
	char error[128]; /* why nothing was counted */
};

/* The child: set up, one run to warm up what a libc keeps, then the run that is counted. */
_Noreturn static void be_counted(const struct tg_case *c, uint64_t ops, int ready, int go)
{
	static struct tg_stage stage;
	char byte = 0;
	int rc;

	stage.root = scratch;
	stage.c = *c;
	set_dir(&stage);
	stage.run = (struct tg_run){.param = c->param,
		.dir = stage.dir,
		.fd = {-1, -1},
		.ops = 2,
		.phases = c->bench->phases};
	stage.up = true;
	rc = c->bench->setup ? c->bench->setup(&stage.run) : 0;
	if (rc == 0)
		rc = c->bench->body(&stage.run);
	stage.run.ops = ops;
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		_exit(1);
	syscall(SYS_getpgid, MARK_PID);
	if (rc == 0)
		rc = c->bench->body(&stage.run);
	syscall(SYS_getpgid, MARK_PID);
	tg_stage_leave(&stage);
	_exit(-rc & 0xff);
}

static void note_call(pid_t pid, struct tally *t)
{
	struct __ptrace_syscall_info info = {0};

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0) {
		snprintf(
			t->error, sizeof(t->error), "PTRACE_GET_SYSCALL_INFO: %s", strerror(errno));
		return;
	}
	/* a fork or wait that met a signal is made again: an entry that came to nothing
	 * (ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND) */
	if (info.op == PTRACE_SYSCALL_INFO_EXIT && info.exit.rval <= -512 &&
		info.exit.rval >= -514 && t->marks == 1)
		t->count[t->last]--;
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;
	t->last = info.entry.nr < NR_MAX ? info.entry.nr : 0;
	if (info.entry.nr == SYS_getpgid && (int)info.entry.args[0] == MARK_PID)
		t->marks++;
	else if (t->marks == 1)
		t->count[t->last]++;
}

/* Counts the calls of the child's main thread alone: its children and threads are not traced. */
static void trace(pid_t pid, int go, struct tally *t)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0 ||
		ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0 || write(go, "", 1) != 1) {
		snprintf(t->error, sizeof(t->error), "no ptrace: %s", strerror(errno));
		kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		int sig = WSTOPSIG(status);

		if (sig == (SIGTRAP | 0x80))
			note_call(pid, t);
		if (sig == (SIGTRAP | 0x80) || status >> 16)
			sig = 0;
		ptrace(PTRACE_SYSCALL, pid, 0, sig);
	}
	if (!t->error[0] && (!WIFEXITED(status) || WEXITSTATUS(status)))
		snprintf(t->error, sizeof(t->error), "failed: status 0x%x (%s)", status,
			WIFEXITED(status) ? strerror(WEXITSTATUS(status)) : "killed");
}

static void tally(const struct tg_case *c, uint64_t ops, struct tally *t)
{
	int ready[2], go[2];
	char byte;
	pid_t pid;

	memset(t, 0, sizeof(*t));
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(go[1]); /* else a helper of the bench would keep it */
		be_counted(c, ops, ready[1], go[0]);
	}
	close(ready[1]);
	close(go[0]);
	if (read(ready[0], &byte, 1) == 1)
		trace(pid, go[1], t);
	else
		snprintf(t->error, sizeof(t->error), "died in its setup");
	close(ready[0]);
	close(go[1]);
	waitpid(pid, NULL, 0);
}

/* What the table does not declare, or declares wrongly, into text; false if nothing. */
static bool differs(const struct tg_case *c, const struct tally *t, uint64_t ops, char text[128])
{
	const struct tg_bench *b = c->bench;
	uint64_t times = ops * (b->flags & TG_CALLS_PER_PARAM ? (uint64_t)c->param : 1);

	if (t->error[0] || t->marks != 2) {
		snprintf(text, 128, "%.100s (%d marks)", t->error, t->marks);
		return true;
	}
	for (int nr = 0; nr < NR_MAX; nr++) {
		uint64_t least = 0, most;

		for (size_t i = 0; i < TG_ARRAY_SIZE(b->calls); i++)
			if (b->calls[i].count && b->calls[i].nr == nr)
				least += b->calls[i].count * times;
		most = least;
		for (size_t i = 0; i < TG_ARRAY_SIZE(b->extra); i++)
			if (b->extra[i].count && b->extra[i].nr == nr)
				most += b->extra[i].count;
		if (t->count[nr] < least || t->count[nr] > most) {
			snprintf(text, 128, "call %d: %llu in %llu ops, not %llu to %llu", nr,
				(unsigned long long)t->count[nr], (unsigned long long)ops,
				(unsigned long long)least, (unsigned long long)most);
			return true;
		}
	}
	return false;
}

static void calls_are_those_of_the_table(void **state)
{
	static struct tally t;
	struct tg_case c;
	int failed = 0, ran = 0;

	(void)state;
	for (size_t i = 0; tg_case_at(tg_suites, tg_suite_count, i, &c); i++) {
		uint64_t ops = c.bench->flags & TG_CALLS_PER_PARAM && c.param > 100 ? 3 : 20;
		char text[128];

		if (left_out(&c) || c.bench->flags & TG_CALLS_VARY)
			continue;
		/* the sanitizer unmaps shadow memory before each exec of a vfork */
		if (SANITIZED && !strcmp(c.name, "fork/vfork_exec"))
			continue;
		tally(&c, ops, &t);
		if (!strncmp(t.error, "no ptrace", strlen("no ptrace")) ||
			!strncmp(t.error, "PTRACE_", strlen("PTRACE_"))) {
			print_message("%s\n", t.error);
			skip();
		}
		ran++;
		if (differs(&c, &t, ops, text)) {
			print_error("%s: %s\n", c.name, text);
			failed++;
		}
	}
	print_message("%d cases\n", ran);
	assert_int_equal(failed, 0);
	assert_true(ran > 100);
}

/* a rewind runs once a round: not in every sub-batch, and not unseen */
static void rewinds_are_one_in_a_round(void **state)
{
	static const struct {
		const char *bench;
		uint64_t ops, rewinds;
	} rows[] = {{"file/read_seq/tmpfs/4096", 998, 0}, {"file/read_seq/tmpfs/4096", 999, 1},
		{"file/write_seq/tmpfs/4096", 1998, 1}, {"file/write_seq/tmpfs/4096", 1999, 2},
		{"syscall/write_file/65536", 76, 1}, {"syscall/write_file/65536", 77, 2}};
	static struct tally t;

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_case c;

		assert_true(tg_case_find(tg_suites, tg_suite_count, rows[i].bench, &c));
		tally(&c, rows[i].ops, &t);
		if (!strncmp(t.error, "no ptrace", strlen("no ptrace")))
			skip();
		if (t.error[0] || t.count[SYS_lseek] != rows[i].rewinds)
			fail_msg("row %zu: %llu rewinds %s", i,
				(unsigned long long)t.count[SYS_lseek], t.error);
	}
}

/* ---- the counting itself: a wrong table must not pass ---- */

static int two_calls(struct tg_run *run)
{
	for (uint64_t i = 0; i < run->ops; i++)
		if (syscall(SYS_getppid) < 0 || syscall(SYS_getuid) < 0)
			return -errno;
	return 0;
}

static int fails_after_warming(struct tg_run *run)
{
	return run->ops > 2 ? -EXDEV : 0;
}

static void wrong_tables_are_found(void **state)
{
	static const struct tg_bench rows[] = {
		TG_BENCH("one missing", .body = two_calls, .calls = {{SYS_getppid, 1}}),
		TG_BENCH("none declared", .body = two_calls),
		TG_BENCH("too many", .body = two_calls,
			.calls = {{SYS_getppid, 1}, {SYS_getuid, 2}}),
		TG_BENCH("never made", .body = two_calls,
			.calls = {{SYS_getppid, 1}, {SYS_getuid, 1}, {SYS_getgid, 1}}),
		TG_BENCH("more than besides", .body = two_calls, .calls = {{SYS_getppid, 1}},
			.extra = {{SYS_getuid, 19}}),
		TG_BENCH("times the parameter", .body = two_calls, .flags = TG_CALLS_PER_PARAM,
			.calls = {{SYS_getppid, 1}, {SYS_getuid, 1}}),
		TG_BENCH("fails", .body = fails_after_warming),
	};
	static const struct tg_bench right = TG_BENCH("right", .body = two_calls,
		.calls = {{SYS_getppid, 1}}, .extra = {{SYS_getuid, 20}});
	static const struct tg_suite suite = {"wrong", rows, TG_ARRAY_SIZE(rows)};
	static struct tally t;
	char text[128];

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		struct tg_case c = {.suite = &suite, .bench = &rows[i], .param = 2};

		tally(&c, 20, &t);
		if (!strncmp(t.error, "no ptrace", strlen("no ptrace")))
			skip();
		if (!differs(&c, &t, 20, text))
			fail_msg("row %zu, \"%s\", passes", i, rows[i].name);
	}
	tally(&(struct tg_case){.suite = &suite, .bench = &right}, 20, &t);
	if (differs(&(struct tg_case){.suite = &suite, .bench = &right}, &t, 20, text))
		fail_msg("the right one does not pass: %s", text);
}

/* ---- an operation that fails is an error, never a time ---- */

/* From now on these calls of this process fail with `error`. */
static int deny(const int *nr, size_t count, int error)
{
	struct sock_filter code[16] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
	struct sock_fprog program = {.filter = code};
	size_t n = 1;

	for (size_t i = 0; i < count; i++)
		code[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr[i], (uint8_t)(count - i), 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] =
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

static int deny_fork(struct tg_stage *stage)
{
	static const int calls[] = {SYS_clone, SYS_clone3,
#ifdef SYS_vfork
		SYS_vfork, SYS_fork
#endif
	};

	(void)stage;
	return deny(calls, TG_ARRAY_SIZE(calls), EAGAIN);
}

static int deny_exec(struct tg_stage *stage)
{
	(void)stage;
	return deny((const int[]){SYS_execve}, 1, EACCES);
}

static int deny_read(struct tg_stage *stage)
{
	(void)stage;
	return deny((const int[]){SYS_read}, 1, ENXIO);
}

static int limit(int resource, rlim_t most)
{
	struct rlimit r;

	if (getrlimit((__rlimit_resource_t)resource, &r) < 0)
		return -errno;
	r.rlim_cur = most;
	return setrlimit((__rlimit_resource_t)resource, &r) < 0 ? -errno : 0;
}

static int no_more_fds(struct tg_stage *stage)
{
	(void)stage;
	return limit(RLIMIT_NOFILE, 3);
}

static int no_more_memory(struct tg_stage *stage)
{
	(void)stage;
	return limit(RLIMIT_AS, 4096);
}

static int no_more_bytes(struct tg_stage *stage)
{
	(void)stage;
	signal(SIGXFSZ, SIG_IGN);
	return limit(RLIMIT_FSIZE, 0);
}

static int close_file(struct tg_stage *stage)
{
	return close(stage->run.fd[0]);
}

static int empty_file(struct tg_stage *stage)
{
	char link[64], path[TG_PATH_MAX] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", stage->run.fd[0]);
	return readlink(link, path, sizeof(path) - 1) < 0 || truncate(path, 0) < 0 ? -errno : 0;
}

static int other_root(struct tg_stage *stage)
{
	tg_stage_leave(stage);
	stage->root = "/no/such/root";
	return 0;
}

static int remove_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_F)
		unlink(path);
	return 0;
}

static int remove_files(struct tg_stage *stage)
{
	return nftw(stage->dir, remove_file, 8, FTW_PHYS);
}

static const struct {
	const char *bench;
	int (*sabotage)(struct tg_stage *stage);
	int error;
} failing[] = {
	{"syscall/dup_close", no_more_fds, EMFILE},
	{"syscall/write_null", close_file, EBADF},
	{"syscall/read_zero", deny_read, ENXIO},
	{"syscall/write_file/4000", other_root, ENOENT},
	{"syscall/write_file/4000", no_more_bytes, EFBIG},
	{"syscall/class_host/bind", empty_file, EIO},
	{"syscall/class_gofer/bind", remove_files, ENOENT},
	{"memory/malloc_touch_free/1048576", no_more_memory, ENOMEM},
	{"memory/malloc_notouch_free/1048576", no_more_memory, ENOMEM},
	{"memory/malloc_touch_nofree/1048576", no_more_memory, ENOMEM},
	{"memory/mmap_anon_free/4096", no_more_memory, ENOMEM},
	{"memory/mmap_live/shared/1000", no_more_memory, ENOMEM},
	{"memory/map_1g/4096", no_more_memory, ENOMEM},
	{"memory/map_touch_unmap/1", no_more_memory, ENOMEM},
	{"memory/map_touch_many/64", no_more_memory, ENOMEM},
	{"memory/brk", no_more_memory, ENOMEM},
	{"memory/mmap_private_free/4096", other_root, ENOENT},
	{"memory/mmap_private_free/4096", close_file, EBADF},
	{"file/open_close/tmpfs", no_more_fds, EMFILE},
	{"file/open_close/bind", remove_files, ENOENT},
	{"file/open_close/root", other_root, ENOENT},
	{"file/open_close_many/bind/64", remove_files, ENOENT},
	{"file/open_read_close/tmpfs/64", remove_files, ENOENT},
	{"file/read/bind/4096", empty_file, EIO},
	{"file/read_seq/tmpfs/4096", empty_file, EIO},
	{"file/write/root/4096", no_more_bytes, EFBIG},
	{"file/append/tmpfs", no_more_bytes, EFBIG},
	{"file/stat/tmpfs/8", remove_files, ENOENT},
	{"file/rename/bind", remove_files, ENOENT},
	{"file/create_unlink/tmpfs", no_more_fds, EMFILE},
	{"file/unlink/tmpfs", no_more_fds, EMFILE},
	{"file/getdents/tmpfs/64", remove_files, EIO},
	{"file/fsync/tmpfs", close_file, EBADF},
	{"file/dd_write/tmpfs/65536", no_more_bytes, EFBIG},
	{"fork/fork_exit_wait/0", deny_fork, EAGAIN},
	{"fork/fork_exec", deny_fork, EAGAIN},
	{"fork/fork_exec", deny_exec, EACCES},
	{"fork/vfork_exec", deny_fork, EAGAIN},
	{"fork/vfork_exec", deny_exec, EACCES},
	{"fork/posix_spawn", deny_fork, EAGAIN},
	{"fork/posix_spawn", deny_exec, EACCES},
	{"fork/process_lifecycle/8", deny_fork, EAGAIN},
	{"fork/thread_create_join", deny_fork, EAGAIN},
	{"fork/pipe_pingpong", deny_read, ENXIO},
	{"fork/thread_switch/2", deny_read, ENXIO},
};

/* Exits 0 when the turn is refused with the errno and says no time. */
_Noreturn static void fail_in_child(size_t row)
{
	static struct tg_stage stage;
	static struct tg_answer a;
	struct tg_request req = {.warm_ops = 1, .ops = 4, .batches = 2};
	int rc;

	stage.root = scratch;
	strcpy(req.bench, failing[row].bench);
	rc = tg_stage_enter(&stage, req.bench);
	if (rc == 0)
		rc = failing[row].sabotage(&stage);
	if (rc == 0) {
		tg_turn(&stage, &req, &a);
		rc = a.error == failing[row].error && a.batches == 0 ? 0 : -1;
	}
	if (rc < 0)
		print_error("set up: %d; answer: error %d, %u batches\n", rc, a.error, a.batches);
	tg_stage_leave(&stage);
	_exit(rc < 0);
}

static void failing_operations_are_errors_and_no_times(void **state)
{
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(failing); i++) {
		int status = 0;
		pid_t pid;

		/* the sanitizer's own memory does not fit under the limit */
		if (SANITIZED && failing[i].sabotage == no_more_memory)
			continue;
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			fail_in_child(i);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status) {
			print_error("row %zu, %s: not errno %d (status 0x%x)\n", i,
				failing[i].bench, failing[i].error, status);
			failed++;
		}
	}
	assert_int_equal(failed, 0);
}

/* ---- names ---- */

static void rows_are_of_one_kind(void **state)
{
	struct tg_case c;

	(void)state;
	for (size_t i = 0; tg_case_at(tg_suites, tg_suite_count, i, &c); i++) {
		const struct tg_bench *b = c.bench;
		struct tg_case found;

		if (strlen(c.name) + 1 >= TG_BENCH_NAME_MAX ||
			!tg_case_find(tg_suites, tg_suite_count, c.name, &found) ||
			found.bench != b)
			fail_msg("%s: too long, or not the only one of this name", c.name);
		if (!b->body != (b->kind != TG_BODY))
			fail_msg(
				"%s: a body, and not of kind BODY, or the other way round", c.name);
		if (b->flags & TG_CALLS_VARY && b->calls[0].count)
			fail_msg("%s: calls that vary, and a list of them", c.name);
		if (!!b->turn_ops_max + !!b->turn_bytes_max != !!(b->flags & TG_FRESH))
			fail_msg("%s: a bench that leaks is FRESH and has one bound", c.name);
		if (b->flags & TG_CALLS_PER_PARAM && c.param < 1)
			fail_msg("%s: calls for each of no parameter", c.name);
	}
}

static int make_scratch(void **state)
{
	struct statvfs fs;
	char path[80];
	/* thousands of files: on a tmpfs, where there is one with room */
	bool shm = statvfs("/dev/shm", &fs) == 0 && fs.f_bavail * fs.f_bsize > 512 * MIB &&
		access("/dev/shm", W_OK) == 0;

	(void)state;
	strcpy(scratch, shm ? "/dev/shm/tollgate-suites-XXXXXX" : "/tmp/tollgate-suites-XXXXXX");
	if (!mkdtemp(scratch))
		return -1;
	for (const char *const *d = (const char *const[]){"tmp", "bind", NULL}; *d; d++) {
		snprintf(path, sizeof(path), "%s/%s", scratch, *d);
		if (mkdir(path, 0700) < 0)
			return -1;
	}
	return 0;
}

static int remove_any(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int drop_scratch(void **state)
{
	(void)state;
	return nftw(scratch, remove_any, 8, FTW_DEPTH | FTW_PHYS);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_of_one_kind),
		cmocka_unit_test(every_case_runs_and_leaves_nothing_behind),
		cmocka_unit_test(wrong_tables_are_found),
		cmocka_unit_test(calls_are_those_of_the_table),
		cmocka_unit_test(rewinds_are_one_in_a_round),
		cmocka_unit_test(failing_operations_are_errors_and_no_times),
	};

	if (argc > 1 && !strcmp(argv[1], "--noop"))
		_exit(0); /* stands in for the probe where a bench runs itself */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("suites", tests, make_scratch, drop_scratch);
}
