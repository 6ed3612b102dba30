/* SPDX-License-Identifier: Zlib */
/* Bits of a deflate stream at any place, as RFC 1951 counts them: the lowest of a byte is the first. */
#ifndef ZWD_BITS_H
#define ZWD_BITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t zwd_load64(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

/* 57 bits at least, from bit pos on. 8 bytes from the first one's on are read. */
static inline uint64_t zwd_bits(const unsigned char *in, size_t pos)
{
	return zwd_load64(in + (pos >> 3)) >> (pos & 7);
}

/* The same where in[len] may be near: there are zeros behind the end. */
static inline uint64_t zwd_bits_within(const unsigned char *in, size_t len, size_t pos)
{
	unsigned char last[8] = { 0 };
	size_t off = pos >> 3;

	if (off + sizeof(last) <= len)
		return zwd_bits(in, pos);
	if (off < len)
		memcpy(last, in + off, len - off);
	return zwd_load64(last) >> (pos & 7);
}

#endif
