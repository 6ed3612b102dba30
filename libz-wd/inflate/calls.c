/* SPDX-License-Identifier: Zlib */
/* Calls of inflate streams that are not answered by the real zlib as they are, where it has a raw stream inside our framing. */
#include "config.h"

#include <wd_zip.h>

#include "inflate/back.h"
#include "inflate/body.h"
#include "inflate/io.h"
#include "stream/shield.h"

int zwd_inflate_set_dictionary(z_streamp strm, struct zwd_stream *s, const Bytef *dict, uInt len)
{
	int ret;

	/* Only a raw stream takes one in its middle. */
	if (zwd_inflate_is_framed(s) && s->i.format != WD_ZIP_DEFLATE)
		return Z_STREAM_ERROR;
	ZWD_SOFT_CALL(ret, strm, s, inflateSetDictionary(strm, dict, len));
	return ret;
}

/*
 * What was read of a trailer's word, wrong or not whole, zlib has yet in its hands, and looks through it first.
 * Z_OK: there the marker was; Z_BUF_ERROR: there is no such thing; or Z_DATA_ERROR.
 */
static int sync_in_trailer(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_inflate *i = &s->i;
	unsigned int len = i->part == ZWD_PART_BAD && i->trailer_len ? 4 : i->trailer_len % 4;
	z_stream saved = *strm;
	int ret;

	if (!len)
		return Z_BUF_ERROR;
	strm->next_in = i->trailer + i->trailer_len - len;
	strm->avail_in = len;
	ZWD_SOFT_CALL(ret, strm, s, inflateSync(strm));
	strm->next_in = saved.next_in;
	strm->avail_in = saved.avail_in;
	strm->total_in = saved.total_in;
	i->trailer_len = 0;
	return ret;
}

int zwd_inflate_sync(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_inflate *i = &s->i;
	int ret, trailer_ret;

	if (!zwd_inflate_is_framed(s)) {
		ZWD_SOFT_CALL(ret, strm, s, inflateSync(strm));
		i->is_odd |= ret == Z_OK;
		return ret;
	}
	/* It searches the caller's input, in which bytes are shown that the stream has had. */
	zwd_io_take_held(strm, s);
	ret = trailer_ret = sync_in_trailer(strm, s);
	if (ret != Z_OK)
		ret = zwd_soft_sync(strm, s);
	if (ret == Z_BUF_ERROR)
		ret = trailer_ret;
	if (ret == Z_BUF_ERROR)
		return ret;
	zwd_io_cut(s, 0);
	i->part = ZWD_PART_BODY;
	if (ret != Z_OK)
		return ret;
	/* After a gap there is nothing to check; zlib begins anew and reads over the trailer. */
	i->is_unchecked = i->is_odd = 1;
	/* By what the stream was opened for, as at a reset. */
	if (i->format != WD_ZIP_DEFLATE)
		strm->adler = ((i->window_bits >> 4) + 5) & 1;
	return ret;
}

int zwd_inflate_validate(z_streamp strm, struct zwd_stream *s, int check)
{
	int ret;

	s->i.is_odd |= !check;
	if (zwd_inflate_is_framed(s)) {
		s->i.is_unchecked = !check;
		return Z_OK;
	}
	ZWD_SOFT_CALL(ret, strm, s, inflateValidate(strm, check));
	return ret;
}

int zwd_inflate_unframe(z_streamp strm, struct zwd_stream *s)
{
	int ret;

	ZWD_SOFT_CALL(ret, strm, s, inflateReset2(strm, s->i.window_bits));
	if (ret == Z_OK && s->i.is_unchecked)
		ZWD_SOFT_CALL(ret, strm, s, inflateValidate(strm, 0));
	return ret;
}

/* A stream of its own format whose window is the one given, and that is to begin anew: as a reset that keeps it does. */
static int begin_with_window(z_streamp strm, struct zwd_stream *s, const unsigned char *window, uInt len)
{
	static const unsigned char zlib[] = { 0x78, 0x01 },
				   gzip[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
	const unsigned char stored[] = { 0, (unsigned char)len, (unsigned char)(len >> 8),
					 (unsigned char)~len, (unsigned char)(~len >> 8) };
	const struct {
		const unsigned char *in;
		uInt len;
	} parts[] = {
		{ s->i.format == WD_ZIP_GZIP ? gzip : zlib,
		  s->i.format == WD_ZIP_GZIP ? sizeof(gzip) : sizeof(zlib) },
		{ stored, sizeof(stored) },
		{ window, len },
	};
	unsigned char *out = zwd_pages(ZWD_WINDOW_LEN);
	int ret = out ? Z_OK : Z_MEM_ERROR;

	if (ret == Z_OK)
		ret = zwd_inflate_unframe(strm, s);
	strm->next_out = out;
	strm->avail_out = ZWD_WINDOW_LEN;
	for (int part = 0; part < 3 && ret == Z_OK; part++) {
		strm->next_in = (z_const Bytef *)parts[part].in;
		strm->avail_in = parts[part].len;
		if (strm->avail_in)
			ZWD_SOFT_CALL(ret, strm, s, inflate(strm, Z_SYNC_FLUSH));
	}
	zwd_unpages(out, ZWD_WINDOW_LEN);
	return ret;
}

int zwd_inflate_reset_keep(z_streamp strm, struct zwd_stream *s)
{
	unsigned char *window;
	z_stream saved;
	uInt len = 0;
	int ret = Z_OK;

	zwd_io_take_held(strm, s);
	if (zwd_inflate_is_framed(s) && s->i.format != WD_ZIP_DEFLATE) {
		window = zwd_pages(ZWD_WINDOW_LEN);
		saved = *strm;
		ret = window ? Z_OK : Z_MEM_ERROR;
		if (ret == Z_OK)
			ZWD_SOFT_CALL(ret, strm, s, inflateGetDictionary(strm, window, &len));
		if (ret == Z_OK)
			ret = begin_with_window(strm, s, window, len);
		zwd_unpages(window, ZWD_WINDOW_LEN);
		*strm = saved;
	}
	if (ret != Z_OK)
		return ret;
	zwd_inflate_restart(strm, s, s->i.window_bits);
	s->mode = ZWD_MODE_SOFT;
	ZWD_SOFT_CALL(ret, strm, s, inflateResetKeep(strm));
	return ret;
}

/* A stream of the real zlib beside this one makes again what was delivered. */
int zwd_inflate_get_dictionary(z_streamp strm, struct zwd_stream *s, Bytef *dict, uInt *len)
{
	z_stream copy = { .zalloc = strm->zalloc, .zfree = strm->zfree, .opaque = strm->opaque };
	uint64_t at;
	size_t waiting;
	int ret;

	if (s->i.body == ZWD_BODY_SOFT) {
		ZWD_SOFT_CALL(ret, strm, s, inflateGetDictionary(strm, dict, len));
		return ret;
	}
	ret = zwd_back_go(&copy, strm, s, &at, &waiting);
	if (ret == Z_OK)
		ret = waiting ? Z_STREAM_ERROR :
				zwd_soft_zlib.inflateGetDictionary(&copy, dict, len);
	if (copy.state)
		zwd_soft_zlib.inflateEnd(&copy);
	return ret == Z_DATA_ERROR ? Z_STREAM_ERROR : ret;
}
