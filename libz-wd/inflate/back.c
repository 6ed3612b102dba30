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

/* It makes left bytes of what is kept; nobody needs them. Their check value goes on from *check. */
static int replay(z_streamp z, const struct zwd_inflate *i, uint64_t left, uint64_t *at, uint32_t *check)
{
	unsigned char *trash = zwd_pages(TRASH_LEN);
	const unsigned char *in = NULL;
	size_t in_len = 0;
	int ret = trash ? Z_OK : Z_MEM_ERROR;

	while (left && ret == Z_OK) {
		uInt room = left < TRASH_LEN ? (uInt)left : TRASH_LEN, some;

		if (!in_len)
			in_len = zwd_keep_read(&i->keep, *at, &in);
		some = (uInt)in_len;
		z->next_in = (z_const Bytef *)in;
		z->avail_in = some;
		z->next_out = trash;
		z->avail_out = room;
		ret = zwd_soft_zlib.inflate(z, Z_SYNC_FLUSH);
		if (ret == Z_BUF_ERROR || (ret != Z_OK && ret != Z_MEM_ERROR && z->avail_out))
			ret = ret == Z_BUF_ERROR || left > room - z->avail_out ? Z_DATA_ERROR : ret;
		in += some - z->avail_in;
		in_len -= some - z->avail_in;
		*at += some - z->avail_in;
		left -= room - z->avail_out;
		*check = zwd_inflate_check(i->format, *check, trash, room - z->avail_out);
	}
	zwd_unpages(trash, TRASH_LEN);
	if (ret == Z_MEM_ERROR)
		return ret;
	return left ? Z_DATA_ERROR : Z_OK;
}

int zwd_back_go(z_streamp z, struct zwd_stream *s, uint64_t *at, size_t *waiting)
{
	const struct zwd_inflate *i = &s->i;
	const struct zwd_place *place = &i->keep.begin;
	uint64_t delivered = i->made - i->pend_len;
	uint32_t check;
	int ret;

	if (!zwd_back_is_open(s))
		return Z_DATA_ERROR;
	*waiting = 0;
	if (i->keep.is_lost) {
		place = &i->keep.next;
		*waiting = place->out > delivered ? (size_t)(place->out - delivered) : 0;
	}
	check = place->check;
	*at = place->in;
	ret = open_at(z, place);
	if (ret == Z_OK && !*waiting)
		ret = replay(z, i, delivered - place->out, at, &check);
	if (ret == Z_OK && !*waiting && i->format != WD_ZIP_DEFLATE && check != i->out_check)
		ret = Z_DATA_ERROR;
	return ret;
}
