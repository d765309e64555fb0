#include "store/json.h"

#include "common/cleanup.h"

#include <errno.h>
#include <math.h>
#include <string.h>

const char *tg_json_shown(const char *text, char out[TG_JSON_SHOWN])
{
	size_t n = 0;

	for (; text[n] && n < 40; n++)
		out[n] = text[n] >= 0x20 && text[n] < 0x7f ? text[n] : '?';
	memcpy(out + n, text[n] ? "..." : "", text[n] ? 4 : 1);
	return out;
}

static int bad_at(const char *text, size_t at, const char *what, struct tg_err *err)
{
	size_t line = 1;

	for (size_t i = 0; i < at; i++)
		line += text[i] == '\n';
	return tg_err_set(err, EINVAL, "line %zu, byte %zu: %s", line, at + 1, what);
}

/* What cJSON lets through, or would recurse on: looked for before it sees the text. */
static int scan(const char *text, size_t len, struct tg_err *err)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if ((unsigned char)c < 0x20 && (in_string || !strchr("\t\n\r", c) || c == '\0'))
			return bad_at(text, i, "control character", err);
		if (in_string && c == '\\') {
			if (len - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0)
				return bad_at(text, i, "NUL in a string", err);
			i += i + 1 < len && (unsigned char)text[i + 1] >= 0x20;
		} else if (c == '"') {
			in_string = !in_string;
		} else if (!in_string && (c == '{' || c == '[')) {
			if (++depth > TG_JSON_DEPTH_MAX)
				return bad_at(text, i, "nested too deeply", err);
		} else if (!in_string && (c == '}' || c == ']')) {
			depth--;
		}
	}
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int duplicate_key(const cJSON *obj, struct tg_err *err)
{
	size_t n = 0, i = 0;
	const cJSON *item;
	tg_autofree const char **keys = NULL;
	char shown[TG_JSON_SHOWN];

	cJSON_ArrayForEach(item, obj) n++;
	if (n < 2)
		return 0;
	keys = calloc(n, sizeof(*keys));
	if (!keys)
		return tg_err_set(err, ENOMEM, "out of memory");
	cJSON_ArrayForEach(item, obj) keys[i++] = item->string;
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (i = 1; i < n; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			return tg_err_set(err, EINVAL, "key \"%s\" is given twice",
				tg_json_shown(keys[i], shown));
	return 0;
}

/* Recursion is bounded by TG_JSON_DEPTH_MAX. */
static int check_tree(const cJSON *item, struct tg_err *err)
{
	const cJSON *child;
	char shown[TG_JSON_SHOWN];
	int rc;

	if (cJSON_IsNumber(item) && !isfinite(item->valuedouble))
		return tg_err_set(err, EINVAL, "key \"%s\": not a finite number",
			tg_json_shown(item->string ? item->string : "", shown));
	if (cJSON_IsObject(item)) {
		rc = duplicate_key(item, err);
		if (rc < 0)
			return rc;
	}
	cJSON_ArrayForEach(child, item)
	{
		rc = check_tree(child, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int tg_json_parse(const char *text, size_t len, cJSON **ret, struct tg_err *err)
{
	tg_autojson cJSON *root = NULL;
	const char *end = text;
	int rc = scan(text, len, err);

	if (rc < 0)
		return rc;
	root = cJSON_ParseWithLengthOpts(text, len, &end, 0);
	if (!root)
		return bad_at(text, (size_t)(end - text), "not JSON, or cut short", err);
	for (; end < text + len; end++)
		if (!strchr(" \t\r\n", *end))
			return bad_at(text, (size_t)(end - text), "trailing garbage", err);
	rc = check_tree(root, err);
	if (rc < 0)
		return rc;
	*ret = tg_steal(&root);
	return 0;
}

bool tg_json_has(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key) != NULL;
}

int tg_json_only(const cJSON *obj, const char *const *keys, struct tg_err *err)
{
	const cJSON *item;
	char shown[TG_JSON_SHOWN];

	if (!cJSON_IsObject(obj))
		return tg_err_set(err, EINVAL, "not an object");
	cJSON_ArrayForEach(item, obj)
	{
		const char *const *k = keys;

		while (*k && strcmp(*k, item->string) != 0)
			k++;
		if (!*k)
			return tg_err_set(err, EINVAL, "key \"%s\" is unknown",
				tg_json_shown(item->string, shown));
	}
	return 0;
}

static int wrong(const cJSON *item, const char *key, const char *what, struct tg_err *err)
{
	return tg_err_set(
		err, EINVAL, "key \"%s\": %s%s", key, item ? "not " : "missing, must be ", what);
}

static const cJSON *get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

int tg_json_object(const cJSON *obj, const char *key, const cJSON **out, struct tg_err *err)
{
	const cJSON *item = get(obj, key);

	if (!cJSON_IsObject(item))
		return wrong(item, key, "an object", err);
	*out = item;
	return 0;
}

int tg_json_array(const cJSON *obj, const char *key, const cJSON **out, struct tg_err *err)
{
	const cJSON *item = get(obj, key);

	if (!cJSON_IsArray(item))
		return wrong(item, key, "an array", err);
	*out = item;
	return 0;
}

int tg_json_text(const cJSON *obj, const char *key, char *out, size_t size, struct tg_err *err)
{
	const cJSON *item = get(obj, key);
	size_t len;

	if (!cJSON_IsString(item))
		return wrong(item, key, "a string", err);
	len = strlen(item->valuestring);
	if (len >= size)
		return tg_err_set(err, EINVAL, "key \"%s\": over %zu characters", key, size - 1);
	for (size_t i = 0; i < len; i++)
		if (item->valuestring[i] < 0x20 || item->valuestring[i] >= 0x7f)
			return tg_err_set(err, EINVAL, "key \"%s\": not printable ASCII", key);
	memcpy(out, item->valuestring, len + 1);
	return 0;
}

int tg_json_number(
	const cJSON *obj, const char *key, double min, double max, double *out, struct tg_err *err)
{
	const cJSON *item = get(obj, key);

	if (!cJSON_IsNumber(item))
		return wrong(item, key, "a number", err);
	if (!(item->valuedouble >= min && item->valuedouble <= max))
		return tg_err_set(err, EINVAL, "key \"%s\": %g is out of %g to %g", key,
			item->valuedouble, min, max);
	*out = item->valuedouble;
	return 0;
}

bool tg_json_whole(const cJSON *item, uint64_t min, uint64_t max, uint64_t *out)
{
	double d;
	uint64_t v;

	if (!cJSON_IsNumber(item))
		return false;
	d = item->valuedouble;
	if (!(d >= 0 && d < 0x1p63) || d != floor(d))
		return false;
	v = (uint64_t)d;
	if (v < min || v > max)
		return false;
	*out = v;
	return true;
}

int tg_json_u64(const cJSON *obj, const char *key, uint64_t min, uint64_t max, uint64_t *out,
	struct tg_err *err)
{
	const cJSON *item = get(obj, key);
	char what[96];

	if (tg_json_whole(item, min, max, out))
		return 0;
	snprintf(what, sizeof(what), "a whole number from %llu to %llu", (unsigned long long)min,
		(unsigned long long)max);
	return wrong(item, key, what, err);
}

int tg_json_int(const cJSON *obj, const char *key, int min, int max, int *out, struct tg_err *err)
{
	const cJSON *item = get(obj, key);
	double d = cJSON_IsNumber(item) ? item->valuedouble : NAN;
	char what[96];

	if (d >= min && d <= max && d == floor(d)) {
		*out = (int)d;
		return 0;
	}
	snprintf(what, sizeof(what), "a whole number from %d to %d", min, max);
	return wrong(item, key, what, err);
}

int tg_json_bool(const cJSON *obj, const char *key, bool *out, struct tg_err *err)
{
	const cJSON *item = get(obj, key);

	if (!cJSON_IsBool(item))
		return wrong(item, key, "true or false", err);
	*out = cJSON_IsTrue(item);
	return 0;
}

bool tg_json_put(cJSON *obj, const char *key, cJSON *item)
{
	if (!item)
		return false;
	if (!obj || !cJSON_AddItemToObject(obj, key, item)) {
		cJSON_Delete(item);
		return false;
	}
	return true;
}

bool tg_json_put_text(cJSON *obj, const char *key, const char *text)
{
	char clean[1024];
	size_t n = 0;

	for (; text[n] && n < sizeof(clean) - 1; n++)
		clean[n] = text[n] >= 0x20 && text[n] < 0x7f ? text[n] : '?';
	clean[n] = '\0';
	return tg_json_put(obj, key, cJSON_CreateString(clean));
}

static cJSON *fixed(double value, int decimals)
{
	char raw[400]; /* DBL_MAX has 309 digits before the point */

	if (!isfinite(value))
		return cJSON_CreateNull();
	snprintf(raw, sizeof(raw), "%.*f", decimals, value);
	if (raw[0] == '-' && strspn(raw + 1, "0.") == strlen(raw + 1))
		return cJSON_CreateRaw(raw + 1); /* no "-0.000000" */
	return cJSON_CreateRaw(raw);
}

bool tg_json_put_fixed(cJSON *obj, const char *key, double value, int decimals)
{
	return !isfinite(value) || tg_json_put(obj, key, fixed(value, decimals));
}

bool tg_json_put_number(cJSON *obj, const char *key, double value, int digits)
{
	char raw[48];

	if (!isfinite(value))
		return true;
	snprintf(raw, sizeof(raw), "%.*g", digits, value);
	return tg_json_put(obj, key, cJSON_CreateRaw(raw));
}

bool tg_json_put_u64(cJSON *obj, const char *key, uint64_t value)
{
	char raw[24];

	snprintf(raw, sizeof(raw), "%llu", (unsigned long long)value);
	return tg_json_put(obj, key, cJSON_CreateRaw(raw));
}

bool tg_json_put_int(cJSON *obj, const char *key, int value)
{
	char raw[16];

	snprintf(raw, sizeof(raw), "%d", value);
	return tg_json_put(obj, key, cJSON_CreateRaw(raw));
}

bool tg_json_put_bool(cJSON *obj, const char *key, bool value)
{
	return tg_json_put(obj, key, cJSON_CreateBool(value));
}

cJSON *tg_json_fixed_array(const double *v, size_t n, int decimals)
{
	tg_autojson cJSON *array = cJSON_CreateArray();

	for (size_t i = 0; array && i < n; i++) {
		cJSON *item = fixed(v[i], decimals);

		if (!item || !cJSON_AddItemToArray(array, item)) {
			cJSON_Delete(item);
			return NULL;
		}
	}
	return tg_steal(&array);
}

int tg_json_print(FILE *out, cJSON *obj, const char *end)
{
	tg_autojson cJSON *owned = obj;
	char *text = owned ? cJSON_PrintUnformatted(owned) : NULL;

	if (!text)
		return -ENOMEM;
	fprintf(out, "%s%s", text, end);
	cJSON_free(text);
	return 0;
}
