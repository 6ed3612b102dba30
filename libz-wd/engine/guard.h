/* SPDX-License-Identifier: Zlib */
/*
 * Does a device lose to software by more than is allowed: ZWD_GUARD? One unit in so many is compressed by software,
 * too, and what both made of it is compared; the time is that which calls spent on a device for all units, beside
 * that of software for those. A stream that loses is software's for a while, and so are streams and segments that
 * begin while the process as a whole does.
 */
#ifndef ZWD_GUARD_H
#define ZWD_GUARD_H

#include "engine/unit.h"
#include "operate/settings.h"
#include "stream/zstream.h"

/* Units that software does before a stream that lost has one on the device again. */
#define ZWD_GUARD_AWAY 64u

/* Where none is set, nothing of this is called. */
static inline int zwd_guard_is_set(const struct zwd_settings *settings)
{
	return settings->guard.ratio || settings->guard.time;
}

/* How software would do a unit. */
struct zwd_guard_soft {
	int level, mem_level;
	const unsigned char *history; /* of one that is continued */
	size_t history_len;
};

/* The device made this unit of the stream, for which its calls began to wait at begin_ns. Input and output are there. */
void zwd_guard_note(struct zwd_guard *guard, const struct zwd_unit *unit, const struct zwd_guard_soft *soft,
		    uint64_t begin_ns);

/*
 * Is what begins now, or goes on, software's: for the stream's sake, or for the process's? Of those one in so many
 * is not. What comes to the device after a refusal is compared at once, and not refused. is_asking: it goes to the
 * device if not. The stream is watched from here on.
 */
int zwd_guard_refuses(struct zwd_guard *guard, int is_asking);

#endif
