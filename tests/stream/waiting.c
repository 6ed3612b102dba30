/* SPDX-License-Identifier: Zlib */
/* More threads than queues: each waits for a queue of its own direction, and gets the next one free. */
#include "config.h"
#include "helpers.h"

#include <pthread.h>
#include <zwd.h>

enum { THREADS = 6, LEN = 20000, ROUNDS = 5 };

static unsigned char *plain;
static struct buf packed;

/* Even threads compress, odd ones decompress. Returns NULL, or what went wrong. */
static void *work(void *arg)
{
	int is_inflate = (size_t)arg % 2;
	unsigned char *out = malloc(2 * LEN);
	const char *wrong = NULL;

	for (int round = 0; round < ROUNDS && !wrong; round++) {
		z_stream strm = { .next_out = out, .avail_out = 2 * LEN };

		if (is_inflate ? inflateInit2(&strm, 31) :
				 deflateInit2(&strm, 6, Z_DEFLATED, 31, 8, 0))
			wrong = "init";
		strm.next_in = is_inflate ? packed.data : plain;
		strm.avail_in = is_inflate ? packed.len : LEN;
		if (!wrong && (is_inflate ? ours.inflate : ours.deflate)(&strm, Z_FINISH) !=
				      Z_STREAM_END)
			wrong = is_inflate ? "inflate" : "deflate";
		(is_inflate ? ours.inflateEnd : ours.deflateEnd)(&strm);
	}
	free(out);
	return (void *)wrong;
}

static void one_queue_each_way(void **state)
{
	struct zwd_stats stats = { 0 };
	pthread_t threads[THREADS];

	plain = gen_alloc(GEN_MIXED, LEN);
	deflate_all(&ref, 31, 6, Z_DEFAULT_STRATEGY, plain, LEN, &packed);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)i), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *wrong;

		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		if (wrong)
			fail_msg("thread %zu: %s", i, (const char *)wrong);
	}
	zwd_stats(&stats, sizeof(stats));
	assert_int_equal(stats.deflate.hw_requests, THREADS / 2 * ROUNDS);
	assert_int_equal(stats.deflate.failovers, 0);
	assert_int_equal(stats.inflate.failovers, 0);
	free(plain);
	buf_free(&packed);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(one_queue_each_way) };

	/* Requests take so long that threads wait, and together far less than a thread may wait. */
	setenv("WD_DEVICE", "emu:latency_us=20000", 1);
	setenv("ZWD_ENGINE", "hw", 1);
	setenv("ZWD_QUEUES", "1", 1);
	setenv("ZWD_TIMEOUT_MS", "20000", 1);
	test_begin(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
