/* SPDX-License-Identifier: Zlib */
/* A unit of a deflate stream: request, check, verification, and the same by software. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/unit.h"
#include "engine/verify.h"
#include "operate/settings.h"
#include "stream/format.h"

/* A device without raw deflate makes a zlib body, whose trailer is cut off. */
static enum wd_zip_format format_of(int wrap)
{
	if (wrap == 2)
		return WD_ZIP_GZIP;
	if (wrap == 1 || !zwd_qpool_has_raw(ZWD_DEFLATE))
		return WD_ZIP_ZLIB;
	return WD_ZIP_DEFLATE;
}

static size_t trailer_len(enum wd_zip_format format)
{
	return format == WD_ZIP_GZIP ? 8 : format == WD_ZIP_ZLIB ? 4 : 0;
}

size_t zwd_unit_room_of(size_t len)
{
	size_t room = zwd_format_stored_len(len) + ZWD_TRAILER_MAX;

	return room > WD_ZIP_STREAM_MIN_DST ? room : WD_ZIP_STREAM_MIN_DST;
}

/* What a device may fill: as much as stored blocks take. What does not fit is stored. */
static void measure(struct zwd_unit *unit, enum wd_zip_format format)
{
	size_t room;

	unit->stored_len = zwd_format_stored_len(unit->len);
	room = unit->stored_len + (unit->is_last ? trailer_len(format) : ZWD_MARKER_LEN);
	unit->dst_len = room > WD_ZIP_STREAM_MIN_DST ? room : WD_ZIP_STREAM_MIN_DST;
}

static inline __attribute__((always_inline)) void request(struct zwd_unit *unit, struct zwd_lane *lane,
							  struct wd_zip_req *req)
{
	enum wd_zip_format format = format_of(unit->wrap);

	measure(unit, format);
	*req = (struct wd_zip_req){
		.src = unit->in,
		.dst = lane->dst,
		.ctx = lane->ctx,
		.src_len = (uint32_t)unit->len,
		.dst_len = (uint32_t)unit->dst_len,
		.format = (uint8_t)format,
		.flags = (uint8_t)(WD_ZIP_STREAM | (unit->is_continued ? 0 : WD_ZIP_NEW) |
				   (unit->is_last ? WD_ZIP_FINISH : 0)),
		.window_bits = (uint8_t)unit->window_bits,
	};
	if (!lane->reaches_all) {
		if (unit->in != lane->src)
			req->src = memcpy(lane->src, unit->in, unit->len);
	} else if (unit->room && unit->room_len >= unit->dst_len) {
		req->dst = unit->room;
	}
	unit->out = req->dst;
}

int zwd_unit_send(struct zwd_unit *unit, struct zwd_lane *lane)
{
	struct wd_zip_req req;

	request(unit, lane, &req);
	return zwd_qpool_send(lane, &req);
}

static uint32_t whole_check(const struct zwd_unit *unit, uint32_t check)
{
	z_off64_t len = (z_off64_t)(unit->chain.len + unit->len);

	if (unit->chain.before == (unit->wrap == 1))
		return check; /* nothing went before */
	if (unit->wrap == 2)
		return (uint32_t)zwd_soft_zlib.crc32_combine64(unit->chain.before, check, len);
	return (uint32_t)zwd_soft_zlib.adler32_combine64(unit->chain.before, check, len);
}

static void store(struct zwd_unit *unit)
{
	unit->out_len = zwd_format_stored(unit->out, unit->in, unit->len, unit->is_last);
	if (unit->needs_marker && !unit->is_last)
		unit->out_len += zwd_format_marker(unit->out + unit->out_len);
	zwd_count(ZWD_DEFLATE, ZWD_STORED, 1);
}

/*
 * A device stops when the rest of the room may be too short for what is next; one that leaves more of it
 * has not done its work.
 */
static int is_out_of_room(const struct zwd_unit *unit, const struct wd_zip_res *res)
{
	size_t room = unit->dst_len;

	return (res->status == WD_ZIP_NO_ROOM || res->status == WD_ZIP_OK) &&
	       res->consumed < unit->len && res->produced + room / 8 + 512 >= room;
}

/* 1: the output, 0: it found no room, -EBADMSG. */
static int check_result(struct zwd_unit *unit, const struct wd_zip_res *res)
{
	size_t tail = unit->is_last ? trailer_len(format_of(unit->wrap)) : 0;

	if (is_out_of_room(unit, res))
		return 0;
	if (res->status != WD_ZIP_OK || res->consumed != unit->len ||
	    res->produced > unit->dst_len || res->produced <= tail)
		return -EBADMSG;
	if (unit->wrap && whole_check(unit, res->checksum) != unit->check)
		return -EBADMSG;
	unit->out_len = res->produced - tail;
	return 1;
}

static int verify(const struct zwd_unit *unit, const unsigned char *history, size_t history_len)
{
	int ret = zwd_verify_unit(unit->out, unit->out_len, unit->in, unit->len, unit->is_last,
				  history, unit->is_continued ? history_len : 0);

	zwd_count(ZWD_DEFLATE, ZWD_VERIFIED, 1);
	if (ret)
		zwd_count(ZWD_DEFLATE, ZWD_MISMATCHES, 1);
	return ret;
}

int zwd_unit_receive(struct zwd_unit *unit, struct zwd_lane *lane, const struct wd_zip_res *res,
		     const unsigned char *history, size_t history_len)
{
	int fits = check_result(unit, res);

	if (fits < 0)
		return fits;
	if (fits && zwd_settings()->verify && zwd_verify_is_due()) {
		int ret = verify(unit, history, history_len);

		if (ret)
			return ret;
	}
	/* Even where the blocks are stored, the context is that of the plain text. */
	unit->has_ctx = fits && !unit->is_last;
	if (!fits || unit->out_len > unit->stored_len)
		store(unit);
	zwd_count_hw(ZWD_DEFLATE, unit->len, unit->out_len);
	return 0;
}

int zwd_unit_run(struct zwd_unit *unit, struct zwd_lane *lane, const unsigned char *history,
		 size_t history_len)
{
	struct wd_zip_req req;
	struct wd_zip_res res;
	int ret;

	request(unit, lane, &req);
	ret = zwd_qpool_run(lane, &req, &res);
	return ret ? ret : zwd_unit_receive(unit, lane, &res, history, history_len);
}

int zwd_unit_run_soft(struct zwd_unit *unit, int level, int mem_level, size_t spare)
{
	z_stream strm = { 0 };
	size_t size, stored_len = zwd_format_stored_len(unit->len) + ZWD_MARKER_LEN;
	int z;

	if (zwd_soft_zlib.deflateInit2_(&strm, level, Z_DEFLATED, -unit->window_bits, mem_level,
					Z_DEFAULT_STRATEGY, ZLIB_VERSION, sizeof(strm)) != Z_OK)
		return -ENOMEM;
	size = zwd_soft_zlib.deflateBound(&strm, unit->len) + 2 * ZWD_MARKER_LEN;
	if (size < stored_len)
		size = stored_len;
	unit->out = malloc(size + spare);
	if (!unit->out) {
		zwd_soft_zlib.deflateEnd(&strm);
		return -ENOMEM;
	}
	strm.next_in = (z_const Bytef *)unit->in;
	strm.avail_in = (uInt)unit->len;
	strm.next_out = unit->out;
	strm.avail_out = (uInt)size;
	z = zwd_soft_zlib.deflate(&strm, unit->is_last ? Z_FINISH : Z_SYNC_FLUSH);
	unit->out_len = size - strm.avail_out;
	zwd_soft_zlib.deflateEnd(&strm);
	if (z != (unit->is_last ? Z_STREAM_END : Z_OK) ||
	    unit->out_len > zwd_format_stored_len(unit->len))
		store(unit);
	unit->has_ctx = 0;
	zwd_count(ZWD_DEFLATE, ZWD_SOFT_IN, unit->len);
	zwd_count(ZWD_DEFLATE, ZWD_SOFT_OUT, unit->out_len);
	return 0;
}
