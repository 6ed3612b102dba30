/* SPDX-License-Identifier: Zlib */
/* What the loader has mapped. */
#ifndef ZWD_LOADED_H
#define ZWD_LOADED_H

#include <link.h>
#include <stdbool.h>

/* Of all objects of the process but this library. */
struct zwd_loaded {
	const struct link_map *zlib; /* the first that calls itself libz.so.1, or NULL */
	bool is_needed; /* one of them needs a zlib, or this library by its name */
	bool is_program; /* the program itself does */
};
/* Calls no function of libc, see load.c. */
void zwd_loaded_look(struct zwd_loaded *loaded);

#endif
