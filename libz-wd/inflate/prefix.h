/* SPDX-License-Identifier: Zlib */
/*
 * A device takes no window. But it reads one: a stream that begins with the window in a stored block, and
 * with empty blocks up to the right bit, goes on as the one does that is to go on.
 */
#ifndef ZWD_PREFIX_H
#define ZWD_PREFIX_H

#include "stream/zstream.h"

#define ZWD_PREFIX_MAX (5 + ZWD_WINDOW_LEN + 20)

/* Its length for a place. */
size_t zwd_prefix_len(const struct zwd_place *place);
/* Writes it; what it ends with is the part of a byte that is still to be read there. */
void zwd_prefix_write(const struct zwd_place *place, unsigned char *to);

#endif
