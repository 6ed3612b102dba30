/* SPDX-License-Identifier: Zlib */
/* Does a deflate block begin at a bit? What its header alone tells. */
#include "config.h"

#include <stdint.h>

#include "inflate/bits.h"
#include "inflate/header.h"

#define LENGTHS_NR 19u
#define LITERALS_MAX 286u
#define DISTANCES_MAX 30u
#define END_OF_BLOCK 256u
/* All code space, in units of the longest codes: 7 bits for lengths, 15 for the others. */
#define LENGTHS_SPACE 128u
#define CODES_SPACE 32768u

/* One of the two codes of a dynamic block, as far as it is known. */
struct code {
	uint32_t space; /* that its codewords take */
	unsigned int longest;
};

enum zwd_block zwd_header_type(const unsigned char *in, size_t len, size_t pos)
{
	if (pos + 3 > len * 8)
		return ZWD_BLOCK_NONE;
	return (enum zwd_block)(zwd_bits_within(in, len, pos) >> 1 & 3);
}

static void add(struct code *code, unsigned int length, unsigned int nr)
{
	if (!length)
		return;
	code->space += nr << (15 - length);
	if (length > code->longest)
		code->longest = length;
}

/* zlib's rule: complete, or a single codeword of one bit, or none (there is one for the end of block). */
static int is_complete(const struct code *code)
{
	return code->space == CODES_SPACE || code->longest <= 1;
}

/* The code of the code lengths by its next 7 bits: symbol, and its length << 5. Whether it is complete. */
static int read_lengths(uint64_t bits, unsigned int nr, uint8_t table[LENGTHS_SPACE])
{
	static const uint8_t order[LENGTHS_NR] = { 16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
						   11, 4,  12, 3, 13, 2, 14, 1, 15 };
	static const uint8_t reversed[8] = { 0, 4, 2, 6, 1, 5, 3, 7 };
	uint8_t lengths[LENGTHS_NR] = { 0 }, nr_of[8] = { 0 }, next[8];
	unsigned int space = 0;

	for (unsigned int n = 0; n < nr; n++, bits >>= 3) {
		lengths[order[n]] = bits & 7;
		nr_of[bits & 7]++;
	}
	for (unsigned int length = 1; length <= 7; length++) {
		next[length] = (uint8_t)space;
		space += nr_of[length] * (LENGTHS_SPACE >> length);
		if (space > LENGTHS_SPACE)
			return 0;
	}
	if (space != LENGTHS_SPACE)
		return 0;
	for (unsigned int n = 0; n < LENGTHS_NR; n++) {
		unsigned int length = lengths[n], first;

		if (!length)
			continue;
		/* Of 7 bits, the highest is the first. */
		first = next[length];
		next[length] = (uint8_t)(first + (LENGTHS_SPACE >> length));
		first = (unsigned int)(reversed[first & 7] << 4 | (first & 8) | reversed[first >> 4]);
		for (; first < LENGTHS_SPACE; first += 1u << length)
			table[first] = (uint8_t)(n | length << 5);
	}
	return 1;
}

enum codes { CODES_BAD, CODES_CUT_OFF, CODES_GOOD };

static enum codes read_codes(const unsigned char *in, size_t len, size_t pos)
{
	uint64_t bits = zwd_bits_within(in, len, pos) >> 3;
	unsigned int literals_nr = (bits & 31) + 257, distances_nr = (bits >> 5 & 31) + 1;
	unsigned int lengths_nr = (bits >> 10 & 15) + 4, length = 0, has_end = 0;
	struct code literals = { 0 }, distances = { 0 };
	uint8_t table[LENGTHS_SPACE];

	if (pos + 17 > len * 8)
		return CODES_CUT_OFF;
	if (literals_nr > LITERALS_MAX || distances_nr > DISTANCES_MAX)
		return CODES_BAD;
	if (pos + 17 + 3 * lengths_nr > len * 8)
		return CODES_CUT_OFF;
	if (!read_lengths(zwd_bits_within(in, len, pos + 17), lengths_nr, table))
		return CODES_BAD;
	pos += 17 + 3 * lengths_nr;
	for (unsigned int n = 0; n < literals_nr + distances_nr;) {
		unsigned int symbol, nr = 1, of_literals;

		bits = zwd_bits_within(in, len, pos);
		symbol = table[bits & 127] & 31;
		pos += table[bits & 127] >> 5;
		bits >>= table[bits & 127] >> 5;
		if (symbol < 16) {
			length = symbol;
		} else if (symbol == 16) {
			nr = 3 + (bits & 3);
			pos += 2;
		} else {
			length = 0;
			nr = symbol == 17 ? 3 + (bits & 7) : 11 + (bits & 127);
			pos += symbol == 17 ? 3 : 7;
		}
		if (pos > len * 8)
			return CODES_CUT_OFF;
		if ((symbol == 16 && !n) || n + nr > literals_nr + distances_nr)
			return CODES_BAD;
		has_end |= n <= END_OF_BLOCK && END_OF_BLOCK < n + nr && length;
		of_literals = n >= literals_nr ? 0 : nr < literals_nr - n ? nr : literals_nr - n;
		add(&literals, length, of_literals);
		if (nr > of_literals)
			add(&distances, length, nr - of_literals);
		if (literals.space > CODES_SPACE || distances.space > CODES_SPACE)
			return CODES_BAD;
		n += nr;
	}
	return has_end && is_complete(&literals) && is_complete(&distances) ? CODES_GOOD : CODES_BAD;
}

int zwd_header_has_codes(const unsigned char *in, size_t len, size_t pos)
{
	return read_codes(in, len, pos) == CODES_GOOD;
}

int zwd_header_has_bad_codes(const unsigned char *in, size_t len, size_t pos)
{
	return read_codes(in, len, pos) == CODES_BAD;
}

int zwd_header_is_credible(const unsigned char *in, size_t len, size_t pos)
{
	uint64_t bits;

	switch (zwd_header_type(in, len, pos)) {
	case ZWD_BLOCK_STORED:
		pos = (pos + 3 + 7) & ~(size_t)7;
		bits = zwd_bits_within(in, len, pos);
		return pos + 32 <= len * 8 && ((bits ^ bits >> 16) & 0xffff) == 0xffff;
	case ZWD_BLOCK_FIXED:
		return 1;
	case ZWD_BLOCK_DYNAMIC:
		return zwd_header_has_codes(in, len, pos);
	case ZWD_BLOCK_NONE:
		break;
	}
	return 0;
}
