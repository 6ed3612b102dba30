/* SPDX-License-Identifier: Zlib */
/* Where in a deflate stream, read from its middle, blocks may begin. Nothing here proves that one does. */
#ifndef ZWD_SCAN_H
#define ZWD_SCAN_H

#include <stddef.h>
#include <stdint.h>

#define ZWD_SCAN_NONE SIZE_MAX
/* So near to the end of in[] nothing is looked for: a search reads ahead. */
#define ZWD_SCAN_MARGIN 32u
#define ZWD_SCAN_FIXED_NR 16u

struct zwd_scan {
	uint8_t space[4096]; /* of four code lengths of 3 bits: what their codewords take, 128 is all; 255: more */
	uint64_t lengths[16]; /* by HCLEN: the bits of so many code lengths */
	uint16_t fixed[512]; /* the fixed code by its next 9 bits: a kind, and how many bits up to the next code */
};

void zwd_scan_init(struct zwd_scan *scan);

/*
 * The last bit of [from, to) at which a dynamic block may begin, and does but for one place in some
 * thousand millions; a stream's last block, or any other. Or ZWD_SCAN_NONE.
 */
size_t zwd_scan_dynamic(const struct zwd_scan *scan, const unsigned char *in, size_t len, int is_final,
			size_t from, size_t to);

/*
 * The last byte of [from, to) that may be the first of a stored block's four of length, where what follows
 * its contents is in in[] and may be a block: in contents that are no stream this is wrong seldom, but it
 * is. Or ZWD_SCAN_NONE.
 */
size_t zwd_scan_stored(const unsigned char *in, size_t len, size_t from, size_t to);

/* The bit after the stored block whose four bytes of length are at off. */
static inline size_t zwd_scan_stored_end(const unsigned char *in, size_t off)
{
	return (off + 4 + in[off] + ((size_t)in[off + 1] << 8)) * 8;
}

/* Ends of fixed blocks: the bits behind them, the last of so many, none nearer to the next than 512 bytes. */
struct zwd_scan_ends {
	unsigned int nr;
	int is_fixed; /* what in[] ends with is within a fixed block */
	size_t bits[ZWD_SCAN_FIXED_NR];
};

/*
 * Reads in[] from byte from on as if it were within a fixed block: any bit will do, for wrong codes come into
 * step soon, or are none.
 */
void zwd_scan_fixed(const struct zwd_scan *scan, const unsigned char *in, size_t len, size_t from,
		    struct zwd_scan_ends *ends);

#endif
