/* SPDX-License-Identifier: Zlib */
/* Software beside a device: it reads all the device reads, and its output is compared. */
#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "engine/lease.h"
#include "inflate/shadow.h"
#include "operate/settings.h"

/* What software made before the device did: that may hold back some. */
#define SURPLUS_LEN 32768u
/* inflate() in data_type: it stands between two blocks. */
#define BLOCK_ENDED 128

struct zwd_shadow {
	z_stream z;
	int is_end; /* of the body */
	size_t trailer_len; /* read behind it */
	size_t off, len; /* of surplus */
	unsigned char surplus[SURPLUS_LEN];
};

/* One in so many streams. */
static int is_chosen(void)
{
	static _Atomic unsigned int streams;
	unsigned int every = zwd_settings()->verify;

	return every && !(atomic_fetch_add_explicit(&streams, 1, memory_order_relaxed) % every);
}

void zwd_shadow_begin(struct zwd_stream *s)
{
	const struct zwd_place *place = &s->i.keep.begin;
	struct zwd_shadow *shadow;
	int ret;

	zwd_shadow_drop(s);
	if (!is_chosen())
		return;
	shadow = zwd_lease_alloc(s, sizeof(*shadow));
	if (!shadow)
		return;
	shadow->is_end = 0;
	shadow->trailer_len = 0;
	shadow->off = shadow->len = 0;
	memset(&shadow->z, 0, sizeof(shadow->z));
	shadow->z.zalloc = zwd_lease_zalloc;
	shadow->z.zfree = zwd_lease_zfree;
	shadow->z.opaque = s;
	ret = zwd_soft_zlib.inflateInit2_(&shadow->z, -15, ZLIB_VERSION, sizeof(shadow->z));
	if (ret != Z_OK) {
		zwd_lease_free(s, shadow);
		return;
	}
	s->i.shadow = shadow;
	if (place->bits)
		ret = zwd_soft_zlib.inflatePrime(&shadow->z, place->bits,
						 place->byte >> (8 - place->bits));
	/* Also of no length: it has its window from here on, and asks the caller for nothing later. */
	if (ret == Z_OK)
		ret = zwd_soft_zlib.inflateSetDictionary(&shadow->z,
							 place->window ? place->window : shadow->surplus,
							 place->window_len);
	if (ret != Z_OK)
		zwd_shadow_drop(s);
}

static void run(struct zwd_shadow *shadow)
{
	shadow->is_end |= zwd_soft_zlib.inflate(&shadow->z, Z_SYNC_FLUSH) == Z_STREAM_END;
}

/* Software makes more, up to SURPLUS_LEN; nothing is left of what it made before. 0: there is some. */
static int refill(struct zwd_shadow *shadow)
{
	shadow->off = 0;
	shadow->z.next_out = shadow->surplus;
	shadow->z.avail_out = SURPLUS_LEN;
	run(shadow);
	shadow->len = SURPLUS_LEN - shadow->z.avail_out;
	return shadow->len ? 0 : -ENODATA;
}

static int is_same(struct zwd_shadow *shadow, const unsigned char *out, size_t out_len)
{
	while (out_len) {
		size_t len;

		if (!shadow->len && refill(shadow))
			return 0;
		len = shadow->len < out_len ? shadow->len : out_len;
		if (memcmp(shadow->surplus + shadow->off, out, len))
			return 0;
		shadow->off += len;
		shadow->len -= len;
		out += len;
		out_len -= len;
	}
	return 1;
}

/* The rest of the input has been read by the device. */
static void read_rest(struct zwd_shadow *shadow)
{
	size_t room;

	if (!shadow->len)
		refill(shadow);
	if (!shadow->z.avail_in)
		return;
	room = SURPLUS_LEN - shadow->len;
	memmove(shadow->surplus, shadow->surplus + shadow->off, shadow->len);
	shadow->off = 0;
	shadow->z.next_out = shadow->surplus + shadow->len;
	shadow->z.avail_out = (uInt)room;
	run(shadow);
	shadow->len += room - shadow->z.avail_out;
}

/*
 * Software stands where the device does. More than SURPLUS_LEN is held back by none. What it reads behind the
 * body is the trailer, and with all of that the stream has ended.
 */
static int is_end_wrong(const struct zwd_inflate *i, struct zwd_shadow *shadow, int status)
{
	static const unsigned char trailer_len[] = { [WD_ZIP_ZLIB] = 4, [WD_ZIP_GZIP] = 8 };
	size_t len = trailer_len[i->format];

	if (!shadow->is_end)
		return shadow->z.avail_in || status == WD_ZIP_END;
	shadow->trailer_len += shadow->z.avail_in;
	if (shadow->len)
		return shadow->trailer_len > len || status == WD_ZIP_END;
	return (status == WD_ZIP_END) != (shadow->trailer_len == len);
}

/* Where a flush ended and there is room, nothing can be held back: whoever waits for it sends no more. */
static int is_held_back(const struct zwd_shadow *shadow, const struct zwd_sent *sent,
			const struct wd_zip_res *res, uint64_t tail)
{
	return shadow->len && (uint32_t)tail == 0x0000ffff && shadow->z.data_type & BLOCK_ENDED &&
	       res->status == WD_ZIP_OK && res->produced < sent->room;
}

int zwd_shadow_verify(struct zwd_stream *s, const struct zwd_sent *sent, const struct wd_zip_res *res,
		      uint64_t tail)
{
	struct zwd_shadow *shadow = s->i.shadow;

	if (!shadow)
		return 0;
	shadow->z.next_in = (z_const Bytef *)sent->in;
	shadow->z.avail_in = (uInt)res->consumed;
	if (is_same(shadow, sent->out, res->produced)) {
		read_rest(shadow);
		if (!is_end_wrong(&s->i, shadow, res->status) && !is_held_back(shadow, sent, res, tail)) {
			zwd_count(ZWD_INFLATE, ZWD_VERIFIED, 1);
			return 0;
		}
	}
	zwd_count(ZWD_INFLATE, ZWD_MISMATCHES, 1);
	return -EILSEQ;
}

void zwd_shadow_drop(struct zwd_stream *s)
{
	struct zwd_shadow *shadow = s->i.shadow;

	if (!shadow)
		return;
	zwd_soft_zlib.inflateEnd(&shadow->z);
	zwd_lease_free(s, shadow);
	s->i.shadow = NULL;
}

void zwd_shadow_copy(struct zwd_stream *to, const struct zwd_stream *from)
{
	struct zwd_shadow *old = from->i.shadow, *shadow;
	int ret;

	to->i.shadow = NULL;
	shadow = old ? zwd_lease_alloc(to, sizeof(*shadow)) : NULL;
	if (!shadow)
		return;
	*shadow = *old;
	old->z.opaque = to; /* whose memory it becomes */
	ret = zwd_soft_zlib.inflateCopy(&shadow->z, &old->z);
	old->z.opaque = (voidpf)from;
	if (ret != Z_OK)
		zwd_lease_free(to, shadow);
	else
		to->i.shadow = shadow;
}
