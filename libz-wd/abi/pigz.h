/* SPDX-License-Identifier: Zlib */
/* pigz under preload. */
#ifndef ZWD_PIGZ_H
#define ZWD_PIGZ_H

#include <stdbool.h>

/* Whether wd-gzip gives the results of pigz, started with these arguments, by a device. */
bool zwd_pigz_is_for_device(int argc, char **argv);

#endif
