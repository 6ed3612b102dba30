/* SPDX-License-Identifier: Zlib */
/*
 * A body in software: a raw stream of the real zlib, on the caller's z_stream. Where a device was before,
 * it begins at the byte up to which output was delivered, and first reads what the caller has not any more.
 */
#include "config.h"

#include <errno.h>
#include <wd_zip.h>

#include "engine/lease.h"
#include "inflate/back.h"
#include "inflate/body.h"
#include "inflate/io.h"
#include "inflate/keep.h"

int zwd_soft_begin(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_inflate *i = &s->i;
	z_stream saved = *strm;
	uint64_t at, reported = i->keep.to - i->held;
	size_t waiting;
	int ret;

	strm->state = s->soft;
	strm->msg = NULL;
	ret = zwd_back_go(strm, strm, s, &at, &waiting);
	s->soft = strm->state;
	saved.msg = strm->msg; /* it may have found what the device did not */
	saved.data_type = strm->data_type; /* which a device does not tell */
	*strm = saved;
	if (ret != Z_OK)
		return ret;
	/* What it will make is not there yet. */
	i->made -= i->pend_len - waiting;
	zwd_io_cut(s, waiting);
	i->soft_at = at;
	i->backlog_end = at < reported ? reported : at;
	i->held = at > reported ? (size_t)(at - reported) : 0;
	i->soft_in = i->soft_out = 0;
	i->is_wrapped = 0;
	i->body = ZWD_BODY_SOFT;
	if (i->soft_at == i->backlog_end)
		zwd_keep_drop(s);
	return Z_OK;
}

/* What was kept is read. */
static void pass_backlog(struct zwd_stream *s, size_t len)
{
	s->i.soft_at += len;
	if (len && s->i.soft_at == s->i.backlog_end)
		zwd_keep_drop(s);
}

static size_t backlog(const struct zwd_inflate *i, const unsigned char **in)
{
	size_t len;

	if (i->soft_at >= i->backlog_end)
		return 0;
	len = zwd_keep_read(&i->keep, i->soft_at, in);
	return len < i->backlog_end - i->soft_at ? len : (size_t)(i->backlog_end - i->soft_at);
}

/* One call of the real zlib's, and what it did. */
static int call(z_streamp strm, struct zwd_stream *s, int flush)
{
	struct zwd_inflate *i = &s->i;
	const unsigned char *out = strm->next_out;
	uInt in = strm->avail_in, room = strm->avail_out;
	size_t out_len;
	int ret;

	ZWD_SOFT_CALL(ret, strm, s, inflate(strm, flush));
	in -= strm->avail_in;
	out_len = room - strm->avail_out;
	if (in)
		i->last_byte = strm->next_in[-1];
	i->soft_in += in;
	i->soft_out += out_len;
	i->made += out_len;
	if (i->is_wrapped)
		i->out_len += (uint32_t)out_len;
	else if (out_len)
		zwd_io_written(strm, s, out, out_len);
	return ret;
}

/* The same with input that is kept. */
static int call_on_backlog(z_streamp strm, struct zwd_stream *s, const unsigned char *in, size_t len,
			   int flush)
{
	z_const Bytef *next_in = strm->next_in;
	uInt avail_in = strm->avail_in;
	uLong total_in = strm->total_in;
	int ret;

	strm->next_in = (z_const Bytef *)in;
	strm->avail_in = (uInt)len;
	ret = call(strm, s, flush);
	len -= strm->avail_in;
	strm->next_in = next_in;
	strm->avail_in = avail_in;
	strm->total_in = total_in;
	pass_backlog(s, len);
	return ret;
}

int zwd_soft_run(z_streamp strm, struct zwd_stream *s, int flush)
{
	int is_stepping = flush == Z_BLOCK || flush == Z_TREES, ret;
	const unsigned char *in;
	uInt before;
	size_t len;

	while ((len = backlog(&s->i, &in))) {
		uint64_t at = s->i.soft_at;

		ret = call_on_backlog(strm, s, in, len, is_stepping ? flush : Z_NO_FLUSH);
		if (ret != Z_OK && ret != Z_BUF_ERROR)
			return ret;
		if (s->i.soft_at < at + len || (is_stepping && strm->data_type & (128 | 256)))
			return Z_OK;
	}
	before = strm->avail_in;
	ret = call(strm, s, flush);
	s->i.soft_at += before - strm->avail_in;
	s->i.backlog_end = s->i.soft_at;
	return ret == Z_BUF_ERROR ? Z_OK : ret;
}

int zwd_soft_byte(z_streamp strm, struct zwd_stream *s, unsigned char *byte)
{
	const unsigned char *in;

	if (s->i.body == ZWD_BODY_SOFT && backlog(&s->i, &in)) {
		*byte = *in;
		pass_backlog(s, 1);
		return 1;
	}
	if (!strm->avail_in)
		return 0;
	*byte = *strm->next_in++;
	strm->avail_in--;
	strm->total_in++;
	return 1;
}

int zwd_soft_sync(z_streamp strm, struct zwd_stream *s)
{
	z_stream saved = *strm;
	const unsigned char *in;
	unsigned char none;
	size_t len, passed;
	int ret = Z_OK;

	/* What zlib would have taken to wait for the rest of a code is among its bits by now. */
	do {
		len = backlog(&s->i, &in);
		strm->next_in = (z_const Bytef *)in;
		strm->avail_in = (uInt)len;
		strm->next_out = &none;
		strm->avail_out = 0;
		if (len)
			ZWD_SOFT_CALL(ret, strm, s, inflate(strm, Z_NO_FLUSH));
		passed = len - strm->avail_in;
		pass_backlog(s, passed);
		*strm = saved;
	} while (passed);
	/* Behind the body: of gzip's two words zlib has done with the first. */
	if (ret == Z_STREAM_END && s->i.format == WD_ZIP_GZIP && s->i.backlog_end - s->i.soft_at >= 4)
		pass_backlog(s, 4);
	ret = Z_BUF_ERROR;
	while ((len = backlog(&s->i, &in))) {
		strm->next_in = (z_const Bytef *)in;
		strm->avail_in = (uInt)len;
		ZWD_SOFT_CALL(ret, strm, s, inflateSync(strm));
		pass_backlog(s, len - strm->avail_in);
		strm->next_in = saved.next_in;
		strm->avail_in = saved.avail_in;
		strm->total_in = saved.total_in;
		if (ret != Z_DATA_ERROR)
			return ret;
	}
	/* Behind what was looked through, nothing more is no lack of input. */
	if (ret == Z_DATA_ERROR && !strm->avail_in)
		return ret;
	ZWD_SOFT_CALL(ret, strm, s, inflateSync(strm));
	return ret;
}

int zwd_soft_settle(z_streamp strm, struct zwd_stream *s, struct zwd_place *place)
{
	struct zwd_inflate *i = &s->i;
	unsigned char *window;
	uInt len = 0;
	int ret;

	/* Between two blocks, the last one is not behind it, and no bits were put in by the caller. */
	if ((strm->data_type & ~7) != 128 || !i->soft_at || i->soft_at < i->backlog_end)
		return -EAGAIN;
	ret = zwd_lease_take(s);
	if (ret)
		return ret;
	window = zwd_lease_alloc(s, ZWD_WINDOW_LEN);
	if (!window)
		return -ENOMEM;
	ZWD_SOFT_CALL(ret, strm, s, inflateGetDictionary(strm, window, &len));
	if (ret != Z_OK) {
		zwd_lease_free(s, window);
		return -EAGAIN;
	}
	if (i->is_wrapped)
		i->out_check = i->format == WD_ZIP_DEFLATE ? 0 : (uint32_t)strm->adler;
	*place = (struct zwd_place){
		.window = window,
		.window_len = len,
		.in = i->soft_at,
		.out = i->made,
		.check = i->out_check,
		.bits = strm->data_type & 7,
		.byte = i->last_byte,
	};
	return 0;
}

void zwd_soft_count(struct zwd_stream *s)
{
	zwd_count(ZWD_INFLATE, ZWD_SOFT_IN, s->i.soft_in);
	zwd_count(ZWD_INFLATE, ZWD_SOFT_OUT, s->i.soft_out);
	s->i.soft_in = s->i.soft_out = 0;
}
