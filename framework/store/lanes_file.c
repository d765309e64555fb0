#include "store/lanes_file.h"

#include "common/cleanup.h"
#include "store/file.h"
#include "store/json.h"
#include "store/names.h"

#include <errno.h>
#include <string.h>

#define LANES_FILE_MAX	  ((size_t)1 << 20)
#define START_TIMEOUT_MAX 3600.0 /* s */

static const char *const runtime_keys[] = {"path", "runtimeArgs", "kind", "cpus", "alternative",
	"probe", "cgroup", "default", "startTimeout", NULL};

/* Paths and arguments may be UTF-8; what goes to a terminal or ends a string may not be in them. */
static int get_string(
	const cJSON *item, const char *key, char *out, size_t size, struct tg_err *err)
{
	if (!cJSON_IsString(item))
		return tg_err_set(err, EINVAL, "key \"%s\": not a string", key);
	if (strlen(item->valuestring) >= size)
		return tg_err_set(err, EINVAL, "key \"%s\": over %zu bytes", key, size - 1);
	for (const char *s = item->valuestring; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return tg_err_set(err, EINVAL, "key \"%s\": control character", key);
	memcpy(out, item->valuestring, strlen(item->valuestring) + 1);
	return 0;
}

static int get_path(const cJSON *obj, const char *key, char out[TG_PATH_MAX], struct tg_err *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(obj, key);

	return item ? get_string(item, key, out, TG_PATH_MAX, err) : 0;
}

static int get_args(const cJSON *obj, struct tg_lane *lane, struct tg_err *err)
{
	const cJSON *array, *item;
	int rc;

	if (!tg_json_has(obj, "runtimeArgs"))
		return 0;
	rc = tg_json_array(obj, "runtimeArgs", &array, err);
	if (rc < 0)
		return rc;
	cJSON_ArrayForEach(item, array)
	{
		if (lane->arg_count == TG_LANE_ARGS_MAX)
			return tg_err_set(err, EINVAL, "key \"runtimeArgs\": over %d arguments",
				TG_LANE_ARGS_MAX);
		rc = get_string(
			item, "runtimeArgs", lane->args[lane->arg_count], TG_LANE_ARG_MAX, err);
		if (rc < 0)
			return rc;
		lane->arg_count++;
	}
	return 0;
}

/* One of `words` (NULL-terminated), as its index in *out. Absent: *out stays. */
static int get_word(
	const cJSON *obj, const char *key, const char *const *words, int *out, struct tg_err *err)
{
	char word[32];
	int rc;

	if (!tg_json_has(obj, key))
		return 0;
	rc = tg_json_text(obj, key, word, sizeof(word), err);
	if (rc < 0)
		return rc;
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], word) == 0) {
			*out = i;
			return 0;
		}
	return tg_err_set(err, EINVAL, "key \"%s\": \"%s\" is not known", key, word);
}

static int get_numbers(const cJSON *obj, struct tg_lane *lane, struct tg_err *err)
{
	double timeout_s = 10;
	int rc = 0;

	if (tg_json_has(obj, "cpus"))
		rc = tg_json_int(obj, "cpus", 1, 255, &lane->cpus, err);
	if (rc == 0 && tg_json_has(obj, "startTimeout"))
		rc = tg_json_number(obj, "startTimeout", 0.001, START_TIMEOUT_MAX, &timeout_s, err);
	if (rc == 0 && tg_json_has(obj, "default"))
		rc = tg_json_bool(obj, "default", &lane->by_default, err);
	lane->start_timeout_ms = (unsigned)(timeout_s * 1000 + 0.5);
	return rc;
}

static int check_kind(const struct tg_lane *lane, struct tg_err *err)
{
	if (lane->kind == TG_LANE_NATIVE) {
		if (lane->path[0] || lane->arg_count || lane->alternative[0])
			return tg_err_set(err, EINVAL,
				"key \"kind\": a native lane has no path, alternative or "
				"runtimeArgs");
	} else if (!lane->path[0]) {
		return tg_err_set(err, EINVAL, "key \"path\": missing or empty");
	}
	return 0;
}

static int parse_runtime(const cJSON *obj, struct tg_lane *lane, struct tg_err *err)
{
	static const char *const kinds[] = {"native", "oci", "command", NULL};
	static const enum tg_lane_kind kind_of[] = {TG_LANE_NATIVE, TG_LANE_OCI, TG_LANE_COMMAND};
	static const char *const cgroups[] = {"machine", "unified", NULL};
	int kind = 1, cgroup = 0;
	int rc = tg_json_only(obj, runtime_keys, err);

	lane->cpus = 1;
	if (rc == 0)
		rc = get_path(obj, "path", lane->path, err);
	if (rc == 0)
		rc = get_path(obj, "alternative", lane->alternative, err);
	if (rc == 0)
		rc = get_path(obj, "probe", lane->probe, err);
	if (rc == 0)
		rc = get_args(obj, lane, err);
	if (rc == 0)
		rc = get_word(obj, "kind", kinds, &kind, err);
	if (rc == 0)
		rc = get_word(obj, "cgroup", cgroups, &cgroup, err);
	if (rc == 0)
		rc = get_numbers(obj, lane, err);
	if (rc < 0)
		return rc;
	lane->kind = kind_of[kind];
	lane->only_cgroup2 = cgroup == 1;
	return check_kind(lane, err);
}

static struct tg_lane *slot(struct tg_lanes *lanes, const char *name)
{
	for (size_t i = 0; i < lanes->count; i++)
		if (strcmp(lanes->v[i].name, name) == 0)
			return &lanes->v[i];
	return lanes->count < TG_LANES_MAX ? &lanes->v[lanes->count] : NULL;
}

/* Docker's shims: nothing that can be run as a command. */
static bool is_shim(const cJSON *obj)
{
	return tg_json_has(obj, "runtimeType") || tg_json_has(obj, "options");
}

static int add_runtime(const cJSON *item, struct tg_lanes *lanes, bool users, struct tg_err *err)
{
	struct tg_lane lane = {.overridden = users};
	struct tg_lane *place;
	int rc;

	if (!tg_lane_name_ok(item->string))
		return tg_err_set(err, EINVAL, "a name is 1 to %d of A-Z a-z 0-9 . _ : -",
			TG_LANE_NAME_MAX - 1);
	if (is_shim(item))
		return 0;
	rc = parse_runtime(item, &lane, err);
	if (rc < 0)
		return rc;
	memcpy(lane.name, item->string, strlen(item->string) + 1);
	place = slot(lanes, lane.name);
	if (!place)
		return tg_err_set(err, ENOSPC, "over %d lanes", TG_LANES_MAX);
	if (place == &lanes->v[lanes->count])
		lanes->count++;
	else
		lane.overridden = true;
	*place = lane;
	return 0;
}

static int add_runtimes(const cJSON *root, struct tg_lanes *lanes, bool users, struct tg_err *err)
{
	const cJSON *runtimes, *item;
	char shown[TG_JSON_SHOWN];
	int rc;

	if (!cJSON_IsObject(root))
		return tg_err_set(err, EINVAL, "not an object");
	rc = tg_json_object(root, "runtimes", &runtimes, err);
	if (rc < 0)
		return rc;
	cJSON_ArrayForEach(item, runtimes)
	{
		rc = add_runtime(item, lanes, users, err);
		if (rc < 0)
			return tg_err_wrap(err, "runtime `%s`", tg_json_shown(item->string, shown));
	}
	return 0;
}

static int parse(const char *text, size_t len, const char *where, struct tg_lanes *lanes,
	bool users, struct tg_err *err)
{
	tg_autojson cJSON *root = NULL;
	tg_autofree struct tg_lanes *work = malloc(sizeof(*work));
	int rc;

	if (!work)
		return tg_err_set(err, ENOMEM, "%s: out of memory", where);
	*work = *lanes;
	rc = tg_json_parse(text, len, &root, err);
	if (rc == 0)
		rc = add_runtimes(root, work, users, err);
	if (rc < 0) {
		tg_err_wrap(err, "%s", where);
		return rc;
	}
	*lanes = *work;
	return 0;
}

int tg_lanes_file_parse(
	const char *text, const char *where, struct tg_lanes *lanes, struct tg_err *err)
{
	return parse(text, strlen(text), where, lanes, false, err);
}

int tg_lanes_file_load(const char *path, struct tg_lanes *lanes, struct tg_err *err)
{
	tg_autofree char *text = NULL;
	size_t len;
	int rc = tg_file_read(path, LANES_FILE_MAX, &text, &len, err);

	return rc < 0 ? rc : parse(text, len, path, lanes, true, err);
}
