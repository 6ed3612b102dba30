/* SPDX-License-Identifier: Zlib */
/*
 * Requests of inflate streams that are sent before their output was asked for. What they consume is not
 * reported before their output is taken, so each may be forgotten at any time; and a fork does, for a
 * lane's memory is not inherited.
 */
#ifndef ZWD_AHEAD_H
#define ZWD_AHEAD_H

#include "engine/qpool.h"

/* A stream's place for one, apart from the stream, which may end in a signal handler. */
struct zwd_ahead;

/* Is there a free place? Made where *place is NULL. To be asked with a lane in hand, and so with a shield up. */
int zwd_ahead_is_free(struct zwd_ahead **place);
/* The request on the lane, which was sent, stays there. */
void zwd_ahead_put(struct zwd_ahead *ahead, struct zwd_lane *lane);
/* Is there a request? */
int zwd_ahead_is_sent(const struct zwd_ahead *ahead);
/* The lane is the caller's now. NULL: there is none. */
struct zwd_lane *zwd_ahead_take(struct zwd_ahead *ahead);
/* Waits for it and forgets it. */
void zwd_ahead_forget(struct zwd_ahead *ahead);
/* Likewise, and the place with it. */
void zwd_ahead_drop(struct zwd_ahead **place);

#endif
