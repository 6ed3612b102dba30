/* SPDX-License-Identifier: Zlib */
/*
 * A deflate stream that a device may do. Mode NEW decides at the first call with data whether it is
 * framed here; mode OURS frames it:
 *
 *	SEQ_HEADER -> SEQ_BODY -> SEQ_DONE
 *
 * and gives its body to one of the engines of body.h, chosen anew at each flush point. What comes out
 * depends on the data, the parameters and the flush points alone, as long as no device fails.
 *
 * Return codes and their order are those of zlib.h; where it is silent, of zlib 1.2.13.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "deflate/body.h"
#include "deflate/body_parallel.h"
#include "deflate/body_soft.h"
#include "deflate/buffers.h"
#include "deflate/frame.h"
#include "deflate/units.h"
#include "engine/guard.h"
#include "engine/jobq.h"
#include "engine/policy.h"
#include "engine/qpool.h"
#include "operate/settings.h"
#include "stream/format.h"

/* Input that software takes over from a failed device before it is asked again. */
#define AWAY_LEN (256u << 10)
/*
 * So many segments in a row may be too short for a device and are its own nevertheless, for to change the
 * engine costs more; then they are software's.
 */
#define SHORT_ROW 4

/* A later flush of a higher rank is not a repetition of the one before. */
static int rank(int flush)
{
	return flush * 2 - (flush > 4 ? 9 : 0);
}

static int fail(z_streamp strm, int err)
{
	strm->msg = (char *)zwd_soft_zlib.zError(err);
	return err;
}

/*
 * A device knows nothing of a dictionary, and a stream need not refer to it. To do without is worth it for as
 * much data as makes up for it by itself.
 */
#define DICTIONARY_MIN 65536u
static int is_dictionary_better(const struct zwd_deflate *d, size_t len)
{
	return d->has_dictionary && len < DICTIONARY_MIN;
}

/* The first call with something to do. Z_OK, or an error. */
static int choose_mode(z_streamp strm, struct zwd_stream *s, int flush)
{
	/* A stream that ends with its first call is no matter of two engines. */
	int is_all = flush == Z_FINISH;
	/* Nor is it chosen anew, where it has no full unit. */
	int is_decided = is_all && strm->avail_in && strm->avail_in < zwd_units_len(s);
	/* The blocks are zlib's already when an earlier stream of this state was software's. */
	int is_ours = !(s->soft && s->is_custom) &&
		      !(is_all && is_dictionary_better(&s->d, strm->avail_in)) &&
		      zwd_policy_deflate_begin(&s->d, strm->avail_in, is_all ? flush : Z_NO_FLUSH,
					       is_decided) &&
		      (!s->d.header || zwd_format_gzip_header_len(s->d.header) <= ZWD_PEND_LEN);

	if (!is_ours || zwd_deflate_get_blocks(s)) {
		zwd_count(ZWD_DEFLATE, ZWD_SOFT_DICTIONARY, s->d.has_dictionary);
		return zwd_deflate_go_soft(strm, s);
	}
	s->mode = ZWD_MODE_OURS;
	/* It was asked for a device just now, by all that the stream's only segment has. */
	s->d.is_device = is_decided;
	return Z_OK;
}

static void write_header(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;
	size_t max = d->wrap == 2 ? zwd_format_gzip_header_len(d->header) : ZWD_ZLIB_HEADER_LEN;
	int is_direct = zwd_deflate_is_direct(strm, d, max);
	unsigned char *out = is_direct ? strm->next_out : d->pend;
	size_t len = 0;

	if (d->wrap == 1)
		len = zwd_format_zlib_header(out, d->window_bits, d->level, d->strategy);
	else if (d->wrap == 2)
		len = zwd_format_gzip_header(out, d->header, d->level, d->strategy);
	d->seq = ZWD_SEQ_BODY;
	if (is_direct) {
		zwd_deflate_made(strm, len);
		return;
	}
	d->pend_len = (unsigned int)len;
	zwd_deflate_flush_pend(strm, s);
}

int zwd_deflate_use_soft(struct zwd_stream *s, enum zwd_soft_reason reason)
{
	struct zwd_deflate *d = &s->d;
	int ret = 0;

	if (d->is_raw) {
		d->reason = reason;
		return Z_OK;
	}
	/* Not every call that changes the engine is deflate(), which has the jobs already. */
	if (d->jobs) {
		zwd_jobq_enter(d->jobs);
		d->jobs->guard = NULL; /* what the device loses or wins now is of before */
		ret = zwd_body_parallel.settle(NULL, s);
		zwd_jobq_leave(d->jobs);
	}
	d->is_device = 0;
	ret = ret ? Z_MEM_ERROR : zwd_body_soft_open(s, reason);
	/* The stream may be forgotten before there is another call of deflate(). */
	if (ret == Z_OK)
		zwd_deflate_settle_spill(s);
	return ret;
}

/* The device could not go on. */
static int fail_over(struct zwd_stream *s, int err)
{
	zwd_policy_deflate_lost(&s->d, err);
	zwd_count(ZWD_DEFLATE, ZWD_FAILOVERS, 1);
	return zwd_deflate_use_soft(s, ZWD_SOFT_AWAY);
}

/* May a device have what comes? There has to be work for it, and all that came before is done. */
static int is_return_due(z_streamp strm, const struct zwd_stream *s, int flush)
{
	const struct zwd_deflate *d = &s->d;
	uint64_t min_len = zwd_policy_min_len(ZWD_DEFLATE, d->level);
	size_t unit = zwd_units_len(s);

	/* Without input there may be nothing left but an end that software has begun. */
	if (!strm->avail_in || zwd_units_waiting(d))
		return 0;
	if (d->reason == ZWD_SOFT_AWAY)
		return d->seg_len + d->last_seg_len >= AWAY_LEN &&
		       (flush == Z_NO_FLUSH || strm->avail_in >= min_len) &&
		       zwd_policy_is_ready(ZWD_DEFLATE);
	if (d->reason == ZWD_SOFT_GUARDED)
		return d->raw.total_in >= ZWD_GUARD_AWAY * unit &&
		       (flush == Z_NO_FLUSH || strm->avail_in >= min_len) &&
		       zwd_policy_is_ready(ZWD_DEFLATE);
	/* Where there is no memory to gather in, by the segment before; a bulk one, in its middle. */
	return s->is_custom && d->reason == ZWD_SOFT_SHORT && zwd_policy_is_ready(ZWD_DEFLATE) &&
	       (d->seg_len ? d->seg_len == unit : d->last_seg_len && d->last_seg_len >= min_len);
}

/* May a segment that begins be a device's, while software has done those before? */
static int is_open_again(const struct zwd_stream *s)
{
	const struct zwd_deflate *d = &s->d;

	return d->is_raw && d->reason == ZWD_SOFT_SHORT && !d->seg_len && !s->is_custom &&
	       zwd_policy_is_ready(ZWD_DEFLATE);
}

/* Its first unit is full, or its length is known and it is long enough. */
static int is_for_device(z_streamp strm, const struct zwd_stream *s, int flush)
{
	const struct zwd_deflate *d = &s->d;
	size_t left = zwd_units_waiting(d) + strm->avail_in;

	return left >= zwd_units_len(s) || (flush != Z_NO_FLUSH && left &&
					    left >= zwd_policy_min_len(ZWD_DEFLATE, d->level));
}

/* Software ends its part at a flush point, and a device goes on. 0: done, 1: when there is room, or an error. */
static int come_back(z_streamp strm, struct zwd_stream *s)
{
	int ret = zwd_body_soft.settle(strm, s);

	if (ret)
		return ret;
	s->d.small_row = 0;
	zwd_count(ZWD_DEFLATE, ZWD_RETURNS, 1);
	return 0;
}

/* Software's turn, up to where a device may have the rest. */
static int run_soft(z_streamp strm, struct zwd_stream *s, int flush)
{
	struct zwd_deflate *d = &s->d;
	size_t unit = zwd_units_len(s), waiting = zwd_units_waiting(d);
	uInt part, rest;
	int ret;

	if (!s->is_custom || d->reason != ZWD_SOFT_SHORT || d->seg_len >= unit ||
	    d->seg_len + waiting + strm->avail_in <= unit)
		return zwd_body_soft.run(strm, s, flush);
	part = (uInt)(unit - d->seg_len - waiting);
	rest = strm->avail_in - part;
	strm->avail_in = part;
	ret = zwd_body_soft.run(strm, s, Z_NO_FLUSH);
	strm->avail_in += rest;
	return ret == ZWD_BODY_DONE ? ZWD_BODY_OVER : ret;
}

/* Several units at once: while there are lanes to keep, or the caller's room is enough for all of them. */
static int is_parallel(z_streamp strm, const struct zwd_stream *s)
{
	const struct zwd_deflate *d = &s->d;
	size_t left = zwd_units_waiting(d) + strm->avail_in, unit = zwd_units_len(s);

	if (d->jobs && zwd_body_parallel_has_sent(d))
		return 1;
	if (zwd_settings()->depth < 2 || left < unit || (!d->seg_len && d->ctx_len))
		return 0;
	return !s->is_custom ||
	       (left >= 2 * unit && strm->avail_out >= zwd_unit_room_of(left) + ZWD_BLOCK_LEN);
}

static int run_device(z_streamp strm, struct zwd_stream *s, int flush)
{
	int ret = ZWD_BODY_OVER;

	if (is_parallel(strm, s))
		ret = zwd_body_parallel.run(strm, s, flush);
	/* Without memory or lanes for that, and nothing sent, one at a time. */
	if (ret == ZWD_BODY_OVER || (ret == -ENOMEM && !zwd_body_parallel_has_sent(&s->d)))
		ret = zwd_body_serial.run(strm, s, flush);
	return ret;
}

/* Who does the segment, as soon as that has to be known. Z_OK or an error. */
static int choose_engine(z_streamp strm, struct zwd_stream *s, int flush)
{
	struct zwd_deflate *d = &s->d;
	size_t left = zwd_units_waiting(d) + strm->avail_in, unit = zwd_units_len(s);
	int is_full = left >= unit;

	/* What does not fit the block is gathered for a device, or not at all. */
	if (left > ZWD_GATHER_LEN && !(zwd_qpool_has_device(ZWD_DEFLATE) && zwd_qpool_is_ready(ZWD_DEFLATE))) {
		zwd_count(ZWD_DEFLATE, ZWD_SOFT_NO_DEVICE, 1);
		return zwd_deflate_use_soft(s, ZWD_SOFT_AWAY);
	}
	if (!left || (!is_full && flush == Z_NO_FLUSH))
		return Z_OK;
	if (!is_full && is_dictionary_better(d, left)) {
		zwd_count(ZWD_DEFLATE, ZWD_SOFT_DICTIONARY, 1);
		return zwd_deflate_use_soft(s, ZWD_SOFT_SHORT);
	}
	if (left < zwd_policy_min_len(ZWD_DEFLATE, d->level) && d->ctx_len &&
	    d->small_row < SHORT_ROW) {
		d->small_row++;
		d->is_device = 1;
		return Z_OK;
	}
	d->small_row = 0;
	d->is_device = zwd_policy_deflate_unit(d, is_full ? unit : left, is_full ? Z_NO_FLUSH : flush);
	if (d->is_device)
		return Z_OK;
	if (left < zwd_policy_min_len(ZWD_DEFLATE, d->level))
		return zwd_deflate_use_soft(s, ZWD_SOFT_SHORT);
	/* Refused for that, it may come back as one that is compared. */
	return zwd_deflate_use_soft(s, d->guard.is_on && d->guard.is_probe ? ZWD_SOFT_GUARDED : ZWD_SOFT_AWAY);
}

/* All input there is, by whatever engine. 1: done, 0: room is wanted, or an error of zlib's. */
static int run_body(z_streamp strm, struct zwd_stream *s, int flush)
{
	struct zwd_deflate *d = &s->d;
	int ret, is_open;

	for (;;) {
		/* What a device made before software took over. */
		ret = d->is_raw ? zwd_body_parallel_deliver(strm, d) : 0;
		if (ret)
			return Z_MEM_ERROR;
		if (!strm->avail_out || d->pend_len)
			return 0;
		is_open = is_open_again(s);
		if (is_open && flush == Z_NO_FLUSH && !is_for_device(strm, s, flush) &&
		    !zwd_deflate_gather(strm, s, zwd_units_len(s)))
			return 1;
		if (d->is_raw && (is_open ? is_for_device(strm, s, flush) :
					    is_return_due(strm, s, flush))) {
			ret = come_back(strm, s);
			if (ret)
				return ret < 0 ? Z_MEM_ERROR : 0;
			continue;
		}
		if (!d->is_raw && !d->is_device)
			ret = choose_engine(strm, s, flush);
		if (ret != Z_OK)
			return ret;
		/* In the middle of a segment, where the device lost: it has some of that in flight. */
		if (d->is_raw && zwd_body_parallel_has_sent(d))
			continue;
		ret = d->is_raw ? run_soft(strm, s, flush) : run_device(strm, s, flush);
		if (ret == ZWD_BODY_DONE)
			return 1;
		if (ret == ZWD_BODY_ROOM)
			return 0;
		/* It is a question anew, whatever was being tried. */
		if (ret == ZWD_BODY_LOST)
			d->trial.begin_ns = 0;
		if (ret < 0 && d->is_raw)
			ret = ret == -EINVAL ? Z_STREAM_ERROR : Z_MEM_ERROR;
		else if (ret < 0)
			ret = fail_over(s, ret);
		else
			ret = Z_OK;
		if (ret != Z_OK)
			return ret;
	}
}

/* A flush point that no unit made, or the stream's last block and trailer. */
static void end_segment(z_streamp strm, struct zwd_deflate *d, int flush)
{
	unsigned char out[ZWD_MARKER_LEN];

	if (flush == Z_FINISH) {
		if (!d->is_finishing)
			zwd_deflate_emit(strm, d, out, zwd_format_end(out));
		zwd_deflate_write_end(strm, d);
		return;
	}
	/* Of no more rank than the one that is there it is this one again, whatever room there was for it. */
	if (!d->is_raw && (!d->is_flushed || (!d->seg_len && rank(flush) > rank(d->flushed_by))))
		zwd_deflate_emit(strm, d, out, zwd_format_marker(out));
	if (!d->is_raw && flush == Z_FULL_FLUSH)
		zwd_units_cut(d);
	d->is_flushed = 1;
	d->flushed_by = flush;
	d->is_device = d->has_dictionary = 0;
	if (d->seg_len)
		d->last_seg_len = d->seg_len;
	d->seg_len = 0;
}

static int deflate_ours(z_streamp strm, struct zwd_stream *s, int flush)
{
	struct zwd_deflate *d = &s->d;
	unsigned int out_len, pending = 0;
	int old_flush, had_pend, bits, ret;

	if (flush > Z_BLOCK || flush < 0)
		return Z_STREAM_ERROR;
	if (!strm->next_out || (strm->avail_in && !strm->next_in) ||
	    ((d->seq == ZWD_SEQ_DONE || d->is_finishing) && flush != Z_FINISH))
		return fail(strm, Z_STREAM_ERROR);
	if (!strm->avail_out)
		return fail(strm, Z_BUF_ERROR);
	if (s->mode == ZWD_MODE_NEW) {
		ret = choose_mode(strm, s, flush);
		if (ret != Z_OK)
			return fail(strm, ret);
		if (s->mode == ZWD_MODE_SOFT) {
			ZWD_SOFT_CALL(ret, strm, s, deflate(strm, flush));
			return ret;
		}
	}
	old_flush = d->last_flush;
	d->last_flush = flush;
	out_len = strm->avail_out;
	if (d->pend_len)
		zwd_deflate_flush_pend(strm, s);
	had_pend = strm->avail_out != out_len;
	if (!strm->avail_out) {
		d->last_flush = -1;
		return Z_OK;
	}
	if (!had_pend && !strm->avail_in && rank(flush) <= rank(old_flush) && flush != Z_FINISH) {
		zwd_body_soft.pending(s, &pending, &bits);
		if (!pending && !zwd_body_parallel_has_sent(d))
			return fail(strm, Z_BUF_ERROR);
	}
	if ((d->seq == ZWD_SEQ_DONE || d->is_finishing) && strm->avail_in)
		return fail(strm, Z_BUF_ERROR);
	if (d->seq == ZWD_SEQ_HEADER) {
		write_header(strm, s);
		if (d->pend_len) {
			d->last_flush = -1;
			return Z_OK;
		}
	}
	if (d->seq == ZWD_SEQ_BODY) {
		ret = run_body(strm, s, flush);
		if (ret < 0)
			return fail(strm, ret);
		if (ret && flush != Z_NO_FLUSH)
			end_segment(strm, d, flush);
		if (!strm->avail_out)
			d->last_flush = -1;
	}
	return d->seq == ZWD_SEQ_DONE && !d->pend_len ? Z_STREAM_END : Z_OK;
}

/* Nothing of it stays behind of a stream that may be forgotten with its memory, or left by longjmp(). */
static void end_jobs(struct zwd_stream *s)
{
	if (!s->d.jobs || s->d.jobs->nr)
		return;
	zwd_jobq_leave(s->d.jobs);
	zwd_body_parallel.drop(s);
}

int zwd_deflate(z_streamp strm, struct zwd_stream *s, int flush)
{
	int ret;

	if (s->d.jobs)
		zwd_jobq_enter(s->d.jobs);
	ret = deflate_ours(strm, s, flush);
	if (s->is_custom) {
		zwd_deflate_settle_spill(s);
		end_jobs(s);
	}
	if (s->d.jobs)
		zwd_jobq_leave(s->d.jobs);
	return ret;
}
