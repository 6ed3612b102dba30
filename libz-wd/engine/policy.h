/* SPDX-License-Identifier: Zlib */
/* Which engine for which work. */
#ifndef ZWD_POLICY_H
#define ZWD_POLICY_H

#include <stddef.h>

#include "stream/zstream.h"

/* May a device do this stream, by its parameters? Opens nothing; counts why not. */
int zwd_policy_deflate_candidate(const struct zwd_deflate *d, int is_custom);
int zwd_policy_inflate_candidate(int window_bits);

/*
 * The first call has len bytes and this flush: is it worth to frame the stream here? Where that is
 * the decision for a device or software, the time of the call begins; the device is opened for the
 * first data that is for it. is_decided: and nobody asks again.
 */
int zwd_policy_deflate_begin(struct zwd_deflate *d, size_t len, int flush, int is_decided);

/* The first unit has len bytes, and this flush is asked for: device? Likewise. */
int zwd_policy_deflate_unit(struct zwd_deflate *d, size_t len, int flush);

/*
 * The body begins with so many bytes at hand, and so much room: device? Likewise. Input alone says
 * little: many small streams may lie in one buffer, and room for one of them is what its reader has.
 * is_piece: most likely there are more calls to come, with as much.
 */
int zwd_policy_inflate_begin(struct zwd_inflate *i, size_t len, size_t room, int is_piece);

/* Is a call with so many bytes, and so much room, too small to be a request in the middle of a stream? */
int zwd_policy_inflate_is_small(size_t len, size_t room);

/* Software is between two blocks, and a call has len more bytes, and so much room: may a device go on? */
int zwd_policy_inflate_again(size_t len, size_t room);

/* May software ask for a device, as far as that is there and soon enough? */
int zwd_policy_is_ready(enum zwd_dir dir);

/* The device could not go on with a stream: counts why. */
void zwd_policy_deflate_lost(struct zwd_deflate *d, int err);
void zwd_policy_inflate_lost(struct zwd_inflate *i, int err);

/* At the end of the deflate() or inflate() call that decided, if that is timed: is learned from. */
void zwd_policy_deflate_end(z_streamp strm, struct zwd_stream *s, int ret);
void zwd_policy_inflate_end(struct zwd_stream *s, size_t consumed, int ret);

/* Bytes from which a stream goes to the device now; level: of deflate. UINT64_MAX: none does. */
uint64_t zwd_policy_min_len(enum zwd_dir dir, int level);

#endif
