/* SPDX-License-Identifier: Zlib */
/* Statuses, checksums and contexts of the ZIP engine, and that both sides mean the same by them. */
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

enum wd_zip_status hisi_zip_status(const struct hisi_zip_sqe *sqe, unsigned int queue_type)
{
	int is_inflate = queue_type == HISI_ZIP_QUEUE_DECOMPRESS;
	uint32_t state = sqe->ctx_w0 & HISI_ZIP_CTX_W0_STATE;

	switch (sqe->result & HISI_ZIP_RESULT_STATUS) {
	case HISI_ZIP_OK:
	case HISI_ZIP_NEGATIVE:
		if (!is_inflate)
			return WD_ZIP_OK;
		if (!(sqe->src_ctrl & HISI_ZIP_SRC_STREAM))
			return WD_ZIP_END;
		/* The context holds output that had no room, though all input may be used. */
		if (state == HISI_ZIP_CTX_END_NO_ROOM || state == HISI_ZIP_CTX_NO_ROOM)
			return WD_ZIP_NO_ROOM;
		return WD_ZIP_OK;
	case HISI_ZIP_STREAM_END:
		if (!is_inflate)
			return WD_ZIP_FAILED;
		/* Without the last block this is no end. */
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

void wd_zip_ctx_set_sum(void *ctx, enum wd_zip_format format, uint32_t checksum, uint32_t isize)
{
	struct hisi_zip_ctx *sw = ctx;

	/* There and back is the same. */
	sw->checksum = format == WD_ZIP_GZIP ? hisi_zip_crc(checksum) : checksum;
	sw->isize = isize;
}

int wd_zip_ctx_is_body_over(const void *ctx)
{
	const struct hisi_zip_ctx *sw = ctx;

	return sw->w0 & HISI_ZIP_CTX_W0_FINAL && (sw->w0 & HISI_ZIP_CTX_W0_STATE) == HISI_ZIP_CTX_BLOCK_DONE;
}
