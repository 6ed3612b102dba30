/* SPDX-License-Identifier: GPL-2.0-only */
/* Mediated mode: may the engine execute this entry for this queue? No I/O. */
#ifndef HISI_ZIP_CHECK_H
#define HISI_ZIP_CHECK_H

/* Builds in user space too, for tests/unit. Chapters are those of the hardware reference. */
#include <linux/types.h>
#ifndef __KERNEL__
#include <stdbool.h>
#endif
#include <wd/hisi_zip.h>

/*
 * Where there is no IOMMU these are the only walls around memory: what an entry may hold is listed
 * below, whatever is not is refused, and no field of chapter 17 is left out.
 */
enum hisi_zip_refusal {
	HISI_ZIP_ALLOWED,
	HISI_ZIP_REFUSED_TYPE,	   /* entry layout of another hardware version */
	HISI_ZIP_REFUSED_FORMAT,   /* unknown, or one that takes more addresses: LZ77, ciphers */
	HISI_ZIP_REFUSED_LIST,	   /* scatter lists: their content could change after a check */
	HISI_ZIP_REFUSED_WINDOW,
	HISI_ZIP_REFUSED_RESERVED, /* a bit or field that these formats do not use */
	HISI_ZIP_REFUSED_SRC_LEN,
	HISI_ZIP_REFUSED_DST_LEN,
	HISI_ZIP_REFUSED_HISTORY,  /* stream context says that it reaches beyond its end */
	HISI_ZIP_REFUSED_SRC,	   /* an address that is not the queue's: this and the rest */
	HISI_ZIP_REFUSED_DST,
	HISI_ZIP_REFUSED_CTX,
	HISI_ZIP_REFUSALS,
};

#define HISI_ZIP_REFUSAL_NAMES                                                                   \
	{                                                                                        \
		[HISI_ZIP_ALLOWED] = "none", [HISI_ZIP_REFUSED_TYPE] = "type",                     \
		[HISI_ZIP_REFUSED_FORMAT] = "format", [HISI_ZIP_REFUSED_LIST] = "list",            \
		[HISI_ZIP_REFUSED_WINDOW] = "window",                                              \
		[HISI_ZIP_REFUSED_RESERVED] = "reserved",                                          \
		[HISI_ZIP_REFUSED_SRC_LEN] = "src_len",                                            \
		[HISI_ZIP_REFUSED_DST_LEN] = "dst_len",                                            \
		[HISI_ZIP_REFUSED_HISTORY] = "history", [HISI_ZIP_REFUSED_SRC] = "src",            \
		[HISI_ZIP_REFUSED_DST] = "dst", [HISI_ZIP_REFUSED_CTX] = "ctx",                    \
	}

struct hisi_zip_rules {
	__u32 sqe_type; /* HISI_ZIP_SQE_TYPE* */
	__u32 formats;	/* bits 1 << HISI_ZIP_FORMAT_* */
};

/* Everything of a control word that has a meaning in a flat request of our formats. */
#define HISI_ZIP_SRC_CTRL_USED                                                                   \
	(HISI_ZIP_SRC_FINISH | HISI_ZIP_SRC_STREAM | HISI_ZIP_SRC_NEW |                            \
	 0xfu << HISI_ZIP_SRC_TYPE_SHIFT)
#define HISI_ZIP_REQ_CTRL_USED                                                                   \
	(HISI_ZIP_REQ_FORMAT | 0xfu << 8 | 0xfu << HISI_ZIP_REQ_WINDOW_SHIFT)
#define HISI_ZIP_HISTORY_MAX 0x8000u /* of the window behind 0xc00 of the context, chapter 19.4 */

static inline __u64 hisi_zip_addr64(__u32 low, __u32 high)
{
	return (__u64)high << 32 | low;
}

/*
 * A length of 0 still makes the device look at the address (chapter 18.1). Only input is read only.
 */
static inline bool hisi_zip_reaches(bool (*owns)(void *arg, __u64 addr, __u64 len, bool is_write),
				    void *arg, __u64 addr, __u64 len, bool is_write)
{
	if (!len)
		len = 1;
	return addr + len > addr && owns(arg, addr, len, is_write);
}

static inline enum hisi_zip_refusal
hisi_zip_check_numbers(const struct hisi_zip_sqe *sqe, const struct hisi_zip_rules *rules)
{
	__u32 format = sqe->req_ctrl & HISI_ZIP_REQ_FORMAT;
	bool is_stream = sqe->src_ctrl & HISI_ZIP_SRC_STREAM;
	bool is_bypass = !sqe->src_len && sqe->dst_len == HISI_ZIP_BYPASS_DST;

	if (sqe->src_ctrl >> HISI_ZIP_SRC_TYPE_SHIFT != rules->sqe_type)
		return HISI_ZIP_REFUSED_TYPE;
	if (format > 31 || !(rules->formats >> format & 1))
		return HISI_ZIP_REFUSED_FORMAT;
	if (sqe->req_ctrl >> 8 & 0xf)
		return HISI_ZIP_REFUSED_LIST;
	if ((sqe->req_ctrl >> HISI_ZIP_REQ_WINDOW_SHIFT & 0xf) > HISI_ZIP_WINDOW_32K)
		return HISI_ZIP_REFUSED_WINDOW;
	if (sqe->src_ctrl & ~HISI_ZIP_SRC_CTRL_USED || sqe->req_ctrl & ~HISI_ZIP_REQ_CTRL_USED ||
	    sqe->dst_ctrl || sqe->lba_l || sqe->lba_h || sqe->dif_gen || sqe->priv_info ||
	    sqe->dif_verify || sqe->comp_head_l || sqe->comp_head_h || sqe->key1_l || sqe->key1_h)
		return HISI_ZIP_REFUSED_RESERVED;
	/* A type's tag lies where the other has a cipher key or the literal buffer. */
	if (rules->sqe_type == HISI_ZIP_SQE_TYPE0 ? sqe->tag_t3_l || sqe->tag_t3_h : sqe->tag_t0)
		return HISI_ZIP_REFUSED_RESERVED;
	if (!is_stream && (sqe->ctx_l || sqe->ctx_h))
		return HISI_ZIP_REFUSED_RESERVED;
	if (sqe->src_len > HISI_ZIP_MAX_LEN || (!is_stream && !sqe->src_len))
		return HISI_ZIP_REFUSED_SRC_LEN;
	if (!sqe->dst_len || sqe->dst_len > HISI_ZIP_MAX_LEN)
		return HISI_ZIP_REFUSED_DST_LEN;
	if (is_stream && sqe->dst_len < HISI_ZIP_STREAM_MIN_DST && !is_bypass)
		return HISI_ZIP_REFUSED_DST_LEN;
	if (is_stream && (sqe->ctx_w2 & HISI_ZIP_CTX_W2_WINDOW) > HISI_ZIP_HISTORY_MAX)
		return HISI_ZIP_REFUSED_HISTORY;
	return HISI_ZIP_ALLOWED;
}

/*
 * sqe: a copy that the process cannot change any more. owns(): may the device read (write) all of
 * [addr, addr + len) for this queue?
 */
static inline enum hisi_zip_refusal
hisi_zip_check_sqe(const struct hisi_zip_sqe *sqe, const struct hisi_zip_rules *rules,
		   bool (*owns)(void *arg, __u64 addr, __u64 len, bool is_write), void *arg)
{
	enum hisi_zip_refusal refusal = hisi_zip_check_numbers(sqe, rules);

	if (refusal)
		return refusal;
	if (!hisi_zip_reaches(owns, arg, hisi_zip_addr64(sqe->src_l, sqe->src_h), sqe->src_len,
			      false))
		return HISI_ZIP_REFUSED_SRC;
	if (!hisi_zip_reaches(owns, arg, hisi_zip_addr64(sqe->dst_l, sqe->dst_h), sqe->dst_len,
			      true))
		return HISI_ZIP_REFUSED_DST;
	if (sqe->src_ctrl & HISI_ZIP_SRC_STREAM &&
	    !hisi_zip_reaches(owns, arg, hisi_zip_addr64(sqe->ctx_l, sqe->ctx_h),
			      HISI_ZIP_CTX_SIZE - HISI_ZIP_CTX_SW_SIZE, true))
		return HISI_ZIP_REFUSED_CTX;
	return HISI_ZIP_ALLOWED;
}

#endif
