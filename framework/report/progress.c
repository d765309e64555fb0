#include "report/progress.h"

#include "report/text.h"

#include <string.h>

#define BAR_WIDTH    20
#define LINE_WIDTH   79 /* a line that wraps cannot be redrawn */
#define REDRAW_NS    100000000ULL
#define PLAIN_NS     10000000000ULL
#define NS_PER_S     1000000000ULL
#define DURATION_MAX 32

static void put_duration(char *buf, size_t size, uint64_t ns)
{
	unsigned long long s = (ns + NS_PER_S / 2) / NS_PER_S;

	if (s >= 3600)
		snprintf(buf, size, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(buf, size, "%llu:%02llu", s / 60, s % 60);
}

/* Blocks cost alike, so what is left is what one took so far, times the rest. */
static uint64_t left_ns(const struct tg_progress *p, uint64_t elapsed_ns)
{
	return (uint64_t)((double)elapsed_ns / p->done * (p->total - p->done));
}

static void put_bar(FILE *out, unsigned done, unsigned total)
{
	unsigned full = total ? (unsigned)((uint64_t)done * BAR_WIDTH / total) : BAR_WIDTH;

	for (unsigned i = 0; i < BAR_WIDTH; i++)
		fputs(i < full ? "█" : "─", out);
}

static void show(struct tg_progress *p, const char *doing, uint64_t now_ns)
{
	uint64_t elapsed_ns = now_ns > p->start_ns ? now_ns - p->start_ns : 0;
	char counts[80], elapsed[DURATION_MAX], left[DURATION_MAX], name[LINE_WIDTH];
	size_t used, bytes;

	put_duration(elapsed, sizeof(elapsed), elapsed_ns);
	snprintf(counts, sizeof(counts), " %u/%u blocks  %s", p->done, p->total, elapsed);
	if (p->done > 0 && p->done < p->total) {
		put_duration(left, sizeof(left), left_ns(p, elapsed_ns));
		snprintf(
			counts + strlen(counts), sizeof(counts) - strlen(counts), " left %s", left);
	}

	fprintf(p->out, "%s%s ", p->tty ? "\r" : "", p->label);
	if (p->tty)
		put_bar(p->out, p->done, p->total);
	fputs(p->tty ? counts : counts + 1, p->out);
	used = tg_text_width(p->label) + 1 + BAR_WIDTH + strlen(counts);
	if (doing && *doing && used + 2 < LINE_WIDTH) {
		tg_text_clean(name, sizeof(name), doing);
		for (bytes = strlen(name); tg_text_width(name) > LINE_WIDTH - used - 2;)
			name[--bytes] = '\0';
		fprintf(p->out, "  %s", name);
	}
	fputs(p->tty ? "\033[K" : "\n", p->out);
	fflush(p->out);
	p->shown = true;
	p->shown_ns = now_ns;
}

void tg_progress_begin(struct tg_progress *p, FILE *out, bool tty, const char *label,
	unsigned total, uint64_t now_ns)
{
	*p = (struct tg_progress){
		.out = out, .tty = tty, .total = total, .start_ns = now_ns, .shown_ns = now_ns};
	tg_text_clean(p->label, sizeof(p->label), label);
	if (out && tty)
		show(p, NULL, now_ns);
}

void tg_progress_step(struct tg_progress *p, unsigned done, const char *doing, uint64_t now_ns)
{
	bool finished;

	if (!p->out)
		return;
	if (done > p->total)
		done = p->total;
	finished = done != p->done;
	p->done = done;
	if (finished || now_ns - p->shown_ns >= (p->tty ? REDRAW_NS : PLAIN_NS))
		show(p, finished && !p->tty ? NULL : doing, now_ns);
}

void tg_progress_end(struct tg_progress *p, uint64_t now_ns)
{
	if (!p->out)
		return;
	if (p->tty) {
		show(p, NULL, now_ns);
		fputc('\n', p->out);
		fflush(p->out);
	} else if (!p->shown) {
		show(p, NULL, now_ns);
	}
	p->out = NULL;
}
