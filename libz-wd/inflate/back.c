/* SPDX-License-Identifier: Zlib */
/* The way back to software: the real zlib does again what a device did since the keep's place. */
#include "config.h"

#include <string.h>

#include "inflate/back.h"
#include "inflate/check.h"
#include "inflate/keep.h"
#include "stream/shield.h"

#define TRASH_LEN 65536u

int zwd_back_is_open(const struct zwd_stream *s)
{
	return !s->i.keep.is_lost || s->i.keep.has_next;
}

/* A raw stream of the real zlib at a place. */
static int open_at(z_streamp z, const struct zwd_place *place)
{
	int ret;

	ret = z->state ? zwd_soft_zlib.inflateReset2(z, -15) :
			 zwd_soft_zlib.inflateInit2_(z, -15, ZLIB_VERSION, sizeof(*z));
	if (ret == Z_OK && place->bits)
		ret = zwd_soft_zlib.inflatePrime(z, place->bits, place->byte >> (8 - place->bits));
	if (ret == Z_OK && place->window_len)
		ret = zwd_soft_zlib.inflateSetDictionary(z, place->window, place->window_len);
	return ret;
}

/* It makes *left bytes of what is kept; nobody needs them. Their check value goes on from *check. */
static int replay(z_streamp z, const struct zwd_inflate *i, uint64_t *left, uint64_t *at,
		  uint32_t *check)
{
	unsigned char *trash = zwd_pages(TRASH_LEN);
	const unsigned char *in = NULL;
	size_t in_len = 0;
	int ret = trash ? Z_OK : Z_MEM_ERROR;

	while (*left && ret == Z_OK) {
		uInt room = *left < TRASH_LEN ? (uInt)*left : TRASH_LEN, some;

		if (!in_len)
			in_len = zwd_keep_read(&i->keep, *at, &in);
		some = (uInt)in_len;
		z->next_in = (z_const Bytef *)in;
		z->avail_in = some;
		z->next_out = trash;
		z->avail_out = room;
		ret = zwd_soft_zlib.inflate(z, Z_SYNC_FLUSH);
		in += some - z->avail_in;
		in_len -= some - z->avail_in;
		*at += some - z->avail_in;
		*left -= room - z->avail_out;
		*check = zwd_inflate_check(i->format, *check, trash, room - z->avail_out);
	}
	zwd_unpages(trash, TRASH_LEN);
	if (ret == Z_MEM_ERROR)
		return ret;
	return *left ? Z_DATA_ERROR : Z_OK;
}

/* z is where the keep begins. Z_OK or an error. */
static int open_at_begin(z_streamp z, z_streamp strm, struct zwd_stream *s)
{
	const struct zwd_place *place = &s->i.keep.begin;
	int ret = Z_OK;

	if (!place->is_state)
		return open_at(z, place);
	if (z != strm)
		ZWD_SOFT_CALL(ret, strm, s, inflateCopy(z, strm));
	z->data_type = place->data_type;
	return ret;
}

/* z does what is kept up to what was delivered. */
static int go_on(z_streamp z, z_streamp strm, struct zwd_stream *s, uint64_t *at, uint32_t *check)
{
	struct zwd_inflate *i = &s->i;
	struct zwd_place *place = &i->keep.begin;
	uint64_t left = i->made - i->pend_len - place->out;
	int ret;

	*at = place->in;
	*check = place->check;
	ret = open_at_begin(z, strm, s);
	if (ret != Z_OK)
		return ret;
	ret = replay(z, i, &left, at, check);
	if (place->is_state && z == strm) {
		/* Where it is now, with all of it or less. */
		place->out = i->made - i->pend_len - left;
		place->in = *at;
		place->check = *check;
		place->data_type = z->data_type;
	}
	if (ret == Z_OK && i->format != WD_ZIP_DEFLATE && *check != i->out_check)
		ret = Z_DATA_ERROR;
	return ret;
}

int zwd_back_go(z_streamp z, z_streamp strm, struct zwd_stream *s, uint64_t *at, size_t *waiting)
{
	const struct zwd_place *next = &s->i.keep.next;
	uint64_t delivered = s->i.made - s->i.pend_len;
	uint32_t check;

	*waiting = 0;
	/* A place that was found behind the latest request is where it begins by now. */
	if (next->out <= delivered)
		zwd_keep_settle(s);
	if (!s->i.keep.is_lost)
		return go_on(z, strm, s, at, &check);
	if (!s->i.keep.has_next)
		return Z_DATA_ERROR;
	*waiting = (size_t)(next->out - delivered);
	*at = next->in;
	return open_at(z, next);
}

int zwd_back_catch_up(z_streamp strm, struct zwd_stream *s)
{
	z_stream saved = *strm;
	struct zwd_place place = { .is_state = 1, .out = s->i.made };
	int ret;

	strm->state = s->soft;
	strm->msg = NULL;
	ret = go_on(strm, strm, s, &place.in, &place.check);
	place.data_type = strm->data_type;
	s->soft = strm->state;
	*strm = saved;
	if (ret == Z_OK)
		zwd_keep_move(s, &place);
	return ret;
}
