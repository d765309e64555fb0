#include "store/baseline_rules.h"

#include "verdict/stats.h"

#include <errno.h>
#include <math.h>
#include <string.h>

struct tg_baseline *tg_baseline_new(const struct tg_machine *machine)
{
	struct tg_baseline *b = calloc(1, sizeof(*b));

	if (b)
		b->machine = *machine;
	return b;
}

void tg_baseline_row_clear(struct tg_baseline_row *row)
{
	for (size_t i = 0; i < row->session_count; i++)
		free(row->sessions[i].y);
	free(row->sessions);
	row->sessions = NULL;
	row->session_count = 0;
}

void tg_baseline_free(struct tg_baseline *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->row_count; i++)
		tg_baseline_row_clear(&b->rows[i]);
	free(b->rows);
	free(b);
}

static struct tg_baseline_row *find(
	const struct tg_baseline *b, const char *bench, const char *lane)
{
	for (size_t i = 0; i < b->row_count; i++)
		if (strcmp(b->rows[i].bench, bench) == 0 && strcmp(b->rows[i].lane, lane) == 0)
			return &b->rows[i];
	return NULL;
}

const struct tg_baseline_row *tg_baseline_find(
	const struct tg_baseline *b, const char *bench, const char *lane)
{
	return find(b, bench, lane);
}

static int insert_at(struct tg_baseline *b, size_t at, struct tg_baseline_row *row)
{
	struct tg_baseline_row *rows = reallocarray(b->rows, b->row_count + 1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	b->rows = rows;
	memmove(rows + at + 1, rows + at, (b->row_count - at) * sizeof(*rows));
	rows[at] = *row;
	b->row_count++;
	row->sessions = NULL;
	row->session_count = 0;
	return 0;
}

int tg_baseline_append(struct tg_baseline *b, struct tg_baseline_row *row)
{
	if (find(b, row->bench, row->lane))
		return -EEXIST;
	return insert_at(b, b->row_count, row);
}

/* Beside the rows of the same bench, by lane; a new bench goes last. */
static size_t place_of(const struct tg_baseline *b, const struct tg_baseline_row *row)
{
	size_t at = b->row_count;

	for (size_t i = 0; i < b->row_count; i++) {
		if (strcmp(b->rows[i].bench, row->bench) != 0)
			continue;
		if (strcmp(b->rows[i].lane, row->lane) > 0)
			return i;
		at = i + 1;
	}
	return at;
}

static bool same_measure(const struct tg_baseline_row *a, const struct tg_baseline_row *b)
{
	return a->rev == b->rev && a->cpus == b->cpus && strcmp(a->ref, b->ref) == 0 &&
		strcmp(a->unit, b->unit) == 0;
}

/* `s` with an array of its own that holds the finite values alone. */
static int copy_session(const struct tg_baseline_session *s, struct tg_baseline_session *out)
{
	*out = *s;
	out->blocks = 0;
	out->y = NULL;
	if (s->blocks == 0)
		return 0;
	out->y = calloc(s->blocks, sizeof(*out->y));
	if (!out->y)
		return -ENOMEM;
	for (size_t i = 0; i < s->blocks; i++)
		if (isfinite(s->y[i]))
			out->y[out->blocks++] = s->y[i];
	return 0;
}

static int push_session(struct tg_baseline_row *row, const struct tg_baseline_session *session)
{
	struct tg_baseline_session *sessions;
	int rc;

	for (size_t i = 0; i < row->session_count; i++)
		if (strcmp(row->sessions[i].id, session->id) == 0)
			return -EEXIST;
	sessions = reallocarray(row->sessions, row->session_count + 1, sizeof(*sessions));
	if (!sessions)
		return -ENOMEM;
	row->sessions = sessions;
	rc = copy_session(session, &sessions[row->session_count]);
	if (rc == 0)
		row->session_count++;
	return rc;
}

/* The row's cost, when one more session of cost `now` joins `before` older ones. */
static double running_mean(double was, double now, size_t before)
{
	if (!isfinite(now) || before == 0)
		return isfinite(now) ? now : was;
	return isfinite(was) ? was + (now - was) / (double)(before + 1) : now;
}

int tg_baseline_add(struct tg_baseline *b, const struct tg_baseline_row *like,
	const struct tg_baseline_session *session)
{
	struct tg_baseline_row fresh = *like;
	struct tg_baseline_row *row = find(b, like->bench, like->lane);
	int rc;

	fresh.session_count = 0;
	fresh.sessions = NULL;
	if (row && same_measure(row, like)) {
		rc = push_session(row, session);
		if (rc == 0)
			row->real_time = running_mean(
				row->real_time, like->real_time, row->session_count - 1);
		return rc;
	}
	rc = push_session(&fresh, session);
	if (rc == 0 && row) {
		tg_baseline_row_clear(row);
		*row = fresh;
		return 0;
	}
	if (rc == 0)
		rc = insert_at(b, place_of(b, &fresh), &fresh);
	if (rc < 0)
		tg_baseline_row_clear(&fresh);
	return rc;
}

/* A view of the row's sessions that have values. Returns how many. */
static size_t sessions_of(const struct tg_baseline_row *row, struct tg_session *out)
{
	size_t n = 0;

	for (size_t i = 0; i < row->session_count; i++)
		if (row->sessions[i].blocks > 0)
			out[n++] = (struct tg_session){row->sessions[i].y, row->sessions[i].blocks};
	return n;
}

static bool is_absolute(const struct tg_baseline_row *row)
{
	return strcmp(row->ref, "none") == 0;
}

/* Variance between the row's session values, with its degrees of freedom; false where there is
 * none. */
static bool session_variance(const struct tg_baseline_row *row, double *v, double *df)
{
	tg_autofree double *th = calloc(row->session_count + 1, sizeof(*th));
	size_t n = 0;

	if (!th || is_absolute(row))
		return false; /* another scale than log-ratios */
	for (size_t i = 0; i < row->session_count; i++)
		if (row->sessions[i].blocks > 0)
			th[n++] = tg_hodges_lehmann(row->sessions[i].y, row->sessions[i].blocks);
	if (n < 2)
		return false;
	*v = tg_variance(th, n);
	*df = (double)(n - 1);
	return true;
}

static void settle_lane(struct tg_baseline *b, const char *lane)
{
	tg_autofree double *v = calloc(b->row_count + 1, sizeof(*v));
	tg_autofree double *df = calloc(b->row_count + 1, sizeof(*df));
	struct tg_lane_moderation m = {0};
	size_t n = 0;

	if (!v || !df)
		return; /* a lane without an entry is judged without moderation */
	for (size_t i = 0; i < b->row_count; i++)
		if (strcmp(b->rows[i].lane, lane) == 0)
			n += session_variance(&b->rows[i], &v[n], &df[n]);
	tg_moderation_fit(v, df, n, &m.d0, &m.s02);
	if (!(m.d0 > 0) || !isfinite(m.s02) || m.s02 <= 0)
		return;
	memcpy(m.lane, lane, strlen(lane) + 1);
	b->moderation[b->moderation_count++] = m;
}

static const struct tg_lane_moderation *moderation_of(const struct tg_baseline *b, const char *lane)
{
	for (size_t i = 0; i < b->moderation_count; i++)
		if (strcmp(b->moderation[i].lane, lane) == 0)
			return &b->moderation[i];
	return NULL;
}

static void settle_row(const struct tg_baseline *b, struct tg_baseline_row *row)
{
	const struct tg_lane_moderation *m = moderation_of(b, row->lane);
	struct tg_policy policy = TG_POLICY_DEFAULT;
	tg_autofree struct tg_session *base = calloc(row->session_count + 1, sizeof(*base));
	size_t n = base ? sessions_of(row, base) : 0;

	row->role = TG_ROLE_WATCH;
	row->mde = NAN;
	if (n == 0)
		return;
	policy.tolerance = row->tolerance;
	policy.absolute = is_absolute(row);
	if (m && !policy.absolute) {
		policy.d0 = m->d0;
		policy.s02 = m->s02;
	}
	/* As many blocks as its newest session had: what the next check will bring. */
	row->role = tg_gate_role(base, n, base[n - 1].blocks, &policy, &row->mde);
}

void tg_baseline_settle(struct tg_baseline *b)
{
	b->moderation_count = 0;
	for (size_t i = 0; i < b->row_count && b->moderation_count < TG_LANES_MAX; i++) {
		bool seen = false;

		for (size_t j = 0; j < i && !seen; j++)
			seen = strcmp(b->rows[j].lane, b->rows[i].lane) == 0;
		if (!seen)
			settle_lane(b, b->rows[i].lane);
	}
	for (size_t i = 0; i < b->row_count; i++)
		settle_row(b, &b->rows[i]);
}

/* One of the distinct texts at `offset` in a session: count those not met before in the walk. */
static size_t count_distinct(const struct tg_baseline *b, size_t offset)
{
	tg_autofree const char **seen = NULL;
	size_t n = 0, room = 0;

	for (size_t i = 0; i < b->row_count; i++)
		room += b->rows[i].session_count;
	seen = calloc(room + 1, sizeof(*seen));
	if (!seen)
		return 0;
	for (size_t i = 0; i < b->row_count; i++)
		for (size_t s = 0; s < b->rows[i].session_count; s++) {
			const char *text = (const char *)&b->rows[i].sessions[s] + offset;
			size_t k = 0;

			while (k < n && strcmp(seen[k], text) != 0)
				k++;
			if (k == n)
				seen[n++] = text;
		}
	return n;
}

void tg_baseline_span(const struct tg_baseline *b, size_t *sessions, size_t *boots,
	const char **oldest, const char **newest)
{
	const char *first = NULL, *last = NULL;

	for (size_t i = 0; i < b->row_count; i++)
		for (size_t s = 0; s < b->rows[i].session_count; s++) {
			const char *date = b->rows[i].sessions[s].date;

			if (!first || tg_baseline_time(date) < tg_baseline_time(first))
				first = date;
			if (!last || tg_baseline_time(date) > tg_baseline_time(last))
				last = date;
		}
	if (sessions)
		*sessions = count_distinct(b, offsetof(struct tg_baseline_session, id));
	if (boots)
		*boots = count_distinct(b, offsetof(struct tg_baseline_session, boot));
	if (oldest)
		*oldest = first ? first : "";
	if (newest)
		*newest = last ? last : "";
}
