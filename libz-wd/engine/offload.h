/* SPDX-License-Identifier: Zlib */
/* One unit of a deflate stream through a device: request, check, verification, second try. */
#ifndef ZWD_OFFLOAD_H
#define ZWD_OFFLOAD_H

#include "engine/qpool.h"
#include "stream/zstream.h"

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

/* What a request's checksum follows on: the device knows only the segment it belongs to. */
struct zwd_segment {
	int wrap;	 /* the stream's: 0 raw, 1 zlib, 2 gzip */
	uint32_t before; /* the stream's checksum where the segment begins */
	uint64_t len;	 /* plain bytes of the segment before the request */
};

/* The device's format for such a stream: it computes the checksum that the wrapper wants. */
enum wd_zip_format zwd_offload_format(int wrap);

/*
 * Is the result of a request of len bytes of input on the lane what it must be, when check is the
 * stream's checksum behind it? 0 and *out_len bytes of blocks, without trailer; or -EBADMSG.
 */
int zwd_offload_result(const struct zwd_segment *segment, const struct zwd_lane *lane,
		       const struct wd_zip_res *res, size_t len, int is_last, uint32_t check,
		       size_t *out_len);

/* Inflates the lane's output and compares: 0, -EBADMSG, -ENOMEM. */
int zwd_offload_verify(const struct zwd_lane *lane, size_t out_len, size_t len,
		       const unsigned char *history, size_t history_len);

/* Keeps the last ZWD_WINDOW_LEN plain bytes of the stream. */
void zwd_offload_remember(struct zwd_deflate *d, const unsigned char *plain, size_t len);

/* Output room that a unit of len bytes may need. */
size_t zwd_offload_room(size_t len);

/* The longest unit whose output fits into room bytes. */
size_t zwd_offload_fit(size_t room);

#endif
