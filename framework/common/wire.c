#include "common/wire.h"

#include <errno.h>
#include <string.h>

/* ---- writing: a cursor that remembers overflow ---- */

struct out {
	char *p, *end;
	bool full;
};

static void put(struct out *o, const char *s)
{
	size_t len = strlen(s);

	if (o->full || (size_t)(o->end - o->p) <= len) {
		o->full = true;
		return;
	}
	memcpy(o->p, s, len);
	o->p += len;
}

static void put_u(struct out *o, uint64_t v)
{
	char digits[24];
	char *p = digits + sizeof(digits) - 1;

	*p = '\0';
	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	*--p = ' ';
	put(o, p);
}

static int finish(struct out *o, const char *buf)
{
	put(o, "\n");
	if (o->full)
		return -EMSGSIZE;
	*o->p = '\0';
	return (int)(o->p - buf);
}

static struct out begin(char *buf, const char *word)
{
	struct out o = {.p = buf, .end = buf + TG_LINE_MAX};

	put(&o, "TG ");
	put(&o, word);
	return o;
}

int tg_wire_put_hello(char *buf, const struct tg_hello *h)
{
	struct out o = begin(buf, "hello");

	put_u(&o, h->wire);
	put(&o, " ");
	put(&o, h->build);
	put_u(&o, h->cases);
	return finish(&o, buf);
}

static const char *const request_words[] = {"turn", "hold", "look", "quit"};
static const char *const answer_words[] = {"turn", "held", "look"};

int tg_wire_put_request(char *buf, const struct tg_request *r)
{
	struct out o = begin(buf, request_words[r->kind]);

	put_u(&o, r->seq);
	if (r->kind == TG_REQ_TURN || r->kind == TG_REQ_HOLD) {
		put(&o, " ");
		put(&o, r->bench);
	}
	if (r->kind == TG_REQ_TURN) {
		put_u(&o, r->warm_ops);
		put_u(&o, r->ops);
		put_u(&o, r->batches);
		put_u(&o, r->inject_ppm);
	}
	return finish(&o, buf);
}

int tg_wire_put_answer(char *buf, const struct tg_answer *a)
{
	struct out o = begin(buf, answer_words[a->kind]);

	put_u(&o, a->seq);
	if (a->kind == TG_REQ_LOOK) {
		put(&o, " ");
		put(&o, a->text);
		return finish(&o, buf);
	}
	put_u(&o, (uint64_t)a->error);
	if (a->kind == TG_REQ_TURN) {
		put_u(&o, a->warm_ns);
		put_u(&o, a->batches);
		put_u(&o, a->phases);
		for (uint32_t i = 0; i < a->batches; i++) {
			put_u(&o, a->batch[i].start_ns);
			put_u(&o, a->batch[i].end_ns);
			for (uint32_t p = 0; p < a->phases; p++)
				put_u(&o, a->batch[i].phase_ns[p]);
		}
	}
	return finish(&o, buf);
}

/* ---- reading: a cursor that remembers failure ---- */

struct in {
	const char *p;
	bool bad;
};

static void get_word(struct in *in, const char *word)
{
	size_t len = strlen(word);

	if (in->bad || strncmp(in->p, word, len) != 0) {
		in->bad = true;
		return;
	}
	in->p += len;
}

/* " <decimal>", at most `max`; no sign, no leading zero but "0" itself */
static uint64_t get_u(struct in *in, uint64_t max)
{
	uint64_t v = 0;
	const char *start;

	get_word(in, " ");
	start = in->p;
	while (!in->bad && *in->p >= '0' && *in->p <= '9') {
		uint64_t digit = (uint64_t)(*in->p - '0');

		if (v > (UINT64_MAX - digit) / 10 || (in->p > start && *start == '0'))
			in->bad = true;
		v = v * 10 + digit;
		in->p++;
	}
	if (in->p == start || v > max)
		in->bad = true;
	return v;
}

/* " <word>" of at most max - 1 characters, all of them graphic */
static void get_text(struct in *in, char *out, size_t max)
{
	size_t n = 0;

	get_word(in, " ");
	while (!in->bad && in->p[n] > ' ' && in->p[n] < 0x7f)
		n++;
	if (in->bad || n == 0 || n >= max) {
		in->bad = true;
		return;
	}
	memcpy(out, in->p, n);
	out[n] = '\0';
	in->p += n;
}

static int done(const struct in *in)
{
	return in->bad || *in->p ? -EPROTO : 0;
}

int tg_wire_get_hello(const char *line, struct tg_hello *out)
{
	struct in in = {.p = line};

	get_word(&in, "TG hello");
	out->wire = (unsigned)get_u(&in, UINT32_MAX);
	get_text(&in, out->build, sizeof(out->build));
	out->cases = (unsigned)get_u(&in, UINT32_MAX);
	return done(&in);
}

int tg_wire_get_request(const char *line, struct tg_request *out)
{
	struct in in = {.p = line};

	*out = (struct tg_request){0};
	get_word(&in, "TG ");
	for (out->kind = TG_REQ_TURN; out->kind < TG_REQ_QUIT; out->kind++)
		if (!strncmp(in.p, request_words[out->kind], 4))
			break;
	get_word(&in, request_words[out->kind]);
	out->seq = (uint32_t)get_u(&in, UINT32_MAX);
	if (out->kind == TG_REQ_TURN || out->kind == TG_REQ_HOLD)
		get_text(&in, out->bench, sizeof(out->bench));
	if (out->kind == TG_REQ_TURN) {
		out->warm_ops = get_u(&in, TG_WIRE_OPS_MAX);
		out->ops = get_u(&in, TG_WIRE_OPS_MAX);
		out->batches = (uint32_t)get_u(&in, TG_WIRE_BATCHES_MAX);
		out->inject_ppm = (uint32_t)get_u(&in, 100000000);
		if (out->ops == 0 || out->batches == 0)
			in.bad = true;
	}
	return done(&in);
}

static void get_batches(struct in *in, struct tg_answer *out)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < out->batches && !in->bad; i++) {
		struct tg_batch *b = &out->batch[i];
		uint64_t laps = 0;

		b->start_ns = get_u(in, INT64_MAX);
		b->end_ns = get_u(in, INT64_MAX);
		if (b->start_ns < last || b->end_ns < b->start_ns)
			in->bad = true;
		last = b->end_ns;
		for (uint32_t p = 0; p < out->phases && !in->bad; p++) {
			b->phase_ns[p] = get_u(in, INT64_MAX);
			/* not the sum: that of four hostile laps comes round to 0 */
			if (b->phase_ns[p] > last - b->start_ns - laps)
				in->bad = true;
			laps += b->phase_ns[p];
		}
	}
}

static void get_line_text(struct in *in, struct tg_answer *out)
{
	size_t n = 0;

	get_word(in, " ");
	while (!in->bad && in->p[n] >= ' ' && in->p[n] < 0x7f && n < sizeof(out->text) - 1)
		n++;
	if (in->bad)
		return;
	memcpy(out->text, in->p, n);
	out->text[n] = '\0';
	in->p += n;
}

int tg_wire_get_answer(const char *line, struct tg_answer *out)
{
	struct in in = {.p = line};

	get_word(&in, "TG ");
	for (out->kind = TG_REQ_TURN; out->kind < TG_REQ_LOOK; out->kind++)
		if (!in.bad && !strncmp(in.p, answer_words[out->kind], 4))
			break;
	get_word(&in, answer_words[out->kind]);
	out->error = 0;
	out->warm_ns = 0;
	out->batches = out->phases = 0;
	out->seq = (uint32_t)get_u(&in, UINT32_MAX);
	if (out->kind == TG_REQ_LOOK) {
		get_line_text(&in, out);
		return done(&in);
	}
	out->error = (int)get_u(&in, 4095);
	if (out->kind == TG_REQ_TURN) {
		out->warm_ns = get_u(&in, INT64_MAX);
		out->batches = (uint32_t)get_u(&in, TG_WIRE_BATCHES_MAX);
		out->phases = (uint32_t)get_u(&in, TG_PHASES_MAX);
		if ((out->batches == 0) != (out->error != 0))
			in.bad = true;
		get_batches(&in, out);
	}
	return done(&in);
}
