/* SPDX-License-Identifier: Zlib */
/* The root folder at load, and what the kernel told the program at its start. */
#ifndef ZWD_ROOT_H
#define ZWD_ROOT_H

#include <elf.h>
#include <stdbool.h>

/* At load. Calls no function of libc, see load.c. */
void zwd_root_note(void);

/*
 * Is "/" another folder than it was at load? What a path names is then no longer what the owner of
 * the system put there: neither code nor settings are taken from it.
 */
bool zwd_root_is_changed(void);

/* getauxval(), by a name that the loader looks up only where it is asked: AT_SECURE, AT_EXECFN. */
unsigned long zwd_auxval(unsigned long type);

#endif
