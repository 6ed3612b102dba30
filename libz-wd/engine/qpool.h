/* SPDX-License-Identifier: Zlib */
/* Queues with their request memory, lent to a stream for the length of one call. */
#ifndef ZWD_QPOOL_H
#define ZWD_QPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "engine/lane.h"

/*
 * At load: does all for this device specification that can be done without opening a device, for later
 * there may be no folder, no descriptor, no right to do so.
 */
void zwd_qpool_prepare(const char *device);

/* May there be a device for this direction now? Asks nobody, opens nothing. */
int zwd_qpool_may_have_device(enum zwd_dir dir);

/* Is there one? Opens it at the first question; then it is known until the pool is paused. */
int zwd_qpool_has_device(enum zwd_dir dir);

/* Can it do raw deflate? Meaningful when there is a device. */
int zwd_qpool_has_raw(enum zwd_dir dir);

/* Does it reach all of the process's memory? Likewise. */
int zwd_qpool_reaches_all(enum zwd_dir dir);

/* Is it worth to ask for a lane now? Yes unless the pool is paused. */
int zwd_qpool_is_ready(enum zwd_dir dir);

/* Is a request expected to take longer than the goal, where there is one? is_asking: it goes to the device if not. */
int zwd_qpool_is_late(enum zwd_dir dir, int is_asking);

/* Waits until a paused pool is asked again, at most timeout_ms. */
void zwd_qpool_await(enum zwd_dir dir, unsigned int timeout_ms);

/* Was it opened by another process than this one, which has no use for it? */
int zwd_qpool_is_stale(const struct zwd_lane *lane);

/*
 * From the first lane on that is borrowed to the last one that is given back, a shield is up: from here on
 * it is the caller's, see shield.h.
 *
 * Borrows a lane; waits while all are lent, first come, first served, at most timeout_ms. -ENODEV: no
 * device, or it failed a moment ago and is left alone for a while; -EBUSY: none became free. All
 * functions here also answer -EBUSY in a signal handler that came upon one of them. ZWD_QPOOL_PATIENCE: as long
 * as the settings say, for a stream that software can take over.
 */
#define ZWD_QPOOL_PATIENCE 0
int zwd_qpool_get(enum zwd_dir dir, unsigned int timeout_ms, struct zwd_lane **lane);

/*
 * Borrows a lane without waiting, for work that may stay in flight between two calls: only while
 * others are left for those who wait, at least one. -ENODEV, -EBUSY.
 */
int zwd_qpool_try(enum zwd_dir dir, struct zwd_lane **lane);

/*
 * Gives a healthy lane back; nothing is in flight on it. Its output is cleared: what a device says it
 * made for another stream is then never this one's.
 */
void zwd_qpool_put(struct zwd_lane *lane);

/*
 * Gives back a lane whose queue failed with err: stops it, then frees its memory. Failures in a row
 * pause the pool, longer each time; a lane given back healthy ends the row.
 */
void zwd_qpool_drop(struct zwd_lane *lane, int err);

/*
 * Memory is short, where zlib alone would find it: releases all lanes that are idle. How many. May block
 * while their queues stop. It has a shield of its own.
 */
unsigned int zwd_qpool_trim(void);

#endif
