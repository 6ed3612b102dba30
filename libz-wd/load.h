/* SPDX-License-Identifier: Zlib */
/* What is taken at load, while it can still be had. */
#ifndef ZWD_LOAD_H
#define ZWD_LOAD_H

#include <elf.h>
#include <link.h>
#include <stdbool.h>

/*
 * Is "/" another folder than it was at load? What a path names is then no longer what the owner of
 * the system put there: neither code nor settings are taken from it.
 */
bool zwd_root_is_changed(void);

/* What the loader has: of all objects of the process but this library. */
struct zwd_loaded {
	const struct link_map *zlib; /* the first that calls itself libz.so.1, or NULL */
	bool is_needed; /* one of them needs a zlib, or this library by its name */
	bool is_program; /* the program itself does */
};
void zwd_loaded_look(struct zwd_loaded *loaded);

/* preload.c: where the program is GNU gzip, wd-gzip takes its place. */
void zwd_preload_take_over(int argc, char **argv, bool has_zlib);

/* getauxval(), by a name that the loader looks up only where it is asked: AT_SECURE, AT_EXECFN. */
unsigned long zwd_auxval(unsigned long type);

#endif
