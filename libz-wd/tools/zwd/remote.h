/* SPDX-License-Identifier: Zlib */
/* Memory of another process, and where in it an exported object is. */
#ifndef ZWD_REMOTE_H
#define ZWD_REMOTE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All len bytes: 0, else -errno. */
int remote_read(pid_t pid, uint64_t addr, void *buf, size_t len);

/*
 * The addresses of the objects of this name that the process's ELF files export, whatever these are called, or
 * if they are called anything any more. How many, at most max; -errno: -ESRCH, -EACCES, -EPERM.
 */
int remote_find(pid_t pid, const char *name, uint64_t *addrs, int max);

#endif
