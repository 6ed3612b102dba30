// SPDX-License-Identifier: Zlib
/* What the model tells its driver of: completions, overflows, errors; once, and not too late. */
#include "qm_board.h"

#include <string.h>

/* Many rounds of small rings: phases, a ring that is full, every completion told of. */
static void test_wrap(void **state)
{
	struct board *b = board_of(state, 8, "");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe;
	unsigned int taken = 0;

	rig_data(src, 100, RIG_TEXT);
	fill(b, &sqe, src, 100, dst, 300);
	for (unsigned int round = 0; round < 200; round++) {
		const unsigned int nr = round % 7 + 1, before = b->interrupts[0];

		for (unsigned int i = 0; i < nr; i++)
			submit(b, 0, &sqe);
		run_all(b);
		assert_int_equal(b->interrupts[0], before + 1);
		assert_int_equal(take_event(b), 0);
		assert_int_equal(take_event(b), -1);
		doorbell(b, DB_EQ, 0, b->eq_head, 0);
		for (unsigned int i = 0; i < nr; i++, taken++)
			assert_non_null(take(b, 0, i == nr - 1));
		assert_null(take(b, 0, true));
	}
	assert_int_equal(rd(b, COMP_CORE_DONE), taken);
	board_free(b);
}

/* Nothing is lost between the last look at a ring and its arming (11). */
static void test_arming(void **state)
{
	struct board *b = board_of(state, 8, "");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe;

	fill(b, &sqe, src, 100, dst, 300);
	submit(b, 0, &sqe);
	run_all(b);
	assert_int_equal(b->interrupts[0], 1);
	/* Neither armed queue nor armed event queue: silence. */
	submit(b, 0, &sqe);
	submit(b, 1, &sqe);
	run_all(b);
	assert_int_equal(b->interrupts[0], 1);
	assert_int_equal(take_event(b), 0);
	/* The other queue's event is there already: the interrupt comes at once. */
	doorbell(b, DB_EQ, 0, b->eq_head, 0);
	assert_int_equal(b->interrupts[0], 2);
	assert_int_equal(take_event(b), 1);
	doorbell(b, DB_EQ, 0, b->eq_head, 0);
	assert_int_equal(b->interrupts[0], 2);
	/* One completion is still to be told of when the queue is armed. */
	assert_non_null(take(b, 0, true));
	assert_int_equal(b->interrupts[0], 3);
	assert_int_equal(take_event(b), 0);
	/* Masked: told when the mask goes. */
	wr(b, EQ_MASK, 1);
	doorbell(b, DB_EQ, 0, b->eq_head, 0);
	assert_non_null(take(b, 0, true));
	submit(b, 0, &sqe);
	run_all(b);
	assert_int_equal(b->interrupts[0], 3);
	wr(b, EQ_MASK, 0);
	assert_int_equal(b->interrupts[0], 4);
	board_free(b);
}

/* A driver that takes no events has as many as their ring holds, and is told that there were more.
 */
static void test_event_overflow(void **state)
{
	struct board *b = board_of(state, 8, "");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe;

	fill(b, &sqe, src, 100, dst, 300);
	for (int i = 0; i < EQ_DEPTH + 4; i++) {
		submit(b, 0, &sqe);
		run_all(b);
		assert_non_null(take(b, 0, true));
	}
	assert_int_equal(b->aeq[0] >> 16, 1 | 1 << 1);
	board_free(b);
}

static void test_errors(void **state)
{
	struct board *b = board_of(state, 8, ",fault=reset@2/gone@3");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	const unsigned int told = b->version > 1;
	struct hisi_zip_sqe sqe;

	/* Masked from reset on. */
	wr(b, ZIP_ERROR_SET, 4);
	assert_int_equal(rd(b, ZIP_ERROR_STATUS), 0);
	assert_int_equal(b->interrupts[3], 0);
	wr(b, 0x3010a0, UINT32_MAX);
	wr(b, ERROR_MASK, 0);
	wr(b, ZIP_ERROR_MASK, 0);
	wr(b, ZIP_ERROR_SET, 4);
	assert_int_equal(rd(b, ZIP_ERROR_STATUS), 4);
	assert_int_equal(b->interrupts[3], told);
	wr(b, 0x3010a0, 4);
	assert_int_equal(rd(b, ZIP_ERROR_STATUS), 0);

	/* A ring where there is no memory is an error of the bus. */
	fill(b, &sqe, src, 100, dst, 300);
	submit(b, 0, &sqe);
	emu_qm_unmap(b->qm, IOVA, HALF);
	run_all(b);
	assert_int_equal(rd(b, ERROR_STATUS), 1);
	assert_int_equal(b->interrupts[3], 2 * told);
	assert_int_equal(emu_qm_map(b->qm, IOVA, b->mem, HALF, EMU_DMA_READ | EMU_DMA_WRITE), 0);
	wr(b, ERROR_SOURCE, 1);
	start_queue(b, 0, HISI_ZIP_QUEUE_COMPRESS);

	/* An error that shuts the way to memory, until memory initialisation. */
	submit(b, 0, &sqe);
	run_all(b);
	assert_non_null(take(b, 0, true));
	/* Requests, those that were right, and those that were not. */
	assert_int_equal(rd(b, 0x302000), 1);
	assert_int_equal(rd(b, 0x302004), 1);
	assert_int_equal(rd(b, 0x302008), 0);
	submit(b, 0, &sqe);
	submit(b, 1, &sqe);
	run_all(b);
	assert_null(take(b, 0, true));
	assert_null(take(b, 1, true));
	assert_int_not_equal(rd(b, ZIP_ERROR_STATUS), 0);
	assert_int_equal(b->interrupts[3], 3 * told);
	wr(b, 0x3010a0, UINT32_MAX);
	memset(b->eq, 0, EQ_DEPTH * 4);
	start_function(b);
	submit(b, 0, &sqe);
	run_all(b);
	/* Gone: everything reads as ones. */
	assert_int_equal(rd(b, 0x3100), UINT32_MAX);
	assert_int_equal(rd(b, MAILBOX), UINT32_MAX);
	board_free(b);
}

/* Memory that may be read only: the queue hangs, and the driver is told of the bus. */
static void test_no_way_back(void **state)
{
	struct board *b = board_of(state, 8, "");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe;

	wr(b, ERROR_MASK, 0);
	fill(b, &sqe, src, 100, dst, 300);
	submit(b, 0, &sqe);
	emu_qm_unmap(b->qm, IOVA, HALF);
	assert_int_equal(emu_qm_map(b->qm, IOVA, b->mem, HALF, EMU_DMA_READ), 0);
	run_all(b);
	assert_null(take(b, 0, true));
	assert_int_equal(rd(b, ERROR_STATUS), 2);
	board_free(b);
}

int main(void)
{
	static const struct version_test tests[] = {
		VERSION_TEST(test_wrap),	   VERSION_TEST(test_arming),
		VERSION_TEST(test_event_overflow), VERSION_TEST(test_errors),
		VERSION_TEST(test_no_way_back),
	};

	return RUN_VERSIONS(tests);
}
