/* SPDX-License-Identifier: Zlib */
/* A thread that writes what was made while more is being made. */
#ifndef WD_GZIP_WRITER_H
#define WD_GZIP_WRITER_H

#include <stdbool.h>
#include <stddef.h>

/* False: there is no thread. Nothing may be in work. */
bool writer_give(int fd, const unsigned char *data, size_t len);
/*
 * Until nothing is in work. Returns how many bytes at the end could not be written: whoever writes
 * them gets to know why, and the signal that comes with it.
 */
size_t writer_wait(void);
/* Ends the thread when its work is done. */
void writer_stop(void);

#endif
