/* SPDX-License-Identifier: Zlib */
/*
 * A unit of a deflate stream: what one request compresses. What comes out depends on the unit alone, not
 * on the memory it lies in, nor on when, where and beside what it is done.
 */
#ifndef ZWD_UNIT_H
#define ZWD_UNIT_H

#include "engine/qpool.h"

/* What a device's checksum follows on: it knows only what its stream context has seen. */
struct zwd_chain {
	uint32_t before; /* the stream's checksum where the context began */
	uint64_t len;	 /* plain bytes since */
};

struct zwd_unit {
	const unsigned char *in; /* in the lane's src, or anywhere if the lane reaches all memory */
	size_t len;		 /* 1..settings.unit */
	unsigned char *room;	 /* where its output is wanted, or NULL */
	size_t room_len;
	int wrap;	  /* the stream's: 0 raw, 1 zlib, 2 gzip */
	int window_bits;  /* 12..15 */
	int is_continued; /* the lane's ctx is that of what went before */
	struct zwd_chain chain; /* of that; else before is the stream's, and len 0 */
	uint32_t check;	  /* of the stream with this unit, computed here (not raw) */
	int is_last;	  /* of the stream */
	int needs_marker; /* output must end in a flush point */

	/* When it is sent: */
	size_t stored_len; /* its length as stored blocks */
	size_t dst_len;	   /* what the device may fill */

	/* When it is done: */
	unsigned char *out; /* deflate blocks, byte-aligned, without trailer */
	size_t out_len;	    /* at most zwd_unit_room_of() */
	int has_ctx;	    /* the lane's ctx is what the next unit may continue */
};

/*
 * Puts the unit on the lane: copies input where the device cannot reach it, and lets the output go to
 * unit->room if that is as long as zwd_unit_room_of(). 0, or -errno of zwd_qpool_send().
 */
int zwd_unit_send(struct zwd_unit *unit, struct zwd_lane *lane);

/*
 * Takes a result. Believed as far as it can be checked: the checksum is right, and if it is this unit's
 * turn to be verified, inflated and compared. Stored blocks take the place of output that is longer. 0,
 * -EBADMSG: the result is wrong, -ENOMEM.
 */
int zwd_unit_receive(struct zwd_unit *unit, struct zwd_lane *lane, const struct wd_zip_res *res,
		     const unsigned char *history, size_t history_len);

/* Both, and what is between. 0 or -errno; the lane is good unless it says so. */
int zwd_unit_run(struct zwd_unit *unit, struct zwd_lane *lane, const unsigned char *history,
		 size_t history_len);

/*
 * The unit by the real zlib, as if nothing went before it. *out: of malloc(), out_len bytes and room for
 * spare more. 0, -ENOMEM.
 */
int zwd_unit_run_soft(struct zwd_unit *unit, int level, int mem_level, size_t spare);

/* Room that is enough for any unit of len bytes. */
size_t zwd_unit_room_of(size_t len);

#endif
