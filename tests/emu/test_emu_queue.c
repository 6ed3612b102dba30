// SPDX-License-Identifier: Zlib
/* The emulated device as a queue manager: rings, doorbells, events, faults, fork, threads. */
#include "leave.h"
#include "sanitizer.h"
#include "rig.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SRC_LEN 20000
#define DST_LEN 40000

static uint8_t text[SRC_LEN];

/*
 * The linker lets libwd come here. Its locks are of a kind that tells who has them: nobody gives back what is not
 * his, nor takes what he has. In a child a thread has another number: what it had is free.
 */
static pid_t owner;

__typeof__(pthread_mutex_init) __real_pthread_mutex_init, __wrap_pthread_mutex_init;
__typeof__(pthread_mutex_lock) __real_pthread_mutex_lock, __wrap_pthread_mutex_lock;
__typeof__(pthread_mutex_unlock) __real_pthread_mutex_unlock, __wrap_pthread_mutex_unlock;

int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *unused)
{
	pthread_mutexattr_t attr;
	int r;

	(void)unused;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	r = __real_pthread_mutex_init(mutex, &attr);
	pthread_mutexattr_destroy(&attr);
	return r;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
	int r = __real_pthread_mutex_lock(mutex);

	if (r && getpid() == owner)
		abort();
	return r;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	int r = __real_pthread_mutex_unlock(mutex);

	if (r && getpid() == owner)
		abort();
	return r ? __real_pthread_mutex_init(mutex, NULL) : 0;
}

static int make_text(void **state)
{
	rig_data(text, sizeof(text), RIG_TEXT);
	return 0;
}

static struct emu_dev *open_dev(const char *options)
{
	struct emu_dev *dev = rig_dev(options);

	rig_map_all(dev);
	return dev;
}

static struct rig_job block_job(uint8_t *dst)
{
	return (struct rig_job){ .src = text,
				 .dst = dst,
				 .src_len = SRC_LEN,
				 .dst_len = DST_LEN,
				 .format = HISI_ZIP_FORMAT_ZLIB };
}

static void put_job(struct rig_queue *q, uint8_t *dst)
{
	struct rig_job job = block_job(dst);
	struct hisi_zip_sqe sqe;

	rig_fill(q, &sqe, &job);
	rig_put(q, &sqe);
}

static bool is_readable(struct rig_queue *q)
{
	struct pollfd p = { .fd = emu_queue_fd(q->queue), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000) + ts.tv_nsec / 1000000;
}

static void test_options(void **state)
{
	static const char *const good[] = {
		"",
		"threads=1",
		"threads=64,qm=1",
		"qm=2,engine=zlib",
		"latency_us=0,gbps=10",
		"latency_us=13.5,gbps=57.6",
		"gbps=0.001,engine=null",
		"queues=1024,depth=2",
		"engine=auto",
		"fault=error@1",
		"fault=error=0x10@*3",
		"fault=late=10@1-5/hang@7/reset@9+/gone=3@20/busy@1/short@2/checksum@3/corrupt@4",
		"fault=gone@1,threads=1",
		"fault=lie@1",
		"fault=lie=any@1/lie=consumed@2/lie=produced@3/lie=status@4/lie=checksum@5/lie=context@6/"
		"lie=entry@7/lie=late@8/lie=twice@*9",
	};
	static const char *const bad[] = {
		"threads",
		"threads=",
		"threads=0",
		"threads=65",
		"threads=x",
		"threads=1,",
		",threads=1",
		"qm=0",
		"qm=4",
		"engine=",
		"engine=qat",
		"depth=1",
		"depth=32769",
		"queues=1025",
		"unknown=1",
		"threads=1;qm=2",
		"threads=9999999999",
		"gbps=0",
		"gbps=0.0001",
		"gbps=1000.1",
		"gbps=.5",
		"gbps=5.",
		"gbps=1.2.3",
		"threads=1.5",
		"latency_us=1000001",
		"threads=-1",
		"fault=",
		"fault=error",
		"fault=error@",
		"fault=error@0",
		"fault=error@x",
		"fault=error@1-",
		"fault=error@3-2",
		"fault=error@*0",
		"fault=error@*",
		"fault=error@1+2",
		"fault=error=@1",
		"fault=error=256@1",
		"fault=late@1",
		"fault=hang=1@1",
		"fault=nothing@1",
		"fault=lie=@1",
		"fault=lie=nothing@1",
		"fault=lie=consumed2@1",
		"fault=lie=1@1",
		"fault=error@1/",
		"fault=/error@1",
		"fault=error@1//hang@2",
		"fault=error@99999999999999999999",
	};
	struct emu_dev *dev, *same;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(emu_options_check(good[i]), 0);
		assert_int_equal(emu_dev_get(good[i], &dev), 0);
		assert_int_equal(emu_dev_get(good[i], &same), 0);
		assert_ptr_equal(dev, same);
		emu_dev_put(same);
		emu_dev_put(dev);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(emu_options_check(bad[i]), -EINVAL);
		assert_int_equal(emu_dev_get(bad[i], &dev), -EINVAL);
	}
}

static void test_info(void **state)
{
	struct emu_dev *dev = rig_dev("qm=2,queues=3,depth=64,threads=2,engine=zlib");
	struct rig_queue q[3], more;
	struct emu_info info;

	for (int i = 0; i < 3; i++)
		assert_int_equal(rig_start(&q[i], dev, i % 2, 8), 0);
	assert_int_equal(rig_start(&more, dev, 0, 8), -EBUSY);
	emu_dev_info(dev, &info);
	assert_int_equal(info.qm_version, 2);
	assert_int_equal(info.engines, 2);
	assert_int_equal(info.queues_total, 3);
	assert_int_equal(info.queues_free, 0);
	assert_int_equal(info.depth, 64);
	assert_string_equal(info.algs, "zlib gzip");
	assert_string_equal(info.engine, "zlib");
	rig_stop(&q[1]);
	emu_dev_info(dev, &info);
	assert_int_equal(info.queues_free, 1);
	assert_int_equal(rig_start(&more, dev, 0, 8), 0);
	rig_stop(&more);
	rig_stop(&q[0]);
	rig_stop(&q[2]);
	assert_int_equal(rig_start(&more, dev, 2, 8), -EINVAL);
	emu_dev_put(dev);
}

/* Several times around the rings with every number of entries in flight; order is that of entry. */
static void test_ring_wrap(void **state)
{
	struct emu_dev *dev = open_dev("");
	uint8_t *dst = malloc(8 * DST_LEN);
	struct hisi_zip_sqe sqe;
	struct rig_queue q;

	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	for (int round = 0; round < 60; round++) {
		const int nr = round % 7 + 1;

		for (int i = 0; i < nr; i++)
			put_job(&q, dst + i * DST_LEN);
		rig_ring(&q);
		for (int i = 0; i < nr; i++) {
			assert_true(rig_take(&q, &sqe, 60000));
			assert_int_equal(sqe.result, HISI_ZIP_OK);
			assert_int_equal(sqe.consumed, SRC_LEN);
		}
		assert_int_equal(q.head, q.tail);
	}
	rig_stop(&q);
	free(dst);
	emu_dev_put(dev);
}

/* Doorbells that are not this queue's, or make no sense, are not heard. */
static void test_doorbell_fields(void **state)
{
	static const char *const options[] = { "qm=1", "qm=2", "qm=3" };

	for (unsigned int qm = 1; qm <= 3; qm++) {
		const unsigned int command = qm == 1 ? 16 : 12;
		struct emu_dev *dev = open_dev(options[qm - 1]);
		struct rig_queue q, other;
		uint8_t dst[DST_LEN];
		struct hisi_zip_sqe sqe;
		uint64_t nr;

		assert_int_equal(rig_start(&other, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
		assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
		nr = emu_queue_number(q.queue);
		put_job(&q, dst);
		emu_queue_doorbell(q.queue, (nr ^ 1) | UINT64_C(1) << 32);
		emu_queue_doorbell(q.queue, nr | UINT64_C(8) << 32);
		emu_queue_doorbell(q.queue, nr | UINT64_C(2) << command | UINT64_C(1) << 32);
		if (qm > 1)
			emu_queue_doorbell(q.queue, nr | UINT64_C(1) << 16 | UINT64_C(1) << 32);
		assert_int_equal(emu_queue_wait(q.queue, 20), -ETIMEDOUT);
		emu_queue_doorbell(q.queue, nr | UINT64_C(1) << 32);
		assert_true(rig_take(&q, &sqe, 60000));
		assert_int_equal(sqe.result, HISI_ZIP_OK);
		rig_stop(&q);
		rig_stop(&other);
		emu_dev_put(dev);
	}
}

/* A full completion ring stops the queue until there is room, and nothing is overwritten. */
static void test_completions_full(void **state)
{
	struct emu_dev *dev = open_dev("threads=1");
	struct rig_queue q, other;
	uint8_t dst[DST_LEN];
	struct hisi_zip_sqe sqe;
	struct rig_job job = block_job(dst);

	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 4), 0);
	assert_int_equal(rig_start(&other, dev, HISI_ZIP_QUEUE_COMPRESS, 4), 0);
	for (int i = 0; i < 3; i++)
		put_job(&q, dst);
	rig_ring(&q);
	for (int i = 0; i < 3; i++)
		while (!__atomic_load_n(&q.cq[i].phase, __ATOMIC_ACQUIRE))
			sched_yield();
	/* All three are there and none was taken: the next has to wait. */
	put_job(&q, dst);
	rig_ring(&q);
	rig_run(&other, &job);
	assert_int_equal(job.status, HISI_ZIP_OK);
	assert_int_equal(q.cq[3].phase, 0);
	for (int i = 0; i < 4; i++) {
		assert_true(rig_take(&q, &sqe, 60000));
		assert_int_equal(sqe.result, HISI_ZIP_OK);
	}
	rig_stop(&q);
	rig_stop(&other);
	emu_dev_put(dev);
}

/* The event: once for an arming, at once where the completion was there before. */
static void test_event(void **state)
{
	struct emu_dev *dev = open_dev("");
	struct rig_queue q;
	uint8_t dst[DST_LEN], other[DST_LEN];
	struct hisi_zip_sqe sqe;

	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	assert_false(is_readable(&q));
	assert_int_equal(emu_queue_wait(q.queue, 0), -ETIMEDOUT);
	/* A queue starts armed. */
	put_job(&q, dst);
	rig_ring(&q);
	assert_int_equal(emu_queue_wait(q.queue, 60000), 0);
	assert_true(is_readable(&q));
	/* Armed with the completion not taken: told again. */
	rig_ring_cq(&q, true);
	assert_true(is_readable(&q));
	assert_true(rig_take(&q, &sqe, 60000));
	rig_ring_cq(&q, true);
	assert_false(is_readable(&q));
	/* Not armed: not told. */
	put_job(&q, dst);
	rig_ring(&q);
	assert_int_equal(emu_queue_wait(q.queue, 60000), 0);
	assert_true(rig_take(&q, &sqe, 60000));
	rig_ring_cq(&q, true);
	put_job(&q, dst);
	put_job(&q, other);
	rig_ring(&q);
	assert_true(rig_take(&q, &sqe, 60000));
	assert_true(rig_take(&q, &sqe, 60000));
	rig_stop(&q);
	emu_dev_put(dev);
}

static void test_fault_status(void **state)
{
	struct emu_dev *dev = open_dev("fault=error@2/error=0x77@3/short@4/checksum@5/corrupt@6/"
				       "error@*7/late=30@8,threads=1");
	struct rig_queue q;
	uint8_t good[DST_LEN], dst[DST_LEN];
	struct rig_job job = block_job(good);
	struct emu_stats stats;
	uint32_t len, sum;
	uint64_t start;

	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	rig_run(&q, &job);
	assert_int_equal(job.status, HISI_ZIP_OK);
	len = job.produced;
	sum = job.checksum;
	job.dst = dst;
	for (int i = 2; i <= 4; i++) {
		rig_run(&q, &job);
		assert_int_equal(job.status, i == 2   ? HISI_ZIP_BAD_DATA
					     : i == 3 ? 0x77
						      : HISI_ZIP_DST_FULL);
		assert_int_equal(job.produced, 0);
		assert_int_equal(job.consumed, 0);
	}
	rig_run(&q, &job);
	assert_int_equal(job.status, HISI_ZIP_OK);
	assert_int_not_equal(job.checksum, sum);
	rig_run(&q, &job);
	assert_int_equal(job.status, HISI_ZIP_OK);
	assert_int_equal(job.produced, len);
	assert_memory_not_equal(dst, good, len);
	rig_run(&q, &job);
	assert_int_equal(job.status, HISI_ZIP_BAD_DATA);
	start = now_ms();
	rig_run(&q, &job);
	assert_int_equal(job.status, HISI_ZIP_OK);
	assert_memory_equal(dst, good, len);
	assert_true(now_ms() - start >= 29);
	emu_dev_stats(dev, &stats);
	assert_int_equal(stats.requests, 8);
	assert_int_equal(stats.faults, 7);
	assert_true(stats.cpu_ns > 0);
	rig_stop(&q);
	emu_dev_put(dev);
}

/* What is done is right, but the entry says another thing of it; the same at the same request. */
static void test_fault_lie(void **state)
{
	static const char options[] = "fault=lie=consumed@2/lie=produced@3/lie=status@4/lie=checksum@5/"
				      "lie=context@6/lie=late@7,threads=1";
	struct hisi_zip_sqe first[8], *truth = &first[1];

	for (int round = 0; round < 2; round++) {
		struct emu_dev *dev = open_dev(options);
		uint8_t good[DST_LEN], dst[DST_LEN];
		struct rig_queue q;

		assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
		for (int nr = 1; nr < 8; nr++) {
			struct rig_job job = block_job(nr == 1 ? good : dst);
			uint64_t start = now_ms();
			struct hisi_zip_sqe sqe;

			rig_fill(&q, &sqe, &job);
			rig_put(&q, &sqe);
			rig_ring(&q);
			assert_true(rig_take(&q, &sqe, 60000));
			assert_true(nr != 7 || now_ms() - start >= 9);
			if (!round)
				first[nr] = sqe;
			assert_memory_equal(nr == 1 ? good : dst, good, truth->produced);
			assert_true((nr == 2) == (sqe.consumed != truth->consumed));
			assert_true((nr == 3) == (sqe.produced != truth->produced));
			assert_true((nr == 4) == (sqe.result != truth->result));
			assert_true((nr == 5) == (sqe.checksum != truth->checksum || sqe.isize != truth->isize));
			assert_true((nr == 6) == (sqe.ctx_w0 != truth->ctx_w0 || sqe.ctx_w1 != truth->ctx_w1 ||
						  sqe.ctx_w2 != truth->ctx_w2));
			assert_int_equal(sqe.consumed, first[nr].consumed);
			assert_int_equal(sqe.produced, first[nr].produced);
			assert_int_equal(sqe.result, first[nr].result);
			rig_ring_cq(&q, false);
		}
		rig_stop(&q);
		emu_dev_put(dev);
	}
}

/* One queue hangs, its neighbour does not, and stopping it ends the matter. */
static void test_hang(void **state)
{
	struct emu_dev *dev = open_dev("fault=hang@1,threads=1");
	struct rig_queue q, other;
	uint8_t dst[DST_LEN];
	struct rig_job job = block_job(dst);

	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	assert_int_equal(rig_start(&other, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	put_job(&q, dst);
	put_job(&q, dst);
	rig_ring(&q);
	assert_int_equal(emu_queue_wait(q.queue, 20), -ETIMEDOUT);
	rig_run(&other, &job);
	assert_int_equal(job.status, HISI_ZIP_OK);
	assert_int_equal(emu_queue_state(q.queue, NULL), EMU_OK);
	rig_stop(&q);
	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	rig_run(&q, &job);
	assert_int_equal(job.status, HISI_ZIP_OK);
	rig_stop(&q);
	rig_stop(&other);
	emu_dev_put(dev);
}

static void test_reset(void **state)
{
	struct emu_dev *dev = open_dev("fault=reset@2");
	struct rig_queue q, other, fresh;
	uint8_t dst[DST_LEN];
	struct rig_job job = block_job(dst);
	struct hisi_zip_sqe sqe;
	unsigned int before, after;

	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	assert_int_equal(rig_start(&other, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	rig_run(&q, &job);
	assert_int_equal(emu_queue_state(q.queue, &before), EMU_OK);
	put_job(&q, dst);
	rig_ring(&q);
	assert_false(rig_take(&q, &sqe, 60000));
	assert_int_equal(emu_queue_wait(q.queue, 60000), -ENODEV);
	assert_int_equal(emu_queue_wait(other.queue, 60000), -ENODEV);
	assert_int_equal(emu_queue_state(q.queue, &after), EMU_RESET);
	assert_int_equal(emu_queue_state(other.queue, &after), EMU_RESET);
	assert_int_equal(after, before + 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(__atomic_load_n(&q.stop[i], __ATOMIC_ACQUIRE), 1);
		assert_int_equal(__atomic_load_n(&other.stop[i], __ATOMIC_ACQUIRE), 1);
	}
	/* New queues work, next to those that died and after them. */
	assert_int_equal(rig_start(&fresh, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	rig_run(&fresh, &job);
	assert_int_equal(job.status, HISI_ZIP_OK);
	assert_int_equal(emu_queue_state(fresh.queue, &after), EMU_OK);
	rig_stop(&q);
	rig_stop(&other);
	rig_run(&fresh, &job);
	assert_int_equal(job.status, HISI_ZIP_OK);
	rig_stop(&fresh);
	emu_dev_put(dev);
}

static void test_gone(void **state)
{
	static const char *const options[] = { "fault=gone@1", "fault=gone=2@1" };

	for (int back = 0; back <= 1; back++) {
		struct emu_dev *dev = open_dev(options[back]);
		struct rig_queue q, fresh;
		uint8_t dst[DST_LEN];
		struct rig_job job = block_job(dst);

		assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
		put_job(&q, dst);
		rig_ring(&q);
		assert_int_equal(emu_queue_wait(q.queue, 60000), -ENODEV);
		assert_int_equal(emu_queue_state(q.queue, NULL), EMU_GONE);
		assert_int_equal(rig_start(&fresh, dev, HISI_ZIP_QUEUE_COMPRESS, 8), -ENODEV);
		rig_stop(&q);
		assert_int_equal(rig_start(&fresh, dev, HISI_ZIP_QUEUE_COMPRESS, 8), -ENODEV);
		if (back) {
			assert_int_equal(rig_start(&fresh, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
			rig_run(&fresh, &job);
			assert_int_equal(job.status, HISI_ZIP_OK);
			rig_stop(&fresh);
		} else {
			assert_int_equal(rig_start(&fresh, dev, HISI_ZIP_QUEUE_COMPRESS, 8),
					 -ENODEV);
		}
		emu_dev_put(dev);
	}
}

static void test_busy(void **state)
{
	struct emu_dev *dev = open_dev("fault=busy@2");
	struct rig_queue q, more;

	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	assert_int_equal(rig_start(&more, dev, HISI_ZIP_QUEUE_COMPRESS, 8), -EBUSY);
	assert_int_equal(rig_start(&more, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	rig_stop(&more);
	rig_stop(&q);
	emu_dev_put(dev);
}

/* Once stopped, the device touches neither rings nor buffers, as the sanitizers would tell. */
static void test_stop_in_flight(void **state)
{
	for (int round = 0; round < 100; round++) {
		struct emu_dev *dev = open_dev("");
		uint8_t *dst = malloc(7 * DST_LEN);
		struct rig_queue q;

		assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
		for (int i = 0; i < 7; i++)
			put_job(&q, dst + i * DST_LEN);
		rig_ring(&q);
		if (round % 3 == 0)
			emu_queue_wait(q.queue, 60000);
		rig_stop(&q);
		memset(dst, 0, 7 * DST_LEN);
		free(dst);
		emu_dev_put(dev);
	}
}

/* All of them in their latency at once, on one engine, and completed in order. */
static void test_latency(void **state)
{
	struct emu_dev *dev = open_dev("latency_us=200000,threads=1");
	uint8_t *dst = malloc(7 * DST_LEN);
	struct hisi_zip_sqe sqe;
	struct rig_queue q;
	uint64_t start;

	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	start = now_ms();
	for (int i = 0; i < 7; i++)
		put_job(&q, dst + i * DST_LEN);
	rig_ring(&q);
	for (int i = 0; i < 7; i++) {
		assert_true(rig_take(&q, &sqe, 60000));
		assert_int_equal(sqe.result, HISI_ZIP_OK);
		assert_true(now_ms() - start >= 199);
	}
	assert_true(now_ms() - start < 1400); /* and not one after the other */
	/* What has not come is taken away with the queue. */
	put_job(&q, dst);
	rig_ring(&q);
	rig_stop(&q);
	free(dst);
	emu_dev_put(dev);
}

static void test_rate(void **state)
{
	/* 20000 bytes take 100 ms. */
	struct emu_dev *dev = open_dev("gbps=0.002,threads=2");
	struct rig_queue q;
	uint8_t dst[DST_LEN];
	struct rig_job job = block_job(dst);
	uint64_t start;

	job.src_len = 20000;
	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	start = now_ms();
	rig_run(&q, &job);
	rig_run(&q, &job);
	assert_true(now_ms() - start >= 159);
	rig_stop(&q);
	emu_dev_put(dev);
}

/* The engine that computes nothing takes all and gives an empty block, or nothing; its checksums are true. */
static void test_null_engine(void **state)
{
	static const unsigned int formats[] = { HISI_ZIP_FORMAT_ZLIB, HISI_ZIP_FORMAT_GZIP };
	struct emu_dev *dev = open_dev("engine=null");
	uint8_t dst[DST_LEN], back[300];
	struct rig_job job = block_job(dst);
	struct emu_info info;
	struct rig_queue q;
	size_t used;

	emu_dev_info(dev, &info);
	assert_string_equal(info.engine, "null");
	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	job.format = HISI_ZIP_FORMAT_DEFLATE;
	rig_run(&q, &job);
	assert_int_equal(job.status, HISI_ZIP_OK);
	assert_int_equal(job.consumed, SRC_LEN);
	assert_int_equal(rig_inflate(back, 1, dst, job.produced, &used), 0);
	assert_int_equal(used, job.produced);
	for (int i = 0; i < 2; i++) {
		job.format = formats[i];
		rig_run(&q, &job);
		assert_int_equal(job.status, HISI_ZIP_OK);
		assert_int_equal(job.checksum, rig_sum_field(formats[i], rig_sum(formats[i], text, SRC_LEN)));
	}
	rig_stop(&q);
	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_DECOMPRESS, 8), 0);
	job = (struct rig_job){ .src = text, .dst = back, .src_len = SRC_LEN, .dst_len = sizeof(back),
				.format = HISI_ZIP_FORMAT_DEFLATE };
	rig_run(&q, &job);
	assert_int_equal(job.status, HISI_ZIP_OK);
	assert_int_equal(job.consumed, SRC_LEN);
	assert_int_equal(job.produced, 0);
	rig_stop(&q);
	emu_dev_put(dev);
}

/* Two engines at work on one queue: it is finished in order, whoever is first. */
static void test_two_engines(void **state)
{
	struct emu_dev *dev = open_dev("threads=2,fault=late=1000@1");
	uint8_t *dst = malloc(3 * DST_LEN);
	struct emu_stats stats;
	struct hisi_zip_sqe sqe;
	struct rig_queue q;

	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	memset(dst, 0, 3 * DST_LEN);
	for (int i = 0; i < 3; i++)
		put_job(&q, dst + i * DST_LEN);
	rig_ring(&q);
	/* The third is begun, so the second is done, while the first is held. */
	do {
		assert_int_equal(__atomic_load_n(&q.cq[0].phase, __ATOMIC_ACQUIRE), 0);
		sched_yield();
		emu_dev_stats(dev, &stats);
	} while (stats.requests < 3);
	for (int i = 0; i < 3; i++) {
		assert_true(rig_take(&q, &sqe, 60000));
		assert_int_equal(sqe.result, HISI_ZIP_OK);
	}
	rig_stop(&q);
	free(dst);
	emu_dev_put(dev);
}

/* An engine without work sleeps. */
static void test_idle_cpu(void **state)
{
	struct emu_dev *dev = open_dev("threads=2");
	struct rig_queue q;
	uint8_t dst[DST_LEN];
	struct rig_job job = block_job(dst);
	struct emu_stats before, after;

	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	rig_run(&q, &job);
	assert_int_equal(emu_queue_wait(q.queue, 50) == -ENODEV, 0);
	rig_ring_cq(&q, true);
	emu_dev_stats(dev, &before);
	assert_int_equal(emu_queue_wait(q.queue, 300), -ETIMEDOUT);
	emu_dev_stats(dev, &after);
	assert_true(after.cpu_ns - before.cpu_ns < 20 * 1000000);
	rig_stop(&q);
	emu_dev_put(dev);
}

/* The child has a device without queues; the parent's goes on. */
static void test_fork(void **state)
{
	struct emu_dev *dev = open_dev("threads=1");
	struct rig_queue q;
	uint8_t dst[DST_LEN];
	struct rig_job job = block_job(dst);
	int status;
	pid_t pid;

	if (IS_TSAN)
		skip();
	assert_int_equal(rig_start(&q, dev, HISI_ZIP_QUEUE_COMPRESS, 8), 0);
	/* Its only engine is up: a thread that starts may hold the sanitizers' locks at the fork. */
	rig_run(&q, &job);
	for (int i = 0; i < 5; i++)
		put_job(&q, dst);
	rig_ring(&q);
	emu_fork_prepare();
	pid = fork();
	if (pid == 0) {
		struct emu_info info;
		struct rig_queue mine;
		struct rig_job again = block_job(dst);

		emu_fork_child();
		emu_dev_info(dev, &info);
		if (info.queues_free != info.queues_total ||
		    emu_queue_state(q.queue, NULL) != EMU_GONE)
			leave(1);
		rig_map_all(dev);
		emu_queue_doorbell(q.queue, 0);
		if (emu_queue_wait(q.queue, 0) != -ENODEV ||
		    rig_start(&mine, dev, HISI_ZIP_QUEUE_COMPRESS, 8))
			leave(2);
		emu_queue_stop(q.queue);
		rig_run(&mine, &again);
		if (again.status != HISI_ZIP_OK || again.produced != job.produced)
			leave(3);
		rig_stop(&mine);
		emu_dev_put(dev);
		leave(0);
	}
	emu_fork_parent();
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (int i = 0; i < 5; i++) {
		struct hisi_zip_sqe sqe;

		assert_true(rig_take(&q, &sqe, 60000));
		assert_int_equal(sqe.result, HISI_ZIP_OK);
	}
	rig_stop(&q);
	emu_dev_put(dev);
}

/* Threads with queues of their own that start, work and stop; another maps and unmaps memory. */
static atomic_bool stress_is_over;

static void *stress_worker(void *arg)
{
	struct emu_dev *dev = arg;
	uint8_t *dst = malloc(4 * DST_LEN), *back = malloc(SRC_LEN);
	uint8_t *ctx = malloc(HISI_ZIP_CTX_SIZE);
	struct rig_queue c, d;

	for (int round = 0; round < 12; round++) {
		struct hisi_zip_sqe sqe;
		struct rig_job job;

		assert_int_equal(rig_start(&c, dev, HISI_ZIP_QUEUE_COMPRESS, 5), 0);
		assert_int_equal(rig_start(&d, dev, HISI_ZIP_QUEUE_DECOMPRESS, 5), 0);
		for (int i = 0; i < 4; i++)
			put_job(&c, dst + i * DST_LEN);
		rig_ring(&c);
		for (int i = 0; i < 4; i++) {
			assert_true(rig_take(&c, &sqe, 60000));
			assert_int_equal(sqe.result, HISI_ZIP_OK);
			job = (struct rig_job){ .src = dst + i * DST_LEN,
						.src_len = sqe.produced,
						.dst = back,
						.dst_len = 5000,
						.format = HISI_ZIP_FORMAT_ZLIB,
						.ctx = ctx,
						.flags = HISI_ZIP_SRC_NEW };
			for (int n = 0; n < 5 && job.status != HISI_ZIP_STREAM_END; n++) {
				rig_run(&d, &job);
				job.flags = 0;
				job.src = (const uint8_t *)job.src + job.consumed;
				job.src_len -= job.consumed;
				job.dst = (uint8_t *)job.dst + job.produced;
			}
			assert_int_equal(job.status, HISI_ZIP_STREAM_END);
			assert_memory_equal(back, text, SRC_LEN);
		}
		rig_stop(&c);
		rig_stop(&d);
	}
	free(dst);
	free(back);
	free(ctx);
	return NULL;
}

static void *stress_mapper(void *arg)
{
	struct emu_dev *dev = arg;
	uint8_t page[64];

	while (!atomic_load(&stress_is_over)) {
		assert_int_equal(emu_dma_map(dev, 1 << 20, page, sizeof(page), EMU_DMA_READ), 0);
		rig_map_all(dev);
		emu_dma_unmap(dev, 0, UINT64_MAX);
		emu_dma_unmap(dev, 1 << 20, sizeof(page));
	}
	return NULL;
}

static void test_threads(void **state)
{
	static const char *const options[] = { "threads=3", "threads=3,engine=zlib" };

	for (int n = 0; n < 2; n++) {
		struct emu_dev *dev = open_dev(options[n]);
		pthread_t worker[4], mapper;

		atomic_store(&stress_is_over, false);
		assert_int_equal(pthread_create(&mapper, NULL, stress_mapper, dev), 0);
		for (int i = 0; i < 4; i++)
			assert_int_equal(pthread_create(&worker[i], NULL, stress_worker, dev), 0);
		for (int i = 0; i < 4; i++)
			pthread_join(worker[i], NULL);
		atomic_store(&stress_is_over, true);
		pthread_join(mapper, NULL);
		emu_dev_put(dev);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_ring_wrap),
		cmocka_unit_test(test_doorbell_fields),
		cmocka_unit_test(test_completions_full),
		cmocka_unit_test(test_event),
		cmocka_unit_test(test_fault_status),
		cmocka_unit_test(test_fault_lie),
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_stop_in_flight),
		cmocka_unit_test(test_latency),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_null_engine),
		cmocka_unit_test(test_two_engines),
		cmocka_unit_test(test_idle_cpu),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_threads),
	};

	owner = getpid();
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	alarm(300);
	return cmocka_run_group_tests(tests, make_text, NULL);
}
