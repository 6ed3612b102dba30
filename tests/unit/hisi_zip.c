/* SPDX-License-Identifier: Zlib */
/* Guards the submission entry: control words, tags, contexts, checksums, statuses, one row a rule. */
#include <errno.h>
#include <string.h>
#include "drv/hisi_zip.h"
#include "unit.h"

#define T0 HISI_ZIP_SQE_TYPE0
#define T3 HISI_ZIP_SQE_TYPE3
#define NEW WD_ZIP_NEW
#define FIN WD_ZIP_FINISH
#define STR WD_ZIP_STREAM

static uint8_t src[64], dst[256], ctx[WD_ZIP_CTX_SIZE];

static struct wd_zip_req request(uint8_t format, uint8_t flags)
{
	return (struct wd_zip_req){
		.tag = 0x1122334455667788, .src = src, .dst = dst,
		.ctx = flags & STR ? ctx : NULL, .src_len = sizeof(src), .dst_len = sizeof(dst),
		.format = format, .flags = flags,
	};
}

static struct hisi_zip_sqe fill(const struct wd_zip_req *req, unsigned int sqe_type)
{
	struct hisi_zip_addr addr = {
		.src = 0x123456789abcdef0, .dst = 0x0fedcba987654321,
		.ctx = req->ctx ? 0xffffffc0 : 0,
	};
	struct hisi_zip_sqe sqe;

	memset(&sqe, 0xff, sizeof(sqe));
	hisi_zip_fill(&sqe, req, &addr, sqe_type);
	return sqe;
}

/* The worked control words of the hardware reference, section 17.2. */
static void test_control_words(void **state)
{
	static const struct {
		unsigned int sqe_type;
		uint8_t format, flags, window_bits;
		uint32_t src_ctrl, req_ctrl;
	} rows[] = {
		{ T3, WD_ZIP_ZLIB, 0, 15, 0x3a000000, 0x4002 },
		{ T3, WD_ZIP_ZLIB, NEW | FIN, 15, 0x3a000000, 0x4002 },
		{ T3, WD_ZIP_GZIP, STR | NEW, 0, 0x3c000000, 0x4003 },
		{ T3, WD_ZIP_DEFLATE, STR, 14, 0x34000000, 0x2001 },
		{ T3, WD_ZIP_ZLIB, STR | FIN, 13, 0x36000000, 0x1002 },
		{ T3, WD_ZIP_ZLIB, STR | NEW | FIN, 12, 0x3e000000, 0x0002 },
		{ T0, WD_ZIP_ZLIB, 0, 15, 0x0a000000, 0x4002 },
		{ T0, WD_ZIP_ZLIB, STR | NEW, 15, 0x0c000000, 0x4002 },
		{ T0, WD_ZIP_ZLIB, STR, 15, 0x04000000, 0x4002 },
		{ T0, WD_ZIP_ZLIB, STR | FIN, 15, 0x06000000, 0x4002 },
		{ T0, WD_ZIP_ZLIB, STR | NEW | FIN, 15, 0x0e000000, 0x4002 },
	};

	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		struct wd_zip_req req = request(rows[i].format, rows[i].flags);
		struct hisi_zip_sqe sqe;

		req.window_bits = rows[i].window_bits;
		sqe = fill(&req, rows[i].sqe_type);
		assert_int_equal(sqe.src_ctrl, rows[i].src_ctrl);
		assert_int_equal(sqe.req_ctrl, rows[i].req_ctrl);
	}
}

static void test_addresses_and_lengths(void **state)
{
	struct wd_zip_req req = request(WD_ZIP_ZLIB, STR | NEW);
	struct hisi_zip_sqe sqe = fill(&req, T3);

	assert_int_equal(sqe.src_l, 0x9abcdef0);
	assert_int_equal(sqe.src_h, 0x12345678);
	assert_int_equal(sqe.dst_l, 0x87654321);
	assert_int_equal(sqe.dst_h, 0x0fedcba9);
	assert_int_equal(sqe.src_len, sizeof(src));
	assert_int_equal(sqe.dst_len, sizeof(dst));
	/* Behind software's 64 bytes, with the carry. */
	assert_int_equal(sqe.ctx_l, 0);
	assert_int_equal(sqe.ctx_h, 1);
	/* Nothing of a used slot stays. */
	assert_int_equal(sqe.consumed | sqe.produced | sqe.result | sqe.dif_gen | sqe.key1_l, 0);
	req = request(WD_ZIP_ZLIB, 0);
	sqe = fill(&req, T3);
	assert_int_equal(sqe.ctx_l | sqe.ctx_h, 0);
}

static void test_tags(void **state)
{
	struct wd_zip_req req = request(WD_ZIP_ZLIB, 0);
	struct hisi_zip_sqe sqe = fill(&req, T0);

	assert_int_equal(sqe.tag_t0, 0x55667788);
	assert_int_equal(sqe.tag_t3_l | sqe.tag_t3_h, 0);
	sqe = fill(&req, T3);
	assert_int_equal(sqe.tag_t0, 0);
	assert_int_equal(sqe.tag_t3_l, 0x55667788);
	assert_int_equal(sqe.tag_t3_h, 0x11223344);
}

/* What a result leaves in the context comes with the next request, unless that is a new stream. */
static void test_context_is_carried(void **state)
{
	struct wd_zip_req req = request(WD_ZIP_GZIP, STR);
	struct hisi_zip_sqe done = {
		.ctx_w0 = 3, .ctx_w1 = 4, .ctx_w2 = 0x8000, .isize = 5, .checksum = 6,
	};
	struct hisi_zip_sqe sqe;

	memset(ctx, 0x5a, sizeof(ctx));
	hisi_zip_save(ctx, &done, 0);
	assert_int_equal(ctx[HISI_ZIP_CTX_SW_SIZE], 0x5a); /* the device's own */
	sqe = fill(&req, T0);
	assert_int_equal(sqe.ctx_w0, 3);
	assert_int_equal(sqe.ctx_w1, 4);
	assert_int_equal(sqe.ctx_w2, 0x8000);
	assert_int_equal(sqe.isize, 5);
	assert_int_equal(sqe.checksum, 6);
	req.flags |= NEW;
	sqe = fill(&req, T0);
	assert_int_equal(sqe.ctx_w0 | sqe.ctx_w1 | sqe.ctx_w2 | sqe.isize | sqe.checksum, 0);
}

static void test_context_used(void **state)
{
	static const struct {
		int is_sized;
		uint8_t word[4];
		size_t used;
	} rows[] = {
		{ 1, { 0x04, 0, 0, 0 }, 0x44 },
		{ 1, { 0, 0x80, 0, 0 }, 0x8040 },
		{ 1, { 0xc0, 0xff, 0, 0 }, WD_ZIP_CTX_SIZE },
		{ 1, { 0xc1, 0xff, 0, 0 }, WD_ZIP_CTX_SIZE }, /* nonsense */
		{ 0, { 0x04, 0, 0, 0 }, WD_ZIP_CTX_SIZE },
	};
	struct hisi_zip_sqe sqe = { 0 };

	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		hisi_zip_save(ctx, &sqe, rows[i].is_sized);
		memcpy(ctx + HISI_ZIP_CTX_SW_SIZE, rows[i].word, 4);
		assert_int_equal(wd_zip_ctx_used(ctx), rows[i].used);
	}
	memset(ctx, 0, sizeof(ctx));
	assert_int_equal(wd_zip_ctx_used(ctx), WD_ZIP_CTX_SIZE);
	wd_zip_ctx_set_sum(ctx, WD_ZIP_ZLIB, 0x12345678, 99);
	assert_int_equal(((struct hisi_zip_ctx *)(void *)ctx)->checksum, 0x12345678);
	assert_int_equal(((struct hisi_zip_ctx *)(void *)ctx)->isize, 99);
	wd_zip_ctx_set_sum(ctx, WD_ZIP_GZIP, 0x12345678, 0);
	assert_int_equal(hisi_zip_crc(((struct hisi_zip_ctx *)(void *)ctx)->checksum), 0x12345678);
	for (unsigned int kind = HISI_ZIP_CTX_NORMAL; kind <= HISI_ZIP_CTX_END_NO_SUM; kind++)
		for (int is_final = 0; is_final < 2; is_final++) {
			sqe.ctx_w0 = kind | (is_final ? HISI_ZIP_CTX_W0_FINAL : 0);
			hisi_zip_save(ctx, &sqe, 1);
			assert_int_equal(wd_zip_ctx_is_body_over(ctx),
					 is_final && kind == HISI_ZIP_CTX_BLOCK_DONE);
		}
}

/* The register of "123456789", whose CRC-32 is 0xcbf43926, and of nothing. */
static void test_crc(void **state)
{
	assert_int_equal(hisi_zip_crc(0xffffffff), 0);
	assert_int_equal(hisi_zip_crc(0x9b63d02c), 0xcbf43926);
	for (unsigned int bit = 0; bit < 32; bit++)
		assert_int_equal(hisi_zip_crc(~(1u << bit)), 1u << (31 - bit));
}

static void test_checksum_by_format(void **state)
{
	static const uint32_t sums[] = {
		[WD_ZIP_DEFLATE] = 0, [WD_ZIP_ZLIB] = 0x9b63d02c, [WD_ZIP_GZIP] = 0xcbf43926,
	};

	for (unsigned int format = WD_ZIP_DEFLATE; format <= WD_ZIP_GZIP; format++) {
		struct hisi_zip_sqe sqe = {
			.req_ctrl = format | 0x4000, .checksum = 0x9b63d02c, .consumed = 1,
			.produced = 2, .isize = 3,
		};
		struct wd_zip_res res;

		hisi_zip_parse(&res, &sqe, HISI_ZIP_QUEUE_COMPRESS);
		assert_int_equal(res.checksum, sums[format]);
		assert_int_equal(res.consumed, 1);
		assert_int_equal(res.produced, 2);
		assert_int_equal(res.isize, 3);
	}
}

static void test_status(void **state)
{
	enum { COMP, DECOMP };
	static const uint32_t stream = HISI_ZIP_SRC_STREAM;
	static const struct {
		int direction;
		int is_stream;
		uint32_t result, ctx_w0;
		enum wd_zip_status status;
	} rows[] = {
		{ COMP, 0, 0x00, 0, WD_ZIP_OK },
		{ COMP, 0, 0x0d, 0, WD_ZIP_OK },
		{ COMP, 1, 0x00, 0, WD_ZIP_OK },
		{ COMP, 1, 0x0e, 0, WD_ZIP_NO_ROOM },
		{ COMP, 1, 0x113, 0, WD_ZIP_FAILED },
		{ COMP, 1, 0x00, 2, WD_ZIP_OK },
		{ DECOMP, 0, 0x00, 0, WD_ZIP_END },
		{ DECOMP, 0, 0x113, 0, WD_ZIP_END },
		{ DECOMP, 0, 0x0e, 0, WD_ZIP_NO_ROOM },
		{ DECOMP, 0, 0x10, 0, WD_ZIP_BAD_CHECKSUM },
		{ DECOMP, 0, 0x41, 0, WD_ZIP_BAD_DATA },
		{ DECOMP, 1, 0x00, 3, WD_ZIP_OK },
		{ DECOMP, 1, 0x100, 0, WD_ZIP_OK },
		{ DECOMP, 1, 0x13, 0, WD_ZIP_OK },
		{ DECOMP, 1, 0x113, 0, WD_ZIP_END },
		{ DECOMP, 1, 0x00, 1, WD_ZIP_NO_ROOM },
		{ DECOMP, 1, 0x00, 2, WD_ZIP_NO_ROOM },
		{ DECOMP, 1, 0x10, 1, WD_ZIP_BAD_CHECKSUM },
		{ DECOMP, 1, 0x7f, 0, WD_ZIP_FAILED },
	};

	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		struct hisi_zip_sqe sqe = {
			.result = rows[i].result, .ctx_w0 = rows[i].ctx_w0,
			.src_ctrl = rows[i].is_stream ? stream : 0, .req_ctrl = WD_ZIP_ZLIB,
		};
		struct wd_zip_res res;

		hisi_zip_parse(&res, &sqe, rows[i].direction);
		assert_int_equal(res.status, rows[i].status);
		assert_int_equal(res.hw_status, rows[i].result & 0xff);
	}
}

static void test_requests_that_are_possible(void **state)
{
	static const struct {
		uint32_t src_len, dst_len;
		uint8_t format, flags, window_bits;
		int r; /* on version 3 */
	} rows[] = {
		{ 1, 1, WD_ZIP_ZLIB, 0, 0, 0 },
		{ 0, 1, WD_ZIP_ZLIB, 0, 0, -EINVAL },
		{ 1, 0, WD_ZIP_ZLIB, 0, 0, -EINVAL },
		{ WD_ZIP_MAX_LEN, WD_ZIP_MAX_LEN, WD_ZIP_GZIP, 0, 0, 0 },
		{ WD_ZIP_MAX_LEN + 1, 1, WD_ZIP_ZLIB, 0, 0, -EINVAL },
		{ 1, WD_ZIP_MAX_LEN + 1, WD_ZIP_ZLIB, 0, 0, -EINVAL },
		{ 0, 200, WD_ZIP_ZLIB, STR, 0, 0 },
		{ 0, 199, WD_ZIP_ZLIB, STR, 0, -EINVAL },
		{ 1, 1, WD_ZIP_DEFLATE, 0, 0, 0 },
		{ 1, 1, 0, 0, 0, -EINVAL },
		{ 1, 1, 4, 0, 0, -EINVAL },
		{ 1, 1, WD_ZIP_ZLIB, 8, 0, -EINVAL },
		{ 1, 1, WD_ZIP_ZLIB, 0, 11, -EINVAL },
		{ 1, 1, WD_ZIP_ZLIB, 0, 12, 0 },
		{ 1, 1, WD_ZIP_ZLIB, 0, 16, -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		struct wd_zip_req row = {
			.src_len = rows[i].src_len, .dst_len = rows[i].dst_len,
			.format = rows[i].format, .flags = rows[i].flags,
			.window_bits = rows[i].window_bits,
		};

		assert_int_equal(hisi_zip_check(&row, 0xe), rows[i].r);
		if (rows[i].format == WD_ZIP_DEFLATE)
			assert_int_equal(hisi_zip_check(&row, 0xc), -EINVAL);
	}
}

static void test_memory_named(void **state)
{
	struct hisi_zip_addr addr = { .src = 0x1000, .dst = 0x200000000, .ctx = 0x300000000 };
	struct wd_zip_req req = request(WD_ZIP_ZLIB, STR);
	struct hisi_zip_sqe sqe;

	hisi_zip_fill(&sqe, &req, &addr, T0);
	assert_int_equal(hisi_zip_names(&sqe, 0, 0x1000), 0);
	assert_int_equal(hisi_zip_names(&sqe, 0, 0x1001), 1);
	assert_int_equal(hisi_zip_names(&sqe, 0x1000 + sizeof(src), 0x1000), 0);
	assert_int_equal(hisi_zip_names(&sqe, 0x200000000 + sizeof(dst) - 1, 1), 1);
	assert_int_equal(hisi_zip_names(&sqe, 0x300000000, WD_ZIP_CTX_SIZE), 1);
	assert_int_equal(hisi_zip_names(&sqe, 0x300000000 + WD_ZIP_CTX_SIZE, 0x1000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_control_words),
		cmocka_unit_test(test_addresses_and_lengths),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_context_is_carried),
		cmocka_unit_test(test_context_used),
		cmocka_unit_test(test_crc),
		cmocka_unit_test(test_checksum_by_format),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_requests_that_are_possible),
		cmocka_unit_test(test_memory_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
