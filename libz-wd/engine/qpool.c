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

#include "engine/latency.h"
#include "engine/pool.h"
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
/* Where nobody will give a queue of this direction back, the device is asked so often. */
#define POLL_NS 1000000ull
/* One bad request may be chance: so many failures in a row are none. */
#define FAILURES_MAX 3

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards pools, but for latest */
static struct zwd_pool pools[2] = { ZWD_POOL_EMPTY(&pools[0]), ZWD_POOL_EMPTY(&pools[1]) };
/* Held, with that one, while a library is loaded: a child made meanwhile would have half of one. */
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t paused_until[2]; /* ns; 0: not paused; written under the lock */
/* What is known of the device, read without the lock. */
enum { DEVICE_UNKNOWN, DEVICE_WITHOUT_RAW, DEVICE_WITH_RAW };
static atomic_int devices[2], reaches_all[2];
static _Atomic unsigned int once;

/* Lanes given back in a signal handler, for whoever comes next. */
static struct zwd_lane *_Atomic orphans;

/* The model again: else the definition asks for a function, and with it for one more library. */
_Thread_local volatile int zwd_is_inside __attribute__((tls_model("initial-exec")));

/* Lanes lent by other threads at the moment of a fork stay behind: nobody here will return them. */
static void forget_all(int is_to_release)
{
	pthread_mutex_init(&lock, NULL);
	pthread_mutex_init(&loading, NULL);
	for (int dir = 0; dir < 2; dir++) {
		struct zwd_lane *lane;

		/* Nor does anybody wait. */
		pools[dir].first = NULL;
		zwd_pool_gather(&pools[dir]);
		while (is_to_release && (lane = zwd_pool_take(&pools[dir]))) {
			wd_release_queue(lane->queue);
			free(lane);
		}
		pools[dir] = (struct zwd_pool)ZWD_POOL_EMPTY(&pools[dir]);
		atomic_store(&devices[dir], DEVICE_UNKNOWN);
		atomic_store(&paused_until[dir], 0);
	}
	atomic_store(&orphans, NULL);
}

/* The process these pools are of; 0: not known yet. */
static _Atomic unsigned int generation;
/* A child that was made by fork(), whose handlers put the locks of libc in order, and count anew. */
static _Atomic unsigned int forked;

/* A signal handler that forks may have come upon a thread that has it. */
static void wait_for_library(void)
{
	if (!zwd_is_inside)
		pthread_mutex_lock(&loading);
}

static void go_on_loading(void)
{
	if (!zwd_is_inside)
		pthread_mutex_unlock(&loading);
}

static void note_fork(void)
{
	go_on_loading();
	atomic_store(&forked, wd_generation());
	zwd_stats_reset();
}

static __attribute__((noinline, cold)) void renew(unsigned int now)
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

/* The pool changed, and those who wait may have to know. */
static void serve_waiters(struct zwd_pool *pool, enum zwd_dir dir)
{
	zwd_pool_serve(pool, is_paused(dir) ? -ENODEV : 0);
}

/* What a newly opened lane tells about its device. */
static void learn_device(struct zwd_pool *pool, enum zwd_dir dir, const struct zwd_lane *lane)
{
	struct wd_device_info info;

	wd_queue_info(lane->queue, &info);
	if (!pool->max)
		zwd_pool_set_limit(pool, info.engines ? 4 * info.engines : 16);
	if (atomic_load(&devices[dir]) == DEVICE_UNKNOWN)
		zwd_log(ZWD_LOG_INFO, "%s through %s %s",
			dir == ZWD_DEFLATE ? "deflate" : "inflate", info.transport, info.name);
	atomic_store(&reaches_all[dir], lane->reaches_all);
	/* Lanes may be of several devices: what not all of them can is not relied on. */
	if (atomic_load(&devices[dir]) != DEVICE_WITHOUT_RAW)
		atomic_store(&devices[dir],
			     strstr(info.algs, "deflate") ? DEVICE_WITH_RAW : DEVICE_WITHOUT_RAW);
}

/* No device, none that this process may use, or one that hangs: the next one who asks fares no better. */
static int is_lasting(int err)
{
	return err == -ETIMEDOUT || err == -ENODEV || err == -EOPNOTSUPP || err == -EPERM || err == -EACCES;
}

/* A failure that will not go away by itself pauses the pool at once. */
static void note_failure(struct zwd_pool *pool, enum zwd_dir dir, int err)
{
	uint64_t pause_ns = PAUSE_MIN_NS;

	pool->failures++;
	if (!is_lasting(err) && pool->failures < FAILURES_MAX)
		return;
	for (unsigned int i = 1; i < pool->failures && pause_ns < PAUSE_MAX_NS; i++)
		pause_ns *= 2;
	atomic_store(&paused_until[dir], zwd_now_ns() + pause_ns);
}

/* Of a device with few queues the other direction may have all, and no use for them now. */
static struct zwd_lane *take_other(enum zwd_dir dir)
{
	struct zwd_pool *other = &pools[dir == ZWD_DEFLATE ? ZWD_INFLATE : ZWD_DEFLATE];
	struct zwd_lane *lane;

	zwd_pool_gather(other);
	lane = zwd_pool_take(other);
	if (lane)
		other->open_nr--;
	return lane;
}

/* Counted in open_nr by the caller. Drops the lock while the queue is opened. */
static int open_one(struct zwd_pool *pool, enum zwd_dir dir, struct zwd_lane **lane)
{
	int is_first = !atomic_load(&devices[dir]), ret = -ENODEV;
	struct zwd_lane *other;

	pthread_mutex_unlock(&lock);
	if (!is_first || zwd_presence_may_open())
		ret = zwd_lane_open(dir, lane);
	while (ret == -EBUSY) {
		pthread_mutex_lock(&lock);
		other = pool->open_nr > pool->kept_nr + 1 ? NULL : take_other(dir);
		pthread_mutex_unlock(&lock);
		if (!other)
			break;
		zwd_lane_free(other);
		ret = zwd_lane_open(dir, lane);
	}
	if (!ret) {
		(*lane)->generation = atomic_load(&generation);
		/* After libwd did: in a child its queues are dead before ours are released, and locks nest as here. */
		zwd_once(&once, register_fork);
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
		zwd_pool_gather(pool);
		*lane = zwd_pool_take(pool);
		return *lane ? 0 : -EAGAIN;
	}
	if (!pool->failures)
		zwd_log(ret == -ENODEV ? ZWD_LOG_INFO : ZWD_LOG_WARN, "no queue for %s: %s",
			dir == ZWD_DEFLATE ? "deflate" : "inflate", strerror(-ret));
	note_failure(pool, dir, ret);
	serve_waiters(pool, dir);
	return ret;
}

/* A lane that is idle, or a new one. -EAGAIN: others come first, or there may be no more. */
static int take(struct zwd_pool *pool, enum zwd_dir dir, struct zwd_lane **lane)
{
	struct zwd_lane *idle;

	if (is_paused(dir))
		return -ENODEV;
	if (pool->first)
		return -EAGAIN;
	idle = zwd_pool_take(pool);
	if (idle) {
		*lane = idle;
		return 0;
	}
	if (!zwd_pool_has_room(pool))
		return -EAGAIN;
	pool->open_nr++;
	return open_one(pool, dir, lane);
}

static __attribute__((noinline)) int wait_for_lane(struct zwd_pool *pool, enum zwd_dir dir,
						   unsigned int timeout_ms, struct zwd_lane **lane)
{
	uint64_t end = zwd_now_ns() + timeout_ms * 1000000ull, now, next;
	struct timespec until;
	int ret;

	do {
		/* What the other direction or another process gives back is told to nobody here. */
		now = zwd_now_ns();
		next = zwd_pool_is_kept(pool) && now + POLL_NS < end ? now + POLL_NS : end;
		until = (struct timespec){ (time_t)(next / 1000000000), (long)(next % 1000000000) };
		ret = zwd_pool_wait(pool, &lock, &until, lane);
		if (ret == -EBUSY && next < end) {
			pool->open_nr++;
			ret = ZWD_POOL_MAY_OPEN;
		}
		if (ret == ZWD_POOL_MAY_OPEN)
			ret = open_one(pool, dir, lane);
	} while (ret == -EAGAIN);
	return ret;
}

/* Around all that follows. -EBUSY: in a signal handler that came upon one of these functions. */
static inline int enter(void)
{
	unsigned int now;

	if (zwd_enter())
		return -EBUSY;
	now = wd_generation();
	if (__builtin_expect(now != atomic_load_explicit(&generation, memory_order_acquire), 0))
		renew(now);
	return 0;
}

/* The same for those who come without a shield. */
static int enter_shielded(int *cancel_state)
{
	*cancel_state = zwd_shield_up();
	if (!enter())
		return 0;
	zwd_shield_down(*cancel_state);
	return -EBUSY;
}

static struct zwd_pool *lock_pool(enum zwd_dir dir)
{
	struct zwd_pool *pool = &pools[dir];

	pthread_mutex_lock(&lock);
	zwd_pool_gather(pool);
	if (!pool->max && zwd_settings()->queues)
		zwd_pool_set_limit(pool, zwd_settings()->queues);
	return pool;
}

/* Of a lane that is stale nothing is counted here. */
static void drop(struct zwd_lane *lane, int err)
{
	enum zwd_dir dir = lane->dir;
	struct zwd_pool *pool = &pools[dir];
	int is_stale = zwd_qpool_is_stale(lane), is_kept = lane->is_kept;

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
	pool->kept_nr -= (unsigned int)is_kept;
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
		pthread_atfork(wait_for_library, go_on_loading, note_fork);
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
	if (enter_shielded(&cancel_state))
		return;
	pthread_mutex_lock(&lock);
	pthread_mutex_lock(&loading);
	zwd_presence_prepare_late(zwd_settings()->device);
	pthread_mutex_unlock(&loading);
	pthread_mutex_unlock(&lock);
	zwd_leave_shielded(cancel_state);
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

static __attribute__((noinline)) int find_device(enum zwd_dir dir)
{
	int cancel_state, saved_errno = errno;
	struct zwd_pool *pool;
	struct zwd_lane *lane;

	if (!zwd_qpool_may_have_device(dir) || enter_shielded(&cancel_state))
		return 0;
	if (!atomic_load(&devices[dir])) {
		pool = lock_pool(dir);
		if (!is_paused(dir) && zwd_pool_has_room(pool) && !pool->open_nr) {
			pool->open_nr++;
			if (!open_one(pool, dir, &lane))
				zwd_pool_give(pool, lane);
		}
		pthread_mutex_unlock(&lock);
	}
	zwd_leave_shielded(cancel_state);
	errno = saved_errno;
	/* While another thread opens it, there may be one. */
	return atomic_load(&devices[dir]) || zwd_qpool_is_ready(dir);
}

int zwd_qpool_has_device(enum zwd_dir dir)
{
	/* Short where it is known, by this process. */
	if (atomic_load_explicit(&devices[dir], memory_order_relaxed) && !zwd_is_inside &&
	    wd_generation() == atomic_load_explicit(&generation, memory_order_acquire))
		return zwd_presence_is_some();
	return find_device(dir);
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

int zwd_qpool_is_late(enum zwd_dir dir, int is_asking)
{
	struct zwd_pool *pool = &pools[dir];
	unsigned int waiting_nr = 0, lanes_nr;
	int cancel_state;

	if (enter_shielded(&cancel_state))
		return 0;
	pthread_mutex_lock(&lock);
	zwd_pool_gather(pool);
	if (!pool->idle && !zwd_pool_has_room(pool))
		waiting_nr = atomic_load(&pool->waiters_nr) + 1;
	lanes_nr = pool->open_nr;
	pthread_mutex_unlock(&lock);
	zwd_leave_shielded(cancel_state);
	return zwd_latency_is_long(dir, waiting_nr, lanes_nr, is_asking);
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

static __attribute__((noinline)) int get(enum zwd_dir dir, unsigned int timeout_ms,
					 struct zwd_lane **out)
{
	struct zwd_pool *pool;
	int ret;

	adopt_orphans();
	pool = lock_pool(dir);
	ret = take(pool, dir, out);
	if (ret == -EAGAIN)
		ret = wait_for_lane(pool, dir, timeout_ms ? timeout_ms : zwd_settings_patience(zwd_settings()), out);
	pthread_mutex_unlock(&lock);
	return ret;
}

int zwd_qpool_get(enum zwd_dir dir, unsigned int timeout_ms, struct zwd_lane **out)
{
	struct zwd_lane *lane = NULL;
	int ret = enter();

	if (ret)
		return ret;
	if (!atomic_load_explicit(&orphans, memory_order_relaxed) && !zwd_presence_is_none())
		lane = zwd_pool_take_quickly(&pools[dir]);
	if (lane)
		*out = lane;
	else
		ret = get(dir, timeout_ms, out);
	if (!ret)
		(*out)->patience_ms = timeout_ms;
	zwd_leave();
	return ret;
}

int zwd_qpool_try(enum zwd_dir dir, struct zwd_lane **lane)
{
	int ret = enter();
	struct zwd_lane *taken, *spare;
	struct zwd_pool *pool;

	if (ret)
		return ret;
	adopt_orphans();
	pool = lock_pool(dir);
	ret = zwd_pool_may_keep(pool) ? take(pool, dir, &taken) : -EBUSY;
	/* The one for those who wait has to be there, not only allowed. */
	if (!ret && !pool->idle && zwd_pool_has_room(pool)) {
		pool->open_nr++;
		ret = open_one(pool, dir, &spare);
		zwd_pool_give(pool, ret ? taken : spare);
	}
	if (!ret) {
		taken->is_kept = 1;
		taken->patience_ms = ZWD_QPOOL_PATIENCE;
		pool->kept_nr++;
		*lane = taken;
	}
	pthread_mutex_unlock(&lock);
	zwd_leave();
	return ret == -EAGAIN ? -EBUSY : ret;
}

static void put(struct zwd_lane *lane)
{
	struct zwd_pool *pool = &pools[lane->dir];

	if (lane->written)
		memset(lane->dst, 0, lane->written);
	lane->written = 0;
	if (!lane->is_kept && zwd_pool_give_quickly(pool, lane))
		return;
	pthread_mutex_lock(&lock);
	pool->kept_nr -= (unsigned int)lane->is_kept;
	lane->is_kept = 0;
	pool->failures = 0;
	atomic_store_explicit(&paused_until[lane->dir], 0, memory_order_relaxed);
	zwd_pool_give(pool, lane);
	pthread_mutex_unlock(&lock);
}

void zwd_qpool_put(struct zwd_lane *lane)
{
	if (enter()) {
		orphan(lane, -EBUSY);
		return;
	}
	/* As zwd_qpool_is_stale(): whose the pools are was asked just now. */
	if (lane->generation == atomic_load_explicit(&generation, memory_order_relaxed))
		put(lane);
	else
		drop(lane, -ENODEV);
	zwd_leave();
}

void zwd_qpool_drop(struct zwd_lane *lane, int err)
{
	if (enter()) {
		orphan(lane, err);
		return;
	}
	drop(lane, err);
	zwd_leave();
}

unsigned int zwd_qpool_trim(void)
{
	struct zwd_lane *idle[2] = { NULL, NULL }, *next;
	unsigned int nr = 0;
	int cancel_state;

	if (enter_shielded(&cancel_state))
		return 0;
	pthread_mutex_lock(&lock);
	for (int dir = 0; dir < 2 && zwd_presence_is_some(); dir++) {
		zwd_pool_gather(&pools[dir]);
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
	zwd_leave_shielded(cancel_state);
	return nr;
}
