/* SPDX-License-Identifier: Zlib */
/* The kernel of the transport tests. What it promises is in uapi/wd/sdmdev.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wd/hisi_qm.h>
#include <wd/hisi_zip.h>
#include "drv/hisi_qm.h"
#include "emu/emu.h"
#include "fake_kernel.h"
#include "transport/sys.h"
#include "../unit/unit.h"

#define FDS 1024
#define SLICES 16
#define SHARES 64
#define QUEUES (FAKE_FUNCTIONS * FAKE_QUEUES)
#define GROUP_BASE 10
#define NUMBER_BASE 100
#define DMA_BASE 0x10000000
#define UACCE_CMD_START_Q _IO('W', 0)
#define UACCE_CMD_PUT_Q _IO('W', 1)
#define UACCE_CMD_GET_SS_DMA _IOR('W', 3, unsigned long)
#define UACCE_FLAG_SVA 0x1
#define UACCE_FLAG_NOIOMMU 0x2
#define UACCE_FLAG_IOMMU 0x80
#define UACCE_SLICE_LEN (1ul << 20) /* without an IOMMU */

struct range {
	uint64_t start, len, dma;
	void *mem;
	unsigned int maps;
};

struct queue {
	unsigned int index;
	int is_taken; /* by another process, or the parent */
	int is_open;
	unsigned int maps; /* of its regions */
	int has_no_file;   /* lives until the last of them goes */
	unsigned int op_type;
	struct emu_queue *emu;
	struct queue *container; /* the queue itself, once its group is in one */
	int has_iommu;
	char *mmio, *dus;
	size_t mmio_len, dus_len;
	int events[SDMDEV_IRQS];
	struct range slices[SLICES], shares[SHARES], dma_maps[SHARES];
	char *ss; /* uacce's: what slices are of */

	/* Mediated: the rings that the device sees. */
	char *rings;
	size_t rings_len;
	unsigned int tail, head, phase, in_flight;
};

enum kind { NONE, GROUP, CONTAINER, DEVICE, UACCE, EVENT };
static struct file {
	enum kind kind;
	struct queue *queue;
	unsigned int inode;
	int is_known; /* its identity was asked for */
} files[FDS];
static unsigned int inodes;

/* Guards all of it; not held where something waits. */
pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
static struct fake_setup setup;
static struct emu_dev *dev;
static struct emu_info info;
static struct queue queues[QUEUES];
static int taken_functions[FAKE_FUNCTIONS];
static struct fake_counts counts;
static unsigned int calls, failing_call, refused;
static int failing_error;
static unsigned int zero_in; /* files; 0: none gets that number */
static const char *answer_to, *answer, *answer_to_too, *answer_too;
static unsigned int answer_of; /* a function; FAKE_FUNCTIONS: all */
static int nodes[FAKE_FUNCTIONS], cpu_node, open_error;
static int is_gone;
static uint32_t generation;
static uint64_t next_dma;
static size_t page_len;
static int epoll = -1;
static pthread_t interrupts;
static int has_interrupts;

const char *fake_parent(unsigned int function)
{
	static const char *const names[] = { "0000:75:00.0", "0000:76:00.0" };

	return names[function];
}

static const char *uuid_of(const struct queue *q)
{
	static char text[QUEUES][40];

	snprintf(text[q->index], 40, "00000000-0000-5000-8000-%012u", q->index);
	return text[q->index];
}

/* Files */

static int file_new(enum kind kind, struct queue *q)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0 || fd >= FDS)
		abort();
	if (zero_in && !--zero_in) {
		if (dup2(fd, 0))
			abort();
		close(fd);
		fd = 0;
	}
	files[fd] = (struct file){ kind, q, ++inodes, 0 };
	counts.fds++;
	return fd;
}

static void *pages_new(size_t len)
{
	void *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED || madvise(mem, len, MADV_DONTFORK))
		abort();
	return mem;
}

static struct sdmdev_status *status_of(const struct queue *q)
{
	return (void *)(q->dus + q->dus_len - page_len);
}

static void set_state(struct queue *q, uint32_t state)
{
	__atomic_store_n(&status_of(q)->generation, generation, __ATOMIC_RELEASE);
	__atomic_store_n(&status_of(q)->state, state, __ATOMIC_RELEASE);
}

static void set_stop_words(struct queue *q, uint32_t value)
{
	char *end = q->dus + q->dus_len;

	__atomic_store_n((uint32_t *)(end - HISI_QM_TX_STOP_FROM_END), value, __ATOMIC_RELEASE);
	__atomic_store_n((uint32_t *)(end - HISI_QM_RX_STOP_FROM_END), value, __ATOMIC_RELEASE);
}

static void signal_event(const struct queue *q, enum sdmdev_irq irq)
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
		if (queues[event.data.u32].emu)
			signal_event(&queues[event.data.u32], SDMDEV_IRQ_UPDATE);
		pthread_mutex_unlock(&fake_lock);
	}
}

static void interrupts_add(int fd, unsigned int index)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u32 = index };
	sigset_t all, old;

	if (epoll < 0)
		epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		abort();
	if (has_interrupts)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	if (pthread_create(&interrupts, NULL, interrupts_main, (void *)(intptr_t)epoll))
		abort();
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	has_interrupts = 1;
}

static uint64_t emu_value(const struct queue *q, unsigned int cmd, unsigned int index,
			  unsigned int priority)
{
	return hisi_qm_doorbell(info.qm_version, emu_queue_number(q->emu), cmd, index, priority);
}

void fake_doorbell(void *tq, uint64_t value)
{
	unsigned int number = value & (info.qm_version == 1 ? 0xffff : 0x3ff);
	struct queue *q = &queues[(number - NUMBER_BASE) % QUEUES];
	int saved_errno = errno;

	pthread_mutex_lock(&fake_lock);
	if (q->emu)
		emu_queue_doorbell(q->emu, value - number + emu_queue_number(q->emu));
	pthread_mutex_unlock(&fake_lock);
	errno = saved_errno;
}

/* Queues */

static int queue_start(struct queue *q)
{
	char *rings = q->rings ? q->rings : q->dus;
	size_t len = q->rings ? q->rings_len : q->dus_len;
	struct emu_queue_cfg cfg = {
		.alg_type = q->op_type,
		.depth = info.depth,
		.sq = rings + HISI_QM_SQ_OFFSET,
		.cq = rings + HISI_QM_CQ_OFFSET(info.depth),
		.tx_stop = (uint32_t *)(rings + len - HISI_QM_TX_STOP_FROM_END),
		.rx_stop = (uint32_t *)(rings + len - HISI_QM_RX_STOP_FROM_END),
	};
	int r;

	if (q->emu)
		return -EBUSY;
	r = emu_queue_start(dev, &cfg, &q->emu);
	if (r)
		return r;
	set_state(q, SDMDEV_STATE_OK);
	counts.started++;
	if (setup.mode)
		interrupts_add(emu_queue_fd(q->emu), q->index);
	if (q->rings)
		emu_queue_doorbell(q->emu, emu_value(q, HISI_QM_DB_CMD_CQ, 0, 1));
	return 0;
}

static void queue_stop(struct queue *q)
{
	if (!q->emu)
		return;
	if (setup.mode)
		epoll_ctl(epoll, EPOLL_CTL_DEL, emu_queue_fd(q->emu), NULL);
	emu_queue_stop(q->emu);
	q->emu = NULL;
	counts.started--;
}

static void queue_open(struct queue *q)
{
	*q = (struct queue){ .index = q->index, .is_open = 1, .phase = HISI_QM_CQE_PHASE,
			     .events = { -1, -1 } };
	q->mmio_len = setup.mmio_len ? setup.mmio_len : page_len;
	q->mmio = pages_new(q->mmio_len);
	q->dus_len = hisi_qm_mem_len(info.depth, page_len);
	if (setup.mode & SDMDEV_DMA_MEDIATED) {
		q->rings_len = q->dus_len;
		q->rings = pages_new(q->rings_len);
		q->dus_len = page_len;
		q->mmio_len = 0;
	}
	q->dus = pages_new(q->dus_len);
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
		emu_dma_unmap(dev, share->start, share->len);
	range_drop(share, &counts.shares);
}

static void slice_drop(struct range *slice)
{
	if (slice->len) {
		emu_dma_unmap(dev, slice->dma, slice->len);
		munmap(slice->mem, slice->len);
	}
	range_drop(slice, &counts.slices);
}

static void queue_close(struct queue *q)
{
	queue_stop(q);
	for (unsigned int i = 0; i < SHARES; i++) {
		share_drop(&q->shares[i]);
		range_drop(&q->dma_maps[i], &counts.dma_maps);
	}
	for (unsigned int i = 0; i < SLICES; i++)
		slice_drop(&q->slices[i]);
	munmap(q->mmio, q->mmio_len ? q->mmio_len : page_len);
	munmap(q->dus, q->dus_len);
	if (q->rings)
		munmap(q->rings, q->rings_len);
	q->is_open = 0;
}

/* Memory */

static struct range *range_at(struct range *ranges, unsigned int nr, uint64_t start, uint64_t len)
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

static int map_dma(struct queue *q, const struct vfio_iommu_type1_dma_map *map)
{
	struct range *range = range_free(q->dma_maps, SHARES);

	if (map->argsz < sizeof(*map) || map->vaddr != map->iova || map->iova % page_len ||
	    map->size % page_len || !map->size || !(map->flags & VFIO_DMA_MAP_FLAG_READ))
		return -EINVAL;
	if (range_at(q->dma_maps, SHARES, map->iova, map->size))
		return -EEXIST;
	if (!range)
		return -ENOSPC;
	*range = (struct range){ .start = map->iova, .len = map->size };
	counts.dma_maps++;
	return 0;
}

static int unmap_dma(struct queue *q, struct vfio_iommu_type1_dma_unmap *unmap)
{
	struct range *range = range_at(q->dma_maps, SHARES, unmap->iova, unmap->size);
	struct range *share;

	if (!range || range->start != unmap->iova || range->len != unmap->size)
		return -EINVAL;
	while ((share = range_at(q->shares, SHARES, unmap->iova, unmap->size)))
		share_drop(share);
	range_drop(range, &counts.dma_maps);
	return 0;
}

static int share(struct queue *q, const struct sdmdev_share *arg)
{
	struct range *map = range_at(q->dma_maps, SHARES, arg->va, arg->len);
	struct range *range = range_free(q->shares, SHARES);
	int access = EMU_DMA_READ | (arg->flags & SDMDEV_SHARE_READ_ONLY ? 0 : EMU_DMA_WRITE);
	int r;

	if (!(setup.mode & (SDMDEV_DMA_SINGLE | SDMDEV_DMA_MULTI)))
		return -EOPNOTSUPP;
	if (arg->argsz < sizeof(*arg) || arg->va % page_len || arg->len % page_len || !map ||
	    map->start > arg->va || map->start + map->len < arg->va + arg->len)
		return -EINVAL;
	if (setup.aperture_end && arg->va + arg->len - 1 > setup.aperture_end)
		return -ERANGE;
	for (unsigned int i = 0; i < QUEUES; i++)
		if (range_at(queues[i].shares, SHARES, arg->va, arg->len))
			return &queues[i] == q ? -EEXIST : -EADDRINUSE;
	if (!range)
		return -ENOMEM;
	r = emu_dma_map(dev, arg->va, (void *)(uintptr_t)arg->va, arg->len, access);
	if (r)
		return r;
	*range = (struct range){ .start = arg->va, .len = arg->len };
	counts.shares++;
	return 0;
}

static int unshare(struct queue *q, const struct sdmdev_share *arg)
{
	struct range *range = range_at(q->shares, SHARES, arg->va, arg->len);

	if (!range || range->start != arg->va || range->len != arg->len)
		return -ENOENT;
	share_drop(range);
	return 0;
}

static int ss_alloc(struct queue *q, struct sdmdev_static *arg)
{
	struct range *slice = range_free(q->slices, SLICES);

	if (!(setup.mode & SDMDEV_DMA_STATIC))
		return -EOPNOTSUPP;
	if (arg->argsz < sizeof(*arg) || !arg->len || arg->len % page_len)
		return -EINVAL;
	if (!slice || arg->len > 4 << 20)
		return -ENOMEM;
	*slice = (struct range){ .start = (uint64_t)(slice - q->slices) << 32, .len = arg->len,
				 .dma = next_dma, .mem = pages_new(arg->len) };
	next_dma += slice->len + page_len;
	if (emu_dma_map(dev, slice->dma, slice->mem, slice->len, EMU_DMA_READ | EMU_DMA_WRITE))
		abort();
	counts.slices++;
	arg->offset = slice->start;
	arg->dma = slice->dma;
	return 0;
}

/* uacce's: one with an IOMMU; else every second one lies where the one before it ends. */
static int uacce_slices(struct queue *q, size_t len)
{
	size_t slice_len = setup.flags & UACCE_FLAG_IOMMU ? len : UACCE_SLICE_LEN;

	if (setup.flags <= UACCE_FLAG_SVA || !len || len % 65536)
		return -EINVAL;
	if (q->ss)
		return -EEXIST;
	if (len > (setup.slices_max ? setup.slices_max : 128 << 20) || len > SLICES * slice_len)
		return -ENOMEM;
	q->ss = pages_new(len);
	for (size_t i = 0, done = 0; done < len; i++, done += slice_len) {
		struct range *slice = &q->slices[i];

		*slice = (struct range){ .start = done, .len = len - done < slice_len ? len - done : slice_len,
					 .dma = next_dma, .mem = q->ss + done };
		next_dma += slice->len + (i % 2 ? page_len : 0);
		if (emu_dma_map(dev, slice->dma, slice->mem, slice->len, EMU_DMA_READ | EMU_DMA_WRITE))
			abort();
		counts.slices++;
	}
	return 0;
}

static void uacce_slices_drop(struct queue *q)
{
	for (unsigned int i = 0; i < SLICES; i++) {
		if (q->slices[i].len)
			emu_dma_unmap(dev, q->slices[i].dma, q->slices[i].len);
		range_drop(&q->slices[i], &counts.slices);
	}
	q->ss = NULL;
}

static int get_ss_dma(const struct queue *q, unsigned long *arg)
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

static int ss_free(struct queue *q, const struct sdmdev_static *arg)
{
	struct range *slice = range_at(q->slices, SLICES, arg->offset, 1);

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

static int queue_error(const struct queue *q)
{
	switch (status_of(q)->state) {
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

static int submit(struct queue *q, const struct sdmdev_submit *arg)
{
	const struct hisi_zip_sqe *from = (void *)(uintptr_t)arg->ptr;
	unsigned int nr = 0;
	int r = queue_error(q);

	if (r)
		return r;
	while (!r && nr < arg->count && nr < AT_ONCE && q->in_flight < info.depth - 1) {
		r = check_sqe(q, &from[nr]);
		if (r)
			break;
		memcpy(q->rings + q->tail * HISI_QM_SQE_SIZE, &from[nr++], HISI_QM_SQE_SIZE);
		q->tail = (q->tail + 1) % info.depth;
		q->in_flight++;
	}
	if (!nr) {
		refused += r != 0;
		return r ? r : -EAGAIN;
	}
	emu_queue_doorbell(q->emu, emu_value(q, HISI_QM_DB_CMD_SQ, q->tail, 0));
	return nr;
}

static int reap(struct queue *q, const struct sdmdev_submit *arg)
{
	const struct hisi_qm_cqe *cq = (void *)(q->rings + HISI_QM_CQ_OFFSET(info.depth));
	struct hisi_zip_sqe *to = (void *)(uintptr_t)arg->ptr;
	unsigned int nr = 0;
	int r = queue_error(q);

	if (r)
		return r;
	while (nr < arg->count && nr < AT_ONCE && q->in_flight) {
		if ((__atomic_load_n(&cq[q->head].phase, __ATOMIC_ACQUIRE) & HISI_QM_CQE_PHASE) !=
		    q->phase)
			break;
		memcpy(&to[nr++], q->rings + cq[q->head].sq_head * HISI_QM_SQE_SIZE,
		       HISI_QM_SQE_SIZE);
		q->head = (q->head + 1) % info.depth;
		if (!q->head)
			q->phase ^= HISI_QM_CQE_PHASE;
		q->in_flight--;
	}
	emu_queue_doorbell(q->emu, emu_value(q, HISI_QM_DB_CMD_CQ, q->head, 1));
	return nr ? (int)nr : -EAGAIN;
}

/* Calls */

/* Under the lock. */
static int is_failing(int *r)
{
	if (++calls != failing_call)
		return 0;
	*r = -failing_error;
	return 1;
}

static int group_ioctl(struct queue *q, unsigned long cmd, void *arg)
{
	unsigned int function = q->index / FAKE_QUEUES;

	switch (cmd) {
	case VFIO_GROUP_GET_STATUS:
		((struct vfio_group_status *)arg)->flags = VFIO_GROUP_FLAGS_VIABLE;
		return 0;
	case VFIO_GROUP_SET_CONTAINER:
		if (files[*(int *)arg].kind != CONTAINER || files[*(int *)arg].queue)
			return -EINVAL;
		files[*(int *)arg].queue = q;
		q->container = q;
		return 0;
	case VFIO_GROUP_GET_DEVICE_FD:
		if (strcmp(arg, uuid_of(q)) || !q->has_iommu)
			return -EINVAL;
		if (taken_functions[function])
			return -EBUSY;
		queue_open(q);
		q->has_iommu = 1;
		return file_new(DEVICE, q);
	}
	return -ENOTTY;
}

static int container_ioctl(struct queue *q, unsigned long cmd, void *arg)
{
	switch (cmd) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return (uintptr_t)arg == SDMDEV_IOMMU_TYPE;
	case VFIO_SET_IOMMU:
		if (!q || (uintptr_t)arg != SDMDEV_IOMMU_TYPE)
			return -EINVAL;
		q->has_iommu = 1;
		return 0;
	case VFIO_IOMMU_MAP_DMA:
		return q && q->is_open ? map_dma(q, arg) : -EINVAL;
	case VFIO_IOMMU_UNMAP_DMA:
		return q && q->is_open ? unmap_dma(q, arg) : -EINVAL;
	}
	return -ENOTTY;
}

static int region_info(const struct queue *q, struct vfio_region_info *region)
{
	const uint64_t lens[] = { q->mmio_len, q->dus_len, (uint64_t)SLICES << 32 };

	if (region->argsz < sizeof(*region) || region->index >= SDMDEV_REGIONS)
		return -EINVAL;
	region->offset = (uint64_t)region->index << 40;
	region->size = lens[region->index];
	return 0;
}

static int set_irqs(struct queue *q, const struct vfio_irq_set *set)
{
	int32_t fd;

	if (setup.has_no_events)
		return -ENOTTY;
	memcpy(&fd, set->data, sizeof(fd));
	if (set->argsz != sizeof(*set) + sizeof(fd) || set->index >= SDMDEV_IRQS ||
	    set->count != 1 || files[fd].kind != EVENT)
		return -EINVAL;
	q->events[set->index] = fd;
	return 0;
}

static int set_context(struct queue *q, struct hisi_qp_ctx *ctx)
{
	if (q->emu)
		return -EBUSY;
	q->op_type = ctx->qc_type;
	ctx->id = NUMBER_BASE + q->index;
	return 0;
}

static int get_info(const struct queue *q, struct sdmdev_info *out)
{
	*out = (struct sdmdev_info){
		.argsz = sizeof(*out), .dma_mode = setup.mode, .sqe_len = HISI_QM_SQE_SIZE,
		.sq_depth = info.depth, .cq_depth = info.depth, .number = NUMBER_BASE + q->index,
		.static_max = 64 << 20, .static_slices_max = SLICES, .ranges_max = SHARES,
		.aperture_end = setup.aperture_end ? setup.aperture_end : UINT64_MAX,
	};
	snprintf(out->api, sizeof(out->api), "hisi_qm_v%u", info.qm_version);
	return 0;
}

static int device_ioctl(struct queue *q, unsigned long cmd, void *arg)
{
	switch (cmd) {
	case VFIO_DEVICE_GET_REGION_INFO:
		return region_info(q, arg);
	case VFIO_DEVICE_SET_IRQS:
		return set_irqs(q, arg);
	case SDMDEV_CMD_GET_INFO:
		return get_info(q, arg);
	case HISI_QM_CMD_SET_QP_CTX:
		return set_context(q, arg);
	case VFIO_SDMDEV_CMD_BIND_PASID:
		if (!(setup.mode & SDMDEV_DMA_SVM))
			return -EOPNOTSUPP;
		return emu_dma_map(dev, 0, NULL, UINT64_MAX, EMU_DMA_READ | EMU_DMA_WRITE);
	case SDMDEV_CMD_START:
		return queue_start(q);
	case SDMDEV_CMD_STOP:
		queue_stop(q);
		return 0;
	case SDMDEV_CMD_SHARE:
		return share(q, arg);
	case SDMDEV_CMD_UNSHARE:
		return unshare(q, arg);
	case SDMDEV_CMD_SS_ALLOC:
		return ss_alloc(q, arg);
	case SDMDEV_CMD_SS_FREE:
		return ss_free(q, arg);
	case SDMDEV_CMD_SUBMIT:
		return q->rings ? submit(q, arg) : -EOPNOTSUPP;
	case SDMDEV_CMD_REAP:
		return q->rings ? reap(q, arg) : -EOPNOTSUPP;
	}
	return -ENOTTY;
}

static int uacce_ioctl(struct queue *q, unsigned long cmd, void *arg)
{
	if (is_gone)
		return -ENXIO;
	switch (cmd) {
	case HISI_QM_CMD_SET_QP_CTX:
		return set_context(q, arg);
	case HISI_QM_CMD_SET_QP_INFO:
		if (setup.has_no_info)
			return -EINVAL;
		*(struct hisi_qp_info *)arg = (struct hisi_qp_info){
			.sqe_size = HISI_QM_SQE_SIZE, .sq_depth = info.depth,
			.cq_depth = info.depth,
		};
		return 0;
	case UACCE_CMD_START_Q:
		return queue_start(q);
	case UACCE_CMD_PUT_Q:
		queue_stop(q);
		return 0;
	case UACCE_CMD_GET_SS_DMA:
		return get_ss_dma(q, arg);
	}
	return -EINVAL;
}

/* A failing device takes the queue away meanwhile, so nothing of it is held while time passes. */
static int wait_ioctl(struct queue *q, void *arg)
{
	for (uintptr_t left_ms = (uintptr_t)arg;; left_ms--) {
		int r;

		pthread_mutex_lock(&fake_lock);
		r = queue_error(q);
		if (!r)
			r = emu_queue_wait(q->emu, 0);
		pthread_mutex_unlock(&fake_lock);
		if (r != -ETIMEDOUT || !left_ms)
			return r;
		usleep(1000);
	}
}

static int fake_ioctl(int fd, unsigned long cmd, void *arg)
{
	int saved_errno = errno;
	struct file file;
	int r = -EBADF;

	pthread_mutex_lock(&fake_lock);
	file = files[fd];
	if (file.kind == DEVICE && cmd == VFIO_SDMDEV_CMD_WAIT) {
		int has_failed = is_failing(&r);

		pthread_mutex_unlock(&fake_lock);
		if (!has_failed)
			r = wait_ioctl(file.queue, arg);
		errno = saved_errno;
		return r;
	}
	if (cmd != UACCE_CMD_PUT_Q && cmd != SDMDEV_CMD_STOP && cmd != SDMDEV_CMD_UNSHARE &&
	    cmd != SDMDEV_CMD_SS_FREE && cmd != VFIO_IOMMU_UNMAP_DMA && is_failing(&r))
		goto unlock;
	if (file.kind == GROUP)
		r = group_ioctl(file.queue, cmd, arg);
	else if (file.kind == CONTAINER)
		r = container_ioctl(file.queue, cmd, arg);
	else if (file.kind == DEVICE)
		r = device_ioctl(file.queue, cmd, arg);
	else if (file.kind == UACCE)
		r = uacce_ioctl(file.queue, cmd, arg);
unlock:
	pthread_mutex_unlock(&fake_lock);
	errno = saved_errno;
	return r;
}

static int open_path(const char *path)
{
	unsigned int group;

	if (!strcmp(path, "/dev/" FAKE_UACCE) && !setup.mode) {
		if (open_error)
			return -open_error;
		for (unsigned int i = 0; i < QUEUES; i++)
			if (!queues[i].is_open && !queues[i].is_taken) {
				queue_open(&queues[i]);
				return file_new(UACCE, &queues[i]);
			}
		return -EBUSY;
	}
	if (!setup.mode)
		return -ENOENT;
	if (!strcmp(path, "/dev/vfio/vfio"))
		return file_new(CONTAINER, NULL);
	if (sscanf(path, "/dev/vfio/%u", &group) != 1 || group - GROUP_BASE >= QUEUES)
		return -ENOENT;
	for (unsigned int fd = 0; fd < FDS; fd++)
		if (files[fd].kind == GROUP && files[fd].queue == &queues[group - GROUP_BASE])
			return -EBUSY;
	if (queues[group - GROUP_BASE].is_taken || queues[group - GROUP_BASE].is_open)
		return -EBUSY;
	return file_new(GROUP, &queues[group - GROUP_BASE]);
}

static int fake_open(const char *path, int flags)
{
	int r;

	pthread_mutex_lock(&fake_lock);
	if (!is_failing(&r))
		r = (flags & O_ACCMODE) == O_RDWR ? open_path(path) : -EINVAL;
	pthread_mutex_unlock(&fake_lock);
	return r;
}

static int fake_close(int fd)
{
	struct file *file = &files[fd];

	pthread_mutex_lock(&fake_lock);
	if (file->kind == NONE)
		abort(); /* closed twice */
	if ((file->kind == DEVICE || file->kind == UACCE) && !file->queue->is_taken)
		queue_close(file->queue);
	if (file->kind == GROUP && file->queue->is_open && !file->queue->is_taken)
		abort(); /* before its device */
	if (file->kind == EVENT)
		for (unsigned int i = 0; i < QUEUES * SDMDEV_IRQS; i++)
			if (queues[i / SDMDEV_IRQS].events[i % SDMDEV_IRQS] == fd)
				queues[i / SDMDEV_IRQS].events[i % SDMDEV_IRQS] = -1;
	file->kind = NONE;
	counts.fds--;
	close(fd);
	pthread_mutex_unlock(&fake_lock);
	return 0;
}

/* Fails for a file that was just made only: else it would be nobody's, and stay. */
static int fake_identity(int fd, struct wd_sys_identity *identity)
{
	int r = 0;

	pthread_mutex_lock(&fake_lock);
	if (files[fd].is_known || !is_failing(&r)) {
		files[fd].is_known = 1;
		*identity = (struct wd_sys_identity){ .ino = files[fd].inode, .rdev = files[fd].kind };
	}
	pthread_mutex_unlock(&fake_lock);
	return r;
}

static int fake_eventfd(void)
{
	int r;

	pthread_mutex_lock(&fake_lock);
	if (!is_failing(&r))
		r = file_new(EVENT, NULL);
	pthread_mutex_unlock(&fake_lock);
	return r;
}

static int is_region(const struct queue *q, const void *mem)
{
	return q->is_open && (mem == q->dus || mem == q->mmio || (q->ss && mem == q->ss));
}

static int map(struct file *file, uint64_t off, size_t len, int prot, void **mem)
{
	struct queue *q = file->queue;
	unsigned int region = file->kind == DEVICE ? off >> 40 : off / page_len;
	struct range *slice;

	if (file->kind != DEVICE && file->kind != UACCE)
		return -EBADF;
	if (q->rings && region == SDMDEV_REGION_DUS && prot & PROT_WRITE)
		return -EACCES;
	if (region == SDMDEV_REGION_MMIO && len == q->mmio_len) {
		*mem = q->mmio;
	} else if (region == SDMDEV_REGION_DUS && len == q->dus_len) {
		*mem = q->dus;
	} else if (region == SDMDEV_REGION_STATIC && file->kind == DEVICE) {
		slice = range_at(q->slices, SLICES, off - ((uint64_t)region << 40), 1);
		if (!slice || len > slice->len)
			return -EINVAL;
		slice->maps++;
		*mem = slice->mem;
	} else if (region == SDMDEV_REGION_STATIC) {
		int r = uacce_slices(q, len);

		if (r)
			return r;
		*mem = q->ss;
	} else {
		return -EINVAL;
	}
	counts.maps++;
	q->maps += is_region(q, *mem);
	return 0;
}

static int fake_map(int fd, uint64_t off, size_t len, int prot, void **mem)
{
	int r;

	pthread_mutex_lock(&fake_lock);
	if (!is_failing(&r))
		r = map(&files[fd], off, len, prot, mem);
	pthread_mutex_unlock(&fake_lock);
	return r;
}

/* Whoever uses it after this is seen. */
static int fake_unmap(void *mem, size_t len)
{
	struct queue *orphan = NULL;

	pthread_mutex_lock(&fake_lock);
	for (unsigned int i = 0; i < QUEUES; i++) {
		struct queue *q = &queues[i];

		if (is_region(q, mem) && !--q->maps && q->has_no_file)
			orphan = q;
		if (q->is_open && !q->has_no_file && q->emu && (mem == q->dus || mem == q->mmio))
			abort(); /* the device still writes there */
		if (q->ss && q->ss == mem)
			uacce_slices_drop(q);
		for (unsigned int j = 0; j < SLICES; j++)
			if (q->slices[j].len && q->slices[j].mem == mem)
				q->slices[j].maps--;
	}
	mprotect(mem, len, PROT_NONE);
	counts.maps--;
	if (orphan)
		queue_close(orphan);
	pthread_mutex_unlock(&fake_lock);
	return 0;
}

/* uacce's readiness is the emulated device's own event. */
static int fake_poll(struct pollfd *fds, unsigned int nr, int timeout_ms)
{
	int saved_errno = errno;
	int fd = fds[0].fd;
	int r, has_failed;

	pthread_mutex_lock(&fake_lock);
	has_failed = is_failing(&r);
	if (files[fd].kind == UACCE && files[fd].queue->emu)
		fds[0].fd = emu_queue_fd(files[fd].queue->emu);
	pthread_mutex_unlock(&fake_lock);
	if (has_failed) {
		fds[0].fd = fd;
		return r;
	}
	r = poll(fds, nr, timeout_ms);
	if (r < 0)
		r = -errno;
	fds[0].fd = fd;
	errno = saved_errno;
	return r;
}

/* sysfs */

/* function: whose it is. */
static const char *attribute_of(const char *attr, unsigned int function)
{
	int is_answered = answer_of >= FAKE_FUNCTIONS || answer_of == function;
	static char text[64];
	unsigned int nr = 0;

	if (answer_to && !strcmp(attr, answer_to) && is_answered)
		return answer;
	if (answer_to_too && !strcmp(attr, answer_to_too) && is_answered)
		return answer_too;
	if (!strcmp(attr, "api"))
		snprintf(text, sizeof(text), "hisi_qm_v%u%s", info.qm_version,
			 setup.flags & UACCE_FLAG_NOIOMMU ? "_noiommu" : "");
	else if (!strcmp(attr, "state"))
		snprintf(text, sizeof(text), "ok");
	else if (!strcmp(attr, "dma_mode"))
		snprintf(text, sizeof(text), "%u", setup.mode);
	else if (!strcmp(attr, "algorithms"))
		snprintf(text, sizeof(text), "lz77_zstd\n%s", info.algs);
	else if (!strcmp(attr, "device/numa_node"))
		snprintf(text, sizeof(text), "1");
	else if (!strcmp(attr, "flags"))
		snprintf(text, sizeof(text), "%u", setup.flags);
	else if (!strcmp(attr, "region_dus_size"))
		snprintf(text, sizeof(text), "%zu", hisi_qm_mem_len(info.depth, page_len));
	else if (!strcmp(attr, "region_mmio_size"))
		snprintf(text, sizeof(text), "%zu",
			 setup.mmio_len ? (size_t)setup.mmio_len : page_len);
	else if (!strcmp(attr, "available_instances"))
		for (unsigned int i = 0; i <= QUEUES; i++) {
			snprintf(text, sizeof(text), "%u", nr);
			nr += i < QUEUES && !queues[i].is_open && !queues[i].is_taken;
		}
	else
		return NULL;
	return text;
}

/* What follows the name of a function, or NULL. */
static const char *behind_parent(const char *path, unsigned int *function)
{
	for (*function = 0; *function < FAKE_FUNCTIONS; ++*function) {
		char start[64];
		size_t len = snprintf(start, sizeof(start), "/sys/class/sdmdev/%s/device",
				      fake_parent(*function));

		if (setup.mode && !strncmp(path, start, len))
			return path + len;
	}
	return NULL;
}

static const char *node_attribute(const char *attr)
{
	static const char *const texts[][2] = {
		{ "online", "0,2-3" }, { "node0/distance", "10 15 30" }, { "node2/distance", "15 10 20" },
		{ "node3/distance", "30 20 10" },
	};

	if (answer_to_too && !strcmp(attr, answer_to_too))
		return answer_too;
	for (size_t i = 0; i < ARRAY_NR(texts); i++)
		if (!strcmp(attr, texts[i][0]))
			return texts[i][1];
	return NULL;
}

static int fake_node(void)
{
	int r;

	pthread_mutex_lock(&fake_lock);
	if (!is_failing(&r))
		r = cpu_node;
	pthread_mutex_unlock(&fake_lock);
	return r;
}

static int fake_read(const char *path, char *text, size_t text_len)
{
	static const char uacce[] = "/sys/class/uacce/", node[] = "/sys/devices/system/node/";
	const char *value = NULL;
	char number[16];
	unsigned int function;
	const char *rest;
	int r;

	pthread_mutex_lock(&fake_lock);
	if (is_failing(&r))
		goto unlock;
	rest = behind_parent(path, &function);
	if (rest && !strcmp(rest, "/params/node_id")) {
		snprintf(number, sizeof(number), "%d", nodes[function]);
		value = number;
	} else if (rest && !strncmp(rest, "/params/", 8))
		value = attribute_of(rest + 8, function);
	else if (rest && !strcmp(rest, "/isolate"))
		value = attribute_of("isolate", function);
	else if (!strncmp(path, node, sizeof(node) - 1))
		value = node_attribute(path + sizeof(node) - 1);
	else if (!setup.mode && !strncmp(path, uacce, sizeof(uacce) - 1))
		value = attribute_of(strchr(path + sizeof(uacce) - 1, '/') + 1, 0);
	r = value ? 0 : -ENOENT;
	if (value)
		snprintf(text, text_len, "%s", value);
unlock:
	pthread_mutex_unlock(&fake_lock);
	return r;
}

static int fake_readlink(const char *path, char *text, size_t text_len)
{
	unsigned int function;
	const char *rest;
	int r;

	pthread_mutex_lock(&fake_lock);
	if (is_failing(&r))
		goto unlock;
	r = -ENOENT;
	rest = behind_parent(path, &function);
	for (unsigned int i = 0; rest && i < FAKE_QUEUES; i++) {
		const struct queue *q = &queues[function * FAKE_QUEUES + i];

		if (!strncmp(rest + 1, uuid_of(q), 36)) {
			snprintf(text, text_len, "../../../kernel/iommu_groups/%u",
				 GROUP_BASE + q->index);
			if (answer_to && !strcmp(answer_to, "iommu_group"))
				snprintf(text, text_len, "%s", answer);
			r = 0;
		}
	}
unlock:
	pthread_mutex_unlock(&fake_lock);
	return r;
}

static int fake_access(const char *path, int mode)
{
	return 0;
}

static int names_of(const char *path, char *text)
{
	unsigned int function;
	int nr = 0;

	if (!strcmp(path, "/sys/class/sdmdev") && setup.mode) {
		for (; nr < FAKE_FUNCTIONS; nr++)
			text = stpcpy(text, fake_parent(nr)) + 1;
	} else if (!strcmp(path, "/sys/class/uacce") && !setup.mode) {
		text = stpcpy(text, answer_to && !*answer_to ? answer : FAKE_UACCE) + 1;
		nr++;
	} else if (behind_parent(path, &function)) {
		for (; nr < FAKE_QUEUES; nr++)
			text = stpcpy(text, uuid_of(&queues[function * FAKE_QUEUES + nr])) + 1;
		text = stpcpy(text, "params") + 1;
		nr++;
	} else {
		return -ENOENT;
	}
	*text = 0;
	return nr;
}

static int fake_names(const char *path, char **names)
{
	char *text = malloc(1024);
	int r;

	pthread_mutex_lock(&fake_lock);
	if (!is_failing(&r))
		r = names_of(path, text);
	pthread_mutex_unlock(&fake_lock);
	if (r < 0)
		free(text);
	else
		*names = text;
	return r;
}

static const struct wd_sys fake_sys = {
	.open = fake_open,
	.close = fake_close,
	.identity = fake_identity,
	.ioctl = fake_ioctl,
	.map = fake_map,
	.unmap = fake_unmap,
	.poll = fake_poll,
	.eventfd = fake_eventfd,
	.read = fake_read,
	.readlink = fake_readlink,
	.access = fake_access,
	.names = fake_names,
	.node = fake_node,
};

/* With uacce the device has the process's page tables. */
static void share_all(void)
{
	if (dev && !setup.mode && setup.flags & UACCE_FLAG_SVA &&
	    emu_dma_map(dev, 0, NULL, UINT64_MAX, EMU_DMA_READ | EMU_DMA_WRITE))
		abort();
}

/* Around fork: what the parent has open is another process's, and the thread is the parent's. */

static void fork_prepare(void)
{
	pthread_mutex_lock(&fake_lock);
	if (dev)
		emu_fork_prepare();
}

static void fork_parent(void)
{
	if (dev)
		emu_fork_parent();
	pthread_mutex_unlock(&fake_lock);
}

static void child_begin(void)
{
	if (dev)
		emu_fork_child();
	share_all();
	for (unsigned int i = 0; i < QUEUES; i++)
		if (queues[i].is_open)
			queues[i] = (struct queue){ .index = i, .is_taken = 1, .events = { -1, -1 } };
	if (epoll >= 0)
		close(epoll);
	epoll = -1;
	has_interrupts = 0;
}

static void fork_child(void)
{
	child_begin();
	pthread_mutex_unlock(&fake_lock);
}

void fake_forked(void)
{
	pthread_mutex_init(&fake_lock, NULL);
	child_begin();
}

void fake_kernel_init(const struct fake_setup *wanted)
{
	static int has_atfork;

	if (!has_atfork)
		assert_int_equal(pthread_atfork(fork_prepare, fork_parent, fork_child), 0);
	has_atfork = 1;
	setup = *wanted;
	if (!setup.mode && !setup.flags)
		setup.flags = UACCE_FLAG_SVA;
	page_len = sysconf(_SC_PAGESIZE);
	assert_int_equal(emu_dev_get(setup.emu, &dev), 0);
	emu_dev_info(dev, &info);
	share_all();
	for (unsigned int i = 0; i < QUEUES; i++)
		queues[i] = (struct queue){ .index = i, .events = { -1, -1 } };
	memset(taken_functions, 0, sizeof(taken_functions));
	memset(&counts, 0, sizeof(counts));
	failing_call = 0;
	zero_in = 0;
	fake_answer(NULL, NULL);
	fake_nodes(1, 1, 0);
	open_error = 0;
	refused = 0;
	is_gone = 0;
	generation = 0;
	next_dma = DMA_BASE;
	wd_sys = &fake_sys;
}

void fake_kernel_fini(void)
{
	if (has_interrupts) {
		int fd = eventfd(1, EFD_CLOEXEC);

		interrupts_add(fd, QUEUES);
		pthread_join(interrupts, NULL);
		close(fd);
		has_interrupts = 0;
	}
	if (epoll >= 0)
		close(epoll);
	epoll = -1;
	emu_dev_put(dev);
	dev = NULL;
	wd_sys = &wd_sys_linux;
}

struct fake_counts fake_counts(void)
{
	return counts;
}

unsigned int fake_calls(void)
{
	return calls;
}

void fake_fail(unsigned int call, int error)
{
	failing_call = call;
	failing_error = error;
}

void fake_number_zero(unsigned int n)
{
	zero_in = n;
}

void fake_answer(const char *attribute, const char *text)
{
	answer_to = attribute;
	answer = text;
	answer_to_too = NULL;
	answer_of = FAKE_FUNCTIONS;
}

void fake_answer_of(unsigned int function)
{
	answer_of = function;
}

void fake_answer_too(const char *attribute, const char *text)
{
	answer_to_too = attribute;
	answer_too = text;
}

void fake_nodes(int first, int second, int cpu)
{
	nodes[0] = first;
	nodes[1] = second;
	cpu_node = cpu;
}

void fake_refuse_open(int error)
{
	open_error = error;
}

unsigned int fake_refused(void)
{
	return refused;
}

void fake_take_group(unsigned int function, unsigned int queue)
{
	queues[function * FAKE_QUEUES + queue].is_taken = 1;
}

void fake_take_function(unsigned int function)
{
	taken_functions[function] = 1;
}

void fake_close_files(int with)
{
	pthread_mutex_lock(&fake_lock);
	for (unsigned int i = 0; i < QUEUES; i++)
		queues[i].events[0] = queues[i].events[1] = -1;
	for (int fd = 0; fd < FDS; fd++) {
		struct queue *q = files[fd].queue;

		if (files[fd].kind == NONE)
			continue;
		if (files[fd].kind == DEVICE || files[fd].kind == UACCE)
			q->has_no_file = 1;
		files[fd] = (struct file){ .inode = ++inodes };
		counts.fds--;
		if (with < 0 ? close(fd) : dup2(with, fd) != fd)
			abort();
	}
	pthread_mutex_unlock(&fake_lock);
}

void fake_want_removal(void)
{
	pthread_mutex_lock(&fake_lock);
	for (unsigned int i = 0; i < QUEUES; i++)
		if (queues[i].is_open) {
			__atomic_store_n(&status_of(&queues[i])->is_removal_wanted, 1,
					 __ATOMIC_RELEASE);
			signal_event(&queues[i], SDMDEV_IRQ_ERROR);
		}
	pthread_mutex_unlock(&fake_lock);
}

void fake_fail_device(enum sdmdev_state state)
{
	pthread_mutex_lock(&fake_lock);
	generation += state == SDMDEV_STATE_RESET;
	is_gone = state == SDMDEV_STATE_DEAD;
	for (unsigned int i = 0; i < QUEUES; i++) {
		if (!queues[i].is_open)
			continue;
		queue_stop(&queues[i]);
		set_stop_words(&queues[i], 1);
		if (setup.mode)
			set_state(&queues[i], state);
		signal_event(&queues[i], SDMDEV_IRQ_ERROR);
	}
	pthread_mutex_unlock(&fake_lock);
}
