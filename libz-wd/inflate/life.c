/* SPDX-License-Identifier: Zlib */
/* The life of an inflate stream: it is opened, reset, copied and ended. */
#include "config.h"

#include <string.h>

#include "engine/lease.h"
#include "engine/policy.h"
#include "inflate/body.h"
#include "inflate/io.h"
#include "inflate/keep.h"
#include "inflate/life.h"

static void count_stream(z_streamp strm, struct zwd_stream *s)
{
	int is_soft = s->mode == ZWD_MODE_SOFT || s->i.body == ZWD_BODY_SOFT;

	if (s->mode == ZWD_MODE_NEW || !is_soft || (!strm->total_in && !strm->total_out))
		return;
	zwd_count(ZWD_INFLATE, ZWD_SOFT_STREAMS, 1);
	if (s->mode != ZWD_MODE_SOFT) {
		zwd_soft_count(s);
		return;
	}
	zwd_count(ZWD_INFLATE, ZWD_SOFT_IN, strm->total_in);
	zwd_count(ZWD_INFLATE, ZWD_SOFT_OUT, strm->total_out);
}

void zwd_life_drop(struct zwd_stream *s)
{
	zwd_serial_drop(s);
	zwd_io_drop(s);
	zwd_keep_drop(s);
	zwd_lease_give(s);
}

void zwd_inflate_restart(z_streamp strm, struct zwd_stream *s, int window_bits)
{
	struct zwd_inflate *i = &s->i;
	unsigned char is_odd = i->is_odd;

	count_stream(strm, s);
	zwd_life_drop(s);
	memset(i, 0, sizeof(*i));
	i->window_bits = window_bits;
	i->is_candidate = zwd_policy_inflate_candidate(window_bits);
	i->is_odd = is_odd;
	s->mode = (i->is_candidate && !is_odd) || !s->soft ? ZWD_MODE_NEW : ZWD_MODE_SOFT;
}

void zwd_inflate_clear(z_streamp strm, int window_bits)
{
	strm->total_in = strm->total_out = 0;
	strm->msg = NULL;
	if (window_bits >= 0)
		strm->adler = ((window_bits >> 4) + 5) & 1; /* 0: gzip */
}

int zwd_inflate_is_usual(int window_bits)
{
	switch (window_bits) {
	case -15:
	case 0:
	case 15:
	case 31:
	case 32:
	case 47:
		return 1;
	}
	return 0;
}

int zwd_inflate_open(z_streamp strm, struct zwd_stream *s)
{
	z_stream saved = *strm;
	int ret;

	if (s->soft)
		return Z_OK;
	strm->state = NULL;
	ret = zwd_soft_zlib.inflateInit2_(strm, s->i.window_bits, ZLIB_VERSION, sizeof(*strm));
	s->soft = strm->state;
	saved.msg = strm->msg;
	*strm = saved;
	return ret;
}

int zwd_life_close_soft(z_streamp strm, struct zwd_stream *s)
{
	int ret;

	if (!s->soft)
		return Z_OK;
	ZWD_SOFT_CALL(ret, strm, s, inflateEnd(strm));
	s->soft = NULL;
	return ret;
}

int zwd_inflate_init(z_streamp strm, int window_bits, const char *version, int stream_size)
{
	struct zwd_stream *s;
	int ret;

	if (!strm || !version || version[0] != ZLIB_VERSION[0] || stream_size != sizeof(*strm))
		return zwd_soft()->inflateInit2_(strm, window_bits, version, stream_size);
	zwd_soft();
	s = zwd_stream_new(strm, ZWD_MAGIC_INFLATE);
	if (!s) {
		strm->state = NULL;
		return Z_MEM_ERROR;
	}
	s->i.window_bits = window_bits;
	strm->state = (struct internal_state *)s;
	zwd_inflate_clear(strm, window_bits);
	ret = s->is_custom || !zwd_inflate_is_usual(window_bits) ? zwd_inflate_open(strm, s) : Z_OK;
	if (ret != Z_OK) {
		zwd_stream_free(strm, s);
		return ret;
	}
	zwd_inflate_restart(strm, s, window_bits);
	zwd_probe(stream_begin, ZWD_INFLATE, strm, window_bits, 0);
	return Z_OK;
}

int zwd_inflate_end(z_streamp strm, struct zwd_stream *s)
{
	int ret;

	if (!strm->zalloc || !strm->zfree)
		return Z_STREAM_ERROR;
	count_stream(strm, s);
	zwd_life_drop(s);
	ret = zwd_life_close_soft(strm, s);
	zwd_stream_free(strm, s);
	return ret;
}

int zwd_inflate_copy(z_streamp dest, z_streamp source, struct zwd_stream *s)
{
	const struct zwd_inflate *i = &s->i;
	struct zwd_stream *to;
	z_stream copy = *source;
	int is_short, ret = Z_OK;

	to = zwd_stream_new(&copy, ZWD_MAGIC_INFLATE);
	if (!to)
		return Z_MEM_ERROR;
	if (s->soft) {
		source->state = s->soft;
		ret = zwd_soft_zlib.inflateCopy(dest, source);
		source->state = (struct internal_state *)s;
		if (ret != Z_OK) {
			zwd_stream_free(&copy, to);
			return ret;
		}
		to->soft = dest->state;
	} else {
		*dest = copy;
	}
	to->strm = dest;
	to->mode = s->mode;
	to->i = *i;
	/* What each of the two has of its own; all of it is cleared before any of it can fail. */
	to->i.ctx = to->i.pend = NULL;
	to->i.pend_off = to->i.pend_len = 0;
	to->i.ahead = NULL;
	to->i.shadow = NULL;
	to->i.lease = NULL;
	to->i.lease_id = 0;
	dest->state = (struct internal_state *)to;
	is_short = i->lease && zwd_lease_take_copy(to, (size_t)(i->keep.to - i->keep.from));
	if (zwd_keep_copy(to, s) || zwd_io_copy(to, s) || zwd_serial_copy(to, s) || is_short) {
		zwd_inflate_end(dest, to);
		return Z_MEM_ERROR;
	}
	return Z_OK;
}
