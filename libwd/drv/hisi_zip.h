/* SPDX-License-Identifier: Zlib */
/* Translation between requests of wd_zip.h and submission entries of the ZIP engine. */
#ifndef HISI_ZIP_H
#define HISI_ZIP_H

#include <stdint.h>
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
	uint64_t ctx; /* of the whole context, software's part included; 0: none */
};

/* 0, or -EINVAL: the request is not possible. has_raw: the device knows WD_ZIP_DEFLATE. */
int hisi_zip_check(const struct wd_zip_req *req, int has_raw);

/* sqe_type: HISI_ZIP_SQE_TYPE0 or _TYPE3. req passed hisi_zip_check(). */
void hisi_zip_fill(struct hisi_zip_sqe *sqe, const struct wd_zip_req *req,
		   const struct hisi_zip_addr *addr, unsigned int sqe_type);

/*
 * A finished entry as result. queue_type: HISI_ZIP_QUEUE_*. res->tag is the entry's, which in type 0
 * holds 32 bits of it.
 */
void hisi_zip_parse(struct wd_zip_res *res, const struct hisi_zip_sqe *sqe, unsigned int sqe_type,
		    unsigned int queue_type);

/* Keeps what the next request of the stream has to bring along. */
void hisi_zip_save(void *ctx, const struct hisi_zip_sqe *sqe, int is_sized);

/* CRC-32 and the engine's CRC register are each other's reverse complement (chapter 19.2). */
uint32_t hisi_zip_crc(uint32_t reg);

/* Does the entry name memory of [start, start + len)? */
int hisi_zip_names(const struct hisi_zip_sqe *sqe, uint64_t start, uint64_t len);

#endif
