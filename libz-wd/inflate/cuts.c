/* SPDX-License-Identifier: Zlib */
/* Flush points in a deflate stream. */
#include "config.h"

#include <string.h>

#include "inflate/cuts.h"

/* Behind the block's three header bits, all zero, the rest of their byte is, too: they end in the byte before. */
#define HEADER_BITS 0xe0

size_t zwd_cut_next(const unsigned char *in, size_t len, size_t from)
{
	const unsigned char *at = in + (from > 5 ? from - 1 : 4), *end = in + len;

	/* The last byte is looked for, and few others in compressed data are like it. */
	while (at < end && (at = memchr(at, 0xff, (size_t)(end - at)))) {
		if (at[-1] == 0xff && !at[-2] && !at[-3] && !(at[-4] & HEADER_BITS) &&
		    (size_t)(at - in) >= from)
			return (size_t)(at - in) + 1;
		at++;
		/* In a row of them only the second can be it. */
		while (at < end && *at == 0xff && at[-1] == 0xff && at[-2] == 0xff)
			at++;
	}
	return 0;
}
