/* SPDX-License-Identifier: Zlib */
/* Languages: rooms of 512 bytes to 64 KiB that have nothing to do with the data, and copies of a
 * stream. */
#include "config.h"
#include "soak.h"

static const int wbits[] = { 15, 31, -15, 15 };

/* Goes on with one of the two, and ends the other in the middle of its stream. */
static int go_on_with_copy(struct soak *s, z_stream strms[2], z_stream **strm)
{
	z_stream *copy = *strm == &strms[0] ? &strms[1] : &strms[0], *other;
	int ret = ours.deflateCopy(copy, *strm);

	if (ret)
		return soak_failed(s, "deflateCopy", ret);
	other = *strm;
	if (soak_below(s, 2)) {
		other = copy;
		copy = *strm;
	}
	*strm = copy;
	ret = ours.deflateEnd(other);
	return ret && ret != Z_DATA_ERROR ? soak_failed(s, "deflateEnd of a copy", ret) : 0;
}

/* decompressobj: no more than max_length at once, and what is behind the stream is the caller's. */
static int decompress(struct soak *s, int w, const unsigned char *plain, size_t len)
{
	size_t max_length = 1 + soak_length(s, 16), pos = 0, tail_len = soak_below(s, 20);
	size_t end = s->packed.len, step = 1 + soak_length(s, 18);
	z_stream strm = { 0 };
	int ret;

	buf_add(&s->packed, plain, tail_len < len ? tail_len : len);
	if (soak_open_inflate(s, &strm, w))
		return -1;
	s->back.len = 0;
	do {
		size_t nr = step < s->packed.len - pos ? step : s->packed.len - pos;

		strm.next_in = s->packed.data + pos;
		strm.avail_in = (uInt)nr;
		strm.next_out = buf_room(&s->back, max_length);
		strm.avail_out = (uInt)max_length;
		ret = soak_inflate(s, &strm, Z_SYNC_FLUSH);
		s->back.len += max_length - strm.avail_out;
		pos += nr - strm.avail_in;
		max_length += max_length < (1 << 18) ? max_length / 4 + 1 : 0;
	} while (ret == Z_OK || (ret == Z_BUF_ERROR && pos < s->packed.len));
	if (ret != Z_STREAM_END)
		return soak_failed(s, "inflate", ret);
	if (pos != end)
		return soak_failed(s, "unused_data", (long long)pos);
	ret = ours.inflateEnd(&strm);
	return ret ? soak_failed(s, "inflateEnd", ret)
		   : soak_is(s, "inflated bytes", &s->back, plain, len);
}

/* compressobj: a room that is another one in each call; copy(). */
int soak_python(struct soak *s)
{
	size_t len = soak_length(s, 19), pos = 0;
	const unsigned char *plain = soak_text(s, len);
	int w = wbits[soak_below(s, 4)], level = (int)soak_below(s, 11) - 1, ret = 0;
	z_stream strms[2] = { 0 }, *strm = &strms[0];

	soak_does(s, "compressobj of %zu bytes, window bits %d, level %d", len, w, level);
	if (soak_open_deflate(s, strm, level, w, 8, Z_DEFAULT_STRATEGY))
		return -1;
	while (!ret && len - pos > 100000) {
		size_t nr = 1 + soak_below(s, 100000);

		ret = soak_feed(s, strm, plain + pos, nr,
				soak_below(s, 8) ? Z_NO_FLUSH : Z_SYNC_FLUSH,
				16384u << soak_below(s, 4), &s->packed);
		pos += nr;
		if (!ret && !soak_below(s, 8))
			ret = go_on_with_copy(s, strms, &strm);
	}
	if (!ret)
		ret = soak_feed(s, strm, plain + pos, len - pos, Z_FINISH, 16384, &s->packed);
	if (ret != Z_STREAM_END)
		return soak_failed(s, "deflate", ret);
	ret = ours.deflateEnd(strm);
	if (ret)
		return soak_failed(s, "deflateEnd", ret);
	s->tally->bytes += len;
	if (soak_unpacks(s, w, s->packed.data, s->packed.len, plain, len))
		return -1;
	return decompress(s, w, plain, len);
}

/* DeflaterOutputStream with its room of 512 bytes, setLevel() and setStrategy();
 * InflaterInputStream. */
int soak_java(struct soak *s)
{
	size_t len = soak_length(s, 18), pos = 0, room = 512u << soak_below(s, 8), rest;
	const unsigned char *plain = soak_text(s, len);
	int w = soak_below(s, 2) ? 15 : -15, ret = 0;
	z_stream strm = { 0 };

	soak_does(s, "Deflater of %zu bytes, window bits %d, room %zu", len, w, room);
	if (soak_open_deflate(s, &strm, Z_DEFAULT_COMPRESSION, w, 8, Z_DEFAULT_STRATEGY))
		return -1;
	while (!ret && len - pos > 8192) {
		if (!soak_below(s, 20)) {
			strm.next_in = (z_const Bytef *)plain + pos;
			strm.avail_in = 0;
			do { /* with the room that there is, as setParams is */
				strm.next_out = buf_room(&s->packed, room);
				strm.avail_out = (uInt)room;
				ret = ours.deflateParams(&strm, (int)soak_below(s, 10),
							 (int)soak_below(s, 3));
				s->packed.len += room - strm.avail_out;
			} while (ret == Z_BUF_ERROR && !strm.avail_out);
			ret = ret == Z_BUF_ERROR ? Z_OK : ret;
		}
		if (!ret)
			ret = soak_feed(s, &strm, plain + pos, 8192,
					soak_below(s, 20) ? Z_NO_FLUSH : Z_SYNC_FLUSH, room,
					&s->packed);
		pos += 8192;
	}
	if (!ret)
		ret = soak_feed(s, &strm, plain + pos, len - pos, Z_FINISH, room, &s->packed);
	if (ret != Z_STREAM_END)
		return soak_failed(s, "deflate", ret);
	if ((ret = ours.deflateEnd(&strm)) != Z_OK)
		return soak_failed(s, "deflateEnd", ret);
	s->tally->bytes += len;
	if (soak_unpacks(s, w, s->packed.data, s->packed.len, plain, len) ||
	    soak_open_inflate(s, &strm, w))
		return -1;
	for (pos = 0; ret == Z_OK && pos < s->packed.len; pos += 512) {
		size_t nr = s->packed.len - pos < 512 ? s->packed.len - pos : 512;

		ret = soak_take(s, &strm, s->packed.data + pos, nr, Z_PARTIAL_FLUSH, room, &s->back,
				&rest);
	}
	if (ret != Z_STREAM_END || rest)
		return soak_failed(s, "inflate", ret);
	ret = ours.inflateEnd(&strm);
	return ret ? soak_failed(s, "inflateEnd", ret)
		   : soak_is(s, "inflated bytes", &s->back, plain, len);
}

/* zlib.createGzip(): rooms of 16 KiB, write() and flush(), reset() for the next; sync functions. */
int soak_node(struct soak *s)
{
	int w = wbits[soak_below(s, 4)], ret = Z_OK, times = 1 + (int)soak_below(s, 3);
	int flush = soak_below(s, 2) ? Z_FULL_FLUSH : Z_SYNC_FLUSH;
	z_stream strm = { 0 }, back = { 0 };

	if (soak_open_deflate(s, &strm, Z_DEFAULT_COMPRESSION, w, 8 + (int)soak_below(s, 2),
			      Z_DEFAULT_STRATEGY) ||
	    soak_open_inflate(s, &back, w))
		return -1;
	for (; times && !ret; times--) {
		size_t len = soak_length(s, 18), pos = 0, nr, rest;
		const unsigned char *plain = soak_text(s, len);

		soak_does(s, "Gzip of %zu bytes, window bits %d, flush %d", len, w, flush);
		s->packed.len = s->back.len = 0;
		do {
			int is_last;

			nr = 1 + soak_length(s, 16);
			is_last = nr >= len - pos;
			nr = is_last ? len - pos : nr;
			ret = soak_feed(s, &strm, plain + pos, nr,
					is_last		   ? Z_FINISH
					: soak_below(s, 3) ? Z_NO_FLUSH
							   : flush,
					16384, &s->packed);
			pos += nr;
		} while (ret == Z_OK);
		if (ret != Z_STREAM_END)
			return soak_failed(s, "deflate", ret);
		s->tally->bytes += len;
		if (soak_unpacks(s, w, s->packed.data, s->packed.len, plain, len))
			return -1;
		ret = soak_take(s, &back, s->packed.data, s->packed.len, Z_SYNC_FLUSH, 16384,
				&s->back, &rest);
		if (ret != Z_STREAM_END || rest)
			return soak_failed(s, "inflate", ret);
		if (soak_is(s, "inflated bytes", &s->back, plain, len))
			return -1;
		ret = ours.deflateReset(&strm) | ours.inflateReset(&back);
	}
	if (!ret)
		ret = ours.deflateEnd(&strm) | ours.inflateEnd(&back);
	return ret ? soak_failed(s, "reset or end", ret) : 0;
}
