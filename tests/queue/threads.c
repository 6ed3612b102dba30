/* SPDX-License-Identifier: Zlib */
/* Guards threads that work on queues of their own, open and close them, and share memory, at once. */
#include <pthread.h>
#include "queue.h"

struct worker {
	pthread_t thread;
	enum wd_op_type op;
	const uint8_t *in;
	uint32_t in_len;
	const uint8_t *expected; /* NULL: only the length is */
	uint32_t expected_len;
	int r;
};

static int work_once(struct side *s, const struct worker *w, uint64_t tag)
{
	struct wd_zip_req req = block(s, tag, w->in_len);
	struct wd_zip_res res;
	void *mem;

	if (wd_alloc(s->q, 5000, &mem))
		return -ENOMEM;
	memcpy(s->src, w->in, w->in_len);
	if (wd_send(s->q, &req, 1) != 1 || wd_recv_sync(s->q, &res, 1, WAIT_MS) != 1)
		return -EIO;
	wd_free(s->q, mem);
	if (res.tag != tag || res.status > WD_ZIP_END || res.produced != w->expected_len)
		return -EPROTO;
	if (w->expected && memcmp(s->dst, w->expected, w->expected_len))
		return -EBADMSG;
	return 0;
}

static void *work(void *arg)
{
	unsigned int rounds = getenv("WD_TEST_DEVICE") ? 100 : 300;
	struct worker *w = arg;

	for (unsigned int open = 0; open < 3 && !w->r; open++) {
		struct side s;

		side_open(&s, any_device("threads=2", 2), w->op, 0);
		for (unsigned int i = 0; i < rounds && !w->r; i++)
			w->r = work_once(&s, w, (uint64_t)open << 40 | i);
		side_close(&s);
	}
	return NULL;
}

static void test_two_threads_two_queues(void **state)
{
	static uint8_t text[50000], packed[50000];
	struct worker workers[2] = {
		{ .op = WD_OP_COMPRESS, .in = text, .in_len = sizeof(text) },
		{ .op = WD_OP_DECOMPRESS, .in = packed, .expected = text,
		  .expected_len = sizeof(text) },
	};
	struct wd_zip_req req;
	struct wd_zip_res res;
	struct side s;

	fill_text(text, sizeof(text), 4711);
	side_open(&s, any_device("threads=2", 2), WD_OP_COMPRESS, 0);
	memcpy(s.src, text, sizeof(text));
	req = block(&s, 1, sizeof(text));
	res = run(&s, &req);
	assert_in_range(res.produced, 1, sizeof(packed));
	memcpy(packed, s.dst, res.produced);
	side_close(&s);
	workers[0].expected = packed;
	workers[0].expected_len = res.produced;
	workers[1].in_len = res.produced;

	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(workers[i].thread, NULL);
	assert_int_equal(workers[0].r, 0);
	assert_int_equal(workers[1].r, 0);
}

static void test_stats(void **state)
{
	struct wd_emu_stats before, after;
	struct side s;

	need_emulated();
	assert_int_equal(wd_emu_stats(&before), 0);
	side_open(&s, "emu:fault=error@2", WD_OP_COMPRESS, 0);
	check_alive(&s);
	run(&s, &(struct wd_zip_req){ .src = s.src, .dst = s.dst, .src_len = 1, .dst_len = 100,
				      .format = WD_ZIP_ZLIB });
	assert_int_equal(wd_emu_stats(&after), 0);
	assert_int_equal(after.requests - before.requests, 2);
	assert_int_equal(after.faults - before.faults, 1);
	assert_true(after.cpu_ns > before.cpu_ns);
	side_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_threads_two_queues),
		cmocka_unit_test(test_stats),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
