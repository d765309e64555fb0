/* fork: processes, threads, and switching between them. */
#include "tollgate.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* ---- the life of a process ---- */

/* raw: what fork does besides (locks, handlers, signal masks) is another thing in each libc and
 * release */
static inline pid_t fork_raw(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* The end of a child that has to exit with 0, else its status is an errno. */
static int await_child(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (!WIFEXITED(status))
		return -EIO;
	return -WEXITSTATUS(status);
}

/* .param MiB, touched, that a fork has to copy the page tables of */
static int touch_memory(struct tg_run *run)
{
	run->size = (size_t)run->param << 20;
	if (!run->size)
		return 0;
	run->mem =
		mmap(NULL, run->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (run->mem == MAP_FAILED) {
		run->mem = NULL;
		return -errno;
	}
	memset(run->mem, 1, run->size);
	return 0;
}

static void drop_memory(struct tg_run *run)
{
	if (run->mem)
		munmap(run->mem, run->size);
}

static int fork_exit_wait(struct tg_run *run)
{
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++) {
		pid_t pid = fork_raw();

		if (pid == 0)
			_exit(0);
		rc = pid < 0 ? -errno : await_child(pid);
	}
	return rc;
}

#define LIFECYCLES_MAX 64

/* One op is N forks, then N waits. */
static int process_lifecycle(struct tg_run *run)
{
	pid_t pid[LIFECYCLES_MAX];
	int64_t n = run->param;
	int rc = n <= LIFECYCLES_MAX ? 0 : -EINVAL;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++) {
		int64_t born = 0;

		for (; born < n && rc == 0; born++) {
			pid[born] = fork_raw();
			if (pid[born] == 0)
				_exit(0);
			if (pid[born] < 0) {
				rc = -errno;
				break;
			}
		}
		while (born-- > 0) {
			int end = await_child(pid[born]);

			rc = rc < 0 ? rc : end;
		}
	}
	return rc;
}

/* The only program of a sandbox is the probe itself: static, and with this argument it ends at
 * once. */
static char *const noop_argv[] = {"probe", "--noop", NULL};
static char *const no_env[] = {NULL};

static int find_program(struct tg_run *run)
{
	char *path = run->mem = malloc(TG_PATH_MAX);
	ssize_t n;

	if (!path)
		return -ENOMEM;
	n = readlink("/proc/self/exe", path, TG_PATH_MAX);
	if (n < 0 || n == TG_PATH_MAX)
		return n < 0 ? -errno : -ENAMETOOLONG;
	path[n] = '\0';
	return 0;
}

static void free_mem(struct tg_run *run)
{
	free(run->mem);
}

static int fork_exec(struct tg_run *run)
{
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++) {
		pid_t pid = fork_raw();

		if (pid == 0) {
			execve(run->mem, noop_argv, no_env);
			_exit(errno);
		}
		rc = pid < 0 ? -errno : await_child(pid);
	}
	return rc;
}

/* a function of its own: the child runs on its parent's stack */
__attribute__((noinline)) static pid_t vfork_and_exec(const char *path)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execve(path, noop_argv, no_env);
		_exit(errno);
	}
	return pid;
}

static int vfork_exec(struct tg_run *run)
{
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++) {
		pid_t pid = vfork_and_exec(run->mem);

		rc = pid < 0 ? -errno : await_child(pid);
	}
	return rc;
}

static int spawn(struct tg_run *run)
{
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++) {
		pid_t pid;

		rc = -posix_spawn(&pid, run->mem, NULL, NULL, noop_argv, no_env);
		if (rc == 0)
			rc = await_child(pid);
	}
	return rc;
}

/* ---- a ring of processes or threads that pass a byte on through pipes ---- */

#define RING_MAX 16

struct member {
	int in, out; /* reads pipe i, writes pipe i + 1 */
	pid_t pid;
	pthread_t thread;
	bool up;
};

struct ring {
	int count;
	int pipe[RING_MAX][2];
	struct member member[RING_MAX]; /* member 0 is us */
	cpu_set_t before;
	bool pinned;
};

/* Both ends of a switch on CPUs of their own: member i on the allowed CPU i mod 2. */
static int cpu_of(const cpu_set_t *allowed, int i, cpu_set_t *out)
{
	int want = i % 2;

	CPU_ZERO(out);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, allowed) && want-- == 0) {
			CPU_SET(cpu, out);
			return 0;
		}
	return -EINVAL;
}

static int pin_self(cpu_set_t *before)
{
	cpu_set_t set;
	int rc;

	if (sched_getaffinity(0, sizeof(*before), before) < 0)
		return -errno;
	rc = cpu_of(before, 0, &set);
	if (rc == 0 && sched_setaffinity(0, sizeof(set), &set) < 0)
		rc = -errno;
	return rc;
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Until the end of file that our own teardown sends round the ring. */
static void *pass_on(void *arg)
{
	struct member *m = arg;
	char c;

	while (read(m->in, &c, 1) == 1 && write(m->out, &c, 1) == 1)
		;
	close_end(&m->in);
	close_end(&m->out);
	return NULL;
}

static int add_process(struct ring *r, int i)
{
	struct member *m = &r->member[i];

	m->pid = fork();
	if (m->pid == 0) {
		for (int k = 0; k < r->count; k++) {
			if (k != i)
				close(r->pipe[k][0]);
			if (k != (i + 1) % r->count)
				close(r->pipe[k][1]);
		}
		pass_on(m);
		_exit(0);
	}
	if (m->pid < 0)
		return -errno;
	m->up = true;
	/* the parent's ends are the child's alone now */
	close_end(&r->pipe[i][0]);
	close_end(&r->pipe[(i + 1) % r->count][1]);
	return 0;
}

static int add_thread(struct ring *r, int i)
{
	struct member *m = &r->member[i];
	int rc = pthread_create(&m->thread, NULL, pass_on, m);

	if (rc)
		return -rc;
	m->up = true;
	r->pipe[i][0] = r->pipe[(i + 1) % r->count][1] = -1;
	return 0;
}

static int pin_member(const struct ring *r, int i, bool threads)
{
	cpu_set_t set;
	int rc = cpu_of(&r->before, i, &set);

	if (rc < 0)
		return rc;
	if (threads)
		return -pthread_setaffinity_np(r->member[i].thread, sizeof(set), &set);
	return sched_setaffinity(r->member[i].pid, sizeof(set), &set) < 0 ? -errno : 0;
}

static int make_ring(struct tg_run *run, int count, bool threads, bool pin)
{
	struct ring *r = run->mem = calloc(1, sizeof(*r));
	int rc = 0;

	if (!r || count < 2 || count > RING_MAX)
		return r ? -EINVAL : -ENOMEM;
	r->count = count;
	memset(r->pipe, -1, sizeof(r->pipe));
	if (pin)
		rc = pin_self(&r->before);
	r->pinned = pin && rc == 0;
	for (int i = 0; i < count && rc == 0; i++)
		rc = pipe2(r->pipe[i], O_CLOEXEC) < 0 ? -errno : 0;
	for (int i = 1; i < count && rc == 0; i++) {
		r->member[i].in = r->pipe[i][0];
		r->member[i].out = r->pipe[(i + 1) % count][1];
		rc = threads ? add_thread(r, i) : add_process(r, i);
		if (rc == 0 && pin)
			rc = pin_member(r, i, threads);
	}
	r->member[0] = (struct member){.in = r->pipe[0][0], .out = r->pipe[1][1]};
	return rc;
}

/* Closing our ends lets each member find the end of file, close its own and end. */
static void drop_ring(struct tg_run *run)
{
	struct ring *r = run->mem;

	if (!r)
		return;
	for (int i = 0; i < r->count; i++) {
		close_end(&r->pipe[i][0]);
		close_end(&r->pipe[i][1]);
	}
	for (int i = 1; i < r->count; i++)
		if (r->member[i].up && r->member[i].pid > 0)
			waitpid(r->member[i].pid, NULL, 0);
		else if (r->member[i].up)
			pthread_join(r->member[i].thread, NULL);
	if (r->pinned)
		sched_setaffinity(0, sizeof(r->before), &r->before);
	free(r);
}

static int ring_of_processes(struct tg_run *run)
{
	return make_ring(run, run->param ? (int)run->param : 2, false, false);
}

static int ring_of_processes_2cpu(struct tg_run *run)
{
	return make_ring(run, run->param ? (int)run->param : 2, false, true);
}

static int ring_of_threads(struct tg_run *run)
{
	return make_ring(run, (int)run->param, true, false);
}

static int ring_of_threads_2cpu(struct tg_run *run)
{
	return make_ring(run, (int)run->param, true, true);
}

/* One op is once round the ring. */
static int go_round(struct tg_run *run)
{
	const struct member *self = &((const struct ring *)run->mem)->member[0];
	char c = 'a';

	for (uint64_t i = 0; i < run->ops; i++) {
		ssize_t n = write(self->out, &c, 1);

		if (n == 1)
			n = read(self->in, &c, 1);
		if (n != 1)
			return n < 0 ? -errno : -EPIPE;
	}
	return 0;
}

/* ---- threads ---- */

/* its own stack is a part of the libc's work: the stack of the last one is used again */
static void *thread_nop(void *arg)
{
	return arg;
}

static int thread_create_join(struct tg_run *run)
{
	for (uint64_t i = 0; i < run->ops; i++) {
		pthread_t thread;
		void *end = NULL;
		int rc = pthread_create(&thread, NULL, thread_nop, run);

		if (rc == 0)
			rc = pthread_join(thread, &end);
		if (rc || end != run)
			return rc ? -rc : -EIO;
	}
	return 0;
}

enum { BALL_OURS, BALL_THEIRS, BALL_QUIT };

struct pair {
	uint32_t ball;
	pthread_t thread;
	bool up, pinned;
	cpu_set_t before;
};

static void throw_ball(struct pair *p, uint32_t to)
{
	__atomic_store_n(&p->ball, to, __ATOMIC_RELEASE);
	syscall(SYS_futex, &p->ball, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* What the ball becomes when it is no longer `from`, or -errno. */
static int64_t await_ball(struct pair *p, uint32_t from)
{
	uint32_t now;

	while ((now = __atomic_load_n(&p->ball, __ATOMIC_ACQUIRE)) == from)
		if (syscall(SYS_futex, &p->ball, FUTEX_WAIT_PRIVATE, from, NULL, NULL, 0) < 0 &&
			errno != EAGAIN && errno != EINTR)
			return -errno;
	return now;
}

static void *return_balls(void *arg)
{
	struct pair *p = arg;

	while (await_ball(p, BALL_OURS) == BALL_THEIRS)
		throw_ball(p, BALL_OURS);
	return NULL;
}

static int make_pair(struct tg_run *run, bool pin)
{
	struct pair *p = run->mem = calloc(1, sizeof(*p));
	cpu_set_t set;
	int rc = 0;

	if (!p)
		return -ENOMEM;
	if (pin)
		rc = pin_self(&p->before);
	p->pinned = pin && rc == 0;
	if (rc == 0)
		rc = -pthread_create(&p->thread, NULL, return_balls, p);
	p->up = rc == 0;
	if (rc == 0 && pin)
		rc = cpu_of(&p->before, 1, &set);
	if (rc == 0 && pin)
		rc = -pthread_setaffinity_np(p->thread, sizeof(set), &set);
	return rc;
}

static int pair_of_threads(struct tg_run *run)
{
	return make_pair(run, false);
}

static int pair_of_threads_2cpu(struct tg_run *run)
{
	return make_pair(run, true);
}

static void drop_pair(struct tg_run *run)
{
	struct pair *p = run->mem;

	if (!p)
		return;
	if (p->up) {
		throw_ball(p, BALL_QUIT);
		pthread_join(p->thread, NULL);
	}
	if (p->pinned)
		sched_setaffinity(0, sizeof(p->before), &p->before);
	free(p);
}

static int futex_pingpong(struct tg_run *run)
{
	struct pair *p = run->mem;

	for (uint64_t i = 0; i < run->ops; i++) {
		int64_t now;

		throw_ball(p, BALL_THEIRS);
		now = await_ball(p, BALL_THEIRS);
		if (now != BALL_OURS)
			return now < 0 ? (int)now : -EIO;
	}
	return 0;
}

/* ---- no kernel: expected to cost the same ---- */

#define BUSY_MAX 250

static int busy(struct tg_run *run)
{
	volatile int divisors = 0;

	for (uint64_t i = 0; i < run->ops; i++)
		for (int n = 1; n < BUSY_MAX; n++)
			for (int d = 2; d < n / 2; d++)
				if (n % d == 0)
					divisors = divisors + 1;
	return 0;
}

#ifdef SYS_vfork
#define VFORK_NR SYS_vfork
#else
#define VFORK_NR SYS_clone
#endif

#define RING_CALLS .calls = {{SYS_write, 1}, {SYS_read, 1}}

/*
 * Threads come last: from the first one on, the libc takes its many-threaded way through malloc and
 * more. posix_spawn's and pthread_create's calls are up to the libc and its release, and whether a
 * join or a ping-pong has to sleep is up to the scheduler: they declare none.
 */
static const struct tg_bench benches[] = {
	TG_BENCH("fork_exit_wait", .body = fork_exit_wait, .setup = touch_memory,
		.teardown = drop_memory, .flags = TG_QUICK, TG_PARAMS(0), TG_FULL_PARAMS(64),
		.calls = {{SYS_clone, 1}, {SYS_wait4, 1}}),
	TG_BENCH("fork_exec", .body = fork_exec, .setup = find_program, .teardown = free_mem,
		.calls = {{SYS_clone, 1}, {SYS_wait4, 1}}),
	TG_BENCH("vfork_exec", .body = vfork_exec, .setup = find_program, .teardown = free_mem,
		.flags = TG_FULL, .calls = {{VFORK_NR, 1}, {SYS_wait4, 1}}),
	TG_BENCH("posix_spawn", .body = spawn, .setup = find_program, .teardown = free_mem,
		.flags = TG_FULL | TG_CALLS_VARY),
	TG_BENCH("process_lifecycle", .body = process_lifecycle, .flags = TG_CALLS_PER_PARAM,
		TG_FULL_PARAMS(1, 2, 8), .calls = {{SYS_clone, 1}, {SYS_wait4, 1}},
		.gvisor = "BM_ProcessLifecycle"),
	TG_BENCH("process_switch", .body = go_round, .setup = ring_of_processes,
		.teardown = drop_ring, TG_FULL_PARAMS(2, 8), RING_CALLS,
		.gvisor = "BM_ProcessSwitch"),
	TG_BENCH("process_switch/cpus:2", .body = go_round, .setup = ring_of_processes_2cpu,
		.teardown = drop_ring, .cpus = 2, TG_FULL_PARAMS(2, 8), RING_CALLS,
		.gvisor = "BM_ProcessSwitch"),
	TG_BENCH("pipe_pingpong", .body = go_round, .setup = ring_of_processes,
		.teardown = drop_ring, RING_CALLS),
	TG_BENCH("pipe_pingpong/cpus:2", .body = go_round, .setup = ring_of_processes_2cpu,
		.teardown = drop_ring, .cpus = 2, RING_CALLS),
	TG_BENCH("busy", .body = busy, .flags = TG_FULL, .gvisor = "BM_CPUBoundUniprocess"),
	TG_BENCH("thread_create_join", .body = thread_create_join, .flags = TG_CALLS_VARY),
	TG_BENCH("thread_switch", .body = go_round, .setup = ring_of_threads, .teardown = drop_ring,
		TG_FULL_PARAMS(2, 8), RING_CALLS, .gvisor = "BM_ThreadSwitch"),
	TG_BENCH("thread_switch/cpus:2", .body = go_round, .setup = ring_of_threads_2cpu,
		.teardown = drop_ring, .cpus = 2, TG_FULL_PARAMS(2, 8), RING_CALLS,
		.gvisor = "BM_ThreadSwitch"),
	TG_BENCH("futex_pingpong", .body = futex_pingpong, .setup = pair_of_threads,
		.teardown = drop_pair, .flags = TG_FULL | TG_CALLS_VARY),
	TG_BENCH("futex_pingpong/cpus:2", .body = futex_pingpong, .setup = pair_of_threads_2cpu,
		.teardown = drop_pair, .flags = TG_FULL | TG_CALLS_VARY, .cpus = 2),
};

TG_SUITE(fork, benches);
