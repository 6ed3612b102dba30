/* SPDX-License-Identifier: Zlib */
/* zwd_live, which others read out of the process; see zwd.h. */
#include "config.h"

#include "operate/stats.h"

__attribute__((visibility("default"), aligned(64))) struct zwd_live zwd_live = {
	.magic = ZWD_LIVE_MAGIC,
	.version = ZWD_LIVE_VERSION,
	.size = sizeof(struct zwd_live),
	.counters_nr = ZWD_COUNTERS,
	.library = PACKAGE_VERSION,
};

_Static_assert(sizeof(struct zwd_live) == 1536 && ZWD_COUNTERS <= ZWD_LIVE_COUNTERS,
	       "a reader of another version finds everything where it was");

/* By a name that no other object can take. */
extern struct zwd_live own __attribute__((alias("zwd_live"), visibility("hidden")));
struct zwd_live *zwd_counting = &own;
