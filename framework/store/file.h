/* file.h: read a file bounded; write one whole or not at all. */
#ifndef TG_STORE_FILE_H
#define TG_STORE_FILE_H

#include "common/error.h"
#include "common/limits.h"

#include <stddef.h>
#include <stdio.h>

/*
 * Read the regular file at `path`, at most `limit` bytes.
 * Success: 0, *text is malloc'ed and NUL-terminated, *len its length (may be NULL). Failure:
 * -errno, outputs untouched; -EFBIG over the limit, -EINVAL for what is no regular file.
 */
int tg_file_read(const char *path, size_t limit, char **text, size_t *len, struct tg_err *err);

/*
 * A file in the making: a temporary one in the directory of `path` until it is published. Begin
 * with open; write to ->stream (errors are sticky: seal sees them); end with publish or abandon.
 */
struct tg_newfile {
	FILE *stream;		     /* NULL once sealed */
	char path[TG_PATH_MAX];	     /* where it will be; "" = nothing in the making */
	char temp[TG_PATH_MAX + 48]; /* "" = no temporary file to remove */
};

/* 0, or -errno: nothing was made. An existing `path` that is no regular file (a device) is refused.
 */
int tg_newfile_open(struct tg_newfile *f, const char *path, struct tg_err *err);

/* Flush to disk and close; the owner becomes SUDO_UID:SUDO_GID where root runs for them. -errno:
 * abandoned. */
int tg_newfile_seal(struct tg_newfile *f, struct tg_err *err);

/* Seal where that was not done, rename over `path`, make the rename durable. -errno: abandoned. */
int tg_newfile_publish(struct tg_newfile *f, struct tg_err *err);

/* Remove the temporary file. Fine after publish, and on a zeroed struct. */
void tg_newfile_abandon(struct tg_newfile *f);

/* The directory `path` and its missing parents, owned like files. 0 where it is there already. */
int tg_dir_make(const char *path, struct tg_err *err);

#endif
