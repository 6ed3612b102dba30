/* SPDX-License-Identifier: Zlib */
/* A deflate stream that changes hands as a whole. */
#ifndef ZWD_DEFLATE_LIFE_H
#define ZWD_DEFLATE_LIFE_H

#include "stream/zstream.h"

/*
 * A stream of mode SOFT whose parameters are such that a device may do it now: goes on in our frame, if it can.
 * Its output was all delivered.
 */
void zwd_deflate_take_over(z_streamp strm, struct zwd_stream *s);

#endif
