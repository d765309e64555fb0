/* file: open, read, write and the calls on names, each on three places. */
#include "tollgate.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/*
 * A bench has a directory of its own below its place, made by its setup and removed with all that
 * is in it by its teardown. Names are equally long everywhere: "tg-<pid, 8 digits>/file<4 digits>".
 */
struct ground {
	char top[TG_PATH_MAX];	      /* the directory */
	char path[TG_PATH_MAX + 320]; /* the file, or the first of many */
	char other[TG_PATH_MAX + 320];
	char *digits; /* the last four characters of .path */
	bool made;
	char *buf; /* of buf_size bytes, page-aligned */
	size_t buf_size;
	uint64_t at;	/* blocks since the last rewind */
	uint64_t round; /* blocks to a rewind */
	uint64_t seed;
};

static int moved(ssize_t n, size_t want)
{
	if (n == (ssize_t)want)
		return 0;
	return n < 0 ? -errno : -EIO;
}

/* ---- set up and clean up ---- */

static int make_ground(struct tg_run *run)
{
	struct ground *g = run->mem = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->seed = 88172645463325252ULL;
	if (snprintf(g->top, sizeof(g->top), "%stg-%08d", run->dir, (int)getpid()) >=
		(int)sizeof(g->top))
		return -ENAMETOOLONG;
	snprintf(g->path, sizeof(g->path), "%s/file0000", g->top);
	snprintf(g->other, sizeof(g->other), "%s/move0000", g->top);
	g->digits = g->path + strlen(g->path) - 4;
	if (mkdir(g->top, 0700) < 0)
		return -errno;
	g->made = true;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_DP || type == FTW_DNR)
		rmdir(path);
	else
		unlink(path);
	return 0;
}

static void drop_ground(struct tg_run *run)
{
	struct ground *g = run->mem;

	if (!g)
		return;
	if (g->buf)
		munmap(g->buf, g->buf_size);
	/* again: a directory that is read while its files go may skip some */
	for (int tries = 0; g->made && tries < 3 && access(g->top, F_OK) == 0; tries++)
		nftw(g->top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(g);
}

static int make_buf(struct ground *g, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	g->buf = p;
	g->buf_size = size;
	memset(p, 'a', size);
	return 0;
}

static int fill(int fd, uint64_t bytes)
{
	static const char block[65536] = {'a'};
	int rc = 0;

	while (bytes && rc == 0) {
		size_t n = bytes < sizeof(block) ? bytes : sizeof(block);

		rc = moved(write(fd, block, n), n);
		bytes -= n;
	}
	return rc;
}

static int create(const char *path, uint64_t bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return -errno;
	rc = bytes ? fill(fd, bytes) : 0;
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	return rc;
}

/* .path with `bytes` in it, opened if there are `flags`, and a buffer of `buf_size` */
static int make_file(struct tg_run *run, uint64_t bytes, int flags, size_t buf_size)
{
	int rc = make_ground(run);
	struct ground *g = run->mem;

	if (rc == 0)
		rc = create(g->path, bytes);
	if (rc == 0 && buf_size)
		rc = make_buf(g, buf_size);
	if (rc < 0 || flags < 0)
		return rc;
	run->fd[0] = open(g->path, flags | O_CLOEXEC);
	return run->fd[0] < 0 ? -errno : 0;
}

static int small_file(struct tg_run *run)
{
	return make_file(run, 1, -1, 0);
}

static int no_file(struct tg_run *run)
{
	return make_ground(run);
}

static void set_digits(struct ground *g, unsigned n)
{
	for (int i = 3; i >= 0; i--, n /= 10)
		g->digits[i] = (char)('0' + n % 10);
}

static int many_files(struct tg_run *run)
{
	int rc = make_ground(run);

	for (int64_t i = 0; i < run->param && rc == 0; i++) {
		struct ground *g = run->mem;

		set_digits(g, (unsigned)i);
		rc = create(g->path, 1);
	}
	return rc;
}

/* ---- open ---- */

static int open_close(struct tg_run *run)
{
	const struct ground *g = run->mem;

	for (uint64_t i = 0; i < run->ops; i++) {
		int fd = open(g->path, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || close(fd) < 0)
			return -errno;
	}
	return 0;
}

static uint64_t draw(struct ground *g)
{
	g->seed ^= g->seed << 13;
	g->seed ^= g->seed >> 7;
	g->seed ^= g->seed << 17;
	return g->seed;
}

static int open_close_many(struct tg_run *run)
{
	struct ground *g = run->mem;

	for (uint64_t i = 0; i < run->ops; i++) {
		int fd;

		set_digits(g, (unsigned)(draw(g) % (uint64_t)run->param));
		fd = open(g->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || close(fd) < 0)
			return -errno;
	}
	return 0;
}

static int open_read_close(struct tg_run *run)
{
	struct ground *g = run->mem;

	for (uint64_t i = 0; i < run->ops; i++) {
		char c;
		int fd, rc;

		set_digits(g, (unsigned)(draw(g) % (uint64_t)run->param));
		fd = open(g->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		rc = moved(read(fd, &c, 1), 1);
		if (close(fd) < 0 || rc < 0)
			return rc < 0 ? rc : -errno;
	}
	return 0;
}

/* ---- read and write at one place ---- */

static int file_to_read(struct tg_run *run)
{
	return make_file(run, (uint64_t)run->param, O_RDONLY, (size_t)run->param);
}

static int file_to_write(struct tg_run *run)
{
	return make_file(run, (uint64_t)run->param, O_WRONLY, (size_t)run->param);
}

static int read_at_0(struct tg_run *run)
{
	const struct ground *g = run->mem;
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++)
		rc = moved(pread(run->fd[0], g->buf, g->buf_size, 0), g->buf_size);
	return rc;
}

static int write_at_0(struct tg_run *run)
{
	const struct ground *g = run->mem;
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++)
		rc = moved(pwrite(run->fd[0], g->buf, g->buf_size, 0), g->buf_size);
	return rc;
}

/* ---- in sequence: 1000 blocks, then back to the start; the rewind is part of it, as published
 * ---- */

#define SEQ_BLOCKS 1000

static int seq_file(struct tg_run *run, int flags)
{
	int rc = make_file(run, SEQ_BLOCKS * (uint64_t)run->param, flags, (size_t)run->param);

	if (rc == 0)
		((struct ground *)run->mem)->round = SEQ_BLOCKS;
	return rc;
}

static int seq_to_read(struct tg_run *run)
{
	return seq_file(run, O_RDONLY);
}

static int seq_to_write(struct tg_run *run)
{
	return seq_file(run, O_WRONLY);
}

/* At the end of a round: the start again. The place is kept over sub-batches, as they may be short.
 */
static inline int turn_round(struct ground *g, int fd, bool truncate)
{
	if (g->at++ < g->round)
		return 0;
	g->at = 1;
	if (truncate && ftruncate(fd, 0) < 0)
		return -errno;
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int read_seq(struct tg_run *run)
{
	struct ground *g = run->mem;
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++) {
		rc = turn_round(g, run->fd[0], false);
		if (rc == 0)
			rc = moved(read(run->fd[0], g->buf, g->buf_size), g->buf_size);
	}
	return rc;
}

static int write_seq(struct tg_run *run)
{
	struct ground *g = run->mem;
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++) {
		rc = turn_round(g, run->fd[0], false);
		if (rc == 0)
			rc = moved(write(run->fd[0], g->buf, g->buf_size), g->buf_size);
	}
	return rc;
}

/* ---- at random, and at the end ---- */

#define RAND_BYTES (UINT64_C(64) << 20)

static int rand_file(struct tg_run *run)
{
	return make_file(run, RAND_BYTES, O_RDONLY, (size_t)run->param);
}

static int rand_read(struct tg_run *run)
{
	struct ground *g = run->mem;
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++) {
		off_t at = (off_t)(draw(g) % (RAND_BYTES - g->buf_size));

		rc = moved(pread(run->fd[0], g->buf, g->buf_size, at), g->buf_size);
	}
	return rc;
}

static int file_to_append(struct tg_run *run)
{
	return make_file(run, 0, O_WRONLY | O_APPEND, 0);
}

static int append(struct tg_run *run)
{
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++)
		rc = moved(write(run->fd[0], "a", 1), 1);
	return rc;
}

static int file_to_sync(struct tg_run *run)
{
	return make_file(run, 1, O_WRONLY, 0);
}

/* with a byte written, so that there is something to sync */
static int write_fsync(struct tg_run *run)
{
	for (uint64_t i = 0; i < run->ops; i++) {
		int rc = moved(pwrite(run->fd[0], "a", 1, 0), 1);

		if (rc < 0 || fsync(run->fd[0]) < 0)
			return rc < 0 ? rc : -errno;
	}
	return 0;
}

/* ---- names ---- */

/* .path becomes top/d/d/…/file, .param directories deep */
static int deep_file(struct tg_run *run)
{
	int rc = make_ground(run);
	struct ground *g = run->mem;
	char *end;

	if (rc < 0)
		return rc;
	end = g->digits - strlen("/file");
	if ((size_t)(end - g->path) + 2 * (size_t)run->param + sizeof("/file") > sizeof(g->path))
		return -ENAMETOOLONG;
	for (int64_t i = 0; i < run->param; i++) {
		memcpy(end, "/d", sizeof("/d"));
		end += 2;
		if (mkdir(g->path, 0700) < 0)
			return -errno;
	}
	memcpy(end, "/file", sizeof("/file"));
	return create(g->path, 1);
}

static int stat_path(struct tg_run *run)
{
	const struct ground *g = run->mem;
	struct stat st;

	for (uint64_t i = 0; i < run->ops; i++)
		if (fstatat(AT_FDCWD, g->path, &st, 0) < 0)
			return -errno;
	return 0;
}

static int create_unlink(struct tg_run *run)
{
	const struct ground *g = run->mem;

	for (uint64_t i = 0; i < run->ops; i++) {
		int rc = create(g->path, 0);

		if (rc < 0)
			return rc;
		if (unlinkat(AT_FDCWD, g->path, 0) < 0)
			return -errno;
	}
	return 0;
}

/*
 * unlink alone. Files have to be made first, in groups, which is a phase of its own: the row to
 * read is unlink/unlink. (BM_Unlink's destructor asks twice for the file's status before each
 * unlink.)
 */
#define UNLINK_GROUP 64

static int unlink_group(struct tg_run *run, unsigned count)
{
	struct ground *g = run->mem;
	int rc = 0;

	for (unsigned i = 0; i < count && rc == 0; i++) {
		set_digits(g, i);
		rc = create(g->path, 0);
	}
	rc = rc < 0 ? rc : tg_lap(run, "make");
	for (unsigned i = 0; i < count && rc == 0; i++) {
		set_digits(g, i);
		if (unlinkat(AT_FDCWD, g->path, 0) < 0)
			rc = -errno;
	}
	return rc < 0 ? rc : tg_lap(run, "unlink");
}

static int unlink_files(struct tg_run *run)
{
	int rc = 0;

	for (uint64_t left = run->ops; left && rc == 0;) {
		unsigned count = left < UNLINK_GROUP ? (unsigned)left : UNLINK_GROUP;

		rc = unlink_group(run, count);
		left -= count;
	}
	return rc;
}

/* there, and with the next op back */
static int rename_file(struct tg_run *run)
{
	struct ground *g = run->mem;

	for (uint64_t i = 0; i < run->ops; i++, g->at++) {
		const char *from = g->at % 2 ? g->other : g->path;
		const char *to = g->at % 2 ? g->path : g->other;

		if (renameat(AT_FDCWD, from, AT_FDCWD, to) < 0)
			return -errno;
	}
	return 0;
}

#define DENTS_BYTES                                                                                \
	65536 /* more than 1000 entries need: one call reads all, another one finds the end */

static int dir_of_files(struct tg_run *run)
{
	int rc = many_files(run);
	struct ground *g = run->mem;

	if (rc == 0)
		rc = make_buf(g, DENTS_BYTES);
	if (rc < 0)
		return rc;
	run->fd[0] = open(g->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return run->fd[0] < 0 ? -errno : 0;
}

/* One op lists the whole directory (BM_GetdentsSameFD gives the time of one entry). */
static int getdents(struct tg_run *run)
{
	const struct ground *g = run->mem;

	for (uint64_t i = 0; i < run->ops; i++) {
		long n, got = 0;

		if (lseek(run->fd[0], 0, SEEK_SET) < 0)
			return -errno;
		while ((n = syscall(SYS_getdents64, run->fd[0], g->buf, DENTS_BYTES)) > 0)
			got += n;
		if (n < 0)
			return -errno;
		if (got < run->param * (long)sizeof("file0000"))
			return -EIO;
	}
	return 0;
}

/* ---- dd bs=256 ---- */

#define DD_BLOCK 256

static int dd_files(
	struct tg_run *run, uint64_t bytes, int flags, const char *device, int device_flags)
{
	int rc = make_file(run, bytes, flags, DD_BLOCK);

	if (rc < 0)
		return rc;
	((struct ground *)run->mem)->round = (uint64_t)run->param;
	run->fd[1] = open(device, device_flags | O_CLOEXEC);
	return run->fd[1] < 0 ? -errno : 0;
}

static int dd_from_zero(struct tg_run *run)
{
	return dd_files(run, 0, O_WRONLY, "/dev/zero", O_RDONLY);
}

static int dd_to_null(struct tg_run *run)
{
	return dd_files(run, DD_BLOCK * (uint64_t)run->param, O_RDONLY, "/dev/null", O_WRONLY);
}

static int dd_block(struct ground *g, int from, int to)
{
	int rc = moved(read(from, g->buf, DD_BLOCK), DD_BLOCK);

	return rc < 0 ? rc : moved(write(to, g->buf, DD_BLOCK), DD_BLOCK);
}

/* The file grows, as dd's does: it is cut to nothing when it is full. */
static int dd_write(struct tg_run *run)
{
	struct ground *g = run->mem;
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++) {
		rc = turn_round(g, run->fd[0], true);
		if (rc == 0)
			rc = dd_block(g, run->fd[1], run->fd[0]);
	}
	return rc;
}

static int dd_read(struct tg_run *run)
{
	struct ground *g = run->mem;
	int rc = 0;

	for (uint64_t i = 0; i < run->ops && rc == 0; i++) {
		rc = turn_round(g, run->fd[0], false);
		if (rc == 0)
			rc = dd_block(g, run->fd[0], run->fd[1]);
	}
	return rc;
}

#define ON_PLACES(NAME, BODY, SETUP, ...)                                                          \
	TG_BENCH(NAME, .body = BODY, .setup = SETUP, .teardown = drop_ground,                      \
		.places = TG_TMPFS | TG_BIND | TG_ROOT, __VA_ARGS__)
#define SEQ_SIZES TG_FULL_PARAMS(4096, 16384, 65536, 262144, 1048576)

static const struct tg_bench benches[] = {
	ON_PLACES("open_close", open_close, small_file, .flags = TG_QUICK,
		.calls = {{SYS_openat, 1}, {SYS_close, 1}}, .gvisor = "BM_Open/1"),
	ON_PLACES("open_close_many", open_close_many, many_files, TG_FULL_PARAMS(64, 1000, 4096),
		.calls = {{SYS_openat, 1}, {SYS_close, 1}}, .gvisor = "BM_Open"),
	ON_PLACES("open_read_close", open_read_close, many_files, TG_FULL_PARAMS(64, 1000, 4096),
		.calls = {{SYS_openat, 1}, {SYS_read, 1}, {SYS_close, 1}},
		.gvisor = "BM_OpenReadClose"),
	ON_PLACES("read", read_at_0, file_to_read, TG_PARAMS(1, 4096),
		TG_FULL_PARAMS(64, 1024, 16384, 65536, 262144, 1048576),
		.calls = {{SYS_pread64, 1}}, .gvisor = "BM_Read"),
	ON_PLACES("write", write_at_0, file_to_write, TG_PARAMS(4096),
		TG_FULL_PARAMS(1, 64, 1024, 16384, 65536, 262144, 1048576),
		.calls = {{SYS_pwrite64, 1}}, .gvisor = "BM_Write"),
	ON_PLACES("read_seq", read_seq, seq_to_read, SEQ_SIZES, .calls = {{SYS_read, 1}},
		.extra = {{SYS_lseek, 1}}),
	ON_PLACES("write_seq", write_seq, seq_to_write, SEQ_SIZES, .calls = {{SYS_write, 1}},
		.extra = {{SYS_lseek, 1}}),
	ON_PLACES("rand_read", rand_read, rand_file, TG_FULL_PARAMS(1, 4096, 65536),
		.calls = {{SYS_pread64, 1}}, .gvisor = "BM_RandRead"),
	ON_PLACES("append", append, file_to_append, .flags = TG_FULL, .calls = {{SYS_write, 1}},
		.gvisor = "BM_Append"),
	ON_PLACES("stat", stat_path, deep_file, TG_PARAMS(8), TG_FULL_PARAMS(1, 64),
		.calls = {{SYS_newfstatat, 1}}, .gvisor = "BM_Stat"),
	ON_PLACES("create_unlink", create_unlink, no_file,
		.calls = {{SYS_openat, 1}, {SYS_close, 1}, {SYS_unlinkat, 1}}),
	ON_PLACES("getdents", getdents, dir_of_files, TG_FULL_PARAMS(64, 1000),
		.calls = {{SYS_lseek, 1}, {SYS_getdents64, 2}}),
	ON_PLACES("unlink", unlink_files, no_file, .flags = TG_FULL, .phases = {"make", "unlink"},
		.calls = {{SYS_openat, 1}, {SYS_close, 1}, {SYS_unlinkat, 1}}),
	ON_PLACES(
		"rename", rename_file, small_file, .flags = TG_FULL, .calls = {{SYS_renameat, 1}}),
	ON_PLACES("fsync", write_fsync, file_to_sync, .flags = TG_FULL,
		.calls = {{SYS_pwrite64, 1}, {SYS_fsync, 1}}),
	ON_PLACES("dd_write", dd_write, dd_from_zero, TG_FULL_PARAMS(65536, 1048576),
		.calls = {{SYS_read, 1}, {SYS_write, 1}},
		.extra = {{SYS_lseek, 1}, {SYS_ftruncate, 1}}),
	ON_PLACES("dd_read", dd_read, dd_to_null, TG_FULL_PARAMS(65536, 1048576),
		.calls = {{SYS_read, 1}, {SYS_write, 1}}, .extra = {{SYS_lseek, 1}}),
};

TG_SUITE(file, benches);
