/* SPDX-License-Identifier: Zlib */
/*
 * Transport of mainline's uacce: the device has the process's page tables, so all memory is shared. The
 * vendor's drivers have it without as well: memory is the driver's then, and addresses the device's.
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "drv/hisi_qm.h"
#include "process.h"
#include "transport/file.h"
#include "transport/sys.h"
#include "transport/transport.h"
#include "transport/uacce.h"

struct device {
	char name[WD_NAME_LEN];
	int is_sva;
};

struct tq {
	struct tq *next;
	struct wd_file file;
	struct wd_regions regions;
	int is_mapped;
	int is_sva; /* the device's addresses are ours */
	struct uacce_slices slices; /* else; lock */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the list, and slices */
static struct tq *queues;

static int uacce_dev_open(const struct wd_device_info *info, void **dev)
{
	struct device *device = malloc(sizeof(*device));

	if (!device)
		return -ENOMEM;
	memcpy(device->name, info->name, sizeof(device->name));
	device->is_sva = !strcmp(info->mode, "sva");
	*dev = device;
	return 0;
}

static void uacce_dev_close(void *dev)
{
	free(dev);
}

static int set_context(int fd, enum wd_op_type op_type, struct wd_regions *regions)
{
	struct hisi_qp_ctx ctx = { .qc_type = op_type };
	struct hisi_qp_info info = { 0 };
	int r;

	r = wd_sys->ioctl(fd, HISI_QM_CMD_SET_QP_CTX, &ctx);
	if (r)
		return r;
	regions->number = ctx.id;
	regions->depth = HISI_QM_DEFAULT_DEPTH;
	r = wd_sys->ioctl(fd, HISI_QM_CMD_SET_QP_INFO, &info);
	if (r == -EINVAL || r == -ENOTTY)
		return 0; /* kernels without it have this depth only */
	if (r)
		return r;
	if (info.sqe_size != HISI_QM_SQE_SIZE || info.sq_depth != info.cq_depth)
		return -EOPNOTSUPP;
	regions->depth = info.sq_depth;
	return 0;
}

/* The kernel wants the exact sizes. */
static int map_regions(int fd, const char *name, struct wd_regions *regions)
{
	uint64_t page_len = sysconf(_SC_PAGESIZE);
	int r;

	regions->mem_len = uacce_number(name, "region_dus_size", 0);
	regions->mmio_len = uacce_number(name, "region_mmio_size", 0);
	if (!regions->mem_len || !regions->mmio_len)
		return -EOPNOTSUPP;
	r = wd_sys->map(fd, UACCE_QFRT_DUS * page_len, regions->mem_len, PROT_READ | PROT_WRITE,
			&regions->mem);
	if (r)
		return r;
	r = wd_sys->map(fd, UACCE_QFRT_MMIO * page_len, regions->mmio_len,
			PROT_READ | PROT_WRITE, &regions->mmio);
	if (r)
		wd_sys->unmap(regions->mem, regions->mem_len);
	return r;
}

static void unmap_regions(struct tq *tq)
{
	if (!tq->is_mapped)
		return;
	tq->is_mapped = 0;
	wd_sys->unmap(tq->regions.mmio, tq->regions.mmio_len);
	wd_sys->unmap(tq->regions.mem, tq->regions.mem_len);
}

static int uacce_open(void *dev, enum wd_op_type op_type, void **queue, struct wd_regions *regions)
{
	struct device *device = dev;
	struct tq *tq = malloc(sizeof(*tq));
	char path[UACCE_PATH_LEN];
	int r, fd;

	if (!tq)
		return -ENOMEM;
	*tq = (struct tq){ .file = WD_FILE_NONE, .is_sva = device->is_sva };
	snprintf(path, sizeof(path), "/dev/%s", device->name);
	r = fd = wd_file_take(&tq->file, wd_sys->open(path, O_RDWR));
	if (r < 0)
		goto free_tq;
	r = set_context(fd, op_type, &tq->regions);
	if (r)
		goto close_file;
	r = map_regions(fd, device->name, &tq->regions);
	if (r)
		goto close_file;
	tq->is_mapped = 1;
	r = wd_sys->ioctl(fd, UACCE_CMD_START_Q, NULL);
	if (r)
		goto unmap_regions;
	pthread_mutex_lock(&lock);
	tq->next = queues;
	queues = tq;
	pthread_mutex_unlock(&lock);
	*queue = tq;
	*regions = tq->regions;
	return 0;
unmap_regions:
	unmap_regions(tq);
close_file:
	wd_file_close(&tq->file);
free_tq:
	free(tq);
	return r;
}

/* Without the descriptor the end of the last mapping, which is the file's last use, stops it. */
static void uacce_stop(void *queue)
{
	struct tq *tq = queue;
	int fd = wd_file_get(&tq->file);

	if (fd >= 0) {
		wd_sys->ioctl(fd, UACCE_CMD_PUT_Q, NULL);
		return;
	}
	unmap_regions(tq);
	pthread_mutex_lock(&lock);
	uacce_slices_unmap(&tq->slices);
	pthread_mutex_unlock(&lock);
}

static void uacce_close(void *queue, const struct wd_regions *regions)
{
	struct tq *tq = queue;

	unmap_regions(tq);
	pthread_mutex_lock(&lock);
	uacce_slices_unmap(&tq->slices);
	for (struct tq **at = &queues; *at; at = &(*at)->next)
		if (*at == tq) {
			*at = tq->next;
			break;
		}
	wd_file_close(&tq->file);
	pthread_mutex_unlock(&lock);
	free(tq);
}

static void uacce_forget(void *queue)
{
	struct tq *tq = queue;

	wd_file_close(&tq->file);
	uacce_slices_forget(&tq->slices);
	free(tq);
}

static void fork_prepare(void)
{
	pthread_mutex_lock(&lock);
}

static void fork_parent(void)
{
	pthread_mutex_unlock(&lock);
}

/* The child's copies of the files would keep the parent's queues from anybody else. */
static void forget_all(int is_sound)
{
	wd_files_forget();
	if (!wd_lock_anew(&lock))
		queues = NULL;
	for (struct tq *tq = queues; tq; tq = tq->next)
		wd_file_close(&tq->file);
	queues = NULL;
}

static int uacce_event(void *queue)
{
	int fd = wd_file_get(&((struct tq *)queue)->file);

	return fd < 0 ? -ENODEV : fd;
}

static int uacce_wait(void *queue, unsigned int timeout_ms)
{
	struct pollfd p = { .fd = wd_file_get(&((struct tq *)queue)->file), .events = POLLIN };
	int r;

	if (p.fd < 0)
		return -ENODEV;
	r = wd_sys->poll(&p, 1, timeout_ms > INT_MAX ? -1 : (int)timeout_ms);
	if (r < 0)
		return r == -EINTR ? 0 : r; /* whoever waits looks at the time, and comes again */
	if (p.revents & (POLLERR | POLLHUP | POLLNVAL))
		return -ENODEV;
	return r ? 0 : -ETIMEDOUT;
}

/* A removed device answers ENXIO, and its status words are mapped no more. */
static enum wd_state uacce_state(void *queue, unsigned int *generation)
{
	int fd = wd_file_get(&((struct tq *)queue)->file);
	struct hisi_qp_info info = { 0 };

	if (generation)
		*generation = 0; /* nobody counts resets */
	return fd < 0 || wd_sys->ioctl(fd, HISI_QM_CMD_SET_QP_INFO, &info) == -ENXIO
		       ? WD_STATE_DEAD : WD_STATE_OK;
}

static int uacce_share(void *queue, const void *mem, size_t len, int flags, uint64_t *addr)
{
	if (!((struct tq *)queue)->is_sva)
		return -EOPNOTSUPP;
	*addr = (uintptr_t)mem;
	return 0;
}

static void uacce_unshare(void *queue, uint64_t addr, size_t len)
{
}

static int uacce_share_all(void *queue)
{
	return ((struct tq *)queue)->is_sva ? 0 : -EOPNOTSUPP;
}

static void uacce_unshare_all(void *queue)
{
}

static int uacce_alloc(void *queue, size_t len, void **mem, uint64_t *addr)
{
	struct tq *tq = queue;
	int fd = wd_file_get(&tq->file);
	int r;

	if (fd < 0)
		return -ENODEV;
	pthread_mutex_lock(&lock);
	r = uacce_slices_alloc(&tq->slices, fd, len, mem, addr);
	pthread_mutex_unlock(&lock);
	return r;
}

static void uacce_free(void *queue, void *mem, size_t len)
{
	struct tq *tq = queue;

	pthread_mutex_lock(&lock);
	uacce_slices_free(&tq->slices, mem);
	pthread_mutex_unlock(&lock);
}

const struct wd_transport wd_transport_uacce = {
	.name = "uacce",
	.prepare = uacce_prepare,
	.list = uacce_list,
	.try = uacce_try,
	.dev_open = uacce_dev_open,
	.dev_close = uacce_dev_close,
	.open = uacce_open,
	.stop = uacce_stop,
	.close = uacce_close,
	.forget = uacce_forget,
	.event = uacce_event,
	.wait = uacce_wait,
	.state = uacce_state,
	.share = uacce_share,
	.unshare = uacce_unshare,
	.share_all = uacce_share_all,
	.unshare_all = uacce_unshare_all,
	.alloc = uacce_alloc,
	.free = uacce_free,
	.fork_prepare = fork_prepare,
	.fork_parent = fork_parent,
	.forget_all = forget_all,
};
