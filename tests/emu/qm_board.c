// SPDX-License-Identifier: Zlib
#include "qm_board.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_msi(void *owner, unsigned int vector)
{
	struct board *b = owner;

	assert_true(vector < 4);
	b->interrupts[vector]++;
}

static int on_dma(void *owner, const struct emu_qm_tag *tag, uint64_t iova, void *buf, uint64_t len,
		  int flag)
{
	struct board *b = owner;

	if (tag)
		return b->tagged ? b->tagged(b->space, tag, iova, buf, len, flag) : -EFAULT;
	assert_true(iova >= IOVA + HALF && iova + len <= IOVA + MEM_LEN);
	/* Whoever waits for a register can be unable to answer before it has that. */
	assert_false(b->is_reading);
	for (int i = 0; i < 3; i++) {
		rd(b, MAILBOX);
		rd(b, WRITE_BACK_DONE);
	}
	b->reads++;
	if (flag == EMU_DMA_READ)
		memcpy(buf, b->mem + (iova - IOVA), len);
	else
		memcpy(b->mem + (iova - IOVA), buf, len);
	return 0;
}

struct emu_qm_host board_host(struct board *b)
{
	return (struct emu_qm_host){ b, on_msi, on_dma };
}

uint32_t rd(struct board *b, uint64_t off)
{
	uint32_t value = 0x5a5a5a5a;

	b->is_reading = true;
	assert_int_equal(emu_qm_read(b->qm, 2, off, &value, sizeof(value)), 0);
	b->is_reading = false;
	return value;
}

void wr(struct board *b, uint64_t off, uint32_t value)
{
	assert_int_equal(emu_qm_write(b->qm, 2, off, &value, sizeof(value)), 0);
}

void wr64(struct board *b, uint64_t off, uint64_t value)
{
	assert_int_equal(emu_qm_write(b->qm, 2, off, &value, sizeof(value)), 0);
}

void *alloc(struct board *b, size_t len)
{
	void *p = b->mem + b->used;

	b->used += (len + 127) / 128 * 128;
	assert_true(b->used <= MEM_LEN);
	memset(p, 0, len);
	return p;
}

uint64_t iova_of(const struct board *b, const void *p)
{
	return IOVA + ((const uint8_t *)p - b->mem);
}

void mailbox_start(struct board *b, unsigned int command, bool is_read, unsigned int queue,
		   uint64_t base)
{
	const uint32_t first = command | (is_read ? 1u << 14 : 0) | MAILBOX_BUSY | queue << 16;

	wr64(b, MAILBOX, first | base << 32);
	wr64(b, MAILBOX + 8, base >> 32);
}

unsigned int mailbox(struct board *b, unsigned int command, bool is_read, unsigned int queue,
		     uint64_t base)
{
	unsigned int idle = 0;
	uint32_t word;

	mailbox_start(b, command, is_read, queue, base);
	while ((word = rd(b, MAILBOX)) & MAILBOX_BUSY && idle < 3) {
		const int next = emu_qm_run(b->qm);

		if (next > 0)
			usleep(1000 * next);
		idle += next < 0;
	}
	return word & MAILBOX_BUSY ? MAILBOX_STUCK : word >> 9 & 0xf;
}

unsigned int load(struct board *b, unsigned int command, unsigned int queue, uint64_t base,
		  uint32_t size, uint16_t w8, uint32_t mode)
{
	uint32_t *c = (uint32_t *)b->context;

	memset(c, 0, 32);
	c[1] = base;
	c[2] = base >> 32;
	c[3] = size;
	c[4] = w8;
	c[5] = command <= MB_CQC ? b->pasid : 0;
	c[6] = mode;
	return mailbox(b, command, false, queue, iova_of(b, b->context));
}

uint32_t *dump(struct board *b, unsigned int command, unsigned int queue)
{
	memset(b->context, 0xee, 32);
	assert_int_equal(mailbox(b, command, true, queue, iova_of(b, b->context)), 0);
	return (uint32_t *)b->context;
}

void doorbell(struct board *b, unsigned int command, unsigned int queue, unsigned int index,
	      unsigned int priority)
{
	const uint64_t high = (uint64_t)priority << 48 | (uint64_t)index << 32;

	if (b->version == 1)
		wr64(b, DB_V1, high | command << 16 | queue);
	else
		wr64(b, command < DB_EQ ? DB_V2 : DB_EVENTS, high | command << 12 | queue);
}

void set_vft_of(struct board *b, unsigned int function, unsigned int base, unsigned int nr)
{
	for (unsigned int type = 0; type < 2; type++) {
		uint64_t entry = 0;

		if (nr && type == 0)
			entry = UINT64_C(1) << 44 | (uint64_t)base << 28 |
				(uint64_t)(b->version > 1 ? nr - 1 : 0) << 45;
		else if (nr)
			entry = 1u << 28;
		assert_int_equal(rd(b, VFT_READY), 1);
		wr(b, 0x100058, 0);
		wr(b, 0x10005c, type);
		wr(b, 0x100060, function);
		wr(b, 0x100064, entry);
		wr(b, 0x100068, entry >> 32);
		wr(b, VFT_READY, 0);
		wr(b, VFT_OP, 1);
		assert_int_equal(rd(b, VFT_READY), 1);
	}
}

void set_vft(struct board *b, unsigned int nr)
{
	set_vft_of(b, 0, 0, nr);
}

void start_queue(struct board *b, unsigned int n, unsigned int alg_type)
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

void start_rings(struct board *b)
{
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

void start_function(struct board *b)
{
	wr(b, MEM_INIT, 1);
	assert_int_equal(rd(b, MEM_INIT_DONE) & 1, 1);
	set_vft(b, QUEUES);
	start_rings(b);
}

void set_master(struct board *b, bool on)
{
	const uint16_t command = on ? 0x6 : 0x2;

	assert_int_equal(emu_qm_config_write(b->qm, 4, &command, sizeof(command)), 0);
}

void reset_function(struct board *b)
{
	const uint16_t flr = 0x8000;

	assert_int_equal(emu_qm_config_write(b->qm, 0x48, &flr, sizeof(flr)), 0);
	set_master(b, true);
}

static struct board *board_alloc(unsigned int version, unsigned int depth)
{
	struct board *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->version = version;
	b->depth = depth;
	b->mem = malloc(MEM_LEN);
	assert_non_null(b->mem);
	b->context = alloc(b, 32);
	b->eq = alloc(b, EQ_DEPTH * 4);
	b->aeq = alloc(b, EQ_DEPTH * 4);
	for (unsigned int i = 0; i < QUEUES; i++) {
		b->queue[i].sq = alloc(b, depth * sizeof(*b->queue[i].sq));
		b->queue[i].cq = alloc(b, depth * sizeof(*b->queue[i].cq));
	}
	return b;
}

static void board_connect(struct board *b)
{
	assert_int_equal(emu_qm_map(b->qm, IOVA, b->mem, HALF, EMU_DMA_READ | EMU_DMA_WRITE), 0);
	assert_int_equal(emu_qm_map(b->qm, IOVA + HALF, NULL, HALF, EMU_DMA_READ | EMU_DMA_WRITE),
			 0);
	set_master(b, true);
}

struct board *board_new(const char *options, unsigned int version, unsigned int depth)
{
	struct board *b = board_alloc(version, depth);
	const struct emu_qm_host host = board_host(b);

	assert_int_equal(emu_qm_new(options, 0, &host, &b->qm), 0);
	board_connect(b);
	start_function(b);
	return b;
}

struct board *board_vf(struct board *pf)
{
	struct board *b = board_alloc(pf->version, pf->depth);
	const struct emu_qm_host host = board_host(b);

	assert_int_equal(emu_qm_new_vf(pf->qm, &host, &b->qm), 0);
	board_connect(b);
	return b;
}

void board_free(struct board *b)
{
	emu_qm_free(b->qm);
	free(b->mem);
	free(b);
}

void run_all(struct board *b)
{
	int next;

	while ((next = emu_qm_run(b->qm)) >= 0)
		assert_int_equal(next, 0);
}

void fill(struct board *b, struct hisi_zip_sqe *sqe, const void *src, uint32_t src_len, void *dst,
	  uint32_t dst_len)
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

void submit(struct board *b, unsigned int n, const struct hisi_zip_sqe *sqe)
{
	b->queue[n].sq[b->queue[n].tail] = *sqe;
	b->queue[n].tail = (b->queue[n].tail + 1) % b->depth;
	doorbell(b, DB_SQ, n, b->queue[n].tail, 0);
}

struct hisi_zip_sqe *take(struct board *b, unsigned int n, bool is_arming)
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

int take_event(struct board *b)
{
	const uint32_t event = b->eq[b->eq_head];

	if ((event >> 16 & 1) != b->eq_phase)
		return -1;
	b->eq_head = (b->eq_head + 1) % EQ_DEPTH;
	if (!b->eq_head)
		b->eq_phase = !b->eq_phase;
	return event & 0xffff;
}

unsigned int version_of(void **state)
{
	return *(const unsigned int *)*state;
}

struct board *board_of(void **state, unsigned int depth, const char *more)
{
	char options[128];

	snprintf(options, sizeof(options), "qm=%u%s", version_of(state), more);
	return board_new(options, version_of(state), depth);
}

int run_versions(unsigned int first, const struct version_test *tests, size_t nr)
{
	static const unsigned int versions[] = { 1, 2, 3 };
	struct CMUnitTest units[32] = { 0 };
	int failed = 0;

	assert_true(nr <= sizeof(units) / sizeof(units[0]));
	for (size_t v = first - 1; v < sizeof(versions) / sizeof(versions[0]); v++) {
		char name[16];

		for (size_t i = 0; i < nr; i++)
			units[i] = (struct CMUnitTest){ tests[i].name, tests[i].run, NULL, NULL,
							(void *)&versions[v] };
		snprintf(name, sizeof(name), "version %u", versions[v]);
		failed += _cmocka_run_group_tests(name, units, nr, NULL, NULL);
	}
	return failed;
}
