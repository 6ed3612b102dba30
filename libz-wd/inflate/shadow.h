/* SPDX-License-Identifier: Zlib */
/* Software beside a device (ZWD_VERIFY): what a device makes is compared before it is anybody's. */
#ifndef ZWD_SHADOW_H
#define ZWD_SHADOW_H

#include <wd_zip.h>

#include "stream/zstream.h"

/*
 * The body begins on a device at the keep's place: is this stream one that is verified? Opens the shadow
 * then; without memory there is none.
 */
void zwd_shadow_begin(struct zwd_stream *s);

/*
 * The result of what was sent, behind which the body's latest bytes are tail; 0, or -EILSEQ: software makes
 * something else of it. May allocate.
 */
int zwd_shadow_verify(struct zwd_stream *s, const struct zwd_sent *sent, const struct wd_zip_res *res,
		      uint64_t tail);

void zwd_shadow_drop(struct zwd_stream *s);
/* to's fields are a copy of from's. Without memory the copy has none. */
void zwd_shadow_copy(struct zwd_stream *to, const struct zwd_stream *from);

#endif
