/* SPDX-License-Identifier: Zlib */
/* Whom the doctor looks at: a process, a program, or what would be started from here. */
#ifndef DOCTOR_SUBJECT_H
#define DOCTOR_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "operate/settings.h"

#define SUBJECT_GROUPS_MAX 256

struct subject {
	char process[16];   /* its folder in /proc: a number, or "self" */
	bool is_process;    /* asked for by its number */
	char program[4096]; /* the file that it runs, or would; "": none was named */
	const char *name;   /* that one's file name */
	bool is_readable;   /* its environment, maps and limits can be read */
	bool is_secure;	    /* the loader and the library ignore its environment */
	uid_t uid;
	gid_t gid, groups[SUBJECT_GROUPS_MAX];
	unsigned int groups_nr;
	unsigned long long capabilities;
	char user[64];	   /* its name, or its number */
	char *environment; /* NAME=VALUE with zero bytes between; may be NULL */
	size_t environment_len;
	struct zwd_settings settings; /* in force for it; settings.c of the doctor fills them */
	bool is_reproducible;	      /* SOURCE_DATE_EPOCH */
	bool is_linked;		      /* with libz-wd: no loader need be told */
};

/* word: a number, a program, or NULL. 0; or, after saying why, -1. */
int subject_find(struct subject *subject, const char *word);

/* A file as it sees it: in its container or chroot, where this process may look there. */
const char *subject_path(const struct subject *subject, const char *file);

/* Of its environment, or NULL. */
const char *subject_variable(const struct subject *subject, const char *name);

bool subject_has_capability(const struct subject *subject, unsigned int capability);

/* May it open that file for reading and writing, as far as owner, group and mode tell? */
struct stat;
bool subject_may_open(const struct subject *subject, const struct stat *st);

#endif
