/* SPDX-License-Identifier: Zlib */
/* How a deflate stream begins, begins anew, is copied and ends; and changes between the real zlib's hands and ours. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "deflate/body.h"
#include "deflate/buffers.h"
#include "deflate/life.h"
#include "engine/jobq.h"
#include "engine/policy.h"
#include "engine/qpool.h"
#include "stream/shield.h"

static int fail(z_streamp strm, int err)
{
	strm->msg = (char *)zwd_soft_zlib.zError(err);
	return err;
}

static void clear(struct zwd_deflate *d)
{
	d->seq = ZWD_SEQ_HEADER;
	d->last_flush = -2;
	d->is_flushed = 1;
	d->flushed_by = Z_FULL_FLUSH;
	d->is_finishing = d->is_device = d->has_dictionary = 0;
	d->seg_len = d->last_seg_len = 0;
	d->small_row = 0;
	d->guard.is_on = 0;
	d->check = d->sent_check = d->wrap != 2; /* what zlib shows before any data: 1 also for raw streams */
	d->isize = 0;
	d->gather_off = d->gather_len = d->pend_off = d->pend_len = 0;
	d->history_len = 0;
	d->ctx_len = 0;
}

static void begin(z_streamp strm, struct zwd_stream *s)
{
	clear(&s->d);
	strm->total_in = strm->total_out = 0;
	strm->msg = NULL;
	strm->data_type = Z_UNKNOWN;
	strm->adler = s->d.check;
}

int zwd_deflate_init(z_streamp strm, int level, int method, int window_bits, int mem_level,
		     int strategy, const char *version, int stream_size)
{
	struct zwd_stream *s;
	int ret;

	/* These zlib refuses before it looks at the stream. */
	if (!strm || !version || version[0] != ZLIB_VERSION[0] || stream_size != sizeof(*strm))
		return zwd_soft()->deflateInit2_(strm, level, method, window_bits, mem_level,
						 strategy, version, stream_size);
	zwd_soft();
	s = zwd_stream_new(strm, ZWD_MAGIC_DEFLATE);
	if (!s) {
		strm->state = NULL;
		return fail(strm, Z_MEM_ERROR);
	}
	s->d.level = level == Z_DEFAULT_COMPRESSION ? 6 : level;
	s->d.method = method;
	s->d.window_bits = window_bits;
	s->d.mem_level = mem_level;
	s->d.strategy = strategy;
	s->d.wrap = window_bits < 0 ? 0 : window_bits > 15 ? 2 : 1;
	s->d.is_candidate = zwd_policy_deflate_candidate(&s->d, s->is_custom);
	strm->state = (struct internal_state *)s;
	if (s->d.is_candidate) {
		s->mode = ZWD_MODE_NEW;
		begin(strm, s);
	}
	/* Whose memory it is sees it taken when zlib would take it, and is never asked later. */
	if (!s->d.is_candidate)
		ret = zwd_deflate_go_soft(strm, s);
	else if (s->is_custom && zwd_deflate_get_blocks(s))
		ret = fail(strm, Z_MEM_ERROR);
	else
		ret = Z_OK;
	if (ret != Z_OK)
		zwd_stream_free(strm, s);
	else
		zwd_probe(stream_begin, ZWD_DEFLATE, strm, window_bits, level);
	return ret;
}

/* A stream without data goes to the real zlib as a whole. */
int zwd_deflate_go_soft(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d;
	uLong dict_in = strm->total_in; /* it may have been given in parts */
	int ret = Z_OK;

	if (!s->soft) {
		zwd_stream_lend(strm, s);
		do {
			strm->state = NULL;
			ret = zwd_soft_zlib.deflateInit2_(strm, d->level, d->method,
							  d->window_bits, d->mem_level,
							  d->strategy, ZLIB_VERSION,
							  sizeof(*strm));
		} while (ret == Z_MEM_ERROR && !s->is_custom && zwd_qpool_trim());
		if (ret == Z_OK)
			s->soft = strm->state;
		zwd_stream_unlend(strm, s);
		strm->state = (struct internal_state *)s;
	} else {
		/* It may be of before other parameters. */
		ZWD_SOFT_CALL(ret, strm, s, deflateParams(strm, d->level, d->strategy));
	}
	if (ret == Z_OK) {
		s->mode = ZWD_MODE_SOFT;
		if (d->wrap == 2)
			ZWD_SOFT_CALL(ret, strm, s, deflateSetHeader(strm, d->header));
		if (d->has_dictionary) {
			ZWD_SOFT_CALL(ret, strm, s,
				      deflateSetDictionary(strm, d->history, d->history_len));
			strm->total_in = dict_in;
		}
	}
	return ret;
}

static void count_stream(z_streamp strm, struct zwd_stream *s)
{
	if (s->mode != ZWD_MODE_SOFT || (!strm->total_in && !strm->total_out))
		return;
	zwd_count(ZWD_DEFLATE, ZWD_SOFT_STREAMS, 1);
	zwd_count(ZWD_DEFLATE, ZWD_SOFT_IN, strm->total_in);
	zwd_count(ZWD_DEFLATE, ZWD_SOFT_OUT, strm->total_out);
}

/* Of what waits beside the blocks, and of the engines, nothing is left. */
static void drop_body(struct zwd_stream *s)
{
	zwd_body_soft.drop(s);
	zwd_body_parallel.drop(s);
	zwd_body_serial.drop(s);
	free(s->d.more);
	s->d.more = NULL;
}

int zwd_deflate_reset(z_streamp strm, struct zwd_stream *s, int is_keep)
{
	int ret = Z_OK;

	count_stream(strm, s);
	if (s->mode == ZWD_MODE_SOFT && is_keep) {
		ZWD_SOFT_CALL(ret, strm, s, deflateResetKeep(strm));
		return ret;
	}
	if (s->soft)
		ZWD_SOFT_CALL(ret, strm, s, deflateReset(strm));
	if (ret != Z_OK)
		return ret;
	drop_body(s);
	s->d.is_candidate = zwd_policy_deflate_candidate(&s->d, s->is_custom);
	if (!s->d.is_candidate && s->mode != ZWD_MODE_SOFT)
		ret = zwd_deflate_go_soft(strm, s);
	else if (s->d.is_candidate)
		s->mode = ZWD_MODE_NEW;
	if (s->mode == ZWD_MODE_NEW)
		begin(strm, s);
	return ret;
}

/* The real zlib's own state of the same z_stream, if there is one. */
static int end_soft(z_streamp strm, struct zwd_stream *s)
{
	int ret;

	if (!s->soft)
		return Z_OK;
	zwd_stream_lend(strm, s);
	strm->state = s->soft;
	ret = zwd_soft_zlib.deflateEnd(strm);
	zwd_stream_unlend(strm, s);
	s->soft = NULL;
	strm->state = (struct internal_state *)s;
	return ret;
}

int zwd_deflate_end(z_streamp strm, struct zwd_stream *s)
{
	int ret = Z_OK, soft_ret;

	if (!strm->zalloc || !strm->zfree)
		return Z_STREAM_ERROR;
	count_stream(strm, s);
	if (s->mode == ZWD_MODE_OURS && s->d.seq == ZWD_SEQ_BODY)
		ret = Z_DATA_ERROR;
	drop_body(s);
	soft_ret = end_soft(strm, s);
	if (s->mode == ZWD_MODE_SOFT)
		ret = soft_ret;
	zwd_stream_free(strm, s);
	return ret;
}


/*
 * Ends the real zlib's part of the caller's z_stream at a flush point. Its output was delivered before:
 * what comes now is one block. The length of what it makes, and of the window behind that; or -errno.
 */
static int end_part(z_streamp strm, struct zwd_stream *s, unsigned char *out, uInt *window_len)
{
	z_stream saved = *strm;
	int ret, len;

	strm->avail_in = 0;
	strm->next_out = out;
	strm->avail_out = ZWD_FLUSH_LEN;
	ZWD_SOFT_CALL(ret, strm, s, deflate(strm, Z_SYNC_FLUSH));
	len = (int)(ZWD_FLUSH_LEN - strm->avail_out);
	strm->next_in = saved.next_in;
	strm->avail_in = saved.avail_in;
	strm->next_out = saved.next_out;
	strm->avail_out = saved.avail_out;
	strm->total_out = saved.total_out;
	strm->msg = saved.msg;
	if (ret != Z_OK && ret != Z_BUF_ERROR)
		return -EIO; /* nothing was made */
	ZWD_SOFT_CALL(ret, strm, s, deflateGetDictionary(strm, out + ZWD_FLUSH_LEN, window_len));
	return len;
}

void zwd_deflate_take_over(z_streamp strm, struct zwd_stream *s, int level, int strategy)
{
	struct zwd_deflate *d = &s->d;
	int last_flush = zwd_deflate_is_block_ended(d, level, strategy) ? Z_BLOCK : Z_NO_FLUSH;
	unsigned int pending = 1;
	unsigned char *out;
	uInt window_len = 0;
	int bits, ret, len;

	d->level = level;
	d->strategy = strategy;
	d->is_candidate = !s->is_custom && zwd_policy_deflate_candidate(d, 0);
	ZWD_SOFT_CALL(ret, strm, s, deflatePending(strm, &pending, &bits));
	if (ret != Z_OK || pending || !d->is_candidate || zwd_deflate_get_blocks(s))
		return;
	/* With a dictionary and no data it has no header yet, and another call of this may change that. */
	if (d->wrap && strm->total_in && !strm->total_out)
		return;
	clear(d);
	if (!strm->total_in && !strm->total_out) {
		end_soft(strm, s);
		s->mode = ZWD_MODE_NEW;
		return;
	}
	out = zwd_pages(ZWD_FLUSH_LEN + ZWD_WINDOW_LEN);
	/* Before the real zlib gives away what it has. */
	if (!out || zwd_deflate_reserve(strm, s, ZWD_FLUSH_LEN)) {
		zwd_unpages(out, ZWD_FLUSH_LEN + ZWD_WINDOW_LEN);
		return;
	}
	len = end_part(strm, s, out, &window_len);
	if (len >= 0) {
		count_stream(strm, s);
		end_soft(strm, s);
		s->mode = ZWD_MODE_OURS;
		d->seq = ZWD_SEQ_BODY;
		d->flushed_by = Z_SYNC_FLUSH;
		d->last_flush = last_flush;
		d->isize = (uint32_t)strm->total_in;
		d->check = d->sent_check = d->wrap ? (uint32_t)strm->adler : 1;
		zwd_deflate_remember(d, out + ZWD_FLUSH_LEN, window_len);
		zwd_deflate_emit(strm, d, out, (size_t)len);
	}
	zwd_unpages(out, ZWD_FLUSH_LEN + ZWD_WINDOW_LEN);
}

static int copy_body(struct zwd_stream *to, struct zwd_stream *from)
{
	const struct zwd_deflate *d = &from->d;
	int ret = Z_OK;

	if (d->jobs)
		zwd_jobq_enter(d->jobs);
	if (!d->is_raw || !from->is_custom)
		ret = zwd_deflate_get_blocks(to) ? Z_MEM_ERROR : Z_OK;
	else if (d->spill)
		/* The blocks go to the raw stream; what waits is copied beside them. */
		ret = zwd_deflate_get_spill(to);
	if (ret == Z_OK)
		ret = zwd_deflate_copy_waiting(to, from);
	if (ret == Z_OK && !d->is_raw)
		ret = zwd_body_serial.copy(to, from);
	if (ret == Z_OK)
		ret = zwd_body_parallel.copy(to, from);
	if (ret == Z_OK)
		ret = zwd_body_soft.copy(to, from);
	if (d->jobs)
		zwd_jobq_leave(d->jobs);
	return ret;
}

/* dest is a copy of source's struct; its state is made here. */
int zwd_deflate_copy(z_streamp dest, z_streamp source, struct zwd_stream *s)
{
	struct zwd_deflate *d = &s->d, *to_d;
	struct zwd_stream *to;
	int ret = Z_OK;

	*dest = *source;
	to = zwd_stream_new(dest, ZWD_MAGIC_DEFLATE);
	if (!to)
		return Z_MEM_ERROR;
	to_d = &to->d;
	to->mode = s->mode;
	*to_d = *d;
	memset(to_d->block, 0, sizeof(to_d->block));
	memset(to_d->is_block_lent, 0, sizeof(to_d->is_block_lent));
	to_d->scratch = NULL;
	to_d->is_raw = 0;
	to_d->spill = to_d->more = NULL;
	to_d->jobs = NULL;
	/* Of a raw stream of which no more than that waits; what is in the spill is copied from there. */
	if (!d->spill)
		to_d->pend = to_d->rest;
	dest->state = (struct internal_state *)to;
	if (s->soft) {
		/* The copy's memory is asked for through what source names as its allocator. */
		zwd_stream_lend(source, to);
		source->state = s->soft;
		ret = zwd_soft_zlib.deflateCopy(dest, source);
		source->state = (struct internal_state *)s;
		zwd_stream_unlend(source, s);
		zwd_stream_unlend(dest, to);
		if (ret == Z_OK)
			to->soft = dest->state;
		dest->state = (struct internal_state *)to;
	}
	if (ret == Z_OK && s->mode == ZWD_MODE_OURS)
		ret = copy_body(to, s);
	if (ret == Z_OK && s->mode == ZWD_MODE_NEW && d->has_dictionary) {
		ret = zwd_deflate_get_blocks(to) ? Z_MEM_ERROR : Z_OK;
		if (ret == Z_OK)
			memcpy(to_d->history, d->history, d->history_len);
	}
	if (ret != Z_OK) {
		drop_body(to);
		zwd_stream_free(dest, to);
	}
	return ret;
}
