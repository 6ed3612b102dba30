/* SPDX-License-Identifier: Zlib */
/* A raw stream of the real zlib, which begins with the last 32 KiB of plain text and ends at a flush point. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "deflate/body.h"
#include "deflate/body_soft.h"
#include "deflate/buffers.h"
#include "deflate/units.h"
#include "engine/qpool.h"

/* A flush makes a little more than its input at most. */
#define FLUSH_MORE 64u

static void count(uint64_t in, uint64_t out)
{
	if (!in && !out)
		return;
	zwd_count(ZWD_DEFLATE, ZWD_SOFT_STREAMS, 1);
	zwd_count(ZWD_DEFLATE, ZWD_SOFT_IN, in);
	zwd_count(ZWD_DEFLATE, ZWD_SOFT_OUT, out);
}

int zwd_body_soft_open(struct zwd_stream *s, enum zwd_soft_reason reason)
{
	struct zwd_deflate *d = &s->d;
	int ret = zwd_deflate_get_spill(s);

	if (ret != Z_OK)
		return ret;
	memset(&d->raw, 0, sizeof(d->raw));
	d->raw.zalloc = s->zalloc;
	d->raw.zfree = s->zfree;
	d->raw.opaque = s->opaque;
	zwd_stream_lend(&d->raw, s);
	/* zlib may take the block with the device's context. */
	d->ctx_len = 0;
	do {
		ret = zwd_soft_zlib.deflateInit2_(&d->raw, d->level, d->method,
						  -(abs(d->window_bits) & 15), d->mem_level,
						  d->strategy, ZLIB_VERSION, sizeof(d->raw));
	} while (ret == Z_MEM_ERROR && !s->is_custom && zwd_qpool_trim());
	if (ret != Z_OK)
		return ret;
	d->is_raw = 1;
	d->reason = reason;
	d->seg_len = d->last_seg_len = 0;
	if (d->history_len)
		zwd_soft_zlib.deflateSetDictionary(&d->raw, d->history, d->history_len);
	d->raw.total_in = 0; /* a dictionary counts there, and is no work */
	return Z_OK;
}

/* Runs a call of the real zlib on the raw stream with the caller's buffers. */
static void attach(z_streamp strm, struct zwd_deflate *d)
{
	d->raw.next_in = strm->next_in;
	d->raw.avail_in = strm->avail_in;
	d->raw.next_out = strm->next_out;
	d->raw.avail_out = strm->avail_out;
}

static void detach_out(z_streamp strm, struct zwd_deflate *d)
{
	zwd_deflate_made(strm, strm->avail_out - d->raw.avail_out);
	if (strm->data_type == Z_UNKNOWN)
		strm->data_type = d->raw.data_type;
}

static void detach(z_streamp strm, struct zwd_deflate *d)
{
	size_t len = strm->avail_in - d->raw.avail_in;

	detach_out(strm, d);
	if (!len)
		return;
	d->check = zwd_deflate_check(d, d->check, strm->next_in, len);
	d->sent_check = d->check;
	d->is_flushed = 0;
	zwd_deflate_accept(strm, d, len);
	d->seg_len += len;
}

/* What was gathered before software took over goes first. */
static void feed(z_streamp strm, struct zwd_deflate *d)
{
	size_t len;
	const unsigned char *in = zwd_deflate_gathered(d, &len);

	while (len && strm->avail_out) {
		attach(strm, d);
		d->raw.next_in = (z_const Bytef *)in;
		d->raw.avail_in = (uInt)len;
		zwd_soft_zlib.deflate(&d->raw, Z_NO_FLUSH);
		detach_out(strm, d);
		d->seg_len += len - d->raw.avail_in;
		zwd_deflate_use_gathered(d, len - d->raw.avail_in);
		in = zwd_deflate_gathered(d, &len);
		if (!len)
			d->sent_check = d->check;
	}
}

/* Is the room enough for a flush, whatever is in zlib's hands? */
static int is_room_enough(z_streamp strm, const struct zwd_deflate *d)
{
	uint64_t len = d->seg_len + strm->avail_in;

	return strm->avail_out >= ZWD_FLUSH_LEN || strm->avail_out >= len + (len >> 2) + FLUSH_MORE;
}

static int call(z_streamp strm, struct zwd_deflate *d, int flush)
{
	int ret;

	attach(strm, d);
	ret = zwd_soft_zlib.deflate(&d->raw, flush);
	detach(strm, d);
	return ret == Z_BUF_ERROR ? Z_OK : ret;
}

/*
 * A flush is made in one go, however small the caller's room: continued with a room of a few bytes zlib
 * writes its marker again and again (zlib.h, deflate()). It goes where output waits: history and context
 * behind that are nobody's while software has the body. Z_OK or an error; *is_complete.
 */
static int flush_all(z_streamp strm, struct zwd_stream *s, int flush, int *is_complete)
{
	struct zwd_deflate *d = &s->d;
	unsigned int bytes, room = (s->is_custom ? 2 : 3) * ZWD_BLOCK_LEN;
	int bits, ret = Z_OK;

	/*
	 * All input, and the output it makes, without a flush: then little is left. Where there is neither, zlib
	 * would forget by it that it has flushed.
	 */
	attach(strm, d);
	zwd_soft_zlib.deflatePending(&d->raw, &bytes, &bits);
	if (strm->avail_in || bytes)
		ret = call(strm, d, Z_NO_FLUSH);
	*is_complete = 0;
	if (ret != Z_OK || !strm->avail_out)
		return ret;
	ret = zwd_deflate_get_spill(s);
	if (ret != Z_OK)
		return ret;
	d->raw.next_out = d->pend;
	d->raw.avail_out = room;
	ret = zwd_soft_zlib.deflate(&d->raw, flush);
	d->pend_off = 0;
	d->pend_len = room - d->raw.avail_out;
	zwd_deflate_flush_pend(strm, s);
	if (strm->data_type == Z_UNKNOWN)
		strm->data_type = d->raw.data_type;
	*is_complete = d->raw.avail_out != 0;
	return ret == Z_BUF_ERROR ? Z_OK : ret;
}

static int run(z_streamp strm, struct zwd_stream *s, int flush)
{
	struct zwd_deflate *d = &s->d;
	int ret, is_complete;

	feed(strm, d);
	if (!strm->avail_out)
		return ZWD_BODY_ROOM; /* the gathered input's output filled the room */
	/* A caller's own memory is not asked for where zlib would not. */
	if (flush == Z_NO_FLUSH || flush == Z_FINISH || s->is_custom || is_room_enough(strm, d)) {
		ret = call(strm, d, flush);
		is_complete = strm->avail_out || ret == Z_STREAM_END;
	} else {
		ret = flush_all(strm, s, flush, &is_complete);
	}
	if (ret == Z_STREAM_END)
		d->is_finishing = 1;
	else if (ret != Z_OK) /* another flush, while the end is on its way out */
		return ret == Z_STREAM_ERROR ? -EINVAL : -ENOMEM;
	return is_complete ? ZWD_BODY_DONE : ZWD_BODY_ROOM;
}

/* What zlib had of the stream's memory is the stream's again. */
static int close_raw(struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;
	const unsigned char *pend = d->pend, *history = d->history;
	int ret;

	count(d->raw.total_in, d->raw.total_out);
	zwd_soft_zlib.deflateEnd(&d->raw);
	d->is_raw = 0;
	if (!d->spill)
		return 0;
	/* They were zlib's as long as its stream was open: nothing is allocated here. */
	ret = zwd_deflate_get_blocks(s);
	if (ret)
		return ret;
	memcpy(d->pend, pend, d->pend_off + d->pend_len);
	memcpy(d->history, history, d->history_len);
	d->gather_off = d->gather_len = 0;
	zwd_deflate_put_spill(s);
	return 0;
}

static int settle(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;
	uInt in_len = strm->avail_in, history_len = 0;
	int ret, is_complete;

	/* The next segment's input is not for it. */
	strm->avail_in = 0;
	ret = flush_all(strm, s, Z_SYNC_FLUSH, &is_complete);
	strm->avail_in = in_len;
	if (ret != Z_OK)
		return -ENOMEM;
	if (!is_complete)
		return 1;
	/* What is more than its block's is in the way of the window: it goes first. */
	if (d->pend_off + d->pend_len > ZWD_BLOCK_LEN)
		return 1;
	zwd_soft_zlib.deflateGetDictionary(&d->raw, d->history, &history_len);
	d->history_len = history_len;
	ret = close_raw(s);
	if (ret)
		return ret;
	d->seg_len = 0;
	/* A full flush that is there is one still. */
	if (!d->is_flushed || d->flushed_by != Z_FULL_FLUSH)
		d->flushed_by = Z_SYNC_FLUSH;
	d->is_flushed = 1;
	return 0;
}

int zwd_body_soft_params(z_streamp strm, struct zwd_stream *s, int level, int strategy)
{
	struct zwd_deflate *d = &s->d;
	int ret;

	feed(strm, d);
	if (zwd_units_waiting(d))
		return Z_BUF_ERROR;
	attach(strm, d);
	ret = zwd_soft_zlib.deflateParams(&d->raw, level, strategy);
	detach(strm, d);
	return ret;
}

static void pending(struct zwd_stream *s, unsigned int *bytes, int *bits)
{
	*bytes = 0;
	*bits = 0;
	if (s->d.is_raw)
		zwd_soft_zlib.deflatePending(&s->d.raw, bytes, bits);
}

static int copy(struct zwd_stream *to, struct zwd_stream *from)
{
	int ret;

	if (!from->d.is_raw)
		return Z_OK;
	zwd_stream_lend(&from->d.raw, to);
	ret = zwd_soft_zlib.deflateCopy(&to->d.raw, &from->d.raw);
	zwd_stream_lend(&from->d.raw, from);
	to->d.is_raw = ret == Z_OK;
	return ret;
}

static void drop(struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;

	if (d->is_raw) {
		count(d->raw.total_in, d->raw.total_out);
		zwd_soft_zlib.deflateEnd(&d->raw);
	}
	d->is_raw = 0;
	zwd_deflate_put_spill(s);
}

const struct zwd_body zwd_body_soft = { run, settle, pending, copy, drop };
