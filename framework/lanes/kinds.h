/* kinds.h: one function for each kind of lane. Each completes a launch whose argv[0] is the runtime. */
#ifndef TG_LANES_KINDS_H
#define TG_LANES_KINDS_H

#include "lanes/launch.h"

int tg_native_launch(const struct tg_lane *lane, const char *id, struct tg_launch *l, struct tg_err *err);
int tg_oci_launch(const struct tg_lane *lane, const char *id, struct tg_launch *l, struct tg_err *err);
int tg_command_launch(const struct tg_lane *lane, const char *id, struct tg_launch *l, struct tg_err *err);

/* Append to an argv of TG_LAUNCH_ARGS. 0, -ENOMEM, -E2BIG. */
int tg_launch_arg(char **argv, const char *arg, struct tg_err *err);
int tg_launch_args(char **argv, const char *const *args, struct tg_err *err);

#endif
