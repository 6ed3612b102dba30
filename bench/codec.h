/* SPDX-License-Identifier: Zlib */
/* One side of the comparison: something that compresses or decompresses units of memory. */
#ifndef CODEC_H
#define CODEC_H

#include <stddef.h>
#include <stdint.h>

enum codec_direction {
	CODEC_DEFLATE,
	CODEC_INFLATE,
};

enum codec_format {
	CODEC_ZLIB,
	CODEC_GZIP,
	CODEC_RAW,
};

struct codec_cfg {
	enum codec_direction direction;
	enum codec_format format;
	int level;	    /* 0..9, compression only */
	const char *device; /* spec as WD_DEVICE has it; NULL: the environment's */
	unsigned int depth; /* requests in flight; the queue interface only */
};

/* src and dst lie in memory that the codec's alloc() gave. */
struct codec_unit {
	const uint8_t *src;
	uint8_t *dst;
	size_t src_len;
	size_t dst_size; /* room */
	size_t dst_len;	 /* out: bytes written */
	uint64_t ns;	 /* out: wall time from asking to having */
};

struct codec {
	const struct codec_ops *ops;
};

/* A codec is used by one thread at a time. Errors are -errno. */
struct codec_ops {
	int (*open)(const struct codec_cfg *cfg, struct codec **codec);
	/* Freed by close(). */
	void *(*alloc)(struct codec *codec, size_t size);
	/* -EBADMSG: a unit's data is wrong; -ENOSPC: a unit's output did not fit. */
	int (*run)(struct codec *codec, struct codec_unit *units, size_t nr);
	void (*close)(struct codec *codec);
	/* Plain bytes that the device worked on in this process so far; NULL: all there were. */
	uint64_t (*device_bytes)(enum codec_direction direction);
};

extern const struct codec_ops codec_soft;   /* the system's zlib */
extern const struct codec_ops codec_stream; /* deflate() and inflate() of libz-wd */
extern const struct codec_ops codec_queue;  /* requests and results of libwd */

/* Room that the compressed form of len bytes fits into, whoever makes it. */
static inline size_t codec_bound(size_t len)
{
	return len + len / 8 + 256;
}

/* Opens the system's zlib; NULL or its version. *why is the reason of the first failure. */
const char *codec_soft_version(const char **why);

#endif
