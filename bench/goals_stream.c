/* SPDX-License-Identifier: Zlib */
/* Goals: one deflate stream on several engines, and gzip under the preload, in wall time. */
#include "config.h"

#include "goals.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zwd.h>

#include "timing.h"
#include "zlib_api.h"

/* PLAIN PACKED LEN. out[0]: wall ns of the stream, out[1]: its compressed length, out[2]: bytes the
 * device had. */
static void stream_deflate(int argc, char **argv, double *out)
{
	struct zwd_stats stats = { 0 };
	size_t len = 0, room_len, feed_len = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	uint8_t *data = feed_len ? goal_read(argv[1], &len) : NULL, *room;

	if (!data)
		return;
	room_len = len + len / 8 + 65536;
	room = goal_alloc(room_len);
	for (int round = 0; round < 2; round++) { /* the first opens the device */
		uint64_t begin = timing_wall_ns();
		z_stream strm = { .next_out = room, .avail_out = (uInt)room_len };
		int ret = deflateInit(&strm, 1);

		for (size_t pos = 0; ret == Z_OK;) {
			size_t nr = len - pos < feed_len ? len - pos : feed_len;

			strm.next_in = data + pos;
			strm.avail_in = (uInt)nr;
			pos += nr;
			ret = deflate(&strm, pos == len ? Z_FINISH : Z_NO_FLUSH);
		}
		if (ret != Z_STREAM_END)
			return;
		out[0] = (double)(timing_wall_ns() - begin);
		out[1] = (double)strm.total_out;
		deflateEnd(&strm);
	}
	zwd_stats(&stats, sizeof(stats));
	if (!goal_write(argv[2], room, (size_t)out[1]))
		out[2] = (double)stats.deflate.hw_in / 2;
}

const struct goal_trial stream_trial = { "deflate", stream_deflate };

static int stream_is_right(const struct goal_run *run, const uint8_t *data, size_t data_len,
			   const char *path)
{
	uLong len = (uLong)data_len;
	uint8_t *back = goal_alloc(data_len), *packed;
	size_t packed_len;
	int is_right;

	packed = goal_read(path, &packed_len);
	is_right = packed && run->soft->uncompress(back, &len, packed, (uLong)packed_len) == Z_OK &&
		   len == data_len && !memcmp(back, data, len);
	free(packed);
	free(back);
	return is_right;
}

#define STREAM_ROUNDS_MAX 9

struct both {
	uint8_t *data;
	size_t len;
	size_t feed_len; /* of each call */
	char path[4200]; /* the plain bytes as a file */
	char packed[4200];
	int rounds_nr;
};

static int stream_make(const struct goal_run *run, struct both *b, struct goal_result *r)
{
	size_t want = run->is_quick ? 8u << 20 : 64u << 20;

	b->data = goal_input(run, want, &b->len);
	b->feed_len = 256 << 10;
	b->rounds_nr = run->is_quick ? 3 : STREAM_ROUNDS_MAX;
	snprintf(b->path, sizeof(b->path), "%s", goal_scratch("plain"));
	snprintf(b->packed, sizeof(b->packed), "%s", goal_scratch("packed"));
	if (goal_write(b->path, b->data, b->len)) {
		goal_skip(r, "no room for the input");
		return -1;
	}
	return 0;
}

/* A stream on so many engines. */
static int stream_engines(const struct goal_run *run, struct both *b, int engines_nr, double *out,
			  struct goal_result *r)
{
	char device[64], feed_len[32];
	const char *const env[] = { device, "ZWD_ENGINE=hw", NULL };
	const char *const argv[] = { stream_trial.name, b->path, b->packed, feed_len, NULL };

	snprintf(device, sizeof(device), "WD_DEVICE=emu:threads=%d", engines_nr);
	snprintf(feed_len, sizeof(feed_len), "%zu", b->feed_len);
	if (goal_trial(run, env, argv, out) || isnan(out[2]) ||
	    !stream_is_right(run, b->data, b->len, b->packed)) {
		goal_skip(r, "a stream is wrong");
		r->is_wrong = 1;
		return -1;
	}
	if (out[2] < (double)b->len)
		goal_note(r, "the device did not do all of it");
	return 0;
}

static void stream_ratio(const struct goal_run *run, size_t feed_len, struct goal_result *r)
{
	double ratios[STREAM_ROUNDS_MAX], one[GOAL_NUMBERS], two[GOAL_NUMBERS], mbps = 0;
	struct both b;

	if (stream_make(run, &b, r))
		return;
	b.feed_len = feed_len;
	goal_quiet(run);
	goal_noise_begin();
	for (int i = 0; i < b.rounds_nr; i++) {
		if (stream_engines(run, &b, 1, one, r) || stream_engines(run, &b, 2, two, r))
			return;
		ratios[i] = one[0] / two[0];
		mbps = (double)b.len * 1e3 / one[0];
	}
	r->value = goal_median(ratios, (size_t)b.rounds_nr);
	goal_anchor(r, "one engine: %.0f MB/s", mbps);
	goal_noise_end(r);
}

static void stream_two(const struct goal_run *run, struct goal_result *r)
{
	stream_ratio(run, 1u << 20, r);
}

static void stream_two_16k(const struct goal_run *run, struct goal_result *r)
{
	stream_ratio(run, 16384, r);
}

static void stream_pigz(const struct goal_run *run, const char *level, struct goal_result *r)
{
	double ratios[STREAM_ROUNDS_MAX], two[GOAL_NUMBERS], mbps = 0;
	struct both b;

	if (!goal_has("pigz")) {
		goal_skip(r, "pigz is not installed");
		return;
	}
	if (stream_make(run, &b, r))
		return;
	goal_quiet(run);
	goal_noise_begin();
	for (int i = 0; i < b.rounds_nr; i++) {
		const char *const argv[] = { "pigz", "-p2", level, "-c", b.path, NULL };
		struct goal_spawn spawn = { .argv = argv };
		struct goal_cost cost;

		if (goal_spawn(&spawn, &cost)) {
			goal_skip(r, "pigz failed");
			return;
		}
		if (stream_engines(run, &b, 2, two, r))
			return;
		ratios[i] = cost.wall_us * 1e3 / two[0];
		mbps = (double)b.len / cost.wall_us;
	}
	r->value = goal_median(ratios, (size_t)b.rounds_nr);
	goal_anchor(r, "pigz -p2 %s: %.0f MB/s", level, mbps);
	goal_noise_end(r);
}

static void stream_pigz_1(const struct goal_run *run, struct goal_result *r)
{
	stream_pigz(run, "-1", r);
}

static void stream_pigz_6(const struct goal_run *run, struct goal_result *r)
{
	stream_pigz(run, "-6", r);
}

static void stream_pigz_size(const struct goal_run *run, struct goal_result *r)
{
	const char *out = goal_scratch("pigz");
	double two[GOAL_NUMBERS];
	struct stat st;
	struct both b;

	if (!goal_has("pigz")) {
		goal_skip(r, "pigz is not installed");
		return;
	}
	if (stream_make(run, &b, r))
		return;
	const char *const argv[] = { "pigz", "-p2", "-1", "-c", b.path, NULL };
	struct goal_spawn spawn = { .argv = argv, .out = out };

	if (goal_spawn(&spawn, NULL) || stat(out, &st)) {
		goal_skip(r, "pigz failed");
		return;
	}
	if (stream_engines(run, &b, 2, two, r))
		return;
	r->value = two[1] / (double)st.st_size;
	goal_anchor(r, "pigz -p2 -1: %.4f of the input", (double)st.st_size / (double)b.len);
}

/* What ssh -C sends: a short packet, then long ones, each with a flush, 32 MB of them. */
static void stream_packets(const struct goal_run *run, struct goal_result *r)
{
	enum { FIRST_LEN = 50, PACKET_LEN = 32768 };
	static uint8_t room[2 * PACKET_LEN];
	struct zwd_stats stats = { 0 };
	z_stream strm = { 0 };
	size_t len, packet_len = FIRST_LEN;
	uint8_t *data = goal_input(run, run->is_quick ? 4u << 20 : 32u << 20, &len);
	int ret = deflateInit(&strm, 6);

	for (size_t pos = 0; ret == Z_OK && pos < len; pos += packet_len, packet_len = PACKET_LEN) {
		strm.next_in = data + pos;
		strm.avail_in = (uInt)(len - pos < packet_len ? len - pos : packet_len);
		do {
			strm.next_out = room;
			strm.avail_out = sizeof(room);
			ret = deflate(&strm, Z_PARTIAL_FLUSH);
		} while (ret == Z_OK && !strm.avail_out);
		ret = ret == Z_BUF_ERROR ? Z_OK : ret;
	}
	deflateEnd(&strm);
	free(data);
	if (ret != Z_OK) {
		goal_skip(r, "a call failed");
		r->is_wrong = 1;
		return;
	}
	zwd_stats(&stats, sizeof(stats));
	r->value = 100 * (double)stats.deflate.hw_in / (double)len;
	goal_anchor(r, "packets of 32 KB behind one of 50 bytes");
}

const struct goal goals_stream[] = {
	{ "stream-two", "one stream on two engines, against one, 1 MiB", "times", GOAL_AT_LEAST,
	  1.85, "wall, by turns, median", NULL, NULL, stream_two },
	{ "stream-two-16k", "the same with calls of 16 KB", "times", GOAL_AT_LEAST, 1.7,
	  "wall, by turns, median", NULL, NULL, stream_two_16k },
	{ "stream-pigz1", "one stream on two engines, against pigz -p2 -1", "times", GOAL_AT_LEAST,
	  4, "wall, by turns, median", NULL, NULL, stream_pigz_1 },
	{ "stream-pigz6", "the same against pigz -p2 -6", "times", GOAL_AT_LEAST, 12,
	  "wall, by turns, median", NULL, NULL, stream_pigz_6 },
	{ "stream-size", "its size against pigz -p2 -1", "of pigz", GOAL_AT_MOST, 1, "bytes", NULL,
	  NULL, stream_pigz_size },
	{ "stream-packets", "bytes of a stream like that of ssh -C on the device", "%",
	  GOAL_AT_LEAST, 95, "counters of the library", "emu", "auto", stream_packets },
	{ 0 },
};
