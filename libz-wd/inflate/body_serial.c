/* SPDX-License-Identifier: Zlib */
/*
 * A body on a device: requests in a row, and the device's context between them. What is small is done
 * again from its beginning at each request: that costs less than to save the context, and a stream of a
 * few KB needs no memory but its input.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "engine/ahead.h"
#include "engine/lease.h"
#include "engine/qpool.h"
#include "inflate/back.h"
#include "inflate/body.h"
#include "inflate/check.h"
#include "inflate/cuts.h"
#include "inflate/ending.h"
#include "inflate/header.h"
#include "inflate/io.h"
#include "inflate/keep.h"
#include "inflate/prefix.h"
#include "inflate/shadow.h"
#include "operate/log.h"
#include "operate/settings.h"
#include "stream/shield.h"

/* How far the device may go ahead of the caller's room. */
#define AHEAD_LEN 65536u
#define AHEAD_LEN_CUSTOM 4096u /* where the room for it is the caller's memory */
/* Up to here a stream is done again from its beginning. */
#define AGAIN_IN ZWD_KEEP_FIRST
#define AGAIN_OUT 32768u
/* A stream that software cannot take over is tried so often; one that it can, for so long if its device pauses. */
#define TRIES_WHEN_LOST 8
#define PAUSE_MS 50u
#define LONG_LEN 1048576u
/* So many calls in a row with so little input are no work for a device. */
#define TINY_LEN 64u
#define TINY_ROW 64u

static size_t ahead_len(const struct zwd_stream *s)
{
	if (s->is_custom)
		return AHEAD_LEN_CUSTOM;
	return zwd_keep_is_looking(s) ? zwd_keep_look_room(s) : AHEAD_LEN;
}

int zwd_serial_begin(z_streamp strm, struct zwd_stream *s, const struct zwd_place *place)
{
	struct zwd_inflate *i = &s->i;

	zwd_keep_begin(s, place);
	i->made = place->out;
	i->check = i->out_check;
	i->is_ended = i->has_more = i->is_ahead_off = 0;
	i->ctx_len = 0;
	i->tiny_row = 0;
	i->tail = 0;
	i->ending = (struct zwd_ending){ 0 };
	i->last_in = i->last_out = 0;
	i->body = ZWD_BODY_SERIAL;
	zwd_shadow_begin(s);
	return Z_OK;
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

/* Input for so much room: by what the latest request made of its own. More would be copied in vain. */
static size_t input_for(const struct zwd_stream *s, size_t room)
{
	const struct zwd_inflate *i = &s->i;
	size_t len = room;

	if (i->last_out)
		len = (size_t)((uint64_t)room * i->last_in / i->last_out);
	/* A place is found best where the input is used up, and nothing waits in the device. */
	len = zwd_keep_is_looking(s) ? len - len / 4 : len + len / 4;
	len += 4096;
	if (len > zwd_keep_room(s))
		len = zwd_keep_room(s);
	return len < room ? len : room;
}

/* May the device read and write where the caller has it? Not where the one is overwritten by the other. */
static int is_direct(const z_stream *strm, const struct zwd_stream *s, const struct zwd_lane *lane)
{
	uintptr_t in = (uintptr_t)strm->next_in, out = (uintptr_t)strm->next_out;

	return lane->reaches_all && !old_in(&s->i) && !old_out(&s->i) &&
	       strm->avail_out >= ahead_len(s) && (in >= out + strm->avail_out || out >= in + strm->avail_in);
}

/*
 * The next request, with what it needs in the lane's memory: input from skip on, and room. Or with none
 * of it there: then it is waited for, and has the caller's own room.
 */
static struct wd_zip_req prepare(const z_stream *strm, struct zwd_stream *s, struct zwd_lane *lane,
				 size_t skip, size_t room, int is_in_place)
{
	struct zwd_inflate *i = &s->i;
	struct wd_zip_req req = { .src = lane->src, .dst = lane->dst, .ctx = lane->ctx };
	size_t len = strm->avail_in - skip, most;

	if (is_in_place)
		room = strm->avail_out < WD_ZIP_MAX_LEN ? strm->avail_out : WD_ZIP_MAX_LEN;
	else if (room > lane->dst_len - old_out(i))
		room = lane->dst_len - old_out(i);
	most = input_for(s, room);
	if (most > lane->src_len - old_in(i))
		most = lane->src_len - old_in(i);
	if (most > zwd_cut_serial_len(i))
		most = zwd_cut_serial_len(i);
	if (i->ending.most && most > i->ending.most)
		most = i->ending.most;
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
	i->sent_len = len;
	i->sent_room = room;
	i->sent_in = (const unsigned char *)req.src + old_in(i);
	i->sent_out = (const unsigned char *)req.dst + old_out(i);
	req.src_len = (uint32_t)(old_in(i) + len);
	req.dst_len = (uint32_t)(old_out(i) + room);
	req.format = (uint8_t)i->format;
	req.flags = WD_ZIP_STREAM;
	if (i->ctx_len)
		memcpy(lane->ctx, i->ctx, i->ctx_len);
	else
		req.flags |= WD_ZIP_NEW;
	return req;
}

/* What the next request goes on from. 0 or -ENOMEM. */
static int save(struct zwd_stream *s, struct zwd_lane *lane)
{
	struct zwd_inflate *i = &s->i;

	if (!i->ctx)
		i->ctx = zwd_lease_alloc(s, WD_ZIP_CTX_SIZE);
	if (!i->ctx)
		return -ENOMEM;
	i->ctx_len = wd_zip_ctx_used(lane->ctx);
	memcpy(i->ctx, lane->ctx, i->ctx_len);
	return 0;
}

/* Is a result one that this request may have? 0 or -errno; then it counts only what is new. */
static int judge(struct zwd_inflate *i, const struct zwd_lane *lane, struct wd_zip_res *res)
{
	size_t window_len = i->ctx_len ? 0 : i->keep.begin.window_len;

	if (res->status != WD_ZIP_OK && res->status != WD_ZIP_END && res->status != WD_ZIP_NO_ROOM)
		return res->status == WD_ZIP_FAILED ? -EIO : -EBADMSG;
	if (res->consumed > old_in(i) + i->sent_len || res->consumed < old_in(i) ||
	    res->produced > old_out(i) + i->sent_room || res->produced < old_out(i))
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

/*
 * Takes the result; on success it is the stream's. 0 or -errno; -ESTALE: it was sent ahead for other
 * input than the caller has now; -EAGAIN: to be sent again.
 */
static int receive(z_streamp strm, struct zwd_stream *s, struct zwd_lane *lane,
		   struct wd_zip_res res)
{
	struct zwd_inflate *i = &s->i;
	const unsigned char *in = i->sent_in, *out = i->sent_out;
	uint32_t check, before = i->check;
	struct zwd_ending ending;
	uint64_t tail;
	size_t wait;
	int ret = judge(i, lane, &res);

	if (ret)
		return ret;
	if (res.consumed > strm->avail_in ||
	    (res.consumed && in != strm->next_in && memcmp(in, strm->next_in, res.consumed)))
		return -ESTALE;
	if (is_first_header_bad(i, in - old_in(i), old_in(i) + res.consumed))
		return -EBADMSG;
	check = zwd_inflate_check(i->format, before, out, res.produced);
	if (i->format != WD_ZIP_DEFLATE && check != res.checksum)
		return -EIO;
	tail = zwd_ending_tail(i->tail, in, res.consumed);
	/* Whatever it says, nothing ends but with its trailer. */
	if (res.status == WD_ZIP_END && i->format != WD_ZIP_DEFLATE && !i->is_unchecked &&
	    !zwd_ending_is_trailer(i->format, tail, check, i->made + res.produced))
		return -EIO;
	ret = zwd_ending_judge(i, lane->ctx, &res, tail, check, &ending);
	if (ret == -EAGAIN)
		i->ending = ending;
	/* Without a way back the device has to know. */
	if (ret && (ret != -ENODATA || zwd_back_is_open(s)))
		return ret;
	wait = res.produced < strm->avail_out ? 0 : res.produced - strm->avail_out;
	/* It was reserved where it is the caller's to give. */
	if (zwd_io_reserve(s, wait))
		return -ENOMEM;
	ret = zwd_shadow_verify(s, in, out, &res);
	if (ret)
		return ret;
	if (res.status != WD_ZIP_END && !is_again(i, res.consumed, res.produced) && save(s, lane))
		return -ENOMEM;
	i->is_ended = res.status == WD_ZIP_END;
	i->has_more = res.status == WD_ZIP_NO_ROOM;
	i->made += res.produced;
	i->check = check;
	i->last_in = res.consumed;
	i->last_out = res.produced;
	i->tail = tail;
	i->ending = ending;
	zwd_keep_add(s, in, res.consumed, out, res.produced, before);
	zwd_io_give(strm, s, res.consumed, out, res.produced, check);
	zwd_count(ZWD_INFLATE, ZWD_HW_REQUESTS, 1);
	zwd_count(ZWD_INFLATE, ZWD_HW_IN, res.consumed);
	zwd_count(ZWD_INFLATE, ZWD_HW_OUT, res.produced);
	return 0;
}

/*
 * Sends what comes next while the caller is busy with what it has. Only where the caller's memory is
 * the library's, too: others are known to leave streams without their end, and a lane with them.
 */
static __attribute__((noinline)) void send_ahead(z_streamp strm, struct zwd_stream *s, uInt asked)
{
	struct zwd_inflate *i = &s->i;
	/* What waits is delivered before; then the caller asks for as much as this time. */
	size_t held = i->held, room = i->pend_len < asked ? asked - i->pend_len : 0;
	struct zwd_lane *lane;
	struct wd_zip_req req;
	int cancel_state, ret;

	if (s->is_custom || i->is_ahead_off || zwd_prefix_is_needed(i) || i->is_ended || strm->avail_out ||
	    (i->parts.is_proven && strm->avail_in >= 2 * ZWD_PART_IN && asked >= 2 * ZWD_PART_OUT) ||
	    strm->avail_in < held || (strm->avail_in == held && !i->has_more))
		return;
	cancel_state = zwd_shield_up();
	if (zwd_qpool_try(ZWD_INFLATE, &lane))
		goto down;
	if (!zwd_ahead_is_free(&i->ahead)) {
		zwd_qpool_put(lane);
		goto down;
	}
	room += ahead_len(s);
	req = prepare(strm, s, lane, held, room, 0);
	ret = zwd_qpool_send(lane, &req);
	if (ret)
		zwd_qpool_drop(lane, ret);
	else
		zwd_ahead_put(i->ahead, lane);
down:
	zwd_shield_down(cancel_state);
}

/*
 * On the lane, which may be one of a request ahead. 0 or -errno. Apart, so that its stack is not in use
 * when a lane is dropped.
 */
static __attribute__((noinline)) int run(z_streamp strm, struct zwd_stream *s, struct zwd_lane *lane, int is_ahead)
{
	struct wd_zip_req req;
	struct wd_zip_res res;
	int ret;

	if (is_ahead) {
		ret = zwd_qpool_wait(lane, &res, zwd_settings()->timeout_ms);
		if (!ret)
			ret = receive(strm, s, lane, res);
		if (ret != -ESTALE && ret != -EAGAIN)
			return ret;
		s->i.is_ahead_off |= ret == -ESTALE;
	}
	if (zwd_prefix_is_needed(&s->i)) {
		ret = zwd_prefix_run(lane, s->i.format, &s->i.keep.begin);
		ret = ret ? ret : save(s, lane);
		if (ret)
			return ret;
	}
	do {
		req = prepare(strm, s, lane, 0, (size_t)strm->avail_out + ahead_len(s),
			      is_direct(strm, s, lane));
		ret = zwd_qpool_run(lane, &req, &res);
		if (ret)
			return ret;
		ret = receive(strm, s, lane, res);
	} while (ret == -EAGAIN);
	return ret;
}

/*
 * All memory of the caller's that the next request may need: its allocator may never return, so it is
 * not called with a lane in hand. 0 or -ENOMEM.
 */
static int reserve(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_inflate *i = &s->i;
	size_t len = strm->avail_in;

	if (len > ZWD_KEEP_CUSTOM_STEP)
		len = ZWD_KEEP_CUSTOM_STEP;
	if (zwd_keep_reserve(s, len))
		return -ENOMEM;
	if (!s->is_custom)
		return 0;
	if (zwd_io_reserve(s, AHEAD_LEN_CUSTOM))
		return -ENOMEM;
	/* Whether it stays that small is known when the request is done. */
	if (!i->ctx)
		i->ctx = zwd_lease_alloc(s, WD_ZIP_CTX_SIZE);
	return i->ctx ? 0 : -ENOMEM;
}

/* One try on a lane. 0 or -errno, *had_lane: not for want of one. */
static int try_request(z_streamp strm, struct zwd_stream *s, int *had_lane)
{
	struct zwd_lane *lane = zwd_ahead_take(s->i.ahead);
	int is_ahead = lane != NULL, ret = 0;

	if (!lane)
		ret = zwd_qpool_get(ZWD_INFLATE, zwd_settings()->timeout_ms, &lane);
	*had_lane = !ret;
	if (!ret)
		ret = run(strm, s, lane, is_ahead);
	if (!*had_lane)
		return ret;
	/* Bad data is the data's fault, most likely, and memory not the lane's, nor what it cannot know. */
	if (!ret || ret == -EBADMSG || ret == -ENOMEM || ret == -ENODATA)
		zwd_qpool_put(lane);
	else
		zwd_qpool_drop(lane, ret);
	return ret;
}

/*
 * Is it worth another try? Bad data is bad on any queue, and a hang may cost its time again. But where
 * software cannot go on there is no other way: the context is as good as ever.
 */
static int may_retry(const struct zwd_stream *s, int had_lane, int try, int err)
{
	if (err == -ENOMEM || err == -EILSEQ || err == -ENODATA)
		return 0;
	if (!zwd_back_is_open(s))
		return try < TRIES_WHEN_LOST;
	if (err == -EBADMSG)
		return 0;
	if (try)
		return 0;
	/* A pause may be over sooner than software has done all that again. */
	return had_lane ? err != -ETIMEDOUT : err == -ENODEV && s->i.keep.to - s->i.keep.from > LONG_LEN;
}

/* A request, and further tries on other queues where that may help. 0 or -errno. */
static int request(z_streamp strm, struct zwd_stream *s)
{
	for (int try = 0;; try++) {
		int cancel_state = zwd_shield_up(), had_lane, ret;

		ret = try_request(strm, s, &had_lane);
		zwd_shield_down(cancel_state);
		if (!ret)
			return 0;
		if (had_lane && ret != -ENODATA) {
			zwd_count(ZWD_INFLATE, ZWD_ERRORS, 1);
			zwd_log(ZWD_LOG_WARN, "inflate request failed: %s", strerror(-ret));
		}
		if (!may_retry(s, had_lane, try, ret))
			return ret;
		if (ret == -ENODEV)
			zwd_qpool_await(ZWD_INFLATE, zwd_back_is_open(s) ? PAUSE_MS :
									   zwd_settings()->timeout_ms);
		zwd_count(ZWD_INFLATE, ZWD_RETRIES, 1);
	}
}

/*
 * The input is used up, and there is no more: the device may hold back what could be told from it, as
 * zlib never does. Where a flush ended there is nothing.
 */
static int is_starved(const z_stream *strm, const struct zwd_inflate *i)
{
	return !strm->avail_in && strm->avail_out && !i->has_more && !i->is_ended &&
	       (uint32_t)i->tail != 0x0000ffff;
}

/* It looks like a trailer that the device has read and not said so: the caller would wait for more. */
static int is_end_missed(const struct zwd_inflate *i)
{
	return zwd_ending_is_trailer(i->format, i->tail, i->check, i->made);
}

int zwd_serial_run(z_streamp strm, struct zwd_stream *s, int is_all)
{
	struct zwd_inflate *i = &s->i;
	uInt in = strm->avail_in, asked = strm->avail_out;
	int ret;

	if (in) /* nothing at all says nothing */
		i->tiny_row = in < TINY_LEN ? i->tiny_row + 1 : 0;
	if (i->tiny_row > TINY_ROW && zwd_back_is_open(s))
		return ZWD_BODY_LOST - ENOTSUP;
	while (!i->pend_len && !i->held && !i->is_ended && (strm->avail_in || i->has_more)) {
		zwd_keep_settle(s);
		if (zwd_cut_is_due(strm, s))
			return ZWD_BODY_PARTS;
		/* What software makes nothing of, it is asked about again. */
		if (zwd_keep_is_full(s) && zwd_back_catch_up(strm, s) == Z_DATA_ERROR)
			return ZWD_BODY_LOST - EBADMSG;
		ret = reserve(strm, s);
		if (!ret)
			ret = request(strm, s);
		if (ret)
			return ZWD_BODY_LOST + ret;
		zwd_io_deliver(strm, s);
	}
	if (i->pend_len || i->held || !i->is_ended) {
		if ((is_all || is_end_missed(i)) && !i->held && is_starved(strm, i) && zwd_back_is_open(s))
			return ZWD_BODY_LOST - ENODATA;
		send_ahead(strm, s, asked);
		return Z_OK;
	}
	strm->data_type = 64; /* as zlib shows it: no bits left over, last block */
	return Z_STREAM_END;
}

void zwd_serial_settle(struct zwd_stream *s)
{
	zwd_ahead_forget(s->i.ahead);
}

int zwd_serial_copy(struct zwd_stream *to, const struct zwd_stream *from)
{
	const struct zwd_inflate *i = &from->i;

	to->i.ctx = NULL;
	to->i.ahead = NULL;
	zwd_shadow_copy(to, from);
	if (!i->ctx_len)
		return 0;
	to->i.ctx = zwd_lease_alloc(to, WD_ZIP_CTX_SIZE);
	if (!to->i.ctx)
		return -ENOMEM;
	memcpy(to->i.ctx, i->ctx, i->ctx_len);
	return 0;
}

void zwd_serial_drop(struct zwd_stream *s)
{
	zwd_ahead_drop(&s->i.ahead);
	zwd_shadow_drop(s);
	zwd_lease_free(s, s->i.ctx);
	s->i.ctx = NULL;
	s->i.ctx_len = 0;
}
