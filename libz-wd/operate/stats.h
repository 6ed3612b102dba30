/* SPDX-License-Identifier: Zlib */
/* Counters of what the engines did, per process. */
#ifndef ZWD_STATS_H
#define ZWD_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "operate/probe.h"

enum zwd_dir { ZWD_DEFLATE, ZWD_INFLATE };

enum zwd_counter {
	ZWD_HW_REQUESTS,
	ZWD_HW_IN,
	ZWD_HW_OUT,
	ZWD_SOFT_STREAMS,
	ZWD_SOFT_IN,
	ZWD_SOFT_OUT,
	ZWD_FAILOVERS,
	ZWD_RETRIES,
	ZWD_ERRORS,
	ZWD_STORED,
	ZWD_VERIFIED,
	ZWD_MISMATCHES,
	ZWD_PARALLEL_UNITS,
	ZWD_RETURNS,
	/* Why a stream was software's. */
	ZWD_SOFT_SETTING,
	ZWD_SOFT_LEVEL,
	ZWD_SOFT_STRATEGY,
	ZWD_SOFT_WINDOW,
	ZWD_SOFT_DICTIONARY,
	ZWD_SOFT_TUNED,
	ZWD_SOFT_SMALL,
	ZWD_SOFT_NO_DEVICE,
	ZWD_SOFT_BUSY,
	ZWD_SOFT_LATENCY,
	ZWD_SOFT_FAILED,
	ZWD_COUNTERS,
	ZWD_COUNTERS_ROOM = (ZWD_COUNTERS + 7) / 8 * 8, /* whole cache lines */
};

extern _Atomic uint64_t zwd_counters[2][ZWD_COUNTERS_ROOM];

/* What is counted is mostly a constant, so that nothing is left of the comparisons. */
static inline void zwd_count(enum zwd_dir dir, enum zwd_counter counter, uint64_t n)
{
	if (counter == ZWD_FAILOVERS)
		zwd_probe(failover, dir);
	else if (counter >= ZWD_SOFT_SETTING && counter <= ZWD_SOFT_FAILED && n)
		zwd_probe(fallback, dir, counter - ZWD_SOFT_SETTING);
	atomic_fetch_add_explicit(&zwd_counters[dir][counter], n, memory_order_relaxed);
}

/* CLOCK_MONOTONIC, which latencies are measured by. */
uint64_t zwd_now_ns(void);

/*
 * Bytes from which a stream of the level goes to the device; UINT64_MAX: none does. Whoever decides
 * that says so here before the first decision.
 */
extern uint64_t (*_Atomic zwd_stats_min_len)(enum zwd_dir dir, int level)
	__attribute__((visibility("hidden")));

/* One request took ns nanoseconds. */
void zwd_count_latency(enum zwd_dir dir, uint64_t ns);

/* Zero again, in a forked child. */
void zwd_stats_reset(void);

#endif
