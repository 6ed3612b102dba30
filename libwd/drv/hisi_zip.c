/* SPDX-License-Identifier: Zlib */
/* Translation between requests of wd_zip.h and submission entries of the ZIP engine. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "hisi_zip.h"

_Static_assert(sizeof(struct hisi_zip_sqe) == 128, "submission entry");
_Static_assert(offsetof(struct hisi_zip_sqe, src_ctrl) == 0x1c, "submission entry");
_Static_assert(offsetof(struct hisi_zip_sqe, tag_t0) == 0x34, "submission entry");
_Static_assert(offsetof(struct hisi_zip_sqe, ctx_l) == 0x58, "submission entry");
_Static_assert(offsetof(struct hisi_zip_sqe, tag_t3_l) == 0x68, "submission entry");
_Static_assert(offsetof(struct hisi_zip_sqe, checksum) == 0x7c, "submission entry");
_Static_assert(sizeof(struct hisi_zip_ctx) <= HISI_ZIP_CTX_SW_SIZE, "stream context");
_Static_assert(WD_ZIP_CTX_SIZE == HISI_ZIP_CTX_SIZE, "stream context");
_Static_assert(WD_ZIP_MAX_LEN == HISI_ZIP_MAX_LEN, "request size");
_Static_assert(WD_ZIP_STREAM_MIN_DST == HISI_ZIP_STREAM_MIN_DST, "output size");
_Static_assert((int)WD_ZIP_DEFLATE == HISI_ZIP_FORMAT_DEFLATE, "format");
_Static_assert((int)WD_ZIP_ZLIB == HISI_ZIP_FORMAT_ZLIB, "format");
_Static_assert((int)WD_ZIP_GZIP == HISI_ZIP_FORMAT_GZIP, "format");
_Static_assert((int)WD_OP_COMPRESS == HISI_ZIP_QUEUE_COMPRESS, "queue type");
_Static_assert((int)WD_OP_DECOMPRESS == HISI_ZIP_QUEUE_DECOMPRESS, "queue type");

#define WINDOW_UNKNOWN 0xff

/* window_bits to the engine's code; the default is the whole 32 KiB. */
static const uint8_t window_codes[16] = {
	[0] = HISI_ZIP_WINDOW_32K,
	[1 ... 11] = WINDOW_UNKNOWN,
	[12] = HISI_ZIP_WINDOW_4K,
	[13] = HISI_ZIP_WINDOW_8K,
	[14] = HISI_ZIP_WINDOW_16K,
	[15] = HISI_ZIP_WINDOW_32K,
};

/* Flags to control bits. One request that is a whole stream is its first and its last. */
#define NEW HISI_ZIP_SRC_NEW
#define FIN HISI_ZIP_SRC_FINISH
#define STR HISI_ZIP_SRC_STREAM
static const uint32_t src_ctrls[8] = {
	NEW | FIN, STR, NEW | FIN, STR | NEW, NEW | FIN, STR | FIN, NEW | FIN, STR | NEW | FIN,
};
_Static_assert(WD_ZIP_STREAM == 1 && WD_ZIP_NEW == 2 && WD_ZIP_FINISH == 4, "index above");

int hisi_zip_check(const struct wd_zip_req *req, int has_raw)
{
	unsigned int is_stream = req->flags & WD_ZIP_STREAM;

	if (!req->src || !req->dst || (is_stream && !req->ctx))
		return -EINVAL;
	if (req->src_len > HISI_ZIP_MAX_LEN || (!req->src_len && !is_stream))
		return -EINVAL;
	if (req->dst_len - 1 >= HISI_ZIP_MAX_LEN)
		return -EINVAL;
	if (is_stream && req->dst_len < HISI_ZIP_STREAM_MIN_DST)
		return -EINVAL;
	if (req->format > WD_ZIP_GZIP || req->format < (has_raw ? WD_ZIP_DEFLATE : WD_ZIP_ZLIB))
		return -EINVAL;
	if (req->flags >= sizeof(src_ctrls) / sizeof(src_ctrls[0]))
		return -EINVAL;
	if (req->window_bits > 15 || window_codes[req->window_bits] == WINDOW_UNKNOWN)
		return -EINVAL;
	return 0;
}

void hisi_zip_fill(struct hisi_zip_sqe *sqe, const struct wd_zip_req *req,
		   const struct hisi_zip_addr *addr, unsigned int sqe_type)
{
	memset(sqe, 0, sizeof(*sqe));
	sqe->src_len = req->src_len;
	sqe->src_ctrl = src_ctrls[req->flags] | sqe_type << HISI_ZIP_SRC_TYPE_SHIFT;
	sqe->req_ctrl = req->format |
			(uint32_t)window_codes[req->window_bits] << HISI_ZIP_REQ_WINDOW_SHIFT;
	sqe->dst_len = req->dst_len;
	sqe->src_l = (uint32_t)addr->src;
	sqe->src_h = (uint32_t)(addr->src >> 32);
	sqe->dst_l = (uint32_t)addr->dst;
	sqe->dst_h = (uint32_t)(addr->dst >> 32);
	if (sqe_type == HISI_ZIP_SQE_TYPE0) {
		sqe->tag_t0 = (uint32_t)req->tag;
	} else {
		sqe->tag_t3_l = (uint32_t)req->tag;
		sqe->tag_t3_h = (uint32_t)(req->tag >> 32);
	}
	if (!addr->ctx)
		return;

	sqe->ctx_l = (uint32_t)(addr->ctx + HISI_ZIP_CTX_SW_SIZE);
	sqe->ctx_h = (uint32_t)((addr->ctx + HISI_ZIP_CTX_SW_SIZE) >> 32);
	if (!(req->flags & WD_ZIP_NEW)) {
		const struct hisi_zip_ctx *ctx = req->ctx;

		sqe->ctx_w0 = ctx->w0;
		sqe->ctx_w1 = ctx->w1;
		sqe->ctx_w2 = ctx->w2;
		sqe->isize = ctx->isize;
		sqe->checksum = ctx->checksum;
	}
}

void hisi_zip_save(void *ctx, const struct hisi_zip_sqe *sqe, int is_sized)
{
	*(struct hisi_zip_ctx *)ctx = (struct hisi_zip_ctx){
		.w0 = sqe->ctx_w0,
		.w1 = sqe->ctx_w1,
		.w2 = sqe->ctx_w2,
		.isize = sqe->isize,
		.checksum = sqe->checksum,
		.is_sized = is_sized,
	};
}

uint32_t hisi_zip_crc(uint32_t reg)
{
	uint32_t x = ~reg;

	x = (x >> 1 & 0x55555555) | (x & 0x55555555) << 1;
	x = (x >> 2 & 0x33333333) | (x & 0x33333333) << 2;
	x = (x >> 4 & 0x0f0f0f0f) | (x & 0x0f0f0f0f) << 4;
	return __builtin_bswap32(x);
}

static uint32_t checksum_of(const struct hisi_zip_sqe *sqe)
{
	switch (sqe->req_ctrl & HISI_ZIP_REQ_FORMAT) {
	case HISI_ZIP_FORMAT_GZIP:
		return hisi_zip_crc(sqe->checksum);
	case HISI_ZIP_FORMAT_ZLIB:
		return sqe->checksum;
	default:
		return 0;
	}
}

/* Chapters 19.4 and 20: what a status means depends on direction and mode. */
static uint8_t status_of(const struct hisi_zip_sqe *sqe, unsigned int queue_type)
{
	int is_inflate = queue_type == HISI_ZIP_QUEUE_DECOMPRESS;
	int is_stream = (sqe->src_ctrl & HISI_ZIP_SRC_STREAM) != 0;
	uint32_t state = sqe->ctx_w0 & HISI_ZIP_CTX_W0_STATE;

	switch (sqe->result & HISI_ZIP_RESULT_STATUS) {
	case HISI_ZIP_OK:
	case HISI_ZIP_NEGATIVE:
		if (!is_inflate)
			return WD_ZIP_OK;
		if (!is_stream)
			return WD_ZIP_END;
		/* The context holds output that had no room, though all input may be used. */
		if (state == HISI_ZIP_CTX_END_NO_ROOM || state == HISI_ZIP_CTX_NO_ROOM)
			return WD_ZIP_NO_ROOM;
		return WD_ZIP_OK;
	case HISI_ZIP_STREAM_END:
		if (!is_inflate)
			return WD_ZIP_FAILED;
		/* Without the last block this is no end (chapter 19.4). */
		return sqe->result & HISI_ZIP_RESULT_LAST_BLOCK ? WD_ZIP_END : WD_ZIP_OK;
	case HISI_ZIP_DST_FULL:
		return WD_ZIP_NO_ROOM;
	case HISI_ZIP_BAD_CHECKSUM:
		return WD_ZIP_BAD_CHECKSUM;
	case HISI_ZIP_BAD_DATA:
		return WD_ZIP_BAD_DATA;
	default:
		return WD_ZIP_FAILED;
	}
}

void hisi_zip_parse(struct wd_zip_res *res, const struct hisi_zip_sqe *sqe, unsigned int sqe_type,
		    unsigned int queue_type)
{
	res->tag = sqe_type == HISI_ZIP_SQE_TYPE0 ?
			   sqe->tag_t0 :
			   (uint64_t)sqe->tag_t3_h << 32 | sqe->tag_t3_l;
	res->consumed = sqe->consumed;
	res->produced = sqe->produced;
	res->checksum = checksum_of(sqe);
	res->isize = sqe->isize;
	res->status = status_of(sqe, queue_type);
	res->hw_status = sqe->result & HISI_ZIP_RESULT_STATUS;
}

static int overlaps(uint32_t low, uint32_t high, uint64_t addr_len, uint64_t start, uint64_t len)
{
	uint64_t addr = (uint64_t)high << 32 | low;

	return addr < start + len && start < addr + addr_len;
}

int hisi_zip_names(const struct hisi_zip_sqe *sqe, uint64_t start, uint64_t len)
{
	return overlaps(sqe->src_l, sqe->src_h, sqe->src_len, start, len) ||
	       overlaps(sqe->dst_l, sqe->dst_h, sqe->dst_len, start, len) ||
	       overlaps(sqe->ctx_l, sqe->ctx_h, HISI_ZIP_CTX_SIZE - HISI_ZIP_CTX_SW_SIZE, start,
			len);
}

/* Where the emulated device tells how much of a context behind software's bytes it uses. */
size_t wd_zip_ctx_used(const void *ctx)
{
	const struct hisi_zip_ctx *sw = ctx;
	uint32_t used;

	memcpy(&used, (const uint8_t *)ctx + HISI_ZIP_CTX_SW_SIZE, sizeof(used));
	if (!sw->is_sized || used > HISI_ZIP_CTX_SIZE - HISI_ZIP_CTX_SW_SIZE)
		return HISI_ZIP_CTX_SIZE;
	return HISI_ZIP_CTX_SW_SIZE + used;
}
