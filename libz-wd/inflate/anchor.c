/* SPDX-License-Identifier: Zlib */
/*
 * A way back into a deflate stream that a device has read: a block of it, found and proven. Places where
 * a block may begin are tried from the end of the input back, those that are found cheapest first: after
 * stored blocks, after fixed ones, and where dynamic ones begin.
 */
#include "config.h"

#include <errno.h>

#include "inflate/anchor.h"
#include "inflate/proof.h"
#include "inflate/scan.h"
#include "stream/shield.h"

/* Two stored blocks of the greatest length fit into this. */
#define NEAR_LEN (132u << 10)
/* Of what looks like a block, so many are tried in each of the three ways. */
#define TRIES_MAX 32u

struct search {
	struct zwd_scan scan;
	struct zwd_scan_ends ends;
	struct zwd_proof proof;
	size_t pos, back; /* of the block that was found */
};

/* 0: it is one; -EAGAIN: go on; else -errno. */
static int try(struct search *s, size_t pos, size_t stored_len, unsigned int *tries_nr)
{
	int ret = zwd_proof_block(&s->proof, pos, stored_len, &s->back);

	s->pos = pos;
	return ret == -ENOENT && ++*tries_nr < TRIES_MAX ? -EAGAIN : ret;
}

/* Each of these: 0; -ENOENT: there is none; or -errno. */
static int find_stored(struct search *s, size_t from, size_t to)
{
	const struct zwd_proof *p = &s->proof;
	unsigned int tries_nr = 0;
	int ret = -EAGAIN;

	while (ret == -EAGAIN) {
		size_t off = zwd_scan_stored(p->in, p->in_len, from, to), end;

		if (off == ZWD_SCAN_NONE)
			return -ENOENT;
		end = zwd_scan_stored_end(p->in, off);
		ret = try(s, end, end / 8 - off - 4, &tries_nr);
		to = off;
	}
	return ret;
}

static int find_fixed(struct search *s, size_t from)
{
	unsigned int tries_nr = 0, n;
	int ret = -EAGAIN;

	zwd_scan_fixed(&s->scan, s->proof.in, s->proof.in_len, from, &s->ends);
	n = s->ends.nr;
	/* What follows the last end proves nothing where it is a fixed block that does not end. */
	if (n && s->ends.is_fixed)
		n--;
	while (ret == -EAGAIN && n--)
		ret = try(s, s->ends.bits[n], 0, &tries_nr);
	return ret == -EAGAIN ? -ENOENT : ret;
}

static int find_dynamic(struct search *s, int is_final, size_t from)
{
	const struct zwd_proof *p = &s->proof;
	size_t to = p->in_len * 8;
	unsigned int tries_nr = 0;
	int ret = -EAGAIN;

	while (ret == -EAGAIN) {
		to = zwd_scan_dynamic(&s->scan, p->in, p->in_len, is_final, from * 8, to);
		ret = to == ZWD_SCAN_NONE ? -ENOENT : try(s, to, 0, &tries_nr);
	}
	return ret;
}

static int find(struct search *s)
{
	/* Two blocks of zlib's usual memLevel, and of the largest, fit into the first ones. */
	static const size_t fixed_lens[] = { 64 << 10, 132 << 10, 512 << 10 };
	size_t len = s->proof.in_len, near = len > NEAR_LEN ? len - NEAR_LEN : 0;
	int ret = find_stored(s, near, len);

	for (size_t n = 0; ret == -ENOENT && n < sizeof(fixed_lens) / sizeof(fixed_lens[0]); n++) {
		ret = find_fixed(s, len > fixed_lens[n] ? len - fixed_lens[n] : 0);
		if (!s->ends.is_fixed)
			break;
	}
	if (ret == -ENOENT && s->ends.is_fixed)
		return ret;
	if (ret == -ENOENT)
		ret = find_dynamic(s, 0, 0);
	if (ret == -ENOENT)
		ret = find_dynamic(s, 1, near);
	if (ret == -ENOENT)
		ret = find_stored(s, 0, near);
	return ret;
}

int zwd_anchor_find(const unsigned char *in, size_t in_len, const unsigned char *out, size_t out_len,
		    int is_whole, struct zwd_anchor *anchor)
{
	size_t skipped = in_len > ZWD_ANCHOR_IN_MAX ? in_len - ZWD_ANCHOR_IN_MAX : 0;
	size_t out_min = is_whole ? 0 : ZWD_WINDOW_LEN;
	struct search *s;
	int ret;

	if (in_len < ZWD_SCAN_MARGIN || out_len <= out_min)
		return -ENOENT;
	s = zwd_pages(sizeof(*s));
	if (!s)
		return -ENOMEM;
	zwd_scan_init(&s->scan);
	s->proof.in = in + skipped;
	s->proof.in_len = in_len - skipped;
	s->proof.out = out;
	s->proof.out_len = out_len;
	s->proof.out_min = out_min;
	s->proof.budget = ZWD_ANCHOR_OUT_MAX - ZWD_WINDOW_LEN;
	ret = zwd_proof_open(&s->proof);
	if (!ret) {
		ret = find(s);
		if (ret == -ENOSPC)
			ret = -ENOENT;
		zwd_proof_close(&s->proof);
	}
	if (!ret) {
		anchor->in_off = skipped + s->pos / 8;
		anchor->bits = s->pos & 7;
		anchor->out_back = s->back;
	}
	zwd_unpages(s, sizeof(*s));
	return ret;
}
