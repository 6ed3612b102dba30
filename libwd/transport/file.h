/* SPDX-License-Identifier: Zlib */
/* Descriptors of our own in a process that may close them and open other files there. */
#ifndef WD_TRANSPORT_FILE_H
#define WD_TRANSPORT_FILE_H

#include "transport/sys.h"

struct wd_file {
	struct wd_file *next;
	int fd; /* -1: there is none, or it is ours no more; atomic */
	struct wd_sys_identity identity;
};
#define WD_FILE_NONE { .fd = -1 }

/* Takes what a system call returned: r, which is a descriptor or -errno. */
int wd_file_take(struct wd_file *file, int r);
/* The number, for a use that another file may not bear; -EBADF when it is none of ours. */
int wd_file_get(struct wd_file *file);
/* The number, for what any other file refuses; also -1. */
static inline int wd_file_number(const struct wd_file *file)
{
	return __atomic_load_n(&file->fd, __ATOMIC_RELAXED);
}
/* Closes it, if it is ours. */
void wd_file_close(struct wd_file *file);

/* In a child, before anything else. */
void wd_files_forget(void);

#endif
