// SPDX-License-Identifier: Zlib
/* An engine that computes nothing, to measure the road to it: empty blocks and true checksums. */
#include "emu_codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct emu_codec *sums;

/* Whichever of the others is there lends its checksums: software compares them with its own. */
static int codec_open(void)
{
	const struct emu_codec *codec = emu_codec_isal.open() ? &emu_codec_zlib : &emu_codec_isal;
	int ret = codec->open();

	if (!ret)
		__atomic_store_n(&sums, codec, __ATOMIC_RELEASE);
	return ret;
}

static void *work_new(struct emu_streams *streams)
{
	return malloc(1);
}

static void work_free(void *work)
{
	free(work);
}

static int codec_deflate(void *work, const struct emu_deflate *d)
{
	static const uint8_t last[] = { 0x03, 0x00 };
	static const uint8_t sync[] = { 0x00, 0x00, 0x00, 0xff, 0xff };
	const uint8_t *block = d->is_last ? last : sync;
	const size_t len = d->is_last ? sizeof(last) : sizeof(sync);

	if (d->dst_len < len)
		return -ENOSPC;
	memcpy(d->dst, block, len);
	return len;
}

static int codec_inflate(void *work, struct emu_inflate *s)
{
	s->consumed = s->src_len;
	s->produced = 0;
	s->is_final = true;
	s->is_waiting = false;
	s->state_len = 0;
	return EMU_INFLATE_END;
}

static uint32_t codec_adler32(uint32_t adler, const uint8_t *buf, uint32_t len)
{
	return __atomic_load_n(&sums, __ATOMIC_ACQUIRE)->adler32(adler, buf, len);
}

static uint32_t codec_crc32(uint32_t crc, const uint8_t *buf, uint32_t len)
{
	return __atomic_load_n(&sums, __ATOMIC_ACQUIRE)->crc32(crc, buf, len);
}

const struct emu_codec emu_codec_null = {
	.name = "null",
	.is_shallow = true,
	.open = codec_open,
	.work_new = work_new,
	.work_free = work_free,
	.deflate = codec_deflate,
	.inflate = codec_inflate,
	.adler32 = codec_adler32,
	.crc32 = codec_crc32,
};
