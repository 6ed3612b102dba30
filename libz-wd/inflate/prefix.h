/* SPDX-License-Identifier: Zlib */
/*
 * A device takes no window. But it reads one: a stream that begins with the window in a stored block, and
 * with empty blocks up to the right bit, goes on as the one does that is to go on.
 */
#ifndef ZWD_PREFIX_H
#define ZWD_PREFIX_H

#include <wd_zip.h>

#include "engine/lane.h"
#include "stream/zstream.h"

#define ZWD_PREFIX_MAX (5 + ZWD_WINDOW_LEN + 20)

/* Its length for a place. */
size_t zwd_prefix_len(const struct zwd_place *place);
/* Writes it; what it ends with is the part of a byte that is still to be read there. */
void zwd_prefix_write(const struct zwd_place *place, unsigned char *to);
/* Has body serial to send it by itself? Where there is no checksum it is part of the first request. */
static inline int zwd_prefix_is_needed(const struct zwd_inflate *i)
{
	return !i->ctx_len && i->keep.begin.in && i->format != WD_ZIP_DEFLATE;
}
/*
 * The same as a request by itself: what follows is a stream of that format, and the device has the checksum of
 * all before the place. Its context is the lane's then. 0 or -errno.
 */
int zwd_prefix_run(struct zwd_lane *lane, int format, const struct zwd_place *place);

#endif
