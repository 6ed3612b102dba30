/* SPDX-License-Identifier: Zlib */
/* compress() and uncompress(): one stream in one call, on the stream functions. */
#include "config.h"

#include <limits.h>
#include <string.h>

#include "zstream.h"

uLong ZEXPORT compressBound(uLong len)
{
	return zwd_soft()->compressBound(len);
}

/* z_stream counts in uInt: hands it out of *left as much as fits. */
static uInt portion(uLong *left)
{
	uInt len = *left > UINT_MAX ? UINT_MAX : (uInt)*left;

	*left -= len;
	return len;
}

int ZEXPORT compress2(Bytef *dest, uLongf *dest_len, const Bytef *source, uLong source_len, int level)
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

int ZEXPORT compress(Bytef *dest, uLongf *dest_len, const Bytef *source, uLong source_len)
{
	return compress2(dest, dest_len, source, source_len, Z_DEFAULT_COMPRESSION);
}

int ZEXPORT uncompress2(Bytef *dest, uLongf *dest_len, const Bytef *source, uLong *source_len)
{
	uLong len = *source_len, room = *dest_len;
	Byte spare[1]; /* where there is no room at all, to tell an incomplete stream from an empty one */
	int is_empty = !room, ret;
	z_stream strm = { .next_in = (z_const Bytef *)source, .next_out = dest };

	if (is_empty) {
		room = 1;
		strm.next_out = spare;
	} else {
		*dest_len = 0;
	}
	ret = inflateInit(&strm);
	if (ret != Z_OK)
		return ret;
	do {
		if (!strm.avail_out)
			strm.avail_out = portion(&room);
		if (!strm.avail_in)
			strm.avail_in = portion(&len);
		ret = inflate(&strm, Z_NO_FLUSH);
	} while (ret == Z_OK);
	*source_len -= len + strm.avail_in;
	if (!is_empty)
		*dest_len = strm.total_out;
	else if (strm.total_out && ret == Z_BUF_ERROR)
		room = 1;
	inflateEnd(&strm);
	if (ret == Z_STREAM_END)
		return Z_OK;
	if (ret == Z_NEED_DICT || (ret == Z_BUF_ERROR && room + strm.avail_out))
		return Z_DATA_ERROR;
	return ret;
}

int ZEXPORT uncompress(Bytef *dest, uLongf *dest_len, const Bytef *source, uLong source_len)
{
	return uncompress2(dest, dest_len, source, &source_len);
}
