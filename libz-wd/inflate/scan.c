/* SPDX-License-Identifier: Zlib */
/* Where in a deflate stream, read from its middle, blocks may begin. Nothing here proves that one does. */
#include "config.h"

#include <string.h>

#include "inflate/bits.h"
#include "inflate/header.h"
#include "inflate/scan.h"

/* Bit positions that are tested at once: as many as a word has beside the 13 bits that are looked at. */
#define GROUP_BYTES 6u
#define GROUP_BITS (8 * GROUP_BYTES)
#define SPACE_ALL 128u

/* What in[] has within a fixed block. Beside a length: all bits up to its distance's code. */
enum kind { LITERAL, LENGTH, END, WRONG };
#define KIND_SHIFT 8
/* So many wrong codes, and this is no fixed block; so many right ones, and the next is in step. */
#define WRONG_MAX 64u
#define IN_STEP_NR 256u
/* Ends nearer to each other than this are not all told. */
#define ENDS_APART (512u * 8)

void zwd_scan_init(struct zwd_scan *scan)
{
	for (unsigned int n = 0; n < sizeof(scan->space); n++) {
		unsigned int space = (n & 7 ? SPACE_ALL >> (n & 7) : 0) + (n > 7 ? scan->space[n >> 3] : 0);

		scan->space[n] = (uint8_t)(space < 255 ? space : 255);
	}
	for (unsigned int hclen = 0; hclen < 16; hclen++)
		scan->lengths[hclen] = (UINT64_C(1) << 3 * (hclen + 4)) - 1;
	for (unsigned int n = 0; n < 512; n++) {
		unsigned int code = 0, kind = LITERAL, bits = 8;

		/* Huffman codes begin with their highest bit. */
		for (unsigned int bit = 0; bit < 9; bit++)
			code |= (n >> bit & 1) << (8 - bit);
		if (code < 0x018 * 4) { /* 0000000 to 0010111: 256 to 279 */
			unsigned int symbol = code / 4;

			kind = symbol ? LENGTH : END;
			bits = 7 + (symbol > 8 ? (symbol - 5) / 4 : 0);
		} else if (code >= 0x0c0 * 2 && code < 0x0c8 * 2) { /* 11000000 to 11000111: 280 to 287 */
			unsigned int symbol = code / 2 - 0x0c0 + 24;

			kind = symbol < 30 ? LENGTH : WRONG;
			bits = 8 + (symbol < 29 ? (symbol - 5) / 4 : 0);
		} else if (code >= 0x190) {
			bits = 9;
		}
		scan->fixed[n] = (uint16_t)(kind << KIND_SHIFT | bits);
	}
}

/* Bits of 48 at which BTYPE is 10, and neither HLIT nor HDIST is 30 or 31. */
static uint64_t may_be_dynamic(uint64_t w)
{
	uint64_t pairs = w & w >> 1, fours = pairs & pairs >> 2;

	return ~(w >> 1) & w >> 2 & ~(fours >> 4) & ~(fours >> 9);
}

/* Is the code of the code lengths, of which there are HCLEN + 4, complete? Most of a search is this. */
static inline int has_lengths(const struct zwd_scan *scan, uint64_t bits, unsigned int hclen)
{
	bits &= scan->lengths[hclen];
	return scan->space[bits & 4095] + scan->space[bits >> 12 & 4095] + scan->space[bits >> 24 & 4095] +
		       scan->space[bits >> 36 & 4095] + scan->space[bits >> 48] ==
	       SPACE_ALL;
}

/* The last of the bits found from first on, the first one's in word, at which there are codes. */
static size_t last_with_codes(const struct zwd_scan *scan, const unsigned char *in, size_t len, size_t first,
			      uint64_t word, uint64_t found)
{
	size_t last = ZWD_SCAN_NONE;

	for (; found; found &= found - 1) {
		unsigned int bit = (unsigned int)__builtin_ctzll(found);

		if (has_lengths(scan, zwd_bits(in, first + bit + 17), word >> (bit + 13) & 15) &&
		    zwd_header_has_codes(in, len, first + bit))
			last = first + bit;
	}
	return last;
}

size_t zwd_scan_dynamic(const struct zwd_scan *scan, const unsigned char *in, size_t len, int is_final,
			size_t from, size_t to)
{
	uint64_t not_wanted = is_final ? UINT64_MAX : 0;

	if (len < ZWD_SCAN_MARGIN)
		return ZWD_SCAN_NONE;
	if (to > (len - ZWD_SCAN_MARGIN) * 8)
		to = (len - ZWD_SCAN_MARGIN) * 8;
	while (to > from) {
		size_t end = (to + 7) / 8, first = end > GROUP_BYTES ? (end - GROUP_BYTES) * 8 : 0, last;
		uint64_t word = zwd_load64(in + first / 8);
		uint64_t found = may_be_dynamic(word) & ~(word ^ not_wanted);

		found &= (UINT64_C(1) << (to - first)) - 1;
		if (first < from)
			found &= ~((UINT64_C(1) << (from - first)) - 1);
		last = last_with_codes(scan, in, len, first, word, found);
		if (last != ZWD_SCAN_NONE)
			return last;
		to = first;
	}
	return ZWD_SCAN_NONE;
}

/* Bytes of a word, by their highest bits, at which LEN and NLEN may begin: of the first five. */
static uint64_t may_be_stored(const unsigned char *in)
{
	const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
	uint64_t word = zwd_load64(in), differ, zero;

	/* Bytes that equal the inverse of the second next: none of their bits is set. */
	differ = ~(word ^ word >> 16);
	zero = ~(((differ & low) + low) | differ | low);
	return zero & zero >> 8 & UINT64_C(0x8080808080);
}

size_t zwd_scan_stored(const unsigned char *in, size_t len, size_t from, size_t to)
{
	if (len < ZWD_SCAN_MARGIN)
		return ZWD_SCAN_NONE;
	if (to > len - ZWD_SCAN_MARGIN)
		to = len - ZWD_SCAN_MARGIN;
	while (to > from) {
		size_t first = to > 5 ? to - 5 : 0;
		uint64_t found = may_be_stored(in + first);

		while (found) {
			unsigned int byte = (63 - (unsigned int)__builtin_clzll(found)) / 8;
			size_t off = first + byte;

			found ^= UINT64_C(0x80) << 8 * byte;
			if (off >= from && off < to && zwd_scan_stored_end(in, off) < len * 8 &&
			    zwd_header_is_credible(in, len, zwd_scan_stored_end(in, off)))
				return off;
		}
		to = first;
	}
	return ZWD_SCAN_NONE;
}

/* Of the code at pos: how many bits it takes, its distance's included. */
static unsigned int read_fixed(const struct zwd_scan *scan, uint64_t bits, unsigned int *kind)
{
	unsigned int entry = scan->fixed[bits & 511], nr = entry & ((1u << KIND_SHIFT) - 1), distance;

	*kind = entry >> KIND_SHIFT;
	if (*kind != LENGTH)
		return nr;
	distance = bits >> nr & 31; /* its highest bit first */
	if ((distance & 15) == 15) {
		*kind = WRONG; /* 30 or 31 */
		return nr;
	}
	distance = (distance & 1) << 4 | (distance & 2) << 2 | (distance & 4) | (distance & 8) >> 2 |
		   distance >> 4;
	return nr + 5 + (distance > 3 ? distance / 2 - 1 : 0);
}

static void note_end(struct zwd_scan_ends *ends, size_t bit)
{
	if (ends->nr && bit - ends->bits[ends->nr - 1] < ENDS_APART)
		return;
	if (ends->nr == ZWD_SCAN_FIXED_NR)
		memmove(ends->bits, ends->bits + 1, --ends->nr * sizeof(ends->bits[0]));
	ends->bits[ends->nr++] = bit;
}

void zwd_scan_fixed(const struct zwd_scan *scan, const unsigned char *in, size_t len, size_t from,
		    struct zwd_scan_ends *ends)
{
	unsigned int wrong_nr = 0, right_nr = 0;
	size_t pos = from * 8, end;

	ends->nr = 0;
	ends->is_fixed = 0;
	if (len < ZWD_SCAN_MARGIN)
		return;
	end = (len - ZWD_SCAN_MARGIN) * 8;
	while (pos < end && wrong_nr < WRONG_MAX) {
		unsigned int kind, nr = read_fixed(scan, zwd_bits(in, pos), &kind);

		if (kind == END) {
			if (right_nr >= IN_STEP_NR && zwd_header_is_credible(in, len, pos + nr))
				note_end(ends, pos + nr);
			if (zwd_header_type(in, len, pos + nr) == ZWD_BLOCK_FIXED)
				nr += 3;
			else
				kind = WRONG;
		}
		if (kind == WRONG) {
			wrong_nr++;
			right_nr = 0;
			pos++;
		} else {
			right_nr++;
			pos += nr;
		}
	}
	ends->is_fixed = pos >= end && right_nr >= IN_STEP_NR;
}
