/* SPDX-License-Identifier: Zlib */
/* Streams in several threads at once, handed from one thread to another, left behind at exit. */
#include "config.h"
#include "helpers.h"

#include <pthread.h>

enum { THREADS = 4, LEN = 400000, ROUNDS = 6 };

static unsigned char *plain[THREADS];

/* Returns NULL, or what went wrong: cmocka's checks belong to the main thread. */
static void *work(void *arg)
{
	size_t self = (size_t)arg;
	unsigned char *back = malloc(LEN), *packed = malloc(2 * LEN);
	const char *wrong = NULL;
	int round;

	for (round = 0; round < ROUNDS && !wrong; round++) {
		static const int wrappers[] = { 15, 31, -15 };
		int wbits = wrappers[(self + round) % 3], ret;
		size_t len = LEN >> round % 4 * 2;
		z_stream strm = { 0 };

		if (deflateInit2(&strm, 1 + round, Z_DEFLATED, wbits, 8, 0))
			wrong = "deflateInit2";
		strm.next_in = plain[self];
		strm.avail_in = len;
		strm.next_out = packed;
		strm.avail_out = 2 * LEN;
		if (!wrong && round % 2 && ours.deflate(&strm, Z_SYNC_FLUSH))
			wrong = "deflate, sync";
		if (!wrong && ours.deflate(&strm, Z_FINISH) != Z_STREAM_END)
			wrong = "deflate";
		len = strm.total_out;
		if (!wrong && ours.deflateEnd(&strm))
			wrong = "deflateEnd";

		memset(&strm, 0, sizeof(strm));
		if (!wrong && inflateInit2(&strm, wbits))
			wrong = "inflateInit2";
		strm.next_in = packed;
		strm.next_out = back;
		strm.avail_out = LEN;
		do {
			strm.avail_in = len - strm.total_in < 50000 ? len - strm.total_in : 50000;
			ret = wrong ? Z_ERRNO : ours.inflate(&strm, Z_NO_FLUSH);
		} while (ret == Z_OK);
		if (!wrong && (ret != Z_STREAM_END || memcmp(back, plain[self], strm.total_out)))
			wrong = "inflate";
		if (!wrong && strm.total_out != (size_t)LEN >> round % 4 * 2)
			wrong = "length";
		if (!wrong && ours.inflateEnd(&strm))
			wrong = "inflateEnd";
	}
	free(back);
	free(packed);
	return (void *)wrong;
}

static void streams_side_by_side(void **state)
{
	pthread_t threads[THREADS];
	size_t i;

	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)i), 0);
	for (i = 0; i < THREADS; i++) {
		void *wrong;

		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		if (wrong)
			fail_msg("thread %zu: %s", i, (const char *)wrong);
	}
}

static void *finish(void *arg)
{
	z_stream *strm = arg;
	int ret = ours.deflate(strm, Z_FINISH);

	if (ret != Z_STREAM_END || ours.deflateEnd(strm))
		return arg;
	return NULL;
}

/* Begun here, ended in a thread that is gone when the next is begun. */
static void stream_ended_in_another_thread(void **state)
{
	unsigned char *packed = malloc(2 * LEN);
	int i;

	for (i = 0; i < 5; i++) {
		z_stream strm = { .next_in = plain[0], .avail_in = LEN / 2 };
		pthread_t thread;
		void *wrong;

		assert_int_equal(deflateInit(&strm, 6), Z_OK);
		strm.next_out = packed;
		strm.avail_out = 2 * LEN;
		assert_int_equal(ours.deflate(&strm, Z_NO_FLUSH), Z_OK);
		strm.avail_in = LEN - LEN / 2;
		assert_int_equal(pthread_create(&thread, NULL, finish, &strm), 0);
		assert_int_equal(pthread_join(thread, &wrong), 0);
		assert_null(wrong);
		assert_inflates(15, packed, strm.total_out, plain[0], LEN);
	}
	free(packed);
}

static void *spin(void *arg)
{
	volatile int *stop = arg;

	while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE))
		if (work((void *)1))
			return arg;
	return NULL;
}

/* Streams come and go in one thread while another works. */
static void short_streams_beside_long_ones(void **state)
{
	static int stop;
	unsigned char packed[2000];
	pthread_t thread;
	void *wrong;
	int i;

	assert_int_equal(pthread_create(&thread, NULL, spin, &stop), 0);
	for (i = 0; i < 500; i++) {
		uLongf len = sizeof(packed);

		assert_int_equal(ours.compress(packed, &len, plain[2], 1000), Z_OK);
		assert_inflates(15, packed, len, plain[2], 1000);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(thread, &wrong), 0);
	assert_null(wrong);
}

static int make(void **state)
{
	size_t i;

	for (i = 0; i < THREADS; i++)
		plain[i] = gen_alloc((enum gen)i, LEN);
	return 0;
}

static int drop(void **state)
{
	size_t i;

	for (i = 0; i < THREADS; i++)
		free(plain[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_side_by_side),
		cmocka_unit_test(stream_ended_in_another_thread),
		cmocka_unit_test(short_streams_beside_long_ones),
	};

	test_begin(120);
	return cmocka_run_group_tests(tests, make, drop);
}
