/* SPDX-License-Identifier: Zlib */
/* What stands behind z_stream.state of a stream this library opened. */
#ifndef ZWD_ZSTREAM_H
#define ZWD_ZSTREAM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "stream/soft_zlib.h"
#include "operate/stats.h"

/* Who does the work of a stream. */
enum zwd_mode {
	ZWD_MODE_SOFT, /* the real zlib, on the caller's z_stream itself */
	ZWD_MODE_NEW,  /* not decided: no data yet */
	ZWD_MODE_OURS, /* this library: a device, or a software engine inside our framing */
};

/* deflate: why software has the body of a stream that is framed here. */
enum zwd_soft_reason {
	ZWD_SOFT_AWAY,	 /* the device failed, or is not there: until it is back */
	ZWD_SOFT_SHORT,	 /* the segment was short: until one is not */
	ZWD_SOFT_GUARDED, /* the device lost to software: until that has done so many units */
	ZWD_SOFT_PARAMS, /* of the level or strategy: until they change */
	ZWD_SOFT_STAY,	 /* of what no device can do to a stream */
};

#define ZWD_MAGIC_DEFLATE 0x5a574464u
#define ZWD_MAGIC_INFLATE 0x5a574469u

/*
 * deflate: the pieces of memory a device stream needs. Each fits one of the blocks that zlib itself
 * allocates for 32 KiB windows at memLevel 8, so that a caller's budget holds (nginx).
 */
#define ZWD_BLOCK_LEN 65536u
#define ZWD_BLOCKS 4
#define ZWD_WINDOW_LEN 32768u
/* What a flush of the real zlib makes at most when its output before was delivered: of one block, at 31 bits a symbol. */
#define ZWD_FLUSH_LEN (3 * ZWD_BLOCK_LEN)
/* Room for the state that zlib allocates first, in one block with ours: 5952 bytes in 1.2.13. */
#define ZWD_SLOT_LEN 6400u

/* The call that decides who does a stream, timed from the decision to its end. */
struct zwd_trial {
	uint64_t begin_ns; /* 0: not timed */
	size_t len;
};

/* What devices and software did with units, of those with both: engine/guard.h. All are uint64_t. */
struct zwd_guard_sums {
	uint64_t units, in, ns; /* all of the device's, and how long calls waited for them */
	uint64_t soft_units, soft_in, soft_ns; /* those that software did, too */
	uint64_t soft_out, out; /* what came of them: by software, by the device */
};

struct zwd_guard {
	struct zwd_guard_sums sums; /* right while it is on */
	unsigned char is_on; /* the stream is watched */
	unsigned char is_probe, is_lost;
};

enum zwd_sequence { ZWD_SEQ_HEADER, ZWD_SEQ_BODY, ZWD_SEQ_DONE };

struct zwd_deflate {
	/* With a custom allocator: the blocks zlib's sizes were asked for, in its order. */
	void *block[ZWD_BLOCKS];
	size_t block_len[ZWD_BLOCKS];
	int is_block_lent[ZWD_BLOCKS];
	unsigned char *scratch; /* without: one piece for all */
	int level; /* 0..9, default resolved */
	int method;
	int window_bits; /* as given */
	int mem_level;
	int strategy;
	int wrap; /* 0 raw, 1 zlib, 2 gzip */
	int is_candidate; /* a device could do it */
	gz_headerp header;

	enum zwd_sequence seq;
	int last_flush;
	int is_flushed;	 /* nothing was accepted since the last flush point, */
	int flushed_by;	 /* which this flush made */
	int is_finishing; /* the last unit was sent */
	int has_dictionary; /* history is one, of the first segment */
	/*
	 * A segment lies between two flush points. Its engine is known when it has to be: at its flush by
	 * its length, or when its first unit is full.
	 */
	int is_device;	  /* the segment is a device's: that is decided */
	int is_raw;	  /* the software engine has the body */
	enum zwd_soft_reason reason; /* why */
	uint64_t seg_len; /* input bytes of the segment that were sent in units, or given to software */
	uint64_t last_seg_len; /* of the one before, where software has the body */
	unsigned int small_row; /* so many segments in a row were below the threshold, and still a device's */
	uint32_t check;	 /* of all input accepted: Adler-32 or CRC-32 */
	uint32_t sent_check; /* of the input of all units that were sent */
	uint32_t isize;	 /* input bytes accepted, modulo 2^32 */
	unsigned char *gather; /* accepted, not yet compressed */
	unsigned int gather_off, gather_len;
	unsigned char *pend; /* compressed, not yet delivered */
	unsigned int pend_off, pend_len;
	unsigned char *more; /* pend where its block is too short: of malloc(); or NULL */
	unsigned char *history; /* the last plain bytes that were compressed */
	unsigned int history_len;
	unsigned char *ctx; /* the device's stream context between two segments */
	size_t ctx_len;	    /* bytes of it in use; 0: none */
	uint32_t chain_before; /* what its checksum follows on: the stream's where it began */
	uint64_t chain_len;    /* and plain bytes since */
	unsigned char *spill; /* gather, pend and history after zlib took their blocks, while they hold something */
	int is_spill_ours;    /* of pages, not the caller's */
	unsigned char rest[16]; /* pend after that: a trailer for which there is no room */
	struct zwd_jobq *jobs; /* the parallel plan's units, or NULL: it was never needed */
	struct zwd_trial trial;
	struct zwd_guard guard;
	z_stream raw;
};

struct zwd_ahead;
struct zwd_lease;
struct zwd_piece;
struct zwd_shadow;

/* Where in a body software can begin: between two blocks, or where it is. */
struct zwd_place {
	uint64_t in;	/* bytes of the body before it */
	uint64_t out;	/* plain bytes before it */
	uint32_t check; /* of those */
	uint32_t window_len;
	unsigned char *window; /* the last of them */
	unsigned char bits;    /* of the byte before it that are still to be read, its upper ones */
	unsigned char byte;
	unsigned char is_state; /* any place: the real zlib's state of the stream is there */
	int data_type; /* then */
};

/* Compressed input from a place on, see inflate/keep.h. */
struct zwd_keep {
	struct zwd_place begin; /* the keep's first byte is there */
	struct zwd_place next;	/* taken for it as soon as all output before it was delivered */
	int tries; /* of a search, in vain */
	unsigned char has_next, is_lost; /* lost: nothing is kept from begin on */
	struct zwd_piece *first, *last, *spare;
	uint64_t from, to; /* bytes of the body that are in the pieces */
	size_t size;	   /* of all memory held, spare pieces too */
	unsigned char *probe; /* the latest input and output, while a place is looked for in it */
	uint32_t probe_in, probe_out, probe_size;
	uint32_t probe_check; /* of the output before the probe's */
	uint64_t quiet_until; /* bytes of the body: the search was in vain before */
	uint64_t quiet_len;
};

/* Where a device is at the end of a gzip stream, see inflate/ending.h. */
struct zwd_ending {
	uint64_t read; /* bytes since it last said that the body goes on */
	uint32_t most; /* a request's input, while the end is looked for; 0: any */
	uint32_t trailer; /* behind the body: so much of the trailer was read */
	unsigned char tries; /* requests that the search took */
	unsigned char is_next; /* the body ends within a few bytes, which come one by one */
	unsigned char is_behind; /* it has ended */
};

/* Parts of a body that are read side by side, see inflate/body_parallel.h. */
struct zwd_parts {
	uint64_t at; /* none are looked for before this byte of the body */
	uint64_t quiet_len;
	uint32_t last_in, last_out; /* what the latest part read and made */
	int is_proven; /* the latest ones were independent */
};

/* New input and room of a request. */
struct zwd_sent {
	const unsigned char *in, *out;
	uint32_t len, room;
};

enum zwd_inflate_body { ZWD_BODY_SERIAL, ZWD_BODY_SOFT };
enum zwd_part { ZWD_PART_BODY, ZWD_PART_TRAILER, ZWD_PART_END, ZWD_PART_BAD };

struct zwd_inflate {
	int window_bits; /* as given */
	/* Flags are bytes: software's streams have no use for most of this, and there may be very many. */
	unsigned char is_candidate;
	unsigned char format;	/* enum wd_zip_format; 0 until known */
	unsigned char has_header; /* the real zlib has read it */
	unsigned char is_small_window; /* by the header, where that counts */
	unsigned char is_odd; /* told to check otherwise, which lasts over resets but inflateReset2(), in software */
	struct zwd_trial trial;

	/* The frame. */
	enum zwd_inflate_body body;
	enum zwd_part part;
	unsigned char is_wrapped;   /* body soft: of a stream with its wrapper, which has it to the end */
	unsigned char is_settled;   /* no device any more */
	unsigned char is_unchecked; /* the caller wants the trailer read only */
	unsigned char trailer_len;
	unsigned char trailer[8];
	uint32_t out_check; /* of all output delivered */
	uint32_t out_len;   /* bytes of it, modulo 2^32 */

	/* A caller's allocator: where all of the rest has its memory, see engine/lease.h. */
	struct zwd_lease *lease;
	uint32_t lease_id;

	/* Input and output, see inflate/io.h. */
	size_t held; /* bytes at next_in that were read already */
	unsigned char *pend;
	size_t pend_off, pend_len, pend_size;

	struct zwd_keep keep;
	struct zwd_parts parts;
	struct zwd_ending ending;
	uint64_t tail; /* the last eight bytes of the body, and of what follows it, that were read */

	/* Body serial. */
	unsigned char is_ended; /* the device saw the end of the body, or of the stream */
	unsigned char has_more; /* it holds output back, for want of room */
	unsigned char is_ahead_off; /* the caller does not show the same input again */
	unsigned char last_byte; /* that body soft read */
	uint32_t check; /* of all output the device made */
	uint64_t made;	/* plain bytes of the body, delivered or not */
	unsigned char *ctx;
	size_t ctx_len;
	struct zwd_sent sent; /* the latest request */
	uint32_t last_in, last_out; /* what it read and made */
	unsigned int tiny_row;	    /* calls in a row that brought next to nothing */
	unsigned int small_row;	    /* and that brought little */
	struct zwd_shadow *shadow;  /* software beside it, with ZWD_VERIFY */
	struct zwd_ahead *ahead; /* the next request, sent before its output was asked for; or NULL */

	/* Body soft. */
	uint64_t soft_at; /* bytes of the body that it has read */
	uint64_t backlog_end; /* up to here it reads what is kept, then what the caller has */
	uint64_t soft_in, soft_out; /* its work since it took over */
	uint64_t return_len; /* of soft_in, before a device is asked again */
};

struct zwd_stream {
	z_streamp strm; /* back pointer, at the place where zlib's own state has it */
	uint32_t magic;
	uint32_t mode;
	struct internal_state *soft; /* the real zlib's state for the same z_stream, or NULL */
	/* The caller's allocator; is_custom: not malloc. */
	alloc_func zalloc;
	free_func zfree;
	voidpf opaque;
	int is_custom;
	union {
		struct zwd_deflate d;
		struct zwd_inflate i;
	};
	/* With a custom allocator ZWD_SLOT_LEN bytes follow. */
};

/* zlib never asks a zalloc for more than this, and many give no more (node, PostgreSQL). */
_Static_assert(_Alignof(struct zwd_stream) <= 8, "a caller's memory is aligned to 8");

/* nginx rounds the first allocation up to 8192 bytes, unless it is a multiple of 512. */
_Static_assert(sizeof(struct zwd_stream) + ZWD_SLOT_LEN < 8192, "as small as zlib's state");
_Static_assert((sizeof(struct zwd_stream) + ZWD_SLOT_LEN) % 512 != 0, "told from a buffer");

/* The stream behind strm if it is one of ours, else NULL. */
static inline struct zwd_stream *zwd_stream_of(z_streamp strm, uint32_t magic)
{
	struct zwd_stream *s;

	/* Without an allocator the real zlib takes no stream, and does not look at what may never have been set. */
	if (!strm || !strm->zalloc || !strm->zfree)
		return NULL;
	s = (struct zwd_stream *)strm->state;
	return s && s->strm == strm && s->magic == magic ? s : NULL;
}

/* Its magic, and the mode above it, to be compared at once: that of a stream in mode SOFT is its magic. */
_Static_assert(offsetof(struct zwd_stream, mode) == offsetof(struct zwd_stream, magic) + 4 &&
	       ZWD_MODE_SOFT == 0 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "both in 64 bits");
static inline uint64_t zwd_stream_kind_and_mode(const struct zwd_stream *s)
{
	uint64_t both;

	memcpy(&both, (const char *)s + offsetof(struct zwd_stream, magic), sizeof(both));
	return both;
}

/* Calls the real zlib on the caller's z_stream, with its own state in place. */
#define ZWD_SOFT_CALL(ret, strm, s, call)                                                          \
	do {                                                                                       \
		(strm)->state = (s)->soft;                                                         \
		ret = zwd_soft_zlib.call;                                                          \
		(strm)->state = (struct internal_state *)(s);                                      \
	} while (0)

/* A new state for strm with the caller's allocator (malloc where it names none), or NULL. */
struct zwd_stream *zwd_stream_new(z_streamp strm, uint32_t magic);
/* Frees it and forgets strm->state; the real zlib's state has been ended before. */
void zwd_stream_free(z_streamp strm, struct zwd_stream *s);

/*
 * Around calls in which the real zlib allocates or frees: while they last, its first block is the
 * slot behind our state, and its next ones are those a device stream used before.
 */
void zwd_stream_lend(z_streamp strm, struct zwd_stream *s);
void zwd_stream_unlend(z_streamp strm, struct zwd_stream *s);

/* Memory of the stream's, from its allocator. NULL: none. */
void *zwd_stream_alloc(struct zwd_stream *s, size_t len);
void zwd_stream_unalloc(struct zwd_stream *s, void *mem);

/* The ZWD_BLOCKS blocks of ZWD_BLOCK_LEN bytes; 0 or -ENOMEM. */
int zwd_stream_blocks(struct zwd_stream *s, int mem_level, unsigned char *blocks[ZWD_BLOCKS]);

/* deflate.c: a stream in mode NEW or OURS. Arguments were checked by zlib_abi.c as far as said there. */
int zwd_deflate_init(z_streamp strm, int level, int method, int window_bits, int mem_level,
		     int strategy, const char *version, int stream_size);
int zwd_deflate(z_streamp strm, struct zwd_stream *s, int flush);
int zwd_deflate_go_soft(z_streamp strm, struct zwd_stream *s);
int zwd_deflate_reset(z_streamp strm, struct zwd_stream *s, int is_keep);
int zwd_deflate_end(z_streamp strm, struct zwd_stream *s);
int zwd_deflate_copy(z_streamp dest, z_streamp source, struct zwd_stream *s);
int zwd_deflate_params(z_streamp strm, struct zwd_stream *s, int level, int strategy);
int zwd_deflate_set_dictionary(z_streamp strm, struct zwd_stream *s, const Bytef *dict, uInt len);
int zwd_deflate_get_dictionary(z_streamp strm, struct zwd_stream *s, Bytef *dict, uInt *len);
int zwd_deflate_set_header(z_streamp strm, struct zwd_stream *s, gz_headerp header);
int zwd_deflate_pending(struct zwd_stream *s, unsigned int *pending, int *bits);
/* A device's requests end at bytes, and so does what it leaves of the last one unused. */
int zwd_deflate_used(struct zwd_stream *s, int *bits);
int zwd_deflate_prime(z_streamp strm, struct zwd_stream *s, int bits, int value);
int zwd_deflate_tune(z_streamp strm, struct zwd_stream *s, int good, int lazy, int nice, int chain);
uLong zwd_deflate_bound(struct zwd_stream *s, uLong len);

/* inflate/frame.c: likewise. */
int zwd_inflate_init(z_streamp strm, int window_bits, const char *version, int stream_size);
int zwd_inflate(z_streamp strm, struct zwd_stream *s, int flush);
/* Is the real zlib's state opened only when it is needed? Else it says whether these bits are valid. */
int zwd_inflate_is_usual(int window_bits);
/* Opens it, if it is not open. Z_OK or an error. */
int zwd_inflate_open(z_streamp strm, struct zwd_stream *s);
/* What a reset does to the stream's own fields, for when it is not open. */
void zwd_inflate_clear(z_streamp strm, int window_bits);
/*
 * Puts the real zlib where the stream is, for what only it can do: s->soft is its state then, in a mode
 * that is SOFT or OURS. Z_OK or an error.
 */
int zwd_inflate_go_soft(z_streamp strm, struct zwd_stream *s);
/* Is its state a raw one inside our framing? */
int zwd_inflate_is_framed(const struct zwd_stream *s);
/* After zwd_inflate_go_soft(), the calls in which a raw state is not like the stream's. */
int zwd_inflate_set_dictionary(z_streamp strm, struct zwd_stream *s, const Bytef *dict, uInt len);
int zwd_inflate_sync(z_streamp strm, struct zwd_stream *s);
int zwd_inflate_validate(z_streamp strm, struct zwd_stream *s, int check);
int zwd_inflate_reset_keep(z_streamp strm, struct zwd_stream *s);
/* The raw state is reset to one with the stream's framing, that checks as was told. Z_OK or an error. */
int zwd_inflate_unframe(z_streamp strm, struct zwd_stream *s);
/* In mode OURS, in which nothing changes: the last plain bytes that were delivered. */
int zwd_inflate_get_dictionary(z_streamp strm, struct zwd_stream *s, Bytef *dict, uInt *len);
/* Forgets all progress; strm tells how much there was. The real zlib is reset by the caller. */
void zwd_inflate_restart(z_streamp strm, struct zwd_stream *s, int window_bits);
int zwd_inflate_end(z_streamp strm, struct zwd_stream *s);
int zwd_inflate_copy(z_streamp dest, z_streamp source, struct zwd_stream *s);

#endif
