#include "store/file.h"

#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

static int read_all(
	int fd, const char *path, size_t limit, char **text, size_t *len, struct tg_err *err)
{
	tg_autofree char *buf = malloc(limit + 1);
	size_t used = 0;

	if (!buf)
		return tg_err_set(err, ENOMEM, "%s: out of memory", path);
	for (;;) {
		ssize_t n = read(fd, buf + used, limit + 1 - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return tg_err_set(err, errno, "%s: %s", path, strerror(errno));
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > limit)
			return tg_err_set(err, EFBIG, "%s: over %zu bytes", path, limit);
	}
	buf[used] = '\0';
	*text = tg_steal(&buf);
	if (len)
		*len = used;
	return 0;
}

int tg_file_read(const char *path, size_t limit, char **text, size_t *len, struct tg_err *err)
{
	/* O_NONBLOCK: a FIFO must be refused, not waited for. */
	tg_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return tg_err_set(err, errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0)
		return tg_err_set(err, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return tg_err_set(err, EINVAL, "%s: no regular file", path);
	return read_all(fd, path, limit, text, len, err);
}

/* Who called sudo; false where nobody did. */
static bool sudo_owner(uid_t *uid, gid_t *gid)
{
	const char *u = getenv("SUDO_UID"), *g = getenv("SUDO_GID");
	char *end_u, *end_g;
	unsigned long nu, ng;

	if (geteuid() != 0 || !u || !g || *u < '0' || *u > '9' || *g < '0' || *g > '9')
		return false;
	nu = strtoul(u, &end_u, 10);
	ng = strtoul(g, &end_g, 10);
	if (*end_u || *end_g || nu >= UINT32_MAX || ng >= UINT32_MAX)
		return false;
	*uid = (uid_t)nu;
	*gid = (gid_t)ng;
	return true;
}

static int hand_over(int fd)
{
	uid_t uid;
	gid_t gid;

	/* EPERM: a file system without owners; the file is of use all the same. */
	if (sudo_owner(&uid, &gid) && fchown(fd, uid, gid) < 0 && errno != EPERM)
		return -errno;
	return 0;
}

/* Length of the directory part of `path`, with its slash; 0 = the working directory. */
static size_t dir_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

static int make_temp(struct tg_newfile *f)
{
	size_t dir = dir_length(f->path);

	for (int attempt = 0; attempt < 100; attempt++) {
		uint64_t r;
		int fd;

		if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
			return -EIO;
		snprintf(f->temp, sizeof(f->temp), "%.*s.tmp-%016llx", (int)dir, f->path,
			(unsigned long long)r);
		fd = open(f->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

int tg_newfile_open(struct tg_newfile *f, const char *path, struct tg_err *err)
{
	struct tg_newfile made = {0};
	struct stat st;
	int fd, rc;

	if (strlen(path) >= sizeof(made.path))
		return tg_err_set(err, ENAMETOOLONG, "%.100s…: name too long", path);
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return tg_err_set(err, EINVAL, "%s: no regular file", path);
	memcpy(made.path, path, strlen(path) + 1);
	fd = make_temp(&made);
	if (fd < 0)
		return tg_err_set(err, -fd, "%s: %s", path, strerror(-fd));
	made.stream = fdopen(fd, "w");
	if (!made.stream) {
		rc = tg_err_set(err, errno, "%s: %s", path, strerror(errno));
		close(fd);
		unlink(made.temp);
		return rc;
	}
	*f = made;
	return 0;
}

void tg_newfile_abandon(struct tg_newfile *f)
{
	if (f->stream)
		fclose(f->stream);
	if (f->temp[0])
		unlink(f->temp);
	*f = (struct tg_newfile){0};
}

static int fail(struct tg_newfile *f, int code, struct tg_err *err)
{
	tg_err_set(err, code, "%s: %s", f->path, strerror(code));
	tg_newfile_abandon(f);
	return -code;
}

int tg_newfile_seal(struct tg_newfile *f, struct tg_err *err)
{
	int rc;

	errno = 0;
	if (ferror(f->stream) | fflush(f->stream))
		return fail(f, errno ? errno : EIO, err);
	rc = hand_over(fileno(f->stream));
	if (rc < 0)
		return fail(f, -rc, err);
	if (fsync(fileno(f->stream)) < 0)
		return fail(f, errno, err);
	rc = fclose(f->stream);
	f->stream = NULL;
	if (rc != 0)
		return fail(f, errno, err);
	return 0;
}

static int sync_dir_of(const char *path)
{
	char dir[TG_PATH_MAX + 1];
	tg_autofd int fd = -1;

	snprintf(dir, sizeof(dir), "%.*s.", (int)dir_length(path), path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* EINVAL: a file system that does not sync directories. */
	if (fsync(fd) < 0 && errno != EINVAL)
		return -errno;
	return 0;
}

int tg_newfile_publish(struct tg_newfile *f, struct tg_err *err)
{
	int rc;

	if (f->stream) {
		rc = tg_newfile_seal(f, err);
		if (rc < 0)
			return rc;
	}
	if (rename(f->temp, f->path) < 0)
		return fail(f, errno, err);
	f->temp[0] = '\0';
	rc = sync_dir_of(f->path);
	if (rc < 0)
		return fail(f, -rc, err);
	return 0;
}

static int make_one(const char *path)
{
	tg_autofd int fd = -1;

	if (mkdir(path, 0777) < 0)
		return errno == EEXIST ? 0 : -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : hand_over(fd);
}

int tg_dir_make(const char *path, struct tg_err *err)
{
	char part[TG_PATH_MAX];
	size_t len = strlen(path);
	struct stat st;
	int rc = 0;

	if (len == 0 || len >= sizeof(part))
		return tg_err_set(
			err, len ? ENAMETOOLONG : EINVAL, "%.100s: not a directory name", path);
	for (size_t i = 1; i <= len && rc == 0; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		rc = make_one(part);
	}
	if (rc == 0 && stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		rc = -ENOTDIR;
	return rc < 0 ? tg_err_set(err, -rc, "%s: %s", path, strerror(-rc)) : 0;
}
