/* SPDX-License-Identifier: Zlib */
/* The parts of wd-bench: statistics, clocks, generated data that is the same everywhere, units. */
#include "config.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gen.h"
#include "input.h"
#include "spread.h"
#include "timing.h"

static void test_median(void **state)
{
	double odd[] = { 9, 1, 5 }, even[] = { 4, 1, 3, 100 };
	struct spread s = spread_of(odd, 3);

	assert_true(s.median == 5 && s.min == 1 && s.max == 9);
	s = spread_of(even, 4);
	assert_true(s.median == 3.5 && s.min == 1 && s.max == 100);
	s = spread_of(even, 1);
	assert_true(s.median == 1 && s.min == 1 && s.max == 1);
	s = spread_of(even, 0);
	assert_true(s.median == 0);
}

static void test_percentile(void **state)
{
	uint64_t v[1000];

	for (unsigned int i = 0; i < 1000; i++)
		v[i] = (i * 7919u + 13) % 1000 + 1;
	spread_sort(v, 1000);
	assert_int_equal(spread_percentile(v, 1000, 500), 500);
	assert_int_equal(spread_percentile(v, 1000, 990), 990);
	assert_int_equal(spread_percentile(v, 1000, 1000), 1000);
	assert_int_equal(spread_percentile(v, 1000, 0), 1);
	assert_int_equal(spread_percentile(v, 3, 500), 2);
	assert_int_equal(spread_percentile(v, 1, 990), 1);
	assert_int_equal(spread_percentile(v, 0, 990), 0);
}

#define BURN_NS 20000000u

struct burner {
	pthread_barrier_t barrier;
	pid_t tid;
};

/* Uses BURN_NS of CPU time between the first and the second meeting, and lives until the third. */
static void *burn(void *arg)
{
	struct burner *burner = arg;

	burner->tid = gettid();
	pthread_barrier_wait(&burner->barrier);
	for (uint64_t start = timing_thread_ns(); timing_thread_ns() - start < BURN_NS;)
		;
	pthread_barrier_wait(&burner->barrier);
	pthread_barrier_wait(&burner->barrier);
	return NULL;
}

/* CPU time of a thread that runs elsewhere is seen at once, unless it is one of ours. */
static void test_others(void **state)
{
	uint64_t before, before_mine, after, after_mine;
	struct burner burner;
	pthread_t thread;

	pthread_barrier_init(&burner.barrier, NULL, 2);
	before = timing_others_ns(NULL, 0);
	assert_int_equal(pthread_create(&thread, NULL, burn, &burner), 0);
	pthread_barrier_wait(&burner.barrier);
	before_mine = timing_others_ns(&burner.tid, 1);
	pthread_barrier_wait(&burner.barrier);
	after = timing_others_ns(NULL, 0);
	after_mine = timing_others_ns(&burner.tid, 1);
	pthread_barrier_wait(&burner.barrier);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&burner.barrier);
	assert_true(after - before >= BURN_NS);
	assert_true(after_mine - before_mine < BURN_NS / 2);
}

static uint64_t fnv1a(const uint8_t *data, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325u;

	while (len--)
		hash = (hash ^ *data++) * 0x100000001b3u;
	return hash;
}

/* Figures of different machines are compared: the data must not change unnoticed. */
static void test_generator(void **state)
{
	static const uint64_t hashes[GEN_KINDS_NR] = {
		[GEN_TEXT] = 0x0c7dae71a093c2ba,   [GEN_SOURCE] = 0x150e8e8c15b59249,
		[GEN_JSON] = 0xcf7f49e9a8c56782,   [GEN_LOG] = 0x6ea429886bd0a6d9,
		[GEN_TABLE] = 0xdf0ae569ff9a783d,  [GEN_BINARY] = 0x6ad6ec20685aea7b,
		[GEN_RANDOM] = 0xae384d6dfe93a09e, [GEN_ZEROS] = 0xeb05052ea5b62325,
	};
	static uint8_t data[65536], again[40001];

	for (enum gen_kind kind = 0; kind < GEN_KINDS_NR; kind++) {
		gen_fill(kind, INPUT_SEED, data, sizeof(data));
		print_message("%s 0x%016llx\n", gen_name(kind),
			      (unsigned long long)fnv1a(data, sizeof(data)));
		assert_true(fnv1a(data, sizeof(data)) == hashes[kind]);
		gen_fill(kind, INPUT_SEED, again, sizeof(again));
		assert_memory_equal(data, again, sizeof(again));
		gen_fill(kind, INPUT_SEED + 1, again, sizeof(again));
		assert_true(kind == GEN_ZEROS || memcmp(data, again, sizeof(again)));
	}
}

static void test_units(void **state)
{
	static uint8_t data[3][9000000];
	struct input_source sources[] = { { "long", data[0], 9000000 },
					  { "short", data[1], 10 },
					  { "empty", data[2], 0 } };
	struct input input = { .sources = sources, .sources_nr = 3, .len = 9000010 };
	struct input_unit *units;
	size_t nr, len = 0;

	units = input_units(&input, 65536, &nr);
	assert_non_null(units);
	for (size_t i = 0; i < nr; i++) {
		assert_true(units[i].len == 65536 || units[i].len == 10);
		len += units[i].len;
	}
	/* Spread from the beginning to near the end. */
	assert_true(len > 4u << 20 && len <= 9u << 20);
	assert_ptr_equal(units[0].data, data[0]);
	assert_true(units[nr - 1].data == data[1] || units[nr - 1].data > data[0] + 8000000);
	free(units);

	/* A little input again and again; an empty one not at all. */
	input = (struct input){ .sources = sources + 1, .sources_nr = 2, .len = 10 };
	units = input_units(&input, 4096, &nr);
	assert_non_null(units);
	assert_int_equal(nr, ((4u << 20) + 9) / 10 - 1);
	assert_true(units[nr - 1].data == data[1] && units[nr - 1].len == 10);
	free(units);
	input = (struct input){ .sources = sources + 2, .sources_nr = 1 };
	assert_null(input_units(&input, 4096, &nr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_median), cmocka_unit_test(test_percentile),
		cmocka_unit_test(test_others), cmocka_unit_test(test_generator),
		cmocka_unit_test(test_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
