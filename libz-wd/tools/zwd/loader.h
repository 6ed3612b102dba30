/* SPDX-License-Identifier: Zlib */
/* Where the dynamic loader finds the libraries that a program needs. */
#ifndef ZWD_LOADER_H
#define ZWD_LOADER_H

#include <stddef.h>

/* Before the names of its files: "", or a folder with another system in it. Set before the first
 * call. */
extern const char *loader_root;

/*
 * The file that stands for a needed library of a program or library at path, whose own search path
 * is runpath. 0, or -ENOENT.
 */
int loader_find(const char *name, const char *runpath, const char *path, char *found, size_t size);

#endif
