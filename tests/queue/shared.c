/* SPDX-License-Identifier: Zlib */
/* Guards one queue of many threads: every call gets its own result, a failure reaches them all. */
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "../leave.h"
#include "../sanitizer.h"
#include "queue.h"

#define THREADS 8
#define TEXT_LEN 3000
#define SLICE 4096 /* of the input, for each thread */
#define DST_LEN 1024
#define DST_NR 128 /* outputs of each thread, by turns */

static uint8_t expected[THREADS][DST_LEN];
static uint32_t expected_len[THREADS];

struct worker {
	pthread_t thread;
	struct side *s;
	unsigned int nr;     /* which one */
	unsigned int rounds;
	unsigned int timeout_ms;
	unsigned int timeouts; /* calls that timed out */
	unsigned int done;
	int r; /* of the first call that failed */
};

static struct wd_zip_req request(const struct side *s, unsigned int nr, unsigned int round)
{
	return (struct wd_zip_req){
		.tag = (uint64_t)nr << 32 | round, .src = s->src + nr * SLICE,
		.dst = s->dst + (nr * DST_NR + round % DST_NR) * DST_LEN,
		.src_len = TEXT_LEN - nr, .dst_len = DST_LEN, .format = WD_ZIP_ZLIB,
	};
}

static void shared_open(struct side *s, const char *device, unsigned int depth)
{
	struct wd_queue_attr attr = {
		.device = device, .numa_node = -1, .depth = depth, .flags = WD_QUEUE_SHARED,
	};
	void *mem[2];

	assert_int_equal(wd_request_queue(&attr, &s->q), 0);
	assert_int_equal(wd_alloc(s->q, THREADS * SLICE, &mem[0]), 0);
	assert_int_equal(wd_alloc(s->q, THREADS * DST_NR * DST_LEN, &mem[1]), 0);
	s->src = mem[0];
	s->dst = mem[1];
	for (unsigned int i = 0; i < THREADS; i++)
		fill_text(s->src + i * SLICE, TEXT_LEN, i + 1);
}

/* What each thread's request gives on a queue of its own. */
static int make_expected(void **state)
{
	struct side s;

	shared_open(&s, any_device("", 2), 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		struct wd_zip_req req = request(&s, i, 0);
		struct wd_zip_res res;

		assert_int_equal(wd_call(s.q, &req, &res, WAIT_MS), 0);
		assert_int_equal(res.status, WD_ZIP_OK);
		expected_len[i] = res.produced;
		memcpy(expected[i], req.dst, res.produced);
	}
	side_close(&s);
	return 0;
}

static unsigned int started; /* workers, atomic */

static void *work(void *arg)
{
	struct worker *w = arg;

	__atomic_add_fetch(&started, 1, __ATOMIC_RELEASE);
	while (w->done < w->rounds && !w->r) {
		struct wd_zip_req req = request(w->s, w->nr, w->done++);
		struct wd_zip_res res = { 0 };

		memset(req.dst, 0, 64);
		w->r = wd_call(w->s->q, &req, &res, w->timeout_ms);
		if (w->r == -ETIMEDOUT) {
			w->timeouts++;
			w->r = 0;
			continue;
		}
		if (w->r)
			break;
		if (res.tag != req.tag || res.status != WD_ZIP_OK || res.consumed != req.src_len ||
		    res.produced != expected_len[w->nr] ||
		    memcmp(req.dst, expected[w->nr], res.produced)) {
			print_error("thread %u: tag %#llx of %#llx, status %u, %u bytes of %u to %u of %u\n", w->nr,
				    (unsigned long long)res.tag, (unsigned long long)req.tag, res.status,
				    res.consumed, req.src_len, res.produced, expected_len[w->nr]);
			w->r = -EBADMSG;
		}
	}
	return NULL;
}

static void run_workers(struct worker *workers, struct side *s, unsigned int rounds,
			unsigned int timeout_ms)
{
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .s = s, .nr = i, .rounds = rounds,
					      .timeout_ms = timeout_ms };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
}

static void test_results(void **state)
{
	static const struct {
		const char *options;
		unsigned int depth;
	} rows[] = {
		{ "threads=2", 0 },
		{ "threads=3", 2 }, /* most wait for room */
		{ "threads=1", 0 },
		{ "threads=2,depth=4", 0 },
		{ "threads=2,latency_us=200", 0 },
	};
	unsigned int named = version_named();
	size_t nr = named ? 2 : ARRAY_NR(rows); /* that differ without options */

	for (size_t i = 0; i < nr; i++) {
		struct worker workers[THREADS];
		struct side s;

		shared_open(&s, any_device(rows[i].options, 2), rows[i].depth);
		run_workers(workers, &s, IS_TSAN || named ? 200 : 1000, UINT_MAX);
		for (unsigned int n = 0; n < THREADS; n++)
			assert_int_equal(workers[n].r, 0);
		assert_int_equal(wd_queue_in_flight(s.q), 0);
		side_close(&s);
	}
}

/* A thread that sleeps on the queue learns of its end like one that was about to send. */
static void test_failures(void **state)
{
	static const struct {
		const char *device;
		int r;
	} rows[] = {
		{ "emu:threads=2,fault=reset@700", -EIO },
		{ "emu:threads=2,fault=gone@500", -ENODEV },
	};

	need_emulated();
	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		struct worker workers[THREADS];
		struct side s;

		shared_open(&s, rows[i].device, 0);
		run_workers(workers, &s, 10000, UINT_MAX);
		for (unsigned int n = 0; n < THREADS; n++)
			assert_int_equal(workers[n].r, rows[i].r);
		side_close(&s);
	}
}

/* Everybody waits for ever while one request hangs and nothing comes; then the device is reset. */
static void *reset_later(void *arg)
{
	struct side s;

	side_open(&s, arg, WD_OP_COMPRESS, 0);
	fill_text(s.src, 1000, 1);
	for (;;) {
		struct wd_zip_req req = block(&s, 1, 1000);
		struct wd_zip_res res;

		if (wd_call(s.q, &req, &res, WAIT_MS))
			break;
	}
	side_close(&s);
	return NULL;
}

static void test_hang_then_reset(void **state)
{
	static char device[] = "emu:threads=2,fault=hang@1/reset@2000";
	struct worker workers[THREADS];
	pthread_t thread;
	struct side s;

	need_emulated();
	shared_open(&s, device, 0);
	/* The first request, which hangs, is the shared queue's. */
	workers[0] = (struct worker){ .s = &s, .rounds = 1, .timeout_ms = 20 };
	work(&workers[0]);
	assert_int_equal(workers[0].timeouts, 1);
	assert_int_equal(pthread_create(&thread, NULL, reset_later, device), 0);
	run_workers(workers, &s, 1, UINT_MAX);
	for (unsigned int n = 0; n < THREADS; n++)
		assert_int_equal(workers[n].r, -EIO);
	pthread_join(thread, NULL);
	side_close(&s);
}

/* Calls that give up leave their entry to the device; what comes later gets what is its own. */
static void test_timeouts(void **state)
{
	struct worker workers[THREADS];
	unsigned int timeouts = 0;
	struct wd_zip_req req;
	struct wd_zip_res res;
	struct side s;

	need_emulated();
	shared_open(&s, "emu:threads=2,depth=64,fault=late=20@*50", 0);
	run_workers(workers, &s, DST_NR - 1, 5);
	for (unsigned int n = 0; n < THREADS; n++) {
		assert_int_equal(workers[n].r, 0);
		timeouts += workers[n].timeouts;
	}
	assert_true(timeouts > 0);
	req = request(&s, 0, DST_NR - 1);
	assert_int_equal(wd_call(s.q, &req, &res, WAIT_MS), 0);
	assert_int_equal(res.tag, req.tag);
	assert_int_equal(wd_queue_in_flight(s.q), 0);
	side_close(&s);
}

/* wd_call() on a queue of one thread. */
static void test_alone(void **state)
{
	struct wd_zip_req req;
	struct wd_zip_res res;
	struct side s;

	need_emulated();
	side_open(&s, "emu:threads=1,fault=late=50@3", WD_OP_COMPRESS, 0);
	fill_text(s.src, 1000, 1);
	req = block(&s, 7, 1000);
	assert_int_equal(wd_call(s.q, &req, &res, WAIT_MS), 0);
	assert_int_equal(res.tag, 7);
	assert_int_equal(wd_send(s.q, &req, 1), 1);
	assert_int_equal(wd_call(s.q, &req, &res, WAIT_MS), -EBUSY);
	assert_int_equal(wd_recv_sync(s.q, &res, 1, WAIT_MS), 1);
	assert_int_equal(wd_call(s.q, &req, &res, 1), -ETIMEDOUT);
	assert_int_equal(wd_recv_sync(s.q, &res, 1, WAIT_MS), 1);
	req.src_len = 0;
	assert_int_equal(wd_call(s.q, &req, &res, WAIT_MS), -EINVAL);
	side_close(&s);
}

/* Small requests in turn wake no thread of the device, once these sleep. */
static void test_help(void **state)
{
	struct wd_emu_stats before, after;
	struct wd_zip_req req;
	struct wd_zip_res res;
	struct side s;

	need_emulated();
	side_open(&s, "emu:threads=2,qm=3,engine=zlib", WD_OP_COMPRESS, 0);
	fill_text(s.src, 20000, 1);
	assert_int_equal(wd_emu_stats(&before), 0);
	after = before;
	for (unsigned int i = 0; i < 100000 && after.helped - before.helped < 100; i++) {
		req = block(&s, i, 1000);
		assert_int_equal(wd_call(s.q, &req, &res, WAIT_MS), 0);
		assert_int_equal(res.tag, i);
		assert_int_equal(res.status, WD_ZIP_OK);
		assert_int_equal(wd_emu_stats(&after), 0);
	}
	assert_true(after.helped - before.helped >= 100);
	req = block(&s, 1, 20000);
	before = after;
	assert_int_equal(wd_call(s.q, &req, &res, WAIT_MS), 0);
	assert_int_equal(wd_emu_stats(&after), 0);
	assert_int_equal(after.helped, before.helped);
	side_close(&s);
}

static int in_child(struct side *s)
{
	struct wd_zip_req req = request(s, 0, 1);
	struct wd_zip_res res;

	alarm(TIME_LIMIT_S);
	if (wd_call(s->q, &req, &res, WAIT_MS) != -ENODEV)
		return 1;
	if (wd_queue_state(s->q, NULL) != WD_STATE_DEAD || wd_queue_in_flight(s->q))
		return 2;
	wd_release_queue(s->q);
	return 0;
}

/* fork while other threads are in the middle of calls. */
static void test_fork(void **state)
{
	struct worker workers[THREADS];
	struct side s;

	if (IS_TSAN)
		skip();
	/* Threads that start may hold the sanitizers' locks at the fork, so all of them are up. */
	shared_open(&s, any_device("threads=1", 2), 0);
	workers[0] = (struct worker){ .s = &s, .rounds = 1, .timeout_ms = UINT_MAX };
	work(&workers[0]);
	assert_int_equal(workers[0].r, 0);
	__atomic_store_n(&started, 0, __ATOMIC_RELEASE);
	for (unsigned int i = 1; i < THREADS; i++) {
		workers[i] = (struct worker){ .s = &s, .nr = i, .rounds = 500,
					      .timeout_ms = UINT_MAX };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	while (__atomic_load_n(&started, __ATOMIC_ACQUIRE) < THREADS - 1)
		sched_yield();
	for (unsigned int i = 0; i < 5; i++) {
		int status;
		pid_t pid = fork();

		if (!pid)
			leave(in_child(&s));
		assert_true(pid > 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	for (unsigned int i = 1; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].r, 0);
	}
	side_close(&s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results),	   cmocka_unit_test(test_failures),
		cmocka_unit_test(test_hang_then_reset), cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_alone),	   cmocka_unit_test(test_help),
		cmocka_unit_test(test_fork),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, make_expected, NULL);
}
