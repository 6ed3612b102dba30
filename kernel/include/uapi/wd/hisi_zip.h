/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* The submission entry of the HiSilicon ZIP engine and its status codes. */
#ifndef _UAPI_WD_HISI_ZIP_H
#define _UAPI_WD_HISI_ZIP_H

#include <linux/types.h>

/* Direction is a property of the queue: the algorithm type in its context. */
#define HISI_ZIP_QUEUE_COMPRESS 0
#define HISI_ZIP_QUEUE_DECOMPRESS 1

struct hisi_zip_sqe {
	__u32 consumed;	     /* out: input bytes used */
	__u32 produced;	     /* out: output bytes written */
	__u32 comp_data_len; /* out: LZ77 modes only */
	__u32 result;	     /* out: HISI_ZIP_RESULT_* */
	__u32 src_len;	     /* bytes */
	__u32 lba_l;
	__u32 lba_h;
	__u32 src_ctrl; /* HISI_ZIP_SRC_* */
	__u32 dst_ctrl; /* 23:0 offset into the output list's bytes */
	__u32 req_ctrl; /* HISI_ZIP_REQ_* */
	__u32 dif_gen;
	__u32 priv_info;
	__u32 dif_verify;
	__u32 tag_t0;  /* type 0: tag; type 3: size of the literal buffer */
	__u32 dst_len; /* room for output, bytes */
	__u32 ctx_w0;  /* in/out: HISI_ZIP_CTX_W0_* */
	__u32 comp_head_l;
	__u32 comp_head_h;
	__u32 src_l;
	__u32 src_h;
	__u32 dst_l;
	__u32 dst_h;
	__u32 ctx_l; /* stream context, HISI_ZIP_CTX_SW_SIZE behind its start */
	__u32 ctx_h;
	__u32 key1_l;
	__u32 key1_h;
	__u32 tag_t3_l; /* type 3: tag; type 0: second cipher key */
	__u32 tag_t3_h;
	__u32 ctx_w1;	/* in/out */
	__u32 ctx_w2;	/* in/out: 15:0 bytes of history */
	__u32 isize;	/* in/out: plain bytes of the stream so far */
	__u32 checksum; /* in/out: Adler-32, or the CRC register (see HISI_ZIP_FORMAT_GZIP) */
};

/* result */
#define HISI_ZIP_RESULT_STATUS 0xff
#define HISI_ZIP_RESULT_LAST_BLOCK 0x100

#define HISI_ZIP_OK 0x00
#define HISI_ZIP_NEGATIVE 0x0d	 /* output not smaller than input; data valid */
#define HISI_ZIP_DST_FULL 0x0e	 /* no room for output */
#define HISI_ZIP_BAD_CHECKSUM 0x10
#define HISI_ZIP_STREAM_END 0x13 /* decompression reached the end of the stream */
#define HISI_ZIP_BAD_DATA 0x41	 /* corrupt data, bad parameters, stale stream state */

/* src_ctrl */
#define HISI_ZIP_SRC_OFFSET 0x00ffffff /* into the input list's bytes */
#define HISI_ZIP_SRC_FINISH (1u << 25) /* 0: sync flush, 1: last request of the stream */
#define HISI_ZIP_SRC_STREAM (1u << 26) /* 0: one request, one stream */
#define HISI_ZIP_SRC_NEW (1u << 27)    /* first request of a stream */
#define HISI_ZIP_SRC_TYPE_SHIFT 28
#define HISI_ZIP_SQE_TYPE0 0u /* versions 1 and 2 */
#define HISI_ZIP_SQE_TYPE3 3u /* version 3 and later */

/* req_ctrl */
#define HISI_ZIP_REQ_FORMAT 0xff
#define HISI_ZIP_FORMAT_DEFLATE 0x01 /* version 3 and later */
#define HISI_ZIP_FORMAT_ZLIB 0x02    /* body and trailer, the header is software's */
/*
 * Body and trailer. The checksum field holds the CRC register as it is: reversed bit for bit and
 * not inverted, CRC-32 = reverse(~checksum).
 */
#define HISI_ZIP_FORMAT_GZIP 0x03
#define HISI_ZIP_REQ_SGL (1u << 8) /* addresses are those of struct hisi_sgl */
#define HISI_ZIP_REQ_WINDOW_SHIFT 12
#define HISI_ZIP_WINDOW_4K 0u
#define HISI_ZIP_WINDOW_8K 1u
#define HISI_ZIP_WINDOW_16K 2u
#define HISI_ZIP_WINDOW_24K 3u
#define HISI_ZIP_WINDOW_32K 4u

/* ctx_w0 */
#define HISI_ZIP_CTX_W0_STATE 0xf
#define HISI_ZIP_CTX_NORMAL 0
#define HISI_ZIP_CTX_END_NO_ROOM 1  /* last block decoded, output waits */
#define HISI_ZIP_CTX_NO_ROOM 2	    /* output waits in the middle of a block */
#define HISI_ZIP_CTX_BLOCK_DONE 3
#define HISI_ZIP_CTX_END_NO_SUM 4   /* raw deflate ended */
#define HISI_ZIP_CTX_W0_FINAL 0x80  /* the current block is the last one */
#define HISI_ZIP_CTX_W2_WINDOW 0xffff

/* Stream context: software's 64 bytes, then the device's. */
#define HISI_ZIP_CTX_SIZE 0x10000
#define HISI_ZIP_CTX_SW_SIZE 0x40

/* A scatter list: this, HISI_SGL_ALIGN bytes aligned, and entries_nr entries behind it. */
struct hisi_sgl {
	__u64 next; /* device address of the list's continuation; 0: none */
	__u16 chain_nr;
	__u16 entries_nr; /* that are in use here */
	__u16 entries_max;
	__u16 reserved0;
	__u64 reserved1[5];
	__u64 sw_private;
};

struct hisi_sge {
	__u64 addr;
	__u64 sw_private;
	__u32 len; /* bytes, at most HISI_ZIP_MAX_LEN */
	__u32 reserved0;
	__u64 reserved1;
};

#define HISI_SGL_ALIGN 64
#define HISI_SGL_ENTRIES_MAX 255
#define HISI_SGL_CHAIN_MAX 256

#define HISI_ZIP_MAX_LEN 0x800000 /* bytes of input, and of output, in one request */
#define HISI_ZIP_STREAM_MIN_DST 200 /* bytes of room a stream request needs */
#define HISI_ZIP_BYPASS_DST 0x10    /* at most this much room, no input: the device does nothing */

#endif
