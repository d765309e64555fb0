/* cleanup.h: release at end of scope. `tg_auto(T)` needs a function `tg_T_free(struct tg_T *)`. */
#ifndef TG_COMMON_CLEANUP_H
#define TG_COMMON_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void tg_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void tg_cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define tg_autofree __attribute__((cleanup(tg_cleanup_free)))
#define tg_autofd   __attribute__((cleanup(tg_cleanup_close)))
#define tg_auto(T)  __attribute__((cleanup(tg_##T##_cleanup)))

/* Next to a prototype `void tg_T_free(struct tg_T *)` of an object that lives on the heap. */
#define TG_DEFINE_CLEANUP(T)                                                                       \
	static inline void tg_##T##_cleanup(struct tg_##T **p)                                     \
	{                                                                                          \
		tg_##T##_free(*p);                                                                 \
	}

/* Ownership leaves here: the variable is NULL afterwards. */
#define tg_steal(p)                                                                                \
	({                                                                                         \
		__typeof__(*(p)) tg_stolen = *(p);                                                 \
		*(p) = NULL;                                                                       \
		tg_stolen;                                                                         \
	})

#define TG_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
