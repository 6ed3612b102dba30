/* SPDX-License-Identifier: Zlib */
/* One unit of a deflate stream through a device: request, check, verification, second try. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "stream/format.h"
#include "operate/log.h"
#include "engine/offload.h"
#include "operate/settings.h"
#include "engine/verify.h"

size_t zwd_offload_room(size_t len)
{
	return zwd_format_stored_len(len) + ZWD_MARKER_LEN;
}

size_t zwd_offload_fit(size_t room)
{
	size_t overhead = 2 * ZWD_MARKER_LEN + room / 8192;

	return room > overhead ? room - overhead : 0;
}

/* A device without raw deflate makes a zlib body, whose trailer is cut off. */
enum wd_zip_format zwd_offload_format(int wrap)
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

static uint32_t whole_check(const struct zwd_segment *segment, uint32_t check, uint64_t len)
{
	z_off64_t segment_len = (z_off64_t)(segment->len + len);

	if (segment->before == (segment->wrap == 1))
		return check; /* nothing went before */
	if (segment->wrap == 2)
		return (uint32_t)zwd_soft_zlib.crc32_combine64(segment->before, check, segment_len);
	return (uint32_t)zwd_soft_zlib.adler32_combine64(segment->before, check, segment_len);
}

int zwd_offload_result(const struct zwd_segment *segment, const struct zwd_lane *lane,
		       const struct wd_zip_res *res, size_t len, int is_last, uint32_t check,
		       size_t *out_len)
{
	size_t blocks_len = res->produced;

	if (is_last && blocks_len >= trailer_len(zwd_offload_format(segment->wrap)))
		blocks_len -= trailer_len(zwd_offload_format(segment->wrap));
	if (res->status != WD_ZIP_OK || res->consumed != len || res->produced > lane->dst_len ||
	    !blocks_len)
		return -EBADMSG;
	if (segment->wrap && whole_check(segment, res->checksum, len) != check)
		return -EBADMSG;
	*out_len = blocks_len;
	return 0;
}

int zwd_offload_verify(const struct zwd_lane *lane, size_t out_len, size_t len,
		       const unsigned char *history, size_t history_len)
{
	int ret = zwd_verify_unit(lane->dst, out_len, lane->src, len, history, history_len);

	zwd_count(ZWD_DEFLATE, ZWD_VERIFIED, 1);
	if (ret)
		zwd_count(ZWD_DEFLATE, ZWD_MISMATCHES, 1);
	return ret;
}

void zwd_offload_remember(struct zwd_deflate *d, const unsigned char *plain, size_t len)
{
	size_t kept = 0;

	if (len < ZWD_WINDOW_LEN) {
		kept = ZWD_WINDOW_LEN - len;
		if (kept > d->history_len)
			kept = d->history_len;
		memmove(d->history, d->history + d->history_len - kept, kept);
	} else {
		plain += len - ZWD_WINDOW_LEN;
		len = ZWD_WINDOW_LEN;
	}
	memcpy(d->history + kept, plain, len);
	d->history_len = (unsigned int)(kept + len);
}

/* One request; on success *out_len and the lane's context and dst are the unit's. */
static int run(struct zwd_stream *s, struct zwd_lane *lane, const struct zwd_unit *unit,
	       size_t *out_len)
{
	struct zwd_deflate *d = &s->d;
	struct zwd_segment segment = { d->wrap, d->segment_check, d->segment_len };
	size_t len = unit->head_len + unit->tail_len;
	struct wd_zip_req req = {
		.src = lane->src,
		.dst = lane->dst,
		.ctx = lane->ctx,
		.src_len = (uint32_t)len,
		.dst_len = (uint32_t)lane->dst_len,
		.format = (uint8_t)zwd_offload_format(d->wrap),
		.flags = WD_ZIP_STREAM,
	};
	struct wd_zip_res res;
	int ret;

	if (unit->head_len)
		memcpy(lane->src, unit->head, unit->head_len);
	if (unit->tail_len)
		memcpy(lane->src + unit->head_len, unit->tail, unit->tail_len);
	if (d->is_segment_new || !d->ctx_len)
		req.flags |= WD_ZIP_NEW;
	else
		memcpy(lane->ctx, d->ctx, d->ctx_len);
	if (unit->is_last)
		req.flags |= WD_ZIP_FINISH;
	ret = zwd_qpool_run(lane, &req, &res);
	if (ret)
		return ret;
	return zwd_offload_result(&segment, lane, &res, len, unit->is_last, unit->check, out_len);
}

/* The unit is done: what the next one builds on. */
static void commit(struct zwd_stream *s, struct zwd_lane *lane, const struct zwd_unit *unit)
{
	struct zwd_deflate *d = &s->d;
	size_t len = unit->head_len + unit->tail_len;

	d->segment_len += len;
	d->is_segment_new = 0;
	d->sent_check = unit->check;
	if (unit->is_last)
		return;
	d->ctx_len = wd_zip_ctx_used(lane->ctx);
	if (d->ctx_len > ZWD_BLOCK_LEN)
		d->ctx_len = ZWD_BLOCK_LEN;
	memcpy(d->ctx, lane->ctx, d->ctx_len);
	zwd_offload_remember(d, lane->src, len);
}

/* Never larger than stored blocks, whatever the device made of it. */
static size_t shape(struct zwd_lane *lane, const struct zwd_unit *unit, size_t out_len)
{
	size_t len = unit->head_len + unit->tail_len, stored_len = zwd_format_stored_len(len);

	if (out_len <= stored_len)
		return out_len;
	out_len = zwd_format_stored(lane->dst, lane->src, len, unit->is_last);
	if (unit->needs_marker && !unit->is_last)
		out_len += zwd_format_marker(lane->dst + out_len);
	zwd_count(ZWD_DEFLATE, ZWD_STORED, 1);
	return out_len;
}

int zwd_offload_unit(struct zwd_stream *s, struct zwd_lane **lane, const struct zwd_unit *unit,
		     size_t *out_len)
{
	int ret;

	for (int try = 0;; try++) {
		ret = 0;
		if (!*lane)
			ret = zwd_qpool_get(ZWD_DEFLATE, zwd_settings()->timeout_ms, lane);
		if (ret)
			return ret;
		ret = run(s, *lane, unit, out_len);
		if (!ret && zwd_verify_is_due())
			ret = zwd_offload_verify(*lane, *out_len, unit->head_len + unit->tail_len,
						 s->d.history, s->d.history_len);
		if (!ret)
			break;
		zwd_count(ZWD_DEFLATE, ZWD_ERRORS, 1);
		zwd_log(ZWD_LOG_WARN, "deflate request failed: %s", strerror(-ret));
		zwd_qpool_drop(*lane, ret);
		*lane = NULL;
		/* A second time on another queue; not after a hang, which may cost as much again. */
		if (try || ret == -ETIMEDOUT)
			return ret;
		zwd_count(ZWD_DEFLATE, ZWD_RETRIES, 1);
	}
	zwd_count(ZWD_DEFLATE, ZWD_HW_REQUESTS, 1);
	zwd_count(ZWD_DEFLATE, ZWD_HW_IN, unit->head_len + unit->tail_len);
	commit(s, *lane, unit);
	*out_len = shape(*lane, unit, *out_len);
	zwd_count(ZWD_DEFLATE, ZWD_HW_OUT, *out_len);
	return 0;
}
