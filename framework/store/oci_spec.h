/* oci_spec.h: config.json of an OCI bundle (runtime-spec 1.0), small enough for every runtime. */
#ifndef TG_STORE_OCI_SPEC_H
#define TG_STORE_OCI_SPEC_H

#include <stdbool.h>
#include <stddef.h>

struct tg_oci_mount {
	const char *destination, *type, *source;
	const char *options[8]; /* NULL-terminated */
};

struct tg_oci_spec {
	const char *root; /* path of the root file system, absolute or relative to the bundle */
	bool root_readonly;
	const char *const *args;	   /* NULL-terminated */
	const char *const *env;		   /* NULL-terminated */
	const struct tg_oci_mount *mounts; /* beside /proc and /dev, which are always there */
	size_t mount_count;
	const char *cgroups_path; /* NULL: none is asked for */
};

/*
 * The text of config.json: namespaces pid, ipc, uts, mount, network; no capabilities, no new
 * privileges, no rlimits, no linux.resources. malloc'ed, the caller frees; NULL when out of memory.
 */
char *tg_oci_spec_text(const struct tg_oci_spec *spec);

#endif
