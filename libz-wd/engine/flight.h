/* SPDX-License-Identifier: Zlib */
/* Input bytes that the process has on devices at once, and their bound: ZWD_IN_FLIGHT. */
#ifndef ZWD_FLIGHT_H
#define ZWD_FLIGHT_H

#include <stddef.h>

#include "engine/lane.h"
#include "operate/settings.h"

/*
 * A request of len bytes is to be sent on the lane. 0; or -EBUSY: there was no room for it all the time that its
 * stream may wait, or none is expected within the goal, or, where its stream may leave it (is_kept), none at once.
 * Those have half of the bound at most: nobody knows when they end, and a request that is waited for finds room as
 * soon as others that are waited for ended.
 */
int zwd_flight_count(struct zwd_lane *lane, size_t len, int is_kept);

static inline int zwd_flight_begin(struct zwd_lane *lane, size_t len, int is_kept)
{
	return zwd_settings()->in_flight ? zwd_flight_count(lane, len, is_kept) : 0;
}

/* The lane's request ended, or cannot go on. */
void zwd_flight_uncount(struct zwd_lane *lane);

static inline void zwd_flight_end(struct zwd_lane *lane)
{
	if (lane->flight)
		zwd_flight_uncount(lane);
}

/* A request has so many bytes at most. */
static inline size_t zwd_flight_most(void)
{
	size_t limit = zwd_settings()->in_flight;

	return limit ? limit / 2 / 1024 * 1024 : SIZE_MAX;
}

#endif
