/* SPDX-License-Identifier: Zlib */
/*
 * What the patterns of the soak test share. A pattern is how one kind of client calls zlib. Threads
 * take turns of all patterns; a turn does a piece of work and says 0, or -1 after soak_failed().
 */
#ifndef SOAK_H
#define SOAK_H

#include "helpers.h"

#include <semaphore.h>
#include <stdatomic.h>

enum {
	SOAK_TEXT_LEN = 3 << 20, /* bytes that streams are cut from */
	SOAK_PATTERNS_MAX = 32,
	SOAK_THREADS = 4,
	SOAK_QUARTERS = 4, /* of a round; the first one warms up */
};

/* What a pattern did in a round. */
struct soak_tally {
	atomic_ullong turns, calls, bytes;
};

/* What the driver and the process of a round share. */
struct soak_share {
	/* At the end of each quarter all threads rest: posted then, and posted back when that was
	 * seen. */
	sem_t at_rest, go_on;
	struct soak_tally tallies[SOAK_PATTERNS_MAX];
	/* As of the latest rest. */
	unsigned long long hw_requests, errors, failovers, heap;
};

struct soak;

struct soak_pattern {
	const char *name;
	unsigned int weight; /* turns, beside the others' */
	int (*turn)(struct soak *s);
	/* NULL, or ends what a thread keeps from turn to turn in *s->kept. */
	void (*end)(struct soak *s);
};

extern const struct soak_pattern soak_patterns[]; /* ended by one without a name */

/* A thread. */
struct soak {
	uint64_t rng;
	int number;
	const struct soak_pattern *pattern;
	struct soak_tally *tally;
	void **kept;		 /* the pattern's, NULL at first */
	double round_s;		 /* how long the round is */
	char what[160];		 /* the turn does, for whoever has to look for what failed */
	struct buf packed, back; /* for the turn; empty at its beginning */
	unsigned char *shared;	 /* with a child; NULL: no forks by this thread */
};

/* Draws. length: as many between 1 and 2 as between 2^bits and 2^(bits+1). */
unsigned int soak_below(struct soak *s, unsigned int limit);
size_t soak_length(struct soak *s, unsigned int bits);
/* len bytes, SOAK_TEXT_LEN at most, of all the kinds that there are. */
const unsigned char *soak_text(struct soak *s, size_t len);
void soak_text_make(void);

/* Says what the turn does; what was wrong, and -1. The first failure ends the round. */
void soak_does(struct soak *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
int soak_failed(struct soak *s, const char *where, long long value);
extern atomic_int soak_failures;

/* A call, which moves the pointers and totals by the same, and answers what it may: else Z_ERRNO,
 * and it failed. */
int soak_deflate(struct soak *s, z_stream *strm, int flush);
int soak_inflate(struct soak *s, z_stream *strm, int flush);
/*
 * A piece of input through rooms of this length (0: of any) until it and what the flush brings are
 * out. Z_OK, or Z_STREAM_END, or what went wrong.
 */
int soak_feed(struct soak *s, z_stream *strm, const void *src, size_t len, int flush, size_t room,
	      struct buf *out);
/* The same for inflate(), until there is no more output or the stream ends; *rest: what it left. */
int soak_take(struct soak *s, z_stream *strm, const void *src, size_t len, int flush, size_t room,
	      struct buf *out, size_t *rest);
int soak_open_deflate(struct soak *s, z_stream *strm, int level, int wbits, int mem_level,
		      int strategy);
int soak_open_inflate(struct soak *s, z_stream *strm, int wbits);

/* Is it a whole stream, which the reference inflates to this? 0 or -1. */
int soak_unpacks(struct soak *s, int wbits, const void *packed, size_t packed_len,
		 const void *plain, size_t len);
/* 0 or -1. */
int soak_is(struct soak *s, const char *where, const struct buf *got, const void *want, size_t len);

/*
 * In a forked child: work, which knows no reference and adds to out. What it added is this
 * process's then, 2 * SOAK_TEXT_LEN at most. 0 or -1.
 */
int soak_in_child(struct soak *s, int (*work)(struct soak *s, void *arg, struct buf *out),
		  void *arg, struct buf *out);

/* A pattern's turn is one of these. */
int soak_nginx(struct soak *s), soak_git(struct soak *s), soak_python(struct soak *s);
int soak_java(struct soak *s), soak_node(struct soak *s), soak_gz(struct soak *s);
int soak_pages(struct soak *s), soak_dump(struct soak *s), soak_ssh(struct soak *s);
int soak_rsync(struct soak *s), soak_websocket(struct soak *s), soak_png(struct soak *s);
int soak_browser(struct soak *s), soak_backup(struct soak *s), soak_restore(struct soak *s);
int soak_gzip(struct soak *s), soak_abandon(struct soak *s), soak_crowd(struct soak *s);
int soak_any_deflate(struct soak *s), soak_any_inflate(struct soak *s),
	soak_any_oneshot(struct soak *s);
void soak_nginx_end(struct soak *s), soak_ssh_end(struct soak *s),
	soak_websocket_end(struct soak *s);

#endif
