/* SPDX-License-Identifier: Zlib */
/*
 * Memory for what an inflate stream has on a device. Where malloc() is the stream's allocator it is that.
 * A caller's own allocator is asked for no more than zlib asks: there it is one of a few leases of the
 * process. Such a stream may be left in a pool that is dropped, without an end: so they have a bound,
 * and without one a stream is software's.
 *
 * A lease is never taken from a stream that lives. One that was left is told by its memory, which is read
 * by way of the kernel: it is unmapped, or does not say any more what a stream's says as long as it lives.
 */
#ifndef ZWD_LEASE_H
#define ZWD_LEASE_H

#include "stream/zstream.h"

/* 0: the stream has one, or needs none. -EBUSY, -ENOMEM: not now. */
int zwd_lease_take(struct zwd_stream *s);
/* For a copy of one that has one: where none is free, of the caller's memory. kept: bytes of input. 0 or -ENOMEM. */
int zwd_lease_take_copy(struct zwd_stream *s, size_t kept);
/* One of a caller's memory has four pieces of so much, for input. */
#define ZWD_LEASE_SMALL_KEEP 65536u
int zwd_lease_is_small(const struct zwd_stream *s);
/* With all that is in it. Without one: nothing. */
void zwd_lease_give(struct zwd_stream *s);

/* NULL: none, or no lease. It never calls the caller. */
void *zwd_lease_alloc(struct zwd_stream *s, size_t len);
void zwd_lease_free(struct zwd_stream *s, void *mem);

/* The same for a stream of the real zlib; opaque is ours. */
voidpf zwd_lease_zalloc(voidpf opaque, uInt items, uInt size);
void zwd_lease_zfree(voidpf opaque, voidpf mem);

#endif
