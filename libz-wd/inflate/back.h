/* SPDX-License-Identifier: Zlib */
/* The way back to software, at any byte that was delivered. */
#ifndef ZWD_BACK_H
#define ZWD_BACK_H

#include "stream/zstream.h"

/* Can software go on from what is kept? */
int zwd_back_is_open(const struct zwd_stream *s);

/*
 * Makes z a raw stream of the real zlib that has made of the body what was delivered; where only a later
 * place is known, what was made before it, of which *waiting more bytes were not delivered yet. z is strm
 * with the stream's own state of the real zlib, or NULL, in it; or another without a state. *at: bytes of
 * the body it has read. Z_OK, Z_MEM_ERROR; Z_DATA_ERROR: it is not open, or software makes something else
 * of it than the device made.
 */
int zwd_back_go(z_streamp z, z_streamp strm, struct zwd_stream *s, uint64_t *at, size_t *waiting);

/*
 * Too much is kept and no place was found: software does all that again, and its state is the place. All
 * output was delivered. Z_OK or an error.
 */
int zwd_back_catch_up(z_streamp strm, struct zwd_stream *s);

#endif
