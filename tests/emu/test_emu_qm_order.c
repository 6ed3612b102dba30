// SPDX-License-Identifier: Zlib
/* What a driver must do in an order, and what comes of another one. */
#include "qm_board.h"

#include <string.h>

static void enable_errors(struct board *b)
{
	wr(b, ERROR_SOURCE, UINT32_MAX);
	wr(b, ZIP_ERROR_SOURCE, UINT32_MAX);
	wr(b, ZIP_CONTROL, 1u << 14);
	if (b->version == 3) {
		wr(b, SHUTDOWN, 0x6c77);
		wr(b, ZIP_SHUTDOWN, 0x7fe);
	}
	wr(b, ERROR_MASK, 0);
	wr(b, ZIP_ERROR_MASK, 0);
}

/* A request whose memory is out of reach stops everybody's until the device is started again. */
static void test_bad_data(void **state)
{
	struct board *b = board_of(state, 8, "");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	const bool is_shut = b->version == 3;
	struct hisi_zip_sqe bad, good;

	enable_errors(b);
	fill(b, &good, src, 100, dst, 300);
	fill(b, &bad, b->mem + MEM_LEN, 100, dst, 300);
	submit(b, 0, &bad);
	submit(b, 1, &good);
	run_all(b);
	assert_int_equal(rd(b, ZIP_ERROR_STATUS), 1 << 2);
	assert_int_equal(rd(b, ERROR_STATUS), 0);
	assert_int_equal(b->interrupts[3], b->version > 1);
	assert_int_equal(!take(b, 0, true), is_shut);
	assert_int_equal(!take(b, 1, true), is_shut);
	/* Told once. */
	submit(b, 0, &bad);
	run_all(b);
	assert_int_equal(b->interrupts[3], b->version > 1);

	memset(b->eq, 0, EQ_DEPTH * 4);
	wr(b, ZIP_ERROR_SOURCE, UINT32_MAX);
	start_function(b);
	fill(b, &bad, src, 100, b->mem + MEM_LEN, 300);
	submit(b, 1, &good);
	run_all(b);
	assert_non_null(take(b, 1, true));
	submit(b, 0, &bad);
	run_all(b);
	assert_int_equal(rd(b, ZIP_ERROR_STATUS), 1 << 3);
	board_free(b);
}

static void test_bad_data_forgiven(void **state)
{
	struct board *b = board_of(state, 8, ",strict=0");
	uint8_t *dst = alloc(b, 300);
	struct hisi_zip_sqe bad;

	enable_errors(b);
	fill(b, &bad, b->mem + MEM_LEN, 100, dst, 300);
	submit(b, 0, &bad);
	run_all(b);
	assert_int_equal(take(b, 0, true)->result & HISI_ZIP_RESULT_STATUS, HISI_ZIP_BAD_DATA);
	assert_int_equal(rd(b, ZIP_ERROR_STATUS), 0);
	board_free(b);
}

/* A command that stops queues takes its time, and the mailbox is nobody else's meanwhile. */
static void test_stop_takes_time(void **state)
{
	struct board *b = board_of(state, 8, ",fault=stop=100000@2");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe;

	if (b->version < 3) {
		board_free(b);
		return;
	}
	fill(b, &sqe, src, 100, dst, 300);
	for (int i = 0; i < 5; i++)
		submit(b, 0, &sqe);
	mailbox_start(b, MB_STOP_QP, false, 0, 0);
	for (int i = 0; i < 4; i++) {
		assert_true(rd(b, MAILBOX) & MAILBOX_BUSY);
		emu_qm_run(b->qm);
	}
	/* Too early a command, and too late a request, are not heard. */
	submit(b, 0, &sqe);
	assert_int_equal(mailbox(b, MB_SEND, false, 0, 1234), 0);
	assert_int_equal(mailbox(b, MB_RECEIVE, true, 0, 0), 0);
	assert_int_equal(rd(b, MAILBOX + 4), 0);
	for (int i = 0; i < 5; i++)
		assert_non_null(take(b, 0, false));
	assert_null(take(b, 0, false));
	/* What no driver waits for. */
	assert_int_equal(mailbox(b, MB_FLUSH, false, 0, 0), MAILBOX_STUCK);
	board_free(b);
}

static void test_stop_forgiven(void **state)
{
	struct board *b = board_of(state, 8, ",strict=0,fault=late=60000@1/hang@2");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe;

	if (b->version == 3) {
		fill(b, &sqe, src, 100, dst, 300);
		submit(b, 0, &sqe);
		mailbox_start(b, MB_STOP_QP, false, 0, 0);
		assert_int_equal(rd(b, MAILBOX) & MAILBOX_BUSY, 0);
		assert_non_null(take(b, 0, false));
		submit(b, 1, &sqe);
		mailbox_start(b, MB_FLUSH, false, 0, 0);
		assert_int_equal(rd(b, MAILBOX) >> 9 & 0x1f, 1);
	}
	board_free(b);
}

/* What needs memory waits while an error has shut the way to it. */
static void test_mailbox_behind_error(void **state)
{
	struct board *b = board_of(state, 8, "");

	enable_errors(b);
	wr(b, SHUTDOWN, 2);
	wr(b, ERROR_SET, 2);
	assert_int_equal(mailbox(b, MB_SQC, true, 0, iova_of(b, b->context)), MAILBOX_STUCK);
	wr(b, ERROR_SOURCE, 2);
	wr(b, ZIP_CONTROL, 0);
	wr(b, ZIP_CONTROL, 1u << 14);
	assert_int_equal(rd(b, MAILBOX) & MAILBOX_BUSY, 0);
	board_free(b);
}

int main(void)
{
	static const struct version_test tests[] = {
		VERSION_TEST(test_bad_data),
		VERSION_TEST(test_bad_data_forgiven),
		VERSION_TEST(test_stop_takes_time),
		VERSION_TEST(test_stop_forgiven),
		VERSION_TEST(test_mailbox_behind_error),
	};

	return RUN_VERSIONS(tests);
}
