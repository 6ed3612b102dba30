/* SPDX-License-Identifier: Zlib */
/* Goals: inflate on several engines, and what it costs to keep every way back open. */
#include "config.h"

#include "goals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zwd.h>

#include "timing.h"
#include "zlib_api.h"

enum { ROUNDS_MAX = 9, FEED_LEN = 256 << 10, FLUSH_LEN = 1 << 20 };

struct packed {
	const struct zlib_api *z;
	const uint8_t *plain;
	size_t plain_len;
	uint8_t *data; /* shared with the children that make it */
	size_t room;
	size_t len;
	int streams_nr;
	size_t fed_len; /* of each of several streams */
};

static int packed_make(const struct goal_run *run, size_t len, struct packed *p,
		       struct goal_result *r)
{
	void *data;

	*p = (struct packed){ .z = &zlib_wd };
	p->plain = goal_input(run, len, &p->plain_len);
	p->room = p->plain_len + p->plain_len / 8 + 65536;
	data = mmap(NULL, p->room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED) {
		goal_skip(r, "no room for the input");
		return -1;
	}
	p->data = data;
	return 0;
}

/* By software at level 6: in one piece, or with a full flush behind each MiB. 0 or -1. */
static int packed_by_zlib(const struct goal_run *run, struct packed *p, int has_flushes)
{
	z_stream strm = { .next_out = p->data, .avail_out = (uInt)p->room };
	int ret = run->soft->deflateInit2_(&strm, 6, Z_DEFLATED, 15, 8, 0, ZLIB_VERSION,
					   sizeof(strm));

	for (size_t pos = 0; ret == Z_OK; pos += FLUSH_LEN) {
		size_t left = p->plain_len - pos;

		strm.next_in = (Bytef *)p->plain + pos;
		strm.avail_in = (uInt)(left < FLUSH_LEN ? left : FLUSH_LEN);
		ret = run->soft->deflate(&strm, left <= FLUSH_LEN ? Z_FINISH
						: has_flushes	  ? Z_FULL_FLUSH
								  : Z_NO_FLUSH);
	}
	p->len = strm.total_out;
	run->soft->deflateEnd(&strm);
	return ret == Z_STREAM_END ? 0 : -1;
}

/* PLAIN PACKED: makes the second of the first. out[0]: its length. */
static void inflate_pack(int argc, char **argv, double *out)
{
	size_t len = 0;
	uint8_t *data = argc > 2 ? goal_read(argv[1], &len) : NULL, *room;
	uLong packed_len = compressBound((uLong)len);

	if (!data)
		return;
	room = goal_alloc(packed_len);
	if (compress2(room, &packed_len, data, (uLong)len, 1) == Z_OK &&
	    !goal_write(argv[2], room, packed_len))
		out[0] = (double)packed_len;
}

/* PLAIN PACKED: out[0]: wall ns of uncompress(), out[1]: bytes the device made. */
static void inflate_oneshot(int argc, char **argv, double *out)
{
	size_t plain_len = 0, packed_len = 0;
	uint8_t *plain = argc > 2 ? goal_read(argv[1], &plain_len) : NULL, *back;
	uint8_t *packed = argc > 2 ? goal_read(argv[2], &packed_len) : NULL;
	struct zwd_stats stats = { 0 };
	uint64_t ns = 0;

	if (!plain || !packed)
		return;
	back = goal_alloc(plain_len);
	for (int round = 0; round < 2; round++) { /* the first opens the device */
		uLong len = (uLong)plain_len;
		uint64_t begin = timing_wall_ns();

		if (uncompress(back, &len, packed, (uLong)packed_len) || len != plain_len)
			return;
		ns = timing_wall_ns() - begin;
	}
	if (memcmp(back, plain, plain_len))
		return;
	zwd_stats(&stats, sizeof(stats));
	out[0] = (double)ns;
	out[1] = (double)stats.inflate.hw_out / 2;
}

const struct goal_trial inflate_pack_trial = { "pack", inflate_pack };
const struct goal_trial inflate_trial = { "unpack", inflate_oneshot };

static void inflate_two(const struct goal_run *run, struct goal_result *r)
{
	static const char *const one_env[] = { "WD_DEVICE=emu:threads=1", "ZWD_ENGINE=hw", NULL };
	static const char *const two_env[] = { "WD_DEVICE=emu:threads=2", "ZWD_ENGINE=hw", NULL };
	int rounds_nr = run->is_quick ? 3 : ROUNDS_MAX;
	double ratios[ROUNDS_MAX], one[GOAL_NUMBERS], two[GOAL_NUMBERS], mbps = 0;
	char plain[4200], packed[4200];
	const char *argv[] = { inflate_pack_trial.name, plain, packed, NULL };
	uint8_t *data;
	size_t len;

	snprintf(plain, sizeof(plain), "%s", goal_scratch("plain"));
	snprintf(packed, sizeof(packed), "%s", goal_scratch("packed"));
	data = goal_input(run, run->is_quick ? 16u << 20 : 64u << 20, &len);
	if (goal_write(plain, data, len) || goal_trial(run, two_env, argv, one) || isnan(one[0])) {
		goal_skip(r, "the input cannot be made");
		return;
	}
	free(data);
	argv[0] = inflate_trial.name;
	goal_quiet(run);
	goal_noise_begin();
	for (int i = 0; i < rounds_nr; i++) {
		if (goal_trial(run, one_env, argv, one) || goal_trial(run, two_env, argv, two) ||
		    isnan(one[0]) || isnan(two[0])) {
			goal_skip(r, "a stream is wrong");
			r->is_wrong = 1;
			return;
		}
		ratios[i] = one[0] / two[0];
		mbps = (double)len * 1e3 / one[0];
	}
	r->value = goal_median(ratios, (size_t)rounds_nr);
	goal_anchor(r, "one engine: %.0f MB/s", mbps);
	if (two[1] < (double)len)
		goal_note(r, "the device did not do all of it");
	goal_noise_end(r);
}

/* One stream to its end in calls of FEED_LEN. CPU ns of the caller; 0: it failed. */
static double inflate_stream(const struct packed *p, uint8_t *room, double *rss)
{
	z_stream strm = { 0 };
	uint64_t begin = timing_thread_ns();
	int ret = p->z->inflateInit2_(&strm, 15, ZLIB_VERSION, sizeof(strm));

	for (size_t pos = 0; ret == Z_OK && pos < p->len; pos += FEED_LEN) {
		strm.next_in = p->data + pos;
		strm.avail_in = (uInt)(p->len - pos < FEED_LEN ? p->len - pos : FEED_LEN);
		do {
			strm.next_out = room;
			strm.avail_out = FEED_LEN;
			ret = p->z->inflate(&strm, Z_NO_FLUSH);
		} while (ret == Z_OK && (strm.avail_in || !strm.avail_out));
		ret = ret == Z_BUF_ERROR ? Z_OK : ret;
	}
	begin = timing_thread_ns() - begin;
	if (rss)
		*rss = goal_rss();
	p->z->inflateEnd(&strm);
	return ret == Z_STREAM_END && strm.total_out == p->plain_len ? (double)begin : 0;
}

/* out[0]: CPU ns of the caller, out[1]: resident bytes gained by its end, out[2]: bytes the device
 * made. */
static void inflate_whole(void *arg, double *out)
{
	const struct packed *p = arg;
	uint8_t *room = goal_alloc(FEED_LEN);
	struct zwd_stats stats = { 0 };
	struct packed first = *p;
	double before, after = 0;

	/* What is the process's own, the device's memory among it, is there already. */
	first.len = p->len < 8 * FEED_LEN ? p->len : 8 * FEED_LEN;
	inflate_stream(&first, room, NULL);
	for (size_t i = 0; i < p->len; i += 4096)
		room[0] += p->data[i];
	before = goal_rss();
	out[0] = inflate_stream(p, room, &after);
	out[1] = after - before;
	zwd_stats(&stats, sizeof(stats));
	out[2] = (double)stats.inflate.hw_out;
}

/*
 * A stream without flush points, in which the way back is searched for, against one in which it is
 * there for free: what the first takes more of the caller's CPU, of what zlib takes for all of it.
 */
static void anchor_cpu(const struct goal_run *run, struct goal_result *r)
{
	int rounds_nr = run->is_quick ? 3 : ROUNDS_MAX;
	double extra[ROUNDS_MAX], ours[ROUNDS_MAX], soft_ms = 0;
	struct packed plain, flushed;

	if (packed_make(run, run->is_quick ? 24u << 20 : 100000000u, &plain, r))
		return;
	flushed = plain;
	flushed.data =
		mmap(NULL, flushed.room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (flushed.data == MAP_FAILED || packed_by_zlib(run, &plain, 0) ||
	    packed_by_zlib(run, &flushed, 1)) {
		goal_skip(r, "the input cannot be made");
		return;
	}
	for (int i = 0; i < rounds_nr; i++) {
		double with[GOAL_NUMBERS], without[GOAL_NUMBERS], soft[GOAL_NUMBERS];
		struct packed by_zlib = plain;

		by_zlib.z = run->soft;
		if (goal_child(NULL, inflate_whole, &plain, with) ||
		    goal_child(NULL, inflate_whole, &flushed, without) ||
		    goal_child(NULL, inflate_whole, &by_zlib, soft) || !with[0] || !without[0] ||
		    !soft[0]) {
			goal_skip(r, "a stream is wrong");
			r->is_wrong = 1;
			return;
		}
		if (with[2] < 0.9 * (double)plain.plain_len)
			goal_note(r, "the device did not do all of it");
		extra[i] = 100 * (with[0] - without[0]) / soft[0];
		ours[i] = with[0] / 1e6;
		soft_ms = soft[0] / 1e6;
	}
	r->value = goal_median(extra, (size_t)rounds_nr);
	goal_anchor(r, "zlib: %.0f ms, caller: %.0f ms", soft_ms,
		    goal_median(ours, (size_t)rounds_nr));
}

static void anchor_memory(const struct goal_run *run, struct goal_result *r)
{
	double ours[GOAL_NUMBERS], soft[GOAL_NUMBERS];
	struct packed p;

	if (packed_make(run, run->is_quick ? 24u << 20 : 100000000u, &p, r))
		return;
	if (packed_by_zlib(run, &p, 0)) {
		goal_skip(r, "the input cannot be made");
		return;
	}
	if (goal_child(NULL, inflate_whole, &p, ours) || !ours[0]) {
		goal_skip(r, "a stream is wrong");
		r->is_wrong = 1;
		return;
	}
	p.z = run->soft;
	if (goal_child(NULL, inflate_whole, &p, soft))
		soft[1] = 0;
	r->value = ours[1] / 1e6;
	goal_anchor(r, "zlib: %.2f MB", soft[1] / 1e6);
	if (ours[2] < 0.9 * (double)p.plain_len)
		goal_note(r, "the device did not do all of it");
}

/* out[0]: resident bytes gained by all streams, out[1]: bytes the device made. */
static void inflate_many(void *arg, double *out)
{
	const struct packed *p = arg;
	z_stream *strms = calloc((size_t)p->streams_nr, sizeof(*strms));
	uint8_t *room = goal_alloc(FEED_LEN);
	struct zwd_stats stats = { 0 };
	struct packed first = *p;
	double before;
	int failed = !strms;

	first.len = 8 * FEED_LEN;
	inflate_stream(&first, room, NULL);
	for (size_t i = 0; i < p->fed_len; i += 4096)
		room[0] += p->data[i];
	before = goal_rss();
	for (int i = 0; i < p->streams_nr && !failed; i++)
		failed = p->z->inflateInit2_(&strms[i], 15, ZLIB_VERSION, sizeof(*strms));
	for (size_t pos = 0; pos < p->fed_len && !failed; pos += FEED_LEN)
		for (int i = 0; i < p->streams_nr && !failed; i++) {
			strms[i].next_in = p->data + pos;
			strms[i].avail_in = FEED_LEN;
			do {
				int ret;

				strms[i].next_out = room;
				strms[i].avail_out = FEED_LEN;
				ret = p->z->inflate(&strms[i], Z_NO_FLUSH);
				failed |= ret != Z_OK && ret != Z_BUF_ERROR;
			} while (!failed && (strms[i].avail_in || !strms[i].avail_out));
		}
	out[0] = failed ? NAN : goal_rss() - before;
	for (int i = 0; i < p->streams_nr && strms; i++)
		p->z->inflateEnd(&strms[i]);
	zwd_stats(&stats, sizeof(stats));
	out[1] = (double)stats.inflate.hw_out;
}

static void streams_memory(const struct goal_run *run, struct goal_result *r)
{
	double ours[GOAL_NUMBERS], soft[GOAL_NUMBERS];
	struct packed p;

	if (packed_make(run, run->is_quick ? 12u << 20 : 72u << 20, &p, r))
		return;
	if (packed_by_zlib(run, &p, 0)) {
		goal_skip(r, "the input cannot be made");
		return;
	}
	p.streams_nr = 100;
	p.fed_len = run->is_quick ? 1u << 20 : 9u << 20;
	if (p.fed_len + FEED_LEN > p.len)
		p.fed_len = (p.len - FEED_LEN) / FEED_LEN * FEED_LEN;
	if (goal_child(NULL, inflate_many, &p, ours) || isnan(ours[0])) {
		goal_skip(r, "a stream is wrong");
		r->is_wrong = 1;
		return;
	}
	p.z = run->soft;
	if (goal_child(NULL, inflate_many, &p, soft))
		soft[0] = 0;
	r->value = ours[0] / 1e6;
	goal_anchor(r, "zlib: %.1f MB, after %.1f MB each", soft[0] / 1e6, (double)p.fed_len / 1e6);
	if (!(ours[1] > 0))
		goal_note(r, "the device was not used");
}

const struct goal goals_inflate[] = {
	{ "inflate-two", "uncompress() of 64 MiB of ours on two engines", "times one",
	  GOAL_AT_LEAST, 1.7, "wall, by turns, median", NULL, NULL, inflate_two },
	{ "anchor-cpu", "a zlib stream of 100 MB beyond one with flushes", "% of zlib",
	  GOAL_AT_MOST, 2, "caller's CPU, medians", "emu:threads=1", "hw", anchor_cpu },
	{ "anchor-memory", "what it keeps at its end", "MB", GOAL_AT_MOST, 8, "resident pages",
	  "emu:threads=1", "hw", anchor_memory },
	{ "streams-memory", "100 inflate streams after 9 MB each", "MB", GOAL_AT_MOST, 74,
	  "resident pages", "emu:threads=1", "hw", streams_memory },
	{ 0 },
};
