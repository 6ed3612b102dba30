/* SPDX-License-Identifier: Zlib */
/* Goals: sizes, which no busy machine changes. */
#include "config.h"

#include "goals.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wd_zip.h>
#include <zwd.h>

#include "gen.h"
#include "zlib_api.h"

struct sized {
	const uint8_t *data;
	size_t len;
	size_t feed_len;
	int window_bits;
};

/* out[0]: compressed bytes; out[1]: units in flight beside another; out[2]: the device's bytes. */
static void size_deflate(void *arg, double *out)
{
	const struct sized *s = arg;
	size_t room_len = s->len + s->len / 8 + 65536, pos = 0;
	uint8_t *room = goal_alloc(room_len);
	z_stream strm = { .next_out = room, .avail_out = (uInt)room_len };
	struct zwd_stats stats = { 0 };
	int ret = deflateInit2(&strm, 1, Z_DEFLATED, s->window_bits, 8, Z_DEFAULT_STRATEGY);

	while (ret == Z_OK) {
		size_t nr = s->len - pos < s->feed_len ? s->len - pos : s->feed_len;

		strm.next_in = (Bytef *)s->data + pos;
		strm.avail_in = (uInt)nr;
		pos += nr;
		ret = deflate(&strm, pos == s->len ? Z_FINISH : Z_NO_FLUSH);
	}
	if (ret != Z_STREAM_END)
		return;
	zwd_stats(&stats, sizeof(stats));
	out[0] = (double)strm.total_out;
	out[1] = (double)stats.deflate_choice.parallel_units;
	out[2] = (double)stats.deflate.hw_in;
	deflateEnd(&strm);
	free(room);
}

/* The same engine by stateful requests as long as there are, and nothing between. */
static double size_unsplit(const struct sized *s)
{
	struct wd_queue_attr attr = { .alg = "zlib", .op_type = WD_OP_COMPRESS, .numa_node = -1 };
	struct wd_zip_req req = { .format = WD_ZIP_ZLIB, .flags = WD_ZIP_STREAM | WD_ZIP_NEW };
	void *src, *dst, *ctx;
	struct wd_queue *queue;
	double sum = 2; /* the header */
	size_t piece_len = WD_ZIP_MAX_LEN - WD_ZIP_MAX_LEN / 8;

	if (wd_request_queue(&attr, &queue))
		return NAN;
	if (wd_alloc(queue, WD_ZIP_MAX_LEN, &src) || wd_alloc(queue, WD_ZIP_MAX_LEN, &dst) ||
	    wd_alloc(queue, WD_ZIP_CTX_SIZE, &ctx))
		sum = NAN;
	for (size_t pos = 0; pos < s->len && !isnan(sum);) {
		size_t len = s->len - pos < piece_len ? s->len - pos : piece_len;
		struct wd_zip_res res;

		memcpy(src, s->data + pos, len);
		pos += len;
		req.src = src;
		req.dst = dst;
		req.ctx = ctx;
		req.src_len = (uint32_t)len;
		req.dst_len = WD_ZIP_MAX_LEN;
		if (pos == s->len)
			req.flags |= WD_ZIP_FINISH;
		if (wd_send(queue, &req, 1) != 1 || wd_recv_sync(queue, &res, 1, 60000) != 1 ||
		    res.status != WD_ZIP_OK || res.consumed != len)
			sum = NAN;
		else
			sum += res.produced;
		req.flags &= (uint8_t)~WD_ZIP_NEW;
	}
	wd_release_queue(queue);
	return sum;
}

static void size_split(const struct goal_run *run, const char *depth, struct goal_result *r)
{
	const char *const env[] = { "ZWD_UNIT=1M", depth, NULL };
	struct sized s = { .feed_len = 65536, .window_bits = 15 };
	double out[GOAL_NUMBERS], whole;

	s.data = goal_input(run, run->is_quick ? 14u << 20 : 128u << 20, &s.len);
	if (goal_child(env, size_deflate, &s, out) || isnan(out[0])) {
		goal_skip(r, "the stream failed");
		r->is_wrong = 1;
		return;
	}
	whole = size_unsplit(&s);
	if (isnan(whole)) {
		goal_skip(r, "the device does not answer");
		return;
	}
	r->value = 100 * (out[0] / whole - 1);
	goal_anchor(r, "unsplit: %.4f of the input", whole / (double)s.len);
	if (out[2] < (double)s.len) {
		r->is_wrong = 1;
		goal_note(r, "the device did not do all of it");
	} else {
		goal_note(r, "%.0f units in flight beside another", out[1]);
	}
}

static void size_parallel(const struct goal_run *run, struct goal_result *r)
{
	size_split(run, NULL, r);
}

static void size_serial(const struct goal_run *run, struct goal_result *r)
{
	size_split(run, "ZWD_DEPTH=1", r);
}

static void size_random(const struct goal_run *run, struct goal_result *r)
{
	struct sized s = { .len = 8u << 20, .feed_len = 65536, .window_bits = 31 };
	double out[GOAL_NUMBERS];
	uint8_t *data = goal_alloc(s.len);

	gen_fill(GEN_RANDOM, INPUT_SEED, data, s.len);
	s.data = data;
	size_deflate(&s, out);
	r->value = 100 * (out[0] / (double)s.len - 1);
	goal_anchor(r, "8 MiB in calls of 64 KB");
	if (out[2] < (double)s.len)
		goal_note(r, "the device did not do all of it");
	free(data);
}

/* Every call that is promised to fit: compress2() in compressBound(), deflate() in deflateBound(). */
static int size_bound_of(const uint8_t *data, size_t len, int level, int window_bits, double *most)
{
	z_stream strm = { .next_in = (Bytef *)data, .avail_in = (uInt)len };
	uLong bound, packed_len = compressBound((uLong)len);
	uint8_t *room = goal_alloc(packed_len + 64);
	int ret = compress2(room, &packed_len, data, (uLong)len, level);

	free(room);
	if (ret || deflateInit2(&strm, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY))
		return 1;
	bound = deflateBound(&strm, (uLong)len);
	room = goal_alloc(bound);
	strm.next_out = room;
	strm.avail_out = (uInt)bound;
	ret = deflate(&strm, Z_FINISH) != Z_STREAM_END;
	deflateEnd(&strm);
	free(room);
	if ((double)packed_len / (double)compressBound((uLong)len) > *most)
		*most = (double)packed_len / (double)compressBound((uLong)len);
	return ret;
}

static void size_bounds(const struct goal_run *run, struct goal_result *r)
{
	static const size_t lens[] = { 0,    1,	    2,	   63,	   200,	   1000,   4096,    16383, 16384,
				       32769, 65535, 65536, 131071, 262144, 1000000, 1048577, 5000000 };
	static const int windows[] = { 15, 31, -15 }, levels[] = { 1, 6 };
	uint8_t *data = goal_alloc(5000000);
	unsigned int calls_nr = 0;
	double most = 0;

	gen_fill(GEN_RANDOM, INPUT_SEED, data, 5000000);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		for (size_t w = 0; w < 3; w++)
			for (size_t l = 0; l < 2; l++, calls_nr += 2)
				r->value += size_bound_of(data, lens[i], levels[l], windows[w], &most);
	goal_anchor(r, "%u calls, the tightest at %.2f %% of its bound", calls_nr, 100 * most);
	free(data);
}

const struct goal goals_size[] = {
	{ "split-parallel", "a stream in units of 1 MiB, against unsplit", "% more", GOAL_AT_MOST, 0.3,
	  "bytes", "emu:threads=2", "hw", size_parallel },
	{ "split-serial", "the same with ZWD_DEPTH=1", "% more", GOAL_AT_MOST, 0.3, "bytes",
	  "emu:threads=2", "hw", size_serial },
	{ "random-size", "incompressible input becomes longer", "% more", GOAL_AT_MOST, 0.1, "bytes",
	  "emu:threads=2", "hw", size_random },
	{ "random-bound", "beyond compressBound() or deflateBound()", "calls", GOAL_AT_MOST, 0, "bytes",
	  "emu:threads=2", "hw", size_bounds },
	{ 0 },
};
