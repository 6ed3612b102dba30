/* SPDX-License-Identifier: Zlib */
/* Transport of sdmdev's kernel modules: each queue is a VFIO device with a group of its own. */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "drv/hisi_qm.h"
#include "process.h"
#include "transport/sdmdev.h"
#include "transport/sys.h"

static struct sdmdev_device *devices;

static int sdmdev_dev_open(const struct wd_device_info *info, void **dev)
{
	struct sdmdev_device *device = calloc(1, sizeof(*device));

	if (!device)
		return -ENOMEM;
	memcpy(device->name, info->name, sizeof(device->name));
	pthread_mutex_lock(&sdmdev_lock);
	device->next = devices;
	devices = device;
	pthread_mutex_unlock(&sdmdev_lock);
	*dev = device;
	return 0;
}

static void sdmdev_dev_close(void *dev)
{
	struct sdmdev_device *device = dev;

	pthread_mutex_lock(&sdmdev_lock);
	for (struct sdmdev_device **at = &devices; *at; at = &(*at)->next)
		if (*at == device) {
			*at = device->next;
			break;
		}
	pthread_mutex_unlock(&sdmdev_lock);
	free(device);
}

/* Opening */

/* The group, in a container of its own: pages that the queue shares are charged and freed there. */
static int open_device(struct sdmdev_tq *tq, int group, const char *uuid)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[SDMDEV_PATH_LEN];
	int r, group_fd, container_fd;

	snprintf(path, sizeof(path), SDMDEV_VFIO_PATH "/%d", group);
	r = group_fd = wd_file_take(&tq->group, wd_sys->open(path, O_RDWR));
	if (r < 0)
		return r;
	r = wd_sys->ioctl(group_fd, VFIO_GROUP_GET_STATUS, &status);
	if (r)
		return r;
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return -ENODEV;
	r = container_fd =
		wd_file_take(&tq->container, wd_sys->open(SDMDEV_VFIO_PATH "/vfio", O_RDWR));
	if (r < 0)
		return r;
	r = wd_sys->ioctl(container_fd, VFIO_GET_API_VERSION, NULL);
	if (r)
		return r < 0 ? r : -EOPNOTSUPP;
	r = wd_sys->ioctl(container_fd, VFIO_CHECK_EXTENSION, (void *)SDMDEV_IOMMU_TYPE);
	if (r <= 0)
		return r ? r : -EOPNOTSUPP;
	r = wd_sys->ioctl(group_fd, VFIO_GROUP_SET_CONTAINER, &container_fd);
	if (r)
		return r;
	r = wd_sys->ioctl(container_fd, VFIO_SET_IOMMU, (void *)SDMDEV_IOMMU_TYPE);
	if (r)
		return r;
	r = wd_file_take(&tq->file,
			 wd_sys->ioctl(group_fd, VFIO_GROUP_GET_DEVICE_FD, (void *)uuid));
	return r < 0 ? r : 0;
}

static int read_info(struct sdmdev_tq *tq)
{
	struct sdmdev_info info = { .argsz = sizeof(info) };
	int r = wd_sys->ioctl(wd_file_number(&tq->file), SDMDEV_CMD_GET_INFO, &info);

	if (r)
		return r;
	if (info.sqe_len != HISI_QM_SQE_SIZE || info.sq_depth != info.cq_depth ||
	    info.sq_depth < 2 || info.sq_depth > HISI_QM_MAX_DEPTH)
		return -EOPNOTSUPP;
	tq->mode = info.dma_mode;
	tq->depth = info.sq_depth;
	tq->number = info.number;
	info.api[sizeof(info.api) - 1] = 0;
	tq->sq_doorbell = hisi_qm_doorbell(!strcmp(info.api, HISI_QM_API_V1) ? 1 : 2, tq->number,
					   HISI_QM_DB_CMD_SQ, 0, 0);
	return 0;
}

static int read_regions(struct sdmdev_tq *tq)
{
	for (unsigned int i = 0; i < SDMDEV_REGIONS; i++) {
		struct vfio_region_info info = { .argsz = sizeof(info), .index = i };
		int r = wd_sys->ioctl(wd_file_number(&tq->file), VFIO_DEVICE_GET_REGION_INFO,
				      &info);

		if (r)
			return r;
		tq->region[i] = (struct sdmdev_extent){ info.offset, info.size };
	}
	return 0;
}

static int set_event(struct sdmdev_tq *tq, enum sdmdev_irq irq, int fd)
{
	/* It ends with an array of no length: the descriptor. */
	union {
		struct vfio_irq_set set;
		uint8_t bytes[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
	} arg = { .bytes = { 0 } };
	int32_t data = fd;

	arg.set.argsz = sizeof(arg.bytes);
	arg.set.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	arg.set.index = irq;
	arg.set.count = 1;
	memcpy(arg.set.data, &data, sizeof(data));
	return wd_sys->ioctl(wd_file_number(&tq->file), VFIO_DEVICE_SET_IRQS, &arg);
}

/* Where the kernel writes the rings, the driver gets some of its own, and a doorbell that is none. */
static int make_rings(struct sdmdev_tq *tq, struct wd_regions *regions)
{
	size_t page_len = sysconf(_SC_PAGESIZE);
	size_t mmio_len = HISI_QM_DB_OFFSET_V2 + page_len;
	char *mem;

	tq->mem_len = hisi_qm_mem_len(tq->depth, page_len);
	mem = mmap(NULL, tq->mem_len + mmio_len, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		return -ENOMEM;
	if (madvise(mem, tq->mem_len + mmio_len, MADV_DONTFORK)) {
		int r = -errno;

		munmap(mem, tq->mem_len + mmio_len);
		return r;
	}
	regions->mem = mem;
	regions->mem_len = tq->mem_len;
	regions->mmio = mem + tq->mem_len;
	regions->mmio_len = mmio_len;
	regions->is_mediated = 1;
	regions->is_private = 1;
	tq->phase = HISI_QM_CQE_PHASE;
	return 0;
}

static int map_regions(struct sdmdev_tq *tq)
{
	int fd = wd_file_number(&tq->file);
	struct wd_regions *regions = &tq->regions;
	const struct sdmdev_extent *mmio = &tq->region[SDMDEV_REGION_MMIO];
	const struct sdmdev_extent *dus = &tq->region[SDMDEV_REGION_DUS];
	int is_mediated = tq->mode & SDMDEV_DMA_MEDIATED;
	size_t page_len = sysconf(_SC_PAGESIZE);
	void *mem;
	int r;

	if (dus->len < page_len || dus->len % page_len)
		return -EOPNOTSUPP;
	r = wd_sys->map(fd, dus->off, dus->len, PROT_READ | (is_mediated ? 0 : PROT_WRITE),
			&mem);
	if (r)
		return r;
	tq->dus = mem;
	tq->status = (void *)(tq->dus + dus->len - page_len);
	if (is_mediated) {
		r = make_rings(tq, regions);
	} else {
		regions->mem = mem;
		regions->mem_len = dus->len;
		regions->mmio_len = mmio->len;
		r = -EOPNOTSUPP;
		if (mmio->len)
			r = wd_sys->map(fd, mmio->off, mmio->len, PROT_READ | PROT_WRITE,
					&regions->mmio);
	}
	if (r) {
		wd_sys->unmap(tq->dus, dus->len);
		return r;
	}
	tq->is_mapped = 1;
	tq->mem = regions->mem;
	mem = tq->mem + regions->mem_len;
	tq->tx_stop = (uint32_t *)((char *)mem - HISI_QM_TX_STOP_FROM_END);
	tq->rx_stop = (uint32_t *)((char *)mem - HISI_QM_RX_STOP_FROM_END);
	return 0;
}

static void unmap_regions(struct sdmdev_tq *tq)
{
	const struct wd_regions *regions = &tq->regions;

	if (!tq->is_mapped)
		return;
	tq->is_mapped = 0;
	if (regions->is_mediated)
		munmap(regions->mem, regions->mem_len + regions->mmio_len);
	else
		wd_sys->unmap(regions->mmio, regions->mmio_len);
	wd_sys->unmap(tq->dus, tq->region[SDMDEV_REGION_DUS].len);
}

static int start(struct sdmdev_tq *tq, enum wd_op_type op_type)
{
	struct hisi_qp_ctx ctx = { .qc_type = op_type };
	int fd = wd_file_number(&tq->file);
	int r = wd_sys->ioctl(fd, HISI_QM_CMD_SET_QP_CTX, &ctx);

	if (!r && tq->mode & SDMDEV_MODES_SVM)
		r = wd_sys->ioctl(fd, VFIO_SDMDEV_CMD_BIND_PASID, NULL);
	if (!r)
		r = wd_sys->ioctl(fd, SDMDEV_CMD_START, NULL);
	return r;
}

static int open_queue(struct sdmdev_tq *tq, int group, const char *uuid, enum wd_op_type op_type)
{
	int r;

	*tq = (struct sdmdev_tq){
		.device = tq->device, .refs = 1, .group = WD_FILE_NONE, .container = WD_FILE_NONE,
		.file = WD_FILE_NONE, .event = WD_FILE_NONE,
	};
	r = open_device(tq, group, uuid);
	if (!r)
		r = read_info(tq);
	if (!r)
		r = read_regions(tq);
	if (!r)
		r = map_regions(tq);
	if (r)
		goto close_files;
	r = start(tq, op_type);
	if (r)
		goto unmap_regions;
	tq->regions.depth = tq->depth;
	tq->regions.number = tq->number;
	return 0;
unmap_regions:
	unmap_regions(tq);
close_files:
	sdmdev_close_files(tq);
	return r;
}

/* Another queue would fail likewise. */
static int is_of_process(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

/* Takes the first queue that nobody has: VFIO lets a group be opened once. */
static int sdmdev_open(void *dev, enum wd_op_type op_type, void **queue, struct wd_regions *regions)
{
	struct sdmdev_device *device = dev;
	struct sdmdev_tq *tq = malloc(sizeof(*tq));
	char *names;
	int is_busy = 0, others = 0;
	int r;

	if (!tq)
		return -ENOMEM;
	r = sdmdev_queue_names(device->name, &names);
	if (r < 0) {
		free(tq);
		return r == -ENOENT ? -ENODEV : r;
	}
	r = -EBUSY;
	for (const char *name = names; *name && r; name += strlen(name) + 1) {
		int group = sdmdev_group(device->name, name);

		if (group < 0)
			continue;
		tq->device = device;
		r = open_queue(tq, group, name, op_type);
		if (is_of_process(r))
			break;
		if (r == -EBUSY)
			is_busy = 1;
		else if (r)
			others = r;
	}
	free(names);
	if (r) {
		free(tq);
		return is_of_process(r) ? r : is_busy || !others ? -EBUSY : others;
	}
	pthread_mutex_lock(&sdmdev_lock);
	tq->next = device->tqs;
	device->tqs = tq;
	pthread_mutex_unlock(&sdmdev_lock);
	*queue = tq;
	*regions = tq->regions;
	return 0;
}

/*
 * What cannot be drained the kernel keeps from being used again. Without the descriptor the end of
 * the last mapping, which is the file's last use, ends the queue.
 */
static void sdmdev_stop(void *queue)
{
	struct sdmdev_tq *tq = queue;
	int fd = wd_file_get(&tq->file);

	if (fd >= 0)
		wd_sys->ioctl(fd, SDMDEV_CMD_STOP, NULL);
	else
		unmap_regions(tq);
}

static void sdmdev_close(void *queue, const struct wd_regions *regions)
{
	struct sdmdev_tq *tq = queue;

	unmap_regions(tq);
	pthread_mutex_lock(&sdmdev_lock);
	tq->is_closed = 1;
	sdmdev_tq_put(tq);
	pthread_mutex_unlock(&sdmdev_lock);
}

/* Fork: the child's copies of the files would keep the queue from anybody else. */

static int is_lost; /* a child could not trust the lists of its parent, which still are such queues' */

static void fork_prepare(void)
{
	pthread_mutex_lock(&sdmdev_lock);
}

static void fork_parent(void)
{
	pthread_mutex_unlock(&sdmdev_lock);
}

static void forget_all(int is_sound)
{
	struct sdmdev_device *device;

	wd_files_forget();
	if (!wd_lock_anew(&sdmdev_lock)) {
		devices = NULL;
		is_lost = 1;
	}
	while ((device = devices)) {
		devices = device->next;
		sdmdev_forget_memory(device);
		for (struct sdmdev_tq **at = &device->tqs; *at;) {
			struct sdmdev_tq *tq = *at;

			sdmdev_close_files(tq);
			if (tq->is_closed) {
				*at = tq->next;
				free(tq);
			} else {
				at = &tq->next;
			}
		}
	}
}

static void sdmdev_forget(void *queue)
{
	struct sdmdev_tq *tq = queue;
	struct sdmdev_device *device = tq->device;

	sdmdev_close_files(tq);
	pthread_mutex_lock(&sdmdev_lock);
	for (struct sdmdev_tq **at = &device->tqs; !is_lost && *at; at = &(*at)->next)
		if (*at == tq) {
			*at = tq->next;
			break;
		}
	if (!is_lost && !device->tqs)
		free(device);
	pthread_mutex_unlock(&sdmdev_lock);
	if (!is_lost)
		free(tq);
}

/* State and waiting */

static uint32_t load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/*
 * 0, -EIO or -ENODEV, from the status page, or because the queue's descriptor is ours no more. Stop words, which in the end the kernel sets too, keep
 * senders and receivers away. A device that is to be removed takes no more requests; the kernel
 * leaves time to receive what is in flight.
 */
static int look(struct sdmdev_tq *tq, int *is_leaving)
{
	uint32_t state = load(&tq->status->state);
	int r = 0;

	*is_leaving = load(&tq->status->is_removal_wanted) != 0;
	if (state == SDMDEV_STATE_DEAD || wd_file_number(&tq->file) < 0)
		r = -ENODEV;
	else if (state != SDMDEV_STATE_OK)
		r = -EIO;
	if (r || *is_leaving)
		sdmdev_stop_word(tq->tx_stop);
	if (r)
		sdmdev_stop_word(tq->rx_stop);
	return r;
}

static enum wd_state sdmdev_state(void *queue, unsigned int *generation)
{
	struct sdmdev_tq *tq = queue;
	int is_leaving;
	int r;

	wd_file_get(&tq->file); /* look() hears of it */
	r = look(tq, &is_leaving);

	if (generation)
		*generation = load(&tq->status->generation);
	if (r == -ENODEV || is_leaving)
		return WD_STATE_DEAD;
	return r ? WD_STATE_RESETTING : WD_STATE_OK;
}

/* Made when somebody asks for it: libwd itself waits in the kernel. One for both kinds of news. */
static int sdmdev_event(void *queue)
{
	struct sdmdev_tq *tq = queue;
	int fd = wd_file_number(&tq->event);
	int r;

	if (wd_file_get(&tq->file) < 0)
		return -ENODEV;
	if (fd >= 0)
		return wd_file_get(&tq->event);
	fd = wd_file_take(&tq->event, wd_sys->eventfd());
	if (fd < 0)
		return fd;
	r = set_event(tq, SDMDEV_IRQ_UPDATE, fd);
	if (!r)
		r = set_event(tq, SDMDEV_IRQ_ERROR, fd);
	if (!r)
		return fd;
	wd_file_close(&tq->event);
	return r == -ENOTTY ? -EOPNOTSUPP : r;
}

static void sdmdev_arm(void *queue)
{
	struct sdmdev_tq *tq = queue;
	int saved_errno = errno;
	uint64_t count;
	int is_leaving;

	if (wd_file_number(&tq->event) >= 0) {
		int fd = wd_file_get(&tq->event);

		if (fd >= 0 && read(fd, &count, sizeof(count)) < 0)
			errno = saved_errno; /* there was nothing */
	}
	look(tq, &is_leaving);
}

static int sdmdev_wait(void *queue, unsigned int timeout_ms)
{
	struct sdmdev_tq *tq = queue;
	int fd = wd_file_get(&tq->file);
	int is_leaving;
	int r = -ENODEV, state;

	if (fd >= 0)
		r = wd_sys->ioctl(fd, VFIO_SDMDEV_CMD_WAIT, (void *)(uintptr_t)timeout_ms);
	state = look(tq, &is_leaving);
	if (state)
		return state;
	/* Whoever waits looks at the time, and comes again. */
	return r == -EINTR ? 0 : r;
}

const struct wd_transport wd_transport_sdmdev = {
	.name = "sdmdev",
	.prepare = sdmdev_prepare,
	.list = sdmdev_list,
	.dev_open = sdmdev_dev_open,
	.dev_close = sdmdev_dev_close,
	.open = sdmdev_open,
	.stop = sdmdev_stop,
	.close = sdmdev_close,
	.forget = sdmdev_forget,
	.event = sdmdev_event,
	.arm = sdmdev_arm,
	.wait = sdmdev_wait,
	.submit = sdmdev_submit,
	.reap = sdmdev_reap,
	.state = sdmdev_state,
	.share = sdmdev_share,
	.unshare = sdmdev_unshare,
	.share_all = sdmdev_share_all,
	.unshare_all = sdmdev_unshare_all,
	.alloc = sdmdev_alloc,
	.free = sdmdev_free,
	.fork_prepare = fork_prepare,
	.fork_parent = fork_parent,
	.forget_all = forget_all,
};
