/* SPDX-License-Identifier: Zlib */
/* A sound stream of any length that is never in memory as a whole, nor is what it inflates to. */
#ifndef ENDLESS_H
#define ENDLESS_H

#include "helpers.h"

enum endless_kind {
	ENDLESS_TEXT,  /* to about a third */
	ENDLESS_NOISE, /* to seven eighths: much input */
	ENDLESS_KINDS
};

enum { ENDLESS_TILE = 256 << 10 }; /* plain bytes that endless_more() adds */

struct endless {
	enum endless_kind kind;
	int wbits;	      /* 15, 31, -15 */
	int has_flush_points; /* 00 00 ff ff after each tile; else no block begins at a byte but by
				 chance */
	unsigned int hold, hold_bits;
	uint64_t tile_nr, plain_len;
	uLong check;
	struct buf packed; /* what the latest call made */
};

void endless_begin(struct endless *e, enum endless_kind kind, int wbits, int has_flush_points);
void endless_more(struct endless *e);
/* The last block and the trailer. */
void endless_end(struct endless *e);
void endless_free(struct endless *e);

/* The plain text at pos, and how much of it lies in one piece. */
const unsigned char *endless_plain(enum endless_kind kind, uint64_t pos, size_t *len);
/* Fails unless these are the bytes at pos. */
void endless_check(enum endless_kind kind, uint64_t pos, const unsigned char *data, size_t len);

#endif
