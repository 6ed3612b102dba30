/* SPDX-License-Identifier: Zlib */
/*
 * Queues with their request memory, lent to a stream for the length of one call. This is the only
 * state the library keeps per process: zlib has no handle it could hang on.
 */
#include "config.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/presence.h"
#include "engine/qpool.h"
#include "operate/log.h"
#include "operate/settings.h"
#include "stream/shield.h"

/*
 * A device that fails again and again, or vanished, is left alone for a while, and then asked again:
 * the pause doubles with every failure from the first figure to the second.
 */
#define PAUSE_MIN_NS 20000000ull
#define PAUSE_MAX_NS 10000000000ull
/* One bad request may be chance: so many failures in a row are none. */
#define FAILURES_MAX 3

/* A thread in zwd_qpool_get(), on its stack. Whoever serves it takes it off the list. */
struct waiter {
	struct waiter *next;
	struct zwd_lane *lane;
	int may_open; /* it was counted in open_nr already */
	int error;
	pthread_cond_t wake;
};

struct pool {
	struct zwd_lane *idle;
	struct waiter *first, **last; /* the longest waiting one first */
	unsigned int open_nr; /* lanes that exist or are being opened, idle or lent */
	unsigned int idle_nr;
	unsigned int max;     /* of open_nr; 0: not known before the first is open */
	unsigned int reserve; /* of max: not for those who take without waiting */
	unsigned int failures; /* in a row */
	uint64_t full_until;   /* ns; the device had no more queues */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards pools */
static struct pool pools[2] = { { .last = &pools[0].first }, { .last = &pools[1].first } };
static _Atomic uint64_t paused_until[2]; /* ns; 0: not paused; written under the lock */
/* What is known of the device, read without the lock. */
enum { DEVICE_UNKNOWN, DEVICE_WITHOUT_RAW, DEVICE_WITH_RAW };
static atomic_int devices[2], reaches_all[2];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Lanes given back in a signal handler, for whoever comes next. */
static struct zwd_lane *_Atomic orphans;

/* The model again: else the definition asks for a function, and with it for one more library. */
_Thread_local volatile int zwd_is_inside __attribute__((tls_model("initial-exec")));

/* Lanes lent by other threads at the moment of a fork stay behind: nobody here will return them. */
static void forget_all(int is_to_release)
{
	pthread_mutex_init(&lock, NULL);
	for (int dir = 0; dir < 2; dir++) {
		struct zwd_lane *lane = pools[dir].idle;

		while (is_to_release && lane) {
			struct zwd_lane *next = lane->next;

			wd_release_queue(lane->queue);
			free(lane);
			lane = next;
		}
		pools[dir] = (struct pool){ .last = &pools[dir].first };
		atomic_store(&devices[dir], DEVICE_UNKNOWN);
		atomic_store(&paused_until[dir], 0);
	}
	atomic_store(&orphans, NULL);
}

/* The process these pools are of; 0: not known yet. */
static _Atomic unsigned int generation;
/* A child that was made by fork(), whose handlers put the locks of libc in order, and count anew. */
static _Atomic unsigned int forked;

static void note_fork(void)
{
	atomic_store(&forked, wd_generation());
	zwd_stats_reset();
}

static void renew(unsigned int now)
{
	static _Atomic unsigned int renewed;

	if (atomic_exchange(&renewed, now) != now) {
		/* Else malloc() may be locked for good by a thread that is not here: nothing is opened. */
		if (atomic_load(&forked) != now)
			zwd_presence_end();
		forget_all(0);
		atomic_store(&generation, now);
	}
	while (atomic_load(&generation) != now)
		sched_yield();
}

static void fork_prepare(void)
{
	pthread_mutex_lock(&lock);
}

static void fork_parent(void)
{
	pthread_mutex_unlock(&lock);
}

static void fork_child(void)
{
	forget_all(1);
	atomic_store(&generation, wd_generation());
}

static void register_fork(void)
{
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}

/* Is it in vain to ask for a device now? */
static int is_paused(enum zwd_dir dir)
{
	uint64_t until = atomic_load_explicit(&paused_until[dir], memory_order_relaxed);

	return zwd_presence_is_none() ||
	       (until && zwd_now_ns() < until);
}

/* The rest of the functions without zwd_ are called with the lock held. */

static void set_limit(struct pool *pool, unsigned int max)
{
	pool->max = max;
	/* One queue is enough for any number of streams, if none keeps it between its calls. */
	pool->reserve = max > 4 ? max / 4 : 1;
}

/* Did the device have no more queues a moment ago? */
static int is_full(const struct pool *pool)
{
	return pool->full_until && zwd_now_ns() < pool->full_until;
}

static int has_room(const struct pool *pool)
{
	/* Where there is no lane at all nobody will give one back, however full the device was. */
	if (!pool->open_nr)
		return 1;
	return !is_full(pool) && pool->open_nr < pool->max;
}

/* May one more lane stay with a stream between its calls? */
static int may_keep(const struct pool *pool)
{
	unsigned int lent = pool->open_nr - pool->idle_nr;

	if (is_full(pool))
		return lent + 1 < pool->open_nr;
	return !pool->max || lent + pool->reserve < pool->max;
}

/* Takes the longest waiting thread off the list. */
static struct waiter *next_waiter(struct pool *pool)
{
	struct waiter *waiter = pool->first;

	if (waiter)
		pool->first = waiter->next;
	if (!pool->first)
		pool->last = &pool->first;
	return waiter;
}

static void remove_waiter(struct pool *pool, struct waiter *waiter)
{
	struct waiter **at = &pool->first;

	while (*at != waiter)
		at = &(*at)->next;
	*at = waiter->next;
	if (!*at)
		pool->last = at;
}

/* A lane is free: it goes to whoever waits longest, before anybody else comes for it. */
static void give(struct pool *pool, struct zwd_lane *lane)
{
	struct waiter *waiter = next_waiter(pool);

	if (waiter) {
		waiter->lane = lane;
		pthread_cond_signal(&waiter->wake);
		return;
	}
	lane->next = pool->idle;
	pool->idle = lane;
	pool->idle_nr++;
}

/* The pool changed: those who wait open lanes of their own where they may, or are told why not. */
static void serve_waiters(struct pool *pool, enum zwd_dir dir)
{
	int error = is_paused(dir) ? -ENODEV : 0;

	while (pool->first && (error || has_room(pool))) {
		struct waiter *waiter = next_waiter(pool);

		waiter->error = error;
		waiter->may_open = !error;
		pool->open_nr += !error;
		pthread_cond_signal(&waiter->wake);
	}
}

/* What a newly opened lane tells about its device. */
static void learn_device(struct pool *pool, enum zwd_dir dir, const struct zwd_lane *lane)
{
	struct wd_device_info info;

	wd_queue_info(lane->queue, &info);
	if (!pool->max)
		set_limit(pool, info.engines ? 4 * info.engines : 16);
	if (atomic_load(&devices[dir]) == DEVICE_UNKNOWN)
		zwd_log(ZWD_LOG_INFO, "%s through %s %s",
			dir == ZWD_DEFLATE ? "deflate" : "inflate", info.transport, info.name);
	atomic_store(&reaches_all[dir], lane->reaches_all);
	atomic_store(&devices[dir],
		     strstr(info.algs, "deflate") ? DEVICE_WITH_RAW : DEVICE_WITHOUT_RAW);
}

/* A failure that will not go away by itself pauses the pool at once. */
static void note_failure(struct pool *pool, enum zwd_dir dir, int err)
{
	uint64_t pause_ns = PAUSE_MIN_NS;

	pool->failures++;
	if (err != -ETIMEDOUT && err != -ENODEV && pool->failures < FAILURES_MAX)
		return;
	for (unsigned int i = 1; i < pool->failures && pause_ns < PAUSE_MAX_NS; i++)
		pause_ns *= 2;
	atomic_store(&paused_until[dir], zwd_now_ns() + pause_ns);
}

/* 0 or -EAGAIN: there is none. */
static int take_idle(struct pool *pool, struct zwd_lane **lane)
{
	if (!pool->idle)
		return -EAGAIN;
	*lane = pool->idle;
	pool->idle = (*lane)->next;
	pool->idle_nr--;
	return 0;
}

/* Of a device with few queues the other direction may have all, and no use for them now. */
static struct zwd_lane *take_other(enum zwd_dir dir)
{
	struct pool *other = &pools[dir == ZWD_DEFLATE ? ZWD_INFLATE : ZWD_DEFLATE];
	struct zwd_lane *lane = NULL;

	if (!take_idle(other, &lane))
		other->open_nr--;
	return lane;
}

/* Counted in open_nr by the caller. Drops the lock while the queue is opened. */
static int open_one(struct pool *pool, enum zwd_dir dir, struct zwd_lane **lane)
{
	int is_first = !atomic_load(&devices[dir]), ret = -ENODEV;
	struct zwd_lane *other;

	pthread_mutex_unlock(&lock);
	if (!is_first || zwd_presence_may_open())
		ret = zwd_lane_open(dir, lane);
	while (ret == -EBUSY) {
		pthread_mutex_lock(&lock);
		other = pool->open_nr > 1 ? NULL : take_other(dir);
		pthread_mutex_unlock(&lock);
		if (!other)
			break;
		zwd_lane_free(other);
		ret = zwd_lane_open(dir, lane);
	}
	if (!ret) {
		(*lane)->generation = atomic_load(&generation);
		/* After libwd did: in a child its queues are dead before ours are released, and locks nest as here. */
		pthread_once(&once, register_fork);
	}
	pthread_mutex_lock(&lock);
	if (!ret) {
		learn_device(pool, dir, *lane);
		serve_waiters(pool, dir);
		return 0;
	}
	pool->open_nr--;
	/* Others have what there is, of queues or of memory; it comes back. */
	if ((ret == -EBUSY || ret == -ENOMEM) && pool->open_nr) {
		pool->full_until = zwd_now_ns() + PAUSE_MIN_NS;
		/* Or did so while nobody was seen to wait for it. */
		return take_idle(pool, lane);
	}
	if (!pool->failures)
		zwd_log(ret == -ENODEV ? ZWD_LOG_INFO : ZWD_LOG_WARN, "no queue for %s: %s",
			dir == ZWD_DEFLATE ? "deflate" : "inflate", strerror(-ret));
	note_failure(pool, dir, ret);
	serve_waiters(pool, dir);
	return ret;
}

/* A lane that is idle, or a new one. -EAGAIN: others come first, or there may be no more. */
static int take(struct pool *pool, enum zwd_dir dir, struct zwd_lane **lane)
{
	if (is_paused(dir))
		return -ENODEV;
	if (pool->first)
		return -EAGAIN;
	if (!take_idle(pool, lane))
		return 0;
	if (!has_room(pool))
		return -EAGAIN;
	pool->open_nr++;
	return open_one(pool, dir, lane);
}

/* At the end of the list, and not in it any more when this returns. */
static void wait_for_turn(struct pool *pool, struct waiter *waiter, const struct timespec *until)
{
	int ret = 0;

	*pool->last = waiter;
	pool->last = &waiter->next;
	while (!ret && !waiter->lane && !waiter->may_open && !waiter->error)
		ret = pthread_cond_clockwait(&waiter->wake, &lock, CLOCK_MONOTONIC, until);
	if (waiter->lane || waiter->may_open || waiter->error)
		return;
	remove_waiter(pool, waiter);
	waiter->error = -EBUSY;
}

static int wait_for_lane(struct pool *pool, enum zwd_dir dir, const struct timespec *until,
			 struct zwd_lane **lane)
{
	struct waiter waiter = { .wake = PTHREAD_COND_INITIALIZER };

	wait_for_turn(pool, &waiter, until);
	if (waiter.may_open)
		return open_one(pool, dir, lane);
	if (waiter.lane)
		*lane = waiter.lane;
	return waiter.error;
}

/* Around all that follows. -EBUSY: in a signal handler that came upon one of these functions. */
int zwd_qpool_enter(int *cancel_state)
{
	unsigned int now;

	if (zwd_enter(cancel_state))
		return -EBUSY;
	now = wd_generation();
	if (__builtin_expect(now != atomic_load_explicit(&generation, memory_order_acquire), 0))
		renew(now);
	return 0;
}

static struct pool *lock_pool(enum zwd_dir dir)
{
	struct pool *pool = &pools[dir];

	pthread_mutex_lock(&lock);
	if (!pool->max && zwd_settings()->queues)
		set_limit(pool, zwd_settings()->queues);
	return pool;
}

/* Of a lane that is stale nothing is counted here. */
static void drop(struct zwd_lane *lane, int err)
{
	enum zwd_dir dir = lane->dir;
	struct pool *pool = &pools[dir];
	int is_stale = zwd_qpool_is_stale(lane);

	/* The program locked itself up. To wait for the device's end is refused like all the rest. */
	if (err == -EPERM)
		zwd_presence_end();
	/* So it is left as it is; and what a child without handlers has of its parent's, too. */
	if (zwd_presence_is_none())
		return;
	zwd_lane_free(lane);
	if (is_stale)
		return;
	pthread_mutex_lock(&lock);
	pool->open_nr--;
	note_failure(pool, dir, err);
	serve_waiters(pool, dir);
	pthread_mutex_unlock(&lock);
}

static void orphan(struct zwd_lane *lane, int err)
{
	lane->error = err;
	lane->next = atomic_load(&orphans);
	while (!atomic_compare_exchange_weak(&orphans, &lane->next, lane))
		;
}

static void adopt_orphans(void)
{
	struct zwd_lane *lane, *next;

	if (!atomic_load_explicit(&orphans, memory_order_relaxed))
		return;
	for (lane = atomic_exchange(&orphans, NULL); lane; lane = next) {
		next = lane->next;
		drop(lane, lane->error);
	}
}

/* From here on a child without handlers is known as such. */
static void know_process(void)
{
	unsigned int none = 0;

	if (atomic_compare_exchange_strong(&generation, &none, wd_generation()))
		pthread_atfork(NULL, NULL, note_fork);
}

void zwd_qpool_prepare(const char *device)
{
	if (strcmp(device, "none"))
		know_process();
	zwd_presence_prepare(device);
}

/* For a process that changed its environment, or that had no zlib at load. */
static void prepare_late(void)
{
	int cancel_state;

	know_process();
	if (zwd_qpool_enter(&cancel_state))
		return;
	pthread_mutex_lock(&lock);
	zwd_presence_prepare_late(zwd_settings()->device);
	pthread_mutex_unlock(&lock);
	zwd_leave(cancel_state);
}

int zwd_qpool_may_have_device(enum zwd_dir dir)
{
	if (!zwd_presence_is_prepared())
		prepare_late();
	if (!zwd_presence_is_some())
		return 0;
	/* One that could not be opened is asked again after a while. */
	return atomic_load_explicit(&devices[dir], memory_order_relaxed) ||
	       zwd_qpool_is_ready(dir);
}

int zwd_qpool_has_device(enum zwd_dir dir)
{
	int cancel_state, saved_errno = errno;
	struct pool *pool;
	struct zwd_lane *lane;

	if (!zwd_qpool_may_have_device(dir) || zwd_qpool_enter(&cancel_state))
		return 0;
	if (!atomic_load(&devices[dir])) {
		pool = lock_pool(dir);
		if (!is_paused(dir) && has_room(pool) && !pool->open_nr) {
			pool->open_nr++;
			if (!open_one(pool, dir, &lane))
				give(pool, lane);
		}
		pthread_mutex_unlock(&lock);
	}
	zwd_leave(cancel_state);
	errno = saved_errno;
	/* While another thread opens it, there may be one. */
	return atomic_load(&devices[dir]) || zwd_qpool_is_ready(dir);
}

int zwd_qpool_has_raw(enum zwd_dir dir)
{
	return atomic_load(&devices[dir]) == DEVICE_WITH_RAW;
}

int zwd_qpool_reaches_all(enum zwd_dir dir)
{
	return atomic_load_explicit(&reaches_all[dir], memory_order_relaxed);
}

int zwd_qpool_is_ready(enum zwd_dir dir)
{
	return !zwd_is_inside && !is_paused(dir);
}

void zwd_qpool_await(enum zwd_dir dir, unsigned int timeout_ms)
{
	uint64_t now = zwd_now_ns(), end = now + timeout_ms * 1000000ull;
	uint64_t until = atomic_load(&paused_until[dir]);
	int cancel_state, saved_errno = errno, is_refused = 0;
	uint32_t word = 0;

	if (zwd_is_inside)
		return;
	cancel_state = zwd_shield_up();
	/* A sandbox in which a device is waited for allows this, and maybe no other way to sleep. */
	for (end = until < end ? until : end; now < end && !is_refused; now = zwd_now_ns()) {
		uint64_t ns = end - now;
		struct timespec ts = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

		is_refused = syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &ts) < 0 &&
			     errno != ETIMEDOUT && errno != EINTR;
	}
	zwd_shield_down(cancel_state);
	errno = saved_errno;
}

int zwd_qpool_is_stale(const struct zwd_lane *lane)
{
	return lane->generation != wd_generation();
}

int zwd_qpool_get(enum zwd_dir dir, unsigned int timeout_ms, struct zwd_lane **out)
{
	uint64_t end = zwd_now_ns() + timeout_ms * 1000000ull;
	struct timespec until = { (time_t)(end / 1000000000), (long)(end % 1000000000) };
	int cancel_state, ret = zwd_qpool_enter(&cancel_state);
	struct pool *pool;

	if (ret)
		return ret;
	adopt_orphans();
	pool = lock_pool(dir);
	ret = take(pool, dir, out);
	while (ret == -EAGAIN)
		ret = wait_for_lane(pool, dir, &until, out);
	pthread_mutex_unlock(&lock);
	zwd_leave(cancel_state);
	return ret;
}

int zwd_qpool_try(enum zwd_dir dir, struct zwd_lane **lane)
{
	int cancel_state, ret = zwd_qpool_enter(&cancel_state);
	struct zwd_lane *taken, *spare;
	struct pool *pool;

	if (ret)
		return ret;
	adopt_orphans();
	pool = lock_pool(dir);
	ret = may_keep(pool) ? take(pool, dir, &taken) : -EBUSY;
	/* The one for those who wait has to be there, not only allowed. */
	if (!ret && !pool->idle && has_room(pool)) {
		pool->open_nr++;
		ret = open_one(pool, dir, &spare);
		give(pool, ret ? taken : spare);
	}
	if (!ret)
		*lane = taken;
	pthread_mutex_unlock(&lock);
	zwd_leave(cancel_state);
	return ret == -EAGAIN ? -EBUSY : ret;
}

void zwd_qpool_put(struct zwd_lane *lane)
{
	struct pool *pool = &pools[lane->dir];
	int cancel_state;

	if (zwd_qpool_is_stale(lane)) {
		zwd_qpool_drop(lane, -ENODEV);
		return;
	}
	if (zwd_qpool_enter(&cancel_state)) {
		orphan(lane, -EBUSY);
		return;
	}
	memset(lane->dst, 0, lane->written);
	lane->written = 0;
	pthread_mutex_lock(&lock);
	pool->failures = 0;
	atomic_store_explicit(&paused_until[lane->dir], 0, memory_order_relaxed);
	give(pool, lane);
	pthread_mutex_unlock(&lock);
	zwd_leave(cancel_state);
}

void zwd_qpool_drop(struct zwd_lane *lane, int err)
{
	int cancel_state;

	if (zwd_qpool_enter(&cancel_state)) {
		orphan(lane, err);
		return;
	}
	drop(lane, err);
	zwd_leave(cancel_state);
}

unsigned int zwd_qpool_trim(void)
{
	struct zwd_lane *idle[2] = { NULL, NULL }, *next;
	unsigned int nr = 0;
	int cancel_state;

	if (zwd_qpool_enter(&cancel_state))
		return 0;
	pthread_mutex_lock(&lock);
	for (int dir = 0; dir < 2 && zwd_presence_is_some(); dir++) {
		idle[dir] = pools[dir].idle;
		pools[dir].idle = NULL;
		pools[dir].open_nr -= pools[dir].idle_nr;
		nr += pools[dir].idle_nr;
		pools[dir].idle_nr = 0;
	}
	pthread_mutex_unlock(&lock);
	for (int dir = 0; dir < 2; dir++)
		for (struct zwd_lane *lane = idle[dir]; lane; lane = next) {
			next = lane->next;
			zwd_lane_free(lane);
		}
	zwd_leave(cancel_state);
	return nr;
}
