#include "lanes/lane.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct tg_lane *tg_lanes_find(struct tg_lanes *lanes, const char *name)
{
	for (size_t i = 0; i < lanes->count; i++)
		if (!strcmp(lanes->v[i].name, name))
			return &lanes->v[i];
	return NULL;
}

static bool valid_name(const char *s, size_t len)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";

	return len > 0 && len < TG_LANE_NAME_MAX && strspn(s, allowed) >= len;
}

/* Split "PATH[,ARG…]" into the lane. */
static int set_command(struct tg_lane *lane, const char *text, struct tg_err *err)
{
	size_t len = strcspn(text, ",");
	size_t args = 0;

	if (len == 0 || len >= sizeof(lane->path))
		return tg_err_set(err, EINVAL, "--lane %s: expected NAME=PATH[,ARG...]", lane->name);
	snprintf(lane->path, sizeof(lane->path), "%.*s", (int)len, text);
	lane->alternative[0] = '\0';
	for (text += len; *text == ','; text += len) {
		len = strcspn(++text, ",");
		if (args == TG_LANE_ARGS_MAX || len >= TG_LANE_ARG_MAX)
			return tg_err_set(err, E2BIG, "--lane %s: more than %d arguments, or one too long",
				lane->name, TG_LANE_ARGS_MAX);
		snprintf(lane->args[args++], TG_LANE_ARG_MAX, "%.*s", (int)len, text);
	}
	if (args)
		lane->arg_count = args;
	return 0;
}

int tg_lanes_override(struct tg_lanes *lanes, const char *spec, struct tg_err *err)
{
	size_t len = strcspn(spec, "=");
	struct tg_lane fresh = {.kind = TG_LANE_OCI, .cpus = 1, .start_timeout_ms = 10000};
	struct tg_lane *old, changed;
	int rc;

	if (spec[len] != '=' || !valid_name(spec, len))
		return tg_err_set(err, EINVAL, "--lane %.60s: expected NAME=PATH[,ARG...]", spec);
	snprintf(fresh.name, sizeof(fresh.name), "%.*s", (int)len, spec);
	old = tg_lanes_find(lanes, fresh.name);
	if (old && old->kind == TG_LANE_NATIVE)
		return tg_err_set(err, EINVAL, "--lane %s: a native lane has no runtime to put behind it",
			fresh.name);
	if (!old && lanes->count == TG_LANES_MAX)
		return tg_err_set(err, ENOSPC, "--lane %s: more than %d lanes", fresh.name, TG_LANES_MAX);
	changed = old ? *old : fresh;
	rc = set_command(&changed, spec + len + 1, err);
	if (rc < 0)
		return rc;
	changed.overridden = true;
	if (old)
		*old = changed;
	else
		lanes->v[lanes->count++] = changed;
	return 0;
}
