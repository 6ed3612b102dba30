/* SPDX-License-Identifier: Zlib */
/* What a device reads before the rest of a stream that it did not begin. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "engine/qpool.h"
#include "inflate/prefix.h"

#define STORED_HEAD 5
#define FIXED_BITS 10
/* An empty dynamic block whose bits are odd in number: all codes are complete. */
#define DYNAMIC_BITS 103

struct writer {
	unsigned char *to;
	size_t bits;
};

static void put(struct writer *w, unsigned int value, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++, w->bits++) {
		if (!(w->bits % 8))
			w->to[w->bits / 8] = 0;
		w->to[w->bits / 8] |= (unsigned char)((value >> i & 1) << w->bits % 8);
	}
}

/* Codes go with their first bit first. */
static void put_run_of_zeros(struct writer *w, unsigned int nr)
{
	put(w, 3, 2); /* symbol 18: code 11 */
	put(w, nr - 11, 7);
}

static void put_dynamic(struct writer *w)
{
	put(w, 2 << 1, 3);
	put(w, 257 - 257, 5); /* literals and lengths */
	put(w, 2 - 1, 5);     /* distances */
	put(w, 18 - 4, 4);    /* lengths of the code for the lengths, in the order of RFC 1951 */
	for (unsigned int i = 0; i < 18; i++)
		put(w, i == 2 || i == 3 ? 2 : i == 17 ? 1 : 0, 3); /* 18 and 0: 2 bits, 1: one bit */
	put_run_of_zeros(w, 138);
	put_run_of_zeros(w, 100);
	put_run_of_zeros(w, 17);
	put(w, 0, 1); /* 255 and the end of the block: one bit each */
	put(w, 0, 1);
	put(w, 0, 1); /* two distances: likewise */
	put(w, 0, 1);
	put(w, 1, 1); /* the end of the block */
}

/* Empty blocks up to the bit of the place. */
static size_t pad_bits(const struct zwd_place *place)
{
	size_t want = (8 - place->bits) % 8, bits = want % 2 ? DYNAMIC_BITS : 0;

	while (bits % 8 != want)
		bits += FIXED_BITS;
	return bits;
}

size_t zwd_prefix_len(const struct zwd_place *place)
{
	if (!place->in)
		return 0;
	return STORED_HEAD + place->window_len + (pad_bits(place) + 7) / 8;
}

void zwd_prefix_write(const struct zwd_place *place, unsigned char *to)
{
	size_t len = place->window_len, bits = pad_bits(place);
	struct writer w = { .to = to + STORED_HEAD + len };

	if (!place->in)
		return;
	to[0] = 0;
	to[1] = (unsigned char)len;
	to[2] = (unsigned char)(len >> 8);
	to[3] = (unsigned char)~len;
	to[4] = (unsigned char)(~len >> 8);
	if (len)
		memcpy(to + STORED_HEAD, place->window, len);
	if (bits % 2)
		put_dynamic(&w);
	while (w.bits < bits) {
		put(&w, 1 << 1, 3);
		put(&w, 0, 7);
	}
	if (place->bits)
		put(&w, place->byte >> (8 - place->bits), place->bits);
}

int zwd_prefix_run(struct zwd_lane *lane, int format, const struct zwd_place *place)
{
	struct wd_zip_req req = {
		.src = lane->src,
		.dst = lane->dst,
		.ctx = lane->ctx,
		.src_len = (uint32_t)zwd_prefix_len(place),
		.dst_len = (uint32_t)lane->dst_len,
		.format = (uint8_t)format,
		.flags = WD_ZIP_STREAM | WD_ZIP_NEW,
	};
	struct wd_zip_res res;
	int ret;

	zwd_prefix_write(place, lane->src);
	ret = zwd_qpool_run(lane, &req, &res);
	if (ret)
		return ret;
	if (res.status != WD_ZIP_OK || res.consumed != req.src_len || res.produced != place->window_len ||
	    (res.produced && memcmp(lane->dst, place->window, res.produced)))
		return -EIO;
	wd_zip_ctx_set_sum(lane->ctx, (enum wd_zip_format)format, place->check, (uint32_t)place->out);
	return 0;
}
