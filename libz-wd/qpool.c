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

/* After a device disappeared it is asked for again, but not at every request. */
#define REPROBE_NS 1000000000ull

/* The device needs 9/8 of the input as room to compress all of it. */
#define DST_LEN(src_len) ((src_len) + (src_len) / 8 + 4096)

struct pool {
	struct zwd_lane *idle;
	unsigned int open_nr; /* lanes that exist, idle or lent */
	unsigned int max;     /* of open_nr; 0: device not opened yet */
	uint64_t absent_since; /* ns; 0: the device is there */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards pools */
static pthread_cond_t lane_freed = PTHREAD_COND_INITIALIZER;
static struct pool pools[2];
/* What a stream's init asks, without the lock. */
enum { DEVICE_UNKNOWN, DEVICE_ABSENT, DEVICE_WITHOUT_RAW, DEVICE_WITH_RAW };
static atomic_int devices[2];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

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
	pthread_cond_init(&lane_freed, NULL);
	for (int dir = 0; dir < 2; dir++) {
		struct zwd_lane *lane = pools[dir].idle;

		while (lane) {
			struct zwd_lane *next = lane->next;

			wd_release_queue(lane->queue);
			free(lane);
			lane = next;
		}
		memset(&pools[dir], 0, sizeof(pools[dir]));
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
		pool->max = info.engines ? 2 * info.engines : 4;
	pool->absent_since = 0;
	atomic_store(&devices[dir],
		     strstr(info.algs, "deflate") ? DEVICE_WITH_RAW : DEVICE_WITHOUT_RAW);
	zwd_log(ZWD_LOG_INFO, "%s through %s %s", dir == ZWD_DEFLATE ? "deflate" : "inflate",
		info.transport, info.name);
}

static void learn_absent(struct pool *pool, enum zwd_dir dir, int err)
{
	if (!pool->absent_since)
		zwd_log(err == -ENODEV ? ZWD_LOG_INFO : ZWD_LOG_WARN, "no device for %s: %s",
			dir == ZWD_DEFLATE ? "deflate" : "inflate", strerror(-err));
	pool->absent_since = now_ns();
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
		learn_absent(pool, dir, ret);
		pthread_cond_signal(&lane_freed);
	} else {
		learn_device(pool, dir, *lane);
	}
	return ret;
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
	if (!atomic_load(&devices[dir])) {
		if (open_one(pool, dir, &lane)) {
			atomic_store(&devices[dir], DEVICE_ABSENT);
		} else {
			lane->next = pool->idle;
			pool->idle = lane;
		}
	}
	pthread_mutex_unlock(&lock);
	errno = saved_errno;
	return atomic_load(&devices[dir]) != DEVICE_ABSENT;
}

int zwd_qpool_has_raw(enum zwd_dir dir)
{
	return atomic_load(&devices[dir]) == DEVICE_WITH_RAW;
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
		while (!ret && !pool->idle && pool->open_nr >= pool->max)
			ret = -pthread_cond_timedwait(&lane_freed, &lock, &until);
	}
	if (pool->idle) {
		ret = 0;
		*out = pool->idle;
		pool->idle = (*out)->next;
	} else if (ret) {
		ret = -EBUSY;
	} else if (pool->absent_since && now_ns() - pool->absent_since < REPROBE_NS) {
		ret = -ENODEV;
	} else {
		ret = open_one(pool, dir, out);
	}
	pthread_mutex_unlock(&lock);
	return ret;
}

void zwd_qpool_put(struct zwd_lane *lane)
{
	struct pool *pool = &pools[lane->dir];

	pthread_mutex_lock(&lock);
	lane->next = pool->idle;
	pool->idle = lane;
	pthread_cond_signal(&lane_freed);
	pthread_mutex_unlock(&lock);
}

void zwd_qpool_drop(struct zwd_lane *lane)
{
	struct pool *pool = &pools[lane->dir];

	lane_free(lane);
	pthread_mutex_lock(&lock);
	pool->open_nr--;
	pthread_cond_signal(&lane_freed);
	pthread_mutex_unlock(&lock);
}

int zwd_qpool_run(struct zwd_lane *lane, const struct wd_zip_req *req, struct wd_zip_res *res)
{
	uint64_t begin = now_ns();
	int ret = wd_send(lane->queue, req, 1);

	if (ret == 1)
		ret = wd_recv_sync(lane->queue, res, 1, zwd_settings()->timeout_ms);
	if (ret != 1)
		return ret ? ret : -EIO;
	zwd_count_latency(lane->dir, now_ns() - begin);
	return 0;
}
