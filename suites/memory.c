/* memory: malloc, mmap and page faults. */
#include "tollgate.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096 /* the step of a touch; a larger page is touched more than once */

/* The compiler must take `p` for used, and what it points to for read and written. */
static inline void escape(void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

static inline void touch_pages(void *start, size_t size)
{
	volatile char *p = start;

	for (size_t at = 0; at < size; at += PAGE)
		p[at] = 42;
}

/* ---- malloc ---- */

static inline int malloc_loop(struct tg_run *run, bool touch, bool keep)
{
	size_t size = (size_t)run->param;

	for (uint64_t i = 0; i < run->ops; i++) {
		void *p = malloc(size);

		if (!p)
			return -ENOMEM;
		if (touch)
			memset(p, 0x5a, size);
		escape(p);
		if (!keep)
			free(p);
	}
	return 0;
}

static int malloc_touch_free(struct tg_run *run)
{
	return malloc_loop(run, true, false);
}

static int malloc_touch_nofree(struct tg_run *run)
{
	return malloc_loop(run, true, true);
}

static int malloc_notouch_free(struct tg_run *run)
{
	return malloc_loop(run, false, false);
}

static int malloc_notouch_nofree(struct tg_run *run)
{
	return malloc_loop(run, false, true);
}

/* ---- mmap ---- */

/* A file of `size` bytes that has no name any more, in run->fd[0]. */
static int open_file(struct tg_run *run, off_t size)
{
	char path[TG_PATH_MAX];

	if (snprintf(path, sizeof(path), "%stg-mapped", run->dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	run->fd[0] = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (run->fd[0] < 0 || unlink(path) < 0 || ftruncate(run->fd[0], size) < 0)
		return -errno;
	return 0;
}

static int file_of_param(struct tg_run *run)
{
	return open_file(run, run->param);
}

/* As published: readable, not touched. */
static inline int mmap_loop(struct tg_run *run, int flags, bool keep)
{
	size_t size = (size_t)run->param;

	for (uint64_t i = 0; i < run->ops; i++) {
		void *p = mmap(NULL, size, PROT_READ, flags, run->fd[0], 0);

		if (p == MAP_FAILED || (!keep && munmap(p, size) < 0))
			return -errno;
	}
	return 0;
}

static int mmap_anon_free(struct tg_run *run)
{
	return mmap_loop(run, MAP_PRIVATE | MAP_ANONYMOUS, false);
}

static int mmap_anon_nofree(struct tg_run *run)
{
	return mmap_loop(run, MAP_PRIVATE | MAP_ANONYMOUS, true);
}

static int mmap_private_free(struct tg_run *run)
{
	return mmap_loop(run, MAP_PRIVATE, false);
}

static int mmap_private_nofree(struct tg_run *run)
{
	return mmap_loop(run, MAP_PRIVATE, true);
}

static int mmap_shared_free(struct tg_run *run)
{
	return mmap_loop(run, MAP_SHARED, false);
}

static int mmap_shared_nofree(struct tg_run *run)
{
	return mmap_loop(run, MAP_SHARED, true);
}

/* ---- mmap of a file with N mappings of it alive ---- */

struct live {
	size_t count;
	void *at[];
};

static int map_live(struct tg_run *run, int flags)
{
	size_t n = (size_t)run->param;
	struct live *l = run->mem = malloc(sizeof(*l) + n * sizeof(l->at[0]));
	int rc;

	if (!l)
		return -ENOMEM;
	l->count = 0;
	rc = open_file(run, PAGE);
	if (rc < 0)
		return rc;
	for (; l->count < n; l->count++) {
		void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, flags, run->fd[0], 0);

		if (p == MAP_FAILED)
			return -errno;
		l->at[l->count] = p;
	}
	return 0;
}

static int map_live_private(struct tg_run *run)
{
	return map_live(run, MAP_PRIVATE);
}

static int map_live_shared(struct tg_run *run)
{
	return map_live(run, MAP_SHARED);
}

static void unmap_live(struct tg_run *run)
{
	struct live *l = run->mem;

	for (size_t i = 0; l && i < l->count; i++)
		munmap(l->at[i], PAGE);
	free(l);
}

static inline int one_more(struct tg_run *run, int flags)
{
	for (uint64_t i = 0; i < run->ops; i++) {
		void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, flags, run->fd[0], 0);

		if (p == MAP_FAILED || munmap(p, PAGE) < 0)
			return -errno;
	}
	return 0;
}

static int mmap_live_private(struct tg_run *run)
{
	return one_more(run, MAP_PRIVATE);
}

static int mmap_live_shared(struct tg_run *run)
{
	return one_more(run, MAP_SHARED);
}

/* ---- a region in chunks: map all, touch all, unmap all ---- */

#define GROUP_BYTES (16 << 20)
#define GROUP_MAX   (GROUP_BYTES / PAGE)

static int list_of_chunks(struct tg_run *run)
{
	run->mem = calloc(GROUP_MAX, sizeof(void *));
	return run->mem ? 0 : -ENOMEM;
}

static void free_mem(struct tg_run *run)
{
	free(run->mem);
}

static int map_group(struct tg_run *run, size_t count)
{
	size_t size = (size_t)run->param;
	void **chunk = run->mem;
	int rc;

	for (size_t i = 0; i < count; i++) {
		chunk[i] = mmap(
			NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (chunk[i] == MAP_FAILED)
			return -errno;
	}
	rc = tg_lap(run, "map");
	for (size_t i = 0; i < count; i++)
		touch_pages(chunk[i], size);
	rc = rc < 0 ? rc : tg_lap(run, "touch");
	for (size_t i = 0; i < count; i++)
		if (munmap(chunk[i], size) < 0)
			return -errno;
	return rc < 0 ? rc : tg_lap(run, "unmap");
}

static int map_1g(struct tg_run *run)
{
	uint64_t most = GROUP_BYTES / (uint64_t)run->param;
	int rc = 0;

	for (uint64_t left = run->ops; left && rc == 0;) {
		uint64_t count = left < most ? left : most;

		rc = map_group(run, count);
		left -= count;
	}
	return rc;
}

/* ---- map, touch, unmap ---- */

static inline int map_touch_loop(struct tg_run *run, bool nohuge)
{
	size_t size = (size_t)run->param * PAGE;

	for (uint64_t i = 0; i < run->ops; i++) {
		void *p = mmap(
			NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED || (nohuge && madvise(p, size, MADV_NOHUGEPAGE) < 0))
			return -errno;
		touch_pages(p, size);
		if (munmap(p, size) < 0)
			return -errno;
	}
	return 0;
}

static int map_touch_unmap(struct tg_run *run)
{
	return map_touch_loop(run, false);
}

/* the twin where transparent huge pages would decide: they are part of the fingerprint */
static int map_touch_unmap_nohuge(struct tg_run *run)
{
	return map_touch_loop(run, true);
}

static int map_touch_many(struct tg_run *run)
{
	size_t n = (size_t)run->param;
	void **page = run->mem;

	for (uint64_t i = 0; i < run->ops; i++) {
		for (size_t k = 0; k < n; k++) {
			page[k] = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (page[k] == MAP_FAILED)
				return -errno;
			touch_pages(page[k], PAGE);
		}
		for (size_t k = 0; k < n; k++)
			if (munmap(page[k], PAGE) < 0)
				return -errno;
	}
	return 0;
}

/*
 * Faults on pages that are a mapping each: every second page of a region is PROT_NONE, so that one
 * fault can not map its neighbours. The region is shared, as gVisor does not give back private
 * pages on MADV_DONTNEED. That call, before each group, is a phase of its own (BM_PageFault stops
 * its clock): the row to read is page_fault/fault.
 */
#define FAULT_PAGES 1000

static int map_fault_region(struct tg_run *run)
{
	char *p;

	run->size = (size_t)2 * FAULT_PAGES * PAGE;
	p = mmap(NULL, run->size, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	run->mem = p;
	for (size_t i = 0; i < FAULT_PAGES; i++)
		if (mprotect(p + (2 * i + 1) * PAGE, PAGE, PROT_NONE) < 0)
			return -errno;
	return 0;
}

static void unmap_region(struct tg_run *run)
{
	if (run->mem)
		munmap(run->mem, run->size);
}

static int page_fault(struct tg_run *run)
{
	const volatile char *region = run->mem;
	int rc = 0;

	for (uint64_t left = run->ops; left && rc == 0;) {
		size_t count = left < FAULT_PAGES ? left : FAULT_PAGES;

		if (madvise(run->mem, 2 * count * PAGE, MADV_DONTNEED) < 0)
			return -errno;
		rc = tg_lap(run, "reset");
		for (size_t i = 0; i < count; i++)
			(void)region[2 * i * PAGE];
		rc = rc < 0 ? rc : tg_lap(run, "fault");
		left -= count;
	}
	return rc;
}

/* ---- a touched region: give back, protect, move, grow ---- */

#define REGION (16 * PAGE)

static int map_region(struct tg_run *run)
{
	run->size = REGION;
	run->mem =
		mmap(NULL, run->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (run->mem == MAP_FAILED) {
		run->mem = NULL;
		return -errno;
	}
	touch_pages(run->mem, run->size);
	return 0;
}

static int madvise_dontneed(struct tg_run *run)
{
	for (uint64_t i = 0; i < run->ops; i++) {
		if (madvise(run->mem, run->size, MADV_DONTNEED) < 0)
			return -errno;
		touch_pages(run->mem, run->size);
	}
	return 0;
}

/* to read-only and back, and a write that proves it */
static int mprotect_pair(struct tg_run *run)
{
	for (uint64_t i = 0; i < run->ops; i++) {
		if (mprotect(run->mem, run->size, PROT_READ) < 0 ||
			mprotect(run->mem, run->size, PROT_READ | PROT_WRITE) < 0)
			return -errno;
		touch_pages(run->mem, 1);
	}
	return 0;
}

struct slots {
	char *at; /* two places, the region is in [here] */
	int here;
};

static int map_slots(struct tg_run *run)
{
	struct slots *s = run->mem = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	run->size = (size_t)2 * REGION;
	s->at = mmap(NULL, run->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->at == MAP_FAILED) {
		s->at = NULL;
		return -errno;
	}
	if (mprotect(s->at, REGION, PROT_READ | PROT_WRITE) < 0)
		return -errno;
	touch_pages(s->at, REGION);
	return 0;
}

static void unmap_slots(struct tg_run *run)
{
	struct slots *s = run->mem;

	if (s && s->at)
		munmap(s->at, run->size);
	free(s);
}

static int mremap_move(struct tg_run *run)
{
	struct slots *s = run->mem;

	for (uint64_t i = 0; i < run->ops; i++) {
		char *to = s->at + (s->here ? 0 : REGION);
		char *from = s->at + (s->here ? REGION : 0);

		if (mremap(from, REGION, REGION, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
			return -errno;
		s->here = !s->here;
		if (*(volatile char *)to != 42)
			return -EIO;
	}
	return 0;
}

/* raw: no libc looks on, as the break is back where it was after every op */
static int brk_pair(struct tg_run *run)
{
	long end = syscall(SYS_brk, 0);

	for (uint64_t i = 0; i < run->ops; i++) {
		if (syscall(SYS_brk, end + REGION) != end + REGION)
			return -ENOMEM;
		touch_pages((void *)((end + PAGE - 1) & -PAGE), PAGE);
		if (syscall(SYS_brk, end) != end)
			return -ENOMEM;
	}
	return 0;
}

/* ---- memcpy: no kernel, and so expected to cost the same ---- */

static int map_two(struct tg_run *run)
{
	run->size = 2 * (size_t)run->param;
	run->mem =
		mmap(NULL, run->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (run->mem == MAP_FAILED) {
		run->mem = NULL;
		return -errno;
	}
	memset(run->mem, 1, run->size);
	return 0;
}

static int copy(struct tg_run *run)
{
	char *to = run->mem, *from = to + run->param;

	for (uint64_t i = 0; i < run->ops; i++) {
		memcpy(to, from, (size_t)run->param);
		escape(to);
	}
	return 0;
}

#define TOUCHED_SIZES                                                                              \
	TG_PARAMS(1024, 4096, 131072),                                                             \
		TG_FULL_PARAMS(2048, 8192, 16384, 32768, 65536, 262144, 524288, 1048576)
#define UNTOUCHED_SIZES                                                                            \
	TG_FULL_PARAMS(1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288, 1048576)
#define MAP_SIZES TG_PARAMS(4096), TG_FULL_PARAMS(16384, 65536, 262144, 1048576)

/* malloc's number of calls is not whole: most blocks come from what the libc has. */
#define MALLOC(NAME, ...) TG_BENCH(#NAME, .body = NAME, __VA_ARGS__)
/* leaking: a child per turn, and no more memory than this in it */
#define LEAKED_BYTES (64 << 20)
/* likewise, well under vm.max_map_count (65530 unless somebody raised it) */
#define LEAKED_MAPS 45000

static const struct tg_bench benches[] = {
	MALLOC(malloc_touch_free, .flags = TG_CALLS_VARY, TOUCHED_SIZES),
	MALLOC(malloc_touch_nofree, .flags = TG_CALLS_VARY | TG_FRESH,
		.turn_bytes_max = LEAKED_BYTES, TOUCHED_SIZES),
	MALLOC(malloc_notouch_free, .flags = TG_CALLS_VARY, UNTOUCHED_SIZES),
	MALLOC(malloc_notouch_nofree, .flags = TG_CALLS_VARY | TG_FRESH,
		.turn_bytes_max = LEAKED_BYTES, UNTOUCHED_SIZES),
	TG_BENCH("mmap_anon_free", .body = mmap_anon_free, MAP_SIZES,
		.calls = {{SYS_mmap, 1}, {SYS_munmap, 1}}),
	TG_BENCH("mmap_anon_nofree", .body = mmap_anon_nofree, .flags = TG_FRESH,
		.turn_ops_max = LEAKED_MAPS, MAP_SIZES, .calls = {{SYS_mmap, 1}}),
	TG_BENCH("mmap_private_free", .body = mmap_private_free, .setup = file_of_param, MAP_SIZES,
		.calls = {{SYS_mmap, 1}, {SYS_munmap, 1}}),
	TG_BENCH("mmap_private_nofree", .body = mmap_private_nofree, .setup = file_of_param,
		.flags = TG_FRESH, .turn_ops_max = LEAKED_MAPS, MAP_SIZES,
		.calls = {{SYS_mmap, 1}}),
	TG_BENCH("mmap_shared_free", .body = mmap_shared_free, .setup = file_of_param, MAP_SIZES,
		.calls = {{SYS_mmap, 1}, {SYS_munmap, 1}}),
	TG_BENCH("mmap_shared_nofree", .body = mmap_shared_nofree, .setup = file_of_param,
		.flags = TG_FRESH, .turn_ops_max = LEAKED_MAPS, MAP_SIZES,
		.calls = {{SYS_mmap, 1}}),
	TG_BENCH("mmap_live/private", .body = mmap_live_private, .setup = map_live_private,
		.teardown = unmap_live, TG_PARAMS(1000, 25000), TG_FULL_PARAMS(5000, 10000),
		.growth = {1000, 25000}, .calls = {{SYS_mmap, 1}, {SYS_munmap, 1}}),
	TG_BENCH("mmap_live/shared", .body = mmap_live_shared, .setup = map_live_shared,
		.teardown = unmap_live, TG_PARAMS(1000, 25000), TG_FULL_PARAMS(5000, 10000),
		.growth = {1000, 25000}, .calls = {{SYS_mmap, 1}, {SYS_munmap, 1}}),
	TG_BENCH("map_1g", .body = map_1g, .setup = list_of_chunks, .teardown = free_mem,
		TG_PARAMS(4096), TG_FULL_PARAMS(8192, 16384, 65536, 262144, 1048576),
		.phases = {"map", "touch", "unmap"}, .calls = {{SYS_mmap, 1}, {SYS_munmap, 1}}),
	TG_BENCH("map_touch_unmap", .body = map_touch_unmap, .flags = TG_QUICK, TG_PARAMS(1),
		TG_FULL_PARAMS(8, 64, 512, 4096), .calls = {{SYS_mmap, 1}, {SYS_munmap, 1}},
		.gvisor = "BM_MapTouchUnmap"),
	TG_BENCH("map_touch_unmap_nohuge", .body = map_touch_unmap_nohuge,
		TG_FULL_PARAMS(1, 512, 4096),
		.calls = {{SYS_mmap, 1}, {SYS_madvise, 1}, {SYS_munmap, 1}}),
	TG_BENCH("map_touch_many", .body = map_touch_many, .setup = list_of_chunks,
		.teardown = free_mem, .flags = TG_CALLS_PER_PARAM, TG_FULL_PARAMS(8, 64, 512),
		.calls = {{SYS_mmap, 1}, {SYS_munmap, 1}}, .gvisor = "BM_MapTouchMany"),
	TG_BENCH("page_fault", .body = page_fault, .setup = map_fault_region,
		.teardown = unmap_region, .flags = TG_FULL, .phases = {"fault", "reset"},
		.extra = {{SYS_madvise, 1}}, .gvisor = "BM_PageFault"),
	TG_BENCH("madvise_dontneed", .body = madvise_dontneed, .setup = map_region,
		.teardown = unmap_region, .flags = TG_FULL, .calls = {{SYS_madvise, 1}}),
	TG_BENCH("mprotect", .body = mprotect_pair, .setup = map_region, .teardown = unmap_region,
		.flags = TG_FULL, .calls = {{SYS_mprotect, 2}}),
	TG_BENCH("mremap", .body = mremap_move, .setup = map_slots, .teardown = unmap_slots,
		.flags = TG_FULL, .calls = {{SYS_mremap, 1}}),
	TG_BENCH("brk", .body = brk_pair, .flags = TG_FULL, .calls = {{SYS_brk, 2}},
		.extra = {{SYS_brk, 1}}),
	TG_BENCH("memcpy", .body = copy, .setup = map_two, .teardown = unmap_region,
		TG_FULL_PARAMS(4096, 65536, 1048576)),
};

TG_SUITE(memory, benches);
