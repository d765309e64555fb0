#include "store/oci_spec.h"

#include "common/cleanup.h"
#include "store/json.h"

static bool push_text(cJSON *array, const char *text)
{
	cJSON *item = cJSON_CreateString(text);

	if (item && cJSON_AddItemToArray(array, item))
		return true;
	cJSON_Delete(item);
	return false;
}

/* Paths, arguments and variables go in as they are, not through tg_json_put_text. */
static bool put_string(cJSON *obj, const char *key, const char *text)
{
	return tg_json_put(obj, key, cJSON_CreateString(text));
}

/* `list` is NULL-terminated, or NULL; at most `max` of it. */
static cJSON *text_array(const char *const *list, size_t max)
{
	tg_autojson cJSON *array = cJSON_CreateArray();

	for (size_t i = 0; array && list && i < max && list[i]; i++)
		if (!push_text(array, list[i]))
			return NULL;
	return tg_steal(&array);
}

static cJSON *mount_object(const struct tg_oci_mount *m)
{
	tg_autojson cJSON *obj = cJSON_CreateObject();

	if (!put_string(obj, "destination", m->destination) || !put_string(obj, "type", m->type) ||
		!put_string(obj, "source", m->source) ||
		!tg_json_put(obj, "options", text_array(m->options, TG_ARRAY_SIZE(m->options))))
		return NULL;
	return tg_steal(&obj);
}

static bool push_mount(cJSON *array, const struct tg_oci_mount *m)
{
	cJSON *item = mount_object(m);

	if (item && cJSON_AddItemToArray(array, item))
		return true;
	cJSON_Delete(item);
	return false;
}

static cJSON *mounts_array(const struct tg_oci_spec *spec)
{
	static const struct tg_oci_mount always[] = {
		{"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}},
		{"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
	};
	tg_autojson cJSON *array = cJSON_CreateArray();

	for (size_t i = 0; array && i < TG_ARRAY_SIZE(always); i++)
		if (!push_mount(array, &always[i]))
			return NULL;
	for (size_t i = 0; array && i < spec->mount_count; i++)
		if (!push_mount(array, &spec->mounts[i]))
			return NULL;
	return tg_steal(&array);
}

/* Every set is there and empty: a runtime that takes an absent object for "its default" gives none
 * either. */
static cJSON *no_capabilities(void)
{
	static const char *const sets[] = {
		"bounding", "effective", "inheritable", "permitted", "ambient"};
	tg_autojson cJSON *obj = cJSON_CreateObject();

	for (size_t i = 0; i < TG_ARRAY_SIZE(sets); i++)
		if (!tg_json_put(obj, sets[i], cJSON_CreateArray()))
			return NULL;
	return tg_steal(&obj);
}

static cJSON *process_object(const struct tg_oci_spec *spec)
{
	tg_autojson cJSON *obj = cJSON_CreateObject();
	cJSON *user = cJSON_CreateObject();
	bool ok = tg_json_put_int(user, "uid", 0) && tg_json_put_int(user, "gid", 0);

	ok = tg_json_put(obj, "user", user) && ok;
	ok = ok && tg_json_put_bool(obj, "terminal", false) &&
		tg_json_put(obj, "args", text_array(spec->args, SIZE_MAX)) &&
		tg_json_put(obj, "env", text_array(spec->env, SIZE_MAX)) &&
		put_string(obj, "cwd", "/") &&
		tg_json_put(obj, "capabilities", no_capabilities()) &&
		tg_json_put_bool(obj, "noNewPrivileges", true);
	return ok ? tg_steal(&obj) : NULL;
}

static cJSON *namespaces_array(void)
{
	static const char *const types[] = {"pid", "ipc", "uts", "mount", "network"};
	tg_autojson cJSON *array = cJSON_CreateArray();

	for (size_t i = 0; array && i < TG_ARRAY_SIZE(types); i++) {
		cJSON *item = cJSON_CreateObject();

		if (!put_string(item, "type", types[i]) || !cJSON_AddItemToArray(array, item)) {
			cJSON_Delete(item);
			return NULL;
		}
	}
	return tg_steal(&array);
}

static cJSON *linux_object(const struct tg_oci_spec *spec)
{
	tg_autojson cJSON *obj = cJSON_CreateObject();
	bool ok = tg_json_put(obj, "namespaces", namespaces_array());

	if (spec->cgroups_path)
		ok = ok && put_string(obj, "cgroupsPath", spec->cgroups_path);
	return ok ? tg_steal(&obj) : NULL;
}

char *tg_oci_spec_text(const struct tg_oci_spec *spec)
{
	tg_autojson cJSON *obj = cJSON_CreateObject();
	cJSON *root = cJSON_CreateObject();
	bool ok = put_string(root, "path", spec->root) &&
		tg_json_put_bool(root, "readonly", spec->root_readonly);

	ok = tg_json_put(obj, "root", root) && ok;
	ok = ok && put_string(obj, "ociVersion", "1.0.0") &&
		tg_json_put(obj, "process", process_object(spec)) &&
		put_string(obj, "hostname", "tollgate") &&
		tg_json_put(obj, "mounts", mounts_array(spec)) &&
		tg_json_put(obj, "linux", linux_object(spec));
	return ok ? cJSON_Print(obj) : NULL;
}
