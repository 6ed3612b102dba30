/* SPDX-License-Identifier: Zlib */
/* What is no stream, or one call: compress() and uncompress(), checksums, inflateBack(). */
#include "config.h"
#include "api.h"

#include <pthread.h>

static const char *text(const char *msg)
{
	return msg ? msg : "";
}

/* The stock one's memory is its own libc's, whose malloc() is not safe from threads that another libc made. */
static pthread_mutex_t second_libc = PTHREAD_MUTEX_INITIALIZER;

static void enter(int which)
{
	if (which == STOCK)
		pthread_mutex_lock(&second_libc);
}

static void leave(int which)
{
	if (which == STOCK)
		pthread_mutex_unlock(&second_libc);
}

static void op_compress(struct runner *r)
{
	size_t len, room;
	const unsigned char *plain;
	int level, how, ret[SIDES];
	unsigned char *out[SIDES], *back;
	uLongf out_len[SIDES], back_len;

	if (r->has_no_second_libc)
		return;
	len = in_size(&r->in, 3 << 20);
	plain = in_text(&r->in, len);
	level = (int)in_below(&r->in, 12) - 1;
	how = in_byte(&r->in);
	room = how % 4 ? stock.compressBound(len) : in_size(&r->in, stock.compressBound(len));
	check(zapi[OURS]->compressBound(len) == stock.compressBound(len), "compressBound(%zu)",
	      len);
	r->work += len;
	for (int which = 0; which < SIDES; which++) {
		out[which] = malloc(room + 8);
		check(out[which], "out of memory");
		memset(out[which] + room, 0x5a, 8);
		out_len[which] = room;
		enter(which);
		ret[which] = how / 4 % 4 ? zapi[which]->compress2(out[which], &out_len[which],
								  plain, len, level)
					 : zapi[which]->compress(out[which], &out_len[which], plain,
								 len);
		leave(which);
		check(!memcmp(out[which] + room, "ZZZZZZZZ", 8),
		      "compress() wrote behind the room");
		check(out_len[which] <= room, "compress() made more than there was room for");
	}
	if (is_soft(r) || how % 4)
		check(ret[OURS] == ret[STOCK], "compress: %d, zlib %d", ret[OURS], ret[STOCK]);
	check(ret[OURS] == Z_OK || ret[OURS] == Z_BUF_ERROR || ret[OURS] == Z_STREAM_ERROR,
	      "compress: %d", ret[OURS]);
	if (is_soft(r))
		check(out_len[OURS] == out_len[STOCK] &&
			      !memcmp(out[OURS], out[STOCK], out_len[OURS]),
		      "other bytes");
	if (ret[OURS] == Z_OK) {
		back = malloc(len + 1);
		check(back, "out of memory");
		back_len = len + 1;
		enter(STOCK);
		ret[STOCK] = stock.uncompress(back, &back_len, out[OURS], out_len[OURS]);
		leave(STOCK);
		check(ret[STOCK] == Z_OK && back_len == len && !memcmp(back, plain, len),
		      "compress() made something else");
		free(back);
		r->packed.len = 0;
		buf_add(&r->packed, out[OURS], out_len[OURS]);
		r->packed_wbits = 15;
	}
	free(out[OURS]);
	free(out[STOCK]);
}

static void op_uncompress(struct runner *r)
{
	size_t len, room, packed_len;
	const unsigned char *plain;
	unsigned char *packed, *out[SIDES];
	uLongf out_len[SIDES], used[SIDES], bound;
	unsigned int how;
	int ret[SIDES];

	if (r->has_no_second_libc)
		return;
	len = in_size(&r->in, 3 << 20);
	plain = in_text(&r->in, len);
	how = in_byte(&r->in);
	bound = stock.compressBound(len);
	packed = malloc(bound + 64);
	check(packed, "out of memory");
	memset(packed, 0, bound + 64);
	enter(STOCK);
	ret[STOCK] = stock.compress2(packed, &bound, plain, len, how % 7 ? 6 : 1);
	leave(STOCK);
	check(!ret[STOCK], "broken test");
	packed_len = bound;
	r->work += len / 2;
	if (how / 8 % 4 == 1)
		packed_len += in_below(&r->in, 64);
	else if (how / 8 % 4 == 2)
		packed_len -= in_byte(&r->in) % 2 ? in_below(&r->in, 16) % (packed_len + 1)
						  : in_size(&r->in, packed_len);
	else if (how / 8 % 8 == 3)
		packed[in_size(&r->in, packed_len - 1)] ^= (unsigned char)(1u << how / 64);
	room = how / 32 % 2 ? len + in_below(&r->in, 3) : in_size(&r->in, len + 10);
	for (int which = 0; which < SIDES; which++) {
		out[which] = malloc(room + 8);
		check(out[which], "out of memory");
		memset(out[which] + room, 0x5a, 8);
		out_len[which] = room;
		used[which] = packed_len;
		enter(which);
		ret[which] = how & 1 ? zapi[which]->uncompress2(out[which], &out_len[which], packed,
								&used[which])
				     : zapi[which]->uncompress(out[which], &out_len[which], packed,
							       packed_len);
		leave(which);
		check(!memcmp(out[which] + room, "ZZZZZZZZ", 8),
		      "uncompress() wrote behind the room");
	}
	check(ret[OURS] == ret[STOCK],
	      "uncompress: %d, zlib %d; %zu bytes in %zu, room %zu, to %lu, %lu", ret[OURS],
	      ret[STOCK], len, packed_len, room, out_len[OURS], out_len[STOCK]);
	check(out_len[OURS] == out_len[STOCK], "uncompress: %lu bytes, zlib %lu, ret %d",
	      out_len[OURS], out_len[STOCK], ret[OURS]);
	check(used[OURS] == used[STOCK] || (ret[OURS] == Z_BUF_ERROR && !is_soft(r)),
	      "uncompress2: used %lu, zlib %lu, ret %d", used[OURS], used[STOCK], ret[OURS]);
	check(!memcmp(out[OURS], out[STOCK], out_len[OURS]), "uncompress: other bytes");
	free(out[OURS]);
	free(out[STOCK]);
	free(packed);
}

static void op_checksum(struct runner *r)
{
	size_t len = in_size(&r->in, 1 << 20), other;
	unsigned int how = in_byte(&r->in);
	const unsigned char *p = in_text(&r->in, len + 64) + how % 64;
	uLong a[SIDES], c[SIDES], before = how * 0x01010101ul % 65521;

	r->work += len / 4;
	other = in_size(&r->in, SIZE_MAX) << how % 40;
	for (int which = 0; which < SIDES; which++) {
		const struct zlib_api *z = zapi[which];
		z_crc_t op[1] = { 0 };

		a[which] =
			how & 64 ? z->adler32_z(before, p, len) : z->adler32(before, p, (uInt)len);
		c[which] = how & 64 ? z->crc32_z(before, p, len) : z->crc32(before, p, (uInt)len);
		op[0] = (z_crc_t)z->crc32_combine_gen64((z_off64_t)(other >> 1));
		a[which] ^= z->adler32_combine(before, a[which], (z_off_t)(other >> 1));
		a[which] ^= z->adler32_combine64(a[which] % 65521, before, (z_off64_t)(other >> 1));
		c[which] ^= z->crc32_combine(before, c[which], (z_off_t)(other >> 1)) * 3;
		c[which] ^=
			z->crc32_combine64(c[which] & 0xffffffff, before, (z_off64_t)(other >> 1)) *
			5;
		c[which] ^= z->crc32_combine_op(before, a[which] & 0xffffffff, op[0]) * 7;
		c[which] ^= (z->crc32_combine_gen((z_off_t)(other >> 1)) ^ op[0]) * 11;
		c[which] ^= z->crc32(0, Z_NULL, 0) * 13 + z->adler32(1, Z_NULL, 0) * 17;
	}
	check(a[OURS] == a[STOCK] && c[OURS] == c[STOCK], "a checksum of %zu bytes, other %zu", len,
	      other);
	check(!memcmp(zapi[OURS]->get_crc_table(), stock.get_crc_table(), 1024), "another table");
	check(!strcmp(zapi[OURS]->zlibVersion(), stock.zlibVersion()) &&
		      zapi[OURS]->zlibCompileFlags() == stock.zlibCompileFlags(),
	      "another version");
	check(!strcmp(zapi[OURS]->zError((int)(how % 9) - 6), stock.zError((int)(how % 9) - 6)),
	      "another message");
}

/* inflateBack() as it asks for input and hands out what it made. */
struct back {
	const unsigned char *packed;
	size_t len, pos, cut, copies;
	unsigned int asked_nr, out_nr, stop_at;
	struct buf out;
};

static unsigned in_back(void *desc, z_const unsigned char **next)
{
	struct back *b = desc;
	size_t nr = b->cut < b->len - b->pos ? b->cut : b->len - b->pos;

	*next = (z_const unsigned char *)b->packed + b->pos;
	b->pos += nr;
	b->asked_nr++;
	return (unsigned)nr;
}

static int out_back(void *desc, unsigned char *data, unsigned len)
{
	struct back *b = desc;

	buf_add(&b->out, data, len);
	return ++b->out_nr == b->stop_at;
}

static void op_back(struct runner *r)
{
	static const int bits[] = { 15, 15, 15, 12, 9, 8 };
	static const unsigned int kinds[] = { 0, 1, 2, ALLOC_KINDS / 2 + 1 };
	static _Thread_local unsigned char window[SIDES][32768];
	struct buf packed = { 0 };
	struct back back[SIDES];
	z_stream strm[SIDES];
	struct alloc *alloc[SIDES];
	unsigned int how = in_byte(&r->in), harm = in_byte(&r->in);
	size_t len = in_size(&r->in, 300000), room = len + len / 8 + 1000, cut;
	int wbits = bits[how % 6], ret[SIDES];
	z_stream s = { 0 };

	alloc[0] = alloc_new(&s, false, 0);
	check(!stock.deflateInit2_(&s, how / 8 % 8, Z_DEFLATED, wbits < 9 ? -9 : -wbits, 8,
				   how / 64, ZLIB_VERSION, (int)sizeof(s)),
	      "broken test");
	s.next_in = (z_const Bytef *)in_text(&r->in, len);
	s.avail_in = (uInt)len;
	s.next_out = buf_room(&packed, room);
	s.avail_out = (uInt)room;
	stock.deflate(&s, Z_FINISH);
	packed.len = s.total_out;
	stock.deflateEnd(&s);
	alloc_put(alloc[0]);
	if (harm % 4 == 1)
		packed.data[(size_t)harm * (packed.len - 1) / 256] ^=
			(unsigned char)(1u << harm / 32);
	else if (harm % 4 == 2)
		packed.len = (size_t)harm * packed.len / 256;
	cut = cut_read(r, packed.len);
	cut = cut > packed.len / 2000 ? cut : packed.len / 2000 + 1;
	r->work += len;
	trace("  inflateBack: bits %d, %zu bytes in %zu, pieces of %zu, damage %u\n", wbits, len,
	      packed.len, cut, harm);
	for (int which = 0; which < SIDES; which++) {
		unsigned int first =
			harm / 4 % 2 ? (unsigned int)(packed.len < 17 ? packed.len : 17) : 0;

		memset(window[which], 0, sizeof(window[which]));
		strm[which] = (z_stream){ 0 };
		alloc[which] = alloc_new(&strm[which], which == OURS, kinds[harm / 8 % 4]);
		back[which] = (struct back){ .packed = packed.data,
					     .len = packed.len,
					     .cut = cut,
					     .pos = first,
					     .stop_at = harm / 16 % 4 == 3 ? 1 + how % 4 : 0 };
		ret[which] = zapi[which]->inflateBackInit_(&strm[which], wbits, window[which],
							   ZLIB_VERSION, (int)sizeof(strm[which]));
		strm[which].next_in = first ? packed.data : Z_NULL;
		strm[which].avail_in = first;
		if (!ret[which]) {
			ret[which] = zapi[which]->inflateBack(&strm[which], in_back, &back[which],
							      out_back, &back[which]);
			check(!zapi[which]->inflateBackEnd(&strm[which]), "inflateBackEnd");
		}
		alloc_put(alloc[which]);
	}
	if (!back[OURS].asked_nr == !back[STOCK].asked_nr)
		check(ret[OURS] == ret[STOCK] && back[OURS].out.len == back[STOCK].out.len &&
			      (!back[OURS].out.len ||
			       !memcmp(back[OURS].out.data, back[STOCK].out.data,
				       back[OURS].out.len)),
		      "inflateBack: %d, %zu bytes, zlib %d, %zu", ret[OURS], back[OURS].out.len,
		      ret[STOCK], back[STOCK].out.len);
	check(ret[OURS] == ret[STOCK] && strm[OURS].avail_in == strm[STOCK].avail_in &&
		      strm[OURS].next_in == strm[STOCK].next_in &&
		      !strcmp(text(strm[OURS].msg), text(strm[STOCK].msg)),
	      "inflateBack: %d %s, %u left, zlib %d %s, %u", ret[OURS], text(strm[OURS].msg),
	      strm[OURS].avail_in, ret[STOCK], text(strm[STOCK].msg), strm[STOCK].avail_in);
	buf_free(&back[OURS].out);
	buf_free(&back[STOCK].out);
	buf_free(&packed);
}

const struct op other_ops[] = {
	{ "compress", op_compress },
	{ "uncompress", op_uncompress },
	{ "checksums", op_checksum },
	{ "inflateBack", op_back },
};
const unsigned int other_ops_nr = sizeof(other_ops) / sizeof(other_ops[0]);
