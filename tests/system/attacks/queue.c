/* SPDX-License-Identifier: Zlib */
/* A queue as an attack or its victim has it. */
#define _GNU_SOURCE
#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/vfio.h>

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000) + ts.tv_nsec / 1000000;
}

void say(const char *format, ...)
{
	const uint64_t ms = now_ms();
	char line[256];
	va_list args;
	int len;

	len = snprintf(line, sizeof(line), "# [%llu.%03u] ", (unsigned long long)ms / 1000,
		       (unsigned int)(ms % 1000));
	va_start(args, format);
	len += vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	va_end(args);
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	/* One call, no buffer: who writes may be about to hang or to be killed. */
	if (write(STDOUT_FILENO, line, len) != len)
		_exit(99);
}

void must(int ret, const char *what)
{
	if (!ret)
		return;
	say("%s: %s", what, strerror(-ret));
	_exit(1);
}

int queue_call(struct queue *q, unsigned long cmd)
{
	return ioctl(q->fd, cmd) < 0 ? -errno : 0;
}

int queue_is_direct(const struct queue *q)
{
	return !!(q->info.dma_mode & (SDMDEV_DMA_SINGLE | SDMDEV_DMA_MULTI | SDMDEV_DMA_SVM));
}

static void *region_map(struct queue *q, enum sdmdev_region region, uint64_t off, size_t len)
{
	void *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, q->fd,
			 q->region_off[region] + off);

	return mem == MAP_FAILED ? NULL : mem;
}

static int map_rings(struct queue *q)
{
	const size_t len = q->region_len[SDMDEV_REGION_DUS];
	char *dus = region_map(q, SDMDEV_REGION_DUS, 0, len);
	size_t doorbell_off;

	if (!dus)
		return -errno;
	q->dus = dus;
	q->status = (struct sdmdev_status *)(dus + len - PAGE);
	if (!queue_is_direct(q))
		return 0;
	q->mmio = region_map(q, SDMDEV_REGION_MMIO, 0, q->region_len[SDMDEV_REGION_MMIO]);
	if (!q->mmio)
		return -errno;
	/* Alone in its page, or behind what else the queue has there. */
	doorbell_off = q->region_len[SDMDEV_REGION_MMIO] > PAGE ? HISI_QM_DB_OFFSET_V2 : 0;
	q->doorbell = (volatile uint64_t *)(q->mmio + doorbell_off);
	q->sq = (struct hisi_zip_sqe *)dus;
	q->cq = (struct hisi_qm_cqe *)(dus + HISI_QM_CQ_OFFSET(q->info.sq_depth));
	return 0;
}

static int open_device(struct queue *q, const char *group, const char *uuid)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	q->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	q->group = open(path, O_RDWR | O_CLOEXEC);
	if (q->container < 0 || q->group < 0 ||
	    ioctl(q->group, VFIO_GROUP_SET_CONTAINER, &q->container) ||
	    ioctl(q->container, VFIO_SET_IOMMU, SDMDEV_IOMMU_TYPE))
		return -errno;
	q->fd = ioctl(q->group, VFIO_GROUP_GET_DEVICE_FD, uuid);
	return q->fd < 0 ? -errno : 0;
}

int queue_open(struct queue *q, const char *group, const char *uuid)
{
	int ret;

	*q = (struct queue){ .container = -1, .group = -1, .fd = -1 };
	ret = open_device(q, group, uuid);
	q->info.argsz = sizeof(q->info);
	if (!ret && ioctl(q->fd, SDMDEV_CMD_GET_INFO, &q->info))
		ret = -errno;
	for (unsigned int i = 0; !ret && i < SDMDEV_REGIONS; i++) {
		struct vfio_region_info region = { .argsz = sizeof(region), .index = i };

		if (ioctl(q->fd, VFIO_DEVICE_GET_REGION_INFO, &region))
			ret = -errno;
		q->region_off[i] = region.offset;
		q->region_len[i] = region.size;
	}
	if (!ret)
		ret = map_rings(q);
	if (ret)
		queue_close(q);
	return ret;
}

/* Its mappings as well: they keep the device open. */
void queue_close(struct queue *q)
{
	const int fds[] = { q->fd, q->group, q->container };

	if (q->mmio)
		munmap(q->mmio, q->region_len[SDMDEV_REGION_MMIO]);
	if (q->dus)
		munmap(q->dus, q->region_len[SDMDEV_REGION_DUS]);
	if (q->mem)
		munmap(q->mem, q->mem_len);
	for (unsigned int i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*q = (struct queue){ .container = -1, .group = -1, .fd = -1 };
}

char *anonymous(size_t len)
{
	char *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		must(-errno, "memory");
	memset(mem, 'x', len);
	return mem;
}

int queue_map(struct queue *q, void *mem, size_t len)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)mem,
		.iova = (uintptr_t)mem,
		.size = len,
	};

	return ioctl(q->container, VFIO_IOMMU_MAP_DMA, &arg) ? -errno : 0;
}

int queue_unmap(struct queue *q, void *mem, size_t len)
{
	struct vfio_iommu_type1_dma_unmap arg = { .argsz = sizeof(arg),
						  .iova = (uintptr_t)mem,
						  .size = len };

	return ioctl(q->container, VFIO_IOMMU_UNMAP_DMA, &arg) ? -errno : 0;
}

static int share_call(struct queue *q, unsigned long cmd, void *mem, size_t len)
{
	struct sdmdev_share arg = { .argsz = sizeof(arg), .va = (uintptr_t)mem, .len = len };

	return ioctl(q->fd, cmd, &arg) ? -errno : 0;
}

int queue_share(struct queue *q, void *mem, size_t len)
{
	return share_call(q, SDMDEV_CMD_SHARE, mem, len);
}

int queue_unshare(struct queue *q, void *mem, size_t len)
{
	return share_call(q, SDMDEV_CMD_UNSHARE, mem, len);
}

int queue_memory(struct queue *q, size_t len)
{
	int ret;

	q->mem_len = len;
	if (queue_is_direct(q)) {
		q->mem = anonymous(len);
		q->dma = (uintptr_t)q->mem;
		if (q->info.dma_mode & SDMDEV_DMA_SVM)
			return 0; /* shared as all memory is */
		ret = queue_map(q, q->mem, len);
		return ret ? ret : queue_share(q, q->mem, len);
	}
	q->slice = (struct sdmdev_static){ .argsz = sizeof(q->slice), .len = len };
	if (ioctl(q->fd, SDMDEV_CMD_SS_ALLOC, &q->slice))
		return -errno;
	q->dma = q->slice.dma;
	q->mem = region_map(q, SDMDEV_REGION_STATIC, q->slice.offset, len);
	if (!q->mem)
		return -errno;
	memset(q->mem, 'x', len);
	return 0;
}

int queue_start(struct queue *q, unsigned int type)
{
	struct hisi_qp_ctx ctx = { .qc_type = type };

	if (ioctl(q->fd, HISI_QM_CMD_SET_QP_CTX, &ctx))
		return -errno;
	q->tail = 0;
	q->head = 0;
	q->phase = 1;
	return queue_call(q, SDMDEV_CMD_START);
}

int queue_wait(struct queue *q, unsigned int ms)
{
	return ioctl(q->fd, VFIO_SDMDEV_CMD_WAIT, ms) ? -errno : 0;
}

struct hisi_zip_sqe queue_request(const struct queue *q, uint64_t src, uint32_t src_len,
				  uint64_t dst, uint32_t dst_len)
{
	const unsigned int type =
		strcmp(q->info.api, HISI_QM_API_V3) ? HISI_ZIP_SQE_TYPE0 : HISI_ZIP_SQE_TYPE3;

	return (struct hisi_zip_sqe){
		.src_len = src_len,
		.src_ctrl =
			type << HISI_ZIP_SRC_TYPE_SHIFT | HISI_ZIP_SRC_NEW | HISI_ZIP_SRC_FINISH,
		.req_ctrl = HISI_ZIP_FORMAT_ZLIB | HISI_ZIP_WINDOW_32K << HISI_ZIP_REQ_WINDOW_SHIFT,
		.dst_len = dst_len,
		.src_l = src,
		.src_h = src >> 32,
		.dst_l = dst,
		.dst_h = dst >> 32,
		.checksum = 1,
	};
}

void queue_ring(struct queue *q, unsigned int cmd, unsigned int index, unsigned int prio)
{
	/* What the doorbell tells of is written before it. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*q->doorbell = q->info.number | (uint64_t)cmd << HISI_QM_DB_V2_CMD_SHIFT |
		       (uint64_t)index << HISI_QM_DB_INDEX_SHIFT |
		       (uint64_t)prio << HISI_QM_DB_PRIO_SHIFT;
}

void queue_write(struct queue *q, const struct hisi_zip_sqe *sqe)
{
	q->sq[q->tail] = *sqe;
	q->tail = (q->tail + 1) % q->info.sq_depth;
}

static int batch(struct queue *q, unsigned long cmd, void *sqe)
{
	struct sdmdev_submit arg = { .argsz = sizeof(arg), .ptr = (uintptr_t)sqe, .count = 1 };
	int nr = ioctl(q->fd, cmd, &arg);

	return nr < 0 ? -errno : nr == 1 ? 0 : -EIO;
}

int queue_put(struct queue *q, const struct hisi_zip_sqe *sqe)
{
	const unsigned int depth = q->info.sq_depth;

	if (!queue_is_direct(q))
		return batch(q, SDMDEV_CMD_SUBMIT, (void *)sqe);
	if (q->status->state != SDMDEV_STATE_OK)
		return -EIO;
	if ((q->tail + 1) % depth == q->head)
		return -EAGAIN;
	queue_write(q, sqe);
	queue_ring(q, HISI_QM_DB_CMD_SQ, q->tail, 0);
	return 0;
}

int queue_get(struct queue *q, struct hisi_zip_sqe *sqe)
{
	if (!queue_is_direct(q))
		return batch(q, SDMDEV_CMD_REAP, sqe);
	if ((q->cq[q->head].phase & HISI_QM_CQE_PHASE) != q->phase)
		return q->status->state == SDMDEV_STATE_OK ? -EAGAIN : -EIO;
	/* The phase was written last: what it covers is read after it. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	*sqe = q->sq[q->head];
	if (++q->head == q->info.cq_depth) {
		q->head = 0;
		q->phase ^= HISI_QM_CQE_PHASE;
	}
	queue_ring(q, HISI_QM_DB_CMD_CQ, q->head, 1);
	return 0;
}
