/* SPDX-License-Identifier: Zlib */
/* The compute engines of the emulated device: raw deflate bodies and checksums, nothing else. */
#ifndef EMU_CODEC_H
#define EMU_CODEC_H

#include "emu_priv.h"

#include <stdbool.h>
#include <stdint.h>

struct emu_streams;

struct emu_deflate {
	const uint8_t *hist; /* the plain bytes before src */
	const uint8_t *src;
	uint8_t *dst;
	uint32_t hist_len;
	uint32_t src_len; /* at least 1 */
	uint32_t dst_len;
	unsigned int window_bits; /* 12..15 */
	bool is_last;		  /* final block, else an empty stored block at the end */
};

struct emu_inflate {
	const uint8_t *src;
	uint8_t *dst;
	uint8_t *state; /* what the stream carries; NULL: the whole stream is in src */
	uint32_t src_len;
	uint32_t dst_len;
	uint32_t state_max;
	uint32_t state_len; /* 0: a new stream. Written back, like state, on success only */
	uint32_t consumed;
	uint32_t produced;
	bool is_final;	 /* the current block is the last one */
	bool is_waiting; /* more output is known of than there was room for */
};

enum emu_inflate_result { EMU_INFLATE_MORE, EMU_INFLATE_END };

struct emu_codec {
	char name[8];
	bool is_shallow; /* needs no more stack than zlib: may run on a caller's */
	/* Finds the library, unless it has it. 0 or -ENOENT. Not for two threads at once. */
	int (*open)(void);
	/* State of one engine. streams: state of the device that all its engines share, or NULL. */
	void *(*work_new)(struct emu_streams *streams);
	void (*work_free)(void *work);
	/* Bytes written, or -ENOSPC: the piece does not fit. */
	int (*deflate)(void *work, const struct emu_deflate *d);
	/* emu_inflate_result, -EBADMSG: bad data, -ESTALE: the state is not the stream's latest. */
	int (*inflate)(void *work, struct emu_inflate *s);
	uint32_t (*adler32)(uint32_t adler, const uint8_t *buf, uint32_t len);
	uint32_t (*crc32)(uint32_t crc, const uint8_t *buf, uint32_t len);
};

extern const struct emu_codec emu_codec_isal;
extern const struct emu_codec emu_codec_null;
extern const struct emu_codec emu_codec_zlib;

#define EMU_SYMBOL_LEN 36

/* Soname of one that may be mapped already; what to open where none is; functions it must have. */
struct emu_library {
	const char *soname;
	const char *path;
	const char (*symbols)[EMU_SYMBOL_LEN];
	size_t symbols_nr;
};

/* Fills an array of pointers to the functions. 0 or -ENOENT. */
int emu_library_open(const struct emu_library *library, void *functions);

/* The one that is asked for, opened; NULL: it is not to be had. */
const struct emu_codec *emu_codec_choose(enum emu_engine engine);

/* Decoders that live in the device because zlib cannot write their state down. */
struct emu_streams *emu_streams_new(void);
void emu_streams_free(struct emu_streams *streams);
void emu_streams_lock(struct emu_streams *streams);
void emu_streams_unlock(struct emu_streams *streams);
/* After fork, in the child: drops decoders that an engine was using, all where the lock was held. */
void emu_streams_forget(struct emu_streams *streams);

#endif
