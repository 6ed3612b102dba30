/* SPDX-License-Identifier: Zlib */
/* zwd selftest: round trips of many sizes through a device, results checked. */
#include "config.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/zwd/commands.h"
#include "wd.h"
#include "wd_zip.h"

#define TIMEOUT_MS 30000
#define ARRAY_NR(a) (sizeof(a) / sizeof((a)[0]))

/* The checksums bit by bit: slow, and an independent reading of RFC 1950 and RFC 1952. */
static uint32_t crc32_of(const uint8_t *p, size_t len)
{
	uint32_t crc = 0xffffffff;

	while (len--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static uint32_t adler32_of(const uint8_t *p, size_t len)
{
	uint32_t a = 1, b = 0;

	while (len--) {
		a = (a + *p++) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

static const struct {
	const char *name;
	enum wd_zip_format format;
} formats[] = {
	{ "zlib", WD_ZIP_ZLIB },
	{ "gzip", WD_ZIP_GZIP },
	{ "deflate", WD_ZIP_DEFLATE },
};

static const struct {
	const char *name;
	uint32_t len;
} sizes[] = {
	{ "1 byte", 1 }, { "100 bytes", 100 }, { "4 KiB", 4096 }, { "64 KiB + 1", 65537 },
	{ "1 MiB", 1 << 20 },
};

#define PLAIN_MAX (1u << 20)
#define PACKED_MAX (PLAIN_MAX * 9 / 8 + 4096)
#define CHUNK 50000 /* of a stream's input; divides no size above */

/* One direction of the device under test. */
struct side {
	struct wd_queue *queue;
	uint8_t *src;
	uint8_t *dst;
	void *ctx;
};

static void side_close(struct side *side)
{
	wd_release_queue(side->queue);
}

static int side_open(struct side *side, const char *device, const char *alg, enum wd_op_type op)
{
	struct wd_queue_attr attr = {
		.device = device, .alg = alg, .op_type = op, .numa_node = -1,
	};
	void *mem[3];
	int r = wd_request_queue(&attr, &side->queue);

	if (r)
		return r;
	r = wd_alloc(side->queue, PACKED_MAX, &mem[0]);
	if (!r)
		r = wd_alloc(side->queue, PACKED_MAX, &mem[1]);
	if (!r)
		r = wd_alloc(side->queue, WD_ZIP_CTX_SIZE, &mem[2]);
	if (r) {
		wd_release_queue(side->queue);
		return r;
	}
	side->src = mem[0];
	side->dst = mem[1];
	side->ctx = mem[2];
	return 0;
}

/* What a whole stream came to. */
struct outcome {
	uint32_t consumed, produced;
	uint32_t checksum, isize;
	uint8_t status, hw_status;
};

static int run_request(struct side *side, const struct wd_zip_req *req, struct outcome *out)
{
	struct wd_zip_res res;
	int r = wd_send(side->queue, req, 1);

	if (r > 0)
		r = wd_recv_sync(side->queue, &res, 1, TIMEOUT_MS);
	if (r < 0)
		return r;
	if (res.tag != req->tag || res.consumed > req->src_len || res.produced > req->dst_len)
		return -EPROTO;
	out->consumed += res.consumed;
	out->produced += res.produced;
	out->checksum = res.checksum;
	out->isize = res.isize;
	out->status = res.status;
	out->hw_status = res.hw_status;
	return 0;
}

/* src_len bytes of side->src through the device, in one request or in many. 0 or -errno. */
static int run(struct side *side, enum wd_zip_format format, int is_stream, int is_inflate,
	       uint32_t src_len, struct outcome *out)
{
	uint8_t flags = is_stream ? WD_ZIP_STREAM | WD_ZIP_NEW : 0;
	uint32_t step = is_stream ? CHUNK : src_len;
	int r;

	*out = (struct outcome){ 0 };
	do {
		uint32_t left = src_len - out->consumed;
		uint32_t before = out->consumed + out->produced;
		struct wd_zip_req req = {
			.tag = out->consumed, .src = side->src + out->consumed,
			.dst = side->dst + out->produced, .ctx = side->ctx,
			.src_len = left < step ? left : step,
			.dst_len = PACKED_MAX - out->produced, .format = format, .flags = flags,
		};

		if (is_stream && !is_inflate && left <= step)
			req.flags |= WD_ZIP_FINISH;
		r = run_request(side, &req, out);
		if (r)
			return r;
		if (out->status == WD_ZIP_END || out->status > WD_ZIP_NO_ROOM)
			return 0;
		if (out->consumed + out->produced == before)
			return -ENODATA; /* no progress */
		flags &= ~WD_ZIP_NEW;
	} while (is_inflate || out->consumed < src_len);
	return 0;
}

/* Text that packs, with stretches that do not; the same every time. */
static void fill_plain(uint8_t *plain, uint32_t len)
{
	static const char words[] = "the queue is full, and the ring goes round and round again; ";
	uint32_t seed = 2463534242;

	for (uint32_t i = 0; i < len; i++) {
		if (!(i % 64)) {
			seed ^= seed << 13;
			seed ^= seed >> 17;
			seed ^= seed << 5;
		}
		if (seed % 4)
			plain[i] = words[(i + seed) % (sizeof(words) - 1)];
		else
			plain[i] = seed >> i % 24 ^ i * 31;
	}
}

static const char *check(struct side *comp, struct side *decomp, enum wd_zip_format format,
			 int is_stream, const uint8_t *plain, uint32_t len, struct outcome *out)
{
	uint32_t sum = 0;
	int r;

	if (format == WD_ZIP_GZIP)
		sum = crc32_of(plain, len);
	else if (format == WD_ZIP_ZLIB)
		sum = adler32_of(plain, len);

	memcpy(comp->src, plain, len);
	r = run(comp, format, is_stream, 0, len, out);
	if (r)
		return strerror(-r);
	if (out->status != WD_ZIP_OK || out->consumed != len)
		return "compression failed";
	if (out->isize != len && is_stream)
		return "compression counted wrongly";
	if (out->checksum != sum && format != WD_ZIP_DEFLATE)
		return "wrong checksum from compression";

	memcpy(decomp->src, comp->dst, out->produced);
	r = run(decomp, format, is_stream, 1, out->produced, out);
	if (r)
		return strerror(-r);
	if (out->status != WD_ZIP_END)
		return "decompression failed";
	if (out->produced != len || memcmp(decomp->dst, plain, len))
		return "round trip changed the data";
	if (out->checksum != sum && format != WD_ZIP_DEFLATE)
		return "wrong checksum from decompression";
	return NULL;
}

int selftest_run(const struct zwd_args *args)
{
	const struct wd_device_info *info;
	struct side comp, decomp;
	unsigned int failed_nr = 0;
	uint8_t *plain;
	int r = devices_first(args, &info);

	if (r)
		return r;
	plain = malloc(PLAIN_MAX);
	if (!plain) {
		fprintf(stderr, "zwd: out of memory\n");
		return ZWD_FAILED;
	}
	fill_plain(plain, PLAIN_MAX);
	for (size_t f = 0; f < ARRAY_NR(formats); f++) {
		const char *failure;
		struct outcome out = { 0 };

		if (!strstr(info->algs, formats[f].name))
			continue;
		r = side_open(&comp, info->name, formats[f].name, WD_OP_COMPRESS);
		if (r)
			goto no_queue;
		r = side_open(&decomp, info->name, formats[f].name, WD_OP_DECOMPRESS);
		if (r) {
			side_close(&comp);
			goto no_queue;
		}
		for (size_t i = 0; i < 2 * ARRAY_NR(sizes); i++) {
			uint32_t len = sizes[i / 2].len;
			int is_stream = i % 2;

			failure = check(&comp, &decomp, formats[f].format, is_stream, plain, len,
					&out);
			printf("%-4s  %-7s  %-6s  %s", failure ? "FAIL" : "ok", formats[f].name,
			       is_stream ? "stream" : "block", sizes[i / 2].name);
			if (failure)
				printf(": %s (status 0x%02x)", failure, out.hw_status);
			printf("\n");
			failed_nr += failure != NULL;
		}
		side_close(&comp);
		side_close(&decomp);
	}
	free(plain);
	if (failed_nr)
		printf("%s: %u checks failed.\n", info->name, failed_nr);
	else
		printf("%s: works.\n", info->name);
	return failed_nr ? ZWD_FAILED : ZWD_DONE;
no_queue:
	fprintf(stderr, "zwd: %s: cannot open a queue: %s\n", info->name, strerror(-r));
	free(plain);
	return ZWD_FAILED;
}
