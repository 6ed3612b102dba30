/* SPDX-License-Identifier: Zlib */
/* The system's zlib, by a library whose names are found in the old way (--hash-style=sysv). */
#include <zlib.h>

extern const char *(*const zlib_by_another_name)(void);
__attribute__((visibility("default"))) const char *(*const zlib_by_another_name)(void) = zlibVersion;
