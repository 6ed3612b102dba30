// SPDX-License-Identifier: Zlib
/* Random entries through the emulated ZIP unit: any outcome is fine that is not a crash. */
#include "config.h"
#include "driver.h"
#include "stock.h"

#include "emu/emu.h"
#include "emu/emu_codec.h"
#include "emu/emu_priv.h"

#include <stdlib.h>
#include <string.h>

#define DST_LEN 70000
#define CTX_LEN (HISI_ZIP_CTX_SIZE - HISI_ZIP_CTX_SW_SIZE)

/* What the input begins with; the rest of it is the source. */
struct script {
	uint8_t engine;
	uint8_t alg_type;
	uint8_t format;
	uint8_t window;
	uint8_t requests_nr;
	uint8_t damage; /* where the context is changed between requests; 0: nowhere */
	uint16_t step;
	uint16_t dst_len;
	uint32_t src_ctrl;
};

static struct {
	const struct emu_codec *codec;
	struct emu_streams *streams;
	struct emu_dma dma;
	struct emu_zip zip;
} unit[2];

static uint8_t dst[DST_LEN], ctx[CTX_LEN];

static void setup(void)
{
	stock_open();
	unit[0].codec = &emu_codec_isal;
	unit[1].codec = &emu_codec_zlib;
	unit[1].streams = emu_streams_new();
	for (int i = 0; i < 2; i++) {
		if (unit[i].codec->open())
			exit(77);
		emu_dma_init(&unit[i].dma);
		emu_dma_attach(&unit[i].dma, &unit[i].zip.dma);
		unit[i].zip.codec = unit[i].codec;
		unit[i].zip.work = unit[i].codec->work_new(unit[i].streams);
		unit[i].zip.qm = 3;
		emu_dma_add(&unit[i].dma, (uintptr_t)dst, dst, DST_LEN,
			    EMU_DMA_READ | EMU_DMA_WRITE);
		emu_dma_add(&unit[i].dma, (uintptr_t)ctx, ctx, CTX_LEN,
			    EMU_DMA_READ | EMU_DMA_WRITE);
	}
}

static void run(const uint8_t *data, size_t len)
{
	struct hisi_zip_sqe sqe;
	struct script script;
	struct emu_zip *zip;
	struct emu_dma *dma;
	uint8_t *src, *context; /* which may lie in the output's room */

	if (len <= sizeof(script))
		return;
	memcpy(&script, data, sizeof(script));
	len -= sizeof(script);
	/* Its own allocation, so that a read behind its end is seen. */
	src = malloc(len);
	memcpy(src, data + sizeof(script), len);
	zip = &unit[script.engine & 1].zip;
	dma = zip->dma.dma;
	emu_dma_add(dma, (uintptr_t)src, src, len, EMU_DMA_READ);
	memset(&sqe, 0, sizeof(sqe));
	sqe.src_ctrl = (script.src_ctrl & (HISI_ZIP_SRC_FINISH | HISI_ZIP_SRC_STREAM)) |
		       HISI_ZIP_SRC_NEW | HISI_ZIP_SQE_TYPE3 << HISI_ZIP_SRC_TYPE_SHIFT;
	sqe.req_ctrl = (script.format % 3 + 1) | (uint32_t)(script.window & 0xf)
							 << HISI_ZIP_REQ_WINDOW_SHIFT;
	sqe.dst_l = (uintptr_t)dst;
	sqe.dst_h = (uint64_t)(uintptr_t)dst >> 32;
	context = script.engine & 6 ? ctx : dst + script.step % (DST_LEN - CTX_LEN);
	sqe.ctx_l = (uintptr_t)context;
	sqe.ctx_h = (uint64_t)(uintptr_t)context >> 32;
	sqe.dst_len = script.dst_len;
	for (size_t n = 0, at = 0; n <= script.requests_nr; n++) {
		/* No input still has an address. */
		const uintptr_t from = (uintptr_t)src + (at < len ? at : 0);

		sqe.src_l = from;
		sqe.src_h = (uint64_t)from >> 32;
		sqe.src_len = len - at < script.step ? len - at : script.step;
		emu_zip_exec(zip, script.alg_type & 1, &sqe);
		check(sqe.consumed <= sqe.src_len && sqe.produced <= sqe.dst_len,
		      "consumed %u of %u, produced %u of %u", sqe.consumed, sqe.src_len,
		      sqe.produced, sqe.dst_len);
		at += sqe.consumed;
		if (!sqe.consumed && !sqe.produced)
			break;
		sqe.src_ctrl &= ~HISI_ZIP_SRC_NEW;
		if (script.damage)
			context[(script.damage * 256 + n) % CTX_LEN] ^= script.damage;
	}
	emu_dma_remove(dma, (uintptr_t)src, len);
	free(src);
}

/* To compress any bytes, to decompress a stream without its header, as the unit wants it. */
static size_t make(struct random *r, uint8_t *data, size_t room)
{
	static const int wrappers[] = { -15, 15, 31 };
	static const size_t headers[] = { 0, 2, 10 };
	static unsigned char plain[5000];
	struct script script;
	uint8_t packed[6000];
	size_t len = random_below(r, sizeof(plain));
	unsigned int values = 1 + (unsigned int)random_below(r, 256);
	z_stream strm = { .next_in = plain,
			  .avail_in = (uInt)len,
			  .next_out = packed,
			  .avail_out = sizeof(packed) };

	(void)room;
	for (size_t i = 0; i < sizeof(script); i++)
		((uint8_t *)&script)[i] = (uint8_t)random_next(r);
	if (random_below(r, 2))
		script.damage = 0;
	for (size_t i = 0; i < len; i++)
		plain[i] = (unsigned char)(random_next(r) % values);
	memcpy(data, &script, sizeof(script));
	if (!(script.alg_type & 1)) {
		memcpy(data + sizeof(script), plain, len);
		return sizeof(script) + len;
	}
	check(stock.deflateInit2_(&strm, (int)random_below(r, 10), Z_DEFLATED,
				  wrappers[script.format % 3], 8, 0, ZLIB_VERSION,
				  (int)sizeof(strm)) == Z_OK,
	      "deflateInit2");
	stock.deflate(&strm, Z_FINISH);
	len = sizeof(packed) - strm.avail_out - headers[script.format % 3];
	stock.deflateEnd(&strm);
	memcpy(data + sizeof(script), packed + headers[script.format % 3], len);
	return sizeof(script) + len;
}

const struct fuzzer fuzzer = {
	.name = "fuzz_emu_sqe",
	.len_max = 1 << 13,
	.limit_s = 20,
	.setup = setup,
	.make = make,
	.run = run,
};
