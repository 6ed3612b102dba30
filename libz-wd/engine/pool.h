/* SPDX-License-Identifier: Zlib */
/*
 * The lanes of one direction: those that are idle, how many there are, and the threads that wait for one. Under
 * its owner's lock, but for the two functions that say otherwise.
 */
#ifndef ZWD_POOL_H
#define ZWD_POOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "engine/lane.h"

struct zwd_waiter;

struct zwd_pool {
	struct zwd_lane *_Atomic latest; /* given back last, without the lock; not among the idle ones */
	atomic_uint waiters_nr, failures; /* failures: in a row; both are written under the lock */
	struct zwd_lane *idle;
	struct zwd_waiter *first, **last; /* the longest waiting one first */
	unsigned int open_nr; /* lanes that exist or are being opened, idle or lent */
	unsigned int idle_nr;
	unsigned int kept_nr; /* lent ones that may stay with their streams for ever */
	unsigned int max;     /* of open_nr; 0: not known before the first is open */
	unsigned int reserve; /* of max: not for those who take without waiting */
	uint64_t full_until;  /* ns; the device had no more queues */
};
#define ZWD_POOL_EMPTY(pool) { .last = &(pool)->first }

void zwd_pool_set_limit(struct zwd_pool *pool, unsigned int max);
/* May one more be opened? */
int zwd_pool_has_room(const struct zwd_pool *pool);
/* Are there lanes, but all of them kept: is it in vain to wait for one? */
int zwd_pool_is_kept(const struct zwd_pool *pool);
/* May one more lane stay with a stream between its calls? */
int zwd_pool_may_keep(const struct zwd_pool *pool);

/* First of all, whoever has the lock sees to it that all that are idle are in one place, or with who waits. */
void zwd_pool_gather(struct zwd_pool *pool);
/* NULL: none is idle. */
struct zwd_lane *zwd_pool_take(struct zwd_pool *pool);
/* A lane is free: it goes to whoever waits longest, before anybody else comes for it. */
void zwd_pool_give(struct zwd_pool *pool, struct zwd_lane *lane);

/* The pool changed: those who wait open lanes of their own where they may, or are told why not (error). */
void zwd_pool_serve(struct zwd_pool *pool, int error);
/*
 * Waits for one's turn. 0: *lane is given; ZWD_POOL_MAY_OPEN: one may be opened, which is counted; -EBUSY: not
 * until then; or what zwd_pool_serve() had to say.
 */
#define ZWD_POOL_MAY_OPEN 1
int zwd_pool_wait(struct zwd_pool *pool, pthread_mutex_t *lock, const struct timespec *until,
		  struct zwd_lane **lane);

/*
 * Without the lock: gives a lane back, where nobody waits and nothing failed; 0: it is still the caller's.
 * Whoever begins to wait says so first and then looks for this lane, and here it is the other way round: one of
 * the two sees the other.
 */
static inline int zwd_pool_give_quickly(struct zwd_pool *pool, struct zwd_lane *lane)
{
	struct zwd_lane *none = NULL;

	if (atomic_load_explicit(&pool->failures, memory_order_relaxed) ||
	    !atomic_compare_exchange_strong(&pool->latest, &none, lane))
		return 0;
	if (__builtin_expect(!atomic_load(&pool->waiters_nr), 1))
		return 1;
	return !atomic_exchange(&pool->latest, NULL);
}

/* Without the lock: what that gave, while nothing failed; or NULL. */
static inline struct zwd_lane *zwd_pool_take_quickly(struct zwd_pool *pool)
{
	if (!atomic_load_explicit(&pool->latest, memory_order_relaxed) ||
	    atomic_load_explicit(&pool->failures, memory_order_relaxed))
		return NULL;
	return atomic_exchange(&pool->latest, NULL);
}

#endif
