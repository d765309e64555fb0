/* store_files.h: a directory of files for one test; gone after it. */
#ifndef TG_TESTS_STORE_FILES_H
#define TG_TESTS_STORE_FILES_H

#include <dirent.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 400

struct files {
	char dir[64];
	char path[PATH_SIZE]; /* of the last files_path() */
};

static inline int files_setup(void **state)
{
	struct files *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	snprintf(f->dir, sizeof(f->dir), "/tmp/tollgate-test-XXXXXX");
	*state = f;
	return mkdtemp(f->dir) ? 0 : -1;
}

static inline int files_remove_one(
	const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static inline int files_teardown(void **state)
{
	struct files *f = *state;

	int rc = nftw(f->dir, files_remove_one, 8, FTW_DEPTH | FTW_PHYS);

	free(f);
	return rc;
}

static inline const char *files_path(struct files *f, const char *name)
{
	snprintf(f->path, sizeof(f->path), "%s/%s", f->dir, name);
	return f->path;
}

/* Write `len` bytes as `name`, whose directories are made. Returns its path. */
static inline const char *files_put_bytes(
	struct files *f, const char *name, const char *text, size_t len)
{
	char part[PATH_SIZE];
	FILE *out;

	files_path(f, name);
	for (char *slash = strchr(f->path + strlen(f->dir) + 1, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - f->path), f->path);
		mkdir(part, 0777);
	}
	out = fopen(f->path, "w");
	if (!out || fwrite(text, 1, len, out) != len || fclose(out) != 0)
		abort();
	return f->path;
}

static inline const char *files_put(struct files *f, const char *name, const char *text)
{
	return files_put_bytes(f, name, text, strlen(text));
}

/* The whole file as a string that the caller frees; NULL where there is none. */
static inline char *files_get(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;
	ssize_t n;

	if (!in)
		return NULL;
	n = getdelim(&text, &size, '\0', in);
	fclose(in);
	if (n < 0) {
		free(text);
		return strdup("");
	}
	return text;
}

/* Entries of `dir`, hidden ones too. */
static inline int files_count(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n - 2;
}

/* `text` with the first `from` replaced by `to`, malloc'ed; aborts where there is none. */
static inline char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *out;

	if (!at || asprintf(&out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) < 0)
		abort();
	return out;
}

#endif
