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

struct zwd_shadow {
	z_stream z;
	int is_over;
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
	shadow->is_over = 0;
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

/* Software makes more, up to SURPLUS_LEN; nothing is left of what it made before. 0: there is some. */
static int refill(struct zwd_shadow *shadow)
{
	shadow->off = 0;
	shadow->z.next_out = shadow->surplus;
	shadow->z.avail_out = SURPLUS_LEN;
	zwd_soft_zlib.inflate(&shadow->z, Z_SYNC_FLUSH);
	shadow->len = SURPLUS_LEN - shadow->z.avail_out;
	return shadow->len ? 0 : -ENODATA;
}

int zwd_shadow_verify(struct zwd_stream *s, const unsigned char *in, size_t in_len,
		      const unsigned char *out, size_t out_len)
{
	struct zwd_shadow *shadow = s->i.shadow;

	if (!shadow || shadow->is_over)
		return 0;
	shadow->z.next_in = (z_const Bytef *)in;
	shadow->z.avail_in = (uInt)in_len;
	while (out_len) {
		size_t len;

		if (!shadow->len && refill(shadow))
			break;
		len = shadow->len < out_len ? shadow->len : out_len;
		if (memcmp(shadow->surplus + shadow->off, out, len))
			break;
		shadow->off += len;
		shadow->len -= len;
		out += len;
		out_len -= len;
	}
	if (out_len) {
		zwd_count(ZWD_INFLATE, ZWD_MISMATCHES, 1);
		return -EILSEQ;
	}
	zwd_count(ZWD_INFLATE, ZWD_VERIFIED, 1);
	/* The rest of the input has been read by the device. */
	if (shadow->z.avail_in && !shadow->len)
		refill(shadow);
	if (shadow->z.avail_in) {
		size_t room = SURPLUS_LEN - shadow->len;

		memmove(shadow->surplus, shadow->surplus + shadow->off, shadow->len);
		shadow->off = 0;
		shadow->z.next_out = shadow->surplus + shadow->len;
		shadow->z.avail_out = (uInt)room;
		zwd_soft_zlib.inflate(&shadow->z, Z_SYNC_FLUSH);
		shadow->len += room - shadow->z.avail_out;
	}
	/* More than that is held back by no device; or the body ended, and this is the trailer. */
	shadow->is_over = shadow->z.avail_in != 0;
	return 0;
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
