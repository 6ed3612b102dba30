/* SPDX-License-Identifier: Zlib */
/*
 * Nobody's and everybody's: any parameters, flushes, pieces and rooms, with dictionaries, changes
 * of parameters, resets, copies, and a fork in the middle whose child goes on with the stream.
 */
#include "config.h"
#include "soak.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum { DICT_MAX = 32768 };

struct shape {
	const unsigned char *plain, *dict;
	size_t len, dict_len;
	int wbits, level, strategy, mem_level;
};

static void draw(struct soak *s, struct shape *h)
{
	static const int wbits[] = { 15, 31, -15, 15, 31, -15, 15, 31, 9, 12, 25, -9, -13, 30 };
	static const int levels[] = { 1, 2, 3, 4, 5, 6, -1, 6, 1, 0, 7, 9 };

	h->len = soak_length(s, 19);
	if (!soak_below(s, 40))
		h->len = SOAK_TEXT_LEN - soak_below(s, 1000000);
	h->plain = soak_text(s, h->len);
	h->wbits = wbits[soak_below(s, NR(wbits))];
	h->level = levels[soak_below(s, NR(levels))];
	h->strategy = soak_below(s, 8) ? Z_DEFAULT_STRATEGY : (int)soak_below(s, Z_FIXED + 1);
	h->mem_level = soak_below(s, 4) ? 8 : 1 + (int)soak_below(s, 9);
	h->dict_len = h->wbits > 15 || soak_below(s, 10) ? 0 : 1 + soak_length(s, 14);
	h->dict = soak_text(s, DICT_MAX);
	soak_does(s, "%zu bytes, window bits %d level %d strategy %d memory %d dictionary %zu",
		  h->len, h->wbits, h->level, h->strategy, h->mem_level, h->dict_len);
}

static int unpacks(struct soak *s, const struct shape *h, const struct buf *packed)
{
	z_stream strm = { .next_in = packed->data, .avail_in = (uInt)packed->len };
	struct buf back = { 0 };
	int ret;

	if (!h->dict_len)
		return soak_unpacks(s, h->wbits, packed->data, packed->len, h->plain, h->len);
	strm.next_out = buf_room(&back, h->len + 1);
	strm.avail_out = (uInt)h->len + 1;
	ref.inflateInit2_(&strm, h->wbits, ZLIB_VERSION, (int)sizeof(strm));
	if (h->wbits < 0)
		ref.inflateSetDictionary(&strm, h->dict, (uInt)h->dict_len);
	ret = ref.inflate(&strm, Z_FINISH);
	if (ret == Z_NEED_DICT) {
		ref.inflateSetDictionary(&strm, h->dict, (uInt)h->dict_len);
		ret = ref.inflate(&strm, Z_FINISH);
	}
	ref.inflateEnd(&strm);
	back.len = strm.total_out;
	if (ret != Z_STREAM_END || strm.avail_in)
		ret = soak_failed(s, "output, zlib says", ret);
	else
		ret = soak_is(s, "output, bytes", &back, h->plain, h->len);
	buf_free(&back);
	return ret;
}

/* A stream under way. */
struct course {
	const struct shape *h;
	z_stream *strm;
	size_t pos;
};

static int finish(struct soak *s, void *arg, struct buf *out)
{
	const struct course *c = arg;
	const struct shape *h = c->h;
	int ret = soak_feed(s, c->strm, h->plain + c->pos, h->len - c->pos, Z_FINISH, 0, out);
	size_t total = c->strm->total_in;

	if (ret != Z_STREAM_END)
		return soak_failed(s, "Z_FINISH", ret);
	/* zlib counts a dictionary as input. */
	if (total != h->len && !h->dict_len)
		return soak_failed(s, "total_in", (long long)total);
	ret = ours.deflateEnd(c->strm);
	return ret ? soak_failed(s, "deflateEnd", ret) : 0;
}

static int finish_copy(struct soak *s, const struct course *c)
{
	struct buf out = { 0 };
	z_stream copy;
	struct course other = { c->h, &copy, c->pos };
	int ret = ours.deflateCopy(&copy, c->strm);

	if (ret)
		return soak_failed(s, "deflateCopy", ret);
	buf_add(&out, s->packed.data, s->packed.len);
	ret = finish(s, &other, &out);
	if (!ret)
		ret = unpacks(s, c->h, &out);
	buf_free(&out);
	return ret;
}

/* The parent has the reference, whose heap knows nothing of this fork. */
static int finish_in_child(struct soak *s, struct course *c)
{
	struct buf out = { 0 };
	int ret;

	buf_add(&out, s->packed.data, s->packed.len);
	ret = soak_in_child(s, finish, c, &out);
	if (!ret)
		ret = unpacks(s, c->h, &out);
	buf_free(&out);
	return ret;
}

static int change_params(struct soak *s, z_stream *strm)
{
	int level = (int)soak_below(s, 10), strategy = soak_below(s, 4) ? 0 : Z_FILTERED, ret;

	strm->avail_in = 0;
	do {
		size_t room = 1000 + soak_length(s, 17);

		strm->next_out = buf_room(&s->packed, room);
		strm->avail_out = (uInt)room;
		ret = ours.deflateParams(strm, level, strategy);
		s->packed.len += room - strm->avail_out;
	} while (ret == Z_BUF_ERROR && !strm->avail_out);
	return ret && ret != Z_BUF_ERROR ? soak_failed(s, "deflateParams", ret) : 0;
}

static int set_dictionary(struct soak *s, const struct shape *h, z_stream *strm)
{
	int ret = h->dict_len ? ours.deflateSetDictionary(strm, h->dict, (uInt)h->dict_len) : Z_OK;

	return ret ? soak_failed(s, "deflateSetDictionary", ret) : 0;
}

/* What else may come between two pieces. */
static int between(struct soak *s, struct course *c, int *resets)
{
	unsigned int what = soak_below(s, 400);
	int ret;

	if (what < 4)
		return finish_copy(s, c);
	if (what < 8)
		return change_params(s, c->strm);
	if (what < 10 && *resets) {
		--*resets;
		c->pos = s->packed.len = 0;
		ret = ours.deflateReset(c->strm);
		return ret ? soak_failed(s, "deflateReset", ret) : set_dictionary(s, c->h, c->strm);
	}
	return what < 12 && s->shared ? finish_in_child(s, c) : 0;
}

int soak_any_deflate(struct soak *s)
{
	static const int flushes[] = { Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_PARTIAL_FLUSH,
				       Z_BLOCK,	     Z_SYNC_FLUSH, Z_FULL_FLUSH };
	unsigned int piece_bits = 6 + soak_below(s, 14), often = soak_below(s, 12);
	struct shape h;
	z_stream strm = { 0 };
	struct course c = { &h, &strm, 0 };
	int ret, steps_nr = 0, resets = 1;

	draw(s, &h);
	ret = soak_open_deflate(s, &strm, h.level, h.wbits, h.mem_level, h.strategy);
	if (!ret)
		ret = set_dictionary(s, &h, &strm);
	while (!ret && c.pos < h.len && steps_nr++ < 200) {
		size_t nr = soak_length(s, piece_bits);

		ret = between(s, &c, &resets);
		if (ret)
			return ret;
		nr = nr < h.len - c.pos ? nr : h.len - c.pos;
		ret = soak_feed(s, &strm, h.plain + c.pos, nr,
				soak_below(s, 12) < often ? Z_NO_FLUSH : flushes[soak_below(s, 6)],
				0, &s->packed);
		if (ret)
			return soak_failed(s, "deflate", ret);
		c.pos += nr;
	}
	if (!ret)
		ret = finish(s, &c, &s->packed);
	if (!ret)
		ret = unpacks(s, &h, &s->packed);
	s->tally->bytes += h.len;
	return ret;
}

/* The reference, with flushes between. */
static int pack(struct soak *s, const struct shape *h)
{
	z_stream strm = { 0 };
	size_t pos = 0;
	int ret;

	if (ref.deflateInit2_(&strm, h->level, Z_DEFLATED, h->wbits, h->mem_level, h->strategy,
			      ZLIB_VERSION, (int)sizeof(strm)))
		return -1;
	if (h->dict_len)
		ref.deflateSetDictionary(&strm, h->dict, (uInt)h->dict_len);
	do {
		size_t nr = h->len - pos, room;
		int flush = Z_FINISH;

		if (nr > 1000 && soak_below(s, 3)) {
			nr = soak_length(s, 18) % nr;
			flush = soak_below(s, 2) ? Z_SYNC_FLUSH : Z_FULL_FLUSH;
		}
		strm.next_in = (z_const Bytef *)h->plain + pos;
		strm.avail_in = (uInt)nr;
		pos += nr;
		room = nr + nr / 4 + 1000;
		strm.next_out = buf_room(&s->packed, room);
		strm.avail_out = (uInt)room;
		ret = ref.deflate(&strm, flush);
		s->packed.len += room - strm.avail_out;
	} while (ret == Z_OK || ret == Z_BUF_ERROR); /* the latter: nothing to flush */
	ref.deflateEnd(&strm);
	return ret == Z_STREAM_END ? 0 : soak_failed(s, "the reference's deflate", ret);
}

/* Calls until something else than Z_OK, with pieces and rooms of any length; goes on with a copy at
 * times. */
static int inflate_any(struct soak *s, const struct shape *h, z_stream strms[2], z_stream **at,
		       size_t *pos)
{
	unsigned int in_bits = 3 + soak_below(s, 17), out_bits = 6 + soak_below(s, 14);
	unsigned char *back = buf_room(&s->back, h->len + 1);
	z_stream *strm = &strms[0];
	int ret, steps_nr = 0;

	do {
		size_t nr = soak_length(s, in_bits), room = soak_length(s, out_bits);
		size_t left = s->packed.len - *pos, rest = h->len + 1 - strm->total_out;

		if (!rest)
			break;
		if (++steps_nr > 2000) /* to an end within reason */
			nr = room = SOAK_TEXT_LEN;
		nr = nr < left ? nr : left;
		room = room < rest ? room : rest;
		strm->next_in = s->packed.data + *pos;
		strm->avail_in = (uInt)nr;
		strm->next_out = back + strm->total_out;
		strm->avail_out = (uInt)room;
		ret = soak_inflate(s, strm, soak_below(s, 3) ? Z_NO_FLUSH : Z_SYNC_FLUSH);
		*pos += nr - strm->avail_in;
		if (ret == Z_NEED_DICT && h->dict_len)
			ret = ours.inflateSetDictionary(strm, h->dict, (uInt)h->dict_len);
		/* Without room, or with more input to come, there may be nothing to do. */
		if (ret == Z_BUF_ERROR && (!room || (!nr && left)))
			ret = Z_OK;
		if (ret == Z_OK && !soak_below(s, 300)) {
			z_stream *copy = strm == &strms[0] ? &strms[1] : &strms[0];

			ret = ours.inflateCopy(copy, strm);
			if (ret)
				break;
			ours.inflateEnd(strm);
			strm = copy;
		}
	} while (ret == Z_OK);
	s->back.len = strm->total_out;
	*at = strm;
	return ret;
}

int soak_any_inflate(struct soak *s)
{
	size_t packed_len, pos = 0;
	z_stream strms[2] = { 0 }, *strm;
	struct shape h;
	int wbits, ret;

	draw(s, &h);
	if (pack(s, &h))
		return -1;
	packed_len = s->packed.len;
	buf_add(&s->packed, h.dict, soak_below(s, 3) ? 0 : soak_below(s, 100));
	/* A header of either kind, where there is one. */
	wbits = h.wbits > 0 && !soak_below(s, 4) ? 47 : h.wbits;
	if (soak_open_inflate(s, &strms[0], wbits))
		return -1;
	if (h.dict_len && wbits < 0)
		ours.inflateSetDictionary(&strms[0], h.dict, (uInt)h.dict_len);
	ret = inflate_any(s, &h, strms, &strm, &pos);
	if (ret != Z_STREAM_END)
		return soak_failed(s, "inflate", ret);
	if (pos != packed_len)
		return soak_failed(s, "where the stream ends", (long long)pos);
	ret = ours.inflateEnd(strm);
	s->tally->bytes += h.len;
	return ret ? soak_failed(s, "inflateEnd", ret)
		   : soak_is(s, "inflated bytes", &s->back, h.plain, h.len);
}

int soak_any_oneshot(struct soak *s)
{
	uLongf packed_len, back_len;
	struct shape h;
	int ret;

	draw(s, &h);
	packed_len = ours.compressBound(h.len);
	back_len = h.len;
	ret = ours.compress2(buf_room(&s->packed, packed_len), &packed_len, h.plain, h.len,
			     h.level);
	s->tally->calls += 2;
	if (ret)
		return soak_failed(s, "compress2", ret);
	if (soak_unpacks(s, 15, s->packed.data, packed_len, h.plain, h.len))
		return -1;
	ret = ours.uncompress(buf_room(&s->back, h.len + 1), &back_len, s->packed.data, packed_len);
	if (ret)
		return soak_failed(s, "uncompress", ret);
	s->back.len = back_len;
	s->tally->bytes += h.len;
	return soak_is(s, "uncompressed bytes", &s->back, h.plain, h.len);
}
