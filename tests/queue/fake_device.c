/* SPDX-License-Identifier: Zlib */
/* Queues of the tests' kernel on the emulated device: start, memory, mediated requests. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wd/hisi_qm.h>
#include <wd/hisi_zip.h>
#include "drv/hisi_qm.h"
#include "fake_priv.h"

void *fake_pages_new(size_t len)
{
	void *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED || madvise(mem, len, MADV_DONTFORK))
		abort();
	return mem;
}

struct sdmdev_status *fake_status(const struct queue *q)
{
	return (void *)(q->dus + q->dus_len - fake.page_len);
}

void fake_set_state(struct queue *q, uint32_t state)
{
	__atomic_store_n(&fake_status(q)->generation, fake.generation, __ATOMIC_RELEASE);
	__atomic_store_n(&fake_status(q)->state, state, __ATOMIC_RELEASE);
}

void fake_set_stop_words(struct queue *q, uint32_t value)
{
	char *end = q->dus + q->dus_len;

	__atomic_store_n((uint32_t *)(end - HISI_QM_TX_STOP_FROM_END), value, __ATOMIC_RELEASE);
	__atomic_store_n((uint32_t *)(end - HISI_QM_RX_STOP_FROM_END), value, __ATOMIC_RELEASE);
}

void fake_signal(const struct queue *q, enum sdmdev_irq irq)
{
	const uint64_t one = 1;

	if (q->events[irq] >= 0 && write(q->events[irq], &one, sizeof(one)) < 0)
		return; /* is readable already */
}

/* The device's interrupts: an edge of its own event is one of the process's. */
static void *interrupts_main(void *arg)
{
	for (;;) {
		struct epoll_event event;

		if (epoll_wait((int)(intptr_t)arg, &event, 1, -1) != 1)
			continue;
		if (event.data.u32 == QUEUES)
			return NULL;
		pthread_mutex_lock(&fake_lock);
		if (fake.queues[event.data.u32].emu)
			fake_signal(&fake.queues[event.data.u32], SDMDEV_IRQ_UPDATE);
		pthread_mutex_unlock(&fake_lock);
	}
}

void fake_interrupts_add(int fd, unsigned int index)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u32 = index };
	sigset_t all, old;

	if (fake.epoll < 0)
		fake.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_ctl(fake.epoll, EPOLL_CTL_ADD, fd, &event))
		abort();
	if (fake.has_interrupts)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	if (pthread_create(&fake.interrupts, NULL, interrupts_main, (void *)(intptr_t)fake.epoll))
		abort();
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	fake.has_interrupts = 1;
}

static uint64_t emu_value(const struct queue *q, unsigned int cmd, unsigned int index,
			  unsigned int priority)
{
	return hisi_qm_doorbell(fake.info.qm_version, emu_queue_number(q->emu), cmd, index,
				priority);
}

void fake_doorbell(void *tq, uint64_t value)
{
	unsigned int number = value & (fake.info.qm_version == 1 ? 0xffff : 0x3ff);
	struct queue *q = &fake.queues[(number - NUMBER_BASE) % QUEUES];
	int saved_errno = errno;

	pthread_mutex_lock(&fake_lock);
	if (q->emu)
		emu_queue_doorbell(q->emu, value - number + emu_queue_number(q->emu));
	pthread_mutex_unlock(&fake_lock);
	errno = saved_errno;
}

/* Queues */

int fake_queue_start(struct queue *q)
{
	char *rings = q->rings ? q->rings : q->dus;
	size_t len = q->rings ? q->rings_len : q->dus_len;
	struct emu_queue_cfg cfg = {
		.alg_type = q->op_type,
		.depth = fake.info.depth,
		.sq = rings + HISI_QM_SQ_OFFSET,
		.cq = rings + HISI_QM_CQ_OFFSET(fake.info.depth),
		.tx_stop = (uint32_t *)(rings + len - HISI_QM_TX_STOP_FROM_END),
		.rx_stop = (uint32_t *)(rings + len - HISI_QM_RX_STOP_FROM_END),
	};
	int r;

	if (q->emu)
		return -EBUSY;
	r = emu_queue_start(fake.dev, &cfg, &q->emu);
	if (r)
		return r;
	fake_set_state(q, SDMDEV_STATE_OK);
	fake.counts.started++;
	if (fake.setup.mode)
		fake_interrupts_add(emu_queue_fd(q->emu), q->index);
	if (q->rings)
		emu_queue_doorbell(q->emu, emu_value(q, HISI_QM_DB_CMD_CQ, 0, 1));
	return 0;
}

void fake_queue_stop(struct queue *q)
{
	if (!q->emu)
		return;
	if (fake.setup.mode)
		epoll_ctl(fake.epoll, EPOLL_CTL_DEL, emu_queue_fd(q->emu), NULL);
	emu_queue_stop(q->emu);
	q->emu = NULL;
	fake.counts.started--;
}

void fake_queue_open(struct queue *q)
{
	*q = (struct queue){
		.index = q->index, .is_open = 1, .phase = HISI_QM_CQE_PHASE, .events = { -1, -1 }
	};
	q->mmio_len = fake.setup.mmio_len ? fake.setup.mmio_len : fake.page_len;
	q->mmio = fake_pages_new(q->mmio_len);
	q->dus_len = hisi_qm_mem_len(fake.info.depth, fake.page_len);
	if (fake.setup.mode & SDMDEV_DMA_MEDIATED) {
		q->rings_len = q->dus_len;
		q->rings = fake_pages_new(q->rings_len);
		q->dus_len = fake.page_len;
		q->mmio_len = 0;
	}
	q->dus = fake_pages_new(q->dus_len);
}

static void range_drop(struct range *range, unsigned int *count)
{
	if (!range->len)
		return;
	range->len = 0;
	--*count;
}

static void share_drop(struct range *share)
{
	if (share->len)
		emu_dma_unmap(fake.dev, share->start, share->len);
	range_drop(share, &fake.counts.shares);
}

static void slice_drop(struct range *slice)
{
	if (slice->len) {
		emu_dma_unmap(fake.dev, slice->dma, slice->len);
		munmap(slice->mem, slice->len);
	}
	range_drop(slice, &fake.counts.slices);
}

void fake_queue_close(struct queue *q)
{
	fake_queue_stop(q);
	for (unsigned int i = 0; i < SHARES; i++) {
		share_drop(&q->shares[i]);
		range_drop(&q->dma_maps[i], &fake.counts.dma_maps);
	}
	for (unsigned int i = 0; i < SLICES; i++)
		slice_drop(&q->slices[i]);
	munmap(q->mmio, q->mmio_len ? q->mmio_len : fake.page_len);
	munmap(q->dus, q->dus_len);
	if (q->rings)
		munmap(q->rings, q->rings_len);
	q->is_open = 0;
}

/* Memory */

struct range *fake_range_at(struct range *ranges, unsigned int nr, uint64_t start, uint64_t len)
{
	for (unsigned int i = 0; i < nr; i++)
		if (ranges[i].len && start < ranges[i].start + ranges[i].len &&
		    ranges[i].start < start + len)
			return &ranges[i];
	return NULL;
}

static struct range *range_free(struct range *ranges, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (!ranges[i].len)
			return &ranges[i];
	return NULL;
}

int fake_map_dma(struct queue *q, const struct vfio_iommu_type1_dma_map *map)
{
	struct range *range = range_free(q->dma_maps, SHARES);

	if (map->argsz < sizeof(*map) || map->vaddr != map->iova || map->iova % fake.page_len ||
	    map->size % fake.page_len || !map->size || !(map->flags & VFIO_DMA_MAP_FLAG_READ))
		return -EINVAL;
	if (fake_range_at(q->dma_maps, SHARES, map->iova, map->size))
		return -EEXIST;
	if (!range)
		return -ENOSPC;
	*range = (struct range){ .start = map->iova, .len = map->size };
	fake.counts.dma_maps++;
	return 0;
}

int fake_unmap_dma(struct queue *q, struct vfio_iommu_type1_dma_unmap *unmap)
{
	struct range *range = fake_range_at(q->dma_maps, SHARES, unmap->iova, unmap->size);
	struct range *share;

	if (!range || range->start != unmap->iova || range->len != unmap->size)
		return -EINVAL;
	while ((share = fake_range_at(q->shares, SHARES, unmap->iova, unmap->size)))
		share_drop(share);
	range_drop(range, &fake.counts.dma_maps);
	return 0;
}

int fake_share(struct queue *q, const struct sdmdev_share *arg)
{
	struct range *map = fake_range_at(q->dma_maps, SHARES, arg->va, arg->len);
	struct range *range = range_free(q->shares, SHARES);
	int access = EMU_DMA_READ | (arg->flags & SDMDEV_SHARE_READ_ONLY ? 0 : EMU_DMA_WRITE);
	int r;

	if (!(fake.setup.mode & (SDMDEV_DMA_SINGLE | SDMDEV_DMA_MULTI)))
		return -EOPNOTSUPP;
	if (arg->argsz < sizeof(*arg) || arg->va % fake.page_len || arg->len % fake.page_len ||
	    !map || map->start > arg->va || map->start + map->len < arg->va + arg->len)
		return -EINVAL;
	if (fake.setup.aperture_end && arg->va + arg->len - 1 > fake.setup.aperture_end)
		return -ERANGE;
	for (unsigned int i = 0; i < QUEUES; i++)
		if (fake_range_at(fake.queues[i].shares, SHARES, arg->va, arg->len))
			return &fake.queues[i] == q ? -EEXIST : -EADDRINUSE;
	if (!range)
		return -ENOMEM;
	r = emu_dma_map(fake.dev, arg->va, (void *)(uintptr_t)arg->va, arg->len, access);
	if (r)
		return r;
	*range = (struct range){ .start = arg->va, .len = arg->len };
	fake.counts.shares++;
	return 0;
}

int fake_unshare(struct queue *q, const struct sdmdev_share *arg)
{
	struct range *range = fake_range_at(q->shares, SHARES, arg->va, arg->len);

	if (!range || range->start != arg->va || range->len != arg->len)
		return -ENOENT;
	share_drop(range);
	return 0;
}

int fake_ss_alloc(struct queue *q, struct sdmdev_static *arg)
{
	struct range *slice = range_free(q->slices, SLICES);

	if (!(fake.setup.mode & SDMDEV_DMA_STATIC))
		return -EOPNOTSUPP;
	if (arg->argsz < sizeof(*arg) || !arg->len || arg->len % fake.page_len)
		return -EINVAL;
	if (!slice || arg->len > 4 << 20)
		return -ENOMEM;
	*slice = (struct range){ .start = (uint64_t)(slice - q->slices) << 32,
				 .len = arg->len,
				 .dma = fake.next_dma,
				 .mem = fake_pages_new(arg->len) };
	fake.next_dma += slice->len + fake.page_len;
	if (emu_dma_map(fake.dev, slice->dma, slice->mem, slice->len, EMU_DMA_READ | EMU_DMA_WRITE))
		abort();
	fake.counts.slices++;
	arg->offset = slice->start;
	arg->dma = slice->dma;
	return 0;
}

/* uacce's: one with an IOMMU; else every second one lies where the one before it ends. */
int fake_uacce_slices(struct queue *q, size_t len)
{
	size_t slice_len = fake.setup.flags & UACCE_FLAG_IOMMU ? len : UACCE_SLICE_LEN;

	if (fake.setup.flags <= UACCE_FLAG_SVA || !len || len % 65536)
		return -EINVAL;
	if (q->ss)
		return -EEXIST;
	if (len > (fake.setup.slices_max ? fake.setup.slices_max : 128 << 20) ||
	    len > SLICES * slice_len)
		return -ENOMEM;
	q->ss = fake_pages_new(len);
	for (size_t i = 0, done = 0; done < len; i++, done += slice_len) {
		struct range *slice = &q->slices[i];

		*slice = (struct range){ .start = done,
					 .len = len - done < slice_len ? len - done : slice_len,
					 .dma = fake.next_dma,
					 .mem = q->ss + done };
		fake.next_dma += slice->len + (i % 2 ? fake.page_len : 0);
		if (emu_dma_map(fake.dev, slice->dma, slice->mem, slice->len,
				EMU_DMA_READ | EMU_DMA_WRITE))
			abort();
		fake.counts.slices++;
	}
	return 0;
}

void fake_uacce_slices_drop(struct queue *q)
{
	for (unsigned int i = 0; i < SLICES; i++) {
		if (q->slices[i].len)
			emu_dma_unmap(fake.dev, q->slices[i].dma, q->slices[i].len);
		range_drop(&q->slices[i], &fake.counts.slices);
	}
	q->ss = NULL;
}

int fake_get_ss_dma(const struct queue *q, unsigned long *arg)
{
	unsigned int left = 0;
	unsigned long index = *arg;

	if (index >= SLICES || !q->slices[index].len)
		return -EINVAL;
	*arg = q->slices[index].dma | q->slices[index].len >> 16;
	while (++index < SLICES && q->slices[index].len)
		left++;
	return left;
}

int fake_ss_free(struct queue *q, const struct sdmdev_static *arg)
{
	struct range *slice = fake_range_at(q->slices, SLICES, arg->offset, 1);

	if (!slice || slice->start != arg->offset)
		return -ENOENT;
	if (slice->maps)
		return -EBUSY;
	slice_drop(slice);
	return 0;
}

/* Mediated requests */

static int owns(const struct queue *q, uint32_t low, uint32_t high, uint64_t len)
{
	uint64_t dma = (uint64_t)high << 32 | low;

	for (unsigned int i = 0; i < SLICES; i++) {
		const struct range *slice = &q->slices[i];

		if (slice->len && dma >= slice->dma && dma + len <= slice->dma + slice->len)
			return 1;
	}
	return 0;
}

static int check_sqe(const struct queue *q, const struct hisi_zip_sqe *sqe)
{
	if (!owns(q, sqe->src_l, sqe->src_h, sqe->src_len) ||
	    !owns(q, sqe->dst_l, sqe->dst_h, sqe->dst_len))
		return -EACCES;
	if (sqe->src_ctrl & HISI_ZIP_SRC_STREAM &&
	    !owns(q, sqe->ctx_l, sqe->ctx_h, HISI_ZIP_CTX_SIZE - HISI_ZIP_CTX_SW_SIZE))
		return -EACCES;
	return 0;
}

int fake_queue_error(const struct queue *q)
{
	switch (fake_status(q)->state) {
	case SDMDEV_STATE_OK:
		return 0;
	case SDMDEV_STATE_DEAD:
		return -ENODEV;
	default:
		return -EIO;
	}
}

/* Few at a time: the caller has to come again. */
#define AT_ONCE 3u

int fake_submit(struct queue *q, const struct sdmdev_submit *arg)
{
	const struct hisi_zip_sqe *from = (void *)(uintptr_t)arg->ptr;
	unsigned int nr = 0;
	int r = fake_queue_error(q);

	if (r)
		return r;
	while (!r && nr < arg->count && nr < AT_ONCE && q->in_flight < fake.info.depth - 1) {
		r = check_sqe(q, &from[nr]);
		if (r)
			break;
		memcpy(q->rings + q->tail * HISI_QM_SQE_SIZE, &from[nr++], HISI_QM_SQE_SIZE);
		q->tail = (q->tail + 1) % fake.info.depth;
		q->in_flight++;
	}
	if (!nr) {
		fake.refused += r != 0;
		return r ? r : -EAGAIN;
	}
	emu_queue_doorbell(q->emu, emu_value(q, HISI_QM_DB_CMD_SQ, q->tail, 0));
	return nr;
}

int fake_reap(struct queue *q, const struct sdmdev_submit *arg)
{
	const struct hisi_qm_cqe *cq = (void *)(q->rings + HISI_QM_CQ_OFFSET(fake.info.depth));
	struct hisi_zip_sqe *to = (void *)(uintptr_t)arg->ptr;
	unsigned int nr = 0;
	int r = fake_queue_error(q);

	if (r)
		return r;
	while (nr < arg->count && nr < AT_ONCE && q->in_flight) {
		if ((__atomic_load_n(&cq[q->head].phase, __ATOMIC_ACQUIRE) & HISI_QM_CQE_PHASE) !=
		    q->phase)
			break;
		memcpy(&to[nr++], q->rings + cq[q->head].sq_head * HISI_QM_SQE_SIZE,
		       HISI_QM_SQE_SIZE);
		q->head = (q->head + 1) % fake.info.depth;
		if (!q->head)
			q->phase ^= HISI_QM_CQE_PHASE;
		q->in_flight--;
	}
	emu_queue_doorbell(q->emu, emu_value(q, HISI_QM_DB_CMD_CQ, q->head, 1));
	return nr ? (int)nr : -EAGAIN;
}
