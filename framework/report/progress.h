/* progress.h: how far a run is: one line redrawn on a terminal, plain lines elsewhere. */
#ifndef TG_REPORT_PROGRESS_H
#define TG_REPORT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Begun by _begin; the caller reads nothing in it. `out` is borrowed and must outlive it. */
struct tg_progress {
	FILE *out; /* NULL: says nothing */
	bool tty;  /* one line, redrawn with \r and an erase code; no colours */
	char label[24];
	unsigned total, done;
	uint64_t start_ns, shown_ns;
	bool shown; /* a line was printed since begin */
};

/* `total` blocks of `label` (a suite) start now. */
void tg_progress_begin(struct tg_progress *p, FILE *out, bool tty, const char *label,
	unsigned total, uint64_t now_ns);

/*
 * `done` blocks are finished. Call it as often as you like, with what runs now in `doing` (NULL:
 * nothing to say): a terminal is redrawn at each finished block and at most 10 times a second,
 * elsewhere a line is printed at each finished block and otherwise at most every 10 seconds.
 *
 *	syscall ████████████──────── 7/12 blocks  0:31 left 0:22  open_close/bind
 */
void tg_progress_step(struct tg_progress *p, unsigned done, const char *doing, uint64_t now_ns);

/* The last line, and its newline. Fewer than `total` done is fine: a budget ended the run. */
void tg_progress_end(struct tg_progress *p, uint64_t now_ns);

#endif
