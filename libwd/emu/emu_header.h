/* SPDX-License-Identifier: Zlib */
/* The header of a deflate block, refused where silicon and zlib refuse it. */
#ifndef EMU_HEADER_H
#define EMU_HEADER_H

#include <stdbool.h>
#include <stdint.h>

/* Readable behind what is read. */
#define EMU_HEADER_SLOP 8

enum emu_block {
	EMU_BLOCK_STORED,
	EMU_BLOCK_FIXED,
	EMU_BLOCK_DYNAMIC,
	EMU_BLOCK_BAD,
	EMU_BLOCK_CUT_OFF, /* and good as far as it is there */
};

struct emu_header {
	enum emu_block block;
	bool is_last;
	uint16_t stored_len;
	uint32_t bits_nr; /* unless it is bad or cut off */
};

/* Reads one from bit pos on; there are bits_nr bits, and EMU_HEADER_SLOP bytes more. */
struct emu_header emu_header_read(const uint8_t *in, uint32_t bits_nr, uint32_t pos);

/* The bits from pos on, 57 of them at least; EMU_HEADER_SLOP bytes are read. */
uint64_t emu_header_bits(const uint8_t *in, uint32_t pos);

#endif
