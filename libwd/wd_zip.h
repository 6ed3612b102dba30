/* SPDX-License-Identifier: Zlib */
/* Requests and results of the ZIP engine. See wd_zip(3). */
#ifndef WDQ_WD_ZIP_H
#define WDQ_WD_ZIP_H

#include "wd.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The engine works on bodies: for zlib and gzip it writes and checks the trailer, the header is the
 * caller's (RFC 1950, RFC 1952). Compression writes byte-aligned pieces: a sync request ends with
 * an empty stored block, a finish request with the final block and the trailer.
 */
enum wd_zip_format {
	WD_ZIP_DEFLATE = 1, /* only where wd_device_info.algs says "deflate" */
	WD_ZIP_ZLIB = 2,
	WD_ZIP_GZIP = 3,
};

enum wd_zip_flags {
	WD_ZIP_STREAM = 1, /* one of several requests of a stream; ctx is needed */
	WD_ZIP_NEW = 2,	   /* its first: whatever ctx holds is forgotten */
	WD_ZIP_FINISH = 4, /* compression: the last request of the stream */
};

/*
 * What a stream carries from one request to the next, in WD_ZIP_CTX_SIZE bytes of device memory.
 * Position-independent: between two requests of a stream it may be copied and the copy used, on any
 * queue of the same device and direction. wd_zip_ctx_used() bytes from its start are worth copying.
 */
#define WD_ZIP_CTX_SIZE 0x10000

/* Bytes from the start of a context that hold its state after the latest result. */
#pragma GCC visibility push(default)
size_t wd_zip_ctx_used(const void *ctx);
/*
 * The next result, and the trailer, are of a stream that had isize plain bytes up to here, of this checksum,
 * whatever the device made of it: Adler-32 for zlib, CRC-32 for gzip.
 */
void wd_zip_ctx_set_sum(void *ctx, enum wd_zip_format format, uint32_t checksum, uint32_t isize);
/* Decompression: was the last block read to its end by the latest result, if it was WD_ZIP_OK? What follows is the trailer. */
int wd_zip_ctx_is_body_over(const void *ctx);
#pragma GCC visibility pop

#define WD_ZIP_MAX_LEN 0x800000	   /* bytes, input and output of one request */
#define WD_ZIP_STREAM_MIN_DST 200  /* bytes of output room a stream request needs */

struct wd_zip_req {
	uint64_t tag;	  /* handed back with the result */
	const void *src;  /* never NULL, also for no input */
	void *dst;
	void *ctx;	  /* stream context, or NULL without WD_ZIP_STREAM */
	uint32_t src_len; /* 0..WD_ZIP_MAX_LEN; without WD_ZIP_STREAM at least 1 */
	uint32_t dst_len; /* 1..WD_ZIP_MAX_LEN; with WD_ZIP_STREAM at least WD_ZIP_STREAM_MIN_DST */
	uint8_t format;	  /* enum wd_zip_format */
	uint8_t flags;	  /* enum wd_zip_flags */
	uint8_t window_bits; /* compression: 12..15, the longest distance is 2^window_bits; 0: 15 */
};

enum wd_zip_status {
	WD_ZIP_OK,	     /* all input was used, or output is full: see consumed */
	WD_ZIP_END,	     /* decompression: the stream ended, its trailer was right */
	WD_ZIP_NO_ROOM,	     /* output did not fit; in a stream, go on with more room */
	WD_ZIP_BAD_CHECKSUM, /* decompression: trailer and data disagree */
	WD_ZIP_BAD_DATA,     /* input is no deflate stream, or the stream's state is stale */
	WD_ZIP_FAILED,	     /* the device gave a status that is none of the above */
};

struct wd_zip_res {
	uint64_t tag;
	uint32_t consumed; /* bytes of input used */
	uint32_t produced; /* bytes of output written */
	uint32_t checksum; /* of the stream's plain bytes so far: Adler-32, CRC-32; 0 for raw deflate */
	uint32_t isize;	   /* plain bytes of the stream so far, modulo 2^32 */
	uint8_t status;	   /* enum wd_zip_status */
	uint8_t hw_status; /* the device's own code (hardware reference, BD status codes) */
};

#ifdef __cplusplus
}
#endif
#endif
