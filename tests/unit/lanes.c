/* SPDX-License-Identifier: Zlib */
/*
 * Guards what a signal handler does that came upon a thread with the locks in hand: it goes without a device, what it
 * gives back is had again, and nobody waits for what will not come.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/ahead.h"
#include "engine/jobq.h"
#include "engine/pool.h"
#include "engine/qpool.h"
#include "operate/root.h"
#include "stream/shield.h"
#include "unit.h"

/* As a handler finds it. */
static void inside(void)
{
	assert_int_equal(zwd_enter(), 0);
}

static void outside(void)
{
	zwd_leave();
}

static struct zwd_lane *one(enum zwd_dir dir)
{
	struct zwd_lane *lane = NULL;

	assert_int_equal(zwd_qpool_get(dir, 1000, &lane), 0);
	assert_non_null(lane);
	return lane;
}

/* The only lane comes back from a handler: the next one who asks has it. */
static void given_back_in_a_handler(void **state)
{
	struct zwd_lane *lane = one(ZWD_DEFLATE), *other;

	inside();
	assert_int_equal(zwd_qpool_get(ZWD_DEFLATE, 1000, &other), -EBUSY);
	assert_int_equal(zwd_qpool_try(ZWD_DEFLATE, &other), -EBUSY);
	assert_false(zwd_qpool_is_ready(ZWD_DEFLATE));
	assert_int_equal(zwd_qpool_trim(), 0);
	zwd_qpool_await(ZWD_DEFLATE, 60000);
	zwd_qpool_put(lane);
	outside();
	zwd_qpool_put(one(ZWD_DEFLATE));
	lane = one(ZWD_DEFLATE);
	inside();
	zwd_qpool_drop(lane, -EIO);
	outside();
	zwd_qpool_put(one(ZWD_DEFLATE));
}

static void *wait_long(void *unused)
{
	struct zwd_lane *lane = NULL;

	return zwd_qpool_get(ZWD_DEFLATE, 100000, &lane) ? NULL : lane;
}

static struct zwd_pool pool = ZWD_POOL_EMPTY(&pool);
static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;

static void *wait_in_pool(void *unused)
{
	uint64_t end = zwd_now_ns() + 60000000000ull;
	struct timespec until = { (time_t)(end / 1000000000), (long)(end % 1000000000) };
	struct zwd_lane *lane = NULL;

	pthread_mutex_lock(&pool_lock);
	zwd_pool_wait(&pool, &pool_lock, &until, &lane);
	pthread_mutex_unlock(&pool_lock);
	return lane;
}

/*
 * One gives a lane back without the lock, sees that another waits, and before it takes the lane back a third one
 * has the lock: the lane is for the one who waits.
 */
static void given_back_beside_another(void **state)
{
	struct zwd_lane lane = { 0 };
	pthread_t thread;
	void *had;

	assert_int_equal(pthread_create(&thread, NULL, wait_in_pool, NULL), 0);
	while (!atomic_load(&pool.waiters_nr))
		usleep(100);
	atomic_store(&pool.latest, &lane);
	pthread_mutex_lock(&pool_lock);
	zwd_pool_gather(&pool);
	assert_null(zwd_pool_take(&pool));
	pthread_mutex_unlock(&pool_lock);
	assert_int_equal(pthread_join(thread, &had), 0);
	assert_ptr_equal(had, &lane);
}

/*
 * Whoever waits for a lane that another one keeps is told in time, and takes no place of those who come later, nor
 * of who came before and waits longer.
 */
static void waited_for_in_vain(void **state)
{
	struct zwd_lane *lane = one(ZWD_DEFLATE), *other;
	pthread_t thread;
	void *had;

	for (int i = 0; i < 3; i++)
		assert_int_equal(zwd_qpool_get(ZWD_DEFLATE, 20, &other), -EBUSY);
	assert_int_equal(pthread_create(&thread, NULL, wait_long, NULL), 0);
	usleep(50000); /* it waits by now */
	for (int i = 0; i < 3; i++)
		assert_int_equal(zwd_qpool_get(ZWD_DEFLATE, 20, &other), -EBUSY);
	zwd_qpool_put(lane);
	assert_int_equal(pthread_join(thread, &had), 0);
	assert_ptr_equal(had, lane);
	zwd_qpool_put(lane);
	zwd_qpool_put(one(ZWD_DEFLATE));
}

/* First of all. */
static void asked_for_in_a_handler(void **state)
{
	inside();
	assert_false(zwd_qpool_may_have_device(ZWD_DEFLATE));
	assert_false(zwd_qpool_has_device(ZWD_DEFLATE));
	outside();
	assert_true(zwd_qpool_may_have_device(ZWD_DEFLATE));
}

static void queues_of_jobs(void **state)
{
	struct zwd_jobq *q = zwd_jobq_new(2), *second;

	assert_non_null(q);
	zwd_jobq_leave(q);
	inside();
	assert_null(zwd_jobq_new(2));
	/* It is gone for its stream; the memory goes with the next one. */
	zwd_jobq_free(q);
	outside();
	second = zwd_jobq_new(2);
	assert_non_null(second);
	zwd_jobq_leave(second);
	zwd_jobq_free(second);
}

static void requests_ahead(void **state)
{
	struct zwd_ahead *ahead = NULL;
	int shield = zwd_shield_up();

	inside();
	assert_false(zwd_ahead_is_free(&ahead));
	assert_null(ahead);
	outside();
	assert_true(zwd_ahead_is_free(&ahead));
	assert_false(zwd_ahead_is_sent(ahead));
	assert_null(zwd_ahead_take(ahead));
	zwd_ahead_drop(&ahead);
	assert_null(ahead);
	zwd_shield_down(shield);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked_for_in_a_handler),
		cmocka_unit_test(given_back_in_a_handler),
		cmocka_unit_test(given_back_beside_another),
		cmocka_unit_test(waited_for_in_vain),
		cmocka_unit_test(queues_of_jobs),
		cmocka_unit_test(requests_ahead),
	};

	alarm(180);
	setenv("WD_DEVICE", "emu:threads=1", 1);
	setenv("ZWD_ENGINE", "hw", 1);
	setenv("ZWD_QUEUES", "1", 1);
	zwd_root_note();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
