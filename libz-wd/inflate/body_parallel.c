/* SPDX-License-Identifier: Zlib */
/*
 * Parts of a body, side by side. Whether a part ends between two blocks, at a byte, a device does not tell.
 * So each is sent with a seal: a stored block of bytes that nobody can foresee. Only where a block may
 * begin they are what the output ends with; within another stored block they are, too, but then the
 * seal's header comes before them, or all but its first byte: a flush point ends with ff ff, and read one
 * byte too late it goes on with that byte as the lengths 00 ff, ff 00 of one.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "engine/ahead.h"
#include "engine/lease.h"
#include "engine/qpool.h"
#include "inflate/body.h"
#include "inflate/body_parallel.h"
#include "inflate/check.h"
#include "inflate/cuts.h"
#include "inflate/header.h"
#include "inflate/io.h"
#include "operate/log.h"
#include "operate/settings.h"
#include "stream/shield.h"

#define SEAL_HEAD 5u
#define SEAL_LENGTHS 4u
#define SEAL_BODY 32u
#define SEAL_LEN (SEAL_HEAD + SEAL_BODY)
/* In flight at once, at most. Until a stream has shown that its parts are independent: two. */
#define DEPTH_MAX 8u
#define DEPTH_MIN 2u

struct part {
	struct zwd_lane *lane;
	uint32_t len;
	uint32_t expected;     /* output */
	int error;	       /* it was not sent */
	signed char is_first;  /* goes on from the stream's context */
	signed char is_joined; /* of several pieces between flush points */
};

/* All of a call. Parts are in a ring, lanes of none wait for the next one. */
struct run {
	const unsigned char *in; /* what follows the parts that were taken or sent, */
	size_t in_len;
	uint64_t room; /* and room that is not spoken for */
	unsigned char depth, first, nr, idle_nr;
	struct part part[DEPTH_MAX];
	struct zwd_lane *idle[DEPTH_MAX];
	unsigned char *window; /* memory for one, which this lies behind */
	unsigned int taken_nr;
	uint64_t taken_in, taken_out;
	unsigned char seal[SEAL_LEN];
};

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* No system call, which a sandbox may refuse: the time, and where things are in memory. */
static void make_seal(unsigned char seal[SEAL_LEN], const void *heap)
{
	static _Atomic uint64_t last;
	uint64_t state = mix(atomic_load_explicit(&last, memory_order_relaxed) ^ zwd_now_ns());

	state = mix(state + (uintptr_t)seal) + mix((uintptr_t)heap ^ (uintptr_t)&last << 20);
	atomic_store_explicit(&last, state, memory_order_relaxed);
	seal[0] = 0;
	seal[1] = SEAL_BODY;
	seal[2] = 0;
	seal[3] = (unsigned char)~SEAL_BODY;
	seal[4] = 0xff;
	for (unsigned int at = SEAL_HEAD; at < SEAL_LEN; at += 8) {
		uint64_t word = mix(state += 0x9e3779b97f4a7c15u);

		memcpy(seal + at, &word, 8);
	}
}

static unsigned char most_depth(void)
{
	return (unsigned char)(zwd_settings()->depth < DEPTH_MAX ? zwd_settings()->depth : DEPTH_MAX);
}

/* One more lane. Where one has to be waited for, body serial does. 0 or -errno. */
static int add_lane(struct run *run)
{
	struct zwd_lane *lane;
	int ret = zwd_qpool_try(ZWD_INFLATE, &lane);

	if (ret)
		return ret;
	run->idle[run->idle_nr++] = lane;
	return 0;
}

static void send(const struct zwd_stream *s, struct run *run, struct part *part)
{
	const struct zwd_inflate *i = &s->i;
	struct zwd_lane *lane = part->lane;
	struct wd_zip_req req = {
		.src = lane->src,
		.dst = lane->dst,
		.ctx = lane->ctx,
		.src_len = (uint32_t)(part->len + SEAL_LEN),
		.dst_len = (uint32_t)lane->dst_len,
		.format = (uint8_t)i->format,
		.flags = WD_ZIP_STREAM,
	};

	memcpy(lane->src, run->in, part->len);
	memcpy(lane->src + part->len, run->seal, SEAL_LEN);
	if (part->is_first) {
		memcpy(lane->ctx, i->ctx, i->ctx_len);
	} else {
		req.flags |= WD_ZIP_NEW;
	}
	part->error = zwd_qpool_send(lane, &req);
}

/* Sends the next part, if there is one. 1: it was. */
static int send_next(struct zwd_stream *s, struct run *run)
{
	struct part *part = &run->part[(run->first + run->nr) % DEPTH_MAX];
	uint64_t expected;
	int is_joined;

	if (run->nr == run->depth)
		return 0;
	part->len = (uint32_t)zwd_cut_part(&s->i, run->in, run->in_len, SEAL_LEN, &is_joined);
	part->is_joined = is_joined != 0;
	expected = zwd_cut_expect(&s->i, part->len);
	part->expected = expected < ZWD_LANE_INFLATE_LEN ? (uint32_t)expected : ZWD_LANE_INFLATE_LEN;
	if (!part->len || part->expected > run->room || (!run->idle_nr && add_lane(run)))
		return 0;
	part->lane = run->idle[--run->idle_nr];
	part->is_first = !run->nr && !run->taken_nr && s->i.ctx_len != 0;
	send(s, run, part);
	if (part->error == -EBUSY) {
		run->idle[run->idle_nr++] = part->lane;
		return 0;
	}
	run->nr++;
	run->in += part->len;
	run->in_len -= part->len;
	run->room -= part->expected;
	return 1;
}

/* Waits for the oldest part. The lane is then idle, or gone. 0 or -errno. */
static int wait_for(struct run *run, struct part *part, struct wd_zip_res *res)
{
	int ret = part->error;

	if (!ret)
		ret = zwd_qpool_wait(part->lane, res, zwd_settings()->timeout_ms);
	if (!ret && res->status == WD_ZIP_FAILED)
		ret = -EIO;
	run->first = (run->first + 1) % DEPTH_MAX;
	run->nr--;
	return ret;
}

static void note_error(struct zwd_lane *lane, int err)
{
	zwd_count(ZWD_INFLATE, ZWD_ERRORS, 1);
	zwd_log(ZWD_LOG_WARN, "inflate request failed: %s", strerror(-err));
	zwd_qpool_drop(lane, err);
}

/*
 * What the part made: 0 and *len bytes, *check of the stream with them. -EBADMSG: it is none that counts,
 * -ENOSPC: likewise, it is too long; -EIO.
 */
static int judge(const struct zwd_stream *s, const struct run *run, const struct part *part,
		 const struct wd_zip_res *res, size_t *len, uint32_t *check)
{
	const struct zwd_inflate *i = &s->i;
	const unsigned char *out = part->lane->dst, *seal;
	int is_wrapped = i->format != WD_ZIP_DEFLATE;
	uint32_t own;

	if (res->consumed > part->len + SEAL_LEN || res->produced > part->lane->dst_len)
		return -EIO;
	if (res->status == WD_ZIP_NO_ROOM || (res->status == WD_ZIP_OK && res->consumed < part->len + SEAL_LEN))
		return -ENOSPC;
	if (res->status != WD_ZIP_OK || res->produced < ZWD_WINDOW_LEN + SEAL_LEN)
		return -EBADMSG;
	/* Engines take codes that are no complete set, as zlib does not: body serial asks zlib. */
	if (!part->is_first && zwd_header_type(part->lane->src, part->len, 0) == ZWD_BLOCK_DYNAMIC &&
	    !zwd_header_has_codes(part->lane->src, part->len, 0))
		return -EBADMSG;
	*len = res->produced - SEAL_BODY;
	seal = out + *len;
	if (memcmp(seal, run->seal + SEAL_HEAD, SEAL_BODY) ||
	    !memcmp(seal - SEAL_LENGTHS, run->seal + SEAL_HEAD - SEAL_LENGTHS, SEAL_LENGTHS))
		return -EBADMSG;
	own = part->is_first ? i->check : i->format == WD_ZIP_ZLIB;
	own = zwd_inflate_check(i->format, own, out, *len);
	if (is_wrapped && zwd_inflate_check(i->format, own, seal, SEAL_BODY) != res->checksum)
		return -EIO;
	*check = own;
	if (part->is_first || !is_wrapped)
		return 0;
	if (i->format == WD_ZIP_GZIP)
		*check = (uint32_t)zwd_soft_zlib.crc32_combine64(i->check, own, (z_off64_t)*len);
	else
		*check = (uint32_t)zwd_soft_zlib.adler32_combine64(i->check, own, (z_off64_t)*len);
	return 0;
}

/* The part is the stream's. */
static void take(z_streamp strm, struct zwd_stream *s, struct run *run, const struct part *part, size_t len,
		 uint32_t check)
{
	struct zwd_inflate *i = &s->i;

	/* The first may have made what the device held back for want of room. */
	if (!part->is_first)
		zwd_cut_note(i, part->len, len);
	run->room += part->expected;
	run->room -= len < run->room ? len : run->room;
	run->taken_nr++;
	run->taken_in += part->len;
	run->taken_out += len;
	i->check = check;
	zwd_io_give(strm, s, part->len, part->lane->dst, len, check);
	zwd_count_hw(ZWD_INFLATE, part->len, len);
	zwd_count(ZWD_INFLATE, ZWD_PARALLEL_UNITS, 1);
	/* The first one says nothing: it need not be independent. */
	if (run->taken_nr < 2)
		return;
	i->parts.quiet_len /= 2;
	run->depth = most_depth();
	i->parts.is_proven = 1;
}

/* The oldest part. 0, or -errno: it does not count. */
static int take_next(z_streamp strm, struct zwd_stream *s, struct run *run)
{
	struct part *part = &run->part[run->first];
	struct wd_zip_res res;
	uint32_t check;
	size_t len;
	int ret = wait_for(run, part, &res);

	if (!ret)
		ret = judge(s, run, part, &res, &len, &check);
	if (!ret && len > strm->avail_out) {
		zwd_cut_note(&s->i, part->len, len);
		ret = -ENOBUFS;
	}
	if (!ret)
		take(strm, s, run, part, len, check);
	if (ret == -ENOSPC && part->is_first) {
		ret = -ENOBUFS;
	} else if (ret == -ENOSPC && part->is_joined) {
		zwd_cut_note(&s->i, res.consumed, res.produced);
		ret = -E2BIG;
	}
	if (ret && ret != -EBADMSG && ret != -ENOSPC && ret != -E2BIG && ret != -ENOBUFS)
		note_error(part->lane, ret);
	else
		run->idle[run->idle_nr++] = part->lane;
	return ret;
}

/* What is in flight still is nobody's. */
static void forget(struct run *run)
{
	while (run->nr) {
		struct part *part = &run->part[run->first];
		struct wd_zip_res res;
		int ret = wait_for(run, part, &res);

		if (ret)
			note_error(part->lane, ret);
		else
			run->idle[run->idle_nr++] = part->lane;
	}
}

/* Parts while they count. 0: all did that were sent; else why the last one did not. */
static int run_parts(z_streamp strm, struct zwd_stream *s, struct run *run)
{
	int ret = 0;

	do {
		while (send_next(s, run))
			;
		/* A single one is better off as a serial request. */
		if (!run->nr)
			return 0;
		ret = take_next(strm, s, run);
	} while (!ret);
	forget(run);
	return ret;
}

/* Two parts at least, and room for them? 0, -ENOENT, -ENOBUFS. */
static int look(const z_stream *strm, const struct zwd_stream *s)
{
	size_t len = 0;

	for (int nr = 0; nr < 2; nr++) {
		int is_joined;
		size_t next = zwd_cut_part(&s->i, strm->next_in + len, strm->avail_in - len, SEAL_LEN,
					   &is_joined);

		if (!next)
			return -ENOENT;
		len += next;
	}
	return zwd_cut_expect(&s->i, len) > strm->avail_out ? -ENOBUFS : 0;
}

/* With memory for what follows the parts, before there are lanes. It lies behind the window. NULL: none. */
static struct run *open_run(const z_stream *strm, struct zwd_stream *s)
{
	unsigned char *window = zwd_lease_alloc(s, ZWD_WINDOW_LEN + sizeof(struct run));
	struct run *run;

	if (!window)
		return NULL;
	run = (struct run *)(void *)(window + ZWD_WINDOW_LEN);
	memset(run, 0, sizeof(*run));
	run->window = window;
	run->in = strm->next_in;
	run->in_len = strm->avail_in;
	run->room = strm->avail_out;
	run->depth = s->i.parts.is_proven ? most_depth() : DEPTH_MIN;
	return run;
}

/* Body serial goes on behind what was taken. */
static void go_on(z_streamp strm, struct zwd_stream *s, const struct run *run)
{
	struct zwd_inflate *i = &s->i;
	struct zwd_place place = {
		.in = i->keep.to + run->taken_in,
		.out = i->made + run->taken_out,
		.check = i->check,
		.window_len = ZWD_WINDOW_LEN,
		.window = run->window,
	};

	zwd_serial_begin(strm, s, &place);
	i->tail = 0x0000ffff;
	i->last_in = i->parts.last_in;
	i->last_out = i->parts.last_out;
}

/* Is body serial at a place that parts may go on from? */
static int may_begin(const z_stream *strm, const struct zwd_stream *s)
{
	const struct zwd_inflate *i = &s->i;

	if (!zwd_cut_is_due(strm, s) || i->shadow || i->is_ended || i->pend_len || i->held ||
	    zwd_ahead_is_sent(i->ahead))
		return 0;
	/* With a context, or where there is nothing to go on from; what is begun anew at each request is small. */
	return i->ctx_len || (!i->keep.begin.bits && !i->keep.begin.is_state &&
			      i->keep.to == i->keep.begin.in && i->made == i->keep.begin.out);
}

/* All that is done with lanes in hand. 0 or -errno: why there are no more parts. */
static int on_lanes(z_streamp strm, struct zwd_stream *s, struct run *run)
{
	int cancel_state = zwd_shield_up(), ret = -EBUSY;

	make_seal(run->seal, run->window);
	if (!add_lane(run) && !add_lane(run))
		ret = run_parts(strm, s, run);
	if (run->taken_nr)
		memcpy(run->window, strm->next_out - ZWD_WINDOW_LEN, ZWD_WINDOW_LEN);
	while (run->idle_nr)
		zwd_qpool_put(run->idle[--run->idle_nr]);
	zwd_shield_down(cancel_state);
	return ret;
}

void zwd_parallel_run(z_streamp strm, struct zwd_stream *s)
{
	struct zwd_inflate *i = &s->i;
	size_t left = strm->avail_in;
	struct run *run;
	int ret;

	if (zwd_settings()->depth < 2 || !zwd_qpool_has_raw(ZWD_INFLATE)) {
		i->parts.at = UINT64_MAX;
		return;
	}
	if (!may_begin(strm, s)) {
		i->parts.at = i->parts.at > i->keep.to ? i->parts.at : i->keep.to + 1;
		return;
	}
	ret = look(strm, s);
	run = ret ? NULL : open_run(strm, s);
	if (run) {
		ret = on_lanes(strm, s, run);
		left = run->in_len;
		if (run->taken_nr)
			go_on(strm, s, run);
		else
			zwd_lease_free(s, run->window);
	} else if (!ret) {
		ret = -ENOMEM;
	}
	zwd_cut_plan(i, left, ret);
}
