#include "probe/probe.h"
#include "common/clock.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

void tg_stage_leave(struct tg_stage *stage)
{
	if (!stage->up)
		return;
	if (stage->c.bench->teardown)
		stage->c.bench->teardown(&stage->run);
	for (size_t i = 0; i < TG_ARRAY_SIZE(stage->run.fd); i++)
		if (stage->run.fd[i] >= 0)
			close(stage->run.fd[i]);
	stage->up = false;
}

static void set_dir(struct tg_stage *stage)
{
	static const char *const dirs[] = {"/tmp/", "/bind/", "/"};

	stage->dir[0] = '\0';
	strncat(stage->dir, stage->root, sizeof(stage->dir) - 16);
	strcat(stage->dir, dirs[stage->c.place ? __builtin_ctz(stage->c.place) : 0]);
}

int tg_stage_enter(struct tg_stage *stage, const char *name)
{
	int rc = 0;

	if (stage->up && !strcmp(stage->c.name, name))
		return 0;
	tg_stage_leave(stage);
	if (!tg_case_find(tg_suites, tg_suite_count, name, &stage->c))
		return -ENOENT;
	set_dir(stage);
	stage->run = (struct tg_run){.param = stage->c.param,
		.dir = stage->dir,
		.fd = {-1, -1},
		.phases = stage->c.bench->phases};
	stage->up = true;
	if (stage->c.bench->setup)
		rc = stage->c.bench->setup(&stage->run);
	if (rc < 0)
		tg_stage_leave(stage);
	return rc;
}

/* Time passes, nothing else happens: the injected regression. */
static void spin_until(uint64_t end_ns)
{
	while (tg_now_ns() < end_ns)
		;
}

static int batch(struct tg_stage *stage, const struct tg_request *req, struct tg_batch *b)
{
	struct tg_run *run = &stage->run;
	int rc;

	memset(run->lap_ns, 0, sizeof(run->lap_ns));
	run->ops = req->ops;
	b->start_ns = run->lap_start_ns = tg_now_ns();
	rc = stage->c.bench->body(run);
	if (req->inject_ppm) {
		uint64_t now = tg_now_ns();

		spin_until(now + (now - b->start_ns) * req->inject_ppm / 1000000);
	}
	b->end_ns = tg_now_ns();
	memcpy(b->phase_ns, run->lap_ns, sizeof(b->phase_ns));
	return rc;
}

static int batches(struct tg_stage *stage, const struct tg_request *req, struct tg_answer *a)
{
	uint64_t start = tg_now_ns();
	int rc = 0;

	stage->run.ops = req->warm_ops;
	stage->run.lap_start_ns = start;
	if (req->warm_ops)
		rc = stage->c.bench->body(&stage->run);
	a->warm_ns = tg_now_ns() - start;
	for (uint32_t i = 0; i < req->batches && rc >= 0; i++)
		rc = batch(stage, req, &a->batch[i]);
	return rc;
}

/* The turn in a child of its own: what the body leaks dies with it. The answer comes back in shared memory. */
static int in_child(struct tg_stage *stage, const struct tg_request *req, struct tg_answer *a)
{
	struct tg_answer *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	int rc;
	pid_t pid;

	if (shared == MAP_FAILED)
		return -errno;
	pid = fork();
	if (pid == 0) {
		shared->error = -batches(stage, req, shared);
		_exit(0);
	}
	rc = pid < 0 || waitpid(pid, &status, 0) < 0 ? -errno : status != 0 ? -EIO : -shared->error;
	if (rc >= 0) {
		a->warm_ns = shared->warm_ns;
		memcpy(a->batch, shared->batch, sizeof(a->batch));
	}
	munmap(shared, sizeof(*shared));
	return rc;
}

void tg_turn(struct tg_stage *stage, const struct tg_request *req, struct tg_answer *a)
{
	int rc = tg_stage_enter(stage, req->bench);

	if (rc >= 0 && stage->c.bench->kind != TG_BODY)
		rc = -EINVAL;
	if (rc >= 0)
		rc = stage->c.bench->flags & TG_FRESH ? in_child(stage, req, a)
						      : batches(stage, req, a);
	a->error = rc < 0 ? -rc : 0;
	if (rc < 0)
		return;
	a->batches = req->batches;
	while (a->phases < TG_PHASES_MAX && stage->c.bench->phases[a->phases])
		a->phases++;
}
