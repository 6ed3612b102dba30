/* SPDX-License-Identifier: Zlib */
/* Translation between requests of wd_zip.h and submission entries of the ZIP engine. */
#ifndef HISI_ZIP_H
#define HISI_ZIP_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wd/hisi_zip.h>
#include "wd_zip.h"

/* What software keeps in the first HISI_ZIP_CTX_SW_SIZE bytes of a stream context. */
struct hisi_zip_ctx {
	uint32_t w0;
	uint32_t w1;
	uint32_t w2;
	uint32_t isize;
	uint32_t checksum; /* as the device has it */
	uint32_t is_sized; /* the device tells in the word behind these bytes how much it uses */
};

/* The same buffers as the device addresses them. */
struct hisi_zip_addr {
	uint64_t src;
	uint64_t dst;
	uint64_t ctx; /* of the whole context, software's part included */
};

/* Keeps what the next request of the stream has to bring along. */
void hisi_zip_save(void *ctx, const struct hisi_zip_sqe *sqe, int is_sized);

/* CRC-32 and the engine's CRC register are each other's reverse complement (chapter 19.2). */
uint32_t hisi_zip_crc(uint32_t reg);

/* Chapters 19.4 and 20: what the entry's status means. queue_type: HISI_ZIP_QUEUE_*. */
enum wd_zip_status hisi_zip_status(const struct hisi_zip_sqe *sqe, unsigned int queue_type);

/* Does the entry name memory of [start, start + len)? */
int hisi_zip_names(const struct hisi_zip_sqe *sqe, uint64_t start, uint64_t len);

/* What a request's flags mean. One request that is a whole stream is its first and its last. */
#define BLOCK { HISI_ZIP_SRC_NEW | HISI_ZIP_SRC_FINISH, 1, 1 }
#define STREAM(bits) { HISI_ZIP_SRC_STREAM | (bits), 0, HISI_ZIP_STREAM_MIN_DST }
static const struct hisi_zip_mode {
	uint32_t src_ctrl; /* chapter 17.2 */
	uint32_t src_min;
	uint32_t dst_min;
} hisi_zip_modes[8] = {
	BLOCK,
	STREAM(0),
	BLOCK,
	STREAM(HISI_ZIP_SRC_NEW),
	BLOCK,
	STREAM(HISI_ZIP_SRC_FINISH),
	BLOCK,
	STREAM(HISI_ZIP_SRC_NEW | HISI_ZIP_SRC_FINISH),
};
#undef BLOCK
#undef STREAM
_Static_assert(WD_ZIP_STREAM == 1 && WD_ZIP_NEW == 2 && WD_ZIP_FINISH == 4, "index above");

/* window_bits to the engine's code, 0 meaning the whole 32 KiB. */
#define HISI_ZIP_WINDOW_NONE 0xff
static const uint8_t hisi_zip_windows[16] = {
	[0] = HISI_ZIP_WINDOW_32K,
	[1 ... 11] = HISI_ZIP_WINDOW_NONE,
	[12] = HISI_ZIP_WINDOW_4K,
	[13] = HISI_ZIP_WINDOW_8K,
	[14] = HISI_ZIP_WINDOW_16K,
	[15] = HISI_ZIP_WINDOW_32K,
};

/*
 * 0, or -EINVAL: numbers of the request are not possible. formats: bits 1 << enum wd_zip_format that
 * the device knows. Its addresses are not looked at.
 */
static inline int hisi_zip_check(const struct wd_zip_req *req, unsigned int formats)
{
	const struct hisi_zip_mode *mode;

	if (req->flags > 7 || req->window_bits > 15 || req->format > WD_ZIP_GZIP)
		return -EINVAL;
	mode = &hisi_zip_modes[req->flags];
	if (req->src_len < mode->src_min || req->src_len > HISI_ZIP_MAX_LEN)
		return -EINVAL;
	if (req->dst_len < mode->dst_min || req->dst_len > HISI_ZIP_MAX_LEN)
		return -EINVAL;
	if (!(formats >> req->format & 1))
		return -EINVAL;
	if (hisi_zip_windows[req->window_bits] == HISI_ZIP_WINDOW_NONE)
		return -EINVAL;
	return 0;
}

/* Two neighbouring words of an entry in one store. */
#define HISI_ZIP_PUT64(sqe, field, value)                                                        \
	do {                                                                                     \
		uint64_t value_ = (value);                                                       \
		memcpy((uint8_t *)(sqe) + offsetof(struct hisi_zip_sqe, field), &value_, 8);      \
	} while (0)

/* sqe_type: HISI_ZIP_SQE_TYPE0 or _TYPE3. req passed hisi_zip_check(). */
static inline void hisi_zip_fill(struct hisi_zip_sqe *sqe, const struct wd_zip_req *req,
				 const struct hisi_zip_addr *addr, unsigned int sqe_type)
{
	/* All is read before anything is written: compilers cannot know that these do not overlap. */
	uint32_t src_ctrl = hisi_zip_modes[req->flags].src_ctrl;
	uint32_t req_ctrl = req->format | (uint32_t)hisi_zip_windows[req->window_bits]
						  << HISI_ZIP_REQ_WINDOW_SHIFT;
	uint32_t src_len = req->src_len, dst_len = req->dst_len;
	uint64_t tag = req->tag;

	/* In two halves, as compilers unroll no more. */
	memset(sqe, 0, sizeof(*sqe) / 2);
	memset((uint8_t *)sqe + sizeof(*sqe) / 2, 0, sizeof(*sqe) / 2);
	sqe->src_len = src_len;
	sqe->src_ctrl = src_ctrl | sqe_type << HISI_ZIP_SRC_TYPE_SHIFT;
	sqe->req_ctrl = req_ctrl;
	sqe->dst_len = dst_len;
	HISI_ZIP_PUT64(sqe, src_l, addr->src);
	HISI_ZIP_PUT64(sqe, dst_l, addr->dst);
	if (sqe_type == HISI_ZIP_SQE_TYPE0)
		sqe->tag_t0 = (uint32_t)tag;
	else
		HISI_ZIP_PUT64(sqe, tag_t3_l, tag);
	if (!(src_ctrl & HISI_ZIP_SRC_STREAM))
		return;

	HISI_ZIP_PUT64(sqe, ctx_l, addr->ctx + HISI_ZIP_CTX_SW_SIZE);
	if (!(src_ctrl & HISI_ZIP_SRC_NEW)) {
		const struct hisi_zip_ctx *ctx = req->ctx;

		sqe->ctx_w0 = ctx->w0;
		sqe->ctx_w1 = ctx->w1;
		sqe->ctx_w2 = ctx->w2;
		sqe->isize = ctx->isize;
		sqe->checksum = ctx->checksum;
	}
}

/* A finished entry as result, all but the tag: a type 0 entry holds half of that only. */
static inline void hisi_zip_parse(struct wd_zip_res *res, const struct hisi_zip_sqe *sqe,
				  unsigned int queue_type)
{
	uint32_t format = sqe->req_ctrl & HISI_ZIP_REQ_FORMAT;

	res->consumed = sqe->consumed;
	res->produced = sqe->produced;
	res->checksum = sqe->checksum;
	res->isize = sqe->isize;
	res->hw_status = sqe->result & HISI_ZIP_RESULT_STATUS;
	res->status = WD_ZIP_OK;
	if (res->hw_status || queue_type != HISI_ZIP_QUEUE_COMPRESS)
		res->status = hisi_zip_status(sqe, queue_type);
	if (format != HISI_ZIP_FORMAT_ZLIB)
		res->checksum = format == HISI_ZIP_FORMAT_GZIP ? hisi_zip_crc(sqe->checksum) : 0;
}

#endif
