/* SPDX-License-Identifier: Zlib */
/* One unit of a deflate stream through a device: request, check, verification, second try. */
#ifndef ZWD_OFFLOAD_H
#define ZWD_OFFLOAD_H

#include "qpool.h"
#include "zstream.h"

struct zwd_unit {
	const unsigned char *head; /* input: what was gathered, */
	size_t head_len;
	const unsigned char *tail; /* then the caller's */
	size_t tail_len;
	int is_last;	  /* of the stream */
	int needs_marker; /* output must end in a flush point */
	uint32_t check;	  /* of the stream with this unit, computed here (not raw) */
};

/*
 * Compresses the unit, at most settings.unit bytes, into lane->dst: *out_len bytes of deflate
 * blocks, byte-aligned, without trailer, at most zwd_offload_room(). Opens *lane when it is NULL
 * and leaves it open for the next unit. 0, or -errno when the device could not do it: the stream is
 * as it was, and *lane is NULL.
 */
int zwd_offload_unit(struct zwd_stream *s, struct zwd_lane **lane, const struct zwd_unit *unit,
		     size_t *out_len);

/* Output room that a unit of len bytes may need. */
size_t zwd_offload_room(size_t len);

/* The longest unit whose output fits into room bytes. */
size_t zwd_offload_fit(size_t room);

#endif
