/*
 * fake_lane: stands in for a probe in a lane of kind "command" and does what its arguments say:
 *
 *	cost=NS		an op takes NS (default 2000); one of the control always takes 500
 *	slow=F		… times F
 *	noise=F		… times 1 ± F at most, new for every sub-batch
 *	modes=N		… times 1, 1.6, … 1 + 0.6 (N - 1), by turns from sandbox to sandbox
 *	count=FILE	gains a byte with every start: says which sandbox this is
 *	seed=N		of the noise
 *	errno=N		every turn fails with N
 *	die=WHEN, hang=WHEN, garbage=WHEN
 *			WHEN is "hello", "control:N" (the N-th turn of the control in this process)
 *or "turn:N" (the N-th of all other benches) clock=half	its clock runs at half the speed
 *	clock=jump	its clock is 5 s ahead from turn:2 on
 *	late		answers with the number of the request before
 *	twice		answers every request twice
 *	flood		never stops printing, from its hello on
 *	build=ID, wire=N	says so in its hello
 *	leave		leaves a process behind when it quits
 *	deaf		does not quit
 *
 * Times are exact: it spins until its clock is past them, and what the machine adds is not in them.
 */
#include "common/clock.h"
#include "common/wire.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const char tg_build_id[];

#define NEVER	   INT_MIN
#define AT_HELLO   0
#define CONTROL	   "control/"
#define CONTROL_NS 500.0
#define MODE_STEP  0.6
#define JUMP_NS	   (5 * TG_NS_PER_S)
#define JUMP_TURN  2

struct script {
	double cost, slow, noise;
	unsigned modes, wire;
	uint64_t seed;
	int error;
	int die, hang, garbage; /* a turn, minus a turn of the control, AT_HELLO or NEVER */
	bool half, jump, late, twice, flood, leave, deaf;
	const char *build, *count;
};

struct fake {
	struct script s;
	uint64_t sandbox; /* how many started before this one, as far as `count` knows */
	uint64_t rng;
	int turns, controls;
	uint64_t began_ns;
};

static int when(const char *text)
{
	int turn;

	if (!strcmp(text, "hello"))
		return AT_HELLO;
	if (sscanf(text, "control:%d", &turn) == 1)
		return -turn;
	return sscanf(text, "turn:%d", &turn) == 1 ? turn : NEVER;
}

static bool take_flag(struct script *s, const char *arg)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {{"late", &s->late}, {"twice", &s->twice}, {"flood", &s->flood},
		{"leave", &s->leave}, {"deaf", &s->deaf}, {"clock=half", &s->half},
		{"clock=jump", &s->jump}};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (!strcmp(flags[i].name, arg))
			return *flags[i].flag = true;
	return false;
}

static bool take_value(struct script *s, const char *arg)
{
	const char *value = strchr(arg, '=');
	size_t len = value ? (size_t)(value - arg) : 0;

#define IS(NAME) (len == sizeof(NAME) - 1 && !strncmp(arg, NAME, len))
	if (!value++)
		return false;
	if (IS("cost"))
		s->cost = atof(value);
	else if (IS("slow"))
		s->slow = atof(value);
	else if (IS("noise"))
		s->noise = atof(value);
	else if (IS("modes"))
		s->modes = (unsigned)atoi(value);
	else if (IS("count"))
		s->count = value;
	else if (IS("seed"))
		s->seed = strtoull(value, NULL, 10);
	else if (IS("errno"))
		s->error = atoi(value);
	else if (IS("die"))
		s->die = when(value);
	else if (IS("hang"))
		s->hang = when(value);
	else if (IS("garbage"))
		s->garbage = when(value);
	else if (IS("build"))
		s->build = value;
	else if (IS("wire"))
		s->wire = (unsigned)atoi(value);
	else
		return false;
	return true;
#undef IS
}

/* ---- its clock and its dice ---- */

static uint64_t clock_ns(const struct fake *f)
{
	uint64_t now = tg_now_ns();

	if (f->s.half)
		now = f->began_ns + (now - f->began_ns) / 2;
	if (f->s.jump && f->turns >= JUMP_TURN)
		now += JUMP_NS;
	return now;
}

/* xorshift64*, in [-1, 1] */
static double dice(struct fake *f)
{
	f->rng ^= f->rng >> 12;
	f->rng ^= f->rng << 25;
	f->rng ^= f->rng >> 27;
	return (double)((f->rng * UINT64_C(0x2545F4914F6CDD1D)) >> 11) * 0x1p-52 - 1.0;
}

static void number_sandbox(struct fake *f)
{
	struct stat st;
	int fd =
		f->s.count ? open(f->s.count, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && write(fd, "+", 1) == 1)
		f->sandbox = (uint64_t)st.st_size;
	close(fd);
}

/* ---- speaking ---- */

static void say(const char *line, size_t len)
{
	if (write(STDOUT_FILENO, line, len) != (ssize_t)len)
		exit(1);
}

static void misbehave(const struct fake *f, int turn)
{
	static const char garbage[] = "\033[31mnot a line of the wire\007\n";

	if (f->s.die == turn) {
		fprintf(stderr, "fake_lane: dies as told\n");
		exit(3);
	}
	while (f->s.hang == turn)
		pause();
	if (f->s.garbage == turn)
		say(garbage, sizeof(garbage) - 1);
}

static uint64_t spin(struct fake *f, uint64_t start, uint64_t ns)
{
	while (clock_ns(f) < start + ns)
		;
	return start + ns;
}

static bool is_control(const char *bench)
{
	return !strncmp(bench, CONTROL, strlen(CONTROL));
}

static uint64_t cost_ns(struct fake *f, const char *bench, uint64_t ops)
{
	double cost = f->s.cost * f->s.slow * (1 + f->s.noise * dice(f));

	if (f->s.modes > 1)
		cost *= 1 + MODE_STEP * (double)(f->sandbox % f->s.modes);
	if (is_control(bench))
		cost = CONTROL_NS;
	return (uint64_t)(cost * (double)ops + 0.5);
}

static void answer_turn(struct fake *f, const struct tg_request *req, struct tg_answer *a)
{
	uint64_t at;

	misbehave(f, is_control(req->bench) ? -++f->controls : ++f->turns);
	a->error = is_control(req->bench) ? 0 : f->s.error;
	if (a->error)
		return;
	at = clock_ns(f);
	a->warm_ns = cost_ns(f, req->bench, req->warm_ops);
	at = spin(f, at, a->warm_ns);
	a->batches = req->batches;
	for (uint32_t i = 0; i < req->batches; i++) {
		uint64_t ns = cost_ns(f, req->bench, req->ops);

		a->batch[i].start_ns = at;
		at = spin(f, at, ns + ns * req->inject_ppm / 1000000);
		a->batch[i].end_ns = at;
	}
}

static void answer(struct fake *f, const struct tg_request *req)
{
	static char line[TG_LINE_MAX];
	struct tg_answer a = {.kind = req->kind, .seq = req->seq - f->s.late};
	int len;

	if (req->kind == TG_REQ_TURN)
		answer_turn(f, req, &a);
	else if (req->kind == TG_REQ_LOOK)
		strcpy(a.text, "fake");
	len = tg_wire_put_answer(line, &a);
	for (int i = 0; i <= f->s.twice && len > 0; i++)
		say(line, (size_t)len);
}

static void greet(const struct fake *f)
{
	static char line[TG_LINE_MAX];
	struct tg_hello hello = {.wire = f->s.wire};

	misbehave(f, AT_HELLO);
	memset(line, 'x', sizeof(line));
	while (f->s.flood)
		say(line, sizeof(line));
	snprintf(hello.build, sizeof(hello.build), "%s", f->s.build);
	say(line, (size_t)tg_wire_put_hello(line, &hello));
}

static void leave_one_behind(void)
{
	if (fork() == 0) {
		setsid();
		for (;;)
			pause();
	}
}

int main(int argc, char **argv)
{
	static char line[TG_LINE_MAX];
	static struct fake f;
	struct tg_request req = {.kind = TG_REQ_LOOK};

	f.s = (struct script){.cost = 2000,
		.slow = 1,
		.modes = 1,
		.wire = TG_WIRE_VERSION,
		.die = NEVER,
		.hang = NEVER,
		.garbage = NEVER,
		.build = tg_build_id};
	for (int i = 1; i < argc; i++)
		if (!take_flag(&f.s, argv[i]) && !take_value(&f.s, argv[i])) {
			fprintf(stderr, "fake_lane: what is `%s`?\n", argv[i]);
			return 64;
		}
	signal(SIGPIPE, SIG_IGN);
	f.began_ns = tg_now_ns();
	number_sandbox(&f);
	f.rng = (f.s.seed + 1) * UINT64_C(0x9E3779B97F4A7C15) + f.sandbox + 1;
	greet(&f);
	while (req.kind != TG_REQ_QUIT && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (tg_wire_get_request(line, &req) < 0)
			return 2;
		if (req.kind != TG_REQ_QUIT)
			answer(&f, &req);
	}
	while (f.s.deaf)
		pause();
	if (f.s.leave)
		leave_one_behind();
	return 0;
}
