/* SPDX-License-Identifier: Zlib */
/*
 * Inflate streams with a caller's allocator, more than have a device's memory at once: all are right, none
 * takes more of the caller's memory than zlib, and what was left with its pool is found: later ones have
 * a device again.
 */
#include "config.h"
#include "helpers.h"
#include "sanitizer.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zwd.h>

enum { LEN = 400000, STREAMS = 70, POOL_LEN = 1 << 20, STEP = 20000 };

struct pool {
	unsigned char *mem;
	size_t used;
};

static unsigned char plain[LEN], room[LEN];
static struct buf packed;
static struct pool pools[STREAMS];

static voidpf pool_alloc(voidpf opaque, uInt items, uInt size)
{
	struct pool *pool = opaque;
	void *mem = pool->mem + pool->used;

	pool->used += ((size_t)items * size + 7) & ~(size_t)7;
	return pool->used > POOL_LEN ? NULL : mem;
}

static void pool_free(voidpf opaque, voidpf mem)
{
}

static void pool_open(struct pool *pool)
{
	pool->used = 0;
	pool->mem = mmap(NULL, POOL_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(pool->mem != MAP_FAILED);
}

static void open_stream(const struct zlib_api *z, z_stream *strm, struct pool *pool)
{
	*strm = (z_stream){ .zalloc = pool_alloc, .zfree = pool_free, .opaque = pool };
	assert_int_equal(z->inflateInit2_(strm, 15, ZLIB_VERSION, (int)sizeof(*strm)), Z_OK);
}

/* len bytes of input more. */
static int feed(const struct zlib_api *z, z_stream *strm, size_t len)
{
	size_t at = strm->total_out, left = packed.len - strm->total_in;
	int ret;

	strm->next_in = packed.data + strm->total_in;
	strm->avail_in = (uInt)(len < left ? len : left);
	do {
		strm->next_out = room;
		strm->avail_out = sizeof(room);
		ret = z->inflate(strm, Z_NO_FLUSH);
	} while (ret == Z_OK && strm->avail_in);
	assert_memory_equal(room, plain + at, strm->total_out - at);
	return ret;
}

static void finish(z_stream *strm)
{
	int ret;

	while ((ret = feed(&ours, strm, STEP)) == Z_OK)
		;
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(strm->total_out, LEN);
	assert_int_equal(ours.inflateEnd(strm), Z_OK);
}

static unsigned long long on_device(void)
{
	struct zwd_stats stats;

	assert_int_equal(zwd_stats(&stats, sizeof(stats)), sizeof(stats));
	return stats.inflate.hw_in;
}

static int prepare(void **state)
{
	gen_fill(GEN_TEXT, plain, sizeof(plain));
	deflate_all(&ref, 15, 6, Z_DEFAULT_STRATEGY, plain, sizeof(plain), &packed);
	return 0;
}

/* Each whole stream after what came before has a device, by and by. */
static void assert_device_is_had(void)
{
	struct pool pool;
	z_stream strm;

	pool_open(&pool);
	for (int i = 0; i < 20; i++) {
		unsigned long long before = on_device();

		pool.used = 0;
		open_stream(&ours, &strm, &pool);
		finish(&strm);
		if (test_mode != MODE_EMU || on_device() - before >= packed.len / 2) {
			munmap(pool.mem, POOL_LEN);
			return;
		}
	}
	fail_msg("no device for a stream");
}

static void many_at_once(void **state)
{
	static z_stream strm[STREAMS], copy[STREAMS];
	static struct pool copies[STREAMS];
	struct pool zlib;
	z_stream other;

	pool_open(&zlib);
	open_stream(&ref, &other, &zlib);
	feed(&ref, &other, STEP);
	for (int i = 0; i < STREAMS; i++) {
		pool_open(&pools[i]);
		open_stream(&ours, &strm[i], &pools[i]);
	}
	for (int step = 0; step < 3; step++)
		for (int i = 0; i < STREAMS; i++)
			assert_int_equal(feed(&ours, &strm[i], STEP), Z_OK);
	for (int i = 0; i < STREAMS; i++)
		assert_true(pools[i].used <= zlib.used + 8192);
	/* Each goes on in a copy as well, with memory of the copy's. */
	for (int i = 0; i < STREAMS; i++) {
		pool_open(&copies[i]);
		strm[i].opaque = &copies[i];
		assert_int_equal(ours.inflateCopy(&copy[i], &strm[i]), Z_OK);
		strm[i].opaque = &pools[i];
	}
	for (int i = 0; i < STREAMS; i++) {
		finish(&strm[i]);
		finish(&copy[i]);
		munmap(pools[i].mem, POOL_LEN);
		munmap(copies[i].mem, POOL_LEN);
	}
	munmap(zlib.mem, POOL_LEN);
	assert_device_is_had();
}

/* What becomes of the memory of one that was left. */
static void unmap(struct pool *pool)
{
	munmap(pool->mem, POOL_LEN);
	pool->mem = NULL;
}

static void overwrite(struct pool *pool)
{
	memset(pool->mem, 0x5a, POOL_LEN);
}

static void use_again(struct pool *pool)
{
	z_stream strm;

	pool->used = 0;
	open_stream(&ours, &strm, pool);
	finish(&strm);
}

static void left_behind(void (*end)(struct pool *))
{
	z_stream strm[STREAMS];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < STREAMS; i++) {
			pool_open(&pools[i]);
			open_stream(&ours, &strm[i], &pools[i]);
			assert_int_equal(feed(&ours, &strm[i], STEP), Z_OK);
		}
		for (int i = 0; i < STREAMS; i++)
			end(&pools[i]);
		assert_device_is_had();
		for (int i = 0; i < STREAMS; i++)
			if (pools[i].mem)
				munmap(pools[i].mem, POOL_LEN);
	}
}

static void left_and_unmapped(void **state)
{
	left_behind(unmap);
}

static void left_and_overwritten(void **state)
{
	left_behind(overwrite);
}

static void left_and_used_again(void **state)
{
	left_behind(use_again);
}

/* One that lives keeps what it has, also if its memory may not be read while it rests. */
static void resting_in_locked_memory(void **state)
{
	static z_stream strm[STREAMS];

	for (int i = 0; i < STREAMS; i++) {
		pool_open(&pools[i]);
		open_stream(&ours, &strm[i], &pools[i]);
		assert_int_equal(feed(&ours, &strm[i], STEP), Z_OK);
		assert_int_equal(mprotect(pools[i].mem, POOL_LEN, PROT_NONE), 0);
	}
	for (int i = STREAMS; i-- > 0;) {
		assert_int_equal(mprotect(pools[i].mem, POOL_LEN, PROT_READ | PROT_WRITE), 0);
		finish(&strm[i]);
		munmap(pools[i].mem, POOL_LEN);
	}
	assert_device_is_had();
}

/* Both processes go on with all of them, and with others. */
static void over_a_fork(void **state)
{
	static z_stream strm[STREAMS];
	int status;
	pid_t pid;

	for (int i = 0; i < STREAMS; i++) {
		pool_open(&pools[i]);
		open_stream(&ours, &strm[i], &pools[i]);
		assert_int_equal(feed(&ours, &strm[i], STEP), Z_OK);
	}
	pid = fork();
	assert_true(pid >= 0);
	/* ThreadSanitizer lets no child make threads. */
	for (int i = 0; i < STREAMS && (pid || !IS_TSAN); i++) {
		struct pool pool;
		z_stream other;

		pool_open(&pool);
		open_stream(&ours, &other, &pool);
		assert_int_equal(feed(&ours, &other, STEP), Z_OK);
		finish(&strm[i]);
		finish(&other);
		munmap(pool.mem, POOL_LEN);
		munmap(pools[i].mem, POOL_LEN);
	}
	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_device_is_had();
}

/* Threads that take and give back at the same time: no two streams have the same memory. NULL: all was right. */
static void *take_and_give(void *arg)
{
	enum { PAIR = 2, SHORT = 3000, ROUNDS = 400 };
	unsigned char *own = malloc(PAIR * POOL_LEN + LEN), *back = own + PAIR * POOL_LEN;
	const char *wrong = own ? NULL : "memory";

	for (int round = 0; round < ROUNDS && !wrong; round++) {
		struct pool pair[PAIR] = { { .mem = own }, { .mem = own + POOL_LEN } };
		z_stream strm[PAIR];

		for (int i = 0; i < PAIR; i++) {
			strm[i] = (z_stream){ .zalloc = pool_alloc, .zfree = pool_free, .opaque = &pair[i] };
			if (inflateInit(&strm[i]) != Z_OK)
				wrong = "inflateInit";
		}
		for (int step = 0; step < 4 && !wrong; step++)
			for (int i = 0; i < PAIR && !wrong; i++) {
				size_t at = strm[i].total_out;

				strm[i].next_in = packed.data + strm[i].total_in;
				strm[i].avail_in = SHORT;
				strm[i].next_out = back;
				strm[i].avail_out = LEN;
				if (ours.inflate(&strm[i], Z_NO_FLUSH) != Z_OK)
					wrong = strm[i].msg ? strm[i].msg : "inflate";
				else if (memcmp(back, plain + at, strm[i].total_out - at))
					wrong = "data";
			}
		for (int i = 0; i < PAIR && !wrong; i++)
			if (ours.inflateEnd(&strm[i]) != Z_OK)
				wrong = "inflateEnd";
	}
	free(own);
	return (void *)wrong;
}

static void threads_side_by_side(void **state)
{
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, NULL), 0);
	for (size_t i = 0; i < 4; i++) {
		void *wrong;

		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		if (wrong)
			fail_msg("thread %zu: %s", i, (const char *)wrong);
	}
	assert_device_is_had();
}

/* While others have all that there is, one asks for it seldom; and when they have gone, it gets some. */
static void memory_that_comes_free(void **state)
{
	enum { LONG_LEN = 3 << 20 };
	static z_stream strm[STREAMS];
	unsigned char *noise = gen_alloc(GEN_RANDOM, LONG_LEN), *back = malloc(LONG_LEN);
	z_stream one = { .next_out = back, .avail_out = LONG_LEN };
	unsigned long long before = 0;
	struct buf in = { 0 };
	struct pool pool;
	int ret = Z_OK;

	assert_non_null(back);
	deflate_all(&ref, 15, 6, Z_DEFAULT_STRATEGY, noise, LONG_LEN, &in);
	for (int i = 0; i < STREAMS; i++) {
		pool_open(&pools[i]);
		open_stream(&ours, &strm[i], &pools[i]);
		assert_int_equal(feed(&ours, &strm[i], STEP), Z_OK);
	}
	pool_open(&pool);
	one.zalloc = pool_alloc;
	one.zfree = pool_free;
	one.opaque = &pool;
	assert_int_equal(ours.inflateInit2_(&one, 15, ZLIB_VERSION, (int)sizeof(one)), Z_OK);
	one.next_in = in.data;
	while (ret == Z_OK) {
		/* It has asked for the first time. */
		if (one.total_in < 320000 && one.total_in + STEP >= 320000) {
			for (int i = 0; i < STREAMS; i++) {
				finish(&strm[i]);
				munmap(pools[i].mem, POOL_LEN);
			}
			before = on_device();
		}
		if (test_mode == MODE_EMU && one.total_in > 320000 && one.total_in < 480000)
			assert_int_equal(on_device(), before);
		if (test_mode == MODE_EMU && one.total_in > 800000)
			assert_true(on_device() > before);
		one.avail_in = (uInt)(in.len - one.total_in < STEP ? in.len - one.total_in : STEP);
		ret = ours.inflate(&one, Z_NO_FLUSH);
	}
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(one.total_out, LONG_LEN);
	assert_memory_equal(back, noise, LONG_LEN);
	assert_int_equal(ours.inflateEnd(&one), Z_OK);
	munmap(pool.mem, POOL_LEN);
	buf_free(&in);
	free(noise);
	free(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(left_and_unmapped),
		cmocka_unit_test(left_and_overwritten),
		cmocka_unit_test(left_and_used_again),
		cmocka_unit_test(resting_in_locked_memory),
		cmocka_unit_test(over_a_fork),
		cmocka_unit_test(threads_side_by_side),
		cmocka_unit_test(memory_that_comes_free),
	};

	test_begin(120);
	return cmocka_run_group_tests(tests, prepare, NULL);
}
