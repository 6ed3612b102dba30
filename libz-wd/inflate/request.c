/* SPDX-License-Identifier: Zlib */
/*
 * One request of body serial, and what its result is worth. What is small is done again from its beginning at
 * each request: that costs less than to save the context, and a stream of a few KB needs no memory but its
 * input.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "engine/flight.h"
#include "engine/lease.h"
#include "inflate/back.h"
#include "inflate/check.h"
#include "inflate/cuts.h"
#include "inflate/ending.h"
#include "inflate/header.h"
#include "inflate/io.h"
#include "inflate/keep.h"
#include "inflate/prefix.h"
#include "inflate/request.h"
#include "inflate/shadow.h"

/* How far the device may go ahead of the caller's room. */
#define AHEAD_LEN 65536u
#define AHEAD_LEN_CUSTOM 4096u /* where the room for it is the caller's memory */
/* Up to here a stream is done again from its beginning. */
#define AGAIN_IN ZWD_KEEP_FIRST
#define AGAIN_OUT 32768u
/* In place a request makes so much, where there is room for two: the one is looked at while the other is made. */
#define FOLLOW_OUT 1048576u
/* Less is not worth a request of its own. */
#define FOLLOW_MIN 131072u

size_t zwd_request_ahead_len(const struct zwd_stream *s)
{
	if (s->is_custom)
		return AHEAD_LEN_CUSTOM;
	return zwd_keep_is_looking(s) ? zwd_keep_look_room(s) : AHEAD_LEN;
}

/* Is this stream small enough to be done again from its beginning? */
static int is_again(const struct zwd_inflate *i, size_t in, size_t out)
{
	return !i->ctx_len && !i->keep.begin.in && i->keep.to + in <= AGAIN_IN &&
	       i->made + out <= AGAIN_OUT;
}

/* Until there is a context: what is done again, from the keep's place on. */
static size_t old_in(const struct zwd_inflate *i)
{
	if (i->ctx_len)
		return 0;
	return zwd_prefix_len(&i->keep.begin) + (size_t)(i->keep.to - i->keep.from);
}

static size_t old_out(const struct zwd_inflate *i)
{
	return i->ctx_len ? 0 : i->keep.begin.window_len + (size_t)(i->made - i->keep.begin.out);
}

static void put_old(struct zwd_inflate *i, unsigned char *to)
{
	const unsigned char *in;
	size_t len;

	if (i->ctx_len)
		return;
	zwd_prefix_write(&i->keep.begin, to);
	to += zwd_prefix_len(&i->keep.begin);
	for (uint64_t at = i->keep.from; (len = zwd_keep_read(&i->keep, at, &in)); at += len, to += len)
		memcpy(to, in, len);
}

/* Input for so much room, by what the latest request made of its own. More would be copied in vain. */
static size_t input_for(const struct zwd_stream *s, size_t room, size_t last_in, size_t last_out)
{
	size_t len = room;

	if (last_out)
		len = (size_t)((uint64_t)room * last_in / last_out);
	/* A place is found best where the input is used up, and nothing waits in the device. */
	len = zwd_keep_is_looking(s) ? len - len / 4 : len + len / 4;
	len += 4096;
	if (len > zwd_keep_room(s))
		len = zwd_keep_room(s);
	return len < room ? len : room;
}

int zwd_request_is_direct(const z_stream *strm, const struct zwd_stream *s, const struct zwd_lane *lane)
{
	uintptr_t in = (uintptr_t)strm->next_in, out = (uintptr_t)strm->next_out;

	return lane->reaches_all && !old_in(&s->i) && !old_out(&s->i) &&
	       strm->avail_out >= zwd_request_ahead_len(s) &&
	       (in >= out + strm->avail_out || out >= in + strm->avail_in);
}

static struct zwd_sent note_sent(const struct zwd_inflate *i, const struct wd_zip_req *req)
{
	size_t in = old_in(i), out = old_out(i);

	return (struct zwd_sent){
		.in = (const unsigned char *)req->src + in,
		.out = (const unsigned char *)req->dst + out,
		.len = req->src_len - (uint32_t)in,
		.room = req->dst_len - (uint32_t)out,
	};
}

/* In place: where all of the room is wanted at once, for what is to be found in it, or else a part of it. */
static size_t room_in_place(const z_stream *strm, const struct zwd_stream *s)
{
	size_t room = strm->avail_out < WD_ZIP_MAX_LEN ? strm->avail_out : WD_ZIP_MAX_LEN;

	return room < 2 * FOLLOW_OUT || s->is_custom || zwd_keep_is_looking(s) ? room : FOLLOW_OUT;
}

struct wd_zip_req zwd_request_prepare(const z_stream *strm, struct zwd_stream *s, struct zwd_lane *lane,
				      size_t skip, size_t room, int is_in_place)
{
	struct zwd_inflate *i = &s->i;
	struct wd_zip_req req = { .src = lane->src, .dst = lane->dst, .ctx = lane->ctx };
	size_t len = strm->avail_in - skip, most;

	if (is_in_place)
		room = room_in_place(strm, s);
	else if (room > lane->dst_len - old_out(i))
		room = lane->dst_len - old_out(i);
	most = input_for(s, room, i->last_in, i->last_out);
	if (most > lane->src_len - old_in(i))
		most = lane->src_len - old_in(i);
	if (most > zwd_cut_serial_len(i))
		most = zwd_cut_serial_len(i);
	if (i->ending.most && most > i->ending.most)
		most = i->ending.most;
	if (most > zwd_flight_most() - old_in(i))
		most = zwd_flight_most() - old_in(i);
	if (len > most)
		len = most;
	if (is_in_place) {
		if (len)
			req.src = strm->next_in + skip;
		req.dst = strm->next_out;
	} else {
		put_old(i, lane->src);
		if (len)
			memcpy(lane->src + old_in(i), strm->next_in + skip, len);
	}
	req.src_len = (uint32_t)(old_in(i) + len);
	req.dst_len = (uint32_t)(old_out(i) + room);
	req.format = (uint8_t)i->format;
	req.flags = WD_ZIP_STREAM;
	if (i->ctx_len)
		memcpy(lane->ctx, i->ctx, i->ctx_len);
	else
		req.flags |= WD_ZIP_NEW;
	i->sent = note_sent(i, &req);
	return req;
}

int zwd_request_follow(const z_stream *strm, struct zwd_stream *s, struct zwd_lane *lane,
		       const struct wd_zip_res *res, struct wd_zip_req *req, const void **ctx)
{
	struct zwd_inflate *i = &s->i;
	size_t len = strm->avail_in - res->consumed, room = strm->avail_out - res->produced, most, cut, used;

	if (s->is_custom || i->sent.out != strm->next_out || i->ending.most || res->produced < FOLLOW_MIN ||
	    room < FOLLOW_MIN || (res->status == WD_ZIP_OK && (!len || wd_zip_ctx_is_body_over(lane->ctx))) ||
	    (res->status != WD_ZIP_OK && res->status != WD_ZIP_NO_ROOM))
		return 0;
	most = zwd_keep_room_behind(s, res->consumed);
	cut = zwd_cut_serial_behind(i, res->consumed);
	if (!most || !cut)
		return 0;
	if (room >= 2 * FOLLOW_OUT)
		room = FOLLOW_OUT;
	used = input_for(s, room, res->consumed, res->produced);
	most = used < most ? used : most;
	most = cut < most ? cut : most;
	if (most > zwd_flight_most())
		most = zwd_flight_most();
	*req = (struct wd_zip_req){
		.src = strm->next_in + res->consumed,
		.dst = strm->next_out + res->produced,
		.ctx = lane->ctx,
		.src_len = (uint32_t)(len < most ? len : most),
		.dst_len = (uint32_t)room,
		.format = (uint8_t)i->format,
		.flags = WD_ZIP_STREAM,
	};
	/* Input lies elsewhere. */
	memcpy(lane->src, lane->ctx, wd_zip_ctx_used(lane->ctx));
	*ctx = lane->src;
	i->sent = (struct zwd_sent){ req->src, req->dst, req->src_len, req->dst_len };
	return 1;
}

static int reserve_context(struct zwd_stream *s)
{
	if (!s->i.ctx)
		s->i.ctx = zwd_lease_alloc(s, WD_ZIP_CTX_SIZE);
	return s->i.ctx ? 0 : -ENOMEM;
}

int zwd_request_save(struct zwd_stream *s, const void *ctx)
{
	struct zwd_inflate *i = &s->i;

	if (reserve_context(s))
		return -ENOMEM;
	i->ctx_len = wd_zip_ctx_used(ctx);
	memcpy(i->ctx, ctx, i->ctx_len);
	return 0;
}

int zwd_request_judge(const struct zwd_stream *s, const struct zwd_lane *lane, struct wd_zip_res *res)
{
	const struct zwd_inflate *i = &s->i;
	size_t window_len = i->ctx_len ? 0 : i->keep.begin.window_len;

	if (res->status != WD_ZIP_OK && res->status != WD_ZIP_END && res->status != WD_ZIP_NO_ROOM)
		return res->status == WD_ZIP_FAILED ? -EIO : -EBADMSG;
	if (res->consumed > old_in(i) + i->sent.len || res->consumed < old_in(i) ||
	    res->produced > old_out(i) + i->sent.room || res->produced < old_out(i))
		return -EIO;
	if (window_len && memcmp(lane->dst, i->keep.begin.window, window_len))
		return -EIO;
	res->consumed -= (uint32_t)old_in(i);
	res->produced -= (uint32_t)old_out(i);
	if (!res->consumed && !res->produced && res->status != WD_ZIP_END)
		return -EIO;
	return 0;
}

/*
 * Engines take codes that are no complete set, as zlib does not. Where a block begins is known of the
 * first one, which is all there is in most streams: its header is read twice.
 */
static int is_first_header_bad(const struct zwd_inflate *i, const unsigned char *in, size_t len)
{
	return !i->made && !i->ctx_len && !i->keep.begin.in &&
	       zwd_header_type(in, len, 0) == ZWD_BLOCK_DYNAMIC && zwd_header_has_bad_codes(in, len, 0);
}

int zwd_request_take(z_streamp strm, struct zwd_stream *s, const struct zwd_sent *sent, const void *ctx,
		     const struct wd_zip_res *res)
{
	struct zwd_inflate *i = &s->i;
	const unsigned char *in = sent->in, *out = sent->out;
	uint32_t check, before = i->check;
	struct zwd_ending ending;
	uint64_t tail;
	size_t wait;
	int needs_ctx, ret;

	if (res->consumed > strm->avail_in ||
	    (res->consumed && in != strm->next_in && memcmp(in, strm->next_in, res->consumed)))
		return -ESTALE;
	if (is_first_header_bad(i, in - old_in(i), old_in(i) + res->consumed))
		return -EBADMSG;
	check = zwd_inflate_check(i->format, before, out, res->produced);
	if (i->format != WD_ZIP_DEFLATE && check != res->checksum)
		return -EIO;
	tail = zwd_ending_tail(i->tail, in, res->consumed);
	/* Whatever it says, nothing ends but with its trailer. */
	if (res->status == WD_ZIP_END && i->format != WD_ZIP_DEFLATE && !i->is_unchecked &&
	    !zwd_ending_is_trailer(i->format, tail, check, i->made + res->produced))
		return -EIO;
	ret = zwd_ending_judge(i, ctx, res, tail, check, &ending);
	if (ret == -EAGAIN)
		i->ending = ending;
	/* Without a way back the device has to know. */
	if (ret && (ret != -ENODATA || zwd_back_is_open(s)))
		return ret;
	wait = res->produced < strm->avail_out ? 0 : res->produced - strm->avail_out;
	needs_ctx = res->status != WD_ZIP_END && !is_again(i, res->consumed, res->produced);
	/*
	 * It was reserved where it is the caller's to give. All of it before anything moves on, the context or who
	 * compares: software may have no memory to go on, either, and then the same is asked for again.
	 */
	if (zwd_io_reserve(s, wait) || zwd_keep_prepare(s, res->consumed) || (needs_ctx && reserve_context(s)))
		return -ENOMEM;
	ret = zwd_shadow_verify(s, sent, res, tail);
	if (ret)
		return ret;
	if (needs_ctx)
		zwd_request_save(s, ctx); /* there is memory for it */
	i->is_ended = res->status == WD_ZIP_END;
	i->has_more = res->status == WD_ZIP_NO_ROOM;
	i->made += res->produced;
	i->check = check;
	i->last_in = res->consumed;
	i->last_out = res->produced;
	i->tail = tail;
	i->ending = ending;
	zwd_keep_add(s, in, res->consumed, out, res->produced, before);
	zwd_io_give(strm, s, res->consumed, out, res->produced, check);
	zwd_count_hw(ZWD_INFLATE, res->consumed, res->produced);
	return 0;
}

