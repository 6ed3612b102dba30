// SPDX-License-Identifier: Zlib
/* A PF and its VFs: what each has of its own, and what they do to each other. */
#include "qm_board.h"

#include <errno.h>
#include <string.h>

/* A request and its result. */
static bool works(struct board *b)
{
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe, *done;

	fill(b, &sqe, src, 100, dst, 300);
	submit(b, 0, &sqe);
	run_all(b);
	done = take(b, 0, true);
	return done && (done->result & HISI_ZIP_RESULT_STATUS) == HISI_ZIP_OK;
}

static void boards_free(struct board *pf, struct board *vf)
{
	board_free(vf);
	board_free(pf);
}

static void test_own(void **state)
{
	struct board *pf = board_of(state, 8, ",queues=12,vfs=2"), *vf = board_vf(pf);
	struct board *other = board_vf(pf);
	const struct emu_qm_host host = board_host(pf);
	uint8_t config[4];
	uint32_t word = 0;
	struct emu_qm *no;

	/* A VF is another device that has no controller's registers. */
	assert_int_equal(emu_qm_config_read(vf->qm, 0, config, 4), 0);
	assert_memory_equal(config, "\xe5\x19\x51\xa2", 4);
	assert_int_equal(emu_qm_bar_len(vf->qm, 2), 0x10000);
	assert_int_equal(emu_qm_read(vf->qm, 2, ERROR_SOURCE, &word, 4), -EINVAL);
	assert_int_equal(emu_qm_vectors(vf->qm), vf->version == 2 ? 2 : 4);
	/* The PF says how many there are; there are no more. */
	assert_int_equal(emu_qm_config_read(pf->qm, 0x200, &word, 4), 0);
	assert_int_equal(word, 0x00010010);
	assert_int_equal(emu_qm_config_read(pf->qm, 0x20e, &word, 2), 0);
	assert_int_equal(word & 0xffff, 2);
	assert_int_equal(emu_qm_new_vf(pf->qm, &host, &no), -ENOSPC);
	assert_int_equal(emu_qm_new_vf(vf->qm, &host, &no), -EINVAL);
	/* From power-on on it has queues, until somebody begins with the controller. */
	emu_qm_reset(pf->qm);
	set_master(pf, true);
	assert_int_equal(mailbox(other, MB_VFT, true, 0, 0), 0);
	word = rd(other, MAILBOX + 8);
	assert_int_equal(word >> 12 & 1, 1);
	assert_int_equal((word >> 13 & 0x3ff) + 1, (other->version == 2 ? 1024 : 12) / 3);
	start_rings(other);
	start_rings(vf);
	assert_true(works(vf) && works(other));
	assert_int_equal(vf->interrupts[0], 1);
	assert_int_equal(pf->interrupts[0], 0);
	start_function(pf);
	assert_int_not_equal(load(vf, MB_SQC, 0, iova_of(vf, vf->queue[0].sq), 7 << 12 | 7, 0, 0),
			     0);
	assert_int_not_equal(mailbox(other, MB_SQC, true, 0, iova_of(other, other->context)), 0);
	set_vft_of(pf, 1, QUEUES, QUEUES);
	start_rings(vf);
	assert_true(works(vf) && works(pf));
	board_free(other);
	boards_free(pf, vf);
}

/* An error of a VF is the controller's, told to the PF; while its master is shut nobody goes on. */
static void test_error(void **state)
{
	struct board *pf = board_of(state, 8, ",queues=8,vfs=1"), *vf = board_vf(pf);
	uint8_t *dst = alloc(vf, 300);
	struct hisi_zip_sqe bad;

	set_vft_of(pf, 1, QUEUES, QUEUES);
	start_rings(vf);
	wr(pf, ZIP_CONTROL, 1u << 14);
	wr(pf, ZIP_SHUTDOWN, 0x7fe);
	wr(pf, ZIP_ERROR_MASK, 0);
	wr(pf, ERROR_MASK, 0);
	fill(vf, &bad, vf->mem + MEM_LEN, 100, dst, 300);
	submit(vf, 0, &bad);
	run_all(vf);
	assert_int_equal(pf->interrupts[3], 1);
	assert_int_equal(rd(pf, ZIP_ERROR_STATUS), 1 << 2);
	assert_int_equal(vf->interrupts[3], 0);
	assert_false(works(pf));
	wr(pf, ZIP_ERROR_SOURCE, UINT32_MAX);
	memset(pf->eq, 0, EQ_DEPTH * 4);
	memset(vf->eq, 0, EQ_DEPTH * 4);
	start_function(pf);
	set_vft_of(pf, 1, QUEUES, QUEUES);
	start_rings(vf);
	assert_true(works(pf) && works(vf));
	boards_free(pf, vf);
}

/* The closed master is everybody's; a doorbell that comes too early names its function. */
static void test_master(void **state)
{
	struct board *pf = board_of(state, 8, ",queues=8,vfs=1"), *vf = board_vf(pf);

	set_vft_of(pf, 1, QUEUES, QUEUES);
	start_rings(vf);
	wr(pf, MASTER_CTRL, 1);
	assert_false(works(vf));
	assert_int_equal(mailbox(vf, MB_CQC, true, 0, iova_of(vf, vf->context)), MAILBOX_STUCK);
	reset_function(vf);
	doorbell(vf, DB_SQ, 1, 1, 0);
	assert_int_equal(rd(pf, DB_INFO), 1 << 16 | 1);
	boards_free(pf, vf);
}

static void test_reset(void **state)
{
	struct board *pf = board_of(state, 8, ",queues=8,vfs=1,fault=late=100000@2");
	struct board *vf = board_vf(pf);

	wr(pf, ERROR_MASK, 0);
	set_vft_of(pf, 1, QUEUES, QUEUES);
	start_rings(vf);
	assert_true(works(vf));
	/* One that has nothing to do is reset alone. */
	reset_function(vf);
	memset(vf->eq, 0, EQ_DEPTH * 4);
	assert_int_equal(pf->interrupts[3], 0);
	start_rings(vf);
	submit(vf, 0, vf->queue[0].sq);
	emu_qm_run(vf->qm);
	assert_true(works(pf));
	/* One that has: the PF is told, unless it does not listen meanwhile. */
	reset_function(vf);
	assert_int_equal(rd(pf, ERROR_STATUS), 1 << 14);
	assert_int_equal(pf->interrupts[3], 1);
	/* The PF's reset leaves nobody a queue. */
	reset_function(pf);
	assert_int_not_equal(load(vf, MB_SQC, 0, iova_of(vf, vf->queue[0].sq), 7 << 12 | 7, 0, 0),
			     0);
	boards_free(pf, vf);
}

static void test_messages(void **state)
{
	struct board *pf = board_of(state, 8, ",queues=12,vfs=2"), *vf = board_vf(pf);
	struct board *other = board_vf(pf);

	/* Version 2 has none. */
	assert_int_equal(rd(vf, 0x3100) >> 11 & 1, vf->version == 3);
	if (vf->version < 3)
		goto out;
	/* The PF to one of them, which is seen until that one has it. */
	assert_int_equal(mailbox(pf, MB_SEND, false, 1, UINT64_C(0x500000002)), 0);
	wr(pf, MESSAGE_TO, 1);
	wr(pf, MESSAGE_SEND, 1);
	assert_int_equal(vf->interrupts[2], 1);
	assert_int_equal(other->interrupts[2], 0);
	assert_int_equal(rd(vf, MESSAGE_SOURCE), 1);
	assert_int_equal(rd(vf, MESSAGE_STATUS), 1);
	assert_int_equal(rd(pf, MESSAGE_READY), 1 << 1);
	assert_int_equal(mailbox(vf, MB_RECEIVE, true, 0, 0), 0);
	assert_int_equal(rd(vf, MAILBOX + 4), 2);
	assert_int_equal(rd(vf, MAILBOX + 8), 5);
	wr(vf, MESSAGE_SOURCE, 1);
	assert_int_equal(rd(vf, MESSAGE_STATUS), 0);
	assert_int_equal(rd(pf, MESSAGE_READY), 0);
	/* To all, one of which does not listen. */
	wr(vf, MESSAGE_MASK, 1);
	assert_int_equal(mailbox(pf, MB_SEND, false, 0xffff, 3), 0);
	wr(pf, MESSAGE_TO, 0x7f);
	wr(pf, MESSAGE_SEND, 1);
	assert_int_equal(vf->interrupts[2], 1);
	assert_int_equal(other->interrupts[2], 1);
	assert_int_equal(rd(pf, MESSAGE_READY), 3 << 1);
	assert_int_equal(mailbox(other, MB_RECEIVE, true, 0, 0), 0);
	assert_int_equal(rd(other, MAILBOX + 4), 3);
	/* And back. */
	assert_int_equal(mailbox(other, MB_SEND, false, 0, 4), 0);
	wr(other, MESSAGE_SET, 1);
	assert_int_equal(rd(other, MESSAGE_SET), 1);
	assert_int_equal(pf->interrupts[2], 1);
	assert_int_equal(rd(pf, MESSAGE_FROM), 1 << 2);
	assert_int_equal(mailbox(pf, MB_RECEIVE, true, 2, 0), 0);
	assert_int_equal(rd(pf, MAILBOX + 4), 4);
	wr(pf, MESSAGE_FROM, 1 << 2);
	assert_int_equal(rd(other, MESSAGE_SET), 0);
	/* Nobody is above the PF. */
	wr(pf, MESSAGE_SET, 1);
	assert_int_equal(rd(pf, MESSAGE_SET), 0);
out:
	board_free(other);
	boards_free(pf, vf);
}

/* Pulled out is all of it. */
static void test_gone(void **state)
{
	struct board *pf = board_of(state, 8, ",queues=8,vfs=1,fault=gone@1"), *vf = board_vf(pf);

	set_vft_of(pf, 1, QUEUES, QUEUES);
	start_rings(vf);
	assert_false(works(vf));
	assert_int_equal(rd(vf, MAILBOX), UINT32_MAX);
	assert_int_equal(rd(pf, ERROR_STATUS), UINT32_MAX);
	boards_free(pf, vf);
}

int main(void)
{
	static const struct version_test tests[] = {
		VERSION_TEST(test_own),	  VERSION_TEST(test_error),    VERSION_TEST(test_master),
		VERSION_TEST(test_reset), VERSION_TEST(test_messages), VERSION_TEST(test_gone),
	};

	return RUN_VERSIONS_FROM(2, tests);
}
