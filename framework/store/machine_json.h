/* machine_json.h: a fingerprint inside a JSON file. Of this room only. */
#ifndef TG_STORE_MACHINE_JSON_H
#define TG_STORE_MACHINE_JSON_H

#include "store/json.h"
#include "store/machine.h"

/* {"name": …, "strict": {KEY: VALUE, …}, "noted": {…}}; NULL when out of memory. */
cJSON *tg_machine_to_json(const struct tg_machine *m);

/* 0, or -EINVAL with *out untouched: no such object, an unknown key, a hostile value, too many
 * facts. */
int tg_machine_from_json(const cJSON *obj, struct tg_machine *out, struct tg_err *err);

#endif
