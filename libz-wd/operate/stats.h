/* SPDX-License-Identifier: Zlib */
/* Counters of what the engines did, per process. */
#ifndef ZWD_STATS_H
#define ZWD_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "operate/probe.h"
#include "zwd.h"

enum zwd_dir { ZWD_DEFLATE, ZWD_INFLATE };

/* Where the process counts: in the object that zwd.h tells of, or a page of page.c. */
extern struct zwd_live *zwd_counting __attribute__((visibility("hidden")));

static inline struct zwd_live_dir *zwd_counting_dir(enum zwd_dir dir)
{
	return &__atomic_load_n(&zwd_counting, __ATOMIC_RELAXED)->dir[dir];
}

static inline void zwd_add(uint64_t *counter, uint64_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* What is counted is mostly a constant, so that nothing is left of the comparisons. */
static inline void zwd_count(enum zwd_dir dir, enum zwd_counter counter, uint64_t n)
{
	if (counter == ZWD_FAILOVERS)
		zwd_probe(failover, dir);
	else if (counter >= ZWD_SOFT_SETTING && counter <= ZWD_SOFT_GUARD && n)
		zwd_probe(fallback, dir, counter - ZWD_SOFT_SETTING);
	zwd_add(&zwd_counting_dir(dir)->counters[counter], n);
}

/* The device finished a request. */
static inline void zwd_count_hw(enum zwd_dir dir, uint64_t in, uint64_t out)
{
	uint64_t *counters = zwd_counting_dir(dir)->counters;

	zwd_add(&counters[ZWD_HW_REQUESTS], 1);
	zwd_add(&counters[ZWD_HW_IN], in);
	zwd_add(&counters[ZWD_HW_OUT], out);
}

/* CLOCK_MONOTONIC, which latencies are measured by. */
uint64_t zwd_now_ns(void);

/* Bytes from which a stream of the level goes to the device; UINT64_MAX: none does. */
typedef uint64_t zwd_min_len_fn(enum zwd_dir dir, int level);
extern zwd_min_len_fn *_Atomic zwd_stats_min_len __attribute__((visibility("hidden")));

/* ZWD_STATS=dir:PATH, at load; "": nothing is kept. */
void zwd_stats_keep(const char *dir);

/* There is a first stream, in this process or since it was forked; who decides says how. */
void zwd_stats_begin(zwd_min_len_fn *min_len);

/* One request took ns nanoseconds. */
void zwd_count_latency(enum zwd_dir dir, uint64_t ns);

/* A forked child begins at zero. */
void zwd_stats_reset(void);

#endif
