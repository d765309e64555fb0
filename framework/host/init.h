/* init.h: process 1 of a sandbox, and what it tells the conductor. */
#ifndef TG_HOST_INIT_H
#define TG_HOST_INIT_H

#include "host/child.h"

enum tg_note_kind { TG_NOTE_READY, TG_NOTE_FAILED, TG_NOTE_EXITED };

/* Written whole to a pipe: smaller than PIPE_BUF. */
struct tg_note {
	enum tg_note_kind kind;
	int status;
	uint64_t spawn_ns, created_ns, started_ns, exit_ns, gone_ns;
	char text[160]; /* FAILED: why; EXITED: what was left, "" = nothing */
};

struct tg_init {
	const struct tg_launch *launch;
	cpu_set_t cpus;
	enum tg_isolation isolation;
	uid_t uid;
	gid_t gid;
	const char *plain_dir; /* TG_ISOLATION_NONE */
	int in, out, err;      /* the runtime's 0, 1, 2 */
	int go, notes;
};

/* Never returns. Runs in the child of a clone: no lock of the conductor may be held. */
_Noreturn void tg_init_main(struct tg_init *init);

#endif
