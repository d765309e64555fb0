/* syscall: what one kernel entry costs. */
#include "tollgate.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

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

	for (uint64_t i = 0; i < run->ops; i++)
		if (read(run->fd[0], &c, 1) != 1)
			return errno ? -errno : -EIO;
	return 0;
}

static int write_null(struct tg_run *run)
{
	for (uint64_t i = 0; i < run->ops; i++)
		if (write(run->fd[0], "a", 1) != 1)
			return errno ? -errno : -EIO;
	return 0;
}

/* The published workload writes 5,000,000 bytes and no more: a bounded file, written round and round. */
#define WRITE_FILE_BYTES 5000000

static int make_file(struct tg_run *run)
{
	char path[TG_PATH_MAX] = "";
	int rc;

	strncat(path, run->dir, sizeof(path) - 32);
	strcat(path, "write_file");
	run->size = (size_t)run->param;
	run->mem = mmap(NULL, run->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (run->mem == MAP_FAILED)
		return -errno;
	memset(run->mem, 'a', run->size);
	rc = open_first(run, path, O_WRONLY | O_CREAT | O_TRUNC);
	unlink(path);
	return rc;
}

static void drop_file(struct tg_run *run)
{
	munmap(run->mem, run->size);
}

static int write_file(struct tg_run *run)
{
	uint64_t calls = WRITE_FILE_BYTES / run->size;

	for (uint64_t i = 0; i < run->ops; i++) {
		if (i % calls == 0 && lseek(run->fd[0], 0, SEEK_SET) < 0)
			return -errno;
		if (write(run->fd[0], run->mem, run->size) != (ssize_t)run->size)
			return errno ? -errno : -EIO;
	}
	return 0;
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

static const struct tg_bench benches[] = {
	TG_BENCH("getpid", .body = getpid_raw, .flags = TG_QUICK, .calls = {{SYS_getpid, 1}}),
#ifdef __x86_64__
	TG_BENCH("getpid_inline", .body = getpid_inline, .calls = {{SYS_getpid, 1}}),
#endif
	TG_BENCH("getppid", .body = getppid_raw, .calls = {{SYS_getppid, 1}}),
	TG_BENCH("clock_gettime_vdso", .body = clock_gettime_vdso),
	TG_BENCH("clock_gettime_raw", .body = clock_gettime_raw, .calls = {{SYS_clock_gettime, 1}}),
	TG_BENCH("read_zero", .body = read_zero, .setup = open_zero, .flags = TG_QUICK,
		.calls = {{SYS_read, 1}}),
	TG_BENCH("write_null", .body = write_null, .setup = open_null, .calls = {{SYS_write, 1}}),
	TG_BENCH("write_file", .body = write_file, .setup = make_file, .teardown = drop_file,
		TG_PARAMS(4000), TG_FULL_PARAMS(1, 65536), .calls = {{SYS_write, 1}}),
	TG_BENCH("dup_close", .body = dup_close, .setup = open_zero,
		.calls = {{SYS_dup, 1}, {SYS_close, 1}}),
	TG_BENCH("sched_yield", .body = yield, .calls = {{SYS_sched_yield, 1}}),
};

TG_SUITE(syscall, benches);
