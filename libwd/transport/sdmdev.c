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
#include <wd/sdmdev.h>
#include "drv/hisi_qm.h"
#include "transport/sdmdev.h"
#include "transport/sys.h"
#include "transport/transport.h"
#include "wd_zip.h"

#define PATH_LEN 512
#define CLASS_PATH "/sys/class/" SDMDEV_CLASS_NAME
#define VFIO_PATH "/dev/vfio"

/* The process's memory is shared page by page where the device's addresses are ours ... */
#define MODES_SHARED (SDMDEV_DMA_SINGLE | SDMDEV_DMA_MULTI)
/* ... and needs no sharing where the device has our page tables. */
#define MODES_SVM (SDMDEV_DMA_SVM | SDMDEV_DMA_SVM_NO_FAULT)

/* A piece of static memory. */
struct slice {
	struct slice *next;
	void *mem;
	uint64_t off; /* in its region */
};

struct region {
	uint64_t off;
	uint64_t len;
};

struct tq {
	struct tq *next;
	struct device *device;
	unsigned int refs; /* the queue's, and one for each run that was shared through it */
	int is_closed;
	int group, container, fd;
	int update, error; /* events; -1: only the WAIT ioctl tells */
	uint32_t mode;	   /* SDMDEV_DMA_* */
	struct region region[SDMDEV_REGIONS];
	const struct sdmdev_status *status;
	struct slice *slices;

	/* Rings of our own, where the kernel stands between. */
	uint8_t *dus; /* the mapping with the status page */
	uint8_t *mem;
	size_t mem_len;
	unsigned int depth;
	unsigned int number;
	uint64_t sq_doorbell;	/* value without its index */
	unsigned int tail;	/* what was rung */
	unsigned int submitted; /* what the kernel has */
	unsigned int reaped;
	unsigned int phase;
	uint32_t *tx_stop, *rx_stop;
};

/*
 * Pages that the device reaches. Shares need no alignment, so that several may be in the same page;
 * a run ends with the last share that touches it.
 */
struct run {
	struct run *next; /* ascending, never overlapping */
	uintptr_t start, end;
	unsigned int users;
	int is_read_only;
	struct tq *tq; /* whose pins these are */
};

struct device {
	struct device *next;
	char name[WD_NAME_LEN];
	struct tq *tqs;
	struct run *runs;
};

/* Guards the lists: all devices', all runs', all slices'. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct device *devices;

/* Finding */

int sdmdev_is_uuid(const char *name)
{
	for (int i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? name[i] != '-'
		    : !name[i] || !strchr("0123456789abcdefABCDEF", name[i]))
			return 0;
	return !name[36];
}

int sdmdev_group(const char *parent, const char *uuid)
{
	char path[PATH_LEN], link[PATH_LEN];
	const char *number;
	int r;

	r = snprintf(path, sizeof(path), CLASS_PATH "/%s/device/%s/iommu_group", parent, uuid);
	if (r >= (int)sizeof(path))
		return -ENAMETOOLONG;
	r = wd_sys->readlink(path, link, sizeof(link));
	if (r)
		return r;
	number = strrchr(link, '/');
	number = number ? number + 1 : link;
	if (!*number || number[strspn(number, "0123456789")] || strlen(number) > 9)
		return -ENODEV;
	return atoi(number);
}

static int param(const char *parent, const char *name, char *text, size_t text_len)
{
	char path[PATH_LEN];

	if (snprintf(path, sizeof(path), CLASS_PATH "/%s/device/" SDMDEV_PARAMS_NAME "/%s", parent,
		     name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return wd_sys->read(path, text, text_len);
}

/* The names of a parent's queues among all else its folder holds. */
static int queue_names(const char *parent, char **names)
{
	char path[PATH_LEN];

	if (snprintf(path, sizeof(path), CLASS_PATH "/%s/device", parent) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return wd_sys->names(path, names);
}

static void count_queues(const char *parent, struct wd_device_info *info)
{
	char path[PATH_LEN];
	char *names;

	if (queue_names(parent, &names) < 0)
		return;
	for (const char *name = names; *name; name += strlen(name) + 1) {
		int group = sdmdev_is_uuid(name) ? sdmdev_group(parent, name) : -ENODEV;

		if (group < 0)
			continue;
		snprintf(path, sizeof(path), VFIO_PATH "/%d", group);
		info->queues_total++;
		info->queues_free += !wd_sys->access(path);
	}
	free(names);
}

/* 1: it is a device that libwd may know what to do with. */
static int describe(const char *parent, struct wd_device_info *info)
{
	char algs[256], node[32];

	*info = (struct wd_device_info){
		.transport = "sdmdev", .numa_node = -1, .max_len = WD_ZIP_MAX_LEN,
	};
	if (strlen(parent) >= sizeof(info->name) ||
	    param(parent, "api", info->api, sizeof(info->api)) ||
	    param(parent, "algorithms", algs, sizeof(algs)))
		return 0;
	wd_sys_algs(algs, info->algs, sizeof(info->algs));
	if (!*info->algs)
		return 0;
	strcpy(info->name, parent);
	if (!param(parent, "node_id", node, sizeof(node)) && *node)
		info->numa_node = atoi(node);
	count_queues(parent, info);
	return 1;
}

static int sdmdev_list(const char *options, struct wd_device_info *info, unsigned int nr)
{
	struct wd_device_info one;
	char *names;
	int found = 0;
	int r = wd_sys->names(CLASS_PATH, &names);

	if (r < 0)
		return r == -ENOMEM ? r : 0; /* no module, no class */
	for (const char *name = names; *name; name += strlen(name) + 1) {
		if (!describe(name, &one))
			continue;
		if ((unsigned int)found < nr)
			info[found] = one;
		found++;
	}
	free(names);
	return found;
}

static int sdmdev_dev_open(const struct wd_device_info *info, void **dev)
{
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		return -ENOMEM;
	memcpy(device->name, info->name, sizeof(device->name));
	pthread_mutex_lock(&lock);
	device->next = devices;
	devices = device;
	pthread_mutex_unlock(&lock);
	*dev = device;
	return 0;
}

static void sdmdev_dev_close(void *dev)
{
	struct device *device = dev;

	pthread_mutex_lock(&lock);
	for (struct device **at = &devices; *at; at = &(*at)->next)
		if (*at == device) {
			*at = device->next;
			break;
		}
	pthread_mutex_unlock(&lock);
	free(device);
}

/* Opening */

static void close_fds(const struct tq *tq)
{
	const int fds[] = { tq->update, tq->error, tq->fd, tq->group, tq->container };

	/* The device before its group, the group before its container. */
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			wd_sys->close(fds[i]);
}

/* The group, in a container of its own: pages that the queue shares are charged and freed there. */
static int open_device(struct tq *tq, int group, const char *uuid)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[PATH_LEN];
	int r;

	snprintf(path, sizeof(path), VFIO_PATH "/%d", group);
	tq->group = r = wd_sys->open(path, O_RDWR);
	if (r < 0)
		return r;
	r = wd_sys->ioctl(tq->group, VFIO_GROUP_GET_STATUS, &status);
	if (r)
		return r;
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return -ENODEV;
	tq->container = r = wd_sys->open(VFIO_PATH "/vfio", O_RDWR);
	if (r < 0)
		return r;
	r = wd_sys->ioctl(tq->container, VFIO_GET_API_VERSION, NULL);
	if (r)
		return r < 0 ? r : -EOPNOTSUPP;
	r = wd_sys->ioctl(tq->container, VFIO_CHECK_EXTENSION, (void *)SDMDEV_IOMMU_TYPE);
	if (r <= 0)
		return r ? r : -EOPNOTSUPP;
	r = wd_sys->ioctl(tq->group, VFIO_GROUP_SET_CONTAINER, &tq->container);
	if (r)
		return r;
	r = wd_sys->ioctl(tq->container, VFIO_SET_IOMMU, (void *)SDMDEV_IOMMU_TYPE);
	if (r)
		return r;
	tq->fd = r = wd_sys->ioctl(tq->group, VFIO_GROUP_GET_DEVICE_FD, (void *)uuid);
	return r < 0 ? r : 0;
}

static int read_info(struct tq *tq)
{
	struct sdmdev_info info = { .argsz = sizeof(info) };
	int r = wd_sys->ioctl(tq->fd, SDMDEV_CMD_GET_INFO, &info);

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

static int read_regions(struct tq *tq)
{
	for (unsigned int i = 0; i < SDMDEV_REGIONS; i++) {
		struct vfio_region_info info = { .argsz = sizeof(info), .index = i };
		int r = wd_sys->ioctl(tq->fd, VFIO_DEVICE_GET_REGION_INFO, &info);

		if (r)
			return r;
		tq->region[i] = (struct region){ info.offset, info.size };
	}
	return 0;
}

static int set_event(struct tq *tq, enum sdmdev_irq irq, int fd)
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
	return wd_sys->ioctl(tq->fd, VFIO_DEVICE_SET_IRQS, &arg);
}

static int set_events(struct tq *tq)
{
	int r;

	tq->update = r = wd_sys->eventfd();
	if (r < 0)
		return r;
	tq->error = r = wd_sys->eventfd();
	if (r < 0)
		return r;
	r = set_event(tq, SDMDEV_IRQ_UPDATE, tq->update);
	if (!r)
		r = set_event(tq, SDMDEV_IRQ_ERROR, tq->error);
	if (r != -ENOTTY)
		return r;
	wd_sys->close(tq->update);
	wd_sys->close(tq->error);
	tq->update = -1;
	tq->error = -1;
	return 0;
}

/* Where the kernel writes the rings, the driver gets some of its own, and a doorbell that is none. */
static int make_rings(struct tq *tq, struct wd_regions *regions)
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

static int map_regions(struct tq *tq, struct wd_regions *regions)
{
	const struct region *mmio = &tq->region[SDMDEV_REGION_MMIO];
	const struct region *dus = &tq->region[SDMDEV_REGION_DUS];
	int is_mediated = tq->mode & SDMDEV_DMA_MEDIATED;
	size_t page_len = sysconf(_SC_PAGESIZE);
	void *mem;
	int r;

	if (dus->len < page_len || dus->len % page_len)
		return -EOPNOTSUPP;
	r = wd_sys->map(tq->fd, dus->off, dus->len, PROT_READ | (is_mediated ? 0 : PROT_WRITE),
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
			r = wd_sys->map(tq->fd, mmio->off, mmio->len, PROT_READ | PROT_WRITE,
					&regions->mmio);
	}
	if (r) {
		wd_sys->unmap(tq->dus, dus->len);
		return r;
	}
	tq->mem = regions->mem;
	mem = tq->mem + regions->mem_len;
	tq->tx_stop = (uint32_t *)((char *)mem - HISI_QM_TX_STOP_FROM_END);
	tq->rx_stop = (uint32_t *)((char *)mem - HISI_QM_RX_STOP_FROM_END);
	return 0;
}

static void unmap_regions(struct tq *tq, const struct wd_regions *regions)
{
	if (regions->is_mediated)
		munmap(regions->mem, regions->mem_len + regions->mmio_len);
	else
		wd_sys->unmap(regions->mmio, regions->mmio_len);
	wd_sys->unmap(tq->dus, tq->region[SDMDEV_REGION_DUS].len);
}

static int start(struct tq *tq, enum wd_op_type op_type)
{
	struct hisi_qp_ctx ctx = { .qc_type = op_type };
	int r = wd_sys->ioctl(tq->fd, HISI_QM_CMD_SET_QP_CTX, &ctx);

	if (!r && tq->mode & MODES_SVM)
		r = wd_sys->ioctl(tq->fd, VFIO_SDMDEV_CMD_BIND_PASID, NULL);
	if (!r)
		r = wd_sys->ioctl(tq->fd, SDMDEV_CMD_START, NULL);
	return r;
}

static int open_queue(struct tq *tq, int group, const char *uuid, enum wd_op_type op_type,
		      struct wd_regions *regions)
{
	int r;

	*tq = (struct tq){
		.device = tq->device, .refs = 1, .group = -1, .container = -1, .fd = -1, .update = -1,
		.error = -1,
	};
	*regions = (struct wd_regions){ 0 };
	r = open_device(tq, group, uuid);
	if (!r)
		r = read_info(tq);
	if (!r)
		r = read_regions(tq);
	if (!r)
		r = set_events(tq);
	if (r)
		goto close_fds;
	r = map_regions(tq, regions);
	if (r)
		goto close_fds;
	r = start(tq, op_type);
	if (r)
		goto unmap_regions;
	regions->depth = tq->depth;
	regions->number = tq->number;
	regions->fd = tq->update >= 0 ? tq->update : -EOPNOTSUPP;
	return 0;
unmap_regions:
	unmap_regions(tq, regions);
close_fds:
	close_fds(tq);
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
	struct device *device = dev;
	struct wd_regions found;
	struct tq *tq = malloc(sizeof(*tq));
	char *names;
	int is_busy = 0, others = 0;
	int r;

	if (!tq)
		return -ENOMEM;
	r = queue_names(device->name, &names);
	if (r < 0) {
		free(tq);
		return r == -ENOENT ? -ENODEV : r;
	}
	r = -EBUSY;
	for (const char *name = names; *name && r; name += strlen(name) + 1) {
		int group = sdmdev_is_uuid(name) ? sdmdev_group(device->name, name) : -ENODEV;

		if (group < 0)
			continue;
		tq->device = device;
		r = open_queue(tq, group, name, op_type, &found);
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
	pthread_mutex_lock(&lock);
	tq->next = device->tqs;
	device->tqs = tq;
	pthread_mutex_unlock(&lock);
	*queue = tq;
	*regions = found;
	return 0;
}

/* The lock is held. */
static void tq_put(struct tq *tq)
{
	if (--tq->refs)
		return;
	for (struct tq **at = &tq->device->tqs; *at; at = &(*at)->next)
		if (*at == tq) {
			*at = tq->next;
			break;
		}
	close_fds(tq);
	free(tq);
}

/* What cannot be drained the kernel keeps from being used again. */
static void sdmdev_stop(void *queue)
{
	wd_sys->ioctl(((struct tq *)queue)->fd, SDMDEV_CMD_STOP, NULL);
}

static void sdmdev_close(void *queue, const struct wd_regions *regions)
{
	struct tq *tq = queue;

	unmap_regions(tq, regions);
	pthread_mutex_lock(&lock);
	tq->is_closed = 1;
	tq_put(tq);
	pthread_mutex_unlock(&lock);
}

/* Fork: the child's copies of the fds would keep the queue from anybody else. */

static void fork_prepare(void)
{
	pthread_mutex_lock(&lock);
}

static void fork_parent(void)
{
	pthread_mutex_unlock(&lock);
}

static void forget_memory(struct device *device)
{
	struct run *run;

	while ((run = device->runs)) {
		device->runs = run->next;
		free(run);
	}
	for (struct tq *tq = device->tqs; tq; tq = tq->next) {
		struct slice *slice;

		while ((slice = tq->slices)) {
			tq->slices = slice->next;
			free(slice);
		}
	}
}

static void fork_child(void)
{
	struct device *device;

	while ((device = devices)) {
		devices = device->next;
		forget_memory(device);
		for (struct tq **at = &device->tqs; *at;) {
			struct tq *tq = *at;

			close_fds(tq);
			if (tq->is_closed) {
				*at = tq->next;
				free(tq);
			} else {
				at = &tq->next;
			}
		}
	}
	pthread_mutex_unlock(&lock);
}

static void sdmdev_forget(void *queue)
{
	struct tq *tq = queue;
	struct device *device = tq->device;

	pthread_mutex_lock(&lock);
	for (struct tq **at = &device->tqs; *at; at = &(*at)->next)
		if (*at == tq) {
			*at = tq->next;
			break;
		}
	if (!device->tqs)
		free(device);
	pthread_mutex_unlock(&lock);
	free(tq);
}

/* State and waiting */

static uint32_t load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void stop_word(uint32_t *word)
{
	__atomic_store_n(word, 1, __ATOMIC_RELEASE);
}

/*
 * 0, -EIO or -ENODEV, from the status page. Stop words, which in the end the kernel sets too, keep
 * senders and receivers away. A device that is to be removed takes no more requests; the kernel
 * leaves time to receive what is in flight.
 */
static int look(struct tq *tq, int *is_leaving)
{
	uint32_t state = load(&tq->status->state);
	int r = 0;

	*is_leaving = load(&tq->status->is_removal_wanted) != 0;
	if (state == SDMDEV_STATE_DEAD)
		r = -ENODEV;
	else if (state != SDMDEV_STATE_OK)
		r = -EIO;
	if (r || *is_leaving)
		stop_word(tq->tx_stop);
	if (r)
		stop_word(tq->rx_stop);
	return r;
}

static enum wd_state sdmdev_state(void *queue, unsigned int *generation)
{
	struct tq *tq = queue;
	int is_leaving;
	int r = look(tq, &is_leaving);

	if (generation)
		*generation = load(&tq->status->generation);
	if (r == -ENODEV || is_leaving)
		return WD_STATE_DEAD;
	return r ? WD_STATE_RESETTING : WD_STATE_OK;
}

static void drain(int fd)
{
	int saved_errno = errno;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		errno = saved_errno; /* there was nothing */
}

static void sdmdev_arm(void *queue)
{
	struct tq *tq = queue;
	int is_leaving;

	if (tq->update >= 0)
		drain(tq->update);
	look(tq, &is_leaving);
}

static int wait_event(struct tq *tq, unsigned int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = tq->update, .events = POLLIN }, { .fd = tq->error, .events = POLLIN },
	};
	int r = wd_sys->poll(fds, 2, timeout_ms > INT_MAX ? -1 : (int)timeout_ms);

	if (r < 0)
		return r == -EINTR ? 0 : r;
	if (fds[1].revents & POLLIN)
		drain(tq->error);
	return r ? 0 : -ETIMEDOUT;
}

static int wait_ioctl(struct tq *tq, unsigned int timeout_ms)
{
	int r = wd_sys->ioctl(tq->fd, VFIO_SDMDEV_CMD_WAIT, (void *)(uintptr_t)timeout_ms);

	return r == -EINTR ? 0 : r;
}

static int sdmdev_wait(void *queue, unsigned int timeout_ms)
{
	struct tq *tq = queue;
	int is_leaving;
	int r, state;

	r = tq->update >= 0 ? wait_event(tq, timeout_ms) : wait_ioctl(tq, timeout_ms);
	state = look(tq, &is_leaving);
	return state ? state : r;
}

/* Mediated queues */

static void break_queue(struct tq *tq)
{
	stop_word(tq->tx_stop);
	stop_word(tq->rx_stop);
}

/* Entries from first up to the end of the ring, or to last before it. */
static unsigned int stretch(const struct tq *tq, unsigned int first, unsigned int last)
{
	return (last < first ? tq->depth : last) - first;
}

static unsigned int step(const struct tq *tq, unsigned int index, unsigned int nr)
{
	return index + nr == tq->depth ? 0 : index + nr;
}

/* 1: went on; 0: not now; or -errno. */
static int transfer(struct tq *tq, unsigned long cmd, unsigned int index, unsigned int nr)
{
	struct sdmdev_submit arg = {
		.argsz = sizeof(arg),
		.ptr = (uintptr_t)(tq->mem + HISI_QM_SQ_OFFSET + (size_t)index * HISI_QM_SQE_SIZE),
		.count = nr,
	};
	int r = wd_sys->ioctl(tq->fd, cmd, &arg);

	if (r > 0 && (unsigned int)r <= nr)
		return r;
	return r == -EAGAIN || r == -EINTR ? 0 : -EIO;
}

/* What the kernel has no room for now waits for the next reap. An entry it refuses ends the queue. */
static void hand_on(struct tq *tq)
{
	while (tq->submitted != tq->tail) {
		int r = transfer(tq, SDMDEV_CMD_SUBMIT, tq->submitted,
				 stretch(tq, tq->submitted, tq->tail));

		if (r < 0)
			break_queue(tq);
		if (r <= 0)
			return;
		tq->submitted = step(tq, tq->submitted, r);
	}
}

static void sdmdev_submit(void *queue, uint64_t value)
{
	const uint64_t index = (uint64_t)0xffff << HISI_QM_DB_INDEX_SHIFT;
	struct tq *tq = queue;

	if ((value & ~index) != tq->sq_doorbell)
		return; /* the kernel knows what was reaped */
	tq->tail = value >> HISI_QM_DB_INDEX_SHIFT & 0xffff;
	hand_on(tq);
}

static int sdmdev_reap(void *queue)
{
	struct tq *tq = queue;
	struct hisi_qm_cqe *cq = (void *)(tq->mem + HISI_QM_CQ_OFFSET(tq->depth));
	int r;

	hand_on(tq);
	if (tq->reaped == tq->submitted)
		return 0;
	r = transfer(tq, SDMDEV_CMD_REAP, tq->reaped, stretch(tq, tq->reaped, tq->submitted));
	if (r < 0)
		break_queue(tq);
	for (int i = 0; i < r; i++) {
		cq[tq->reaped].sq_head = tq->reaped;
		cq[tq->reaped].sq_num = tq->number;
		__atomic_store_n(&cq[tq->reaped].phase, tq->phase, __ATOMIC_RELEASE);
		tq->reaped = step(tq, tq->reaped, 1);
		if (!tq->reaped)
			tq->phase ^= HISI_QM_CQE_PHASE;
	}
	return r > 0;
}

/* Memory */

static int map_run(const struct run *run)
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
	int r = wd_sys->ioctl(run->tq->container, VFIO_IOMMU_MAP_DMA, &map);

	if (r)
		return r;
	r = wd_sys->ioctl(run->tq->fd, SDMDEV_CMD_SHARE, &share);
	if (r)
		wd_sys->ioctl(run->tq->container, VFIO_IOMMU_UNMAP_DMA, &unmap);
	return r;
}

/* Where the first fails, the second takes away what is left, and waits for the queue as well. */
static void unmap_run(const struct run *run)
{
	struct sdmdev_share share = {
		.argsz = sizeof(share), .va = run->start, .len = run->end - run->start,
	};
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = run->start, .size = run->end - run->start,
	};

	wd_sys->ioctl(run->tq->fd, SDMDEV_CMD_UNSHARE, &share);
	wd_sys->ioctl(run->tq->container, VFIO_IOMMU_UNMAP_DMA, &unmap);
}

/* The lock is held in these three. */

static void runs_put(struct device *device, uintptr_t first, uintptr_t end)
{
	struct run **at = &device->runs;

	while (*at) {
		struct run *run = *at;

		if (run->end <= first || run->start >= end || --run->users) {
			at = &run->next;
			continue;
		}
		unmap_run(run);
		*at = run->next;
		tq_put(run->tq);
		free(run);
	}
}

static int run_add(struct tq *tq, struct run **at, uintptr_t first, uintptr_t end, int is_read_only)
{
	struct run *run = malloc(sizeof(*run));
	int r;

	if (!run)
		return -ENOMEM;
	*run = (struct run){
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

static int runs_get(struct tq *tq, uintptr_t first, uintptr_t end, int is_read_only)
{
	struct run **at = &tq->device->runs;
	uintptr_t pos = first;
	int r = 0;

	while (pos < end) {
		struct run *run = *at;

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
	if (r)
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

static int sdmdev_share(void *queue, const void *mem, size_t len, int flags, uint64_t *addr)
{
	struct tq *tq = queue;
	int r = 0;

	if (tq->mode & MODES_SHARED) {
		pthread_mutex_lock(&lock);
		r = runs_get(tq, page_of((uintptr_t)mem), page_behind(mem, len),
			     flags & WD_SHARE_READ);
		pthread_mutex_unlock(&lock);
	} else if (!(tq->mode & MODES_SVM)) {
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

static void sdmdev_unshare(void *queue, uint64_t addr, size_t len)
{
	struct tq *tq = queue;

	if (!(tq->mode & MODES_SHARED))
		return;
	pthread_mutex_lock(&lock);
	runs_put(tq->device, page_of(addr), page_behind((void *)(uintptr_t)addr, len));
	pthread_mutex_unlock(&lock);
}

static int sdmdev_share_all(void *queue)
{
	return ((struct tq *)queue)->mode & MODES_SVM ? 0 : -EOPNOTSUPP;
}

static void sdmdev_unshare_all(void *queue)
{
}

static int sdmdev_alloc(void *queue, size_t len, void **mem, uint64_t *addr)
{
	struct sdmdev_static arg = { .argsz = sizeof(arg), .len = len };
	struct tq *tq = queue;
	struct slice *slice;
	int r;

	if (!(tq->mode & SDMDEV_DMA_STATIC))
		return -EOPNOTSUPP;
	slice = malloc(sizeof(*slice));
	if (!slice)
		return -ENOMEM;
	r = wd_sys->ioctl(tq->fd, SDMDEV_CMD_SS_ALLOC, &arg);
	if (r)
		goto free_slice;
	r = wd_sys->map(tq->fd, tq->region[SDMDEV_REGION_STATIC].off + arg.offset, len,
			PROT_READ | PROT_WRITE, &slice->mem);
	if (r)
		goto free_static;
	slice->off = arg.offset;
	pthread_mutex_lock(&lock);
	slice->next = tq->slices;
	tq->slices = slice;
	pthread_mutex_unlock(&lock);
	*mem = slice->mem;
	*addr = arg.dma;
	return 0;
free_static:
	wd_sys->ioctl(tq->fd, SDMDEV_CMD_SS_FREE, &arg);
free_slice:
	free(slice);
	return r;
}

static void sdmdev_free(void *queue, void *mem, size_t len)
{
	struct sdmdev_static arg = { .argsz = sizeof(arg) };
	struct slice *slice = NULL;
	struct tq *tq = queue;

	pthread_mutex_lock(&lock);
	for (struct slice **at = &tq->slices; *at; at = &(*at)->next)
		if ((*at)->mem == mem) {
			slice = *at;
			*at = slice->next;
			break;
		}
	pthread_mutex_unlock(&lock);
	if (!slice)
		return;
	arg.offset = slice->off;
	wd_sys->unmap(mem, len);
	/* A queue that cannot be drained keeps it until it is closed. */
	wd_sys->ioctl(tq->fd, SDMDEV_CMD_SS_FREE, &arg);
	free(slice);
}

const struct wd_transport wd_transport_sdmdev = {
	.name = "sdmdev",
	.list = sdmdev_list,
	.dev_open = sdmdev_dev_open,
	.dev_close = sdmdev_dev_close,
	.open = sdmdev_open,
	.stop = sdmdev_stop,
	.close = sdmdev_close,
	.forget = sdmdev_forget,
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
	.fork_child = fork_child,
};
