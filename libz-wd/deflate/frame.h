/* SPDX-License-Identifier: Zlib */
/* What a stream is told beside its data needs of the frame. */
#ifndef ZWD_DEFLATE_FRAME_H
#define ZWD_DEFLATE_FRAME_H

#include "stream/zstream.h"

/* Software has the body from here on, for this reason. Z_OK or an error. */
int zwd_deflate_use_soft(struct zwd_stream *s, enum zwd_soft_reason reason);

#endif
