/* SPDX-License-Identifier: Zlib */
/*
 * An inflate stream that a device may do: header, body, trailer, and who has the body. The header is the
 * real zlib's to read, up to the first block (mode NEW). Then a device has the body, or software, inside
 * this framing (mode OURS): software for now, which has the wrapper, too (is_wrapped), or after a device,
 * as a raw stream. At a block boundary a device is asked anew. Mode SOFT is the real zlib's alone.
 *
 * A caller with an allocator of its own may never free: there the real zlib is opened at once and stays.
 */
#include "config.h"

#include <errno.h>
#include <wd_zip.h>

#include "engine/lease.h"
#include "engine/policy.h"
#include "inflate/back.h"
#include "inflate/body.h"
#include "inflate/body_parallel.h"
#include "inflate/cuts.h"
#include "inflate/io.h"
#include "inflate/life.h"

/* Software has so much before a device is asked again; each time a device is left, twice as much. */
#define RETURN_LEN 262144u
#define RETURN_MAX (1ull << 40)
/* A call that brings less is no reason to. */
#define RETURN_IN 4096u
/* More than so many small calls in a row are not, either, to stay: if software has not more than this to read again. */
#define SMALL_ROW 4u
#define SMALL_AGAIN 524288u

/* Buffers have a multiple of this; streams seldom do. */
#define PIECE_LEN 4096u

/* zlib's own words. */
static const char bad_data_check[] = "incorrect data check", bad_length_check[] = "incorrect length check";

int zwd_inflate_is_framed(const struct zwd_stream *s)
{
	return s->mode == ZWD_MODE_OURS && !s->i.is_wrapped;
}

/* A device leaves the body to software. Z_OK or an error, in which case nothing changed. */
static int leave_device(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_inflate *i = &s->i;
	int ret;

	zwd_serial_settle(s);
	ret = zwd_soft_begin(strm, s);
	if (ret == Z_DATA_ERROR && strm->msg) {
		/* The device has read over a fault. */
		zwd_io_cut(s, 0);
		i->part = ZWD_PART_BAD;
	} else if (ret == Z_DATA_ERROR) {
		strm->msg = (char *)"device failed and the input was not kept";
	}
	if (ret != Z_OK)
		return ret;
	zwd_serial_drop(s);
	i->return_len = i->return_len ? 2 * i->return_len : RETURN_LEN;
	if (i->return_len > RETURN_MAX)
		i->return_len = RETURN_MAX;
	return Z_OK;
}

/*
 * What the device had read is behind software, too, as far as it makes no output: what is asked or told next
 * is about that place. Where the body was over, all output was delivered, and what is left is its end. Apart,
 * so that its stack is not in use where a device runs.
 */
static __attribute__((noinline)) int read_on(z_streamp strm, struct zwd_stream *s)
{
	z_stream saved = *strm;
	unsigned char nowhere[1];
	int ret;

	strm->next_out = nowhere;
	strm->avail_in = strm->avail_out = 0;
	ret = zwd_soft_run(strm, s, Z_SYNC_FLUSH);
	saved.state = strm->state;
	*strm = saved;
	if (s->i.part != ZWD_PART_BODY)
		s->i.soft_at = s->i.backlog_end;
	return ret == Z_MEM_ERROR ? ret : Z_OK;
}

int zwd_inflate_go_soft(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_inflate *i = &s->i;
	int ret = Z_OK;

	if (s->mode == ZWD_MODE_NEW)
		ret = zwd_inflate_open(strm, s);
	if (ret != Z_OK || s->mode == ZWD_MODE_SOFT)
		return ret;
	if (s->mode == ZWD_MODE_NEW || i->is_wrapped) {
		s->mode = ZWD_MODE_SOFT;
		return Z_OK;
	}
	if (i->body == ZWD_BODY_SERIAL) {
		ret = leave_device(strm, s);
		if (ret == Z_OK)
			ret = read_on(strm, s);
	}
	if (ret == Z_OK)
		i->is_settled = 1;
	return ret;
}

/* The device could not go on. Z_OK: software does. */
static int lose_device(z_streamp strm, struct zwd_stream *s, int err)
{
	struct zwd_inflate *i = &s->i;
	int is_failure = err != -ENOTSUP && err != -ENODATA, ret;

	/* It has no failure to answer for where it is not fit for what the caller does. */
	if (is_failure) {
		zwd_count(ZWD_INFLATE, ZWD_FAILOVERS, 1);
		zwd_policy_inflate_lost(i, err);
	}
	ret = leave_device(strm, s);
	if (!is_failure && ret == Z_OK)
		zwd_count(ZWD_INFLATE, err == -ENOTSUP ? ZWD_SOFT_SMALL : ZWD_SOFT_TUNED, 1);
	/* There may be memory later. */
	if (ret == Z_DATA_ERROR && err == -ENOMEM)
		ret = Z_MEM_ERROR;
	return ret;
}

static int is_to_return(const z_stream *strm, const struct zwd_inflate *i, int flush)
{
	return !i->is_settled && flush != Z_BLOCK && flush != Z_TREES && i->soft_in >= i->return_len &&
	       strm->avail_in >= RETURN_IN && zwd_policy_inflate_again(strm->avail_in, strm->avail_out);
}

/* Software has the body; at the end of a block a device may take it. */
static int run_soft(z_streamp strm, struct zwd_stream *s, int flush)
{
	struct zwd_inflate *i = &s->i;
	struct zwd_place place;
	int ret;

	while (is_to_return(strm, i, flush)) {
		ret = zwd_soft_run(strm, s, Z_BLOCK);
		if (ret != Z_OK)
			return ret;
		/* It may have stopped just before the end. */
		if (!strm->avail_in || !strm->avail_out)
			break;
		ret = zwd_soft_settle(strm, s, &place);
		/* Others have all the memory that there is for it. */
		if (ret == -EBUSY)
			i->return_len = 2 * i->soft_in;
		if (ret)
			continue;
		zwd_soft_count(s);
		i->is_wrapped = 0;
		zwd_count(ZWD_INFLATE, ZWD_RETURNS, 1);
		return zwd_serial_begin(strm, s, &place);
	}
	return zwd_soft_run(strm, s, flush);
}

static uint32_t trailer_word(const unsigned char *at, int format)
{
	if (format == WD_ZIP_ZLIB)
		return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
	return (uint32_t)at[3] << 24 | at[2] << 16 | at[1] << 8 | at[0];
}

/* What follows a raw body of a stream that is none. Z_STREAM_END: all of it was read, and it is right. */
static int trailer(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_inflate *i = &s->i;
	unsigned int len = i->format == WD_ZIP_GZIP ? 8 : 4;
	const char *msg = NULL;

	while (!msg && i->trailer_len < len && zwd_soft_byte(strm, s, &i->trailer[i->trailer_len])) {
		i->trailer_len++;
		if (i->is_unchecked)
			continue;
		if (i->trailer_len == 4 && trailer_word(i->trailer, i->format) != i->out_check)
			msg = bad_data_check;
		if (i->trailer_len == 8 && trailer_word(i->trailer + 4, i->format) != i->out_len)
			msg = bad_length_check;
	}
	/* As zlib shows it: the bits that it has read and not used, and that this was the last block. */
	strm->data_type = 64 + 8 * (int)(i->trailer_len % 4);
	if (msg) {
		strm->msg = (char *)msg;
		strm->data_type = 64 + 32;
		i->part = ZWD_PART_BAD;
		return Z_DATA_ERROR;
	}
	return i->trailer_len == len ? Z_STREAM_END : Z_OK;
}

/* A call begins, and a device has the body. One without any input says nothing. */
static void note_size(const z_stream *strm, struct zwd_inflate *i)
{
	if (!strm->avail_in)
		return;
	i->small_row = zwd_policy_inflate_is_small(strm->avail_in, strm->avail_out) ? i->small_row + 1 : 0;
}

static int is_to_leave(const struct zwd_stream *s)
{
	const struct zwd_inflate *i = &s->i;

	return i->small_row > SMALL_ROW && !i->is_ended && i->keep.to - i->keep.from <= SMALL_AGAIN &&
	       zwd_back_is_open(s);
}

/* One body, as far as it goes. */
static int body(z_streamp strm, struct zwd_stream *s, int flush, int is_all)
{
	struct zwd_inflate *i = &s->i;
	int ret;

	if (i->body == ZWD_BODY_SERIAL && (flush == Z_BLOCK || flush == Z_TREES)) {
		zwd_count(ZWD_INFLATE, ZWD_SOFT_TUNED, 1);
		ret = leave_device(strm, s);
		if (ret == Z_OK)
			ret = read_on(strm, s);
		if (ret != Z_OK)
			return ret;
	}
	if (i->body == ZWD_BODY_SERIAL)
		note_size(strm, i);
	for (;;) {
		zwd_io_deliver(strm, s);
		if (i->pend_len || i->held)
			return Z_OK;
		if (i->body == ZWD_BODY_SOFT) {
			ret = run_soft(strm, s, flush);
			if (i->body == ZWD_BODY_SOFT)
				return ret;
		}
		if (zwd_cut_is_due(strm, s))
			zwd_parallel_run(strm, s);
		if (is_to_leave(s)) {
			ret = lose_device(strm, s, -ENOTSUP);
			if (ret == Z_OK)
				continue;
			if (ret != Z_MEM_ERROR)
				return ret;
			i->small_row = 0; /* the device goes on; there may be memory later */
		}
		ret = zwd_serial_run(strm, s, is_all);
		if (ret == ZWD_BODY_PARTS)
			continue;
		if (ret > ZWD_BODY_LOST)
			return ret;
		ret = lose_device(strm, s, ret - ZWD_BODY_LOST);
		if (ret != Z_OK)
			return ret;
	}
}

/* Where software has all of a stream, what a device needed is of no use. */
static void give_lease(struct zwd_stream *s)
{
	const struct zwd_inflate *i = &s->i;

	if (i->lease && i->body == ZWD_BODY_SOFT && !i->pend_len && i->soft_at == i->backlog_end)
		zwd_life_drop(s);
}

/* Mode OURS. */
static int frame(z_streamp strm, struct zwd_stream *s, int flush, int is_all)
{
	struct zwd_inflate *i = &s->i;
	int ret;

	if (i->part == ZWD_PART_BODY) {
		ret = body(strm, s, flush, is_all);
		if (ret != Z_STREAM_END || i->is_wrapped)
			return ret;
		i->part = i->format != WD_ZIP_DEFLATE && i->body == ZWD_BODY_SOFT ? ZWD_PART_TRAILER :
										    ZWD_PART_END;
	}
	if (i->part == ZWD_PART_TRAILER) {
		ret = trailer(strm, s);
		if (ret != Z_STREAM_END)
			return ret;
		i->part = ZWD_PART_END;
	}
	return i->part == ZWD_PART_END ? Z_STREAM_END : Z_DATA_ERROR;
}

/* The first byte of a stream tells which it is, and a zlib header's its window. */
static void note_format(const z_stream *strm, struct zwd_inflate *i)
{
	if (i->format || !strm->avail_in)
		return;
	if (i->window_bits < 0)
		i->format = WD_ZIP_DEFLATE;
	else if (i->window_bits == 31 || (i->window_bits > 31 && strm->next_in[0] == 0x1f))
		i->format = WD_ZIP_GZIP;
	else
		i->format = WD_ZIP_ZLIB;
	/* zlib holds a stream to it where its caller left the size open. */
	i->is_small_window = i->format == WD_ZIP_ZLIB && !(i->window_bits & 15) &&
			     strm->next_in[0] >> 4 < 7;
}

/* May a device begin? The first so many whole pages of a stream are a buffer's, which was not enough for all of it. */
static int has_device(const z_stream *strm, struct zwd_stream *s)
{
	int is_piece = (strm->total_in + strm->avail_in) % PIECE_LEN == 0;

	if (!zwd_policy_inflate_begin(&s->i, strm->avail_in, strm->avail_out, is_piece))
		return 0;
	if (!zwd_lease_take(s))
		return 1;
	zwd_count(ZWD_INFLATE, ZWD_SOFT_BUSY, 1);
	s->i.trial.begin_ns = 0;
	return 0;
}

/* Software, with the wrapper, or what of it was not read yet. Z_OK or an error. */
static int begin_wrapped(z_streamp strm, struct zwd_stream *s)
{
	int ret = zwd_inflate_open(strm, s);

	if (ret != Z_OK)
		return ret;
	s->mode = ZWD_MODE_OURS;
	s->i.body = ZWD_BODY_SOFT;
	s->i.is_wrapped = 1;
	return Z_OK;
}

/* Who begins with the body? Z_OK or an error. */
static int choose(z_streamp strm, struct zwd_stream *s, int flush)
{
	struct zwd_inflate *i = &s->i;
	struct zwd_place place = { .check = i->format == WD_ZIP_ZLIB };

	if (i->is_small_window) {
		zwd_count(ZWD_INFLATE, ZWD_SOFT_WINDOW, 1);
		return zwd_inflate_go_soft(strm, s);
	}
	i->return_len = RETURN_LEN;
	i->out_check = place.check;
	/* Steps are software's; what follows them is anybody's. */
	if (flush == Z_BLOCK || flush == Z_TREES) {
		zwd_count(ZWD_INFLATE, ZWD_SOFT_TUNED, 1);
		return begin_wrapped(strm, s);
	}
	if (!has_device(strm, s))
		return begin_wrapped(strm, s);
	i->return_len = 0;
	if (!s->is_custom)
		zwd_life_close_soft(strm, s);
	s->mode = ZWD_MODE_OURS;
	return zwd_serial_begin(strm, s, &place);
}

/* Mode NEW: the header by the real zlib, up to the first block. Z_OK: the mode is chosen, or not yet. */
static int header(z_streamp strm, struct zwd_stream *s, int flush)
{
	struct zwd_inflate *i = &s->i;
	int is_stepping = flush == Z_BLOCK || flush == Z_TREES, ret = Z_OK;

	if (!i->is_candidate || (is_stepping && !i->format && !strm->avail_in))
		return zwd_inflate_go_soft(strm, s);
	note_format(strm, i);
	if (is_stepping)
		return choose(strm, s, flush);
	if (i->format != WD_ZIP_DEFLATE && !i->has_header) {
		ret = zwd_inflate_open(strm, s);
		if (ret != Z_OK)
			return ret;
		ZWD_SOFT_CALL(ret, strm, s, inflate(strm, Z_BLOCK));
		i->has_header = ret == Z_OK && strm->data_type & 128;
		if (ret == Z_NEED_DICT)
			zwd_count(ZWD_INFLATE, ZWD_SOFT_DICTIONARY, 1);
		if (ret != Z_OK && ret != Z_BUF_ERROR)
			s->mode = ZWD_MODE_SOFT;
		if (!i->has_header)
			return ret == Z_BUF_ERROR ? Z_OK : ret;
	}
	return strm->avail_in ? choose(strm, s, flush) : Z_OK;
}

int zwd_inflate(z_streamp strm, struct zwd_stream *s, int flush)
{
	uInt in = strm->avail_in, out = strm->avail_out;
	int ret = Z_OK;

	if (!strm->next_out || (!strm->next_in && strm->avail_in))
		return Z_STREAM_ERROR;
	if (s->mode == ZWD_MODE_NEW)
		ret = header(strm, s, flush);
	if (ret == Z_OK && s->mode == ZWD_MODE_OURS) {
		ret = frame(strm, s, flush, flush == Z_FINISH || !in);
		give_lease(s);
	}
	if (ret == Z_OK && s->mode == ZWD_MODE_SOFT) {
		ZWD_SOFT_CALL(ret, strm, s, inflate(strm, flush));
		/* It knows only of its own part of this call. */
		if (ret == Z_BUF_ERROR)
			ret = Z_OK;
	}
	if (ret == Z_OK && ((in == strm->avail_in && out == strm->avail_out) || flush == Z_FINISH))
		ret = Z_BUF_ERROR;
	return ret;
}
