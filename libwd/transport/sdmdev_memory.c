/* SPDX-License-Identifier: Zlib */
/* Memory that a device of sdmdev reaches: the process's, run by run, or slices of static memory. */
#include "config.h"
#include <errno.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "transport/sdmdev.h"
#include "transport/sys.h"

/* -ENODEV: the descriptor is ours no more. */
static int call(struct wd_file *file, unsigned long cmd, void *arg)
{
	int fd = wd_file_get(file);

	return fd < 0 ? -ENODEV : wd_sys->ioctl(fd, cmd, arg);
}

static int map_run(const struct sdmdev_run *run)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | (run->is_read_only ? 0 : VFIO_DMA_MAP_FLAG_WRITE),
		.vaddr = run->start,
		.iova = run->start,
		.size = run->end - run->start,
	};
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = map.iova, .size = map.size,
	};
	struct sdmdev_share share = {
		.argsz = sizeof(share),
		.flags = run->is_read_only ? SDMDEV_SHARE_READ_ONLY : 0,
		.va = map.vaddr,
		.len = map.size,
	};
	int r = call(&run->tq->container, VFIO_IOMMU_MAP_DMA, &map);

	if (r)
		return r;
	r = call(&run->tq->file, SDMDEV_CMD_SHARE, &share);
	if (r)
		call(&run->tq->container, VFIO_IOMMU_UNMAP_DMA, &unmap);
	return r;
}

/* Where the first fails, the second takes away what is left, and waits for the queue as well. */
static void unmap_run(const struct sdmdev_run *run)
{
	struct sdmdev_share share = {
		.argsz = sizeof(share), .va = run->start, .len = run->end - run->start,
	};
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = run->start, .size = run->end - run->start,
	};

	call(&run->tq->file, SDMDEV_CMD_UNSHARE, &share);
	call(&run->tq->container, VFIO_IOMMU_UNMAP_DMA, &unmap);
}

/* The lock is held in these three. */

static void runs_put(struct sdmdev_device *device, uintptr_t first, uintptr_t end)
{
	struct sdmdev_run **at = &device->runs;

	while (*at) {
		struct sdmdev_run *run = *at;

		if (run->end <= first || run->start >= end || --run->users) {
			at = &run->next;
			continue;
		}
		unmap_run(run);
		*at = run->next;
		sdmdev_tq_put(run->tq);
		free(run);
	}
}

static int run_add(struct sdmdev_tq *tq, struct sdmdev_run **at, uintptr_t first, uintptr_t end, int is_read_only)
{
	struct sdmdev_run *run = malloc(sizeof(*run));
	int r;

	if (!run)
		return -ENOMEM;
	*run = (struct sdmdev_run){
		.next = *at, .start = first, .end = end, .users = 1, .is_read_only = is_read_only,
		.tq = tq,
	};
	r = map_run(run);
	if (r) {
		free(run);
		return r;
	}
	tq->refs++;
	*at = run;
	return 0;
}

static int runs_get(struct sdmdev_tq *tq, uintptr_t first, uintptr_t end, int is_read_only)
{
	struct sdmdev_run **at = &tq->device->runs;
	uintptr_t pos = first;
	int r = 0;

	while (pos < end) {
		struct sdmdev_run *run = *at;

		if (run && run->end <= pos) {
			at = &run->next;
			continue;
		}
		if (run && run->start <= pos) {
			r = run->is_read_only && !is_read_only ? -EEXIST : 0;
			if (r)
				break;
			run->users++;
		} else {
			r = run_add(tq, at, pos, run && run->start < end ? run->start : end,
				    is_read_only);
			if (r)
				break;
		}
		pos = (*at)->end;
	}
	/* Before the first page there is nothing to give back, also where a run began before it. */
	if (r && pos > first)
		runs_put(tq->device, first, pos);
	return r;
}

static uintptr_t page_of(uintptr_t addr)
{
	return addr & -(uintptr_t)sysconf(_SC_PAGESIZE);
}

static uintptr_t page_behind(const void *mem, size_t len)
{
	return page_of((uintptr_t)mem + len - 1) + sysconf(_SC_PAGESIZE);
}

int sdmdev_share(void *queue, const void *mem, size_t len, int flags, uint64_t *addr)
{
	struct sdmdev_tq *tq = queue;
	int r = 0;

	if (tq->mode & SDMDEV_MODES_SHARED) {
		pthread_mutex_lock(&sdmdev_lock);
		r = runs_get(tq, page_of((uintptr_t)mem), page_behind(mem, len),
			     flags & WD_SHARE_READ);
		pthread_mutex_unlock(&sdmdev_lock);
	} else if (!(tq->mode & SDMDEV_MODES_SVM)) {
		r = -EOPNOTSUPP;
	}
	if (r == -ERANGE)
		r = -EOPNOTSUPP; /* the device does not address as much */
	if (r == -EADDRINUSE)
		r = -EEXIST; /* by another libwd in the process */
	if (!r)
		*addr = (uintptr_t)mem;
	return r;
}

void sdmdev_unshare(void *queue, uint64_t addr, size_t len)
{
	struct sdmdev_tq *tq = queue;

	if (!(tq->mode & SDMDEV_MODES_SHARED))
		return;
	pthread_mutex_lock(&sdmdev_lock);
	runs_put(tq->device, page_of(addr), page_behind((void *)(uintptr_t)addr, len));
	pthread_mutex_unlock(&sdmdev_lock);
}

int sdmdev_share_all(void *queue)
{
	return ((struct sdmdev_tq *)queue)->mode & SDMDEV_MODES_SVM ? 0 : -EOPNOTSUPP;
}

void sdmdev_unshare_all(void *queue)
{
}

int sdmdev_alloc(void *queue, size_t len, void **mem, uint64_t *addr)
{
	struct sdmdev_static arg = { .argsz = sizeof(arg), .len = len };
	struct sdmdev_tq *tq = queue;
	struct sdmdev_slice *slice;
	int r;

	if (!(tq->mode & SDMDEV_DMA_STATIC))
		return -EOPNOTSUPP;
	slice = malloc(sizeof(*slice));
	if (!slice)
		return -ENOMEM;
	r = call(&tq->file, SDMDEV_CMD_SS_ALLOC, &arg);
	if (r)
		goto free_slice;
	r = wd_sys->map(wd_file_number(&tq->file), tq->region[SDMDEV_REGION_STATIC].off + arg.offset, len,
			PROT_READ | PROT_WRITE, &slice->mem);
	if (r)
		goto free_static;
	slice->off = arg.offset;
	pthread_mutex_lock(&sdmdev_lock);
	slice->next = tq->slices;
	tq->slices = slice;
	pthread_mutex_unlock(&sdmdev_lock);
	*mem = slice->mem;
	*addr = arg.dma;
	return 0;
free_static:
	call(&tq->file, SDMDEV_CMD_SS_FREE, &arg);
free_slice:
	free(slice);
	return r;
}

void sdmdev_free(void *queue, void *mem, size_t len)
{
	struct sdmdev_static arg = { .argsz = sizeof(arg) };
	struct sdmdev_tq *tq = queue;
	struct sdmdev_slice **at = &tq->slices, *slice;

	pthread_mutex_lock(&sdmdev_lock);
	while ((*at)->mem != mem)
		at = &(*at)->next;
	slice = *at;
	*at = slice->next;
	pthread_mutex_unlock(&sdmdev_lock);
	arg.offset = slice->off;
	wd_sys->unmap(mem, len);
	/* A queue that cannot be drained keeps it until it is closed. */
	call(&tq->file, SDMDEV_CMD_SS_FREE, &arg);
	free(slice);
}

void sdmdev_forget_memory(struct sdmdev_device *device)
{
	struct sdmdev_run *run;

	while ((run = device->runs)) {
		device->runs = run->next;
		free(run);
	}
	for (struct sdmdev_tq *tq = device->tqs; tq; tq = tq->next) {
		struct sdmdev_slice *slice;

		while ((slice = tq->slices)) {
			tq->slices = slice->next;
			free(slice);
		}
	}
}
