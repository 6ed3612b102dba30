// SPDX-License-Identifier: Zlib
/* What the model answers where its script of faults says so. */
#include "qm_board.h"

#include <string.h>

static void test_late(void **state)
{
	struct board *b = board_of(state, 8, ",fault=late=60@1");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe;

	fill(b, &sqe, src, 100, dst, 300);
	submit(b, 0, &sqe);
	submit(b, 1, &sqe);
	assert_int_equal(emu_qm_run(b->qm), 0);
	/* The other queue's is not held up. */
	assert_int_equal(emu_qm_run(b->qm), 0);
	assert_non_null(take(b, 1, true));
	assert_true(emu_qm_run(b->qm) > 0);
	assert_null(take(b, 0, true));
	/* Whoever stops the queue waits for it, and so does the mailbox. */
	if (b->version == 3) {
		mailbox_start(b, MB_STOP_QP, false, 0, 0);
		assert_null(take(b, 0, true));
		while (rd(b, MAILBOX) & MAILBOX_BUSY)
			emu_qm_run(b->qm);
		assert_non_null(take(b, 0, true));
	}
	board_free(b);
}

/* What a device answers where its script says so; and that is counted. */
static void test_faults(void **state)
{
	struct board *b =
		board_of(state, 8, ",fault=error=0x10@1/short@2/checksum@3/corrupt@4/lie=status@5");
	const uint32_t len = 3000;
	uint8_t *src = alloc(b, len), *dst = alloc(b, 2 * len), *right = alloc(b, 2 * len),
		*damaged = alloc(b, 2 * len);
	struct hisi_zip_sqe sqe, *done;
	struct emu_qm_stats stats;
	uint32_t sum = 0;

	rig_data(src, len, RIG_TEXT);
	for (unsigned int i = 1; i <= 6; i++) {
		fill(b, &sqe, src, len, i == 4 ? damaged : i < 6 ? dst : right, 2 * len);
		submit(b, 0, &sqe);
		run_all(b);
		done = take(b, 0, true);
		assert_non_null(done);
		if (i == 1)
			assert_int_equal(done->result & 0xff, 0x10);
		if (i == 2)
			assert_int_equal(done->result & 0xff, HISI_ZIP_DST_FULL);
		if (i == 3)
			sum = done->checksum;
	}
	assert_int_equal(done->result & 0xff, HISI_ZIP_OK);
	assert_int_equal(done->checksum ^ sum, 0x00010000);
	assert_memory_not_equal(damaged, right, done->produced);
	emu_qm_stats(b->qm, &stats);
	assert_int_equal(stats.requests, 6);
	assert_int_equal(stats.faults, 5);
	assert_true(stats.errors >= 2 && stats.errors <= 3);
	board_free(b);
}

int main(void)
{
	static const struct version_test tests[] = {
		VERSION_TEST(test_late),
		VERSION_TEST(test_faults),
	};

	return RUN_VERSIONS(tests);
}
