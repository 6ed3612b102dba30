/* SPDX-License-Identifier: Zlib */
/* Guards what a queue says when its device hangs, is reset or goes away, and what comes after. */
#include "queue.h"

static void send_one(const struct side *s, uint64_t tag)
{
	struct wd_zip_req req = block(s, tag, 1000);

	fill_text(s->src, 1000, 1);
	assert_int_equal(wd_send(s->q, &req, 1), 1);
}

/* A request that never completes: a timeout, buffers that stay, a queue that can be closed. */
static void test_hang(void **state)
{
	for (unsigned int version = 1; version <= VERSIONS; version++) {
		const char *device = device_name("fault=hang@2", version);
		struct wd_zip_res res;
		struct side s, next;

		side_open(&s, device, WD_OP_COMPRESS, 0);
		check_alive(&s);
		send_one(&s, 2);
		assert_int_equal(wd_recv_sync(s.q, &res, 1, 0), -ETIMEDOUT);
		assert_int_equal(wd_recv_sync(s.q, &res, 1, 50), -ETIMEDOUT);
		assert_int_equal(wd_recv(s.q, &res, 1), -EAGAIN);
		assert_int_equal(wd_queue_in_flight(s.q), 1);
		assert_int_equal(wd_queue_state(s.q, NULL), WD_STATE_OK);
		/* The device may still write here: freed, but there until the queue is closed. */
		wd_free(s.q, s.dst);
		memset(s.dst, 0, BUF_LEN);
		side_open(&next, device, WD_OP_COMPRESS, 0);
		side_close(&s);
		check_alive(&next);
		side_close(&next);
	}
}

static void test_late(void **state)
{
	struct wd_zip_res res;
	struct side s;

	side_open(&s, device_name("fault=late=300@1", 2), WD_OP_COMPRESS, 0);
	send_one(&s, 1);
	assert_int_equal(wd_recv_sync(s.q, &res, 1, 1), -ETIMEDOUT);
	assert_int_equal(wd_recv_sync(s.q, &res, 1, WAIT_MS), 1);
	assert_int_equal(res.status, WD_ZIP_OK);
	side_close(&s);
}

/* A reset kills the queues of that moment and no later one. */
static void test_reset(void **state)
{
	for (unsigned int version = 1; version <= VERSIONS; version++) {
		const char *device = device_name("fault=reset@2", version);
		unsigned int before, after;
		struct wd_zip_res res;
		struct side s, next;

		side_open(&s, device, WD_OP_COMPRESS, 0);
		assert_int_equal(wd_queue_state(s.q, &before), WD_STATE_OK);
		check_alive(&s);
		send_one(&s, 2);
		assert_int_equal(wd_recv_sync(s.q, &res, 1, WAIT_MS), -EIO);
		assert_int_equal(wd_recv(s.q, &res, 1), -EIO);
		assert_int_equal(wd_send(s.q, &(struct wd_zip_req){ 0 }, 1), -EIO);
		assert_int_equal(wd_flush(s.q), -EIO);
		assert_int_equal(wd_queue_state(s.q, &after), WD_STATE_RESETTING);
		assert_int_equal(after, before + 1);

		side_open(&next, device, WD_OP_COMPRESS, 0);
		check_alive(&next);
		assert_int_equal(wd_queue_state(s.q, NULL), WD_STATE_RESETTING);
		side_close(&s);
		check_alive(&next);
		side_close(&next);
	}
}

/* A device that disappears, and is back after two attempts to open it. */
static void test_gone(void **state)
{
	for (unsigned int version = 1; version <= VERSIONS; version++) {
		const char *device = device_name("fault=gone=2@2", version);
		struct wd_zip_res res;
		struct wd_queue *q;
		struct side s;

		side_open(&s, device, WD_OP_COMPRESS, 0);
		check_alive(&s);
		send_one(&s, 2);
		assert_int_equal(wd_recv_sync(s.q, &res, 1, WAIT_MS), -ENODEV);
		assert_int_equal(wd_send(s.q, &(struct wd_zip_req){ 0 }, 1), -ENODEV);
		assert_int_equal(wd_queue_state(s.q, NULL), WD_STATE_DEAD);
		side_close(&s);
		assert_int_equal(queue_open(&q, device, WD_OP_COMPRESS, 0), -ENODEV);
		assert_int_equal(queue_open(&q, device, WD_OP_COMPRESS, 0), -ENODEV);
		side_open(&s, device, WD_OP_COMPRESS, 0);
		check_alive(&s);
		side_close(&s);
	}
}

static void test_statuses(void **state)
{
	static const struct {
		const char *fault;
		enum wd_zip_status status;
	} rows[] = {
		{ "fault=error@1", WD_ZIP_BAD_DATA },
		{ "fault=error=0x10@1", WD_ZIP_BAD_CHECKSUM },
		{ "fault=error=0x77@1", WD_ZIP_FAILED },
		{ "fault=short@1", WD_ZIP_NO_ROOM },
	};

	for (size_t i = 0; i < VERSIONS * ARRAY_NR(rows); i++) {
		struct wd_zip_res res;
		struct wd_zip_req req;
		struct side s;

		side_open(&s, device_name(rows[i / VERSIONS].fault, 1 + i % VERSIONS),
			  WD_OP_COMPRESS, 0);
		fill_text(s.src, 1000, 1);
		req = block(&s, 1, 1000);
		res = run(&s, &req);
		assert_int_equal(res.status, rows[i / VERSIONS].status);
		assert_int_equal(res.consumed, 0);
		check_alive(&s);
		side_close(&s);
	}
}

/* A completion that comes again is none of a request: the queue is of no more use, and the next one is. */
static void test_twice(void **state)
{
	for (unsigned int version = 1; version <= VERSIONS; version++) {
		const char *device = device_name("fault=lie=twice@1", version);
		struct wd_zip_res res;
		struct side s, next;
		int r;

		side_open(&s, device, WD_OP_COMPRESS, 0);
		send_one(&s, 1);
		assert_int_equal(wd_recv_sync(s.q, &res, 1, WAIT_MS), 1);
		assert_int_equal(res.tag, 1);
		assert_int_equal(res.status, WD_ZIP_OK);
		/* Before it is seen, nothing is in flight; then it is in the way of what is. */
		r = wd_recv(s.q, &res, 1);
		assert_true(r == -EAGAIN || r == -EIO);
		if (r == -EAGAIN) {
			send_one(&s, 2);
			r = wd_recv_sync(s.q, &res, 1, WAIT_MS);
			/* The device may have been faster than the lie was seen. */
			assert_true(r == -EIO || (r == 1 && res.tag == 2));
		}
		side_open(&next, device, WD_OP_COMPRESS, 0);
		side_close(&s);
		check_alive(&next);
		side_close(&next);
	}
}

/* Results that no device has: they are handed on, and the queue goes on with what was asked. */
static void test_lies(void **state)
{
	static const char *const fields[] = { "consumed", "produced", "status", "checksum", "context", "entry", "any" };

	for (size_t i = 0; i < VERSIONS * ARRAY_NR(fields); i++) {
		char script[64];
		struct wd_zip_req req;
		struct wd_zip_res res;
		struct side s;
		int r = 1;

		snprintf(script, sizeof(script), "fault=lie=%s@1-20", fields[i / VERSIONS]);
		side_open(&s, device_name(script, 1 + i % VERSIONS), WD_OP_COMPRESS, 0);
		fill_text(s.src, 1000, 1);
		for (uint64_t tag = 1; tag <= 20 && r == 1; tag++) {
			req = block(&s, tag, 1000);
			req.ctx = s.ctx;
			req.flags = WD_ZIP_STREAM | (tag == 1 ? WD_ZIP_NEW : 0);
			assert_int_equal(wd_send(s.q, &req, 1), 1);
			r = wd_recv_sync(s.q, &res, 1, WAIT_MS);
			/* Only what software keeps for itself is as it was. */
			assert_true(r == -EIO || (r == 1 && res.tag == tag && res.status <= WD_ZIP_FAILED));
			/* As much of the context as there can be; of a queue that failed it is the device's still. */
			assert_true(r != 1 || wd_zip_ctx_used(s.ctx) <= WD_ZIP_CTX_SIZE);
		}
		side_close(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_lies),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
