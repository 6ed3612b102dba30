/* SPDX-License-Identifier: Zlib */
/* What one library asks of libc and the kernel, of which a call is denied. */
#ifndef DENIAL_H
#define DENIAL_H

enum denial {
	DENY_MEMORY = 1,  /* from malloc() and its kind */
	DENY_PAGES = 2,	  /* mmap() and what is done to pages */
	DENY_FILES = 4,	  /* whatever makes a descriptor, or reads one */
	DENY_THREADS = 8, /* and handlers of fork() */
	DENY_LOADER = 16, /* dlopen() and dlinfo() */
	DENY_ALL = 31,
};

/*
 * From here on the calls of the loaded library of that name, "libz-wd.so.1", come by here; nobody else's do. 0, or
 * -ENOENT.
 */
int denial_begin(const char *library);

/* Denies so many calls of these kinds, the first-th from now on and those behind it. first 0: none. */
void denial_set(unsigned int kinds, unsigned int first, unsigned int nr);

/* Calls of those kinds since then. */
unsigned int denial_calls(void);

/* The function that was denied last, or "". */
const char *denial_last(void);

#endif
