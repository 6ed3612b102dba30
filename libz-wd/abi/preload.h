/* SPDX-License-Identifier: Zlib */
/* GNU gzip under preload. */
#ifndef ZWD_PRELOAD_H
#define ZWD_PRELOAD_H

#include <stdbool.h>

/* Where the program is GNU gzip, which has no zlib, wd-gzip takes its place. */
void zwd_preload_take_over(int argc, char **argv, bool has_zlib);

#endif
