/* SPDX-License-Identifier: Zlib */
/* Guards what the kernel loads into a queue manager: the hardware reference's worked values. */
#include <string.h>
#include "hisi_qm/pack.h"
#include "unit.h"

#define SQ_DMA 0x123456789000
#define CQ_DMA 0xfedcba9876543000

static void assert_words(const void *ctx, const uint32_t words[8])
{
	uint32_t got[8];

	memcpy(got, ctx, sizeof(got));
	for (size_t i = 0; i < ARRAY_NR(got); i++)
		assert_int_equal(got[i], words[i]);
}

/* Chapter 8: a queue pair's contexts, word by word. */
static const struct {
	struct wd_qm_pair pair;
	uint32_t sqc[8], cqc[8];
} pairs[] = {
	{ { WD_QM_V2, 5, 1024, 0, false, 0, SQ_DMA, CQ_DMA },
	  { 0, 0x56789000, 0x1234, 0x73ff, 0, 0, 0x00100005, 0 },
	  { 0, 0x76543000, 0xfedcba98, 0x43ff, 0, 0, 3, 0 } },
	{ { WD_QM_V3, 1023, 1024, 1, false, 0, SQ_DMA, CQ_DMA },
	  { 0, 0x56789000, 0x1234, 0x73ff, 0, 0, 0x011003ff, 0 },
	  { 0, 0x76543000, 0xfedcba98, 0x43ff, 0, 0, 3, 0 } },
	/* The PASID's bit is not the same one in both. */
	{ { WD_QM_V3, 7, 1024, 1, true, 0x1234, SQ_DMA, CQ_DMA },
	  { 0, 0x56789000, 0x1234, 0x73ff, 0, 0x00801234, 0x01100007, 0 },
	  { 0, 0x76543000, 0xfedcba98, 0x43ff, 0, 0x00011234, 3, 0 } },
	/* V2 has no such bit. */
	{ { WD_QM_V2, 7, 1024, 0, true, 0x1234, SQ_DMA, CQ_DMA },
	  { 0, 0x56789000, 0x1234, 0x73ff, 0, 0x1234, 0x00100007, 0 },
	  { 0, 0x76543000, 0xfedcba98, 0x43ff, 0, 0x1234, 3, 0 } },
	{ { WD_QM_V1, 5, 1024, 1, false, 0, SQ_DMA, CQ_DMA },
	  { 0, 0x56789000, 0x1234, 0x7000, 0x3ff, 0, 0x01100005, 0 },
	  { 0, 0x76543000, 0xfedcba98, 0x4000, 0x3ff, 0, 3, 0 } },
};

static void test_pairs(void **state)
{
	for (size_t i = 0; i < ARRAY_NR(pairs); i++) {
		struct wd_qm_sqc sqc = wd_qm_sqc_pack(&pairs[i].pair);
		struct wd_qm_cqc cqc = wd_qm_cqc_pack(&pairs[i].pair);

		assert_words(&sqc, pairs[i].sqc);
		assert_words(&cqc, pairs[i].cqc);
	}
}

static void test_events(void **state)
{
	struct wd_qm_eqc eq = wd_qm_eqc_pack(SQ_DMA, 2048, 0);
	struct wd_qm_eqc aeq = wd_qm_eqc_pack(CQ_DMA, 1024, 0);
	struct wd_qm_eqc v1 = wd_qm_eqc_pack(SQ_DMA, 2048, WD_QM_EQE_SHIFT);

	assert_words(&eq, (uint32_t[8]){ 0, 0x56789000, 0x1234, 0, 0, 0, 0x000107ff });
	assert_words(&aeq, (uint32_t[8]){ 0, 0x76543000, 0xfedcba98, 0, 0, 0, 0x000103ff });
	assert_words(&v1, (uint32_t[8]){ 0, 0x56789000, 0x1234, 0x2000, 0, 0, 0x000107ff });
}

/* A parked queue is disabled, wants a value that doorbells do not carry, and has its own memory. */
static void test_parked(void **state)
{
	struct wd_qm_sqc sqc = wd_qm_sqc_park(WD_QM_V2, 5, SQ_DMA);
	struct wd_qm_cqc cqc = wd_qm_cqc_park(WD_QM_V2, 5, SQ_DMA);

	assert_words(&sqc, (uint32_t[8]){ 0, 0x56789000, 0x1234, 0x7001, 0xaaaa, 0, 0x00400005 });
	assert_words(&cqc, (uint32_t[8]){ 0, 0x56789800, 0x1234, 0x4001, 0xaaaa, 0, 1 });
	sqc = wd_qm_sqc_park(WD_QM_V1, 5, SQ_DMA);
	assert_int_equal(sqc.rand, 1);
	assert_int_equal(sqc.geometry, 0x7000);
}

static const struct {
	enum wd_qm_mbox_cmd cmd;
	uint16_t number;
	bool is_read;
	uint32_t word;
} words[] = {
	{ WD_QM_MBOX_SQC, 5, false, 0x00052000 },
	{ WD_QM_MBOX_CQC, 5, false, 0x00052001 },
	{ WD_QM_MBOX_SQC, 5, true, 0x00056000 },
	{ WD_QM_MBOX_EQC, 0, false, 0x00002002 },
	{ WD_QM_MBOX_AEQC, 0, false, 0x00002003 },
	{ WD_QM_MBOX_SQC_BT, 0, false, 0x00002004 },
	{ WD_QM_MBOX_CQC_BT, 0, false, 0x00002005 },
	{ WD_QM_MBOX_VFT, 0, true, 0x00006006 },
	{ WD_QM_MBOX_STOP_QP, 5, false, 0x00052008 },
	{ WD_QM_MBOX_FLUSH_QM, 0, false, 0x00002009 },
	{ WD_QM_MBOX_CQC, 0xffff, true, 0xffff6001 },
};

static void test_mailbox_words(void **state)
{
	for (size_t i = 0; i < ARRAY_NR(words); i++)
		assert_int_equal(wd_qm_mbox_word(words[i].cmd, words[i].number, words[i].is_read),
				 words[i].word);
}

static void test_vft(void **state)
{
	uint32_t base, nr;

	assert_int_equal(wd_qm_vft_entry(WD_QM_V2, WD_QM_VFT_SQC, 0, 64), 0x0007f00000000000);
	assert_int_equal(wd_qm_vft_entry(WD_QM_V2, WD_QM_VFT_CQC, 0, 64), 0x10000000);
	assert_int_equal(wd_qm_vft_entry(WD_QM_V3, WD_QM_VFT_SQC, 64, 960), 0x0077f00400000000);
	assert_int_equal(wd_qm_vft_entry(WD_QM_V1, WD_QM_VFT_SQC, 64, 4032), 0x0000100400015700);
	assert_int_equal(wd_qm_vft_entry(WD_QM_V1, WD_QM_VFT_CQC, 64, 4032), 0x10015700);
	assert_int_equal(wd_qm_vft_entry(WD_QM_V2, WD_QM_VFT_SQC, 64, 0), 0);
	assert_int_equal(wd_qm_vft_entry(WD_QM_V2, WD_QM_VFT_CQC, 64, 0), 0);
	for (uint32_t i = 1; i <= 1024; i++) {
		wd_qm_vft_parse(wd_qm_vft_entry(WD_QM_V3, WD_QM_VFT_SQC, 1024 - i, i), &base, &nr);
		assert_int_equal(base, 1024 - i);
		assert_int_equal(nr, i);
	}
}

/* Chapter 7: the highest VF comes first, nobody has more than max, no queue belongs to two. */
static void test_vf_ranges(void **state)
{
	static const uint32_t maxes[] = { 16, 100, 1024 };
	struct wd_qm_range range;

	range = wd_qm_vf_range(1024, 64, 1024, 7, 7);
	assert_int_equal(range.base, 64);
	assert_int_equal(range.nr, 137 + 1);
	range = wd_qm_vf_range(1024, 64, 1024, 7, 6);
	assert_int_equal(range.base, 64 + 138);
	assert_int_equal(range.nr, 137);
	/* 960 / 59: 16 each, and 16 more than one may have. */
	range = wd_qm_vf_range(1024, 64, 17, 59, 59 - 16);
	assert_int_equal(range.base, 64 + 16 * 17);
	assert_int_equal(range.nr, 16);

	for (size_t m = 0; m < ARRAY_NR(maxes); m++) {
		for (uint32_t vf_nr = 1; vf_nr <= 63; vf_nr++) {
			uint32_t next = 64;

			for (uint32_t vf = vf_nr; vf >= 1; vf--) {
				range = wd_qm_vf_range(1024, 64, maxes[m], vf_nr, vf);
				assert_true(range.base >= next);
				assert_in_range(range.nr, 1, maxes[m]);
				next = range.base + range.nr;
			}
			assert_true(next <= 1024);
			if (maxes[m] == 1024)
				assert_int_equal(next, 1024);
		}
	}
}

static const struct {
	enum wd_qm_version version;
	uint16_t number, cmd, index, priority;
	uint64_t value;
} doorbells[] = {
	{ WD_QM_V2, 5, HISI_QM_DB_CMD_SQ, 3, 0, 0x0000000300000005 },
	{ WD_QM_V2, 5, HISI_QM_DB_CMD_CQ, 3, 1, 0x0001000300001005 },
	{ WD_QM_V3, 0, WD_QM_DB_CMD_EQ, 7, 0, 0x0000000700002000 },
	{ WD_QM_V3, 0, WD_QM_DB_CMD_AEQ, 0, 0, 0x0000000000003000 },
	{ WD_QM_V3, 0x3ff, HISI_QM_DB_CMD_SQ, 1023, 0, 0x000003ff000003ff },
	{ WD_QM_V1, 5, HISI_QM_DB_CMD_CQ, 3, 1, 0x0001000300010005 },
	{ WD_QM_V1, 0xfff, WD_QM_DB_CMD_EQ, 0, 0, 0x0000000000020fff },
};

static void test_doorbells(void **state)
{
	for (size_t i = 0; i < ARRAY_NR(doorbells); i++)
		assert_int_equal(wd_qm_doorbell(doorbells[i].version, doorbells[i].number,
						doorbells[i].cmd, doorbells[i].index,
						doorbells[i].priority),
				 doorbells[i].value);
}

/* Chapter 12.3: equal tails are not enough, a whole ring may be between them. */
static void test_counts(void **state)
{
	assert_int_equal(wd_qm_count_of(7, WD_QM_CQC_PASID, 1024), 7);
	assert_int_equal(wd_qm_count_of(7, WD_QM_TAIL_WRAP | WD_QM_SQC_PASID, 1024), 1031);
	assert_int_equal(wd_qm_count_of(1023, WD_QM_TAIL_WRAP, 1024), 2047);
	assert_int_equal(wd_qm_count_of(1024 + 3, 0, 1024), 3);
}

/* A doorbell carries 0 where the context has this. */
static void test_dead(void **state)
{
	const uint32_t sqc[8] = { [4] = WD_QM_RAND_DEAD, [6] = WD_QM_SQC_DISABLED << 16 };
	const uint32_t cqc[8] = { [4] = WD_QM_RAND_DEAD };
	const struct wd_qm_sqc dead_sqc = wd_qm_sqc_dead();
	const struct wd_qm_cqc dead_cqc = wd_qm_cqc_dead();

	assert_words(&dead_sqc, sqc);
	assert_words(&dead_cqc, cqc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),	      cmocka_unit_test(test_events),
		cmocka_unit_test(test_parked),	      cmocka_unit_test(test_mailbox_words),
		cmocka_unit_test(test_vft),	      cmocka_unit_test(test_vf_ranges),
		cmocka_unit_test(test_doorbells),     cmocka_unit_test(test_counts),
		cmocka_unit_test(test_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
