/* SPDX-License-Identifier: Zlib */
/* ZWD_STATS=dir:PATH: counters in a mapped file, which is there however the process ends. */
#ifndef ZWD_PAGE_H
#define ZWD_PAGE_H

#include <stdbool.h>

/*
 * A file in this folder; "": none is wanted. At load, or else with the first stream; is tried once. True: it
 * was made now, and whoever is forked has to leave().
 */
bool zwd_page_make(const char *dir);

/* There is a stream: one of the file's pages is this process's. No system call. */
void zwd_page_take(void);

/* Before a child is made: it may be the one to use the file. */
void zwd_page_fork(void);

/* In a child: what it counts is not its parent's. */
void zwd_page_leave(void);

/* At exit. A file that nobody had a use for goes. */
void zwd_page_end(bool (*has_worked)(void));

#endif
