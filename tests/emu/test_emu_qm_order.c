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

int main(void)
{
	static const struct version_test tests[] = {
		VERSION_TEST(test_bad_data),
		VERSION_TEST(test_bad_data_forgiven),
	};

	return RUN_VERSIONS(tests);
}
