/* SPDX-License-Identifier: Zlib */
/* Guards memory against requests that the kernel writes for a process: no field reaches around. */
#include <string.h>
#include "hisi_zip/check.h"
#include "unit.h"

#define SRC 0x0000000123450000
#define DST 0x0000000223460000
#define CTX 0x0000000323470040
#define SRC_LEN 0x1000
#define DST_LEN 0x2000
#define CTX_LEN (HISI_ZIP_CTX_SIZE - HISI_ZIP_CTX_SW_SIZE)

/* What belongs to the queue: exactly what the requests below need. */
static const struct memory {
	uint64_t start, len;
	bool is_writable;
} memories[] = {
	{ SRC, SRC_LEN, false },
	{ DST, DST_LEN, true },
	{ CTX, CTX_LEN, true },
	/* The last page there is: what starts here must not go on at address 0. */
	{ 0xfffffffffffff000, 0x1000, true },
	{ 0, 0x1000, true },
};

static bool owns(void *arg, __u64 addr, __u64 len, bool is_write)
{
	assert_ptr_equal(arg, memories);
	assert_true(len > 0);
	assert_true(addr + len > addr);
	for (size_t i = 0; i < ARRAY_NR(memories); i++) {
		const struct memory *m = &memories[i];

		if (addr >= m->start && len <= m->len && addr - m->start <= m->len - len)
			return m->is_writable || !is_write;
	}
	return false;
}

#define FORMATS_V2 (1u << HISI_ZIP_FORMAT_ZLIB | 1u << HISI_ZIP_FORMAT_GZIP)
static const struct hisi_zip_rules rules_t0 = { HISI_ZIP_SQE_TYPE0, FORMATS_V2 };
static const struct hisi_zip_rules rules_t3 = { HISI_ZIP_SQE_TYPE3,
						FORMATS_V2 | 1u << HISI_ZIP_FORMAT_DEFLATE };

static enum hisi_zip_refusal check(const struct hisi_zip_sqe *sqe,
				   const struct hisi_zip_rules *rules)
{
	return hisi_zip_check_sqe(sqe, rules, owns, (void *)memories);
}

static struct hisi_zip_sqe block(uint32_t type)
{
	return (struct hisi_zip_sqe){
		.src_len = SRC_LEN,
		.src_ctrl = type << HISI_ZIP_SRC_TYPE_SHIFT | HISI_ZIP_SRC_NEW | HISI_ZIP_SRC_FINISH,
		.req_ctrl = HISI_ZIP_FORMAT_ZLIB | HISI_ZIP_WINDOW_32K << HISI_ZIP_REQ_WINDOW_SHIFT,
		.dst_len = DST_LEN,
		.src_l = (uint32_t)SRC,
		.src_h = SRC >> 32,
		.dst_l = (uint32_t)DST,
		.dst_h = DST >> 32,
	};
}

static struct hisi_zip_sqe stream(uint32_t type)
{
	struct hisi_zip_sqe sqe = block(type);

	sqe.src_ctrl |= HISI_ZIP_SRC_STREAM;
	sqe.ctx_l = (uint32_t)CTX;
	sqe.ctx_h = CTX >> 32;
	sqe.ctx_w2 = HISI_ZIP_HISTORY_MAX;
	return sqe;
}

static void test_good_requests(void **state)
{
	struct hisi_zip_sqe sqe;

	sqe = block(HISI_ZIP_SQE_TYPE0);
	assert_int_equal(check(&sqe, &rules_t0), HISI_ZIP_ALLOWED);
	sqe = stream(HISI_ZIP_SQE_TYPE0);
	assert_int_equal(check(&sqe, &rules_t0), HISI_ZIP_ALLOWED);
	sqe = block(HISI_ZIP_SQE_TYPE3);
	assert_int_equal(check(&sqe, &rules_t3), HISI_ZIP_ALLOWED);
	sqe = stream(HISI_ZIP_SQE_TYPE3);
	assert_int_equal(check(&sqe, &rules_t3), HISI_ZIP_ALLOWED);

	/* More output of a stream whose input is used up; and the request that does nothing. */
	sqe.src_len = 0;
	assert_int_equal(check(&sqe, &rules_t3), HISI_ZIP_ALLOWED);
	sqe.dst_len = HISI_ZIP_BYPASS_DST;
	assert_int_equal(check(&sqe, &rules_t3), HISI_ZIP_ALLOWED);
}

#define ANY 0xffffffffu
/* For each word of an entry the bits that mean no harm when they flip in the requests above. */
static const struct harmless {
	uint32_t block, stream;
} harmless[32] = {
	[0] = { ANY, ANY }, /* the device's answers */
	[1] = { ANY, ANY },
	[2] = { ANY, ANY },
	[3] = { ANY, ANY },
	[4] = { 0, 1u << 12 }, /* only to no input at all, which a stream may have */
	[7] = { HISI_ZIP_SRC_NEW | HISI_ZIP_SRC_FINISH, HISI_ZIP_SRC_NEW | HISI_ZIP_SRC_FINISH },
	[9] = { 1u << 14 | 1, 1u << 14 | 1 }, /* a window of 4K; gzip */
	[15] = { ANY, ANY },
	[28] = { ANY, ANY },
	[29] = { ANY, 0xffff8000 }, /* a history within its buffer */
	[30] = { ANY, ANY },
	[31] = { ANY, ANY },
};

static void flip_all(const struct hisi_zip_sqe *good, const struct hisi_zip_rules *rules,
		     bool is_stream)
{
	bool is_type0 = rules->sqe_type == HISI_ZIP_SQE_TYPE0;

	for (unsigned int word = 0; word < 32; word++) {
		uint32_t mask = is_stream ? harmless[word].stream : harmless[word].block;

		if (is_type0 ? word == 13 : word == 26 || word == 27)
			mask = ANY; /* the tag */
		for (unsigned int bit = 0; bit < 32; bit++) {
			struct hisi_zip_sqe sqe = *good;
			uint32_t words[32];

			memcpy(words, &sqe, sizeof(words));
			words[word] ^= 1u << bit;
			memcpy(&sqe, words, sizeof(words));
			if ((check(&sqe, rules) == HISI_ZIP_ALLOWED) != (mask >> bit & 1))
				fail_msg("word %u bit %u of a type %u %s: %d", word, bit,
					 rules->sqe_type, is_stream ? "stream" : "block",
					 check(&sqe, rules));
		}
	}
}

static void test_each_bit(void **state)
{
	struct hisi_zip_sqe sqe;

	sqe = block(HISI_ZIP_SQE_TYPE0);
	flip_all(&sqe, &rules_t0, false);
	sqe = stream(HISI_ZIP_SQE_TYPE0);
	flip_all(&sqe, &rules_t0, true);
	sqe = block(HISI_ZIP_SQE_TYPE3);
	flip_all(&sqe, &rules_t3, false);
	sqe = stream(HISI_ZIP_SQE_TYPE3);
	flip_all(&sqe, &rules_t3, true);
}

/* Every field that is an address, as a pair of words: one byte off, elsewhere, around the end. */
static void test_each_address(void **state)
{
	static const struct {
		unsigned int word;
		enum hisi_zip_refusal refusal;
		uint64_t good;
	} fields[] = {
		{ 18, HISI_ZIP_REFUSED_SRC, SRC },
		{ 20, HISI_ZIP_REFUSED_DST, DST },
		{ 22, HISI_ZIP_REFUSED_CTX, CTX },
	};
	static const struct {
		unsigned int word;
		bool is_tag_t0, is_tag_t3;
	} unused[] = {
		{ 5, false, false },  { 16, false, false }, { 24, false, false },
		{ 26, false, true },  { 13, true, false },
	};

	for (size_t i = 0; i < ARRAY_NR(fields); i++) {
		uint64_t bad[] = {
			fields[i].good - 1,
			fields[i].good + 1,
			fields[i].good ^ (uint64_t)1 << 63,
			0,
			0xfffffffffffff001,
			~(uint64_t)0,
			fields[i].good == SRC ? CTX + CTX_LEN - 1 : SRC,
		};

		for (size_t k = 0; k < ARRAY_NR(bad); k++) {
			struct hisi_zip_sqe sqe = stream(HISI_ZIP_SQE_TYPE3);

			/* At 0 there is memory of the queue, but a page of it. */
			sqe.src_len = SRC_LEN;
			memcpy((uint8_t *)&sqe + fields[i].word * 4, &bad[k], 8);
			if (bad[k] == 0 && fields[i].word == 18)
				continue;
			assert_int_equal(check(&sqe, &rules_t3), fields[i].refusal);
		}
	}
	for (size_t i = 0; i < ARRAY_NR(unused); i++) {
		for (int is_t3 = 0; is_t3 < 2; is_t3++) {
			struct hisi_zip_sqe sqe = block(is_t3 ? HISI_ZIP_SQE_TYPE3 :
								HISI_ZIP_SQE_TYPE0);
			uint64_t addr = SRC; /* even the queue's own */
			bool is_tag = is_t3 ? unused[i].is_tag_t3 : unused[i].is_tag_t0;

			memcpy((uint8_t *)&sqe + unused[i].word * 4, &addr,
			       unused[i].word == 13 ? 4 : 8);
			assert_int_equal(check(&sqe, is_t3 ? &rules_t3 : &rules_t0),
					 is_tag ? HISI_ZIP_ALLOWED : HISI_ZIP_REFUSED_RESERVED);
		}
	}
}

static void test_output_needs_write(void **state)
{
	struct hisi_zip_sqe sqe = block(HISI_ZIP_SQE_TYPE3);

	sqe.dst_l = (uint32_t)SRC;
	sqe.dst_h = SRC >> 32;
	sqe.dst_len = SRC_LEN;
	assert_int_equal(check(&sqe, &rules_t3), HISI_ZIP_REFUSED_DST);
	sqe = stream(HISI_ZIP_SQE_TYPE3);
	sqe.ctx_l = (uint32_t)SRC;
	sqe.ctx_h = SRC >> 32;
	assert_int_equal(check(&sqe, &rules_t3), HISI_ZIP_REFUSED_CTX);
}

static void test_lengths(void **state)
{
	static const struct {
		bool is_stream;
		uint32_t src_len, dst_len;
		enum hisi_zip_refusal refusal;
	} rows[] = {
		{ false, 0, DST_LEN, HISI_ZIP_REFUSED_SRC_LEN },
		{ false, HISI_ZIP_MAX_LEN + 1, DST_LEN, HISI_ZIP_REFUSED_SRC_LEN },
		{ false, 0xffffffff, DST_LEN, HISI_ZIP_REFUSED_SRC_LEN },
		{ false, HISI_ZIP_MAX_LEN, DST_LEN, HISI_ZIP_REFUSED_SRC },
		{ false, SRC_LEN, 0, HISI_ZIP_REFUSED_DST_LEN },
		{ false, SRC_LEN, HISI_ZIP_MAX_LEN + 1, HISI_ZIP_REFUSED_DST_LEN },
		{ false, SRC_LEN, HISI_ZIP_MAX_LEN, HISI_ZIP_REFUSED_DST },
		{ true, SRC_LEN, HISI_ZIP_STREAM_MIN_DST - 1, HISI_ZIP_REFUSED_DST_LEN },
		{ true, SRC_LEN, HISI_ZIP_STREAM_MIN_DST, HISI_ZIP_ALLOWED },
		{ true, 1, HISI_ZIP_BYPASS_DST, HISI_ZIP_REFUSED_DST_LEN },
		{ true, 0, HISI_ZIP_BYPASS_DST - 1, HISI_ZIP_REFUSED_DST_LEN },
	};

	for (size_t i = 0; i < ARRAY_NR(rows); i++) {
		struct hisi_zip_sqe sqe = rows[i].is_stream ? stream(HISI_ZIP_SQE_TYPE3) :
							      block(HISI_ZIP_SQE_TYPE3);

		sqe.src_len = rows[i].src_len;
		sqe.dst_len = rows[i].dst_len;
		assert_int_equal(check(&sqe, &rules_t3), rows[i].refusal);
	}
}

/* Each reason has its name in debugfs, and the request that it is for. */
static void test_reasons(void **state)
{
	static const char *const names[] = HISI_ZIP_REFUSAL_NAMES;
	static const uint32_t formats[] = { 0x00, 0x01, 0x04, 0x10, 0x20, 0x30, 0x40, 0x43, 0xff };
	struct hisi_zip_sqe sqe;

	assert_int_equal(ARRAY_NR(names), HISI_ZIP_REFUSALS);
	for (size_t i = 0; i < ARRAY_NR(names); i++)
		assert_non_null(names[i]);

	sqe = block(HISI_ZIP_SQE_TYPE3);
	assert_int_equal(check(&sqe, &rules_t0), HISI_ZIP_REFUSED_TYPE);
	for (size_t i = 0; i < ARRAY_NR(formats); i++) {
		sqe = block(HISI_ZIP_SQE_TYPE0);
		sqe.req_ctrl = formats[i];
		assert_int_equal(check(&sqe, &rules_t0), HISI_ZIP_REFUSED_FORMAT);
	}
	sqe = block(HISI_ZIP_SQE_TYPE3);
	sqe.req_ctrl |= HISI_ZIP_REQ_SGL;
	assert_int_equal(check(&sqe, &rules_t3), HISI_ZIP_REFUSED_LIST);
	sqe = block(HISI_ZIP_SQE_TYPE3);
	sqe.req_ctrl |= 5u << HISI_ZIP_REQ_WINDOW_SHIFT;
	assert_int_equal(check(&sqe, &rules_t3), HISI_ZIP_REFUSED_WINDOW);
	sqe = stream(HISI_ZIP_SQE_TYPE3);
	sqe.ctx_w2 = 0x8001;
	assert_int_equal(check(&sqe, &rules_t3), HISI_ZIP_REFUSED_HISTORY);
	sqe = block(HISI_ZIP_SQE_TYPE3);
	sqe.ctx_l = (uint32_t)CTX;
	assert_int_equal(check(&sqe, &rules_t3), HISI_ZIP_REFUSED_RESERVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_requests), cmocka_unit_test(test_each_bit),
		cmocka_unit_test(test_each_address),  cmocka_unit_test(test_output_needs_write),
		cmocka_unit_test(test_lengths),	      cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
