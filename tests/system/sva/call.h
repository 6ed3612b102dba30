/* SPDX-License-Identifier: Zlib */
/* A queue that shares all of the process's memory, calls on it, and whether they were right. */
#ifndef SVA_CALL_H
#define SVA_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "wd.h"
#include "wd_zip.h"

#define PATIENCE_MS 60000

/* Ends the program where there is none. */
struct wd_queue *queue_open(const char *device);
/* Compresses; the bytes made, or -1 with the result in *res, whose status is not 0 then. */
int call(struct wd_queue *q, const void *src, uint32_t len, void *dst, uint32_t room,
	 struct wd_zip_res *res);
/* len bytes at src come out of what was made at dst. src NULL: zeros. */
int is_back(const void *dst, int made, const void *src, uint32_t len);
/* Both: a call, and its result is right. */
int is_right(struct wd_queue *q, const void *src, uint32_t len, void *dst, uint32_t room);
/* A call that must end with an error of its own, and nothing made. */
int is_refused(struct wd_queue *q, const void *src, uint32_t len, void *dst, uint32_t room);
/* Text by a seed. */
void fill(void *mem, size_t len, unsigned int seed);
/* Private memory that nothing has touched. */
void *untouched(size_t len);

/* A line "ok - WHAT" or "wrong - WHAT"; how many were wrong. */
void tell(int is_good, const char *what);
unsigned int wrongs(void);

#endif
