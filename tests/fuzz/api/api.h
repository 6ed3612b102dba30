/* SPDX-License-Identifier: Zlib */
/*
 * Any bytes are a program of calls of the zlib interface, done by this library and by the system's
 * zlib side by side. What zlib's contract fixes must be the same; where it leaves a choice, what
 * ours makes must be sound. The first HEAD_LEN bytes are the process's settings; each OP_LEN bytes
 * of the rest are a call, or some.
 */
#ifndef FUZZ_API_H
#define FUZZ_API_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "buf.h"
#include "zlib_api.h"

enum { OURS, STOCK, SIDES };

enum {
	HEAD_LEN = 16,
	OP_LEN = 12,
	INPUT_MAX = 4096,
	CORPUS_LEN = 4 << 20,
	PLAIN_MOST = 5 << 20, /* of one stream */
	THREADS_MOST = 4,
	SLOTS = 3, /* streams of each direction that a thread has */
	SUMS_MOST = 256,
	HELD_MOST = 2 * 258 /* bytes that a device may hold back until more input comes */
};

extern const struct zlib_api *zapi[SIDES];
extern struct zlib_api stock;
extern unsigned char corpus[CORPUS_LEN];

/* api_input.c */

struct input {
	const uint8_t *data;
	size_t len, pos;
	size_t end;    /* of the call that is read */
	uint64_t more; /* what comes behind it, if one asks for more */
};

/* The next call. False: there is none. */
bool in_op(struct input *in);
unsigned int in_byte(struct input *in);
unsigned int in_below(struct input *in, unsigned int limit);
/* Most calls are for the same stream, so that they come one upon the other. */
unsigned int in_slot(struct input *in);
/* 0 to most, small ones as often as large ones, and multiples of 64 KiB with their neighbours. */
size_t in_size(struct input *in, size_t most);

enum mode { MODE_SOFT, MODE_EMU, MODE_FAULT, MODES };

struct settings {
	enum mode mode;
	unsigned int threads;
	size_t work_most;    /* bytes that a thread's calls are given */
	bool is_twice;	     /* the same again must give the same bytes */
	bool is_recut;	     /* the second time in other pieces */
	char names[12][256]; /* "NAME=value" */
	unsigned int names_nr;
};

void settings_read(struct settings *settings, struct input *in);
void corpus_make(void);
/* A piece of the corpus. */
const unsigned char *in_text(struct input *in, size_t len);

/* An allocator as programs have them, shared by a stream and its copies. */
struct alloc {
	unsigned int refs;
	unsigned int calls, fail_at; /* 0: none fails */
	unsigned int nr;
	bool is_short; /* aligned to 8 only */
	bool has_failed;
	unsigned char *mem[512];
};

/* kind below ALLOC_KINDS. 0: Z_NULL, which only our side may be given; odd: aligned to 8; second half: a call fails. */
enum { ALLOC_KINDS = 32 };
struct alloc *alloc_new(z_stream *strm, bool is_own, unsigned int kind);
void alloc_get(struct alloc *alloc);
/* The stream was ended. The last one leaves nothing behind. */
void alloc_put(struct alloc *alloc);
/* As a pool is given back: its streams are not ended. */
void alloc_abandon(struct alloc *alloc);

/* api_run.c */

_Noreturn void broken(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
#define check(condition, ...)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			broken(__FILE__, __LINE__, __VA_ARGS__);                                   \
	} while (0)

/* FUZZ_API_TRACE in the environment: what the calls are given. */
extern bool is_traced;
#define trace(...)                                                                                 \
	do {                                                                                       \
		if (is_traced)                                                                     \
			fprintf(stderr, __VA_ARGS__);                                              \
	} while (0)

struct deflating;
struct inflating;

/* One thread of the program. */
struct runner {
	const struct settings *settings;
	struct input in;
	size_t work;		 /* bytes given to calls so far */
	unsigned int cut_salt;	 /* of the second time */
	bool is_stopped;	 /* it was too much */
	bool is_child;		 /* made by fork */
	bool has_no_second_libc; /* a child of threads: the stock zlib's own malloc() may be locked
				  */
	pid_t children[4];
	unsigned int children_nr;
	struct deflating *deflates[SLOTS];
	struct inflating *inflates[SLOTS];
	struct buf packed; /* what a stream of ours made last, for inflate */
	int packed_wbits;
	uint64_t sums[SUMS_MOST]; /* of the streams that came to their end, */
	uint64_t stock_sums[SUMS_MOST]; /* and of zlib's */
	unsigned int sums_nr;
};

/* Ours is the stock zlib then, byte for byte. */
static inline bool is_soft(const struct runner *r)
{
	return r->settings->mode == MODE_SOFT;
}

struct op {
	const char *name;
	void (*run)(struct runner *r);
};
extern _Thread_local const char *op_name;

/* Everything at once, or pieces of this length. */
size_t cut_read(struct runner *r, size_t whole);
void program_run(const uint8_t *data, size_t len, bool is_own_process);
void program_setup(void);
/* Where the failing program's last words go beside standard error. */
extern char *last_words;
enum { LAST_WORDS_LEN = 512 };

/* api_packed.c */
void packed_make(struct runner *r, struct buf *out, int *wbits);
void packed_damage(struct runner *r, struct buf *packed);

/* api_deflate.c */
extern const struct op deflate_ops[];
extern const unsigned int deflate_ops_nr;
void deflates_close(struct runner *r);

/* api_inflate.c */
extern const struct op inflate_ops[];
extern const unsigned int inflate_ops_nr;
void inflates_close(struct runner *r);

/* api_other.c */
extern const struct op other_ops[];
extern const unsigned int other_ops_nr;

/* api_gz.c */
extern const struct op gz_ops[];
extern const unsigned int gz_ops_nr;

#endif
