/*
 * json.h: thin helpers over cJSON 1.7.15, of this room only.
 *
 * cJSON's own parser takes duplicate keys, 1e999, "\u0000" and raw control characters, and its
 * writer prints NaN as null and no fixed digits: readers go through tg_json_parse and the getters,
 * writers through _put. Getters: 0, or -EINVAL (err names the key, the caller wraps file and place
 * around it); *out is untouched on failure. Keys are matched with case.
 */
#ifndef TG_STORE_JSON_H
#define TG_STORE_JSON_H

#include "common/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TG_JSON_DEPTH_MAX 32
#define TG_JSON_EXACT_MAX (UINT64_C(1) << 53) /* whole numbers above it lose digits in a double */

static inline void tg_json_cleanup(cJSON **p)
{
	cJSON_Delete(*p);
}
#define tg_autojson __attribute__((cleanup(tg_json_cleanup)))

/* The whole of text[0..len): one value, no trailing garbage, no NUL. The caller owns *ret
 * (cJSON_Delete). -EINVAL says line and byte, or which key is given twice; -ENOMEM. */
int tg_json_parse(const char *text, size_t len, cJSON **ret, struct tg_err *err);

bool tg_json_has(const cJSON *obj, const char *key);

/* -EINVAL where `obj` is no object or has a key that is not in `keys` (NULL-terminated). */
int tg_json_only(const cJSON *obj, const char *const *keys, struct tg_err *err);

int tg_json_object(const cJSON *obj, const char *key, const cJSON **out, struct tg_err *err);
int tg_json_array(const cJSON *obj, const char *key, const cJSON **out, struct tg_err *err);

/* Printable ASCII, shorter than `size`; may be empty. */
int tg_json_text(const cJSON *obj, const char *key, char *out, size_t size, struct tg_err *err);

int tg_json_number(
	const cJSON *obj, const char *key, double min, double max, double *out, struct tg_err *err);
int tg_json_u64(const cJSON *obj, const char *key, uint64_t min, uint64_t max, uint64_t *out,
	struct tg_err *err);
int tg_json_int(const cJSON *obj, const char *key, int min, int max, int *out, struct tg_err *err);
int tg_json_bool(const cJSON *obj, const char *key, bool *out, struct tg_err *err);

/* Is the item itself a whole number in [min, max]? max < 2^63. */
bool tg_json_whole(const cJSON *item, uint64_t min, uint64_t max, uint64_t *out);

/* `text` for a message: at most 40 characters, all printable ASCII. Returns `out`. */
#define TG_JSON_SHOWN 44
const char *tg_json_shown(const char *text, char out[TG_JSON_SHOWN]);

/* Writers: false only when out of memory, and then obj is as it was. Non-finite numbers are left
 * out. */
bool tg_json_put(cJSON *obj, const char *key, cJSON *item); /* takes item, also on failure */
bool tg_json_put_text(
	cJSON *obj, const char *key, const char *text); /* non-printables become '?' */
bool tg_json_put_number(cJSON *obj, const char *key, double value, int digits);	 /* %.*g */
bool tg_json_put_fixed(cJSON *obj, const char *key, double value, int decimals); /* %.*f */
bool tg_json_put_u64(cJSON *obj, const char *key, uint64_t value);
bool tg_json_put_int(cJSON *obj, const char *key, int value);
bool tg_json_put_bool(cJSON *obj, const char *key, bool value);

/* A new array of `n` numbers with fixed decimals (non-finite: null); NULL when out of memory. */
cJSON *tg_json_fixed_array(const double *v, size_t n, int decimals);

/* Print `obj` without line breaks, then `end`, and delete it (NULL: -ENOMEM). 0 or -ENOMEM; write
 * errors stay in the stream, where the one who closes it sees them. */
int tg_json_print(FILE *out, cJSON *obj, const char *end);

#endif
