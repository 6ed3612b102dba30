/* SPDX-License-Identifier: Zlib */
/* A way back into a deflate stream that a device has read: a block of it, found and proven. */
#ifndef ZWD_ANCHOR_H
#define ZWD_ANCHOR_H

#include <stddef.h>

/* Of the input, so much at the end is looked at; more of it helps nobody. */
#define ZWD_ANCHOR_IN_MAX (1u << 20)
/* Of the output, so much is of use, with the 32 KiB before a block. */
#define ZWD_ANCHOR_OUT_MAX ((4u << 20) + 32768)

struct zwd_anchor {
	size_t in_off; /* the byte of in[] in which the block begins */
	unsigned int bits; /* 0..7: so many low bits of it belong to what goes before */
	size_t out_back; /* bytes at the end of out[] that were made from the block on */
};

/*
 * The last block, more or less, that begins in in[] and is sure. in: the last in_len bytes of raw deflate
 * that a device consumed; out: the last out_len bytes that it made of the stream, all that it has, but for
 * up to 258 bytes that it may hold back: so this is no question to be asked where it stopped for want of
 * room. A block is taken only if the 32 KiB of output before it are in out[], too; or all that there is
 * before it, with is_whole: out[] is all of the stream's output.
 *
 * 0; -ENOENT: there is none, or it cannot be told from others (output all alike), or not within the budget
 * of 4 MiB decoded; -ENOMEM. Costs up to some ms, so who gets -ENOENT asks less often. No malloc(), one
 * mapping of pages while it lasts, no pointer is kept. Any input is safe. Any threads at once.
 */
int zwd_anchor_find(const unsigned char *in, size_t in_len, const unsigned char *out, size_t out_len,
		    int is_whole, struct zwd_anchor *anchor);

#endif
