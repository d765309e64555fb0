/* syscall: what one kernel entry costs. */
#include "tollgate.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

/* What a call says that should have moved `want` bytes: 0, or -errno; a short one is an error too.
 */
static int moved(ssize_t n, size_t want)
{
	if (n == (ssize_t)want)
		return 0;
	return n < 0 ? -errno : -EIO;
}

/* raw: libc's own getpid was cached before glibc 2.25 */
static int getpid_raw(struct tg_run *run)
{
	for (uint64_t i = 0; i < run->ops; i++)
		if (syscall(SYS_getpid) < 0)
			return -errno;
	return 0;
}

#ifdef __x86_64__
/* mov $NR,%eax; syscall: the one pattern that gVisor's systrap patches into a function call */
static int getpid_inline(struct tg_run *run)
{
	for (uint64_t i = 0; i < run->ops; i++) {
		long rc;

		__asm__ volatile("mov %1, %%eax\n\tsyscall"
				 : "=&a"(rc)
				 : "i"(SYS_getpid)
				 : "rcx", "r11", "memory");
		if (rc < 0)
			return (int)rc;
	}
	return 0;
}
#endif

static int getppid_raw(struct tg_run *run)
{
	for (uint64_t i = 0; i < run->ops; i++)
		if (syscall(SYS_getppid) < 0)
			return -errno;
	return 0;
}

static int getuid_raw(struct tg_run *run)
{
	for (uint64_t i = 0; i < run->ops; i++)
		if (syscall(SYS_getuid) < 0)
			return -errno;
	return 0;
}

static int clock_gettime_vdso(struct tg_run *run)
{
	struct timespec ts;

	for (uint64_t i = 0; i < run->ops; i++)
		if (clock_gettime(CLOCK_MONOTONIC, &ts) < 0)
			return -errno;
	return 0;
}

static int clock_gettime_raw(struct tg_run *run)
{
	struct timespec ts;

	for (uint64_t i = 0; i < run->ops; i++)
		if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts) < 0)
			return -errno;
	return 0;
}

/* raw: libc's comes from the vDSO natively and not in gVisor, so BM_ClockGetRes compares two things
 */
static int clock_getres_raw(struct tg_run *run)
{
	struct timespec ts;

	for (uint64_t i = 0; i < run->ops; i++)
		if (syscall(SYS_clock_getres, CLOCK_MONOTONIC, &ts) < 0)
			return -errno;
	return 0;
}

static int thread_cputime(struct tg_run *run)
{
	struct timespec ts;

	for (uint64_t i = 0; i < run->ops; i++)
		if (syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &ts) < 0)
			return -errno;
	return 0;
}

static int open_first(struct tg_run *run, const char *path, int flags)
{
	run->fd[0] = open(path, flags | O_CLOEXEC);
	return run->fd[0] < 0 ? -errno : 0;
}

static int open_zero(struct tg_run *run)
{
	return open_first(run, "/dev/zero", O_RDONLY);
}

static int open_null(struct tg_run *run)
{
	return open_first(run, "/dev/null", O_WRONLY);
}

static int read_zero(struct tg_run *run)
{
	char c;
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++)
		rc = moved(read(run->fd[0], &c, 1), 1);
	return rc;
}

static int write_null(struct tg_run *run)
{
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++)
		rc = moved(write(run->fd[0], "a", 1), 1);
	return rc;
}

/* The published workload writes 5,000,000 bytes and no more: a bounded file, written round and
 * round. */
#define WRITE_FILE_BYTES 5000000

static int make_file(struct tg_run *run)
{
	char path[TG_PATH_MAX];
	int rc;

	if (snprintf(path, sizeof(path), "%stg-write_file", run->dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	run->size = (size_t)run->param;
	run->mem =
		mmap(NULL, run->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (run->mem == MAP_FAILED) {
		run->mem = NULL;
		return -errno;
	}
	memset(run->mem, 'a', run->size);
	rc = open_first(run, path, O_WRONLY | O_CREAT | O_TRUNC);
	unlink(path);
	return rc;
}

static void drop_file(struct tg_run *run)
{
	if (run->mem)
		munmap(run->mem, run->size);
}

static int write_file(struct tg_run *run)
{
	uint64_t calls = WRITE_FILE_BYTES / run->size;
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++) {
		if (i % calls == 0 && lseek(run->fd[0], 0, SEEK_SET) < 0)
			return -errno;
		rc = moved(write(run->fd[0], run->mem, run->size), run->size);
	}
	return rc;
}

static int dup_close(struct tg_run *run)
{
	for (uint64_t i = 0; i < run->ops; i++) {
		int fd = dup(run->fd[0]);

		if (fd < 0 || close(fd) < 0)
			return -errno;
	}
	return 0;
}

static int yield(struct tg_run *run)
{
	for (uint64_t i = 0; i < run->ops; i++)
		if (syscall(SYS_sched_yield) < 0)
			return -errno;
	return 0;
}

static long futex(uint32_t *word, int op, uint32_t value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static int futex_wake_nop(struct tg_run *run)
{
	uint32_t word = 0;

	for (uint64_t i = 0; i < run->ops; i++) {
		long woken = futex(&word, FUTEX_WAKE_PRIVATE, 1);

		if (woken)
			return woken < 0 ? -errno : -EIO;
	}
	return 0;
}

static int futex_wait_nop(struct tg_run *run)
{
	uint32_t word = 0;

	for (uint64_t i = 0; i < run->ops; i++)
		if (futex(&word, FUTEX_WAIT_PRIVATE, 1) != -1 || errno != EAGAIN)
			return errno ? -errno : -EIO;
	return 0;
}

/* ---- gettid in threads ---- */

#define HELPER_STACK 65536

struct helper {
	uint32_t go;   /* raised for each sub-batch */
	uint32_t done; /* the last one that it finished */
	uint32_t tid;  /* cleared by the kernel when the thread is gone */
	bool quit;
	int error;
	uint64_t ops;
	char stack[HELPER_STACK] __attribute__((aligned(64)));
};

static int gettids(uint64_t ops)
{
	for (uint64_t i = 0; i < ops; i++)
		if (syscall(SYS_gettid) < 0)
			return -errno;
	return 0;
}

static void await_change(uint32_t *word, uint32_t from)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == from)
		futex(word, FUTEX_WAIT, from);
}

static void set_and_wake(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	futex(word, FUTEX_WAKE, 1);
}

static int help(void *arg)
{
	struct helper *h = arg;

	for (uint32_t seen = 0;; seen++) {
		await_change(&h->go, seen);
		if (h->quit)
			return 0;
		h->error = gettids(h->ops);
		set_and_wake(&h->done, seen + 1);
	}
}

/*
 * A thread of clone and not of pthread_create, which would make the libc take the slower,
 * many-threaded way through malloc and every cancellation point in all benches to come. It shares
 * our errno, which nobody reads while it runs but after a failure.
 */
static int start_helper(struct tg_run *run)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	struct helper *h =
		mmap(NULL, sizeof(*h), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (h == MAP_FAILED)
		return -errno;
	run->mem = h;
	return clone(help, h->stack + HELPER_STACK, flags, h, &h->tid, NULL, &h->tid) < 0 ? -errno
											  : 0;
}

static void end_helper(struct tg_run *run)
{
	struct helper *h = run->mem;
	uint32_t tid;

	if (!h)
		return;
	h->quit = true;
	set_and_wake(&h->go, h->go + 1);
	while ((tid = __atomic_load_n(&h->tid, __ATOMIC_ACQUIRE)))
		await_change(&h->tid, tid);
	munmap(h, sizeof(*h));
}

/* One op is a gettid in each of the threads. */
static int gettid_threads(struct tg_run *run)
{
	struct helper *h = run->mem;
	uint32_t turn;
	int rc;

	if (!h)
		return gettids(run->ops);
	turn = h->go;
	h->ops = run->ops;
	set_and_wake(&h->go, turn + 1);
	rc = gettids(run->ops);
	await_change(&h->done, turn);
	return rc < 0 ? rc : h->error;
}

/* ---- signals ---- */

struct handled {
	int signal;
	bool up;
	struct sigaction old;
	pid_t self;
};

static volatile sig_atomic_t signals;

static int handle(struct tg_run *run, int signal, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	struct handled *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	run->mem = h;
	*h = (struct handled){.signal = signal, .self = getpid()};
	if (sigaction(signal, &act, &h->old) < 0)
		return -errno;
	h->up = true;
	return 0;
}

static void unhandle(struct tg_run *run)
{
	struct handled *h = run->mem;

	if (h && h->up)
		sigaction(h->signal, &h->old, NULL);
	free(h);
}

static void count_signal(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
	signals = signals + 1;
}

static int handle_user_signal(struct tg_run *run)
{
	signals = 0;
	return handle(run, SIGUSR1, count_signal);
}

/* kill returns after the handler, as there is no other thread that could take the signal */
static int signal_self(struct tg_run *run)
{
	const struct handled *h = run->mem;

	for (uint64_t i = 0; i < run->ops; i++) {
		sig_atomic_t before = signals;

		if (kill(h->self, SIGUSR1) < 0)
			return -errno;
		if (signals == before)
			return -EIO;
		signals = 0;
	}
	return 0;
}

#if defined(__x86_64__) || defined(__aarch64__)
#define HAVE_FAULT

static volatile uint32_t landing;

/* Points the register at memory; the store is then tried again. */
static void repair(int signal, siginfo_t *info, void *context)
{
	ucontext_t *at = context;

	if (info->si_addr)
		sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL},
			NULL); /* a real crash */
#ifdef __x86_64__
	at->uc_mcontext.gregs[REG_RAX] = (greg_t)(uintptr_t)&landing;
#else
	at->uc_mcontext.regs[9] = (uintptr_t)&landing;
#endif
}

static int handle_fault(struct tg_run *run)
{
	return handle(run, SIGSEGV, repair);
}

static int signal_fault(struct tg_run *run)
{
	for (uint64_t i = 0; i < run->ops; i++) {
		uint32_t value = (uint32_t)i + 1;

#ifdef __x86_64__
		__asm__ volatile("xor %%eax, %%eax\n\tmovl %0, (%%rax)"
				 :
				 : "r"(value)
				 : "rax", "memory");
#else
		__asm__ volatile("mov x9, xzr\n\tstr %w0, [x9]" : : "r"(value) : "x9", "memory");
#endif
		if (landing != value)
			return -EIO;
	}
	return 0;
}
#endif

/* ---- one op for each way that gVisor handles a call: in the sentry, with a host call, with the
 * gofer ---- */

static int make_class_file(struct tg_run *run)
{
	char *path = run->mem = malloc(TG_PATH_MAX);
	tg_autofd int fd = -1;

	if (!path)
		return -ENOMEM;
	if (snprintf(path, TG_PATH_MAX, "%stg-class", run->dir) >= TG_PATH_MAX) {
		path[0] = '\0';
		return -ENAMETOOLONG;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	return moved(write(fd, "a", 1), 1);
}

static int open_class_file(struct tg_run *run)
{
	int rc = make_class_file(run);

	return rc < 0 ? rc : open_first(run, run->mem, O_RDONLY);
}

static void drop_class_file(struct tg_run *run)
{
	if (run->mem)
		unlink(run->mem);
	free(run->mem);
}

static int class_host(struct tg_run *run)
{
	char c;
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++)
		rc = moved(pread(run->fd[0], &c, 1, 0), 1);
	return rc;
}

static int class_gofer(struct tg_run *run)
{
	for (uint64_t i = 0; i < run->ops; i++) {
		int fd = open(run->mem, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || close(fd) < 0)
			return -errno;
	}
	return 0;
}

static const struct tg_bench benches[] = {
	TG_BENCH("getpid", .body = getpid_raw, .flags = TG_QUICK, .calls = {{SYS_getpid, 1}},
		.gvisor = "BM_Getpid"),
#ifdef __x86_64__
	TG_BENCH("getpid_inline", .body = getpid_inline, .calls = {{SYS_getpid, 1}},
		.gvisor = "BM_GetpidOpt"),
#endif
	TG_BENCH("getuid", .body = getuid_raw, .flags = TG_FULL, .calls = {{SYS_getuid, 1}}),
	TG_BENCH("getppid", .body = getppid_raw, .flags = TG_FULL, .calls = {{SYS_getppid, 1}}),
	TG_BENCH("clock_gettime_vdso", .body = clock_gettime_vdso,
		.gvisor = "BM_VDSOClockGettime/1"),
	TG_BENCH("clock_gettime_raw", .body = clock_gettime_raw, .calls = {{SYS_clock_gettime, 1}}),
	TG_BENCH("clock_getres_raw", .body = clock_getres_raw, .flags = TG_FULL,
		.calls = {{SYS_clock_getres, 1}}, .gvisor = "BM_ClockGetRes"),
	TG_BENCH("thread_cputime", .body = thread_cputime, .flags = TG_FULL,
		.calls = {{SYS_clock_gettime, 1}}, .gvisor = "BM_ClockGettimeThreadCPUTime"),
	TG_BENCH("sched_yield", .body = yield, .flags = TG_FULL, .calls = {{SYS_sched_yield, 1}},
		.gvisor = "BM_Sched_yield"),
	TG_BENCH("read_zero", .body = read_zero, .setup = open_zero, .flags = TG_QUICK,
		.calls = {{SYS_read, 1}}),
	TG_BENCH("write_null", .body = write_null, .setup = open_null, .calls = {{SYS_write, 1}}),
	TG_BENCH("write_file", .body = write_file, .setup = make_file, .teardown = drop_file,
		TG_PARAMS(4000), TG_FULL_PARAMS(1, 65536), .calls = {{SYS_write, 1}},
		.extra = {{SYS_lseek, 1}}),
	TG_BENCH("dup_close", .body = dup_close, .setup = open_zero,
		.calls = {{SYS_dup, 1}, {SYS_close, 1}}, .gvisor = "BM_Dup/1"),
	TG_BENCH("futex_wake_nop", .body = futex_wake_nop, .calls = {{SYS_futex, 1}},
		.gvisor = "BM_FutexWakeNop"),
	TG_BENCH("futex_wait_nop", .body = futex_wait_nop, .flags = TG_FULL,
		.calls = {{SYS_futex, 1}}, .gvisor = "BM_FutexWaitNop"),
#ifdef HAVE_FAULT
	TG_BENCH("signal_fault", .body = signal_fault, .setup = handle_fault, .teardown = unhandle,
		.flags = TG_FULL, .calls = {{SYS_rt_sigreturn, 1}},
		.gvisor = "BM_FaultSignalFixup"),
#endif
	TG_BENCH("signal_self", .body = signal_self, .setup = handle_user_signal,
		.teardown = unhandle, .flags = TG_FULL,
		.calls = {{SYS_kill, 1}, {SYS_rt_sigreturn, 1}}),
	TG_BENCH("class_sentry", .body = getpid_raw, .flags = TG_FULL, .calls = {{SYS_getpid, 1}}),
	TG_BENCH("class_host", .body = class_host, .setup = open_class_file,
		.teardown = drop_class_file, .flags = TG_FULL, .places = TG_BIND,
		.calls = {{SYS_pread64, 1}}),
	TG_BENCH("class_gofer", .body = class_gofer, .setup = make_class_file,
		.teardown = drop_class_file, .flags = TG_FULL, .places = TG_BIND,
		.calls = {{SYS_openat, 1}, {SYS_close, 1}}),
	TG_BENCH("gettid/threads:1", .body = gettid_threads, .flags = TG_FULL,
		.calls = {{SYS_gettid, 1}}, .gvisor = "BM_Gettid"),
	TG_BENCH("gettid/threads:2", .body = gettid_threads, .setup = start_helper,
		.teardown = end_helper, .flags = TG_FULL, .cpus = 2, .calls = {{SYS_gettid, 1}},
		.extra = {{SYS_futex, 8}}, .gvisor = "BM_Gettid"),
};

TG_SUITE(syscall, benches);
