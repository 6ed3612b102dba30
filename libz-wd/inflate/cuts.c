/* SPDX-License-Identifier: Zlib */
/* Flush points in a deflate stream. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "engine/qpool.h"
#include "inflate/cuts.h"

/* Of the byte before the lengths: three bits of header at least, or what fills it up behind them. All are zero. */
#define HEADER_BITS 0xe0
#define CHUNK 64
/* After parts in vain so much input is body serial's alone; each time twice as much. */
#define QUIET_MIN 262144u
#define QUIET_MAX (1ull << 40)

/* Do two bytes of ones in a row end at one of the CHUNK bytes at at? In compressed data they seldom do. */
static int has_ones(const unsigned char *at)
{
	unsigned char ones = 0;

	/* Of a fixed number, and without an end: all at once, where a machine can. */
	for (int n = 0; n < CHUNK; n++)
		ones |= (unsigned char)((at[n - 1] & at[n]) == 0xff ? 1 : 0);
	return ones;
}

size_t zwd_cut_next(const unsigned char *in, size_t len, size_t from)
{
	const unsigned char *at = in + (from > 5 ? from - 1 : 4), *end = in + len;

	while (at < end) {
		const unsigned char *stop = end - at > CHUNK ? at + CHUNK : end;

		if (stop - at == CHUNK && !has_ones(at)) {
			at = stop;
			continue;
		}
		for (; at < stop; at++)
			if (at[0] == 0xff && at[-1] == 0xff && !at[-2] && !at[-3] &&
			    !(at[-4] & HEADER_BITS) && (size_t)(at - in) >= from)
				return (size_t)(at - in) + 1;
	}
	return 0;
}

size_t zwd_cut_part(const struct zwd_inflate *i, const unsigned char *in, size_t in_len, size_t spare,
		    int *is_joined)
{
	size_t most = ZWD_LANE_INFLATE_LEN - spare, len = 0, enough = ZWD_PART_IN;

	if (most > in_len)
		most = in_len;
	/* It may expand far more than is usual. */
	if (!i->parts.last_in && !i->last_in)
		enough /= 2;
	*is_joined = 0;
	for (;;) {
		size_t end = zwd_cut_next(in, most, len + 1);

		if (!end)
			return 0;
		if (len && zwd_cut_expect(i, end) > ZWD_LANE_INFLATE_LEN)
			return len;
		*is_joined = len != 0;
		len = end;
		if (len >= enough || zwd_cut_expect(i, len) >= ZWD_PART_OUT)
			return len;
	}
}

void zwd_cut_note(struct zwd_inflate *i, size_t in, size_t out)
{
	if (!in)
		return;
	i->parts.last_in = (uint32_t)in;
	i->parts.last_out = (uint32_t)out;
}

/* The stream is of another kind, for a while. */
static uint64_t back_off(struct zwd_inflate *i)
{
	i->parts.is_proven = 0;
	i->parts.quiet_len *= 2;
	if (i->parts.quiet_len < QUIET_MIN)
		i->parts.quiet_len = QUIET_MIN;
	if (i->parts.quiet_len > QUIET_MAX)
		i->parts.quiet_len = QUIET_MAX;
	return i->parts.quiet_len;
}

void zwd_cut_plan(struct zwd_inflate *i, size_t left, int err)
{
	uint64_t quiet;

	switch (err) {
	case 0:
		quiet = 1;
		break;
	case -ENOENT:
		/* There may be some in what follows; if not, looking has its price. */
		quiet = left < QUIET_MIN ? left : back_off(i);
		break;
	case -EBADMSG:
	case -ENOSPC:
		quiet = back_off(i);
		break;
	case -E2BIG:
		quiet = i->parts.last_in; /* shorter ones then */
		break;
	case -ENOBUFS:
	case -ENOMEM:
	case -EBUSY:
		quiet = QUIET_MIN / 2;
		break;
	default:
		quiet = QUIET_MIN;
	}
	i->parts.at = i->keep.to + quiet;
}
