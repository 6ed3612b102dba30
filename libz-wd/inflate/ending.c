/* SPDX-License-Identifier: Zlib */
/* How much of a gzip trailer a device has read, and whether the checksum in it is right. */
#include "config.h"

#include <errno.h>

#include "inflate/ending.h"

#define CHECK_LEN 4u
#define TRAILER_LEN 8u

/* Is that the checksum in a trailer of which so much was read, at least all of the checksum? */
static int is_check(uint64_t tail, size_t trailer, uint32_t check)
{
	/* It has its lowest byte first, and the byte read last is the lowest of tail. */
	return (uint32_t)(tail >> 8 * (trailer - CHECK_LEN)) == __builtin_bswap32(check);
}

/* Of a trailer that makes sense: so much of it was read. 0: less, or it makes none. */
static size_t find_check(uint64_t tail, size_t most, uint32_t check)
{
	/* Of no output it is zero, and so may be what is around it. */
	for (size_t trailer = CHECK_LEN; check && trailer <= most && trailer < TRAILER_LEN; trailer++)
		if (is_check(tail, trailer, check))
			return trailer;
	return 0;
}

/*
 * The first result behind the end of the body. Where that is, is known when a single byte was read. Till
 * then it is tried with less, down to where the end is likely not yet; what looks like a checksum tells no
 * more, since damage may have moved it. 0, -EAGAIN, -ENODATA.
 */
static int find_end(const struct wd_zip_res *res, uint64_t tail, uint32_t check, struct zwd_ending *next)
{
	size_t most = next->read ? next->read - 1 : 0;
	size_t less = find_check(tail, most, check) + 1;

	next->trailer = 0;
	if (!most)
		return 0;
	if (res->consumed < 2 || next->tries == TRAILER_LEN)
		return -ENODATA;
	next->most = less < res->consumed ? res->consumed - (uint32_t)less : 1;
	next->tries++;
	return -EAGAIN;
}

int zwd_ending_judge(const struct zwd_inflate *i, const void *ctx, const struct wd_zip_res *res, uint64_t tail,
		     uint32_t check, struct zwd_ending *next)
{
	size_t before = i->ending.is_behind ? i->ending.trailer : 0;
	int ret = 0;

	*next = i->ending;
	if (i->format != WD_ZIP_GZIP || res->status == WD_ZIP_END)
		return 0;
	next->read += res->consumed;
	if (res->status == WD_ZIP_OK && wd_zip_ctx_is_body_over(ctx)) {
		if (next->is_behind) {
			next->trailer += res->consumed;
		} else {
			ret = find_end(res, tail, check, next);
			next->is_behind = !ret;
			if (ret == -EAGAIN) {
				next->read = i->ending.read;
				return ret;
			}
		}
		if (!ret && before < CHECK_LEN && next->trailer >= CHECK_LEN && next->trailer < TRAILER_LEN &&
		    !is_check(tail, next->trailer, check))
			return -EBADMSG;
	} else if (res->status == WD_ZIP_OK) {
		next->read = 0;
		next->is_next |= next->tries && res->consumed == next->most;
	}
	next->most = next->is_next && !next->is_behind;
	next->tries = 0;
	return ret;
}
