/* SPDX-License-Identifier: Zlib */
/* Goals: one deflate stream on several engines, and gzip under the preload, in wall time. */
#include "config.h"

#include "goals.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zwd.h>

#include "timing.h"
#include "zlib_api.h"

enum { FEED_LEN = 262144 };

struct stream {
	const uint8_t *data;
	size_t len;
	uint8_t *packed;
	size_t packed_size;
};

/* out[0]: wall ns of the stream, out[1]: its compressed length, out[2]: bytes the device had. */
static void stream_deflate(void *arg, double *out)
{
	const struct stream *s = arg;
	struct zwd_stats stats = { 0 };

	for (int round = 0; round < 2; round++) { /* the first opens the device */
		uint64_t begin = timing_wall_ns();
		z_stream strm = { .next_out = s->packed, .avail_out = (uInt)s->packed_size };
		int ret = deflateInit(&strm, 1);

		for (size_t pos = 0; ret == Z_OK;) {
			size_t nr = s->len - pos < FEED_LEN ? s->len - pos : FEED_LEN;

			strm.next_in = (Bytef *)s->data + pos;
			strm.avail_in = (uInt)nr;
			pos += nr;
			ret = deflate(&strm, pos == s->len ? Z_FINISH : Z_NO_FLUSH);
		}
		if (ret != Z_STREAM_END)
			return;
		out[0] = (double)(timing_wall_ns() - begin);
		out[1] = (double)strm.total_out;
		deflateEnd(&strm);
	}
	zwd_stats(&stats, sizeof(stats));
	out[2] = (double)stats.deflate.hw_in / 2;
}

static int stream_is_right(const struct goal_run *run, const struct stream *s, double packed_len)
{
	uLong len = (uLong)s->len;
	uint8_t *back = goal_alloc(s->len);
	int is_right = run->soft->uncompress(back, &len, s->packed, (uLong)packed_len) == Z_OK &&
		       len == s->len && !memcmp(back, s->data, len);

	free(back);
	return is_right;
}

#define STREAM_ROUNDS_MAX 9

struct both {
	struct stream s;
	char path[4200]; /* the plain bytes as a file */
	int rounds_nr;
};

static int stream_write(const char *path, const uint8_t *data, size_t len)
{
	FILE *file = fopen(path, "we");
	int failed = !file || fwrite(data, 1, len, file) != len;

	return (file && fclose(file)) || failed;
}

static int stream_make(const struct goal_run *run, struct both *b, struct goal_result *r)
{
	size_t want = run->is_quick ? 8u << 20 : 64u << 20;
	void *packed;

	b->s.data = goal_input(run, want, &b->s.len);
	b->s.packed_size = b->s.len + b->s.len / 8 + 65536;
	/* Shared, so that the parent can look at what its children made. */
	packed = mmap(NULL, b->s.packed_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	b->s.packed = packed;
	b->rounds_nr = run->is_quick ? 3 : STREAM_ROUNDS_MAX;
	snprintf(b->path, sizeof(b->path), "%s", goal_scratch("plain"));
	if (packed == MAP_FAILED || stream_write(b->path, b->s.data, b->s.len)) {
		goal_skip(r, "no room for the input");
		return -1;
	}
	return 0;
}

/* A stream on so many engines. */
static int stream_engines(const struct goal_run *run, struct both *b, int engines_nr, double *out,
			  struct goal_result *r)
{
	const char *env[] = { NULL, "ZWD_ENGINE=hw", NULL };
	char device[64];

	snprintf(device, sizeof(device), "WD_DEVICE=emu:threads=%d", engines_nr);
	env[0] = device;
	if (goal_child(env, stream_deflate, &b->s, out) || isnan(out[2]) ||
	    !stream_is_right(run, &b->s, out[1])) {
		goal_skip(r, "a stream is wrong");
		r->is_wrong = 1;
		return -1;
	}
	if (out[2] < (double)b->s.len)
		goal_note(r, "the device did not do all of it");
	return 0;
}

static void stream_two(const struct goal_run *run, struct goal_result *r)
{
	double ratios[STREAM_ROUNDS_MAX], one[GOAL_NUMBERS], two[GOAL_NUMBERS], mbps = 0;
	struct both b;

	if (stream_make(run, &b, r))
		return;
	goal_quiet(run);
	goal_noise_begin();
	for (int i = 0; i < b.rounds_nr; i++) {
		if (stream_engines(run, &b, 1, one, r) || stream_engines(run, &b, 2, two, r))
			return;
		ratios[i] = one[0] / two[0];
		mbps = (double)b.s.len * 1e3 / one[0];
	}
	r->value = goal_median(ratios, (size_t)b.rounds_nr);
	goal_anchor(r, "one engine: %.0f MB/s", mbps);
	goal_noise_end(r);
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
		mbps = (double)b.s.len / cost.wall_us;
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
	goal_anchor(r, "pigz -p2 -1: %.4f of the input", (double)st.st_size / (double)b.s.len);
}

/* gzip's own program and wd-gzip in its place. */
static void stream_gzip(const struct goal_run *run, int is_decompress, struct goal_result *r)
{
	const char *command = goal_program(run, "libz-wd/tools", "wd-gzip", BINDIR);
	const char *library = goal_library(), *packed = goal_scratch("gz");
	char gzip_env[4200], preload_env[4200];
	const char *const env[] = { "WD_DEVICE=emu:threads=2", gzip_env, preload_env, NULL };
	const char *const argv[] = { "gzip", is_decompress ? "-dc" : "-6c", NULL };
	double ratios[STREAM_ROUNDS_MAX], mbps = 0;
	struct goal_spawn spawn = { .argv = argv };
	size_t len, want = run->is_quick ? 12u << 20 : 100000000u;
	int rounds_nr = run->is_quick ? 1 : 3;
	const char *in = goal_scratch("plain");
	uint8_t *data;

	if (!command || !library || !goal_has("gzip")) {
		goal_skip(r, "%s is not installed", !goal_has("gzip") ? "gzip" : "wd-gzip");
		return;
	}
	snprintf(gzip_env, sizeof(gzip_env), "ZWD_GZIP=%s", command);
	snprintf(preload_env, sizeof(preload_env), "LD_PRELOAD=%s", library);
	data = goal_input(run, want, &len);
	if (stream_write(in, data, len)) {
		goal_skip(r, "no room for the input");
		return;
	}
	free(data);
	if (is_decompress) {
		const char *const pack[] = { "gzip", "-6c", NULL };

		spawn = (struct goal_spawn){ .argv = pack, .in = in, .out = packed };
		if (goal_spawn(&spawn, NULL)) {
			goal_skip(r, "gzip failed");
			return;
		}
		spawn = (struct goal_spawn){ .argv = argv };
		in = packed;
	}
	goal_quiet(run);
	goal_noise_begin();
	for (int i = 0; i < rounds_nr; i++) {
		struct goal_cost plain, ours;

		spawn.in = in;
		spawn.env = NULL;
		if (goal_spawn(&spawn, &plain)) {
			goal_skip(r, "gzip failed");
			return;
		}
		spawn.env = env;
		if (goal_spawn(&spawn, &ours)) {
			goal_skip(r, "gzip under the preload failed");
			r->is_wrong = 1;
			return;
		}
		ratios[i] = plain.wall_us / ours.wall_us;
		mbps = (double)len / plain.wall_us;
	}
	r->value = goal_median(ratios, (size_t)rounds_nr);
	goal_anchor(r, "gzip %s: %.0f MB/s, of %.0f MB", is_decompress ? "-d" : "-6", mbps,
		    (double)len / 1e6);
	goal_noise_end(r);
}

static void stream_gzip_deflate(const struct goal_run *run, struct goal_result *r)
{
	stream_gzip(run, 0, r);
}

static void stream_gzip_inflate(const struct goal_run *run, struct goal_result *r)
{
	stream_gzip(run, 1, r);
}

const struct goal goals_stream[] = {
	{ "stream-two", "one stream on two engines, against one", "times", GOAL_AT_LEAST, 1.8,
	  "wall, by turns, median", NULL, NULL, stream_two },
	{ "stream-pigz1", "one stream on two engines, against pigz -p2 -1", "times", GOAL_AT_LEAST, 4,
	  "wall, by turns, median", NULL, NULL, stream_pigz_1 },
	{ "stream-pigz6", "the same against pigz -p2 -6", "times", GOAL_AT_LEAST, 12,
	  "wall, by turns, median", NULL, NULL, stream_pigz_6 },
	{ "stream-size", "its size against pigz -p2 -1", "of pigz", GOAL_AT_MOST, 1, "bytes", NULL,
	  NULL, stream_pigz_size },
	{ "gzip-deflate", "gzip with preload, two engines, against gzip -6", "times", GOAL_AT_LEAST,
	  10, "wall, by turns, median", NULL, NULL, stream_gzip_deflate },
	{ "gzip-inflate", "gzip -d with preload, against gzip -d", "times", GOAL_AT_LEAST, 3,
	  "wall, by turns, median", NULL, NULL, stream_gzip_inflate },
	{ 0 },
};
