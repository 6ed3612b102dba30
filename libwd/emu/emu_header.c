// SPDX-License-Identifier: Zlib
/* The header of a deflate block, refused where silicon and zlib refuse it (RFC 1951, 3.2.7). */
#include "config.h"
#include "emu_header.h"

#include <endian.h>
#include <string.h>

#define LITERALS_MAX  286
#define DISTANCES_MAX 30
#define LENGTHS_NR    19
#define END_OF_BLOCK  256
/* The first symbol of the code of lengths that is none: the one before again, then zeros twice. */
#define SYMBOL_AGAIN 16
/* Bits of the longest codewords: of the code of lengths, of the others. */
#define LENGTHS_BITS 7
#define CODES_BITS   15

uint64_t emu_header_bits(const uint8_t *in, uint32_t pos)
{
	uint64_t bits;

	memcpy(&bits, in + pos / 8, sizeof(bits));
	return le64toh(bits) >> pos % 8;
}

/* What the next LENGTHS_BITS bits mean: so many times (length before & mask | length). */
struct entry {
	uint8_t bits; /* of the codeword, and of the count behind it */
	uint8_t code; /* of the codeword */
	uint8_t mask;
	uint8_t length;
	uint8_t least; /* of the count */
	uint8_t more;  /* mask of the bits of it */
	uint8_t unused[2];
};

/* The code of lengths, from nr times three bits. It has to be complete. */
static bool make_table(uint64_t bits, unsigned int nr, struct entry table[1 << LENGTHS_BITS])
{
	static const uint8_t order[LENGTHS_NR] = { 16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
						   11, 4,  12, 3, 13, 2, 14, 1, 15 };
	static const uint8_t extra[] = { 2, 3, 7 }, least[] = { 3, 3, 11 };
	static const uint8_t reversed[16] = {
		0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15
	};
	uint8_t len[LENGTHS_NR] = { 0 }, count[LENGTHS_BITS + 1] = { 0 };
	unsigned int next[LENGTHS_BITS + 2] = { 0 };

	for (unsigned int i = 0; i < nr; i++, bits >>= 3) {
		len[order[i]] = bits & 7;
		count[bits & 7]++;
	}
	for (unsigned int bit = 1; bit <= LENGTHS_BITS; bit++)
		next[bit + 1] = (next[bit] + count[bit]) << 1;
	/* Codewords of one bit more could begin where all are used up. */
	if (next[LENGTHS_BITS + 1] != 2u << LENGTHS_BITS)
		return false;
	for (unsigned int symbol = 0; symbol < LENGTHS_NR; symbol++) {
		struct entry entry = { .code = len[symbol], .least = 1, .length = symbol };
		unsigned int code;

		if (!entry.code)
			continue;
		entry.bits = entry.code;
		if (symbol >= SYMBOL_AGAIN) {
			entry.bits += extra[symbol - SYMBOL_AGAIN];
			entry.more = (1 << extra[symbol - SYMBOL_AGAIN]) - 1;
			entry.least = least[symbol - SYMBOL_AGAIN];
			entry.mask = symbol == SYMBOL_AGAIN ? 15 : 0;
			entry.length = 0;
		}
		code = next[entry.code]++ << (8 - entry.code);
		code = reversed[code & 15] << 4 | reversed[code >> 4];
		for (; code < 1 << LENGTHS_BITS; code += 1u << entry.code)
			table[code] = entry;
	}
	return true;
}

/* Complete, or a single codeword of one bit, or none. count is by lengths. */
static bool is_good(const uint16_t count[CODES_BITS + 1])
{
	uint32_t space = 0;
	unsigned int longest = 0;

	for (unsigned int len = 1; len <= CODES_BITS; len++) {
		space += (uint32_t)count[len] << (CODES_BITS - len);
		if (count[len])
			longest = len;
	}
	return space == 1u << CODES_BITS || (longest <= 1 && space < 1u << CODES_BITS);
}

/* The two codes of a dynamic block; where they end, if they are good. */
static uint32_t read_codes(const uint8_t *in, uint32_t end, uint32_t pos, enum emu_block *block)
{
	const uint64_t head = emu_header_bits(in, pos);
	const unsigned int literals = (head & 31) + 257, distances = (head >> 5 & 31) + 1;
	const unsigned int lengths_nr = literals + distances, bits_nr = 3 * ((head >> 10 & 15) + 4);
	struct entry table[1 << LENGTHS_BITS];
	uint16_t literal_counts[CODES_BITS + 1] = { 0 }, distance_counts[CODES_BITS + 1] = { 0 };
	uint16_t *count = literal_counts;
	unsigned int i = 0, len = 0, stop = END_OF_BLOCK + 1;
	bool has_end = false, is_bad;

	*block = EMU_BLOCK_CUT_OFF;
	if (pos + 14 > end)
		return pos;
	*block = EMU_BLOCK_BAD;
	if (literals > LITERALS_MAX || distances > DISTANCES_MAX)
		return pos;
	pos += 14;
	if (pos + bits_nr > end) {
		*block = EMU_BLOCK_CUT_OFF;
		return pos;
	}
	if (!make_table(emu_header_bits(in, pos), bits_nr / 3, table))
		return pos;
	pos += bits_nr;
	is_bad = table[emu_header_bits(in, pos) & ((1 << LENGTHS_BITS) - 1)].mask;
	while (i < lengths_nr && pos <= end) {
		uint64_t bits = emu_header_bits(in, pos);

		/* As many as it has bits for, and no branch but such as go one way nearly always.
		 */
		for (int n = 0; n < 4 && i < lengths_nr; n++) {
			const struct entry *entry = &table[bits & ((1 << LENGTHS_BITS) - 1)];
			const unsigned int nr = entry->least + (bits >> entry->code & entry->more);

			bits >>= entry->bits;
			pos += entry->bits;
			len = (len & entry->mask) | entry->length;
			count[len] += nr;
			i += nr;
			if (i < stop)
				continue;
			if (stop == END_OF_BLOCK + 1)
				has_end = len;
			stop = literals;
			if (i < literals)
				continue;
			/* The same may go on into the second code. */
			count[len] -= i - literals;
			count = distance_counts;
			count[len] += i - literals;
			stop = UINT32_MAX;
		}
	}
	if (pos > end)
		*block = EMU_BLOCK_CUT_OFF;
	else if (!is_bad && i == lengths_nr && has_end && is_good(literal_counts) &&
		 is_good(distance_counts))
		*block = EMU_BLOCK_DYNAMIC;
	return pos;
}

/* The length of a stored block, twice. */
static void read_length(const uint8_t *in, uint32_t end, uint32_t pos, struct emu_header *header)
{
	const uint64_t bits = emu_header_bits(in, pos);

	if (pos + 32 > end)
		return;
	header->stored_len = bits & 0xffff;
	header->block =
		(bits >> 16 & 0xffff) == (~bits & 0xffff) ? EMU_BLOCK_STORED : EMU_BLOCK_BAD;
}

struct emu_header emu_header_read(const uint8_t *in, uint32_t bits_nr, uint32_t pos)
{
	struct emu_header header = { .block = EMU_BLOCK_CUT_OFF };
	const uint32_t start = pos;
	const uint64_t bits = emu_header_bits(in, pos);

	if (pos + 3 > bits_nr)
		return header;
	header.is_last = bits & 1;
	pos += 3;
	switch (bits >> 1 & 3) {
	case 0:
		pos = (pos + 7) / 8 * 8;
		read_length(in, bits_nr, pos, &header);
		pos += 32;
		break;
	case 1:
		header.block = EMU_BLOCK_FIXED;
		break;
	case 2:
		pos = read_codes(in, bits_nr, pos, &header.block);
		break;
	default:
		header.block = EMU_BLOCK_BAD;
	}
	header.bits_nr = pos - start;
	return header;
}
