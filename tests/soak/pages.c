/* SPDX-License-Identifier: Zlib */
/*
 * Databases: pages compressed by one call into a room that may be too small, in several threads and
 * in processes forked from them; a base backup in rooms of 64 KiB.
 */
#include "config.h"
#include "soak.h"

enum { PAGE_LEN = 16384, PAGES_MAX = 24, DUMP_ROOM = 65536 };

/* The page, or nothing where it does not become small enough: its place in out says how long it is.
 */
static int write_page(struct soak *s, const unsigned char *page, size_t limit, struct buf *out)
{
	uLongf len = limit, back_len = PAGE_LEN;
	unsigned char back[PAGE_LEN], *dst = buf_room(out, sizeof(len) + limit);
	int ret =
		ours.compress2(dst + sizeof(len), &len, page, PAGE_LEN, 1 + (int)soak_below(s, 7));

	s->tally->calls++;
	if (ret == Z_BUF_ERROR && limit < ours.compressBound(PAGE_LEN))
		len = 0;
	else if (ret)
		return soak_failed(s, "compress2", ret);
	memcpy(dst, &len, sizeof(len));
	out->len += sizeof(len) + len;
	if (!len)
		return 0;
	s->tally->calls++;
	ret = ours.uncompress(back, &back_len, dst + sizeof(len), len);
	if (ret || back_len != PAGE_LEN || memcmp(back, page, PAGE_LEN))
		return soak_failed(s, "uncompress", ret);
	/* A page that was torn is told, and nothing else is. */
	if (!soak_below(s, 8)) {
		back_len = PAGE_LEN;
		if (ours.uncompress(back, &back_len, dst + sizeof(len),
				    len - 1 - soak_below(s, 4)) == Z_OK)
			return soak_failed(s, "uncompress of a torn page", (long long)back_len);
	}
	return 0;
}

struct table {
	const unsigned char *pages;
	size_t nr, limit;
};

static int write_pages(struct soak *s, void *arg, struct buf *out)
{
	const struct table *t = arg;
	int ret = 0;

	for (size_t i = 0; i < t->nr && !ret; i++)
		ret = write_page(s, t->pages + i * PAGE_LEN, t->limit, out);
	return ret;
}

int soak_pages(struct soak *s)
{
	struct table t = { .nr = 1 + soak_below(s, PAGES_MAX) };
	int is_forked = s->shared && !soak_below(s, 8), ret;
	size_t at = 0;

	t.pages = soak_text(s, t.nr * PAGE_LEN);
	t.limit = soak_below(s, 2) ? ours.compressBound(PAGE_LEN)
				   : PAGE_LEN / 4 + soak_below(s, PAGE_LEN);
	soak_does(s, "%zu pages to %zu bytes, %s", t.nr, t.limit,
		  is_forked ? "in a child" : "here");
	ret = is_forked ? soak_in_child(s, write_pages, &t, &s->packed)
			: write_pages(s, &t, &s->packed);
	s->tally->bytes += t.nr * PAGE_LEN;
	for (size_t i = 0; i < t.nr && !ret; i++) {
		uLongf len;

		memcpy(&len, s->packed.data + at, sizeof(len));
		at += sizeof(len);
		if (len)
			ret = soak_unpacks(s, 15, s->packed.data + at, len, t.pages + i * PAGE_LEN,
					   PAGE_LEN);
		at += len;
	}
	return ret;
}

/* pg_basebackup and the like: one long gzip stream, read by the same. */
int soak_dump(struct soak *s)
{
	size_t len = soak_length(s, 20), pos = 0, rest;
	const unsigned char *plain = soak_text(s, len);
	z_stream strm = { 0 };
	int ret = Z_OK, level = soak_below(s, 2) ? Z_DEFAULT_COMPRESSION : 1;

	soak_does(s, "a dump of %zu bytes, level %d", len, level);
	if (soak_open_deflate(s, &strm, level, 31, 8, Z_DEFAULT_STRATEGY))
		return -1;
	for (; !ret && len - pos > 8192; pos += 8192)
		ret = soak_feed(s, &strm, plain + pos, 8192, Z_NO_FLUSH, DUMP_ROOM, &s->packed);
	if (!ret)
		ret = soak_feed(s, &strm, plain + pos, len - pos, Z_FINISH, DUMP_ROOM, &s->packed);
	if (ret != Z_STREAM_END)
		return soak_failed(s, "deflate", ret);
	ret = ours.deflateEnd(&strm);
	if (ret)
		return soak_failed(s, "deflateEnd", ret);
	s->tally->bytes += len;
	if (soak_unpacks(s, 31, s->packed.data, s->packed.len, plain, len) ||
	    soak_open_inflate(s, &strm, 47))
		return -1;
	for (pos = 0; !ret && pos < s->packed.len; pos += DUMP_ROOM) {
		size_t nr = s->packed.len - pos < DUMP_ROOM ? s->packed.len - pos : DUMP_ROOM;

		ret = soak_take(s, &strm, s->packed.data + pos, nr, Z_NO_FLUSH, DUMP_ROOM, &s->back,
				&rest);
	}
	if (ret != Z_STREAM_END || rest)
		return soak_failed(s, "inflate", ret);
	ret = ours.inflateEnd(&strm);
	return ret ? soak_failed(s, "inflateEnd", ret)
		   : soak_is(s, "inflated bytes", &s->back, plain, len);
}
