/* SPDX-License-Identifier: Zlib */
/* Goals: gzip under the preload, which is wd-gzip then, against GNU gzip and igzip. */
#include "config.h"

#include "goals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "zlib_api.h"

/* What is read. */
enum gzip_input {
	GZIP_PLAIN,
	GZIP_GNU,     /* by GNU gzip */
	GZIP_OWN,     /* by ours, on the device */
	GZIP_BGZF,    /* as bgzip makes it: blocks that tell their length */
	GZIP_MEMBERS, /* as "cat *.gz" makes it */
};

enum { BGZF_LEN = 65280, MEMBER_LEN = 300000, HEADER_MAX = 18, TRAILER_LEN = 8 };

struct gzip_row {
	enum gzip_input input;
	int is_cpu;   /* else wall time */
	int is_times; /* the value is the anchor's time over ours, else ours over the anchor's */
	const char *option;    /* of ours */
	const char *anchor[5]; /* without the file */
};

struct gzip_files {
	char plain[4200], packed[4200];
	size_t len;
};

/* Two lines of the environment: the preload, and the program that it puts in gzip's place. */
static const char *const *gzip_env(const struct goal_run *run, struct goal_result *r)
{
	static char command_env[4200], preload_env[4200];
	static const char *const env[] = { "WD_DEVICE=emu:threads=2", command_env, preload_env,
					   NULL };
	const char *command = goal_program(run, "libz-wd/tools", "wd-gzip", BINDIR);
	const char *library = goal_library();

	if (!command || !library || !goal_has("gzip")) {
		goal_skip(r, "%s is not installed", !goal_has("gzip") ? "gzip" : "wd-gzip");
		return NULL;
	}
	snprintf(command_env, sizeof(command_env), "ZWD_GZIP=%s", command);
	snprintf(preload_env, sizeof(preload_env), "LD_PRELOAD=%s", library);
	return env;
}

static size_t gzip_le(uint8_t *p, uint32_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(value >> 8 * i);
	return bytes;
}

/* One member by zlib -6 (RFC 1952); in BGZF with the field BC, its length less one. */
static size_t gzip_member(const struct zlib_api *z, z_stream *strm, const uint8_t *data, size_t len,
			  int is_bgzf, uint8_t *out)
{
	size_t header_len = is_bgzf ? HEADER_MAX : 10, body_len;
	static const uint8_t header[HEADER_MAX] = { 0x1f, 0x8b, 8, 4, 0,   0,	0, 0,
						    0,	  0xff, 6, 0, 'B', 'C', 2 };
	uLong room = z->deflateBound(strm, (uLong)len);

	memcpy(out, header, header_len);
	strm->next_in = (Bytef *)data;
	strm->avail_in = (uInt)len;
	strm->next_out = out + header_len;
	strm->avail_out = (uInt)room;
	if (z->deflateReset(strm) || z->deflate(strm, Z_FINISH) != Z_STREAM_END)
		return 0;
	body_len = room - strm->avail_out;
	if (is_bgzf)
		gzip_le(out + 16, (uint32_t)(header_len + body_len + TRAILER_LEN - 1), 2);
	else
		out[3] = 0;
	out += header_len + body_len;
	gzip_le(out, (uint32_t)z->crc32(0, data, (uInt)len), 4);
	gzip_le(out + 4, (uint32_t)len, 4);
	return header_len + body_len + TRAILER_LEN;
}

static int gzip_members(const struct goal_run *run, const struct gzip_files *files,
			const uint8_t *data, int is_bgzf)
{
	size_t member_len = is_bgzf ? BGZF_LEN : MEMBER_LEN, out_len = 0, one = 1;
	uint8_t *out = goal_alloc(files->len + files->len / 8 + 65536);
	z_stream strm = { 0 };
	int ret;

	ret = run->soft->deflateInit2_(&strm, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY,
				       ZLIB_VERSION, sizeof(strm));
	for (size_t pos = 0; !ret && pos < files->len && one; pos += member_len) {
		size_t len = files->len - pos < member_len ? files->len - pos : member_len;

		one = gzip_member(run->soft, &strm, data + pos, len, is_bgzf, out + out_len);
		out_len += one;
	}
	run->soft->deflateEnd(&strm);
	ret |= !one || goal_write(files->packed, out, out_len);
	free(out);
	return ret;
}

static int gzip_make(const struct goal_run *run, enum gzip_input input, const char *const *env,
		     struct gzip_files *files, struct goal_result *r)
{
	static const char *const argv[] = { "gzip", "-6c", NULL };
	uint8_t *data = goal_input(run, run->is_quick ? 12u << 20 : 100000000u, &files->len);
	struct goal_spawn pack = { .argv = argv, .in = files->plain, .out = files->packed };
	int failed;

	snprintf(files->plain, sizeof(files->plain), "%s", goal_scratch("plain"));
	snprintf(files->packed, sizeof(files->packed), "%s", goal_scratch("packed.gz"));
	failed = goal_write(files->plain, data, files->len);
	if (input == GZIP_OWN)
		pack.env = env;
	if (input == GZIP_BGZF || input == GZIP_MEMBERS)
		failed = failed || gzip_members(run, files, data, input == GZIP_BGZF);
	else if (input != GZIP_PLAIN)
		failed = failed || goal_spawn(&pack, NULL);
	free(data);
	if (failed)
		goal_skip(r, "the input cannot be made");
	return failed;
}

enum { GZIP_ROUNDS = 5 };

static void gzip_measure(const struct goal_run *run, const struct gzip_row *row,
			 struct goal_result *r)
{
	const char *const *env = gzip_env(run, r);
	int rounds_nr = run->is_quick ? 1 : GZIP_ROUNDS;
	double ratios[GZIP_ROUNDS], mbps = 0;
	const char *argv[] = { "gzip", row->option, NULL, NULL };
	const char *anchor_argv[7] = { NULL };
	struct goal_spawn ours = { .argv = argv, .env = env }, anchor = { .argv = anchor_argv };
	struct gzip_files files;
	size_t nr = 0;

	if (!env)
		return;
	if (!goal_has(row->anchor[0])) {
		goal_skip(r, "%s is not installed", row->anchor[0]);
		return;
	}
	if (gzip_make(run, row->input, env, &files, r))
		return;
	while (row->anchor[nr]) {
		anchor_argv[nr] = row->anchor[nr];
		nr++;
	}
	argv[2] = anchor_argv[nr] = row->input == GZIP_PLAIN ? files.plain : files.packed;
	goal_quiet(run);
	goal_noise_begin();
	for (int i = 0; i < rounds_nr; i++) {
		struct goal_cost a, b;

		if (goal_spawn(&anchor, &a)) {
			goal_skip(r, "%s failed", row->anchor[0]);
			return;
		}
		if (goal_spawn(&ours, &b)) {
			goal_skip(r, "gzip under the preload failed");
			r->is_wrong = 1;
			return;
		}
		ratios[i] = row->is_cpu ? b.cpu_us / a.cpu_us : b.wall_us / a.wall_us;
		if (row->is_times)
			ratios[i] = 1 / ratios[i];
		mbps = (double)files.len / (row->is_cpu ? a.cpu_us : a.wall_us);
	}
	r->value = goal_median(ratios, (size_t)rounds_nr);
	goal_anchor(r, "%s %s: %.0f MB/s, of %.0f MB", row->anchor[0], row->anchor[1], mbps,
		    (double)files.len / 1e6);
	if (!row->is_cpu)
		goal_noise_end(r);
}

static void gzip_deflate(const struct goal_run *run, struct goal_result *r)
{
	gzip_measure(
		run,
		&(struct gzip_row){ .is_times = 1, .option = "-6c", .anchor = { "gzip", "-6c" } },
		r);
}

static void gzip_inflate(const struct goal_run *run, struct goal_result *r)
{
	gzip_measure(run,
		     &(struct gzip_row){ GZIP_GNU, .is_times = 1, .option = "-dc",
					 .anchor = { "gzip", "-dc" } },
		     r);
}

static void gzip_igzip(const struct goal_run *run, struct goal_result *r)
{
	gzip_measure(run, &(struct gzip_row){ .option = "-c", .anchor = { "igzip", "-T2", "-c" } },
		     r);
}

/* Both into files, whose sizes count. */
static void gzip_size(const struct goal_run *run, struct goal_result *r)
{
	const char *const *env = gzip_env(run, r);
	struct gzip_files files;
	struct stat a, b;

	if (!env)
		return;
	if (!goal_has("igzip")) {
		goal_skip(r, "igzip is not installed");
		return;
	}
	if (gzip_make(run, GZIP_OWN, env, &files, r) || stat(files.packed, &b)) {
		r->is_wrong = 1;
		return;
	}
	const char *const argv[] = { "igzip", "-c", files.plain, NULL };
	struct goal_spawn spawn = { .argv = argv, .out = files.packed };

	if (goal_spawn(&spawn, NULL) || stat(files.packed, &a)) {
		goal_skip(r, "igzip failed");
		return;
	}
	r->value = (double)b.st_size / (double)a.st_size;
	goal_anchor(r, "igzip: %.4f of the input", (double)a.st_size / (double)files.len);
}

static void gunzip_against_igzip(const struct goal_run *run, enum gzip_input input, int is_cpu,
				 struct goal_result *r)
{
	gzip_measure(run,
		     &(struct gzip_row){ input, .is_cpu = is_cpu, .option = "-dc",
					 .anchor = { "igzip", "-d", "-c" } },
		     r);
}

static void gunzip_wall(const struct goal_run *run, struct goal_result *r)
{
	gunzip_against_igzip(run, GZIP_GNU, 0, r);
}

static void gunzip_cpu(const struct goal_run *run, struct goal_result *r)
{
	gunzip_against_igzip(run, GZIP_GNU, 1, r);
}

static void gunzip_own(const struct goal_run *run, struct goal_result *r)
{
	gunzip_against_igzip(run, GZIP_OWN, 0, r);
}

static void gunzip_bgzf(const struct goal_run *run, struct goal_result *r)
{
	gunzip_against_igzip(run, GZIP_BGZF, 0, r);
}

static void gunzip_members(const struct goal_run *run, struct goal_result *r)
{
	gunzip_against_igzip(run, GZIP_MEMBERS, 0, r);
}

const struct goal goals_gzip[] = {
	{ "gzip-deflate", "gzip with preload, two engines, against gzip -6", "times", GOAL_AT_LEAST,
	  10, "wall, by turns, median", NULL, "auto", gzip_deflate },
	{ "gzip-inflate", "gzip -d with preload, against gzip -d", "times", GOAL_AT_LEAST, 3,
	  "wall, by turns, median", NULL, "auto", gzip_inflate },
	{ "gzip-igzip", "gzip -c with preload, two engines", "of igzip -T2", GOAL_AT_MOST, 0.6,
	  "wall, by turns, median", NULL, "auto", gzip_igzip },
	{ "gzip-size", "its size", "of igzip", GOAL_AT_MOST, 1, "bytes", NULL, "auto", gzip_size },
	{ "gunzip-wall", "gzip -dc with preload, of GNU gzip's file", "of igzip -d", GOAL_AT_MOST,
	  1.05, "wall, by turns, median", NULL, "auto", gunzip_wall },
	{ "gunzip-cpu", "the same", "of igzip -d", GOAL_AT_MOST, 1.10, "CPU, by turns, median",
	  NULL, "auto", gunzip_cpu },
	{ "gunzip-own", "the same of our own file, two engines", "of igzip -d", GOAL_AT_MOST, 0.6,
	  "wall, by turns, median", NULL, "auto", gunzip_own },
	{ "gunzip-bgzf", "the same of a BGZF file", "of igzip -d", GOAL_AT_MOST, 0.6,
	  "wall, by turns, median", NULL, "auto", gunzip_bgzf },
	{ "gunzip-members", "the same of many members of 300 KB", "of igzip -d", GOAL_AT_MOST, 0.6,
	  "wall, by turns, median", NULL, "auto", gunzip_members },
	{ 0 },
};
