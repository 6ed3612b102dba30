/* SPDX-License-Identifier: Zlib */
/* How long a request is expected to take, beside the goal that is set: ZWD_LATENCY_MS. */
#ifndef ZWD_LATENCY_H
#define ZWD_LATENCY_H

#include "operate/stats.h"

/* One request of the direction took so long, from its sending to its result. Nothing is noted without a goal. */
void zwd_latency_note(enum zwd_dir dir, uint64_t ns);

/*
 * Would one more take longer than the goal, where so many of the direction wait for one of so many lanes? What
 * was too slow by itself is tried again once a second: is_trying says that this request would be it.
 */
int zwd_latency_is_long(enum zwd_dir dir, unsigned int waiting_nr, unsigned int lanes_nr, int is_trying);

/* Of one that may go to the device: would it take longer for those that wait before it? Never without a goal. */
int zwd_latency_is_queue_long(enum zwd_dir dir, unsigned int waiting_nr, unsigned int lanes_nr);

#endif
