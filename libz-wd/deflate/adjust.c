/* SPDX-License-Identifier: Zlib */
/* What a stream is told or asked beside its data: parameters, dictionaries, header, what is pending. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "deflate/body.h"
#include "deflate/body_parallel.h"
#include "deflate/body_soft.h"
#include "deflate/buffers.h"
#include "deflate/frame.h"
#include "deflate/life.h"
#include "deflate/units.h"
#include "engine/jobq.h"
#include "engine/policy.h"
#include "stream/apart.h"
#include "stream/format.h"

struct flushing {
	z_streamp strm;
	struct zwd_stream *s;
	int ret;
};

static void flush_apart(void *arg)
{
	struct flushing *flushing = arg;

	flushing->ret = zwd_deflate(flushing->strm, flushing->s, Z_PARTIAL_FLUSH);
}

/* zlib's deflateParams() itself takes next to no stack. */
static int flush_for_params(z_streamp strm, struct zwd_stream *s)
{
	struct flushing flushing = { strm, s, Z_OK };

	/* A caller's allocator may leave by longjmp(), which wants to stay on its stack. */
	if (s->is_custom)
		flush_apart(&flushing);
	else
		zwd_apart(flush_apart, &flushing);
	return flushing.ret;
}

/* Whatever room there was for what is done already. */
static int has_work(z_streamp strm, const struct zwd_deflate *d)
{
	return strm->avail_in || !d->is_flushed;
}

/* What waits goes before what the new parameters make. */
static int soft_params(z_streamp strm, struct zwd_stream *s, int level, int strategy)
{
	struct zwd_deflate *d = &s->d;
	int ret = 0;

	zwd_deflate_flush_pend(strm, s);
	if (d->jobs && !d->pend_len) {
		zwd_jobq_enter(d->jobs);
		ret = zwd_body_parallel_deliver(strm, d);
		zwd_jobq_leave(d->jobs);
	}
	if (ret)
		return Z_MEM_ERROR;
	if (d->pend_len || zwd_body_parallel_has_sent(d))
		return Z_BUF_ERROR;
	return zwd_body_soft_params(strm, s, level, strategy);
}

/* With new parameters another engine may be the one. */
static int change_engine(struct zwd_stream *s, int is_changed)
{
	struct zwd_deflate *d = &s->d;
	int is_candidate = zwd_policy_deflate_candidate(d, s->is_custom);

	if (!d->is_raw)
		return is_candidate ? Z_OK : zwd_deflate_use_soft(s, ZWD_SOFT_PARAMS);
	if (!is_changed || d->reason == ZWD_SOFT_STAY)
		return Z_OK;
	if (d->seg_len)
		d->last_seg_len = d->seg_len;
	d->seg_len = 0;
	if (!is_candidate) {
		d->reason = ZWD_SOFT_PARAMS;
	} else if (d->reason == ZWD_SOFT_PARAMS) {
		d->reason = ZWD_SOFT_SHORT;
		d->last_seg_len = UINT64_MAX; /* whatever comes, it was not for its size */
	}
	return Z_OK;
}

int zwd_deflate_params(z_streamp strm, struct zwd_stream *s, int level, int strategy)
{
	struct zwd_deflate *d = &s->d;
	int ret = Z_OK, is_changed, last_flush = d->last_flush;

	if (level == Z_DEFAULT_COMPRESSION)
		level = 6;
	if (level < 0 || level > 9 || strategy < 0 || strategy > Z_FIXED)
		return Z_STREAM_ERROR;
	if (s->mode == ZWD_MODE_NEW) {
		d->level = level;
		d->strategy = strategy;
		return zwd_policy_deflate_candidate(d, s->is_custom) ? Z_OK : zwd_deflate_go_soft(strm, s);
	}
	is_changed = d->level != level || d->strategy != strategy;
	if (!d->is_raw && is_changed && has_work(strm, d)) {
		/* What is there was meant for the old parameters. */
		ret = flush_for_params(strm, s);
		if (ret == Z_STREAM_ERROR)
			return ret;
		if (strm->avail_in || zwd_units_waiting(d))
			return Z_BUF_ERROR;
	}
	ret = d->is_raw ? soft_params(strm, s, level, strategy) : Z_OK;
	if (ret != Z_OK)
		return ret;
	d->last_flush = zwd_deflate_is_block_ended(d, level, strategy) ? Z_BLOCK : last_flush;
	d->level = level;
	d->strategy = strategy;
	return d->seq == ZWD_SEQ_DONE ? Z_OK : change_engine(s, is_changed);
}

/* The last block is made, if not delivered, and not software's: there is nothing to be done differently. */
static int is_over(const struct zwd_deflate *d)
{
	return !d->is_raw && (d->is_finishing || d->seq == ZWD_SEQ_DONE);
}

static int soft_dictionary(z_streamp strm, struct zwd_stream *s, const Bytef *dict, uInt len)
{
	int ret = zwd_deflate_go_soft(strm, s);

	zwd_count(ZWD_DEFLATE, ZWD_SOFT_DICTIONARY, 1);
	if (ret == Z_OK)
		ZWD_SOFT_CALL(ret, strm, s, deflateSetDictionary(strm, dict, len));
	return ret;
}

/*
 * Before data: whoever does the stream knows then whether it is of use. No header tells of it. Not in the
 * memory of a caller, which is zlib's when it does all of the stream.
 */
static int keep_dictionary(z_streamp strm, struct zwd_deflate *d, const Bytef *dict, uInt len)
{
	uInt window_len = 1u << (abs(d->window_bits) & 15);

	if (len)
		zwd_deflate_remember(d, dict, len);
	d->has_dictionary = d->history_len != 0;
	/* zlib reads it as it reads input. */
	strm->total_in += len < window_len ? len : window_len;
	return Z_OK;
}

int zwd_deflate_set_dictionary(z_streamp strm, struct zwd_stream *s, const Bytef *dict, uInt len)
{
	struct zwd_deflate *d = &s->d;
	uLong before;
	int ret;

	if (!dict)
		return Z_STREAM_ERROR;
	if (s->mode == ZWD_MODE_NEW) {
		if (d->wrap == 2)
			return Z_STREAM_ERROR;
		return d->wrap || s->is_custom || zwd_deflate_get_blocks(s) ?
			       soft_dictionary(strm, s, dict, len) : keep_dictionary(strm, d, dict, len);
	}
	if (d->wrap || zwd_units_waiting(d))
		return Z_STREAM_ERROR;
	if (is_over(d))
		return Z_OK;
	zwd_count(ZWD_DEFLATE, ZWD_SOFT_DICTIONARY, !d->is_raw);
	ret = zwd_deflate_use_soft(s, ZWD_SOFT_STAY);
	if (ret != Z_OK)
		return ret;
	before = d->raw.total_in;
	ret = zwd_soft_zlib.deflateSetDictionary(&d->raw, dict, len);
	strm->total_in += d->raw.total_in - before;
	return ret;
}

int zwd_deflate_get_dictionary(z_streamp strm, struct zwd_stream *s, Bytef *dict, uInt *dict_len)
{
	struct zwd_deflate *d = &s->d;
	uInt base_len = d->history_len, kept, tail;
	const unsigned char *last;
	size_t last_len;

	if (s->mode == ZWD_MODE_NEW && !d->has_dictionary) {
		if (dict_len)
			*dict_len = 0;
		return Z_OK;
	}
	/* dict has room for a whole window (zlib.h). */
	if (d->is_raw)
		zwd_soft_zlib.deflateGetDictionary(&d->raw, dict, &base_len);
	else if (dict && base_len)
		memcpy(dict, d->history, base_len);
	last = zwd_deflate_gathered(d, &last_len);
	tail = last_len < ZWD_WINDOW_LEN ? (uInt)last_len : ZWD_WINDOW_LEN;
	kept = base_len < ZWD_WINDOW_LEN - tail ? base_len : ZWD_WINDOW_LEN - tail;
	if (dict && kept)
		memmove(dict, dict + base_len - kept, kept);
	if (dict && tail)
		memcpy(dict + kept, last + last_len - tail, tail);
	if (dict_len)
		*dict_len = kept + tail;
	return Z_OK;
}

int zwd_deflate_set_header(z_streamp strm, struct zwd_stream *s, gz_headerp header)
{
	if (s->d.wrap != 2)
		return Z_STREAM_ERROR;
	s->d.header = header;
	return Z_OK;
}

int zwd_deflate_pending(struct zwd_stream *s, unsigned int *pending, int *bits)
{
	unsigned int soft_len = 0, sent_len = 0;
	int soft_bits = 0, none;

	if (s->mode == ZWD_MODE_OURS && s->d.jobs) {
		zwd_jobq_enter(s->d.jobs);
		zwd_body_parallel.pending(s, &sent_len, &none);
		zwd_jobq_leave(s->d.jobs);
	}
	if (s->mode == ZWD_MODE_OURS)
		zwd_body_soft.pending(s, &soft_len, &soft_bits);
	if (pending)
		*pending = s->d.pend_len + sent_len + soft_len;
	if (bits)
		*bits = soft_bits;
	return Z_OK;
}

int zwd_deflate_used(struct zwd_stream *s, int *bits)
{
	const struct zwd_deflate *d = &s->d;

	if (s->mode == ZWD_MODE_OURS && d->is_raw)
		return zwd_soft_zlib.deflateUsed((z_streamp)&d->raw, bits);
	if (bits)
		*bits = s->mode == ZWD_MODE_NEW ? 0 : 8;
	return Z_OK;
}

int zwd_deflate_prime(z_streamp strm, struct zwd_stream *s, int bits, int value)
{
	int ret;

	if (s->mode == ZWD_MODE_NEW) {
		ret = zwd_deflate_go_soft(strm, s);
		if (ret == Z_OK)
			ZWD_SOFT_CALL(ret, strm, s, deflatePrime(strm, bits, value));
		return ret;
	}
	if (is_over(&s->d))
		return Z_OK;
	ret = zwd_deflate_use_soft(s, ZWD_SOFT_STAY);
	return ret == Z_OK ? zwd_soft_zlib.deflatePrime(&s->d.raw, bits, value) : ret;
}

int zwd_deflate_tune(z_streamp strm, struct zwd_stream *s, int good, int lazy, int nice, int chain)
{
	int ret;

	if (s->mode == ZWD_MODE_NEW) {
		ret = zwd_deflate_go_soft(strm, s);
		if (ret == Z_OK)
			ZWD_SOFT_CALL(ret, strm, s, deflateTune(strm, good, lazy, nice, chain));
		return ret;
	}
	if (is_over(&s->d))
		return Z_OK;
	ret = zwd_deflate_use_soft(s, ZWD_SOFT_STAY);
	return ret == Z_OK ? zwd_soft_zlib.deflateTune(&s->d.raw, good, lazy, nice, chain) : ret;
}

/* zlib's own formulas: the device's output is never longer than stored blocks, which fit them. */
uLong zwd_deflate_bound(struct zwd_stream *s, uLong len)
{
	const struct zwd_deflate *d = &s->d;
	uLong wrap_len = 0, fixed, stored;

	if (d->wrap == 1)
		wrap_len = 6;
	else if (d->wrap == 2)
		wrap_len = zwd_format_gzip_header_len(d->header) + 8;
	if (d->mem_level == 8 && (abs(d->window_bits) & 15) == 15)
		return len + (len >> 12) + (len >> 14) + (len >> 25) + 13 - 6 + wrap_len;
	fixed = len + (len >> 3) + (len >> 8) + (len >> 9) + 4;
	stored = len + (len >> 5) + (len >> 7) + (len >> 11) + 7;
	return (fixed > stored ? fixed : stored) + wrap_len;
}
