/* SPDX-License-Identifier: Zlib */
/* A device that does as a script of bytes says. */
#include "config.h"
#include "device.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct device device;

struct queue {
	struct wd_regions regions;
	unsigned int op_type, tail; /* as the doorbell said */
	unsigned int head, cq_tail, phase;
	unsigned int ahead; /* completions that were told before their requests came */
	bool is_hung;
	struct hisi_zip_sqe
		*taken; /* entries as the doorbell found them: what they name is there */
};

static struct queue *queues[DEVICE_QUEUES], *latest;
static struct emu_dma dma;
static struct emu_zip zip;
/* Of a queue of many threads one waits while another sends. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct hisi_zip_sqe *entry(const struct queue *q, unsigned int nr)
{
	return (struct hisi_zip_sqe *)q->regions.mem + nr % q->regions.depth;
}

static struct hisi_qm_cqe *completion(const struct queue *q, unsigned int nr)
{
	return (struct hisi_qm_cqe *)((uint8_t *)q->regions.mem +
				      HISI_QM_CQ_OFFSET(q->regions.depth)) +
	       nr % q->regions.depth;
}

static void set_stop(const struct queue *q, bool is_tx, bool is_rx)
{
	uint8_t *end = (uint8_t *)q->regions.mem + q->regions.mem_len;

	if (is_tx)
		*(uint32_t *)(end - HISI_QM_TX_STOP_FROM_END) = 1;
	if (is_rx)
		*(uint32_t *)(end - HISI_QM_RX_STOP_FROM_END) = 1;
}

static void put_random(void *mem, size_t len, unsigned int seed)
{
	struct random r = { seed };

	for (size_t i = 0; i < len; i++)
		((uint8_t *)mem)[i] = (uint8_t)random_next(&r);
}

/* Into the ring's entry. */
static void compute(const struct queue *q)
{
	struct hisi_zip_sqe sqe = q->taken[q->head];

	if (device.has_engine) {
		emu_zip_exec(&zip, q->op_type, &sqe);
	} else {
		sqe.consumed = sqe.src_len;
		sqe.produced = sqe.dst_len / 2;
		sqe.result = HISI_ZIP_OK;
	}
	*entry(q, q->head) = sqe;
}

/* Output and context are the device's, as far as the request said. */
static void scribble(const struct hisi_zip_sqe *sqe, bool is_context, unsigned int seed)
{
	uint8_t *ctx = (uint8_t *)(uintptr_t)emu_addr(sqe->ctx_l, sqe->ctx_h);
	uint8_t *dst = (uint8_t *)(uintptr_t)emu_addr(sqe->dst_l, sqe->dst_h);

	if (is_context && ctx)
		put_random(ctx + seed * 64, 200, seed);
	else if (!is_context && sqe->dst_len)
		put_random(dst + seed * 97 % sqe->dst_len,
			   (sqe->dst_len - seed * 97 % sqe->dst_len) % 50, seed);
}

static void advance(struct queue *q)
{
	if (++q->head == q->regions.depth)
		q->head = 0;
}

static void complete(struct queue *q, unsigned int sq_head, bool is_told)
{
	struct hisi_qm_cqe cqe = { .sq_head = (uint16_t)sq_head,
				   .sq_num = (uint16_t)q->regions.number,
				   .phase = (uint16_t)q->phase };

	if (is_told)
		*completion(q, q->cq_tail) = cqe;
	if (++q->cq_tail == q->regions.depth) {
		q->cq_tail = 0;
		q->phase ^= HISI_QM_CQE_PHASE;
	}
	device.completed_nr++;
}

/* The queue's oldest request. */
static void work(struct queue *q)
{
	unsigned int how = device.is_honest ? 0 : take_byte(&device.script), arg = 0;
	struct hisi_zip_sqe *sqe = entry(q, q->head);

	/* What is done is not written to any more: nobody could be right with a device that does.
	 */
	if (q->ahead) {
		q->ahead--;
		advance(q);
		return;
	}
	if (how >= 128) {
		device.has_lied = true;
		arg = take_byte(&device.script);
	}
	switch (how < 128 ? 0 : how % 24) {
	case 1: /* it takes no more part */
		q->is_hung = true;
		return;
	case 2:
		set_stop(q, arg & 1, arg & 2);
		device.state = arg & 4 ? WD_STATE_RESETTING : arg & 8 ? WD_STATE_DEAD : WD_STATE_OK;
		q->is_hung = arg & 16;
		device.generation++;
		device.is_stopped = true;
		return;
	case 3: /* an entry that is not this one */
		compute(q);
		complete(q, q->head + 1 + arg % 3, true);
		break;
	case 4:
		put_random(completion(q, q->cq_tail), sizeof(struct hisi_qm_cqe), arg);
		complete(q, q->head, arg & 1);
		break;
	case 5:
		put_random(sqe, sizeof(*sqe), arg);
		complete(q, q->head, true);
		break;
	case 6: /* one that is not its own, maybe being filled */
		compute(q);
		put_random(entry(q, arg), sizeof(*sqe), arg);
		complete(q, q->head, true);
		break;
	case 7: /* twice */
		compute(q);
		complete(q, q->head, true);
		complete(q, q->head + (arg & 1), true);
		q->ahead++;
		break;
	case 8: /* done, and not told */
		compute(q);
		complete(q, q->head, false);
		break;
	case 9: /* told, and not done */
		complete(q, q->head, true);
		break;
	case 10:
		compute(q);
		scribble(&q->taken[q->head], arg & 1, arg);
		complete(q, q->head, true);
		break;
	case 11:
		emu_zip_fail(sqe, arg);
		complete(q, q->head, true);
		break;
	default:
		compute(q);
		if (how >= 128)
			emu_lie_tell(EMU_LIE_CONSUMED +
					     arg % (EMU_LIE_ENTRY - EMU_LIE_CONSUMED + 1),
				     arg, sqe);
		complete(q, q->head, true);
		break;
	}
	advance(q);
}

static void work_all(struct queue *q)
{
	for (unsigned int nr = q->regions.depth; nr && !q->is_hung && q->head != q->tail; nr--)
		work(q);
}

void device_act(void)
{
	if (!latest || latest->is_hung)
		return;
	if (latest->head == latest->tail) { /* nothing to do, and something is done */
		if (take_byte(&device.script) < 200)
			return;
		device.has_lied = true;
	}
	work(latest);
}

/* The transport */

static int list(const char *options, struct wd_device_info *info, unsigned int nr)
{
	static const char apis[][16] = { HISI_QM_API_V1, HISI_QM_API_V2, HISI_QM_API_V3 };

	(void)options;
	if (!nr)
		return 1;
	*info = (struct wd_device_info){
		.name = "hostile-0",
		.transport = "hostile",
		.algs = "zlib gzip deflate",
		.numa_node = -1,
		.engines = 1,
		.queues_total = DEVICE_QUEUES,
		.queues_free = DEVICE_QUEUES,
		.max_len = WD_ZIP_MAX_LEN,
	};
	if (device.version < 3)
		strcpy(info->algs, "zlib gzip");
	strcpy(info->api, apis[device.version - 1]);
	return 1;
}

static int dev_open(const struct wd_device_info *info, void **dev)
{
	(void)info;
	*dev = &device;
	return 0;
}

static void dev_close(void *dev)
{
	(void)dev;
}

static int open_queue(void *dev, enum wd_op_type op_type, void **tq, struct wd_regions *regions)
{
	unsigned int nr = 0;
	struct queue *q;

	(void)dev;
	while (nr < DEVICE_QUEUES && queues[nr])
		nr++;
	if (nr == DEVICE_QUEUES)
		return -EBUSY;
	q = calloc(1, sizeof(*q));
	q->op_type = op_type;
	q->phase = HISI_QM_CQE_PHASE;
	q->regions = (struct wd_regions){
		.mmio_len = HISI_QM_DB_OFFSET_V2 + sizeof(uint64_t),
		.mem_len = hisi_qm_mem_len(device.depth, 4096),
		.depth = device.depth,
		.number = nr,
	};
	q->taken = calloc(device.depth, sizeof(*q->taken));
	q->regions.mmio = calloc(1, q->regions.mmio_len);
	q->regions.mem = aligned_alloc(4096, q->regions.mem_len);
	memset(q->regions.mem, 0, q->regions.mem_len);
	device.state = WD_STATE_OK;
	*regions = q->regions;
	*tq = latest = queues[nr] = q;
	return 0;
}

static void stop_queue(void *tq)
{
	((struct queue *)tq)->is_hung = true;
}

static void close_queue(void *tq, const struct wd_regions *regions)
{
	struct queue *q = tq;

	(void)regions;
	queues[q->regions.number] = NULL;
	latest = latest == q ? NULL : latest;
	free(q->taken);
	free(q->regions.mmio);
	free(q->regions.mem);
	free(q);
}

static void forget_queue(void *tq)
{
	(void)tq;
}

static void doorbell(void *tq, uint64_t value)
{
	const unsigned int shift =
		device.version == 1 ? HISI_QM_DB_V1_CMD_SHIFT : HISI_QM_DB_V2_CMD_SHIFT;
	struct queue *q = tq;
	unsigned int index = value >> HISI_QM_DB_INDEX_SHIFT & 0xffff;

	check(index < q->regions.depth, "a doorbell says %u of %u", index, q->regions.depth);
	if ((value >> shift & 0xf) != HISI_QM_DB_CMD_SQ)
		return;
	pthread_mutex_lock(&lock);
	for (; q->tail != index; q->tail = (q->tail + 1) % q->regions.depth)
		q->taken[q->tail] = *entry(q, q->tail);
	if (device.is_eager)
		work_all(q);
	pthread_mutex_unlock(&lock);
}

static int wait_queue(void *tq, unsigned int timeout_ms)
{
	struct queue *q = tq;
	uint64_t before;
	int ret;

	(void)timeout_ms;
	pthread_mutex_lock(&lock);
	before = device.completed_nr;
	work_all(q);
	ret = device.completed_nr != before ? 0 : -ETIMEDOUT;
	if (device.state == WD_STATE_DEAD)
		ret = -ENODEV;
	pthread_mutex_unlock(&lock);
	return ret;
}

static enum wd_state state_of(void *tq, unsigned int *generation)
{
	(void)tq;
	if (generation)
		*generation = device.generation;
	return device.state;
}

static int share(void *tq, const void *mem, size_t len, int flags, uint64_t *addr)
{
	int ret;

	(void)tq;
	if (!device.is_shared)
		return -EOPNOTSUPP;
	ret = emu_dma_add(&dma, (uintptr_t)mem, (void *)mem, len,
			  EMU_DMA_READ | (flags & WD_SHARE_READ ? 0 : EMU_DMA_WRITE));
	*addr = (uintptr_t)mem;
	return ret;
}

static void end_share(void *tq, uint64_t addr, size_t len)
{
	(void)tq;
	emu_dma_remove(&dma, addr, len);
}

static int share_all(void *tq)
{
	(void)tq;
	return device.is_shared
		       ? emu_dma_add(&dma, 0, NULL, UINT64_MAX, EMU_DMA_READ | EMU_DMA_WRITE)
		       : -EOPNOTSUPP;
}

static void unshare_all(void *tq)
{
	(void)tq;
	emu_dma_remove(&dma, 0, UINT64_MAX);
}

static int alloc_own(void *tq, size_t len, void **mem, uint64_t *addr)
{
	(void)tq;
	*mem = aligned_alloc(4096, len);
	memset(*mem, 0, len);
	*addr = (uintptr_t)*mem;
	return emu_dma_add(&dma, *addr, *mem, len, EMU_DMA_READ | EMU_DMA_WRITE);
}

static void free_own(void *tq, void *mem, size_t len)
{
	(void)tq;
	emu_dma_remove(&dma, (uintptr_t)mem, len);
	free(mem);
}

static const struct wd_transport hostile = {
	.name = "hostile",
	.list = list,
	.dev_open = dev_open,
	.dev_close = dev_close,
	.open = open_queue,
	.stop = stop_queue,
	.close = close_queue,
	.forget = forget_queue,
	.wait = wait_queue,
	.doorbell = doorbell,
	.state = state_of,
	.share = share,
	.unshare = end_share,
	.share_all = share_all,
	.unshare_all = unshare_all,
	.alloc = alloc_own,
	.free = free_own,
};

/* In place of the library's own: there is this device, and no other. */
const struct wd_transport *const wd_transports[] = { &hostile, NULL };

void device_setup(void)
{
	emu_dma_init(&dma);
	emu_dma_attach(&dma, &zip.dma);
	zip.codec = &emu_codec_zlib;
	if (zip.codec->open())
		exit(77);
	zip.work = zip.codec->work_new(emu_streams_new());
	zip.qm = 3;
}
