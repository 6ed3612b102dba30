/* SPDX-License-Identifier: Zlib */
/* Clocks: wall time for latencies, CPU time of single threads for everything else. */
#ifndef TIMING_H
#define TIMING_H

#include <stdint.h>
#include <sys/types.h>

uint64_t timing_wall_ns(void);

/* CPU time of the calling thread. */
uint64_t timing_thread_ns(void);

/*
 * CPU time of all threads of the process but the nr ones of mine[] (thread ids) and the caller:
 * those of an emulated device, whichever library started them. A thread that ended no longer
 * counts.
 */
uint64_t timing_others_ns(const pid_t *mine, unsigned int nr);

#endif
