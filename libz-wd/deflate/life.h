/* SPDX-License-Identifier: Zlib */
/* A deflate stream that changes hands as a whole. */
#ifndef ZWD_DEFLATE_LIFE_H
#define ZWD_DEFLATE_LIFE_H

#include "stream/zstream.h"

/* Parameters that zlib ends a block for, as if by Z_BLOCK: another flush behind it is no repetition. */
static inline int zwd_deflate_is_block_ended(const struct zwd_deflate *d, int level, int strategy)
{
	static const unsigned char functions[] = { 0, 1, 1, 1, 2, 2, 2, 2, 2, 2 };

	return d->strategy != strategy || functions[d->level] != functions[level];
}

/*
 * A stream of mode SOFT that has these parameters now, by which a device may do it: goes on in our frame, if
 * it can. Its output was all delivered.
 */
void zwd_deflate_take_over(z_streamp strm, struct zwd_stream *s, int level, int strategy);

#endif
