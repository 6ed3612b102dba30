/* SPDX-License-Identifier: Zlib */
/*
 * The compressed input that a way back to software needs: what a device read from the latest place on
 * at which software can begin. Such places, between two blocks, are looked for as the keep grows. What
 * all streams of the process may keep together has a bound (ZWD_KEEP): the fuller it is, the less a
 * stream may have, and the sooner it looks. Where a stream has too much and finds no place, software does
 * it all again, up to where it is. What there is no memory for, a device has not read.
 *
 * A stream whose caller brings its allocator keeps in that caller's memory, a fixed amount at most which
 * is used again and again: such streams may be left without an end, in pools that free nothing.
 */
#ifndef ZWD_KEEP_H
#define ZWD_KEEP_H

#include "inflate/pieces.h"
#include "stream/zstream.h"

/* Input of one request, where the memory is the caller's. */
#define ZWD_KEEP_CUSTOM_STEP 65536u

/*
 * The body begins, or goes on from a place: the keep is empty there. The place's window becomes the
 * keep's, and is of zwd_lease_alloc().
 */
void zwd_keep_begin(struct zwd_stream *s, const struct zwd_place *place);

/*
 * Memory for len more bytes, where it is the caller's; its allocator may never return, so that is done
 * before anything else is in hand. 0 or -ENOMEM.
 */
int zwd_keep_reserve(struct zwd_stream *s, size_t len);

/* The same for memory of the library's own, when it is known how much a device has read, and before it is told. */
int zwd_keep_prepare(struct zwd_stream *s, size_t len);

/* So much input a request may have, that it can be kept. */
size_t zwd_keep_room(const struct zwd_stream *s);
/* And another one behind such a one that read len bytes; 0: there is something to be done first. */
size_t zwd_keep_room_behind(const struct zwd_stream *s, size_t len);

/*
 * The body went on by in[], which made out[]. check: of all plain bytes before that. What cannot be kept
 * is lost.
 */
void zwd_keep_add(struct zwd_stream *s, const unsigned char *in, size_t in_len,
		  const unsigned char *out, size_t out_len, uint32_t check);

/* Is a place wanted, so that a request of some length is worth more than its output just now? */
int zwd_keep_is_looking(const struct zwd_stream *s);
/* And that is so much room. */
size_t zwd_keep_look_room(const struct zwd_stream *s);

/* May a request more be too much for it? Then it has to begin later. */
int zwd_keep_is_full(const struct zwd_stream *s);
/* It begins there, at a place that software's state is at. */
void zwd_keep_move(struct zwd_stream *s, const struct zwd_place *place);

/* All output up to i->made was delivered. */
void zwd_keep_settle(struct zwd_stream *s);

void zwd_keep_drop(struct zwd_stream *s);

/* to's fields are a copy of from's, its keep included. 0 or -ENOMEM, and to's is empty. */
int zwd_keep_copy(struct zwd_stream *to, const struct zwd_stream *from);

#endif
