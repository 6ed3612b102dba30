/* SPDX-License-Identifier: Zlib */
/* A sound stream of any length: a few compressed tiles, joined bit by bit in changing order. */
#include "config.h"
#include "endless.h"

enum { TILES = 8 };

struct tile {
	struct buf packed; /* blocks without history, the last one without BFINAL */
	size_t bits;	   /* of packed that count */
	uLong crc, adler;
};

static struct tile tiles[ENDLESS_KINDS][TILES];
static unsigned char *plain[ENDLESS_KINDS];
static uLong crc_op;

static unsigned int tile_at(uint64_t nr)
{
	return (unsigned int)((nr * 5 + nr / TILES + nr / 101) % TILES);
}

static void compress_tile(struct tile *t, int strategy, const unsigned char *src)
{
	z_stream strm = { .next_in = (z_const Bytef *)src, .avail_in = ENDLESS_TILE };
	unsigned int pending;
	int bits;

	t->crc = ref.crc32(0, src, ENDLESS_TILE);
	t->adler = ref.adler32(1, src, ENDLESS_TILE);
	assert_int_equal(ref.deflateInit2_(&strm, 1, Z_DEFLATED, -15, 8, strategy, ZLIB_VERSION,
					   (int)sizeof(strm)),
			 Z_OK);
	strm.next_out = buf_room(&t->packed, 2 * ENDLESS_TILE);
	strm.avail_out = 2 * ENDLESS_TILE;
	assert_int_equal(ref.deflate(&strm, Z_BLOCK), Z_OK);
	assert_int_equal(strm.avail_in, 0);
	assert_int_equal(ref.deflatePending(&strm, &pending, &bits), Z_OK);
	assert_int_equal(pending, 0);
	t->bits = strm.total_out * 8 + (size_t)bits;
	/* Makes the byte come that the last bits are in. */
	assert_int_equal(ref.deflate(&strm, Z_SYNC_FLUSH), Z_OK);
	t->packed.len = strm.total_out;
	ref.deflateEnd(&strm);
}

static void make_tiles(enum endless_kind kind)
{
	size_t len = (size_t)TILES * ENDLESS_TILE;

	plain[kind] = gen_alloc(kind == ENDLESS_TEXT ? GEN_TEXT : GEN_RANDOM, len);
	/* Seven bits: never a stored block, which could not be moved by bits. */
	for (size_t i = 0; kind == ENDLESS_NOISE && i < len; i++)
		plain[kind][i] &= 0x7f;
	for (size_t i = 0; i < TILES; i++)
		compress_tile(&tiles[kind][i],
			      kind == ENDLESS_TEXT ? Z_DEFAULT_STRATEGY : Z_HUFFMAN_ONLY,
			      plain[kind] + i * ENDLESS_TILE);
	crc_op = ref.crc32_combine_gen(ENDLESS_TILE);
}

static void add_bits(struct endless *e, const unsigned char *src, size_t bits)
{
	unsigned char *dst = buf_room(&e->packed, bits / 8 + 2);
	unsigned int hold = e->hold, hold_bits = e->hold_bits;

	for (; bits >= 8; bits -= 8) {
		hold |= (unsigned int)*src++ << hold_bits;
		*dst++ = (unsigned char)hold;
		hold >>= 8;
	}
	if (bits) {
		hold |= (*src & ((1u << bits) - 1)) << hold_bits;
		hold_bits += (unsigned int)bits;
	}
	if (hold_bits >= 8) {
		*dst++ = (unsigned char)hold;
		hold >>= 8;
		hold_bits -= 8;
	}
	e->packed.len = (size_t)(dst - e->packed.data);
	e->hold = hold;
	e->hold_bits = hold_bits;
}

static void align(struct endless *e)
{
	if (e->hold_bits)
		add_bits(e, (const unsigned char *)"", 8 - e->hold_bits);
}

void endless_begin(struct endless *e, enum endless_kind kind, int wbits, int has_flush_points)
{
	if (!plain[kind])
		make_tiles(kind);
	*e = (struct endless){ .kind = kind,
			       .wbits = wbits,
			       .has_flush_points = has_flush_points,
			       .check = wbits == 15 };
	if (wbits == 31)
		buf_add(&e->packed, "\x1f\x8b\x08\0\0\0\0\0\0\3", 10);
	else if (wbits == 15)
		buf_add(&e->packed, "\x78\x9c", 2);
	else
		buf_room(&e->packed, 1);
}

void endless_more(struct endless *e)
{
	const struct tile *t = &tiles[e->kind][tile_at(e->tile_nr++)];

	/* The header goes with the first tile. */
	if (e->tile_nr > 1)
		e->packed.len = 0;
	add_bits(e, t->packed.data, t->bits);
	if (e->has_flush_points) {
		add_bits(e, (const unsigned char *)"", 3);
		align(e);
		buf_add(&e->packed, "\0\0\xff\xff", 4);
	}
	e->plain_len += ENDLESS_TILE;
	if (e->wbits == 31)
		e->check = ref.crc32_combine_op(e->check, t->crc, crc_op);
	else if (e->wbits == 15)
		e->check = ref.adler32_combine(e->check, t->adler, ENDLESS_TILE);
}

void endless_end(struct endless *e)
{
	if (e->tile_nr)
		e->packed.len = 0;
	/* BFINAL, fixed codes, end of block. */
	add_bits(e, (const unsigned char *)"\3\0", 10);
	align(e);
	for (int i = 0; i < 4 && e->wbits > 0; i++)
		buf_add(&e->packed,
			&(unsigned char){
				(unsigned char)(e->check >> 8 * (e->wbits == 31 ? i : 3 - i)) },
			1);
	for (int i = 0; i < 4 && e->wbits == 31; i++)
		buf_add(&e->packed, &(unsigned char){ (unsigned char)(e->plain_len >> 8 * i) }, 1);
}

void endless_free(struct endless *e)
{
	buf_free(&e->packed);
}

const unsigned char *endless_plain(enum endless_kind kind, uint64_t pos, size_t *len)
{
	size_t offset = (size_t)(pos % ENDLESS_TILE);

	*len = ENDLESS_TILE - offset;
	return plain[kind] + (size_t)tile_at(pos / ENDLESS_TILE) * ENDLESS_TILE + offset;
}

void endless_check(enum endless_kind kind, uint64_t pos, const unsigned char *data, size_t len)
{
	while (len) {
		size_t nr, i = 0;
		const unsigned char *want = endless_plain(kind, pos, &nr);

		nr = nr < len ? nr : len;
		if (memcmp(want, data, nr)) {
			while (want[i] == data[i])
				i++;
			fail_msg("byte %llu is 0x%x, not 0x%x", (unsigned long long)pos + i,
				 data[i], want[i]);
		}
		pos += nr;
		data += nr;
		len -= nr;
	}
}
