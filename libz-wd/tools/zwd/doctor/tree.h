/* SPDX-License-Identifier: Zlib */
/* What the doctor reads of /sys, /proc, /dev and /etc: all of it below one root. */
#ifndef DOCTOR_TREE_H
#define DOCTOR_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#define TREE_PATH_LEN 4096

/* "", or a folder with another system in it. Set before the first call. */
extern const char *tree_root;

/* The name of a file with the root before it; it is good until the eighth call after this one. */
const char *tree_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* path: as tree_path() returned it. */
bool tree_exists(const char *path);
/* An attribute without the blanks at its end; false: it cannot be read. */
bool tree_text(const char *path, char *text, size_t size);
long long tree_number(const char *path, long long without);
/* The last part of what a link leads to; false: it is no link. */
bool tree_link(const char *path, char *name, size_t size);
/* Up to 1 MiB of a file, with a zero byte behind; NULL, or the caller frees it. */
char *tree_whole(const char *path, size_t *len);
/* Visible names in a folder, sorted, and NULL; the caller frees that. NULL: there is no folder. */
char **tree_names(const char *path);

/* The group's number, or -1. */
gid_t tree_group(const char *name);

#endif
