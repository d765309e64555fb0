/* test_oci_spec.c: the text of config.json, read back key by key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/oci_spec.h"

#include "common/cleanup.h"
#include "store/json.h"

#include <string.h>

static const char *const args[] = {"/probe", "a \"b\"\n", NULL};
static const char *const env[] = {"PATH=/bin", "LANG=é", NULL};
static const struct tg_oci_mount mounts[] = {
	{"/tmp", "tmpfs", "tmpfs", {"nosuid", "mode=1777"}},
	{"/bind", "bind", "/host", {"a", "b", "c", "d", "e", "f", "g", "h"}}, /* full: no NULL */
};

static const struct tg_oci_spec full = {
	.root = "rootfs",
	.root_readonly = true,
	.args = args,
	.env = env,
	.mounts = mounts,
	.mount_count = 2,
	.cgroups_path = "/tollgate/x",
};

static cJSON *parsed(const struct tg_oci_spec *spec)
{
	char *text = tg_oci_spec_text(spec);
	cJSON *root = NULL;
	struct tg_err err = {0};

	assert_non_null(text);
	if (tg_json_parse(text, strlen(text), &root, &err) < 0)
		fail_msg("%s", err.msg);
	free(text);
	return root;
}

/* The item at a path like "process.user.uid" or "mounts.2.type"; NULL where there is none. */
static const cJSON *at(const cJSON *item, const char *path)
{
	char key[64];

	while (item && *path) {
		size_t len = strcspn(path, ".");

		snprintf(key, sizeof(key), "%.*s", (int)len, path);
		item = cJSON_IsArray(item) ? cJSON_GetArrayItem(item, atoi(key))
					   : cJSON_GetObjectItemCaseSensitive(item, key);
		path += len + (path[len] == '.');
	}
	return item;
}

static void text_of_a_full_spec_has_every_string(void **state)
{
	static const struct {
		const char *path, *want;
	} rows[] = {
		{"ociVersion", "1.0.0"},
		{"root.path", "rootfs"},
		{"process.cwd", "/"},
		{"process.args.0", "/probe"},
		{"process.args.1", "a \"b\"\n"},
		{"process.env.1", "LANG=é"},
		{"mounts.0.destination", "/proc"},
		{"mounts.1.destination", "/dev"},
		{"mounts.2.destination", "/tmp"},
		{"mounts.2.options.1", "mode=1777"},
		{"mounts.3.source", "/host"},
		{"mounts.3.options.7", "h"},
		{"linux.cgroupsPath", "/tollgate/x"},
		{"linux.namespaces.0.type", "pid"},
		{"linux.namespaces.4.type", "network"},
	};
	cJSON *root = parsed(&full);

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(rows); i++) {
		const cJSON *item = at(root, rows[i].path);

		if (!cJSON_IsString(item) || strcmp(item->valuestring, rows[i].want) != 0)
			fail_msg("%s is not %s", rows[i].path, rows[i].want);
	}
	assert_true(cJSON_IsTrue(at(root, "root.readonly")));
	assert_int_equal(cJSON_GetArraySize(at(root, "process.args")), 2);
	assert_int_equal(cJSON_GetArraySize(at(root, "mounts")), 4);
	cJSON_Delete(root);
}

static void text_of_any_spec_gives_no_power_and_asks_for_no_resources(void **state)
{
	static const char *const absent[] = {"process.rlimits", "linux.resources", "linux.seccomp",
		"hooks", "process.terminal.x"};
	static const char *const empty[] = {
		"bounding", "effective", "inheritable", "permitted", "ambient"};
	cJSON *root = parsed(&full);
	char path[64];

	(void)state;
	for (size_t i = 0; i < TG_ARRAY_SIZE(absent); i++)
		assert_null(at(root, absent[i]));
	for (size_t i = 0; i < TG_ARRAY_SIZE(empty); i++) {
		snprintf(path, sizeof(path), "process.capabilities.%s", empty[i]);
		assert_true(cJSON_IsArray(at(root, path)));
		assert_int_equal(cJSON_GetArraySize(at(root, path)), 0);
	}
	assert_true(cJSON_IsTrue(at(root, "process.noNewPrivileges")));
	assert_true(cJSON_IsFalse(at(root, "process.terminal")));
	assert_true(cJSON_IsNumber(at(root, "process.user.uid")));
	cJSON_Delete(root);
}

static void text_of_the_least_spec_is_whole(void **state)
{
	static const struct tg_oci_spec least = {.root = "/", .args = args};
	cJSON *root = parsed(&least);

	(void)state;
	assert_true(cJSON_IsFalse(at(root, "root.readonly")));
	assert_int_equal(cJSON_GetArraySize(at(root, "mounts")), 2);
	assert_int_equal(cJSON_GetArraySize(at(root, "process.env")), 0);
	assert_null(at(root, "linux.cgroupsPath"));
	cJSON_Delete(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_a_full_spec_has_every_string),
		cmocka_unit_test(text_of_any_spec_gives_no_power_and_asks_for_no_resources),
		cmocka_unit_test(text_of_the_least_spec_is_whole),
	};

	return cmocka_run_group_tests_name("oci_spec", tests, NULL, NULL);
}
