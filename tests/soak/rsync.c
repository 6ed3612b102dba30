/* SPDX-License-Identifier: Zlib */
/*
 * rsync: a raw stream with a flush after each run of literal bytes, whose last four bytes do not
 * travel. What the other side has is compressed for the window's sake and not sent: there it is fed
 * as stored blocks.
 */
#include "config.h"
#include "soak.h"

enum { ROOM = 16383, RUN_MAX = 65535, TAIL_LEN = 4 };

static int send_literal(struct soak *s, z_stream *strm, const unsigned char *run, size_t len)
{
	size_t half = soak_below(s, (unsigned int)len + 1);
	int ret;

	s->packed.len = 0;
	ret = soak_feed(s, strm, run, half, Z_NO_FLUSH, ROOM, &s->packed);
	if (!ret)
		ret = soak_feed(s, strm, run + half, len - half, Z_SYNC_FLUSH, ROOM, &s->packed);
	if (ret)
		return soak_failed(s, "deflate", ret);
	if (s->packed.len < TAIL_LEN ||
	    memcmp(s->packed.data + s->packed.len - TAIL_LEN, "\0\0\377\377", TAIL_LEN))
		return soak_failed(s, "the end of a flush", (long long)s->packed.len);
	s->packed.len -= TAIL_LEN;
	return 0;
}

static int receive_literal(struct soak *s, const struct zlib_api *z, z_stream *strm)
{
	size_t step = 1 + soak_length(s, 14);
	unsigned char *at = s->packed.data;
	int ret;

	buf_add(&s->packed, "\0\0\377\377", TAIL_LEN);
	for (size_t left = s->packed.len - TAIL_LEN, nr; left; left -= nr, at += nr) {
		nr = step < left ? step : left;
		strm->next_in = at;
		strm->avail_in = (uInt)nr;
		do {
			strm->next_out = buf_room(&s->back, ROOM);
			strm->avail_out = ROOM;
			ret = z == &ours ? soak_inflate(s, strm, Z_NO_FLUSH)
					 : ref.inflate(strm, Z_NO_FLUSH);
			s->back.len += ROOM - strm->avail_out;
		} while (ret == Z_OK && (strm->avail_in || !strm->avail_out));
		if (ret && ret != Z_BUF_ERROR)
			return soak_failed(s, "inflate", ret);
	}
	strm->next_in = at;
	strm->avail_in = TAIL_LEN;
	strm->next_out = buf_room(&s->back, ROOM);
	strm->avail_out = ROOM;
	ret = z->inflate(strm, Z_SYNC_FLUSH);
	s->back.len += ROOM - strm->avail_out;
	return ret || strm->avail_in ? soak_failed(s, "inflate of the flush's end", ret) : 0;
}

/* Both sides see a run that one of them does not need. */
static int see_match(struct soak *s, z_stream *strm, const struct zlib_api *z, z_stream *back,
		     const unsigned char *run, size_t len)
{
	const unsigned char header[] = { 0, (unsigned char)len, (unsigned char)(len >> 8),
					 (unsigned char)~len, (unsigned char)(~len >> 8) };
	const unsigned char *parts[] = { header, run };
	const size_t lens[] = { sizeof(header), len };
	int ret;

	s->packed.len = 0;
	ret = soak_feed(s, strm, run, len, Z_SYNC_FLUSH, ROOM, &s->packed);
	if (ret)
		return soak_failed(s, "deflate of a match", ret);
	for (int i = 0; i < 2; i++) {
		back->next_in = (z_const Bytef *)parts[i];
		back->avail_in = (uInt)lens[i];
		do {
			back->next_out = buf_room(&s->back, ROOM);
			back->avail_out = ROOM;
			ret = z == &ours ? soak_inflate(s, back, Z_SYNC_FLUSH)
					 : ref.inflate(back, Z_SYNC_FLUSH);
			s->back.len += ROOM - back->avail_out;
		} while (ret == Z_OK && (back->avail_in || !back->avail_out));
		if (ret && (ret != Z_BUF_ERROR || back->avail_in))
			return soak_failed(s, "inflate of a match", ret);
	}
	return 0;
}

int soak_rsync(struct soak *s)
{
	size_t len = 1 + soak_length(s, 18), pos = 0;
	const unsigned char *plain = soak_text(s, len);
	const struct zlib_api *z = soak_below(s, 3) ? &ours : &ref;
	z_stream strm = { 0 }, back = { 0 };
	unsigned int matches = soak_below(s, 4);
	/* What a device that lies holds back of a stored block comes with the flush behind it. */
	int is_late = strstr(getenv("WD_DEVICE"), "lie") != NULL, ret = 0;

	soak_does(s, "a file of %zu bytes, read by %s", len, z == &ours ? "us" : "zlib");
	if (soak_open_deflate(s, &strm, Z_DEFAULT_COMPRESSION, -15, 8, Z_DEFAULT_STRATEGY) ||
	    z->inflateInit2_(&back, -15, ZLIB_VERSION, (int)sizeof(back)))
		return -1;
	while (!ret && pos < len) {
		size_t nr = 1 + soak_length(s, 15);
		int is_match;

		nr = nr < RUN_MAX ? nr : RUN_MAX;
		nr = nr < len - pos ? nr : len - pos;
		is_match = soak_below(s, 4) < matches;
		if (is_match) {
			ret = see_match(s, &strm, z, &back, plain + pos, nr);
		} else {
			ret = send_literal(s, &strm, plain + pos, nr);
			if (!ret)
				ret = receive_literal(s, z, &back);
		}
		pos += nr;
		if (!ret && s->back.len != pos && !(is_match && is_late))
			ret = soak_failed(s, "bytes so far", (long long)s->back.len);
	}
	s->tally->bytes += len;
	if (!ret)
		ret = soak_is(s, "the file", &s->back, plain,
			      is_late && s->back.len < len ? s->back.len : len);
	ours.deflateEnd(&strm); /* no one finishes such a stream */
	z->inflateEnd(&back);
	return ret;
}
