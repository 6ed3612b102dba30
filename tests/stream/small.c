/* SPDX-License-Identifier: Zlib */
/* Small calls one after the other: no page fault, no block from malloc, and little memory kept. */
#include "config.h"
#include "helpers.h"

#include <malloc.h>
#include <stdatomic.h>
#include <sys/resource.h>

#define LEN 1024
#define CALLS 200
#define STREAMS 64
#define KEPT_MAX (3u << 20)

/*
 * The library's malloc too, in a program without a sanitizer. Blocks shorter than a stream's state cost nothing
 * to speak of.
 */
#if !IS_ASAN && !IS_TSAN
void *__libc_malloc(size_t len);
static atomic_uint block_nr;

__attribute__((visibility("default"))) void *malloc(size_t len)
{
	if (len >= 6000)
		block_nr++;
	return __libc_malloc(len);
}

static long faults(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_THREAD, &usage), 0);
	return usage.ru_minflt;
}

static size_t allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void round_trips(unsigned int nr, int level)
{
	static unsigned char plain[LEN], packed[2 * LEN], want[2 * LEN], out[LEN];

	gen_fill(GEN_MIXED, plain, sizeof(plain));
	for (unsigned int i = 0; i < nr; i++) {
		uLongf packed_len = sizeof(packed), want_len = sizeof(want), out_len = sizeof(out);

		assert_int_equal(ours.compress2(packed, &packed_len, plain, LEN, level), Z_OK);
		assert_int_equal(ours.uncompress(out, &out_len, packed, packed_len), Z_OK);
		assert_int_equal(out_len, LEN);
		assert_memory_equal(out, plain, LEN);
		/* Once: the reference pays the faults that are counted here. */
		if (i || test_mode != MODE_SOFT)
			continue;
		assert_int_equal(ref.compress2(want, &want_len, plain, LEN, level), Z_OK);
		assert_int_equal(packed_len, want_len);
		assert_memory_equal(packed, want, want_len);
	}
}

static void calls_reuse_memory(void **state)
{
	static const int levels[] = { 1, 6, 9 };

	if (test_mode == MODE_FAULT)
		skip(); /* a queue that failed takes its memory along */
	for (size_t l = 0; l < sizeof(levels) / sizeof(levels[0]); l++) {
		unsigned int block_before;
		long fault_before;

		round_trips(3, levels[l]);
		block_before = block_nr;
		fault_before = faults();
		round_trips(CALLS, levels[l]);
		printf("level %d: %ld faults, %u blocks\n", levels[l], faults() - fault_before,
		       block_nr - block_before);
		/* The first of each round is compared. */
		assert_true(faults() - fault_before <= CALLS);
		assert_true(block_nr - block_before <= 5);
	}
}

/* However many streams there were, for every kind of block. */
static void little_is_kept(void **state)
{
	static const int mem_levels[] = { 8, 9 };
	static unsigned char plain[LEN], out[2 * LEN];
	z_stream strm[STREAMS];
	size_t before;

	round_trips(1, 6);
	before = allocated();
	for (size_t m = 0; m < sizeof(mem_levels) / sizeof(mem_levels[0]); m++) {
		memset(strm, 0, sizeof(strm));
		for (size_t i = 0; i < STREAMS; i++) {
			assert_int_equal(deflateInit2(&strm[i], 6, Z_DEFLATED, 15, mem_levels[m],
						      Z_DEFAULT_STRATEGY),
					 Z_OK);
			strm[i].next_in = plain;
			strm[i].avail_in = sizeof(plain);
			strm[i].next_out = out;
			strm[i].avail_out = sizeof(out);
			assert_int_equal(ours.deflate(&strm[i], Z_SYNC_FLUSH), Z_OK);
		}
		for (size_t i = 0; i < STREAMS; i++)
			assert_int_equal(ours.deflateEnd(&strm[i]), Z_DATA_ERROR);
	}
	if (test_mode != MODE_FAULT)
		assert_true(allocated() <= before + KEPT_MAX);
}
#else
static void calls_reuse_memory(void **state)
{
	skip(); /* the sanitizer has a malloc of its own */
}

static void little_is_kept(void **state)
{
	skip();
}
#endif

TEST_MAIN(60, cmocka_unit_test(calls_reuse_memory), cmocka_unit_test(little_is_kept))
