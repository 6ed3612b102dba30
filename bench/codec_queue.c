/* SPDX-License-Identifier: Zlib */
/* The device without zlib's interface: requests and results through libwd, several in flight. */
#include "config.h"

#include "codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <wd_zip.h>

#include "timing.h"

#define QUEUE_TIMEOUT_MS 10000

/* What stands before the body: RFC 1950 section 2.2, RFC 1952 section 2.3. */
static const struct {
	const char *alg;
	uint8_t format; /* enum wd_zip_format */
	uint8_t header_len;
	uint8_t header[10];
} queue_formats[] = {
	[CODEC_ZLIB] = { "zlib", WD_ZIP_ZLIB, 2, { 0x78, 0x01 } },
	[CODEC_GZIP] = { "gzip", WD_ZIP_GZIP, 10, { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 } },
	[CODEC_RAW] = { "deflate", WD_ZIP_DEFLATE, 0, { 0 } },
};

struct queue_codec {
	struct codec codec;
	struct wd_queue *queue;
	enum codec_direction direction;
	enum codec_format format;
	unsigned int depth;
	struct wd_zip_req *reqs; /* depth of each */
	struct wd_zip_res *results;
};

static void queue_close(struct codec *codec)
{
	struct queue_codec *q = (struct queue_codec *)codec;

	if (!q)
		return;
	wd_release_queue(q->queue);
	free(q->results);
	free(q->reqs);
	free(q);
}

static int queue_open(const struct codec_cfg *cfg, struct codec **codec)
{
	struct wd_queue_attr attr = {
		.device = cfg->device,
		.alg = queue_formats[cfg->format].alg,
		.op_type = cfg->direction == CODEC_DEFLATE ? WD_OP_COMPRESS : WD_OP_DECOMPRESS,
		.numa_node = -1,
		.depth = cfg->depth,
	};
	struct queue_codec *q = calloc(1, sizeof(*q));
	int ret = -ENOMEM;

	if (!q)
		return ret;
	q->codec.ops = &codec_queue;
	q->direction = cfg->direction;
	q->format = cfg->format;
	q->depth = cfg->depth;
	q->reqs = calloc(q->depth, sizeof(*q->reqs));
	q->results = calloc(q->depth, sizeof(*q->results));
	if (q->reqs && q->results)
		ret = wd_request_queue(&attr, &q->queue);
	if (ret < 0) {
		queue_close(&q->codec);
		return ret;
	}
	*codec = &q->codec;
	return 0;
}

static void *queue_alloc(struct codec *codec, size_t size)
{
	struct queue_codec *q = (struct queue_codec *)codec;
	void *mem;

	return wd_alloc(q->queue, size, &mem) < 0 ? NULL : mem;
}

/* The header is the caller's: written here, and for decompression stepped over. */
static int queue_fill(const struct queue_codec *q, struct codec_unit *u, size_t tag,
		      struct wd_zip_req *req)
{
	size_t header_len = queue_formats[q->format].header_len;

	*req = (struct wd_zip_req){
		.tag = tag,
		.src = u->src,
		.dst = u->dst,
		.src_len = (uint32_t)u->src_len,
		.dst_len = (uint32_t)u->dst_size,
		.format = queue_formats[q->format].format,
	};
	if (q->direction == CODEC_DEFLATE) {
		if (u->dst_size <= header_len)
			return -ENOSPC;
		memcpy(u->dst, queue_formats[q->format].header, header_len);
		req->dst = u->dst + header_len;
		req->dst_len -= (uint32_t)header_len;
	} else {
		if (u->src_len <= header_len)
			return -EBADMSG;
		req->src = u->src + header_len;
		req->src_len -= (uint32_t)header_len;
	}
	/* Room for the bound of a full-size unit is more than a request may name. */
	if (req->dst_len > WD_ZIP_MAX_LEN)
		req->dst_len = WD_ZIP_MAX_LEN;
	return 0;
}

static int queue_take(const struct queue_codec *q, struct codec_unit *u,
		      const struct wd_zip_res *res)
{
	size_t header_len = queue_formats[q->format].header_len;
	int is_deflate = q->direction == CODEC_DEFLATE;

	if (res->status == WD_ZIP_NO_ROOM)
		return -ENOSPC;
	if (res->status == WD_ZIP_FAILED)
		return -EIO;
	if (res->status != (is_deflate ? WD_ZIP_OK : WD_ZIP_END))
		return -EBADMSG;
	if (is_deflate && res->consumed != u->src_len)
		return -EBADMSG;
	u->dst_len = res->produced + (is_deflate ? header_len : 0);
	u->ns = timing_wall_ns() - u->ns;
	return 0;
}

/* What a failed run leaves in flight must not be taken for results of the next. */
static void queue_drain(struct queue_codec *q)
{
	while (wd_queue_in_flight(q->queue))
		if (wd_recv_sync(q->queue, q->results, q->depth, QUEUE_TIMEOUT_MS) < 0)
			return;
}

static int queue_run(struct codec *codec, struct codec_unit *units, size_t nr)
{
	struct queue_codec *q = (struct queue_codec *)codec;
	size_t sent = 0, done = 0;
	int ret;

	while (done < nr) {
		unsigned int want = 0;

		for (; want < q->depth - (sent - done) && sent + want < nr; want++) {
			struct codec_unit *u = &units[sent + want];

			ret = queue_fill(q, u, sent + want, &q->reqs[want]);
			if (ret < 0)
				goto drain;
			u->ns = timing_wall_ns();
		}
		ret = want ? wd_send(q->queue, q->reqs, want) : 0;
		if (ret < 0 && (ret != -EBUSY || sent == done))
			goto drain;
		if (ret > 0)
			sent += (unsigned int)ret;
		ret = wd_recv_sync(q->queue, q->results, q->depth, QUEUE_TIMEOUT_MS);
		if (ret < 0)
			goto drain;
		for (unsigned int i = 0, got = (unsigned int)ret; i < got; i++, done++) {
			ret = q->results[i].tag == done
				      ? queue_take(q, &units[done], &q->results[i])
				      : -EIO;
			if (ret < 0)
				goto drain;
		}
	}
	return 0;

drain:
	queue_drain(q);
	return ret;
}

const struct codec_ops codec_queue = {
	.open = queue_open, .alloc = queue_alloc, .run = queue_run, .close = queue_close
};
