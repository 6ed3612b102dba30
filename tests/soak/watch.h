/* SPDX-License-Identifier: Zlib */
/* What a process holds, seen from outside, and whether that stays as it is. */
#ifndef SOAK_WATCH_H
#define SOAK_WATCH_H

#include <stddef.h>
#include <sys/types.h>

#include "soak.h"

/* heap: the process says it itself, when it rests. queues: of the emulated device. */
enum watch_figure {
	WATCH_RSS,
	WATCH_SIZE,
	WATCH_HEAP,
	WATCH_FILES,
	WATCH_THREADS,
	WATCH_QUEUES,
	WATCH_FIGURES
};

struct watch {
	unsigned int quarter;
	size_t peak[SOAK_QUARTERS][WATCH_FIGURES]; /* between the rests */
	size_t rest[SOAK_QUARTERS][WATCH_FIGURES];
	size_t last[WATCH_FIGURES];
	unsigned long long requests[SOAK_QUARTERS]; /* so far, at each rest */
};

/* Looks while the threads work, and when they rest, which ends a quarter. ring_len: of one queue.
 */
void watch_work(struct watch *w, pid_t pid, size_t ring_len);
void watch_rest(struct watch *w, pid_t pid, size_t ring_len, const struct soak_share *share);

/* A line: what it held at each rest. */
void watch_print(const struct watch *w);

/*
 * Flat: at the last rest, and at its most in the last quarter, it holds no more than in the second
 * quarter, but for a slack. What is not, in text; 0: nothing. Memory is judged in rounds that are
 * long enough, and not under a sanitizer. has_device: one that works, so that it must have had work
 * in the last quarter, too.
 */
int watch_judge(const struct watch *w, double round_s, int has_device, char *text, size_t size);

#endif
