// SPDX-License-Identifier: Zlib
/* The queue manager's model as a driver sees it: registers, memory and interrupts, nothing else. */
#include "rig.h"

#include "emu/emu_qm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Registers, as a driver writes them (hardware reference, 4). */
enum {
	AEQ_SOURCE = 0x0,
	AEQ_MASK = 0x4,
	EQ_SOURCE = 0x8,
	EQ_MASK = 0xc,
	MAILBOX = 0x300,
	DB_V1 = 0x340,
	DB_V2 = 0x1000,
	DB_EVENTS = 0x2000,
	ERROR_SOURCE = 0x100000,
	ERROR_MASK = 0x100004,
	ERROR_STATUS = 0x100008,
	MEM_INIT = 0x100040,
	MEM_INIT_DONE = 0x100044,
	VFT_OP = 0x100054,
	VFT_READY = 0x10006c,
	ZIP_ERROR_MASK = 0x3010a4,
	ZIP_ERROR_SET = 0x3010a8,
	ZIP_ERROR_STATUS = 0x3010ac,
	COMP_CORE_DONE = 0x30200c,
	COMP_CORE_IN = 0x302038,
	COMP_CORE_OUT = 0x302040,
	ERROR_SET = 0x10000c,
	VFT_IS_READ = 0x100058,
	COUNT_CLEAR = 0x100118,
	COUNT_DOORBELL = 0x104028,
	SHUTDOWN = 0x1040f8,
	ZIP_CONTROL = 0x30100c,
};
enum { MB_SQC, MB_CQC, MB_EQC, MB_AEQC, MB_VFT = 6, MB_STOP_QP = 8, MB_FLUSH = 9, MB_SEND = 12, MB_RECEIVE = 13 };
enum { DB_SQ, DB_CQ, DB_EQ, DB_AEQ };

/* The memory's place in the device's view; its second half is reached by callback. */
#define IOVA	 UINT64_C(0x1234500000)
#define MEM_LEN	 (4u << 20)
#define HALF	 (MEM_LEN / 2)
#define QUEUES	 2
#define EQ_DEPTH 64

struct board {
	struct emu_qm *qm;
	unsigned int version;
	unsigned int depth;
	uint8_t *mem;
	size_t used;
	unsigned int interrupts[4];
	uint32_t *eq;
	uint32_t *aeq;
	unsigned int eq_head;
	bool eq_phase;
	uint8_t *context; /* for mailboxes */
	struct {
		struct hisi_zip_sqe *sq;
		struct hisi_qm_cqe *cq;
		unsigned int tail;
		unsigned int head;
		bool phase;
	} queue[QUEUES];
};

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

static void on_msi(void *owner, unsigned int vector)
{
	struct board *b = owner;

	assert_true(vector < 4);
	b->interrupts[vector]++;
}

static int on_dma(void *owner, uint64_t iova, void *buf, uint64_t len, int flag)
{
	struct board *b = owner;

	assert_true(iova >= IOVA + HALF && iova + len <= IOVA + MEM_LEN);
	if (flag == EMU_DMA_READ)
		memcpy(buf, b->mem + (iova - IOVA), len);
	else
		memcpy(b->mem + (iova - IOVA), buf, len);
	return 0;
}

static uint32_t rd(struct board *b, uint64_t off)
{
	uint32_t value = 0x5a5a5a5a;

	assert_int_equal(emu_qm_read(b->qm, 2, off, &value, sizeof(value)), 0);
	return value;
}

static void wr(struct board *b, uint64_t off, uint32_t value)
{
	assert_int_equal(emu_qm_write(b->qm, 2, off, &value, sizeof(value)), 0);
}

static void wr64(struct board *b, uint64_t off, uint64_t value)
{
	assert_int_equal(emu_qm_write(b->qm, 2, off, &value, sizeof(value)), 0);
}

static void *alloc(struct board *b, size_t len)
{
	void *p = b->mem + b->used;

	b->used += (len + 127) / 128 * 128;
	assert_true(b->used <= MEM_LEN);
	memset(p, 0, len);
	return p;
}

static uint64_t iova_of(const struct board *b, const void *p)
{
	return IOVA + ((const uint8_t *)p - b->mem);
}

/* In two halves, as an arm64 guest's store pair arrives. The status; 0: success. */
static unsigned int mailbox(struct board *b, unsigned int command, bool is_read, unsigned int queue,
			    uint64_t base)
{
	const uint32_t first = command | (is_read ? 1u << 14 : 0) | 1u << 13 | queue << 16;
	uint32_t word;

	wr64(b, MAILBOX, first | base << 32);
	wr64(b, MAILBOX + 8, base >> 32);
	word = rd(b, MAILBOX);
	assert_int_equal(word >> 13 & 1, 0);
	return word >> 9 & 0xf;
}

static unsigned int load(struct board *b, unsigned int command, unsigned int queue, uint64_t base,
			 uint32_t size, uint16_t w8, uint32_t mode)
{
	uint32_t *c = (uint32_t *)b->context;

	memset(c, 0, 32);
	c[1] = base;
	c[2] = base >> 32;
	c[3] = size;
	c[4] = w8;
	c[6] = mode;
	return mailbox(b, command, false, queue, iova_of(b, b->context));
}

static uint32_t *dump(struct board *b, unsigned int command, unsigned int queue)
{
	memset(b->context, 0xee, 32);
	assert_int_equal(mailbox(b, command, true, queue, iova_of(b, b->context)), 0);
	return (uint32_t *)b->context;
}

static void doorbell(struct board *b, unsigned int command, unsigned int queue, unsigned int index,
		     unsigned int priority)
{
	const uint64_t high = (uint64_t)priority << 48 | (uint64_t)index << 32;

	if (b->version == 1)
		wr64(b, DB_V1, high | command << 16 | queue);
	else
		wr64(b, command < DB_EQ ? DB_V2 : DB_EVENTS, high | command << 12 | queue);
}

static void set_vft(struct board *b, unsigned int nr)
{
	for (unsigned int type = 0; type < 2; type++) {
		uint64_t entry = 0;

		if (nr && type == 0)
			entry = UINT64_C(1) << 44 | (uint64_t)(b->version > 1 ? nr - 1 : 0) << 45;
		else if (nr)
			entry = 1u << 28;
		assert_int_equal(rd(b, VFT_READY), 1);
		wr(b, 0x100058, 0);
		wr(b, 0x10005c, type);
		wr(b, 0x100060, 0);
		wr(b, 0x100064, entry);
		wr(b, 0x100068, entry >> 32);
		wr(b, VFT_READY, 0);
		wr(b, VFT_OP, 1);
		assert_int_equal(rd(b, VFT_READY), 1);
	}
}

static void start_queue(struct board *b, unsigned int n, unsigned int alg_type)
{
	const bool is_v1 = b->version == 1;
	const unsigned int last = b->depth - 1;

	memset(b->queue[n].cq, 0, b->depth * sizeof(*b->queue[n].cq));
	b->queue[n].tail = b->queue[n].head = 0;
	b->queue[n].phase = true;
	assert_int_equal(load(b, MB_SQC, n, iova_of(b, b->queue[n].sq),
			      7 << 12 | (is_v1 ? 0 : last), is_v1 ? last : 0,
			      n | 1u << 20 | alg_type << 24),
			 0);
	assert_int_equal(load(b, MB_CQC, n, iova_of(b, b->queue[n].cq),
			      4 << 12 | (is_v1 ? 0 : last), is_v1 ? last : 0, 3),
			 0);
}

/* What a driver does in probe. */
static void start_function(struct board *b)
{
	wr(b, MEM_INIT, 1);
	assert_int_equal(rd(b, MEM_INIT_DONE) & 1, 1);
	set_vft(b, QUEUES);
	assert_int_equal(load(b, MB_EQC, 0, iova_of(b, b->eq), b->version == 1 ? 2 << 12 : 0, 0,
			      (EQ_DEPTH - 1) | 1u << 16),
			 0);
	assert_int_equal(load(b, MB_AEQC, 0, iova_of(b, b->aeq), 0, 0, (EQ_DEPTH - 1) | 1u << 16),
			 0);
	doorbell(b, DB_AEQ, 0, 0, 0);
	doorbell(b, DB_EQ, 0, 0, 0);
	wr(b, EQ_MASK, 0);
	wr(b, AEQ_MASK, 0);
	b->eq_head = 0;
	b->eq_phase = true;
	start_queue(b, 0, HISI_ZIP_QUEUE_COMPRESS);
	start_queue(b, 1, HISI_ZIP_QUEUE_DECOMPRESS);
}

static void set_master(struct board *b, bool on)
{
	const uint16_t command = on ? 0x6 : 0x2;

	assert_int_equal(emu_qm_config_write(b->qm, 4, &command, sizeof(command)), 0);
}

static struct board *board_new(const char *options, unsigned int version, unsigned int depth)
{
	struct board *b = calloc(1, sizeof(*b));
	const struct emu_qm_host host = { b, on_msi, on_dma };

	assert_non_null(b);
	b->version = version;
	b->depth = depth;
	b->mem = malloc(MEM_LEN);
	assert_non_null(b->mem);
	assert_int_equal(emu_qm_new(options, 0, &host, &b->qm), 0);
	assert_int_equal(emu_qm_map(b->qm, IOVA, b->mem, HALF, EMU_DMA_READ | EMU_DMA_WRITE), 0);
	assert_int_equal(emu_qm_map(b->qm, IOVA + HALF, NULL, HALF, EMU_DMA_READ | EMU_DMA_WRITE),
			 0);
	b->context = alloc(b, 32);
	b->eq = alloc(b, EQ_DEPTH * 4);
	b->aeq = alloc(b, EQ_DEPTH * 4);
	for (unsigned int i = 0; i < QUEUES; i++) {
		b->queue[i].sq = alloc(b, depth * sizeof(*b->queue[i].sq));
		b->queue[i].cq = alloc(b, depth * sizeof(*b->queue[i].cq));
	}
	set_master(b, true);
	start_function(b);
	return b;
}

static void board_free(struct board *b)
{
	emu_qm_free(b->qm);
	free(b->mem);
	free(b);
}

static void run_all(struct board *b)
{
	int next;

	while ((next = emu_qm_run(b->qm)) >= 0)
		assert_int_equal(next, 0);
}

static void fill(struct board *b, struct hisi_zip_sqe *sqe, const void *src, uint32_t src_len,
		 void *dst, uint32_t dst_len)
{
	const uint64_t from = iova_of(b, src), to = iova_of(b, dst);

	memset(sqe, 0, sizeof(*sqe));
	sqe->src_len = src_len;
	sqe->dst_len = dst_len;
	sqe->src_l = from;
	sqe->src_h = from >> 32;
	sqe->dst_l = to;
	sqe->dst_h = to >> 32;
	sqe->src_ctrl = (b->version < 3 ? HISI_ZIP_SQE_TYPE0 : HISI_ZIP_SQE_TYPE3)
			<< HISI_ZIP_SRC_TYPE_SHIFT;
	sqe->req_ctrl = HISI_ZIP_FORMAT_ZLIB;
	sqe->tag_t0 = 77;
}

static void submit(struct board *b, unsigned int n, const struct hisi_zip_sqe *sqe)
{
	b->queue[n].sq[b->queue[n].tail] = *sqe;
	b->queue[n].tail = (b->queue[n].tail + 1) % b->depth;
	doorbell(b, DB_SQ, n, b->queue[n].tail, 0);
}

/* The next completion's entry; NULL: there is none. */
static struct hisi_zip_sqe *take(struct board *b, unsigned int n, bool is_arming)
{
	const struct hisi_qm_cqe *cqe = &b->queue[n].cq[b->queue[n].head];

	if ((cqe->phase & 1) != b->queue[n].phase)
		return NULL;
	assert_int_equal(cqe->sq_num, n);
	assert_int_equal(cqe->sq_head, b->queue[n].head);
	b->queue[n].head = (b->queue[n].head + 1) % b->depth;
	if (!b->queue[n].head)
		b->queue[n].phase = !b->queue[n].phase;
	doorbell(b, DB_CQ, n, b->queue[n].head, is_arming);
	return &b->queue[n].sq[cqe->sq_head];
}

/* The queue the next event names; -1: none. */
static int take_event(struct board *b)
{
	const uint32_t event = b->eq[b->eq_head];

	if ((event >> 16 & 1) != b->eq_phase)
		return -1;
	b->eq_head = (b->eq_head + 1) % EQ_DEPTH;
	if (!b->eq_head)
		b->eq_phase = !b->eq_phase;
	return event & 0xffff;
}

/* Tests, for all versions */

static unsigned int version_of(void **state)
{
	return *(const unsigned int *)*state;
}

static struct board *board_of(void **state, unsigned int depth, const char *more)
{
	char options[128];

	snprintf(options, sizeof(options), "qm=%u%s", version_of(state), more);
	return board_new(options, version_of(state), depth);
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
	/* What is written is that and no more; behind the capabilities there is nothing to write to. */
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
	assert_int_equal(rd(b, ERROR_SOURCE), 0);
	board_free(b);
}

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
	/* That one hangs. */
	assert_int_not_equal(mailbox(b, MB_STOP_QP, false, 0, 0), 0);
	assert_int_not_equal(mailbox(b, MB_FLUSH, false, 0, 0), 0);
	start_queue(b, 0, HISI_ZIP_QUEUE_COMPRESS);
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
	const uint16_t flr = 0x8000;
	struct hisi_zip_sqe sqe;

	fill(b, &sqe, src, 100, dst, 300);
	submit(b, 0, &sqe);
	wr(b, 0x100074, 0x1fffff);
	assert_int_equal(emu_qm_config_write(b->qm, 0x48, &flr, sizeof(flr)), 0);
	set_master(b, true);
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

static void test_late(void **state)
{
	struct board *b = board_of(state, 8, ",fault=late=1000@1");
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
	/* Whoever stops the queue does not wait for it. */
	if (b->version == 3) {
		assert_int_equal(mailbox(b, MB_STOP_QP, false, 0, 0), 0);
		assert_non_null(take(b, 0, true));
	}
	board_free(b);
}

/* What a device answers where its script says so; and that is counted. */
static void test_faults(void **state)
{
	struct board *b = board_of(state, 8, ",fault=error=0x10@1/short@2/checksum@3/corrupt@4/lie=status@5");
	const uint32_t len = 3000;
	uint8_t *src = alloc(b, len), *dst = alloc(b, 2 * len), *right = alloc(b, 2 * len), *damaged = alloc(b, 2 * len);
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

/* A driver that takes no events has as many as their ring holds, and is told that there were more. */
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

static void test_refusals(void **state)
{
	static const char *const wrong[] = { "nonsense=1", "queues=1", "depth=8192" };
	const struct emu_qm_host host = { NULL, on_msi, NULL };
	struct emu_qm *qm;
	uint32_t word = 0;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(emu_qm_new(wrong[i], 0, &host, &qm), -EINVAL);
	/* No memory, for one part after the other. */
	for (callocs = 1; callocs <= 4; callocs++)
		assert_int_equal(emu_qm_new("qm=3", 0, &host, &qm), -ENOMEM);
	assert_int_equal(emu_qm_new("qm=3,engine=zlib", 0, &host, &qm), -ENOMEM);
	callocs = 0;
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
	const struct emu_qm_host host = { b, on_msi, on_dma };
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
	static const unsigned int versions[] = { 1, 2, 3 };
	int failed = 0;

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		void *state = (void *)&versions[i];
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate(test_identity, state),
			cmocka_unit_test_prestate(test_round_trip, state),
			cmocka_unit_test_prestate(test_lists, state),
			cmocka_unit_test_prestate(test_pieces, state),
			cmocka_unit_test_prestate(test_wrap, state),
			cmocka_unit_test_prestate(test_arming, state),
			cmocka_unit_test_prestate(test_turns, state),
			cmocka_unit_test_prestate(test_contexts, state),
			cmocka_unit_test_prestate(test_stop, state),
			cmocka_unit_test_prestate(test_reset, state),
			cmocka_unit_test_prestate(test_errors, state),
			cmocka_unit_test_prestate(test_late, state),
			cmocka_unit_test_prestate(test_faults, state),
			cmocka_unit_test_prestate(test_driver, state),
			cmocka_unit_test_prestate(test_event_overflow, state),
			cmocka_unit_test_prestate(test_no_way_back, state),
		};
		char name[16];

		snprintf(name, sizeof(name), "version %u", versions[i]);
		failed += cmocka_run_group_tests_name(name, tests, NULL, NULL);
	}
	const struct CMUnitTest others[] = {
		cmocka_unit_test(test_too_many_queues),
		cmocka_unit_test(test_isolation),
		cmocka_unit_test(test_refusals),
	};

	return failed + cmocka_run_group_tests_name("others", others, NULL, NULL);
}
