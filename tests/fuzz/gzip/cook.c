/* SPDX-License-Identifier: Zlib */
/* Compressed files by recipe: members of gzip, and what may lie between and behind them. */
#include "config.h"
#include "cook.h"
#include "../stock.h"

#include <stdbool.h>
#include <string.h>

enum { PLAIN_MAX = 12 << 20 };

enum {
	FLAG_CRC = 0x02,
	FLAG_EXTRA = 0x04,
	FLAG_NAME = 0x08,
	FLAG_COMMENT = 0x10,
};

static size_t plain_len; /* of all members */

void cook_byte(struct buf *file, unsigned int byte)
{
	unsigned char c = (unsigned char)byte;

	buf_add(file, &c, 1);
}

void cook_le(struct buf *file, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		cook_byte(file, value >> 8 * i & 0xff);
}

/* Small ones are most frequent. */
static size_t take_len(struct taker *t)
{
	unsigned int how = take_byte(t);

	if (how < 128)
		return how % 64;
	if (how < 240)
		return take_below(t, 5000);
	if (how < 254)
		return (size_t)take_below(t, 65536) * 3;
	return (size_t)take_below(t, 65536) * 48;
}

void cook_plain(struct taker *t, struct buf *plain)
{
	size_t len = take_len(t), own = len;
	unsigned int kind = take_byte(t);
	struct random r = { take_byte(t) };
	unsigned char *data;

	if (len > PLAIN_MAX - plain_len)
		len = own = PLAIN_MAX - plain_len;
	plain_len += len;
	data = buf_room(plain, len + 1);
	for (size_t i = 0; i < len; i++) {
		if (kind % 4 == 0)
			data[i] = (unsigned char)kind;
		else if (kind % 4 == 1)
			data[i] = (unsigned char)random_next(&r);
		else
			data[i] = "the quick brown fox\n\0"[random_next(&r) % (4 + kind % 18)];
	}
	if (kind % 4 == 3) { /* as it stands in the input */
		const uint8_t *from = take_bytes(t, &own);

		memcpy(data, from, own);
	}
	plain->len += len;
}

void cook_deflate(struct taker *t, const struct buf *plain, struct buf *file)
{
	unsigned int how = take_byte(t), flushes = take_byte(t);
	z_stream strm = { 0 };
	size_t step = flushes % 4 ? plain->len : plain->len / 4 + 1;
	int ret;

	ret = stock.deflateInit2_(&strm, (int)(how % 10), Z_DEFLATED, -15, 8, (int)(how / 10 % 5),
				  ZLIB_VERSION, (int)sizeof(strm));
	check(ret == Z_OK, "deflateInit2: %d", ret);
	strm.next_in = plain->data;
	do {
		size_t left = plain->len - strm.total_in;
		bool is_last = step >= left;

		strm.avail_in = (uInt)(is_last ? left : step);
		do {
			strm.next_out = buf_room(file, 65536);
			strm.avail_out = 65536;
			ret = stock.deflate(&strm, is_last ? Z_FINISH : (int)(1 + flushes / 4 % 3));
			file->len += 65536 - strm.avail_out;
		} while (is_last ? ret == Z_OK : !strm.avail_out);
	} while (ret != Z_STREAM_END && ret != Z_BUF_ERROR);
	stock.deflateEnd(&strm);
}

static void cook_name(struct taker *t, struct buf *file)
{
	static const char *const names[] = {
		"f",	  "g",	       "other",	     "",      ".",    "..",   "/",
		"../out", "../../out", COOK_OUTSIDE, "sub/g", "sub/", "a\nb", "\033[2J",
		"g\t",	  "\xff\xfe",  "-rf",	     "f.gz",  "g.gz", " ",
	};
	unsigned int nr = take_byte(t);
	size_t len;

	if (nr < 160) {
		const char *name = names[nr % (sizeof(names) / sizeof(*names))];

		buf_add(file, name, strlen(name));
	} else if (nr < 200) { /* longer than a name may be */
		len = 200 + take_below(t, 300);
		memset(buf_room(file, len), 'n', len);
		file->len += len;
	} else if (nr < 210) {
		len = 4000 + take_below(t, 2000);
		memset(buf_room(file, len), nr % 2 ? '/' : 'm', len);
		file->len += len;
	} else {
		const uint8_t *from;

		len = nr % 16;
		from = take_bytes(t, &len);
		buf_add(file, from, len);
	}
	cook_byte(file, 0);
}

static void cook_extra(struct taker *t, struct buf *file)
{
	unsigned int len = take_byte(t) % 80;

	cook_le(file, take_byte(t) < 250 ? len : 65535, 2);
	for (unsigned int i = 0; i < len; i++)
		cook_byte(file, i < 4 ? take_byte(t) : i);
}

/* One byte of a recipe in 32 says that it is wrong. */
static bool is_wrong(struct taker *t)
{
	return take_byte(t) >= 248;
}

static void cook_trailer(struct taker *t, const struct buf *plain, struct buf *file)
{
	unsigned long crc = stock.crc32_z(0, plain->data, plain->len);

	cook_le(file, crc ^ is_wrong(t), 4);
	cook_le(file, plain->len + is_wrong(t), 4);
}

static void cook_member(struct taker *t, struct buf *file)
{
	static const uint32_t times[] = { 0, 1, 1000000000, 0x7fffffff, 0x80000000, 0xffffffff };
	struct buf plain = { 0 };
	unsigned int flags = take_byte(t);
	size_t start = file->len;

	/* Those that gzip refuses seldom. */
	flags &= take_byte(t) < 240 ? 0x1f : 0xff;
	if (take_byte(t) < 100)
		flags &= FLAG_NAME;
	cook_byte(file, 0x1f);
	cook_byte(file, is_wrong(t) ? 0x9e : 0x8b);
	cook_byte(file, is_wrong(t) ? take_byte(t) : 8);
	cook_byte(file, flags);
	cook_le(file, times[take_byte(t) % 6], 4);
	cook_le(file, take_byte(t), 2);
	if (flags & FLAG_EXTRA)
		cook_extra(t, file);
	if (flags & FLAG_NAME)
		cook_name(t, file);
	if (flags & FLAG_COMMENT)
		cook_name(t, file);
	if (flags & FLAG_CRC)
		cook_le(file, stock.crc32_z(0, file->data + start, file->len - start) ^ is_wrong(t),
			2);
	cook_plain(t, &plain);
	cook_deflate(t, &plain, file);
	cook_trailer(t, &plain, file);
	buf_free(&plain);
}

/* As bgzip makes them; at the end an empty one. */
static void cook_bgzf(struct taker *t, struct buf *file)
{
	static const unsigned char head[] = { 0x1f, 0x8b, 8, 4, 0,   0,	  0, 0,
					      0,    0xff, 6, 0, 'B', 'C', 2, 0 };

	for (unsigned int nr = take_byte(t) % 8 + 1; nr; nr--) {
		struct buf plain = { 0 };
		size_t start = file->len;
		unsigned int len;

		buf_add(file, head, sizeof(head));
		cook_le(file, 0, 2);
		if (nr > 1)
			cook_plain(t, &plain);
		cook_deflate(t, &plain, file);
		cook_trailer(t, &plain, file);
		len = (unsigned int)(file->len - start - 1);
		if (is_wrong(t))
			len = take_below(t, 65536);
		file->data[start + 16] = len & 0xff;
		file->data[start + 17] = len >> 8 & 0xff;
		buf_free(&plain);
	}
}

static void cook_raw(struct taker *t, struct buf *file)
{
	size_t len = take_byte(t) % 40;
	const uint8_t *from = take_bytes(t, &len);

	buf_add(file, from, len);
}

static void cook_fill(struct taker *t, struct buf *file)
{
	unsigned int byte = take_byte(t), len = take_below(t, 1200);

	/* Zeros are padding, all else is garbage. */
	for (; len; len--)
		cook_byte(file, byte & 1 ? byte : 0);
}

/* What there is, again and again: many members. */
static void cook_repeat(struct taker *t, struct buf *file)
{
	size_t len = file->len;
	unsigned int nr = take_byte(t);

	nr = nr < 200 ? nr % 4 : take_below(t, 2000);
	for (; nr && len <= COOK_FILE_MAX - file->len && plain_len <= PLAIN_MAX / 2; nr--) {
		buf_room(file, len);
		memcpy(file->data + file->len, file->data, len);
		file->len += len;
		plain_len += 2 * len;
	}
}

static size_t take_place(struct taker *t, size_t len)
{
	unsigned int how = take_byte(t);
	size_t near = take_byte(t);

	if (how < 100)
		return near < len ? near : len;
	if (how < 160)
		return near < len ? len - near : 0;
	return take_u32(t) % (len + 1);
}

static void cook_damage(struct taker *t, struct buf *file)
{
	size_t at = take_place(t, file->len), left = file->len - at, nr;

	switch (take_byte(t) % 4) {
	case 0:
		file->len = at;
		break;
	case 1:
		if (left)
			file->data[at] ^= 1u << take_byte(t) % 8;
		break;
	case 2:
		if (left)
			file->data[at] = (unsigned char)take_byte(t);
		break;
	default: /* left out */
		nr = take_byte(t);
		nr = nr < left ? nr : left;
		memmove(file->data + at, file->data + at + nr, left - nr);
		file->len -= nr;
		break;
	}
}

void cook(struct taker *t, struct buf *file)
{
	static void (*const kinds[])(struct taker * t, struct buf * file) = {
		cook_member, cook_member, cook_member, cook_member, cook_bgzf, cook_lzw,
		cook_lzw,    cook_pack,	  cook_pack,   cook_zip,    cook_raw,  cook_fill,
		cook_repeat, cook_damage, cook_damage, cook_damage,
	};

	plain_len = 0;
	buf_room(file, 1);
	while (t->len && file->len < COOK_FILE_MAX && plain_len < PLAIN_MAX)
		kinds[take_byte(t) % 16](t, file);
}
