/* SPDX-License-Identifier: Zlib */
/*
 * The end of a gzip stream whose input ends within the trailer. zlib says that the checksum is wrong as soon as
 * its four bytes are there; a device reads on, and says so when it has the length, too. So where one has
 * read the end of the body, the checksum is compared here, when all of it was read. How much of the
 * trailer that was, a device does not tell; a request with less input does.
 */
#ifndef ZWD_ENDING_H
#define ZWD_ENDING_H

#include <wd_zip.h>

#include "stream/zstream.h"

/* The last eight bytes read, with these. */
static inline uint64_t zwd_ending_tail(uint64_t tail, const unsigned char *in, size_t len)
{
	for (size_t at = len < 8 ? 0 : len - 8; at < len; at++)
		tail = tail << 8 | in[at];
	return tail;
}

/* Are the last bytes read the trailer of so many plain bytes of this check? Of a raw stream there is none: no. */
static inline int zwd_ending_is_trailer(int format, uint64_t tail, uint32_t check, uint64_t len)
{
	if (format == WD_ZIP_ZLIB)
		return (uint32_t)tail == check;
	return format == WD_ZIP_GZIP && tail == __builtin_bswap64((uint64_t)(uint32_t)len << 32 | check);
}

/*
 * A result that read so many bytes, of which tail are the last, and what the stream's plain bytes up to here
 * are checked by. 0, and *next is where the stream is if the result counts; -EBADMSG: the checksum is wrong;
 * -EAGAIN: to be known with the same input again, but no more of it than *next says; -ENODATA: it cannot
 * be known, and *next is where it is if the result counts all the same.
 */
int zwd_ending_judge(const struct zwd_inflate *i, const void *ctx, const struct wd_zip_res *res, uint64_t tail,
		     uint32_t check, struct zwd_ending *next);

#endif
