/* SPDX-License-Identifier: Zlib */
/*
 * Queues with their request memory, lent to a stream for the length of one call. This is the only
 * state the library keeps per process: zlib has no handle it could hang on.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "qpool.h"
#include "settings.h"

/*
 * A device that fails again and again, or vanished, is left alone for a while, and then asked again:
 * the pause doubles with every failure from the first figure to the second.
 */
#define PAUSE_MIN_NS 20000000ull
#define PAUSE_MAX_NS 10000000000ull
/* One bad request may be chance: so many failures in a row are none. */
#define FAILURES_MAX 3

/* The device needs 9/8 of the input as room to compress all of it. */
#define DST_LEN(src_len) ((src_len) + (src_len) / 8 + 4096)

struct pool {
	struct zwd_lane *idle;
	pthread_cond_t freed; /* a lane, or the room for one */
	unsigned int open_nr; /* lanes that exist, idle or lent */
	unsigned int idle_nr;
	unsigned int max;     /* of open_nr; 0: device not opened yet */
	unsigned int reserve; /* of max: not for those who take without waiting */
	unsigned int waiting_nr; /* threads */
	unsigned int failures; /* in a row */
	uint64_t paused_until; /* ns; 0: not paused */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards pools */
static struct pool pools[2] = { { .freed = PTHREAD_COND_INITIALIZER },
				{ .freed = PTHREAD_COND_INITIALIZER } };
/* What a stream's init asks, without the lock. */
enum { DEVICE_UNKNOWN, DEVICE_ABSENT, DEVICE_WITHOUT_RAW, DEVICE_WITH_RAW };
static atomic_int devices[2];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fork_prepare(void)
{
	pthread_mutex_lock(&lock);
}

static void fork_parent(void)
{
	pthread_mutex_unlock(&lock);
}

/* Lanes lent by other threads at the moment of the fork stay behind: nobody here will return them. */
static void fork_child(void)
{
	pthread_mutex_init(&lock, NULL);
	for (int dir = 0; dir < 2; dir++) {
		struct zwd_lane *lane = pools[dir].idle;

		while (lane) {
			struct zwd_lane *next = lane->next;

			wd_release_queue(lane->queue);
			free(lane);
			lane = next;
		}
		pools[dir] = (struct pool){ .freed = PTHREAD_COND_INITIALIZER };
		atomic_store(&devices[dir], DEVICE_UNKNOWN);
	}
	zwd_stats_reset();
}

static void register_fork(void)
{
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}

static void lane_free(struct zwd_lane *lane)
{
	if (!lane)
		return;
	wd_release_queue(lane->queue);
	free(lane);
}

static int lane_open(enum zwd_dir dir, struct zwd_lane **out)
{
	const struct zwd_settings *settings = zwd_settings();
	struct wd_queue_attr attr = {
		.device = settings->device,
		.op_type = dir == ZWD_DEFLATE ? WD_OP_COMPRESS : WD_OP_DECOMPRESS,
		.numa_node = -1,
	};
	struct zwd_lane *lane = calloc(1, sizeof(*lane));
	int ret;

	if (!lane)
		return -ENOMEM;
	lane->dir = dir;
	lane->src_len = settings->unit;
	lane->dst_len = DST_LEN(settings->unit);
	ret = wd_request_queue(&attr, &lane->queue);
	/* After libwd did: in a child its queues are dead before ours are released, and locks nest as here. */
	if (!ret)
		pthread_once(&once, register_fork);
	if (!ret)
		ret = wd_alloc(lane->queue, lane->src_len, (void **)&lane->src);
	if (!ret)
		ret = wd_alloc(lane->queue, lane->dst_len, (void **)&lane->dst);
	if (!ret)
		ret = wd_alloc(lane->queue, WD_ZIP_CTX_SIZE, (void **)&lane->ctx);
	if (ret)
		lane_free(lane);
	else
		*out = lane;
	return ret;
}

/* Called with the lock held: what a newly opened lane tells about its device. */
static void learn_device(struct pool *pool, enum zwd_dir dir, const struct zwd_lane *lane)
{
	struct wd_device_info info;

	wd_queue_info(lane->queue, &info);
	pool->max = zwd_settings()->queues;
	if (!pool->max)
		pool->max = info.engines ? 4 * info.engines : 16;
	pool->reserve = pool->max > 4 ? pool->max / 4 : pool->max > 1;
	atomic_store(&devices[dir],
		     strstr(info.algs, "deflate") ? DEVICE_WITH_RAW : DEVICE_WITHOUT_RAW);
	zwd_log(ZWD_LOG_INFO, "%s through %s %s", dir == ZWD_DEFLATE ? "deflate" : "inflate",
		info.transport, info.name);
}

/* Called with the lock held. A failure that will not go away by itself pauses the pool at once. */
static void note_failure(struct pool *pool, int err)
{
	uint64_t pause_ns = PAUSE_MIN_NS;

	pool->failures++;
	if (err != -ETIMEDOUT && err != -ENODEV && pool->failures < FAILURES_MAX)
		return;
	for (unsigned int i = 1; i < pool->failures && pause_ns < PAUSE_MAX_NS; i++)
		pause_ns *= 2;
	pool->paused_until = zwd_now_ns() + pause_ns;
}

/* Called with the lock held. */
static void wake_one(struct pool *pool)
{
	if (pool->waiting_nr)
		pthread_cond_signal(&pool->freed);
}

/* Called with the lock held. */
static int is_paused(struct pool *pool)
{
	return pool->paused_until && zwd_now_ns() < pool->paused_until;
}

/* Called with the lock held; drops it while the queue is opened. */
static int open_one(struct pool *pool, enum zwd_dir dir, struct zwd_lane **lane)
{
	int ret;

	pool->open_nr++;
	pthread_mutex_unlock(&lock);
	ret = lane_open(dir, lane);
	pthread_mutex_lock(&lock);
	if (ret) {
		pool->open_nr--;
		if (!pool->failures)
			zwd_log(ret == -ENODEV ? ZWD_LOG_INFO : ZWD_LOG_WARN,
				"no queue for %s: %s", dir == ZWD_DEFLATE ? "deflate" : "inflate",
				strerror(-ret));
		note_failure(pool, ret);
		wake_one(pool);
	} else {
		learn_device(pool, dir, *lane);
	}
	return ret;
}

/* Called with the lock held, as is the next. */
static void push_idle(struct pool *pool, struct zwd_lane *lane)
{
	lane->next = pool->idle;
	pool->idle = lane;
	pool->idle_nr++;
}

/* An idle lane, or a new one while there may be more. */
static int take(struct pool *pool, enum zwd_dir dir, struct zwd_lane **lane)
{
	if (is_paused(pool))
		return -ENODEV;
	if (!pool->idle)
		return open_one(pool, dir, lane);
	*lane = pool->idle;
	pool->idle = (*lane)->next;
	pool->idle_nr--;
	return 0;
}

int zwd_qpool_has_device(enum zwd_dir dir)
{
	struct pool *pool = &pools[dir];
	struct zwd_lane *lane;
	int saved_errno = errno, known = atomic_load_explicit(&devices[dir], memory_order_acquire);

	if (known)
		return known != DEVICE_ABSENT;
	if (!strcmp(zwd_settings()->device, "none")) {
		atomic_store(&devices[dir], DEVICE_ABSENT);
		return 0;
	}
	pthread_mutex_lock(&lock);
	if (!atomic_load(&devices[dir]) && !is_paused(pool)) {
		int ret = open_one(pool, dir, &lane);

		if (!ret)
			push_idle(pool, lane);
		else if (ret != -EBUSY) /* taken queues come back, a missing device does not */
			atomic_store(&devices[dir], DEVICE_ABSENT);
	}
	pthread_mutex_unlock(&lock);
	errno = saved_errno;
	return atomic_load(&devices[dir]) > DEVICE_ABSENT;
}

int zwd_qpool_has_raw(enum zwd_dir dir)
{
	return atomic_load(&devices[dir]) == DEVICE_WITH_RAW;
}

int zwd_qpool_is_ready(enum zwd_dir dir)
{
	int is_ready;

	pthread_mutex_lock(&lock);
	is_ready = !is_paused(&pools[dir]);
	pthread_mutex_unlock(&lock);
	return is_ready;
}

int zwd_qpool_get(enum zwd_dir dir, unsigned int timeout_ms, struct zwd_lane **out)
{
	struct pool *pool = &pools[dir];
	struct timespec until;
	int ret = 0;

	pthread_mutex_lock(&lock);
	if (!pool->idle && pool->max && pool->open_nr >= pool->max) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += timeout_ms / 1000;
		until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
		pool->waiting_nr++;
		while (!ret && !pool->idle && pool->open_nr >= pool->max)
			ret = -pthread_cond_timedwait(&pool->freed, &lock, &until);
		pool->waiting_nr--;
	}
	ret = ret && !pool->idle ? -EBUSY : take(pool, dir, out);
	pthread_mutex_unlock(&lock);
	return ret;
}

int zwd_qpool_try(enum zwd_dir dir, struct zwd_lane **lane)
{
	struct pool *pool = &pools[dir];
	int ret = -EBUSY;

	pthread_mutex_lock(&lock);
	if (!pool->max || pool->open_nr - pool->idle_nr < pool->max - pool->reserve)
		ret = take(pool, dir, lane);
	pthread_mutex_unlock(&lock);
	return ret;
}

void zwd_qpool_put(struct zwd_lane *lane)
{
	struct pool *pool = &pools[lane->dir];

	pthread_mutex_lock(&lock);
	push_idle(pool, lane);
	pool->failures = 0;
	pool->paused_until = 0;
	wake_one(pool);
	pthread_mutex_unlock(&lock);
}

void zwd_qpool_drop(struct zwd_lane *lane, int err)
{
	struct pool *pool = &pools[lane->dir];

	lane_free(lane);
	pthread_mutex_lock(&lock);
	pool->open_nr--;
	note_failure(pool, err);
	wake_one(pool);
	pthread_mutex_unlock(&lock);
}

int zwd_qpool_send(struct zwd_lane *lane, const struct wd_zip_req *req)
{
	int ret = wd_send(lane->queue, req, 1);

	lane->sent_ns = zwd_now_ns();
	return ret == 1 ? 0 : ret ? ret : -EIO;
}

static int received(struct zwd_lane *lane, int ret)
{
	if (ret != 1)
		return ret ? ret : -EIO;
	zwd_count_latency(lane->dir, zwd_now_ns() - lane->sent_ns);
	return 0;
}

int zwd_qpool_poll(struct zwd_lane *lane, struct wd_zip_res *res)
{
	return received(lane, wd_recv(lane->queue, res, 1));
}

int zwd_qpool_wait(struct zwd_lane *lane, struct wd_zip_res *res, unsigned int timeout_ms)
{
	int ret = wd_recv(lane->queue, res, 1);
	uint64_t past_ms;

	if (ret == -EAGAIN) {
		past_ms = (zwd_now_ns() - lane->sent_ns) / 1000000;
		/* Of several lanes that hang, only the first is waited for in full. */
		timeout_ms = timeout_ms > past_ms ? timeout_ms - (unsigned int)past_ms : 1;
		ret = wd_recv_sync(lane->queue, res, 1, timeout_ms);
	}
	return received(lane, ret);
}

int zwd_qpool_run(struct zwd_lane *lane, const struct wd_zip_req *req, struct wd_zip_res *res)
{
	int ret;

	lane->sent_ns = zwd_now_ns();
	ret = wd_call(lane->queue, req, res, zwd_settings()->timeout_ms);
	return received(lane, ret ? ret : 1);
}
