/* SPDX-License-Identifier: Zlib */
/*
 * git: many small objects. Loose ones through a small room, after a header of their own; those of a
 * pack in one call with deflateBound()'s room, and read from the middle of the pack, whose rest is
 * all input.
 */
#include "config.h"
#include "soak.h"

enum { OBJECTS_MAX = 48, LOOSE_ROOM = 4096, PEEK_ROOM = 32 };

struct object {
	const unsigned char *plain;
	size_t len, at, packed_len;
};

static int write_loose(struct soak *s, const struct object *o)
{
	struct buf file = { 0 }, back = { 0 };
	z_stream strm = { 0 };
	char header[32];
	size_t header_len = (size_t)snprintf(header, sizeof(header), "blob %zu", o->len) + 1, rest;
	int ret;

	if (soak_open_deflate(s, &strm, 1, 15, 8, Z_DEFAULT_STRATEGY))
		return -1;
	ret = soak_feed(s, &strm, header, header_len, Z_NO_FLUSH, LOOSE_ROOM, &file);
	if (!ret)
		ret = soak_feed(s, &strm, o->plain, o->len, Z_FINISH, LOOSE_ROOM, &file);
	if (ret != Z_STREAM_END)
		ret = soak_failed(s, "deflate of a loose object", ret);
	else
		ret = ours.deflateEnd(&strm);
	/* Its header is read first, through a room that ends somewhere in the object. */
	if (!ret && soak_open_inflate(s, &strm, 15))
		ret = -1;
	if (!ret) {
		strm.next_in = file.data;
		strm.avail_in = (uInt)file.len;
		strm.next_out = buf_room(&back, PEEK_ROOM);
		strm.avail_out = PEEK_ROOM;
		ret = soak_inflate(s, &strm, Z_NO_FLUSH);
		back.len = PEEK_ROOM - strm.avail_out;
		if (ret == Z_OK)
			ret = soak_take(s, &strm, strm.next_in, strm.avail_in, Z_FINISH,
					header_len + o->len + 1, &back, &rest);
		if (ret != Z_STREAM_END)
			ret = soak_failed(s, "inflate of a loose object", ret);
		else if (back.len < header_len || memcmp(back.data, header, header_len))
			ret = soak_failed(s, "header of a loose object", 0);
		else if (back.len != header_len + o->len ||
			 memcmp(back.data + header_len, o->plain, o->len))
			ret = soak_failed(s, "a loose object", (long long)back.len);
		else
			ret = ours.inflateEnd(&strm);
	}
	if (!ret)
		ret = soak_unpacks(s, 15, file.data, file.len, back.data, back.len);
	buf_free(&file);
	buf_free(&back);
	return ret;
}

static int write_packed(struct soak *s, z_stream *strm, struct object *o)
{
	size_t bound = ours.deflateBound(strm, o->len);
	int ret;

	o->at = s->packed.len;
	ret = soak_feed(s, strm, o->plain, o->len, Z_FINISH, bound, &s->packed);
	o->packed_len = s->packed.len - o->at;
	if (ret != Z_STREAM_END)
		return soak_failed(s, "deflate of a packed object", ret);
	if (o->packed_len > bound)
		return soak_failed(s, "deflateBound", (long long)bound);
	return 0;
}

static int read_packed(struct soak *s, z_stream *strm, const struct object *o)
{
	size_t rest;
	int ret;

	s->back.len = 0;
	ret = soak_take(s, strm, s->packed.data + o->at, s->packed.len - o->at, Z_FINISH,
			o->len + 1, &s->back, &rest);
	if (ret != Z_STREAM_END)
		return soak_failed(s, "inflate of a packed object", ret);
	if (strm->total_in != o->packed_len || s->packed.len - o->at - rest != o->packed_len)
		return soak_failed(s, "where a packed object ends", (long long)strm->total_in);
	return soak_is(s, "a packed object", &s->back, o->plain, o->len);
}

int soak_git(struct soak *s)
{
	struct object objects[OBJECTS_MAX];
	unsigned int nr = 1 + soak_below(s, OBJECTS_MAX), resets = soak_below(s, 2);
	int level = soak_below(s, 2) ? Z_DEFAULT_COMPRESSION : 1, ret = 0;
	z_stream strm = { 0 };

	soak_does(s, "%u objects, level %d, %s", nr, level, resets ? "reset" : "opened anew");
	for (unsigned int i = 0; i < nr && !ret; i++) {
		struct object *o = &objects[i];

		o->len = soak_length(s, soak_below(s, 12) ? 12 : 19);
		o->plain = soak_text(s, o->len);
		s->tally->bytes += o->len;
		if (!i || !resets)
			ret = soak_open_deflate(s, &strm, level, 15, 8, Z_DEFAULT_STRATEGY);
		else
			ret = ours.deflateReset(&strm);
		if (!ret)
			ret = write_packed(s, &strm, o);
		if (!ret && (!resets || i + 1 == nr))
			ret = ours.deflateEnd(&strm);
		if (!ret)
			ret = soak_unpacks(s, 15, s->packed.data + o->at, o->packed_len, o->plain,
					   o->len);
	}
	if (ret)
		return soak_failed(s, "writing", ret);
	for (unsigned int i = 0; i < nr && !ret; i++) {
		ret = !i ? soak_open_inflate(s, &strm, 15) : ours.inflateReset(&strm);
		if (!ret)
			ret = read_packed(s, &strm, &objects[soak_below(s, nr)]);
	}
	if (!ret)
		ret = ours.inflateEnd(&strm);
	if (!ret)
		ret = write_loose(s, &objects[0]);
	return ret ? soak_failed(s, "reading", ret) : 0;
}
