/* scenario.h: the whole program as a user runs it, in a directory of its own, and what it leaves
 * behind. */
#ifndef TG_TESTS_SCENARIO_H
#define TG_TESTS_SCENARIO_H

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/limits.h"
#include "host/child.h"
#include "host/proc.h"
#include "tests/store_files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define SCENARIO_ARGS_MAX 40
#define SCENARIO_BUSY_NS                                                                           \
	(120 * TG_NS_PER_S)		    /* how long another run on this machine is waited for */
#define SCENARIO_LONG_NS (50 * TG_NS_PER_S) /* no run of a test takes that long */

struct scenario {
	struct files files;
	int plain_dirs; /* /tmp/tollgate-XXXXXX that were there before */
	pid_t pid;	/* of the last program */
	int fd;		/* of its output; -1 = ended */
	int status;	/* its exit status, or minus the signal that killed it */
	size_t len;
	char text[1 << 17]; /* stdout and stderr together */
};

/* ---- what is left ---- */

/* Directories that a run without namespaces makes. */
static inline int scenario_plain_dirs(void)
{
	DIR *dir = opendir("/tmp");
	struct dirent *e;
	int n = 0;

	while (dir && (e = readdir(dir)))
		n += strlen(e->d_name) == strlen("tollgate-XXXXXX") &&
			!strncmp(e->d_name, "tollgate-", strlen("tollgate-"));
	if (dir)
		closedir(dir);
	return n;
}

static inline int scenario_cgroups_in(const char *hierarchy, pid_t pid, char *found, size_t size)
{
	char path[TG_PATH_MAX + 16], prefix[24];
	DIR *dir;
	struct dirent *e;
	int n = 0;

	snprintf(path, sizeof(path), "%s/tollgate", hierarchy);
	snprintf(prefix, sizeof(prefix), "%d-", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir)))
		if (!strncmp(e->d_name, prefix, strlen(prefix))) {
			snprintf(found, size, "%.200s/%.100s", path, e->d_name);
			n++;
		}
	if (dir)
		closedir(dir);
	return n;
}

/* Control groups of the run `pid`, in every hierarchy; the name of one in *found. */
static inline int scenario_cgroups(pid_t pid, char *found, size_t size)
{
	DIR *dir = opendir("/sys/fs/cgroup");
	struct dirent *e;
	int n = scenario_cgroups_in("/sys/fs/cgroup", pid, found, size);

	while (dir && (e = readdir(dir))) {
		char path[TG_PATH_MAX];

		if (e->d_name[0] != '.' &&
			snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", e->d_name) <
				(int)sizeof(path))
			n += scenario_cgroups_in(path, pid, found, size);
	}
	if (dir)
		closedir(dir);
	return n;
}

/* Processes of ours or of a program that we started, however they were orphaned: this is their
 * subreaper. */
static inline int scenario_processes(char *found, size_t size)
{
	pid_t pids[TG_PIDS_MAX];
	char path[64];
	int n;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	n = tg_proc_descendants(getpid(), pids);
	if (n > 0) {
		snprintf(path, sizeof(path), "/proc/%d/comm", pids[0]);
		tg_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t len = fd >= 0 ? read(fd, found, size - 1) : 0;

		found[len > 0 ? len - 1 : 0] = '\0';
	}
	return n;
}

/* Nothing of the last program is left: no process within `grace_ns`, no control group, no
 * directory. */
static inline void scenario_check_gone(struct scenario *s, uint64_t grace_ns, bool cgroups_too)
{
	const struct timespec tick = {.tv_nsec = 20000000};
	uint64_t end = tg_now_ns() + grace_ns;
	char found[TG_PATH_MAX] = "";
	int n;

	while ((n = scenario_processes(found, sizeof(found))) != 0 && tg_now_ns() < end)
		nanosleep(&tick, NULL);
	if (n != 0)
		fail_msg("%d process(es) are left, one is `%s`; after: %s", n, found, s->text);
	if (cgroups_too && scenario_cgroups(s->pid, found, sizeof(found)))
		fail_msg("a control group is left: %s", found);
	if (scenario_plain_dirs() > s->plain_dirs)
		fail_msg("a directory /tmp/tollgate-XXXXXX is left");
}

/* ---- setup ---- */

/* The exit status of a test program that cannot start a lane of its own here; 0 where it can. */
static inline int scenario_impossible(void)
{
	if (tg_isolation_find() != TG_ISOLATION_NONE)
		return 0;
	printf("# skipped: needs root, or namespaces of one's own\n");
	return 77;
}

static inline int scenario_setup(void **state)
{
	struct scenario *s = calloc(1, sizeof(*s));
	char dir[TG_PATH_MAX];

	if (!s || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return -1;
	snprintf(s->files.dir, sizeof(s->files.dir), "/tmp/tollgate-test-XXXXXX");
	if (!mkdtemp(s->files.dir))
		return -1;
	snprintf(dir, sizeof(dir), "%s/baselines", s->files.dir);
	setenv("TOLLGATE_BASELINES", dir, 1);
	unsetenv("TOLLGATE_MACHINE");
	unsetenv("CMOCKA_MESSAGE_OUTPUT");
	s->plain_dirs = scenario_plain_dirs();
	s->fd = -1;
	*state = s;
	return 0;
}

static inline int scenario_teardown(void **state)
{
	struct scenario *s = *state;
	int rc = nftw(s->files.dir, files_remove_one, 8, FTW_DEPTH | FTW_PHYS);

	if (s->fd >= 0) {
		kill(s->pid, SIGKILL);
		close(s->fd);
	}
	free(s);
	return rc;
}

/* `word` with {} replaced by the test's directory. */
static inline void scenario_expand(
	const struct scenario *s, const char *word, char out[TG_PATH_MAX])
{
	const char *mark = strstr(word, "{}");

	snprintf(out, TG_PATH_MAX, "%.*s%s%s", mark ? (int)(mark - word) : (int)strlen(word), word,
		mark ? s->files.dir : "", mark ? mark + 2 : "");
}

/*
 * Write a lanes file of fake lanes: pairs of a name and its script, ended by NULL. Waiting for an
 * answer ends after `timeout_s`.
 */
static inline void scenario_lanes(struct scenario *s, const char *file, double timeout_s, ...)
{
	char text[8192];
	size_t n = (size_t)snprintf(text, sizeof(text), "{\"runtimes\": {");
	const char *name, *sep = "";
	va_list ap;

	va_start(ap, timeout_s);
	while ((name = va_arg(ap, const char *))) {
		char script[256];

		snprintf(script, sizeof(script), "%s", va_arg(ap, const char *));
		n += (size_t)snprintf(text + n, sizeof(text) - n,
			"%s\"%s\": {\"kind\": \"command\", \"path\": \"%s/tests/fake_lane\", "
			"\"startTimeout\": %g, "
			"\"runtimeArgs\": [",
			sep, name, TG_TEST_BUILD, timeout_s);
		sep = "";
		for (char *w = strtok(script, " "); w; w = strtok(NULL, " ")) {
			char word[TG_PATH_MAX];

			scenario_expand(s, w, word);
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"%s\"", sep, word);
			sep = ", ";
		}
		n += (size_t)snprintf(text + n, sizeof(text) - n, "]}");
		sep = ",\n";
	}
	va_end(ap);
	snprintf(text + n, sizeof(text) - n, "}}\n");
	files_put(&s->files, file, text);
}

/* ---- running ---- */

/* Start build/tollgate with the words of `line`; {} in a word stands for the test's directory. */
static inline void scenario_start(struct scenario *s, const char *line)
{
	char words[2048], *argv[SCENARIO_ARGS_MAX + 1] = {(char *)"tollgate"};
	char expanded[SCENARIO_ARGS_MAX][TG_PATH_MAX];
	int ends[2], argc = 1;

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok(words, " "); w && argc < SCENARIO_ARGS_MAX; w = strtok(NULL, " ")) {
		scenario_expand(s, w, expanded[argc]);
		argv[argc] = expanded[argc];
		argc++;
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		abort();
	s->len = 0;
	s->text[0] = '\0';
	s->pid = fork();
	if (s->pid == 0) {
		int null = open("/dev/null", O_RDONLY);

		setpgid(0, 0);
		dup2(null, 0);
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		execv(TG_TEST_BUILD "/tollgate", argv);
		_exit(127);
	}
	close(ends[1]);
	s->fd = ends[0];
}

/* Take what it prints, until it has printed `want` (NULL: until it ends). False past the deadline.
 */
static inline bool scenario_listen(struct scenario *s, const char *want, uint64_t deadline_ns)
{
	while (tg_now_ns() < deadline_ns) {
		struct pollfd fd = {.fd = s->fd, .events = POLLIN};
		ssize_t n;

		if (want && strstr(s->text, want))
			return true;
		if (poll(&fd, 1, 100) <= 0)
			continue;
		n = read(s->fd, s->text + s->len, sizeof(s->text) - 1 - s->len);
		if (n <= 0)
			return want == NULL;
		s->len += (size_t)n;
		s->text[s->len] = '\0';
	}
	return false;
}

static inline void scenario_end(struct scenario *s)
{
	bool ended = scenario_listen(s, NULL, tg_now_ns() + SCENARIO_LONG_NS);
	int status = 0;

	if (!ended)
		kill(s->pid, SIGKILL);
	waitpid(s->pid, &status, 0);
	close(s->fd);
	s->fd = -1;
	s->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	if (!ended)
		fail_msg("it does not end: %s", s->text);
}

static inline bool scenario_is_busy(const struct scenario *s)
{
	return s->status == 2 && strstr(s->text, "another tollgate is measuring");
}

/* Run to the end, waiting while another run has the machine; leaves nothing behind. */
static inline int scenario_run(struct scenario *s, const char *line)
{
	const struct timespec pause = {.tv_nsec = 500000000};
	uint64_t end = tg_now_ns() + SCENARIO_BUSY_NS;

	do {
		scenario_start(s, line);
		scenario_end(s);
	} while (scenario_is_busy(s) && tg_now_ns() < end && nanosleep(&pause, NULL) == 0);
	scenario_check_gone(s, 0, true);
	return s->status;
}

/* Start, and return once `want` is printed. */
static inline void scenario_start_until(struct scenario *s, const char *line, const char *want)
{
	const struct timespec pause = {.tv_nsec = 500000000};
	uint64_t end = tg_now_ns() + SCENARIO_BUSY_NS;

	for (;;) {
		scenario_start(s, line);
		if (scenario_listen(s, want, tg_now_ns() + SCENARIO_LONG_NS))
			return;
		scenario_end(s);
		if (!scenario_is_busy(s) || tg_now_ns() > end)
			fail_msg("it ended before it said `%s`: %d: %s", want, s->status, s->text);
		nanosleep(&pause, NULL);
	}
}

/* ---- checking ---- */

static inline void scenario_says(const struct scenario *s, const char *want)
{
	if (!strstr(s->text, want))
		fail_msg("it does not say `%s` but: %s", want, s->text);
}

static inline void scenario_says_not(const struct scenario *s, const char *word)
{
	if (strstr(s->text, word))
		fail_msg("it says `%s`: %s", word, s->text);
}

/* The line that has `word` in it also has `want`. */
static inline void scenario_line_says(const struct scenario *s, const char *word, const char *want)
{
	for (const char *at = s->text; (at = strstr(at, word)); at++) {
		const char *end = strchrnul(at, '\n');
		const char *hit = strstr(at, want);

		if (hit && hit < end)
			return;
	}
	fail_msg("no line has `%s` and then `%s`: %s", word, want, s->text);
}

static inline void scenario_exits(struct scenario *s, const char *line, int want)
{
	if (scenario_run(s, line) != want)
		fail_msg("exit status %d, not %d, of `%s`: %s", s->status, want, line, s->text);
}

/* Exit 2 with one line that says `want`, and nothing else. */
static inline void scenario_is_refused(struct scenario *s, const char *line, const char *want)
{
	const char *newline;

	scenario_exits(s, line, 2);
	newline = strchr(s->text, '\n');
	if (strncmp(s->text, "tollgate: ", strlen("tollgate: ")) != 0 || !newline || newline[1] ||
		!strstr(s->text, want))
		fail_msg("`%s` gives instead of one line with `%s`: %s", line, want, s->text);
}

#endif
