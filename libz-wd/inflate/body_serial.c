/* SPDX-License-Identifier: Zlib */
/* A body on a device: requests in a row, and the device's context between them. */
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
#include "inflate/request.h"
#include "inflate/shadow.h"
#include "operate/log.h"
#include "operate/settings.h"
#include "stream/shield.h"

/* A stream that software cannot take over is tried so often; one that it can, for so long if its device pauses. */
#define TRIES_WHEN_LOST 8
#define PAUSE_MS 50u
#define LONG_LEN 1048576u
/* So many calls in a row with so little input are no work for a device. */
#define TINY_LEN 64u
#define TINY_ROW 64u

int zwd_serial_begin(z_streamp strm, struct zwd_stream *s, const struct zwd_place *place)
{
	struct zwd_inflate *i = &s->i;

	zwd_keep_begin(s, place);
	i->made = place->out;
	i->check = i->out_check;
	i->is_ended = i->has_more = i->is_ahead_off = 0;
	i->ctx_len = 0;
	i->tiny_row = i->small_row = 0;
	i->tail = 0;
	i->ending = (struct zwd_ending){ 0 };
	i->last_in = i->last_out = 0;
	i->body = ZWD_BODY_SERIAL;
	zwd_shadow_begin(s);
	return Z_OK;
}

/* The result of what was sent last. 0 or -errno. */
static int receive(z_streamp strm, struct zwd_stream *s, struct zwd_lane *lane, struct wd_zip_res *res)
{
	int ret = zwd_request_judge(s, lane, res);

	return ret ? ret : zwd_request_take(strm, s, &s->i.sent, lane->ctx, res);
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
	room += zwd_request_ahead_len(s);
	req = zwd_request_prepare(strm, s, lane, held, room, 0);
	ret = zwd_qpool_send(lane, &req);
	if (!ret)
		zwd_ahead_put(i->ahead, lane);
	else if (ret == -EBUSY)
		zwd_qpool_put(lane);
	else
		zwd_qpool_drop(lane, ret);
down:
	zwd_shield_down(cancel_state);
}

/*
 * A request with all of it in place, and those that follow it: the result of one is looked at while the device
 * does the next. 0 or -errno.
 */
static int run_in_place(z_streamp strm, struct zwd_stream *s, struct zwd_lane *lane)
{
	struct wd_zip_req req = zwd_request_prepare(strm, s, lane, 0, 0, 1);
	struct wd_zip_res res, next;
	int ret = zwd_qpool_run(lane, &req, &res);

	while (!ret && !(ret = zwd_request_judge(s, lane, &res))) {
		struct zwd_sent sent = s->i.sent;
		const void *ctx = lane->ctx;
		int has_next = zwd_request_follow(strm, s, lane, &res, &req, &ctx);
		int err = has_next ? zwd_qpool_send(lane, &req) : 0;

		ret = zwd_request_take(strm, s, &sent, ctx, &res);
		/* Where too much is in flight, the next one waits by itself. */
		if (!has_next || err == -EBUSY)
			break;
		if (!err)
			err = zwd_qpool_wait(lane, &next, zwd_settings()->timeout_ms);
		/* Then the lane is no good any more, whatever else is not. */
		if (err)
			return err;
		res = next;
	}
	return ret;
}

static int run_on_lane(z_streamp strm, struct zwd_stream *s, struct zwd_lane *lane)
{
	struct wd_zip_req req =
		zwd_request_prepare(strm, s, lane, 0, (size_t)strm->avail_out + zwd_request_ahead_len(s), 0);
	struct wd_zip_res res;
	int ret = zwd_qpool_run(lane, &req, &res);

	return ret ? ret : receive(strm, s, lane, &res);
}

/*
 * On the lane, which may be one of a request ahead. 0 or -errno. Apart, so that its stack is not in use
 * when a lane is dropped.
 */
static __attribute__((noinline)) int run(z_streamp strm, struct zwd_stream *s, struct zwd_lane *lane, int is_ahead)
{
	struct wd_zip_res res;
	int ret;

	if (is_ahead) {
		ret = zwd_qpool_wait(lane, &res, zwd_settings()->timeout_ms);
		if (!ret)
			ret = receive(strm, s, lane, &res);
		if (ret != -ESTALE && ret != -EAGAIN)
			return ret;
		s->i.is_ahead_off |= ret == -ESTALE;
	}
	if (zwd_prefix_is_needed(&s->i)) {
		ret = zwd_prefix_run(lane, s->i.format, &s->i.keep.begin);
		ret = ret ? ret : zwd_request_save(s, lane->ctx);
		if (ret)
			return ret;
	}
	do {
		ret = zwd_request_is_direct(strm, s, lane) ? run_in_place(strm, s, lane) :
							     run_on_lane(strm, s, lane);
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
	if (zwd_io_reserve(s, zwd_request_ahead_len(s)))
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
		ret = zwd_qpool_get(ZWD_INFLATE,
				    zwd_back_is_open(s) ? ZWD_QPOOL_PATIENCE : zwd_settings()->timeout_ms,
				    &lane);
	*had_lane = !ret;
	if (!ret)
		ret = run(strm, s, lane, is_ahead);
	if (!*had_lane)
		return ret;
	/* Others have all that may be in flight. */
	*had_lane = ret != -EBUSY;
	/* Bad data is the data's fault, most likely, and memory not the lane's, nor what it cannot know. */
	if (!ret || ret == -EBADMSG || ret == -ENOMEM || ret == -ENODATA || ret == -EBUSY)
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
		int cancel = zwd_defer_cancel(), had_lane, ret;

		ret = try_request(strm, s, &had_lane);
		zwd_undefer_cancel(cancel);
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
