/* SPDX-License-Identifier: Zlib */
/*
 * Where a deflate stream may be cut: behind a flush point, an empty stored block that ends at a byte. What
 * looks like one may lie within a block; whoever cuts there has to prove it.
 */
#ifndef ZWD_CUTS_H
#define ZWD_CUTS_H

#include "stream/zstream.h"

#define ZWD_PART_IN 32768u   /* so much input is worth a request of its own, */
#define ZWD_PART_OUT 98304u  /* or so much output */
#define ZWD_SERIAL_MIN 262144u
/* Output of a byte of input, until it is known. */
#define ZWD_PART_EXPANDS 4

/* Offset in in[] behind the first flush point that ends there after byte from; 0: there is none. */
size_t zwd_cut_next(const unsigned char *in, size_t len, size_t from);

/* Output of so much input, by the latest part, or else the latest request. */
static inline uint64_t zwd_cut_expect(const struct zwd_inflate *i, size_t len)
{
	if (i->parts.last_in)
		return (uint64_t)len * i->parts.last_out / i->parts.last_in;
	if (i->last_in)
		return (uint64_t)len * i->last_out / i->last_in;
	return (uint64_t)len * ZWD_PART_EXPANDS;
}

/*
 * The next part of in[]: long enough for a request, and not too long for one, with spare bytes more. Its
 * length; 0: there is none. *is_joined: there are flush points within it.
 */
size_t zwd_cut_part(const struct zwd_inflate *i, const unsigned char *in, size_t in_len, size_t spare,
		    int *is_joined);

/* A part read and made so much: what later ones are expected to make. */
void zwd_cut_note(struct zwd_inflate *i, size_t in, size_t out);

/*
 * When are parts looked for again, when there are left bytes behind those that counted? 0: all did. -ENOENT:
 * no flush point was found. -EBADMSG, -ENOSPC: a part does not begin where the one before it ended, is not
 * independent, or is too long; -E2BIG: too long, but it was a joined one. -ENOBUFS, -ENOMEM, -EBUSY: there
 * was no room, memory, lane. Others: the device failed.
 */
void zwd_cut_plan(struct zwd_inflate *i, size_t left, int err);

/* Is it time to look for cuts in the caller's input, and are two parts likely there? */
static inline int zwd_cut_is_due(const z_stream *strm, const struct zwd_stream *s)
{
	const struct zwd_inflate *i = &s->i;

	return i->keep.to >= i->parts.at && !s->is_custom && strm->avail_out >= 2 * ZWD_WINDOW_LEN &&
	       (strm->avail_in >= 2 * ZWD_PART_IN ||
		zwd_cut_expect(i, strm->avail_in) >= 2 * ZWD_PART_OUT);
}

/* So much input body serial reads in one request, at most: parts are looked for when it is time to. */
static inline size_t zwd_cut_serial_len(const struct zwd_inflate *i)
{
	uint64_t left = i->parts.at > i->keep.to ? i->parts.at - i->keep.to : 0;

	return left > ZWD_SERIAL_MIN ? (size_t)left : ZWD_SERIAL_MIN;
}

/* The same behind a request that read len bytes; 0: it is time. */
static inline size_t zwd_cut_serial_behind(const struct zwd_inflate *i, size_t len)
{
	uint64_t to = i->keep.to + len, left = i->parts.at > to ? i->parts.at - to : 0;

	if (!left)
		return 0;
	return left > ZWD_SERIAL_MIN ? (size_t)left : ZWD_SERIAL_MIN;
}

#endif
