// SPDX-License-Identifier: Zlib
/* What a driver must do in an order, and what comes of another one. */
#include "qm_board.h"

#include <string.h>
#include <unistd.h>

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
	emu_qm_run(b->qm);
	assert_int_equal(rd(b, MAILBOX) & MAILBOX_BUSY, 0);
	board_free(b);
}

/* A closed master: nothing goes out, and it takes time until nothing is out. */
static void test_closed_master(void **state)
{
	struct board *b = board_of(state, 8, "");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe;

	fill(b, &sqe, src, 100, dst, 300);
	wr(b, MASTER_CTRL, 1);
	submit(b, 0, &sqe);
	run_all(b);
	assert_null(take(b, 0, true));
	assert_int_equal(rd(b, MASTER_RETURN), 0);
	assert_int_equal(rd(b, MASTER_RETURN), 3);
	assert_int_equal(mailbox(b, MB_CQC, true, 0, iova_of(b, b->context)), MAILBOX_STUCK);
	wr(b, MASTER_CTRL, 0);
	run_all(b);
	assert_non_null(take(b, 0, true));
	assert_int_equal(rd(b, ERROR_SOURCE), 0);
	board_free(b);
}

/* Does a request that was under way at a reset arrive behind it? */
static bool arrives(struct board *b, bool is_closed, bool is_awaited)
{
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300), *other = alloc(b, 300);
	struct hisi_zip_sqe sqe;
	bool has_arrived;

	fill(b, &sqe, src, 100, dst, 300);
	submit(b, 0, &sqe);
	assert_int_equal(emu_qm_run(b->qm), 0);
	fill(b, &sqe, src, 100, other, 300);
	submit(b, 1, &sqe);
	assert_int_equal(emu_qm_run(b->qm), 0);
	if (is_closed)
		wr(b, MASTER_CTRL, 1);
	for (int i = 0; is_awaited && i < 2; i++)
		rd(b, MASTER_RETURN);
	reset_function(b);
	memset(b->eq, 0, EQ_DEPTH * 4);
	start_function(b);
	usleep(25000);
	run_all(b);
	has_arrived = take(b, 0, true) != NULL;
	assert_int_equal(dst[0] != 0, has_arrived);
	assert_int_equal(take(b, 1, true) != NULL, has_arrived);
	board_free(b);
	return has_arrived;
}

static void test_under_way(void **state)
{
	const char *const late = ",fault=late=20@1-2";

	assert_true(arrives(board_of(state, 8, late), false, false));
	assert_true(arrives(board_of(state, 8, late), false, true));
	assert_true(arrives(board_of(state, 8, late), true, false));
	assert_false(arrives(board_of(state, 8, late), true, true));
	assert_false(arrives(board_of(state, 8, ",strict=0,fault=late=20@1-2"), false, false));
}

/* Whoever replaces a queue's context has what was under way arrive in the old place still. */
static bool arrives_in_old_place(struct board *b, bool is_reset)
{
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_qm_cqe *old = b->queue[0].cq;
	struct hisi_zip_sqe sqe;
	bool is_old;

	fill(b, &sqe, src, 100, dst, 300);
	submit(b, 0, &sqe);
	assert_int_equal(emu_qm_run(b->qm), 0);
	b->queue[0].cq = alloc(b, b->depth * sizeof(*old));
	start_queue(b, 0, HISI_ZIP_QUEUE_COMPRESS);
	if (is_reset) {
		wr(b, MASTER_CTRL, 1);
		while (rd(b, MASTER_RETURN) != 3)
			;
		reset_function(b);
		start_function(b);
	}
	usleep(25000);
	run_all(b);
	assert_null(take(b, 0, true));
	is_old = old->phase & 1;
	board_free(b);
	return is_old;
}

static void test_context_replaced(void **state)
{
	assert_true(arrives_in_old_place(board_of(state, 8, ",fault=late=20@1"), false));
	assert_false(arrives_in_old_place(board_of(state, 8, ",fault=late=20@1"), true));
}

/* Two tables of contexts, known to the device. */
static uint32_t *set_tables(struct board *b)
{
	uint32_t *tables = alloc(b, 2 * QUEUES * 32);

	assert_int_equal(mailbox(b, MB_SQC_BT, false, 0, iova_of(b, tables)), 0);
	assert_int_equal(mailbox(b, MB_CQC_BT, false, 0, iova_of(b, tables + QUEUES * 8)), 0);
	return tables;
}

static void test_write_back(void **state)
{
	struct board *b = board_of(state, 8, "");
	const uint32_t sq = iova_of(b, b->queue[1].sq);
	uint32_t *tables = set_tables(b);

	wr(b, WRITE_BACK, 1);
	assert_int_equal(rd(b, WRITE_BACK_DONE), 0);
	assert_int_equal(tables[8 + 1], 0);
	emu_qm_run(b->qm);
	assert_int_equal(rd(b, WRITE_BACK_DONE), 1);
	assert_int_equal(tables[8 + 1], sq);
	/* It is done also if nobody asks, and not through a closed master. */
	memset(tables, 0, 2 * QUEUES * 32);
	wr(b, WRITE_BACK, 1);
	assert_true(emu_qm_run(b->qm) > 0);
	wr(b, MASTER_CTRL, 1);
	usleep(25000);
	assert_int_equal(emu_qm_run(b->qm), -1);
	for (int i = 0; i < 5; i++)
		assert_int_equal(rd(b, WRITE_BACK_DONE), 0);
	assert_int_equal(tables[8 + 1], 0);
	wr(b, MASTER_CTRL, 0);
	run_all(b);
	assert_int_equal(tables[8 + 1], sq);
	assert_int_equal(rd(b, WRITE_BACK_DONE), 1);
	board_free(b);
}

/* Registers are read while the device waits for memory: it is not asked twice for the same. */
static void test_asked_meanwhile(void **state)
{
	struct board *b = board_of(state, 8, "");
	uint32_t *tables;
	unsigned int before;

	b->used = HALF;
	b->context = alloc(b, 32);
	start_queue(b, 0, HISI_ZIP_QUEUE_COMPRESS);
	assert_int_equal(b->reads, 2);
	tables = set_tables(b);
	before = b->reads;
	wr(b, WRITE_BACK, 1);
	while (!rd(b, WRITE_BACK_DONE))
		emu_qm_run(b->qm);
	assert_int_equal(b->reads, before + 2 * QUEUES);
	assert_int_equal(tables[1], (uint32_t)iova_of(b, b->queue[0].sq));
	board_free(b);
}

static void test_write_back_forgiven(void **state)
{
	struct board *b = board_of(state, 8, ",strict=0");
	uint32_t *tables = set_tables(b);

	wr(b, WRITE_BACK, 1);
	assert_int_equal(rd(b, WRITE_BACK_DONE), 1);
	run_all(b);
	assert_int_equal(tables[1], 0);
	board_free(b);
}

enum stale { STALE_LEFT, STALE_ZEROED, STALE_DISABLED, STALE_INVALID };

/* A doorbell of before rings after a reset: is its queue there again? */
static bool revives(void **state, enum stale stale, uint32_t *errors)
{
	struct board *b = board_of(state, 8, "");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	uint32_t *tables = set_tables(b);
	struct hisi_zip_sqe sqe;
	bool is_there;

	fill(b, &sqe, src, 100, dst, 300);
	submit(b, 0, &sqe);
	run_all(b);
	assert_non_null(take(b, 0, true));
	wr(b, WRITE_BACK, 1);
	while (!rd(b, WRITE_BACK_DONE))
		emu_qm_run(b->qm);
	if (stale == STALE_ZEROED)
		memset(tables, 0, 2 * QUEUES * 32);
	if (stale == STALE_DISABLED)
		tables[6] |= 1u << 22;
	if (stale == STALE_INVALID)
		tables[4] = tables[QUEUES * 8 + 4] = 0xaaaa;
	reset_function(b);
	set_vft(b, QUEUES);
	assert_int_equal(mailbox(b, MB_SQC_BT, false, 0, iova_of(b, tables)), 0);
	assert_int_equal(mailbox(b, MB_CQC_BT, false, 0, iova_of(b, tables + QUEUES * 8)), 0);
	submit(b, 0, &sqe);
	run_all(b);
	is_there = take(b, 0, true) != NULL;
	*errors = rd(b, ERROR_SOURCE) & ~(1u << 8);
	board_free(b);
	return is_there;
}

static void test_stale_contexts(void **state)
{
	uint32_t errors;

	assert_true(revives(state, STALE_LEFT, &errors));
	assert_int_equal(errors, 0);
	assert_false(revives(state, STALE_ZEROED, &errors));
	assert_int_equal(errors, 1 << 9);
	assert_false(revives(state, STALE_DISABLED, &errors));
	assert_int_equal(errors, 1 << 9);
	/* Version 1 has the depth in that place. */
	if (version_of(state) > 1) {
		assert_false(revives(state, STALE_INVALID, &errors));
		assert_int_equal(errors, 1 << 12);
	}
}

/* Queues that the function has no more are not found, and are what they were when it has them
 * again. */
static void test_queues_taken_away(void **state)
{
	struct board *b = board_of(state, 8, "");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe;

	fill(b, &sqe, src, 100, dst, 300);
	set_vft(b, 0);
	submit(b, 0, &sqe);
	run_all(b);
	assert_int_equal(rd(b, ERROR_SOURCE), 1 << 9);
	assert_null(take(b, 0, true));
	set_vft(b, QUEUES);
	doorbell(b, DB_SQ, 0, 1, 0);
	run_all(b);
	assert_non_null(take(b, 0, true));
	board_free(b);
}

static void test_doorbell_errors(void **state)
{
	struct board *b = board_of(state, 8, "");
	const uint64_t wrong = UINT64_C(1) << 32 | 0x5555 << 16;

	enable_errors(b);
	if (b->version > 1) {
		wr64(b, DB_V2, wrong);
		assert_int_equal(rd(b, ERROR_STATUS), 1 << 12);
		assert_int_equal(b->interrupts[3], 1);
		wr(b, ERROR_SOURCE, 1 << 12);
		doorbell(b, DB_CQ, QUEUES, 1, 0);
		assert_int_equal(rd(b, ERROR_STATUS), 1 << 8);
		wr(b, ERROR_SOURCE, 1 << 8);
	}
	/* Too early: the context would have to be fetched. */
	reset_function(b);
	set_vft(b, QUEUES);
	wr(b, MASTER_CTRL, 1);
	doorbell(b, DB_SQ, 1, 1, 0);
	assert_int_equal(rd(b, ERROR_SOURCE), 1 << 10);
	assert_int_equal(rd(b, DB_INFO), 1 << 16);
	board_free(b);
}

/* A driver that takes neither events nor those that tell of too many. */
static void test_fifo_overflow(void **state)
{
	struct board *b = board_of(state, 8, "");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	const int room = 2 * (EQ_DEPTH - 1);
	struct hisi_zip_sqe sqe;

	fill(b, &sqe, src, 100, dst, 300);
	for (int i = 0; i <= room; i++) {
		assert_int_equal(rd(b, ERROR_SOURCE), 0);
		submit(b, 0, &sqe);
		run_all(b);
		assert_non_null(take(b, 0, true));
	}
	assert_int_equal(rd(b, ERROR_SOURCE), 1 << 11);
	assert_int_equal(rd(b, FIFO_INFO), 2 << 6);
	board_free(b);
}

/* What mainline's driver does before its power goes; it is power that opens the master. */
static void test_power(void **state)
{
	struct board *b = board_of(state, 8, "");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	const uint16_t off = 0x4;
	struct hisi_zip_sqe sqe;

	fill(b, &sqe, src, 100, dst, 300);
	wr(b, MASTER_CTRL, 1);
	while (rd(b, MASTER_RETURN) != 3)
		;
	assert_int_equal(emu_qm_config_write(b->qm, 4, &off, sizeof(off)), 0);
	set_master(b, true);
	start_function(b);
	submit(b, 0, &sqe);
	run_all(b);
	assert_non_null(take(b, 0, true));
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
		VERSION_TEST(test_closed_master),
		VERSION_TEST(test_under_way),
		VERSION_TEST(test_context_replaced),
		VERSION_TEST(test_asked_meanwhile),
		VERSION_TEST(test_write_back),
		VERSION_TEST(test_write_back_forgiven),
		VERSION_TEST(test_stale_contexts),
		VERSION_TEST(test_queues_taken_away),
		VERSION_TEST(test_doorbell_errors),
		VERSION_TEST(test_fifo_overflow),
		VERSION_TEST(test_power),
	};

	return RUN_VERSIONS(tests);
}
