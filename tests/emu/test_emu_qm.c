// SPDX-License-Identifier: Zlib
/* The queue manager's model as a driver sees it: registers, memory and interrupts, nothing else. */
#include "qm_board.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How many until there is no memory; 0: there is. The linker lets libwd come here. */
static unsigned int callocs;
void *__real_calloc(size_t nr, size_t len);
void *__wrap_calloc(size_t nr, size_t len);

void *__wrap_calloc(size_t nr, size_t len)
{
	static unsigned int nth, of;

	if (of != callocs) {
		of = callocs;
		nth = 0;
	}
	return callocs && ++nth == callocs ? NULL : __real_calloc(nr, len);
}

static void test_identity(void **state)
{
	struct board *b = board_of(state, 16, "");
	static const uint8_t revisions[] = { 0, 0x20, 0x21, 0x30 };
	uint8_t config[256], before[256], ones[256];
	const uint16_t command = 0x6;

	assert_int_equal(emu_qm_config_read(b->qm, 0, config, sizeof(config)), 0);
	assert_memory_equal(config, "\xe5\x19\x50\xa2", 4);
	assert_int_equal(config[8], revisions[b->version]);
	assert_int_equal(config[0x18] & 0xf, 0xc);
	assert_int_equal(config[0x20], 0); /* no such region */
	assert_int_equal(emu_qm_vectors(b->qm), b->version == 1 ? 1 : 4);
	assert_int_equal(emu_qm_bar_len(b->qm, 2), 4 << 20);
	/* Version 3 says what it can. */
	assert_int_equal(rd(b, 0x3100) != 0, b->version == 3);
	assert_int_equal(rd(b, 0x100158) != 0, b->version == 3);
	/* Constants stay. */
	wr(b, 0x3100, 0xffff);
	wr(b, 0x300150, 0);
	assert_int_equal(rd(b, 0x300150), 3);
	assert_true(rd(b, 0x3100) != 0xffff);
	/* Bytes of registers. */
	wr(b, 0x100074, 0x11223344);
	assert_int_equal(emu_qm_read(b->qm, 2, 0x100075, config, 2), 0);
	assert_memory_equal(config, "\x33\x22", 2);
	assert_int_equal(emu_qm_read(b->qm, 2, (4 << 20) - 2, config, 4), -EINVAL);
	assert_int_equal(emu_qm_write(b->qm, 0, 0, config, 4), -EINVAL);
	assert_int_equal(emu_qm_config_write(b->qm, 4094, config, 4), -EINVAL);
	/* What is written is that and no more; behind the capabilities there is nothing to write
	 * to. */
	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(emu_qm_config_read(b->qm, 0, before, sizeof(before)), 0);
	assert_int_equal(emu_qm_config_write(b->qm, 4, ones, 2), 0);
	assert_int_equal(emu_qm_config_write(b->qm, 256, ones, sizeof(ones)), 0);
	assert_int_equal(emu_qm_config_write(b->qm, 4, &command, 2), 0);
	assert_int_equal(emu_qm_config_read(b->qm, 0, config, sizeof(config)), 0);
	assert_memory_equal(config, before, sizeof(before));
	assert_int_equal(emu_qm_config_read(b->qm, 256, config, sizeof(config)), 0);
	memset(ones, 0, sizeof(ones));
	assert_memory_equal(config, ones, sizeof(ones));
	board_free(b);
}

static void test_round_trip(void **state)
{
	struct board *b = board_of(state, 16, "");
	const uint32_t len = 100000;
	uint8_t *src = alloc(b, len), *packed = alloc(b, 2 * len), *plain = alloc(b, len);
	struct hisi_zip_sqe sqe, *done;
	uint32_t packed_len;

	rig_data(src, len, RIG_MIXED);
	fill(b, &sqe, src, len, packed, 2 * len);
	submit(b, 0, &sqe);
	assert_null(take(b, 0, false));
	run_all(b);
	assert_int_equal(b->interrupts[0], 1);
	assert_int_equal(rd(b, EQ_SOURCE), 1);
	assert_int_equal(take_event(b), 0);
	doorbell(b, DB_EQ, 0, b->eq_head, 0);
	assert_int_equal(rd(b, EQ_SOURCE), 0);
	done = take(b, 0, true);
	assert_non_null(done);
	assert_int_equal(done->result & HISI_ZIP_RESULT_STATUS, HISI_ZIP_OK);
	assert_int_equal(done->consumed, len);
	assert_int_equal(done->tag_t0, 77);
	packed_len = done->produced;
	assert_int_equal(rd(b, COMP_CORE_DONE), 1);
	assert_int_equal(rd(b, COMP_CORE_IN), len);
	assert_int_equal(rd(b, COMP_CORE_OUT), packed_len);

	fill(b, &sqe, packed, packed_len, plain, len);
	submit(b, 1, &sqe);
	run_all(b);
	assert_int_equal(b->interrupts[0], 2);
	assert_int_equal(take_event(b), 1);
	done = take(b, 1, true);
	assert_non_null(done);
	assert_int_equal(done->result & HISI_ZIP_RESULT_STATUS, HISI_ZIP_OK);
	assert_int_equal(done->produced, len);
	assert_memory_equal(plain, src, len);
	board_free(b);
}

/* A list of pieces of these bytes, at most so many entries in one part of the chain. */
static struct hisi_sgl *make_list(struct board *b, const uint8_t *p, uint32_t len, uint32_t piece,
				  unsigned int per_list)
{
	struct hisi_sgl *first = NULL, *last = NULL;

	while (len) {
		struct hisi_sgl *sgl = alloc(b, sizeof(*sgl) + per_list * sizeof(struct hisi_sge));
		struct hisi_sge *sge = (struct hisi_sge *)(sgl + 1);

		sgl->entries_max = per_list;
		while (len && sgl->entries_nr < per_list) {
			const uint32_t n = piece < len ? piece : len;

			sge[sgl->entries_nr].addr = iova_of(b, p);
			sge[sgl->entries_nr].len = n;
			sgl->entries_nr++;
			p += n;
			len -= n;
		}
		if (last)
			last->next = iova_of(b, sgl);
		else
			first = sgl;
		last = sgl;
	}
	return first;
}

static void test_lists(void **state)
{
	struct board *b = board_of(state, 16, "");
	const uint32_t len = 60000, skip = 1234;
	uint8_t *src = alloc(b, len), *packed = alloc(b, 2 * len), *plain = alloc(b, len);
	struct hisi_sgl *from, *to;
	struct hisi_zip_sqe sqe, *done;

	rig_data(src, len, RIG_TEXT);
	from = make_list(b, src, len, 777, 10);
	to = make_list(b, packed, 2 * len, 4096, 3);
	fill(b, &sqe, from, len - skip, to, len);
	sqe.req_ctrl |= HISI_ZIP_REQ_SGL;
	sqe.src_ctrl |= skip;
	sqe.dst_ctrl = 10;
	submit(b, 0, &sqe);
	run_all(b);
	done = take(b, 0, false);
	assert_int_equal(done->result & HISI_ZIP_RESULT_STATUS, HISI_ZIP_OK);
	assert_int_equal(done->consumed, len - skip);
	assert_int_equal(packed[9], 0);

	fill(b, &sqe, packed + 10, done->produced, plain, len);
	submit(b, 1, &sqe);
	run_all(b);
	done = take(b, 1, false);
	assert_int_equal(done->result & HISI_ZIP_RESULT_STATUS, HISI_ZIP_OK);
	assert_int_equal(done->produced, len - skip);
	assert_memory_equal(plain, src + skip, len - skip);

	/* Lists that end too early, that never end, with impossible counts, at odd addresses. */
	static const struct {
		uint32_t len;
		uint16_t nr;
		bool is_loop;
		uint32_t odd;
	} bad[] = { { 60001, 10, false, 0 },
		    { 8388608, 0, true, 0 },
		    { 100, 256, false, 0 },
		    { 100, 10, false, 8 } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		from = make_list(b, src, len, 777, 10);
		fill(b, &sqe, from, bad[i].len, to, len);
		from->entries_nr = bad[i].nr;
		if (bad[i].is_loop)
			from->next = iova_of(b, from);
		sqe.req_ctrl |= HISI_ZIP_REQ_SGL;
		sqe.src_l += bad[i].odd;
		submit(b, 0, &sqe);
		run_all(b);
		done = take(b, 0, false);
		assert_int_equal(done->result & HISI_ZIP_RESULT_STATUS, HISI_ZIP_BAD_DATA);
	}
	/* Entries of no length, and of one that is too much. */
	for (int i = 0; i < 2; i++) {
		from = make_list(b, src, len, 777, 10);
		((struct hisi_sge *)(from + 1))[3].len = i ? HISI_ZIP_MAX_LEN + 1 : 0;
		fill(b, &sqe, from, 10000, to, len);
		sqe.req_ctrl |= HISI_ZIP_REQ_SGL;
		submit(b, 0, &sqe);
		run_all(b);
		done = take(b, 0, false);
		assert_int_equal(done->result & HISI_ZIP_RESULT_STATUS, HISI_ZIP_BAD_DATA);
	}
	board_free(b);
}

/* The request's memory lies where it is reached by callback, and partly where there is none. */
static void test_pieces(void **state)
{
	struct board *b = board_of(state, 16, "");
	const uint32_t len = 200000;
	uint8_t *src = b->mem + HALF - len / 2, *packed = b->mem + HALF + len;
	struct hisi_zip_sqe sqe, *done;
	uint8_t *plain;
	size_t used;

	rig_data(src, len, RIG_MIXED);
	fill(b, &sqe, src, len, packed, len);
	submit(b, 0, &sqe);
	run_all(b);
	done = take(b, 0, false);
	assert_int_equal(done->result & HISI_ZIP_RESULT_STATUS, HISI_ZIP_OK);
	plain = malloc(len);
	assert_int_equal(rig_inflate(plain, len, packed, done->produced, &used), len);
	assert_memory_equal(plain, src, len);
	free(plain);

	fill(b, &sqe, b->mem + MEM_LEN - 100, 101, packed, len);
	submit(b, 0, &sqe);
	fill(b, &sqe, src, len, b->mem + MEM_LEN - 100, 101);
	submit(b, 0, &sqe);
	run_all(b);
	for (int i = 0; i < 2; i++)
		assert_int_equal(take(b, 0, false)->result & HISI_ZIP_RESULT_STATUS,
				 HISI_ZIP_BAD_DATA);
	/* The bus told of both. */
	assert_int_equal(rd(b, ERROR_SOURCE), 0);
	assert_int_equal(rd(b, ZIP_ERROR_SOURCE), 1 << 2 | 1 << 3);
	board_free(b);
}

/* Queues are served by turns, however much one of them has. */
static void test_turns(void **state)
{
	struct board *b = board_of(state, 8, "");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe;

	fill(b, &sqe, src, 100, dst, 300);
	for (int i = 0; i < 5; i++)
		submit(b, 0, &sqe);
	for (int i = 0; i < 2; i++)
		submit(b, 1, &sqe);
	for (int i = 0; i < 4; i++)
		assert_int_equal(emu_qm_run(b->qm), 0);
	for (int i = 0; i < 2; i++) {
		assert_non_null(take(b, 0, false));
		assert_non_null(take(b, 1, false));
	}
	assert_null(take(b, 0, false));
	board_free(b);
}

static void test_contexts(void **state)
{
	struct board *b = board_of(state, 8, "");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe;
	uint32_t sq_tail, *c;

	fill(b, &sqe, src, 100, dst, 300);
	for (int i = 0; i < 13; i++) {
		submit(b, 0, &sqe);
		if (i == 12)
			break;
		run_all(b);
		assert_non_null(take(b, 0, true));
	}
	/* 12.3: drained when both tails and both wrap bits are the same. */
	c = dump(b, MB_SQC, 0);
	assert_int_equal(c[0] >> 16, 13 % 8);
	assert_int_equal(c[5] >> 22 & 1, 1);
	assert_int_equal(c[1], (uint32_t)iova_of(b, b->queue[0].sq));
	sq_tail = c[0] >> 16;
	c = dump(b, MB_CQC, 0);
	assert_int_equal(c[0] >> 16, 12 % 8);
	run_all(b);
	c = dump(b, MB_CQC, 0);
	assert_int_equal(c[0] >> 16, sq_tail);
	assert_int_equal(c[5] >> 22 & 1, 1);
	/* Queues that are not the function's, rings that cannot be. */
	if (b->version > 1)
		assert_int_not_equal(mailbox(b, MB_SQC, false, QUEUES, iova_of(b, b->context)), 0);
	assert_int_not_equal(load(b, MB_SQC, 0, 0, 6 << 12 | 7, 7, 0), 0);
	assert_int_not_equal(mailbox(b, 0x77, false, 0, 0), 0);
	if (b->version > 1) {
		assert_int_equal(mailbox(b, MB_VFT, true, 0, 0), 0);
		assert_int_equal(rd(b, MAILBOX + 8), 1u << 12 | (QUEUES - 1) << 13);
	}
	board_free(b);
}

static void test_stop(void **state)
{
	struct board *b = board_of(state, 8, ",fault=hang@4");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe;

	fill(b, &sqe, src, 100, dst, 300);
	for (int i = 0; i < 3; i++)
		submit(b, 0, &sqe);
	if (b->version < 3) {
		assert_int_not_equal(mailbox(b, MB_STOP_QP, false, 0, 0), 0);
		board_free(b);
		return;
	}
	assert_int_equal(mailbox(b, MB_STOP_QP, false, 0, 0), 0);
	for (int i = 0; i < 3; i++)
		assert_non_null(take(b, 0, true));
	/* Stopped: deaf until it is started again. */
	submit(b, 0, &sqe);
	run_all(b);
	assert_null(take(b, 0, true));
	start_queue(b, 0, HISI_ZIP_QUEUE_COMPRESS);
	submit(b, 0, &sqe);
	run_all(b);
	assert_null(take(b, 0, true));
	/* That one hangs, and with it whoever waits for it, until a reset. */
	assert_int_equal(mailbox(b, MB_STOP_QP, false, 0, 0), MAILBOX_STUCK);
	assert_int_equal(mailbox(b, MB_SEND, false, 0, 0), MAILBOX_STUCK);
	reset_function(b);
	start_function(b);
	submit(b, 0, &sqe);
	assert_int_equal(mailbox(b, MB_FLUSH, false, 0, 0), 0);
	assert_non_null(take(b, 0, true));
	/* Without queues the function does nothing. */
	set_vft(b, 0);
	assert_int_not_equal(load(b, MB_SQC, 0, iova_of(b, b->queue[0].sq), 7 << 12 | 7, 0, 0), 0);
	board_free(b);
}

/* What a driver starts anew after a function level reset works, and nothing of before is left. */
static void test_reset(void **state)
{
	struct board *b = board_of(state, 8, "");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe;

	fill(b, &sqe, src, 100, dst, 300);
	submit(b, 0, &sqe);
	wr(b, 0x100074, 0x1fffff);
	reset_function(b);
	run_all(b);
	assert_null(take(b, 0, true));
	assert_int_equal(rd(b, 0x100074), 0);
	assert_int_equal(rd(b, EQ_MASK), 1);
	memset(b->eq, 0, EQ_DEPTH * 4);
	start_function(b);
	submit(b, 0, &sqe);
	run_all(b);
	assert_int_equal(take_event(b), 0);
	assert_non_null(take(b, 0, true));
	assert_int_equal(b->interrupts[0], 1);
	/* No bus master, no memory access. */
	submit(b, 0, &sqe);
	set_master(b, false);
	run_all(b);
	assert_null(take(b, 0, true));
	set_master(b, true);
	run_all(b);
	assert_non_null(take(b, 0, true));
	board_free(b);
}

/* What a driver asks, sets and reads back. */
static void test_driver(void **state)
{
	struct board *b = board_of(state, 8, "");
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	struct hisi_zip_sqe sqe;
	uint32_t *c, count;

	/* Messages to a function. */
	assert_int_equal(mailbox(b, MB_SEND, false, 0, 0x123456789abcdef0), 0);
	assert_int_equal(mailbox(b, MB_RECEIVE, true, 0, 0), 0);
	assert_int_equal(rd(b, MAILBOX + 8), 0x12345678);
	/* Contexts of events. */
	c = dump(b, MB_EQC, 0);
	assert_int_equal(c[1], (uint32_t)iova_of(b, b->eq));
	c = dump(b, MB_AEQC, 0);
	assert_int_equal(c[1], (uint32_t)iova_of(b, b->aeq));
	/* No command without the bit that begins it. */
	wr64(b, MAILBOX, MB_RECEIVE);
	wr64(b, MAILBOX + 8, 0);
	assert_int_equal(rd(b, MAILBOX), MB_RECEIVE);
	/* A function's queues, as they were set. */
	wr(b, VFT_IS_READ, 1);
	wr(b, 0x10005c, 0);
	wr(b, 0x100060, 0);
	wr(b, 0x100068, 0);
	wr(b, VFT_OP, 1);
	assert_int_equal(rd(b, 0x100068) >> 12 & 1, 1);
	/* Counters that reading clears, or does not. */
	count = rd(b, COUNT_DOORBELL);
	assert_true(count > 0);
	assert_int_equal(rd(b, COUNT_DOORBELL), count);
	wr(b, COUNT_CLEAR, 1);
	assert_int_equal(rd(b, COUNT_DOORBELL), count);
	assert_int_equal(rd(b, COUNT_DOORBELL), 0);
	/* An error that closes the way to memory, until the driver opens it again. */
	fill(b, &sqe, src, 100, dst, 300);
	submit(b, 0, &sqe);
	wr(b, SHUTDOWN, 2);
	wr(b, ERROR_SET, 2);
	run_all(b);
	assert_null(take(b, 0, true));
	wr(b, ERROR_SOURCE, 2);
	wr(b, ZIP_CONTROL, 1u << 14);
	run_all(b);
	assert_non_null(take(b, 0, true));
	board_free(b);
}

static void test_refusals(void **state)
{
	static const char *const wrong[] = { "nonsense=1", "queues=1", "depth=8192", "qm=1,vfs=1",
					     "queues=4,vfs=2" };
	const struct emu_qm_host host = board_host(NULL);
	struct emu_qm *qm, *vf;
	uint32_t word = 0;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(emu_qm_new(wrong[i], 0, &host, &qm), -EINVAL);
	/* No memory, for one part after the other. */
	for (callocs = 1; callocs <= 4; callocs++)
		assert_int_equal(emu_qm_new("qm=3", 0, &host, &qm), -ENOMEM);
	assert_int_equal(emu_qm_new("qm=3,engine=zlib", 0, &host, &qm), -ENOMEM);
	callocs = 0;
	assert_int_equal(emu_qm_new("qm=3,vfs=1", 0, &host, &qm), 0);
	for (callocs = 1; callocs <= 4; callocs++)
		assert_int_equal(emu_qm_new_vf(qm, &host, &vf), -ENOMEM);
	callocs = 0;
	assert_int_equal(emu_qm_new_vf(qm, &host, &vf), 0);
	emu_qm_free(vf);
	emu_qm_free(qm);
	/* All that silicon has. */
	assert_int_equal(emu_qm_new("qm=3", EMU_QM_FULL, &host, &qm), 0);
	assert_int_equal(emu_qm_read(qm, 2, 0x3100, &word, sizeof(word)), 0);
	assert_int_equal(word & 0x6700, 0x6700);
	assert_int_equal(emu_qm_map(qm, 0, NULL, UINT64_MAX, EMU_DMA_READ), -EINVAL);
	emu_qm_unplug(qm);
	assert_int_equal(emu_qm_config_read(qm, 0, &word, sizeof(word)), 0);
	assert_int_equal(word, UINT32_MAX);
	emu_qm_free(qm);
}

/* A driver that wants more queues than there are has those that there are. */
static void test_too_many_queues(void **state)
{
	struct board *b = board_new("qm=3,queues=4", 3, 8);
	const uint64_t sq = iova_of(b, b->queue[0].sq);

	set_vft(b, 1000);
	assert_int_equal(load(b, MB_SQC, 3, sq, 7 << 12 | 7, 0, 0), 0);
	assert_int_not_equal(load(b, MB_SQC, 4, sq, 7 << 12 | 7, 0, 0), 0);
	board_free(b);
}

/* Pages of doorbells: the page is the queue. */
static void test_isolation(void **state)
{
	struct board *b = board_new("qm=3,queues=4", 3, 8);
	const struct emu_qm_host host = board_host(b);
	const uint64_t value = UINT64_C(1) << 32 | 3;
	uint8_t *src = alloc(b, 100), *dst = alloc(b, 300);
	uint32_t region = UINT32_MAX;
	struct hisi_zip_sqe sqe;

	assert_int_equal(emu_qm_bar_len(b->qm, 4), 0);
	emu_qm_free(b->qm);
	assert_int_equal(emu_qm_new("qm=3,queues=4", EMU_QM_ISOLATED, &host, &b->qm), 0);
	assert_int_equal(emu_qm_bar_len(b->qm, 4), 4 * 0x10000);
	/* As a kernel asks how long it is. */
	assert_int_equal(emu_qm_config_write(b->qm, 0x20, &region, sizeof(region)), 0);
	assert_int_equal(emu_qm_config_read(b->qm, 0x20, &region, sizeof(region)), 0);
	assert_int_equal(region, 0xfffc000c);
	/* There is nothing to be read. */
	assert_int_equal(emu_qm_read(b->qm, 4, 0x10000, &region, sizeof(region)), 0);
	assert_int_equal(region, 0);
	assert_int_equal(rd(b, 0x30), 1);
	assert_int_equal(emu_qm_map(b->qm, IOVA, b->mem, HALF, EMU_DMA_READ | EMU_DMA_WRITE), 0);
	set_master(b, true);
	start_function(b);
	fill(b, &sqe, src, 100, dst, 300);
	b->queue[1].sq[0] = sqe;
	assert_int_equal(emu_qm_write(b->qm, 4, 0x10000 + DB_V2, &value, sizeof(value)), 0);
	run_all(b);
	assert_non_null(take(b, 1, true));
	board_free(b);
}

int main(void)
{
	static const struct version_test tests[] = {
		VERSION_TEST(test_identity), VERSION_TEST(test_round_trip),
		VERSION_TEST(test_lists),    VERSION_TEST(test_pieces),
		VERSION_TEST(test_turns),    VERSION_TEST(test_contexts),
		VERSION_TEST(test_stop),     VERSION_TEST(test_reset),
		VERSION_TEST(test_driver),
	};
	const struct CMUnitTest others[] = {
		cmocka_unit_test(test_too_many_queues),
		cmocka_unit_test(test_isolation),
		cmocka_unit_test(test_refusals),
	};

	return RUN_VERSIONS(tests) + cmocka_run_group_tests_name("others", others, NULL, NULL);
}
