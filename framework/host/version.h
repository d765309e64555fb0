/* version.h: what a runtime says of itself. */
#ifndef TG_HOST_VERSION_H
#define TG_HOST_VERSION_H

#include "lanes/lane.h"

/* The first line of `RUNTIME --version`, printable, at most size - 1 characters; "" where it says nothing within
 * two seconds. Native lanes: the kernel's release. */
void tg_lane_version(const struct tg_lane *lane, char *out, size_t size);

#endif
