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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_statuses),
	};

	alarm(TIME_LIMIT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
