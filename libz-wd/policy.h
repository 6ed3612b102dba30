/* SPDX-License-Identifier: Zlib */
/* Which engine for which work. */
#ifndef ZWD_POLICY_H
#define ZWD_POLICY_H

#include <stddef.h>

#include "zstream.h"

/* May a device do this stream, by its parameters? Opens the device at the first question. */
int zwd_policy_deflate_candidate(const struct zwd_deflate *d, int is_custom);
int zwd_policy_inflate_candidate(int window_bits);

/* The first call has len bytes and this flush: is it worth to frame the stream here? */
int zwd_policy_deflate_begin(size_t len, int flush);

/* The first unit has len bytes: device? */
int zwd_policy_deflate_unit(size_t len);

/* The body begins with len bytes at hand: device? */
int zwd_policy_inflate_begin(size_t len);

#endif
