/* SPDX-License-Identifier: Zlib */
/*
 * Does a deflate block begin at a bit, and where in the output? The real zlib decodes from there: first
 * with a window of zeros, which tells how long the output is (that does not depend on the window) and
 * some of its bytes (all that are not zero); then with the window that must be the right one.
 */
#ifndef ZWD_PROOF_H
#define ZWD_PROOF_H

#include "stream/soft_zlib.h"

#define ZWD_WINDOW_LEN 32768u
/*
 * A device may have consumed input whose last code it has not put out: a match at most. Lengths of
 * output from 0 to this less than what the input makes are tried, and exactly one must fit.
 */
#define ZWD_HELD_BACK_MAX 258u
#define ZWD_PROOF_TELLING_NR 2048u
#define ZWD_PROOF_COMPARED 65536u

struct zwd_proof {
	/* The end of the input, and of the output that was made of it. */
	const unsigned char *in, *out;
	size_t in_len, out_len;
	size_t out_min; /* no block is taken that begins before this byte of out[]: its window is not all there */
	size_t budget; /* bytes that may still be decoded */
	z_stream z;
	size_t arena_used;
	/* Bytes of first[] that are not as the one before, or not as the one behind: where in it. */
	unsigned int telling_nr;
	uint32_t telling[ZWD_PROOF_TELLING_NR];
	unsigned char zeros[ZWD_WINDOW_LEN];
	unsigned char first[ZWD_PROOF_COMPARED], rest[65536];
	/* The real zlib's: 40 KB, zlib-ng's 50. malloc() may not be had here. */
	_Alignas(64) unsigned char arena[131072];
};

/* Of a proof whose first five members are set, the rest zero. 0 or -ENOMEM. */
int zwd_proof_open(struct zwd_proof *proof);

/*
 * A block at bit pos of in[]; stored_len: of the contents of the stored block before it, 0: none is known of.
 * 0: it is one, and *back bytes at the end of out[] were made from it on. -ENOENT: it is none, or nobody can
 * tell; -ENOSPC: the budget is spent; -ENOMEM.
 */
int zwd_proof_block(struct zwd_proof *proof, size_t pos, size_t stored_len, size_t *back);

void zwd_proof_close(struct zwd_proof *proof);

#endif
