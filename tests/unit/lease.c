/* SPDX-License-Identifier: Zlib */
/* Guards the memory that inflate streams of a caller's allocator have leases of: no two have the same. */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/lease.h"
#include "sanitizer.h"
#include "unit.h"

enum { STREAMS = 30 };

static struct zwd_stream streams[STREAMS];
static pthread_barrier_t all_there;

static void open_stream(struct zwd_stream *s)
{
	memset(s, 0, sizeof(*s));
	s->magic = ZWD_MAGIC_INFLATE;
	s->is_custom = 1;
}

/* Each writes its name into what it has, and finds it there. Tells how often it was another's. */
static void *take_and_give(void *arg)
{
	struct zwd_stream *s = arg;
	uintptr_t wrong = 0;

	pthread_barrier_wait(&all_there);
	for (int i = 0; i < (IS_TSAN ? 20000 : 200000) && !wrong; i++) {
		struct zwd_stream *volatile *place;

		if (zwd_lease_take(s)) {
			wrong++;
			break;
		}
		place = zwd_lease_alloc(s, 1000);
		*place = s;
		/* Whoever had it, too, would write now. */
		for (int n = 0; n < 20; n++)
			wrong += *place != s;
		zwd_lease_free(s, (void *)place);
		zwd_lease_give(s);
		wrong += s->i.lease != NULL;
	}
	return (void *)wrong;
}

static void of_one_stream_at_a_time(void **state)
{
	enum { THREADS = 4 };
	pthread_t threads[THREADS];

	assert_int_equal(pthread_barrier_init(&all_there, NULL, THREADS), 0);
	for (int i = 0; i < THREADS; i++) {
		open_stream(&streams[i]);
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &streams[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		void *wrong;

		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
}

/* What is freed is had again, as often as it is wanted. */
static void parts_again_and_again(void **state)
{
	static const size_t lens[] = { 1, 64, 1000, 65536, 300000 };
	struct zwd_stream *s = &streams[0];
	unsigned char *part[ARRAY_NR(lens)];

	open_stream(s);
	assert_int_equal(zwd_lease_take(s), 0);
	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < ARRAY_NR(lens); i++) {
			part[i] = zwd_lease_alloc(s, lens[i]);
			assert_non_null(part[i]);
			memset(part[i], (int)i + 1, lens[i]);
		}
		for (size_t i = 0; i < ARRAY_NR(lens); i++) {
			assert_int_equal(part[i][0], i + 1);
			assert_int_equal(part[i][lens[i] - 1], i + 1);
			zwd_lease_free(s, part[i]);
		}
	}
	assert_null(zwd_lease_alloc(s, 4 << 20));
	zwd_lease_free(s, NULL);
	zwd_lease_give(s);
}

static size_t resident_len(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size, pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld %ld", &size, &pages), 2);
	fclose(file);
	return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Of many little is kept, whichever way they came and went. */
static void little_is_kept(void **state)
{
	enum { LEN = 500000, KEPT = 4 };
	size_t before = resident_len();

	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < STREAMS; i++) {
			open_stream(&streams[i]);
			assert_int_equal(zwd_lease_take(&streams[i]), 0);
			memset(zwd_lease_alloc(&streams[i], LEN), 0x5a, LEN);
		}
		for (int i = 0; i < STREAMS; i++)
			zwd_lease_give(&streams[i]);
		if (!IS_ASAN && !IS_TSAN)
			assert_in_range(resident_len(), 0, before + (KEPT + 1) * LEN);
		/* A few of them, one after the other. */
		for (int i = 0; i < round; i++) {
			open_stream(&streams[i]);
			assert_int_equal(zwd_lease_take(&streams[i]), 0);
			zwd_lease_give(&streams[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_again_and_again),
		cmocka_unit_test(little_is_kept),
		cmocka_unit_test(of_one_stream_at_a_time),
	};

	alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
