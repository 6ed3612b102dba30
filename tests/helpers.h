/* SPDX-License-Identifier: Zlib */
/* What the tests of the zlib interface share: two zlibs side by side, data, traces, statistics. */
#ifndef HELPERS_H
#define HELPERS_H

#include "sanitizer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>

#include "buf.h"
#include "zlib_api.h"

extern const struct zlib_api ours; /* the library this program is linked with */
extern struct zlib_api ref;	   /* the system's zlib, SOFT_ZLIB in the environment */

/* Of ZWD_TEST_MODE; soft where it is not set. In soft mode ours is the reference, byte for byte. */
enum test_mode { MODE_SOFT, MODE_EMU, MODE_FAULT };
extern enum test_mode test_mode;

/* First call of each main(): opens ref, reads the mode, ends the program after limit_s seconds. */
void test_begin(unsigned int limit_s);

/* Fixed seed, or ZWD_TEST_SEED; printed by test_begin(). */
uint64_t test_random(void);
uint64_t test_random_below(uint64_t limit);
/* The same of a state of one's own, which is any number at first. */
uint64_t test_random_of(uint64_t *state);

enum gen { GEN_TEXT, GEN_SOURCE, GEN_JSON, GEN_BINARY, GEN_RANDOM, GEN_ZEROS, GEN_MIXED, GEN_NR };
const char *gen_name(enum gen gen);
/* The same bytes for the same gen at every call; a longer one begins with the shorter one. */
void gen_fill(enum gen gen, void *dst, size_t len);
unsigned char *gen_alloc(enum gen gen, size_t len);

/* In one go, with the given zlib. The result is of Z_FINISH and complete, or the test fails. */
void deflate_all(const struct zlib_api *z, int wbits, int level, int strategy, const void *src,
		 size_t len, struct buf *out);
/*
 * inflate() in calls of in_step bytes of input and out_step of room (0: everything, enough) until
 * it answers something else than Z_OK or has no more input. Returns its last answer; rest: bytes
 * of input it left alone.
 */
int inflate_steps(const struct zlib_api *z, int wbits, const void *src, size_t len, size_t in_step,
		  size_t out_step, struct buf *out, size_t *rest);
/* Fails the test unless the reference inflates src to exactly these bytes. */
void assert_inflates(int wbits, const void *src, size_t len, const void *plain, size_t plain_len);

/* What every call of a script answered. */
struct call {
	const char *what;
	int ret, data_type;
	uInt avail_in, avail_out;
	uLong adler;
	const char *msg;
};
struct trace {
	struct call *calls;
	size_t nr, size;
};
/* Notes the answer and hands it back. */
int trace_call(struct trace *trace, const char *what, const z_stream *strm, int ret);
/* Both did the same: every field where the mode is soft, else the return values. */
void assert_same_trace(const struct trace *got, const struct trace *want);
void trace_free(struct trace *trace);

/* Sum of key ("hw_requests", ...) in section "deflate" or "inflate" of a ZWD_STATS=json file. */
unsigned long long stats_sum(const char *path, const char *section, const char *key);

/* A path in a scratch folder that is emptied and removed when the program ends. */
const char *scratch(const char *name);
void file_write(const char *path, const void *data, size_t len);
void file_read(const char *path, struct buf *out);

#define TEST_MAIN(limit_s, ...) \
	int main(void) \
	{ \
		const struct CMUnitTest tests[] = { __VA_ARGS__ }; \
\
		test_begin(limit_s); \
		return cmocka_run_group_tests(tests, NULL, NULL); \
	}

/* In a child, where cmocka has nothing to say: its exit status tells. */
#define MUST(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
			_exit(1); \
		} \
	} while (0)

/*
 * Does work(arg, result) in a process of its own, for settings are read once in a process: work sets them. It ends
 * by exit(), with the libraries' destructors, or by an alarm after a minute. Its result of len bytes is this
 * process's then, and as it was where there is none. The wait status.
 */
int run_in_child(void (*work)(const void *arg, void *result), const void *arg, void *result, size_t len);

#endif
