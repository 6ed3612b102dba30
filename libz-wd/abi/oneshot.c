/* SPDX-License-Identifier: Zlib */
/*
 * compress() and uncompress(): one stream in one call, on the stream functions. What they say of
 * wrong arguments and of data that ends early or does not fit is what the zlib underneath says:
 * version 1.3.2 has other rules than those before it. The functions in _z came with that version.
 */
#include "config.h"

#include <limits.h>
#include <string.h>

#include "stream/trace_way.h"
#include "stream/zstream.h"

_Static_assert(sizeof(uLong) == sizeof(z_size_t), "lengths of both kinds are the same");

uLong ZEXPORT compressBound(uLong len)
{
	ZWD_TRACED(compressBound, (len));
	return zwd_soft()->compressBound(len);
}

z_size_t ZEXPORT compressBound_z(z_size_t len)
{
	ZWD_TRACED(compressBound_z, (len));
	z_size_t bound;

	/* Its compressBound() asks for this one, through the dynamic linker. */
	if (zwd_soft_zlib_has(zwd_soft()->compressBound_z))
		return zwd_soft()->compressBound_z(len);
	bound = compressBound(len);
	return bound < len ? (z_size_t)-1 : bound;
}

static bool has_new_rules(void)
{
	return zwd_soft_zlib_has(zwd_soft()->uncompress2_z);
}

/* z_stream counts in uInt: hands it out of *left as much as fits. */
static uInt portion(uLong *left)
{
	uInt len = *left > UINT_MAX ? UINT_MAX : (uInt)*left;

	*left -= len;
	return len;
}

static bool is_nowhere(const Bytef *mem, uLong len)
{
	return len && !mem;
}

static int compress_all(Bytef *dest, uLong *dest_len, const Bytef *source, uLong source_len,
			int level)
{
	uLong room = *dest_len;
	z_stream strm = { .next_in = (z_const Bytef *)source, .next_out = dest };
	int ret;

	*dest_len = 0;
	ret = deflateInit(&strm, level);
	if (ret != Z_OK)
		return ret;
	do {
		if (!strm.avail_out)
			strm.avail_out = portion(&room);
		if (!strm.avail_in)
			strm.avail_in = portion(&source_len);
		ret = deflate(&strm, source_len ? Z_NO_FLUSH : Z_FINISH);
	} while (ret == Z_OK);
	*dest_len = strm.total_out;
	deflateEnd(&strm);
	return ret == Z_STREAM_END ? Z_OK : ret;
}

int ZEXPORT compress2_z(Bytef *dest, z_size_t *dest_len, const Bytef *source, z_size_t source_len,
			int level)
{
	ZWD_TRACED_FIRST(compress2_z, (dest, dest_len, source, source_len, level));
	if (!dest_len || is_nowhere(source, source_len) || is_nowhere(dest, *dest_len))
		return Z_STREAM_ERROR;
	return compress_all(dest, dest_len, source, source_len, level);
}

int ZEXPORT compress2(Bytef *dest, uLongf *dest_len, const Bytef *source, uLong source_len, int level)
{
	ZWD_TRACED_FIRST(compress2, (dest, dest_len, source, source_len, level));
	if (has_new_rules())
		return compress2_z(dest, dest_len, source, source_len, level);
	return compress_all(dest, dest_len, source, source_len, level);
}

int ZEXPORT compress_z(Bytef *dest, z_size_t *dest_len, const Bytef *source, z_size_t source_len)
{
	ZWD_TRACED_FIRST(compress_z, (dest, dest_len, source, source_len));
	return compress2_z(dest, dest_len, source, source_len, Z_DEFAULT_COMPRESSION);
}

int ZEXPORT compress(Bytef *dest, uLongf *dest_len, const Bytef *source, uLong source_len)
{
	ZWD_TRACED_FIRST(compress, (dest, dest_len, source, source_len));
	return compress2(dest, dest_len, source, source_len, Z_DEFAULT_COMPRESSION);
}

/* What of one stream was not used, of both buffers. */
struct rest {
	uLong in, out, made;
	bool is_device; /* the real zlib was not asked */
};

/*
 * inflate()'s last word, or of init, by ours or by the real zlib on its own; rest holds what there is on
 * entry and what is left on return.
 */
static int inflate_all(bool is_real, Bytef *dest, const Bytef *source, struct rest *rest)
{
	z_stream strm = { .next_in = (z_const Bytef *)source, .next_out = dest };
	const struct zwd_stream *s;
	int ret = is_real ? zwd_soft()->inflateInit2_(&strm, MAX_WBITS, ZLIB_VERSION,
						      (int)sizeof(strm)) :
			    inflateInit2_(&strm, MAX_WBITS, ZLIB_VERSION, (int)sizeof(strm));

	if (ret != Z_OK) {
		rest->in = rest->out = 0; /* their lengths stay as they were */
		return ret;
	}
	do {
		if (!strm.avail_out)
			strm.avail_out = portion(&rest->out);
		if (!strm.avail_in)
			strm.avail_in = portion(&rest->in);
		ret = is_real ? zwd_soft()->inflate(&strm, Z_NO_FLUSH) :
				inflate(&strm, Z_NO_FLUSH);
	} while (ret == Z_OK);
	rest->in += strm.avail_in;
	rest->out += strm.avail_out;
	rest->made = strm.total_out;
	s = zwd_stream_of(&strm, ZWD_MAGIC_INFLATE);
	rest->is_device = s && s->mode != ZWD_MODE_SOFT;
	if (is_real)
		zwd_soft()->inflateEnd(&strm);
	else
		inflateEnd(&strm);
	return ret;
}

/* Of a failure only the real zlib knows to the byte where it is. Everything is at hand: it is asked. */
static int inflate_once(Bytef *dest, const Bytef *source, struct rest *rest)
{
	struct rest before = *rest;
	int ret = inflate_all(false, dest, source, rest);

	if (ret == Z_STREAM_END || !rest->is_device || !zwd_soft_zlib_has(zwd_soft()->inflateInit2_))
		return ret;
	*rest = before;
	return inflate_all(true, dest, source, rest);
}

int ZEXPORT uncompress2_z(Bytef *dest, z_size_t *dest_len, const Bytef *source, z_size_t *source_len)
{
	ZWD_TRACED_FIRST(uncompress2_z, (dest, dest_len, source, source_len));
	Byte nowhere[1]; /* next_out cannot be NULL */
	struct rest rest = { 0 };
	int ret;

	if (!source_len || !dest_len || is_nowhere(source, *source_len) ||
	    is_nowhere(dest, *dest_len))
		return Z_STREAM_ERROR;
	rest.in = *source_len;
	rest.out = *dest_len;
	ret = inflate_once(dest ? dest : nowhere, source, &rest);
	*source_len -= rest.in;
	*dest_len -= rest.out;
	if (ret == Z_STREAM_END)
		return Z_OK;
	return ret == Z_NEED_DICT || (ret == Z_BUF_ERROR && !rest.in) ? Z_DATA_ERROR : ret;
}

/* Up to version 1.3.1. */
static int uncompress_by_old_rules(Bytef *dest, uLong *dest_len, const Bytef *source,
				   uLong *source_len)
{
	Byte spare[1]; /* where there is no room at all, to tell an incomplete stream from an empty one */
	bool is_empty = !*dest_len;
	struct rest rest = { .in = *source_len, .out = is_empty ? 1 : *dest_len };
	int ret;

	if (is_empty)
		dest = spare;
	else
		*dest_len = 0;
	ret = inflate_once(dest, source, &rest);
	*source_len -= rest.in;
	if (!is_empty)
		*dest_len = rest.made;
	if (ret == Z_STREAM_END)
		return Z_OK;
	if (ret == Z_NEED_DICT ||
	    (ret == Z_BUF_ERROR && (rest.out || (is_empty && rest.made))))
		return Z_DATA_ERROR;
	return ret;
}

int ZEXPORT uncompress2(Bytef *dest, uLongf *dest_len, const Bytef *source, uLong *source_len)
{
	ZWD_TRACED_FIRST(uncompress2, (dest, dest_len, source, source_len));
	if (has_new_rules())
		return uncompress2_z(dest, dest_len, source, source_len);
	return uncompress_by_old_rules(dest, dest_len, source, source_len);
}

int ZEXPORT uncompress_z(Bytef *dest, z_size_t *dest_len, const Bytef *source, z_size_t source_len)
{
	ZWD_TRACED_FIRST(uncompress_z, (dest, dest_len, source, source_len));
	return uncompress2_z(dest, dest_len, source, &source_len);
}

int ZEXPORT uncompress(Bytef *dest, uLongf *dest_len, const Bytef *source, uLong source_len)
{
	ZWD_TRACED_FIRST(uncompress, (dest, dest_len, source, source_len));
	return uncompress2(dest, dest_len, source, &source_len);
}
