/* SPDX-License-Identifier: Zlib */
/* Does a deflate block begin at a bit, and where in the output? */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "inflate/header.h"
#include "inflate/proof.h"

/* So many bytes that do not come from the window must be what the device made. */
#define KNOWN_MIN 64u
/* Of them, so many at the ends of runs, if of one byte: within itself a run fits anywhere. */
#define TELLING_MIN 8u
/* Of a stored block's contents. */
#define STORED_MIN 16u

/* What decoding with a window of zeros has shown. */
struct blind {
	size_t made;
	size_t coded_nr; /* known bytes of blocks that are not stored ones, KNOWN_MIN are enough */
	int has_passed_end; /* of the first block */
};

static voidpf arena_alloc(voidpf opaque, uInt items, uInt size)
{
	struct zwd_proof *p = opaque;
	size_t len = ((size_t)items * size + 63) & ~(size_t)63;
	unsigned char *mem = p->arena + p->arena_used;

	if (len > sizeof(p->arena) - p->arena_used)
		return NULL;
	p->arena_used += len;
	return mem;
}

static void arena_free(voidpf opaque, voidpf mem)
{
}

int zwd_proof_open(struct zwd_proof *p)
{
	p->z.zalloc = arena_alloc;
	p->z.zfree = arena_free;
	p->z.opaque = p;
	return zwd_soft()->inflateInit2_(&p->z, -15, ZLIB_VERSION, sizeof(p->z)) == Z_OK ? 0 : -ENOMEM;
}

void zwd_proof_close(struct zwd_proof *p)
{
	zwd_soft_zlib.inflateEnd(&p->z);
}

static int begin(struct zwd_proof *p, size_t pos, const unsigned char *window, size_t window_len)
{
	z_stream *z = &p->z;
	int bits = pos & 7;

	z->next_in = (z_const Bytef *)p->in + pos / 8;
	z->avail_in = (uInt)(p->in_len - pos / 8);
	if (zwd_soft_zlib.inflateReset(z) != Z_OK ||
	    (window_len &&
	     zwd_soft_zlib.inflateSetDictionary(z, window, (uInt)window_len) != Z_OK) ||
	    (bits && zwd_soft_zlib.inflatePrime(z, 8 - bits, z->next_in[0] >> bits) != Z_OK))
		return -ENOMEM;
	if (bits) {
		z->next_in++;
		z->avail_in--;
	}
	return 0;
}

/* Is the stream between two blocks, at a bit beyond *end? Then that is the new *end. */
static int has_ended_block(const struct zwd_proof *p, size_t *end)
{
	size_t pos;

	if (!(p->z.data_type & 128))
		return 0;
	pos = (size_t)(p->z.next_in - p->in) * 8 - (p->z.data_type & 7);
	if (pos <= *end)
		return 0;
	*end = pos;
	return 1;
}

static size_t count_known(const unsigned char *buf, size_t len)
{
	size_t nr = 0;

	for (size_t n = 0; n < len && nr < KNOWN_MIN; n++)
		nr += buf[n] != 0;
	return nr;
}

/* To the end of the input. 0 or -errno, as zwd_proof_block(). */
static int decode_blind(struct zwd_proof *p, size_t pos, struct blind *blind)
{
	size_t most = p->out_len - p->out_min + ZWD_HELD_BACK_MAX, end = pos;
	enum zwd_block type = zwd_header_type(p->in, p->in_len, pos);
	z_stream *z = &p->z;
	int ret = begin(p, pos, p->zeros, sizeof(p->zeros));

	z->next_out = p->first;
	z->avail_out = sizeof(p->first);
	while (!ret) {
		unsigned char *from = z->next_out;
		int code = zwd_soft_zlib.inflate(z, Z_BLOCK);
		size_t len = (size_t)(z->next_out - from);

		if (code == Z_MEM_ERROR)
			return -ENOMEM;
		/* Not the end either: nothing was consumed after that. */
		if (code != Z_OK && code != Z_BUF_ERROR)
			return -ENOENT;
		if (type != ZWD_BLOCK_STORED && blind->made < sizeof(p->first) && blind->coded_nr < KNOWN_MIN)
			blind->coded_nr += count_known(from, len);
		blind->made += len;
		if (len > p->budget)
			return -ENOSPC;
		p->budget -= len;
		if (blind->made > most)
			return -ENOENT;
		if (has_ended_block(p, &end)) {
			blind->has_passed_end = 1;
			type = zwd_header_type(p->in, p->in_len, end);
		} else if (z->avail_out && (!z->avail_in || code == Z_BUF_ERROR)) {
			break;
		}
		if (!z->avail_out) {
			z->next_out = p->rest;
			z->avail_out = sizeof(p->rest);
		}
	}
	return ret;
}

/* Notes where first[] shows by what it is that it is there and not elsewhere. 0: too little is known. */
static int note_telling(struct zwd_proof *p, size_t len)
{
	const unsigned char *first = p->first;

	p->telling_nr = 0;
	for (size_t n = 0; n < len && p->telling_nr < ZWD_PROOF_TELLING_NR; n++) {
		if (first[n] && ((n && first[n] != first[n - 1]) || (n + 1 < len && first[n] != first[n + 1])))
			p->telling[p->telling_nr++] = (uint32_t)n;
	}
	return p->telling_nr >= TELLING_MIN && count_known(first, len) >= KNOWN_MIN;
}

/* May first[] be what the last back bytes of the output begin with? */
static int fits(const struct zwd_proof *p, size_t back)
{
	const unsigned char *out = p->out + p->out_len - back;
	unsigned int n;

	for (n = 0; n < p->telling_nr && p->telling[n] < back; n++) {
		if (p->first[p->telling[n]] != out[p->telling[n]])
			return 0;
	}
	return n >= TELLING_MIN;
}

/* 0, or -ENOENT: none fits, or more than one. */
static int find_back(const struct zwd_proof *p, size_t made, size_t *back)
{
	unsigned int nr = 0;

	for (size_t held = 0; held <= ZWD_HELD_BACK_MAX && held + KNOWN_MIN <= made && nr < 2; held++) {
		if (made - held <= p->out_len - p->out_min && fits(p, made - held)) {
			*back = made - held;
			nr++;
		}
	}
	return nr == 1 ? 0 : -ENOENT;
}

/* Are the len bytes of output from off on what the input gives with the window before them? 0 or -errno. */
static int decode(struct zwd_proof *p, size_t pos, size_t off, size_t len)
{
	size_t window_len = off < ZWD_WINDOW_LEN ? off : ZWD_WINDOW_LEN;
	z_stream *z = &p->z;
	int ret = begin(p, pos, p->out + off - window_len, window_len), code = Z_OK;

	z->next_out = p->first;
	z->avail_out = (uInt)len;
	if (!ret)
		code = zwd_soft_zlib.inflate(z, Z_SYNC_FLUSH);
	if (code == Z_MEM_ERROR)
		return -ENOMEM;
	if (!ret && (z->avail_out || memcmp(p->first, p->out + off, len)))
		ret = -ENOENT;
	return ret;
}

/*
 * The contents of a stored block are in the input as in the output. So in a file that was compressed before
 * and is stored now, the blocks of the inner stream look like blocks of this one until one ends: the output
 * has the inner header, which is missing where it is a header of this stream.
 */
static int is_before(const struct zwd_proof *p, size_t pos, size_t off, size_t len)
{
	return !memcmp(p->in + pos / 8 - len, p->out + off - len, len);
}

int zwd_proof_block(struct zwd_proof *p, size_t pos, size_t stored_len, size_t *back)
{
	struct blind blind = { 0 };
	size_t off, len;
	int ret = decode_blind(p, pos, &blind);

	if (ret)
		return ret;
	/*
	 * Three bits before any code of a fixed block may look like the header of one: the output would be the
	 * right one, up to where this block ends. Is it the last one? Only an end that was passed can tell.
	 */
	if (zwd_header_type(p->in, p->in_len, pos) == ZWD_BLOCK_FIXED && !blind.has_passed_end)
		return -ENOENT;
	len = blind.made < sizeof(p->first) ? blind.made : sizeof(p->first);
	if (!note_telling(p, len))
		return -ENOENT;
	ret = find_back(p, blind.made, back);
	if (ret)
		return ret;
	off = p->out_len - *back;
	if (stored_len > off)
		stored_len = off;
	if (stored_len && !is_before(p, pos, off, stored_len))
		return -ENOENT;
	if (blind.coded_nr < KNOWN_MIN && stored_len < STORED_MIN)
		return -ENOENT;
	return decode(p, pos, off, len < *back ? len : *back);
}
