/* SPDX-License-Identifier: Zlib */
/* An inflate stream's real zlib, which is opened when there is something for it, and what else it has. */
#ifndef ZWD_LIFE_H
#define ZWD_LIFE_H

#include "stream/zstream.h"

/* Closes it. What the real zlib answers. */
int zwd_life_close_soft(z_streamp strm, struct zwd_stream *s);

/* All that it has beside the real zlib. */
void zwd_life_drop(struct zwd_stream *s);

#endif
