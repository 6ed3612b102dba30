/* SPDX-License-Identifier: Zlib */
/*
 * Guards a process that locked itself up so that it may not wait: what its device works on is its own again before it
 * is told so, and what is done before anybody sleeps is done as ever.
 */
#include <pthread.h>
#include "queue.h"
#include "transport/transport.h"

static struct wd_transport under_test;
const struct wd_transport *const wd_transports[] = { &under_test, NULL };
static unsigned int refused_nr;

/* As seccomp has it. */
static int refuse(void *queue, unsigned int timeout_ms)
{
	__atomic_add_fetch(&refused_nr, 1, __ATOMIC_RELAXED);
	return -EPERM;
}

static void open_queue(struct side *s, const char *device, unsigned int flags)
{
	struct wd_queue_attr attr = { .device = device, .op_type = WD_OP_COMPRESS, .numa_node = 0, .spin_us = 1,
				      .flags = flags };
	void *mem;

	assert_int_equal(wd_request_queue(&attr, &s->q), 0);
	assert_int_equal(wd_alloc(s->q, 2 * BUF_LEN, &mem), 0);
	s->src = mem;
	s->dst = s->src + BUF_LEN;
	s->ctx = NULL;
	fill_text(s->src, 1000, 1);
}

static void test_wait(void **state)
{
	unsigned int told = 0;

	refused_nr = 0;
	for (int i = 0; i < 20; i++) {
		struct wd_zip_res res;
		struct wd_zip_req req;
		struct side s;
		int r;

		open_queue(&s, "emu:threads=1,latency_us=2000", 0);
		req = block(&s, i, 1000);
		assert_int_equal(wd_send(s.q, &req, 1), 1);
		r = wd_recv_sync(s.q, &res, 1, WAIT_MS);
		assert_true(r == 1 || r == -EPERM);
		told += r == -EPERM;
		/* Nothing is worked on any more. */
		if (r == -EPERM)
			assert_int_equal(wd_recv(s.q, &res, 1), 1);
		assert_int_equal(res.status, WD_ZIP_OK);
		side_close(&s);
	}
	assert_true(told > 0 && refused_nr > 0);
}

static void *call_main(void *arg)
{
	struct side *s = arg;
	struct wd_zip_req req = block(s, 1, 1000);
	struct wd_zip_res res;

	req.dst_len = 4096;
	return (void *)(intptr_t)wd_call(s->q, &req, &res, WAIT_MS);
}

static void test_call(void **state)
{
	refused_nr = 0;
	for (int i = 0; i < 20; i++) {
		pthread_t thread[3];
		struct side s;

		open_queue(&s, "emu:threads=1,latency_us=2000", WD_QUEUE_SHARED);
		for (int t = 0; t < 3; t++)
			assert_int_equal(pthread_create(&thread[t], NULL, call_main, &s), 0);
		for (int t = 0; t < 3; t++) {
			void *r;

			assert_int_equal(pthread_join(thread[t], &r), 0);
			assert_true(!r || (intptr_t)r == -EPERM);
		}
		assert_int_equal(wd_queue_in_flight(s.q), 0);
		side_close(&s);
	}
	/* What was done meanwhile has its result. */
	assert_true(refused_nr > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_call),
	};

	alarm(TIME_LIMIT_S);
	under_test = wd_transport_emu;
	under_test.wait = refuse;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
