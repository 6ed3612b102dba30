/* SPDX-License-Identifier: Zlib */
/* Both speakers of zlib's interface: the system's library and libz-wd. */
#include "config.h"

#include "codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zwd.h>

#include "timing.h"
#include "zlib_api.h"

const char *codec_soft_version(const char **why)
{
	const struct zlib_api *api = zlib_soft(why);

	return api ? api->zlibVersion() : NULL;
}

struct zlib_codec {
	struct codec codec;
	const struct zlib_api *api;
	enum codec_direction direction;
	z_stream strm;
	void *mem[4];
	unsigned int mem_nr;
};

static int zlib_open(const struct codec_ops *ops, const struct zlib_api *api,
		     const struct codec_cfg *cfg, struct codec **codec)
{
	static const int window_bits[] = {
		[CODEC_ZLIB] = 15, [CODEC_GZIP] = 31, [CODEC_RAW] = -15
	};
	struct zlib_codec *z = calloc(1, sizeof(*z));
	int bits = window_bits[cfg->format];
	int ret;

	if (!z)
		return -ENOMEM;
	z->codec.ops = ops;
	z->api = api;
	z->direction = cfg->direction;
	if (z->direction == CODEC_DEFLATE)
		ret = api->deflateInit2_(&z->strm, cfg->level, Z_DEFLATED, bits, 8,
					Z_DEFAULT_STRATEGY, ZLIB_VERSION, sizeof(z->strm));
	else
		ret = api->inflateInit2_(&z->strm, bits, ZLIB_VERSION, sizeof(z->strm));
	if (ret != Z_OK) {
		free(z);
		return ret == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
	}
	*codec = &z->codec;
	return 0;
}

static int soft_open(const struct codec_cfg *cfg, struct codec **codec)
{
	const char *why;
	const struct zlib_api *api = zlib_soft(&why);

	return api ? zlib_open(&codec_soft, api, cfg, codec) : -ENOENT;
}

static int stream_open(const struct codec_cfg *cfg, struct codec **codec)
{
	return zlib_open(&codec_stream, &zlib_wd, cfg, codec);
}

static void *zlib_alloc(struct codec *codec, size_t size)
{
	struct zlib_codec *z = (struct zlib_codec *)codec;
	void *mem;

	if (z->mem_nr == sizeof(z->mem) / sizeof(z->mem[0]))
		return NULL;
	mem = aligned_alloc(4096, (size + 4095) & ~(size_t)4095);
	if (mem)
		z->mem[z->mem_nr++] = mem;
	return mem;
}

static int zlib_run(struct codec *codec, struct codec_unit *units, size_t nr)
{
	struct zlib_codec *z = (struct zlib_codec *)codec;
	const struct zlib_api *api = z->api;

	for (size_t i = 0; i < nr; i++) {
		struct codec_unit *u = &units[i];
		uint64_t start = timing_wall_ns();
		int ret;

		if (z->direction == CODEC_DEFLATE)
			api->deflateReset(&z->strm);
		else
			api->inflateReset(&z->strm);
		z->strm.next_in = (Bytef *)u->src;
		z->strm.avail_in = (uInt)u->src_len;
		z->strm.next_out = u->dst;
		z->strm.avail_out = (uInt)u->dst_size;
		if (z->direction == CODEC_DEFLATE)
			ret = api->deflate(&z->strm, Z_FINISH);
		else
			ret = api->inflate(&z->strm, Z_FINISH);
		u->dst_len = u->dst_size - z->strm.avail_out;
		u->ns = timing_wall_ns() - start;
		if (ret == Z_BUF_ERROR || ret == Z_OK)
			return -ENOSPC;
		if (ret == Z_MEM_ERROR)
			return -ENOMEM;
		if (ret != Z_STREAM_END || z->strm.avail_in)
			return -EBADMSG;
	}
	return 0;
}

static void zlib_close(struct codec *codec)
{
	struct zlib_codec *z = (struct zlib_codec *)codec;

	if (!z)
		return;
	if (z->direction == CODEC_DEFLATE)
		z->api->deflateEnd(&z->strm);
	else
		z->api->inflateEnd(&z->strm);
	while (z->mem_nr)
		free(z->mem[--z->mem_nr]);
	free(z);
}

static uint64_t stream_device_bytes(enum codec_direction direction)
{
	struct zwd_stats stats = { 0 };

	zwd_stats(&stats, sizeof(stats));
	return direction == CODEC_DEFLATE ? stats.deflate.hw_in : stats.inflate.hw_out;
}

const struct codec_ops codec_soft = {
	.open = soft_open, .alloc = zlib_alloc, .run = zlib_run, .close = zlib_close
};

const struct codec_ops codec_stream = {
	.open = stream_open,
	.alloc = zlib_alloc,
	.run = zlib_run,
	.close = zlib_close,
	.device_bytes = stream_device_bytes,
};
