/* lanes_file.h: lanes.json, in the schema of Docker's daemon.json with our keys beside it. */
#ifndef TG_STORE_LANES_FILE_H
#define TG_STORE_LANES_FILE_H

#include "lanes/lane.h"

/*
 * {"runtimes": {"NAME": {"path": "runc", "runtimeArgs": ["--x"], and ours:
 *   "kind": "oci" | "command" | "native", "cpus": 1, "alternative": PATH, "probe": PATH,
 *   "cgroup": "machine" | "unified", "default": true, "startTimeout": seconds}}}
 * Every other key beside "runtimes" is Docker's and is left alone; an unknown key inside a runtime
 * is an error, except Docker's "runtimeType" and "options": such a runtime is a shim, not a
 * command, and is left out. An entry of the same name replaces the one already in *lanes; keys it
 * does not give keep their defaults (kind oci, cpus 1, startTimeout 10), not the old entry's.
 * by_default is false unless given. Entries of a file are marked overridden, those of a text only
 * where they replace one. Success: 0. Failure: -errno, *lanes untouched, err names file, runtime
 * and key.
 */
int tg_lanes_file_load(const char *path, struct tg_lanes *lanes, struct tg_err *err);

/* The same from text; `where` is used in messages. */
int tg_lanes_file_parse(
	const char *text, const char *where, struct tg_lanes *lanes, struct tg_err *err);

#endif
