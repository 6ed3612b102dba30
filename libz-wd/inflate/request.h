/* SPDX-License-Identifier: Zlib */
/* One request of body serial, and what its result is worth. */
#ifndef ZWD_REQUEST_H
#define ZWD_REQUEST_H

#include <wd_zip.h>

#include "engine/lane.h"
#include "stream/zstream.h"

/* Room beyond the caller's that a request may have. */
size_t zwd_request_ahead_len(const struct zwd_stream *s);

/* May the device read and write where the caller has it? Not where the one is overwritten by the other. */
int zwd_request_is_direct(const z_stream *strm, const struct zwd_stream *s, const struct zwd_lane *lane);

/*
 * The next request, with what it needs in the lane's memory: input from skip on, and room. Or with none
 * of it there: then it is waited for, and has the caller's own room.
 */
struct wd_zip_req zwd_request_prepare(const z_stream *strm, struct zwd_stream *s, struct zwd_lane *lane,
				      size_t skip, size_t room, int is_in_place);

/* Is a result one that this request may have? 0 or -errno; then it counts only what is new. */
int zwd_request_judge(const struct zwd_stream *s, const struct zwd_lane *lane, struct wd_zip_res *res);

/*
 * What was judged is in place, and not looked at yet: is there more for the lane to do meanwhile, also in place?
 * 1: it is *req; then *ctx is a copy of the context that it goes on from.
 */
int zwd_request_follow(const z_stream *strm, struct zwd_stream *s, struct zwd_lane *lane,
		       const struct wd_zip_res *res, struct wd_zip_req *req, const void **ctx);

/*
 * Takes the result of what was sent, with the context that it left; on success it is the stream's. 0 or
 * -errno; -ESTALE: it was sent ahead for other input than the caller has now; -EAGAIN: to be sent again.
 */
int zwd_request_take(z_streamp strm, struct zwd_stream *s, const struct zwd_sent *sent, const void *ctx,
		     const struct wd_zip_res *res);

/* What the next request goes on from. 0 or -ENOMEM. */
int zwd_request_save(struct zwd_stream *s, const void *ctx);

#endif
