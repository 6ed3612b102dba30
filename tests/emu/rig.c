// SPDX-License-Identifier: Zlib
/* An emulated device with queues, driven as a driver would: entries, doorbells, phase bits. */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include <cmocka.h>

struct emu_dev *rig_dev(const char *options)
{
	struct emu_dev *dev = NULL;

	assert_int_equal(emu_dev_get(options, &dev), 0);
	return dev;
}

void rig_map_all(struct emu_dev *dev)
{
	assert_int_equal(emu_dma_map(dev, 0, NULL, UINT64_MAX, EMU_DMA_READ | EMU_DMA_WRITE), 0);
}

int rig_start(struct rig_queue *q, struct emu_dev *dev, unsigned int alg_type, unsigned int depth)
{
	struct emu_info info;
	int ret;

	memset(q, 0, sizeof(*q));
	emu_dev_info(dev, &info);
	q->dev = dev;
	q->qm = info.qm_version;
	q->depth = depth;
	q->phase = 1;
	q->sq = calloc(depth, sizeof(*q->sq));
	q->cq = calloc(depth, sizeof(*q->cq));
	assert_non_null(q->sq);
	assert_non_null(q->cq);
	ret = emu_queue_start(
		dev,
		&(struct emu_queue_cfg){ alg_type, depth, q->sq, q->cq, &q->stop[0], &q->stop[1] },
		&q->queue);
	if (ret) {
		free(q->sq);
		free(q->cq);
	}
	return ret;
}

void rig_stop(struct rig_queue *q)
{
	emu_queue_stop(q->queue);
	free(q->sq);
	free(q->cq);
}

void rig_fill(const struct rig_queue *q, struct hisi_zip_sqe *sqe, const struct rig_job *job)
{
	const uint64_t src = (uintptr_t)job->src, dst = (uintptr_t)job->dst;
	const uint64_t ctx = (uintptr_t)job->ctx + HISI_ZIP_CTX_SW_SIZE;

	memset(sqe, 0, sizeof(*sqe));
	/* What an earlier user of the slot left. */
	sqe->consumed = sqe->produced = sqe->result = 0xdeadbeef;
	sqe->src_len = job->src_len;
	sqe->dst_len = job->dst_len;
	sqe->src_ctrl = job->flags | (job->ctx ? HISI_ZIP_SRC_STREAM : 0) |
			(q->qm < 3 ? HISI_ZIP_SQE_TYPE0 : HISI_ZIP_SQE_TYPE3)
				<< HISI_ZIP_SRC_TYPE_SHIFT;
	sqe->req_ctrl = job->format | job->window << HISI_ZIP_REQ_WINDOW_SHIFT;
	sqe->tag_t0 = 0x12345678;
	sqe->tag_t3_h = 0x9abcdef0;
	sqe->src_l = src;
	sqe->src_h = src >> 32;
	sqe->dst_l = dst;
	sqe->dst_h = dst >> 32;
	if (!job->ctx)
		return;
	sqe->ctx_l = ctx;
	sqe->ctx_h = ctx >> 32;
	sqe->ctx_w0 = job->ctx_w0;
	sqe->ctx_w1 = job->ctx_w1;
	sqe->ctx_w2 = job->ctx_w2;
	sqe->isize = job->isize;
	sqe->checksum = job->checksum;
}

unsigned int rig_put(struct rig_queue *q, const struct hisi_zip_sqe *sqe)
{
	unsigned int slot = q->tail;

	q->sq[slot] = *sqe;
	q->tail = (slot + 1) % q->depth;
	return slot;
}

static uint64_t doorbell(const struct rig_queue *q, uint64_t command, uint64_t index,
			 uint64_t priority)
{
	const unsigned int shift = q->qm == 1 ? HISI_QM_DB_V1_CMD_SHIFT : HISI_QM_DB_V2_CMD_SHIFT;

	return emu_queue_number(q->queue) | command << shift | index << HISI_QM_DB_INDEX_SHIFT |
	       priority << HISI_QM_DB_PRIO_SHIFT;
}

void rig_ring(struct rig_queue *q)
{
	emu_queue_doorbell(q->queue, doorbell(q, HISI_QM_DB_CMD_SQ, q->tail, 0));
}

void rig_ring_cq(struct rig_queue *q, bool is_arming)
{
	emu_queue_doorbell(q->queue, doorbell(q, HISI_QM_DB_CMD_CQ, q->cq_head, is_arming));
}

bool rig_take(struct rig_queue *q, struct hisi_zip_sqe *sqe, unsigned int timeout_ms)
{
	struct hisi_qm_cqe *cqe = &q->cq[q->cq_head];

	while ((__atomic_load_n(&cqe->phase, __ATOMIC_ACQUIRE) & HISI_QM_CQE_PHASE) != q->phase) {
		if (emu_queue_wait(q->queue, timeout_ms))
			return false;
		/* Armed anew, the event tells of what comes and of what came already. */
		rig_ring_cq(q, true);
	}
	assert_int_equal(cqe->sq_head, q->head);
	assert_int_equal(cqe->sq_num, emu_queue_number(q->queue));
	*sqe = q->sq[cqe->sq_head];
	q->head = (q->head + 1) % q->depth;
	q->cq_head = (q->cq_head + 1) % q->depth;
	if (!q->cq_head)
		q->phase ^= 1;
	rig_ring_cq(q, false);
	return true;
}

void rig_run(struct rig_queue *q, struct rig_job *job)
{
	struct hisi_zip_sqe in, out;

	rig_fill(q, &in, job);
	rig_put(q, &in);
	rig_ring(q);
	assert_true(rig_take(q, &out, 60000));
	job->consumed = out.consumed;
	job->produced = out.produced;
	job->result = out.result;
	job->status = out.result & HISI_ZIP_RESULT_STATUS;
	job->ctx_w0 = out.ctx_w0;
	job->ctx_w1 = out.ctx_w1;
	job->ctx_w2 = out.ctx_w2;
	job->isize = out.isize;
	job->checksum = out.checksum;
	assert_true(out.consumed <= job->src_len);
	assert_true(out.produced <= job->dst_len);
	/* Everything that is not an output comes back as it was. */
	out.consumed = in.consumed;
	out.produced = in.produced;
	out.comp_data_len = in.comp_data_len;
	out.result = in.result;
	out.ctx_w0 = in.ctx_w0;
	out.ctx_w1 = in.ctx_w1;
	out.ctx_w2 = in.ctx_w2;
	out.isize = in.isize;
	out.checksum = in.checksum;
	assert_memory_equal(&in, &out, sizeof(in));
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

void rig_data(uint8_t *buf, size_t len, enum rig_data kind)
{
	static const char *const words[] = {
		"queue ", "engine ", "ring\n",	 "doorbell ", "of ",
		"the ",	  "a ",	     "history ", "0x41, ",    "stream "
	};
	uint32_t seed = 20240229 + kind;
	size_t i = 0;

	while (i < len) {
		const enum rig_data now = kind == RIG_MIXED ? i / 20000 % RIG_MIXED : kind;
		const char *word = words[next_random(&seed) % 10];

		if (now == RIG_ZEROS)
			buf[i++] = 0;
		else if (now == RIG_NOISE)
			buf[i++] = next_random(&seed) >> 8;
		else
			while (*word && i < len)
				buf[i++] = *word++;
	}
}

size_t rig_deflate(uint8_t *dst, size_t room, const uint8_t *src, size_t len, unsigned int format,
		   int level, int strategy)
{
	z_stream z = { 0 };
	uint32_t sum = rig_sum(format, src, len);
	size_t n;

	assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, -15, 8, strategy), Z_OK);
	z.next_in = (Bytef *)src;
	z.avail_in = len;
	z.next_out = dst;
	z.avail_out = room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	n = z.total_out;
	deflateEnd(&z);
	assert_true(n + 8 <= room);
	if (format == HISI_ZIP_FORMAT_ZLIB)
		for (int i = 0; i < 4; i++)
			dst[n++] = sum >> (24 - 8 * i);
	if (format == HISI_ZIP_FORMAT_GZIP) {
		for (int i = 0; i < 4; i++)
			dst[n++] = sum >> 8 * i;
		for (int i = 0; i < 4; i++)
			dst[n++] = (uint32_t)len >> 8 * i;
	}
	return n;
}

size_t rig_inflate(uint8_t *dst, size_t room, const uint8_t *src, size_t len, size_t *used)
{
	z_stream z = { 0 };
	size_t n;

	assert_int_equal(inflateInit2(&z, -15), Z_OK);
	z.next_in = (Bytef *)src;
	z.avail_in = len;
	z.next_out = dst;
	z.avail_out = room;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	n = z.total_out;
	*used = z.total_in;
	inflateEnd(&z);
	return n;
}

uint32_t rig_sum(unsigned int format, const uint8_t *plain, size_t len)
{
	if (format == HISI_ZIP_FORMAT_ZLIB)
		return adler32(1, plain, len);
	return format == HISI_ZIP_FORMAT_GZIP ? crc32(0, plain, len) : 0;
}

uint32_t rig_sum_field(unsigned int format, uint32_t sum)
{
	uint32_t field = 0;

	if (format != HISI_ZIP_FORMAT_GZIP)
		return sum;
	for (int i = 0; i < 32; i++)
		field |= (sum >> i & 1) << (31 - i);
	return ~field;
}
