/* SPDX-License-Identifier: Zlib */
/* Compressed files by recipe: the formats that gzip reads only. */
#include "config.h"
#include "cook.h"
#include "../stock.h"

#include <string.h>

/* compress: codes go in groups of eight of one width. */
enum { LZW_BLOCK_MODE = 0x80, LZW_CLEAR = 256, LZW_MIN_BITS = 9 };

struct lzw {
	struct buf *file;
	unsigned char group[17];
	unsigned int bits, at;
};

static void lzw_end(struct lzw *lzw, int is_last)
{
	if (lzw->at)
		buf_add(lzw->file, lzw->group, is_last ? (lzw->at * lzw->bits + 7) / 8 : lzw->bits);
	memset(lzw->group, 0, sizeof(lzw->group));
	lzw->at = 0;
}

static void lzw_put(struct lzw *lzw, unsigned int code)
{
	for (unsigned int i = 0; i < lzw->bits; i++) {
		unsigned int bit = lzw->at * lzw->bits + i;

		lzw->group[bit / 8] |= (code >> i & 1) << bit % 8;
	}
	if (++lzw->at == 8)
		lzw_end(lzw, 0);
}

/* Codes by chance, nearly all of which a reader knows by then. */
void cook_lzw(struct taker *t, struct buf *file)
{
	unsigned int how = take_byte(t), nr = take_byte(t), flags, max_bits, first_free, free_code;
	struct lzw lzw = { .file = file, .bits = LZW_MIN_BITS };
	struct random r = { take_byte(t) };
	unsigned int wrong = take_byte(t), is_first = 1, code;

	/* Not 9 bits at most: gzip goes on to 10, which compress does not. */
	flags = how < 240 ? LZW_MIN_BITS + 1 + how % 7 + (how & 8 ? 0 : LZW_BLOCK_MODE)
			  : take_byte(t);
	if (flags % 32 <= LZW_MIN_BITS)
		flags += 16;
	nr = nr < 128 ? nr : nr < 250 ? take_below(t, 2000) : take_below(t, 65536);
	cook_le(file, 0x9d1f, 2);
	cook_byte(file, flags);
	max_bits = flags & 0x1f;
	first_free = free_code = flags & LZW_BLOCK_MODE ? LZW_CLEAR + 1 : LZW_CLEAR;
	for (; nr; nr--) {
		int is_clear = flags & LZW_BLOCK_MODE && !random_below(&r, 300);

		code = random_below(&r, is_first || !random_below(&r, 4) ? 256 : free_code + 1);
		if (wrong > 224 && !random_below(&r, 200))
			code = random_below(&r, 1u << lzw.bits);
		if (code == LZW_CLEAR && flags & LZW_BLOCK_MODE)
			is_clear = 1;
		lzw_put(&lzw, is_clear ? LZW_CLEAR : code);
		if (is_clear) {
			lzw_end(&lzw, 0);
			lzw.bits = LZW_MIN_BITS;
			free_code = first_free;
			is_first = 1;
			continue;
		}
		if (!is_first && free_code < 1u << max_bits && ++free_code == 1u << lzw.bits &&
		    lzw.bits < max_bits && lzw.bits < 16) {
			lzw_end(&lzw, 0);
			lzw.bits++;
		}
		is_first = 0;
	}
	lzw_end(&lzw, 1);
}

/* pack: a tree by chance, and leaves of it; the last one ends the data. */
enum { PACK_LEVELS = 24 };

static void put_bits(struct buf *file, unsigned int *bit, unsigned int code, unsigned int bits)
{
	for (; bits; bits--) {
		if (*bit % 8 == 0)
			cook_byte(file, 0);
		file->data[file->len - 1] |= (code >> (bits - 1) & 1) << (7 - *bit % 8);
		++*bit;
	}
}

void cook_pack(struct taker *t, struct buf *file)
{
	unsigned int leaves[PACK_LEVELS + 1] = { 0 }, inner[PACK_LEVELS + 1] = { 0 };
	unsigned int levels = take_byte(t) % PACK_LEVELS + 1, nr = take_byte(t),
		     wrong = take_byte(t);
	struct random r = { take_byte(t) };
	unsigned int slots = 2, sum = 0, level, bit = 0;

	for (level = 1; level < levels; level++) {
		leaves[level] = slots > 20 ? slots - 10 : random_below(&r, slots);
		inner[level] = slots - leaves[level];
		slots = 2 * inner[level];
		sum += leaves[level];
	}
	leaves[levels] = slots;
	sum += slots;
	cook_le(file, 0x1e1f, 2);
	for (int i = 3; i >= 0; i--)
		cook_byte(file, (wrong > 248 ? nr + 1 : nr) >> 8 * i & 0xff);
	cook_byte(file, levels);
	for (level = 1; level <= levels; level++)
		cook_byte(file, level < levels ? leaves[level] : leaves[level] - 2);
	for (unsigned int i = 0; i + 1 < sum; i++)
		cook_byte(file, i * 7 + nr);
	while (nr) {
		unsigned int leaf;

		level = 1 + random_below(&r, levels);
		leaf = leaves[level] ? random_below(&r, leaves[level]) : 0;
		/* Not the last of them, which is the end; but where it is the only one. */
		if (leaves[level] && (level < levels || leaf + 1 < leaves[level])) {
			put_bits(file, &bit, inner[level] + leaf, level);
			nr--;
		}
	}
	if (wrong < 240)
		put_bits(file, &bit, leaves[levels] - 1, levels);
}

/* The first entry of a zip archive, with or without what follows it. */
void cook_zip(struct taker *t, struct buf *file)
{
	unsigned int how = take_byte(t), flags = take_byte(t), method = how & 1 ? 8 : 0;
	struct buf plain = { 0 }, packed = { 0 };
	unsigned long crc;

	flags &= flags < 240 ? 0x08 : 0x09;
	cook_plain(t, &plain);
	cook_deflate(t, &plain, &packed);
	crc = stock.crc32_z(0, plain.data, plain.len);
	if (how >= 240)
		method = take_byte(t);
	cook_le(file, 0x04034b50, 4);
	cook_le(file, 20, 2);
	cook_le(file, flags, 2);
	cook_le(file, method, 2);
	cook_le(file, 0, 4);
	cook_le(file, crc, 4);
	cook_le(file, method ? packed.len : plain.len, 4);
	cook_le(file, plain.len + (how >= 230 && how < 240), 4);
	cook_le(file, how % 5, 2);
	cook_le(file, how % 3, 2);
	buf_add(file, "name...", how % 5 + how % 3);
	if (method)
		buf_add(file, packed.data, packed.len);
	else
		buf_add(file, plain.data, plain.len);
	if (flags & 0x08) {
		cook_le(file, 0x08074b50, 4);
		cook_le(file, crc, 4);
		cook_le(file, packed.len, 4);
		cook_le(file, plain.len, 4);
	}
	if (how & 2)
		cook_le(file, how & 4 ? 0x02014b50 : 0x04034b50, 4);
	buf_free(&plain);
	buf_free(&packed);
}
