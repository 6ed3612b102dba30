/* SPDX-License-Identifier: Zlib */
/* The lanes of one direction: those that are idle, how many there are, and the threads that wait for one. */
#include "config.h"

#include <errno.h>

#include "engine/pool.h"
#include "stream/shield.h"

/* A thread in zwd_pool_wait(), on its stack. Whoever serves it takes it off the list. */
struct zwd_waiter {
	struct zwd_waiter *next;
	struct zwd_lane *lane;
	int may_open; /* it was counted in open_nr already */
	int error;
	pthread_cond_t wake;
};

void zwd_pool_set_limit(struct zwd_pool *pool, unsigned int max)
{
	pool->max = max;
	/* One queue is enough for any number of streams, if none keeps it between its calls. */
	pool->reserve = max > 4 ? max / 4 : 1;
}

/* Did the device have no more queues a moment ago? */
static int is_full(const struct zwd_pool *pool)
{
	return pool->full_until && zwd_now_ns() < pool->full_until;
}

int zwd_pool_has_room(const struct zwd_pool *pool)
{
	/* Where there is no lane, or none but kept ones, nobody will give one back, however full the device was. */
	if (pool->open_nr <= pool->kept_nr)
		return 1;
	return !is_full(pool) && pool->open_nr < pool->max;
}

int zwd_pool_is_kept(const struct zwd_pool *pool)
{
	return pool->kept_nr && pool->open_nr <= pool->kept_nr;
}

int zwd_pool_may_keep(const struct zwd_pool *pool)
{
	unsigned int lent = pool->open_nr - pool->idle_nr;

	if (zwd_pool_is_kept(pool))
		return 0;
	if (is_full(pool))
		return lent + 1 < pool->open_nr;
	return !pool->max || lent + pool->reserve < pool->max;
}

static void put_idle(struct zwd_pool *pool, struct zwd_lane *lane)
{
	lane->next = pool->idle;
	pool->idle = lane;
	pool->idle_nr++;
}

static struct zwd_lane *take_latest(struct zwd_pool *pool)
{
	/* Sequentially consistent: see zwd_pool_give_quickly(). */
	return atomic_load(&pool->latest) ? atomic_exchange(&pool->latest, NULL) : NULL;
}

struct zwd_lane *zwd_pool_take(struct zwd_pool *pool)
{
	struct zwd_lane *lane = pool->idle;

	if (!lane)
		return NULL;
	pool->idle = lane->next;
	pool->idle_nr--;
	return lane;
}

/* Takes the longest waiting thread off the list. */
static struct zwd_waiter *next_waiter(struct zwd_pool *pool)
{
	struct zwd_waiter *waiter = pool->first;

	if (!waiter)
		return NULL;
	pool->first = waiter->next;
	if (!pool->first)
		pool->last = &pool->first;
	atomic_fetch_sub(&pool->waiters_nr, 1);
	return waiter;
}

static void remove_waiter(struct zwd_pool *pool, struct zwd_waiter *waiter)
{
	struct zwd_waiter **at = &pool->first;

	while (*at != waiter)
		at = &(*at)->next;
	*at = waiter->next;
	if (!*at)
		pool->last = at;
	atomic_fetch_sub(&pool->waiters_nr, 1);
}

void zwd_pool_give(struct zwd_pool *pool, struct zwd_lane *lane)
{
	struct zwd_waiter *waiter = next_waiter(pool);

	if (waiter) {
		waiter->lane = lane;
		pthread_cond_signal(&waiter->wake);
		return;
	}
	put_idle(pool, lane);
}

/* Whoever gave it may have seen that others wait, and come too late to take it back for them. */
void zwd_pool_gather(struct zwd_pool *pool)
{
	struct zwd_lane *lane = take_latest(pool);

	if (lane)
		zwd_pool_give(pool, lane);
}

void zwd_pool_serve(struct zwd_pool *pool, int error)
{
	while (pool->first && (error || zwd_pool_has_room(pool))) {
		struct zwd_waiter *waiter = next_waiter(pool);

		waiter->error = error;
		waiter->may_open = !error;
		pool->open_nr += !error;
		pthread_cond_signal(&waiter->wake);
	}
}

/* At the end of the list, and not in it any more when this returns. */
static void wait_for_turn(struct zwd_pool *pool, pthread_mutex_t *lock, struct zwd_waiter *waiter,
			  const struct timespec *until)
{
	int ret = 0, cancel_state = zwd_shield_up();

	*pool->last = waiter;
	pool->last = &waiter->next;
	atomic_fetch_add(&pool->waiters_nr, 1);
	zwd_pool_gather(pool);
	while (!ret && !waiter->lane && !waiter->may_open && !waiter->error)
		ret = pthread_cond_clockwait(&waiter->wake, lock, CLOCK_MONOTONIC, until);
	zwd_shield_down(cancel_state);
	if (waiter->lane || waiter->may_open || waiter->error)
		return;
	remove_waiter(pool, waiter);
	waiter->error = -EBUSY;
}

int zwd_pool_wait(struct zwd_pool *pool, pthread_mutex_t *lock, const struct timespec *until,
		  struct zwd_lane **lane)
{
	struct zwd_waiter waiter = { .wake = PTHREAD_COND_INITIALIZER };

	wait_for_turn(pool, lock, &waiter, until);
	if (waiter.may_open)
		return ZWD_POOL_MAY_OPEN;
	if (waiter.lane)
		*lane = waiter.lane;
	return waiter.error;
}
