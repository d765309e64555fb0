#include "store/baseline_rules.h"

#include "store/names.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

bool tg_baseline_suite(const char *bench, char suite[TG_SUITE_NAME_MAX])
{
	size_t len = strcspn(bench, "/");

	if (len == 0 || len >= TG_SUITE_NAME_MAX || bench[len] != '/' || bench[0] == '.')
		return false;
	memcpy(suite, bench, len);
	suite[len] = '\0';
	return tg_chars_ok(suite, "._-") && strcmp(suite, "machine") != 0;
}

time_t tg_baseline_time(const char *date)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";
	struct tm tm = {0};
	int hours = 0, minutes = 0, used = 0;
	const char *zone = date + sizeof(shape) - 1;

	for (size_t i = 0; i < sizeof(shape) - 1; i++)
		if (shape[i] == 'd' ? date[i] < '0' || date[i] > '9' : date[i] != shape[i])
			return -1;
	if (sscanf(date, "%4d-%2d-%2dT%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		    &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return -1;
	if (tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
		tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if (strcmp(zone, "Z") == 0)
		return timegm(&tm);
	if ((*zone != '+' && *zone != '-') || strlen(zone) != 6 || zone[3] != ':' ||
		strspn(zone + 1, "0123456789:") != 5 ||
		sscanf(zone + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || used != 5)
		return -1;
	return timegm(&tm) - (*zone == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

static const char *session_fault(
	const struct tg_baseline_row *row, const struct tg_baseline_session *s)
{
	bool absolute = strcmp(row->ref, "none") == 0;

	if (!s->id[0] || !tg_chars_ok(s->id, "._:+-"))
		return "key \"id\": letters, digits and . _ : + - wanted";
	if (!s->boot[0] || !tg_chars_ok(s->boot, "._-"))
		return "key \"boot\": letters, digits and . _ - wanted";
	if (tg_baseline_time(s->date) < 0)
		return "key \"date\": not RFC 3339";
	if (isinf(s->mad) || s->mad < 0)
		return "key \"mad\": negative or infinite";
	for (size_t i = 0; i < s->blocks; i++) {
		if (!isfinite(s->y[i]) || fabs(s->y[i]) > (absolute ? TG_Y_MAX : TG_LN_RATIO_MAX))
			return "key \"y\": out of range";
		if (absolute && s->y[i] < 0)
			return "key \"y\": negative cost";
	}
	return NULL;
}

static const char *row_fault(const struct tg_baseline_row *row)
{
	char suite[TG_SUITE_NAME_MAX];

	if (!tg_bench_name_ok(row->bench) || strstr(row->bench, "..") ||
		strstr(row->bench, "/lane:") || strstr(row->bench, "//") ||
		!tg_baseline_suite(row->bench, suite))
		return "key \"name\": not suite/bench/lane:L";
	if (!tg_lane_name_ok(row->lane))
		return "key \"name\": not a lane's name";
	if (!tg_lane_name_ok(row->ref))
		return "key \"ref\": not a lane's name";
	if (!tg_unit_ok(row->unit))
		return "key \"unit\": not a unit";
	if (row->cpus < 1 || row->cpus > 255)
		return "key \"cpus\": not 1 to 255";
	if (row->ops < 1 || row->ops > (UINT64_C(1) << 53))
		return "key \"ops\": not 1 to 2^53";
	if (row->rev < 0)
		return "key \"rev\": negative";
	if (!(row->real_time >= 0 && row->real_time <= TG_Y_MAX))
		return "key \"real_time\": negative, or no number";
	if (!(row->tolerance > 0 && row->tolerance <= TG_Y_MAX))
		return "key \"tolerance\": not above 0";
	if (row->mde < 0)
		return "key \"mde\": negative";
	if (row->role != TG_ROLE_GATE && row->role != TG_ROLE_WATCH)
		return "key \"role\": not gate or watch";
	return NULL;
}

int tg_baseline_check_row(const struct tg_baseline_row *row, struct tg_err *err)
{
	const char *fault = row_fault(row);

	if (fault)
		return tg_err_set(err, EINVAL, "%s", fault);
	for (size_t i = 0; i < row->session_count; i++) {
		fault = session_fault(row, &row->sessions[i]);
		for (size_t k = 0; k < i && !fault; k++)
			if (strcmp(row->sessions[k].id, row->sessions[i].id) == 0)
				fault = "key \"id\": given twice";
		if (fault)
			return tg_err_set(err, EINVAL, "session %zu: %s", i, fault);
	}
	return 0;
}

int tg_baseline_check_moderation(const struct tg_lane_moderation *m, struct tg_err *err)
{
	if (!tg_lane_name_ok(m->lane))
		return tg_err_set(err, EINVAL, "key \"lane\": not a lane's name");
	if (!(m->d0 >= 0))
		return tg_err_set(err, EINVAL, "key \"d0\": negative, or no number");
	if (!(m->s02 >= 0) || isinf(m->s02))
		return tg_err_set(err, EINVAL, "key \"s02\": negative, or no number");
	return 0;
}
