/* SPDX-License-Identifier: Zlib */
/* A raw stream of the real zlib, which begins with the last 32 KiB of plain text and ends at a flush point. */
#ifndef ZWD_DEFLATE_BODY_SOFT_H
#define ZWD_DEFLATE_BODY_SOFT_H

#include "stream/zstream.h"

/* The body is software's from here on, for this reason. What was gathered is given to it first. Z_OK or an error. */
int zwd_body_soft_open(struct zwd_stream *s, enum zwd_soft_reason reason);

/* As deflateParams(), of a stream that is open. Z_BUF_ERROR: the room ended before. */
int zwd_body_soft_params(z_streamp strm, struct zwd_stream *s, int level, int strategy);

#endif
