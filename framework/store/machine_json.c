#include "store/machine_json.h"

#include "common/cleanup.h"
#include "store/names.h"

#include <errno.h>

static bool put_facts(cJSON *obj, const char *key, const struct tg_machine *m, bool strict)
{
	cJSON *facts = cJSON_CreateObject();
	bool ok = facts != NULL;

	for (size_t i = 0; ok && i < m->count; i++)
		if (m->facts[i].strict == strict)
			ok = tg_json_put_text(facts, m->facts[i].key, m->facts[i].value);
	return tg_json_put(obj, key, facts) && ok;
}

cJSON *tg_machine_to_json(const struct tg_machine *m)
{
	tg_autojson cJSON *obj = cJSON_CreateObject();

	if (!tg_json_put_text(obj, "name", m->name) || !put_facts(obj, "strict", m, true) ||
		!put_facts(obj, "noted", m, false))
		return NULL;
	return tg_steal(&obj);
}

static int get_facts(
	const cJSON *obj, const char *key, bool strict, struct tg_machine *m, struct tg_err *err)
{
	const cJSON *facts, *item;
	char shown[TG_JSON_SHOWN];
	int rc = tg_json_object(obj, key, &facts, err);

	if (rc < 0)
		return rc;
	cJSON_ArrayForEach(item, facts)
	{
		struct tg_fact *f = &m->facts[m->count];

		if (m->count == TG_FACTS_MAX)
			return tg_err_set(
				err, EINVAL, "key \"%s\": over %d facts", key, TG_FACTS_MAX);
		if (!*item->string || strlen(item->string) >= sizeof(f->key) ||
			!tg_chars_ok(item->string, "_"))
			return tg_err_set(err, EINVAL, "key \"%s\": fact \"%s\" has no proper name",
				key, tg_json_shown(item->string, shown));
		if (tg_machine_fact(m, item->string))
			return tg_err_set(err, EINVAL, "key \"%s\" is given twice", item->string);
		rc = tg_json_text(facts, item->string, f->value, sizeof(f->value), err);
		if (rc < 0)
			return tg_err_wrap(err, "key \"%s\"", key);
		memcpy(f->key, item->string, strlen(item->string) + 1);
		f->strict = strict;
		m->count++;
	}
	return 0;
}

int tg_machine_from_json(const cJSON *obj, struct tg_machine *out, struct tg_err *err)
{
	static const char *const keys[] = {"name", "strict", "noted", NULL};
	struct tg_machine m = {0};
	int rc = tg_json_only(obj, keys, err);

	if (rc == 0)
		rc = tg_json_text(obj, "name", m.name, sizeof(m.name), err);
	if (rc == 0 && !tg_machine_name_ok(m.name))
		rc = tg_err_set(err, EINVAL, "key \"name\": not a machine's name");
	if (rc == 0)
		rc = get_facts(obj, "strict", true, &m, err);
	if (rc == 0)
		rc = get_facts(obj, "noted", false, &m, err);
	if (rc < 0)
		return rc;
	*out = m;
	return 0;
}
