/* error.h: what went wrong, in words a user can act on. Lives on the caller's stack, never freed. */
#ifndef TG_COMMON_ERROR_H
#define TG_COMMON_ERROR_H

struct tg_err {
	int code;      /* errno value, > 0; 0 = no error */
	char msg[256]; /* one line, no newline */
};

/* Fill *err with a positive errno `code` and a message. Returns -code, so `return tg_err_set(…)` fails.
 * A message longer than the buffer is cut. err may be NULL. */
int tg_err_set(struct tg_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "<what>: " before the message already in *err. Returns -err->code. */
int tg_err_wrap(struct tg_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
