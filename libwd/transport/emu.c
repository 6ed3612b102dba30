/* SPDX-License-Identifier: Zlib */
/* Transport of the emulated device: its threads stand for the silicon, plain memory for its pages. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "drv/hisi_qm.h"
#include "emu/emu.h"
#include "priv.h"
#include "transport/transport.h"
#include "wd_zip.h"

/*
 * A device stays when its last queue closes: its count of requests and its scripted faults go on
 * with the next queue. It stays at exit, too: a destructor that runs later may still want it.
 */
struct handle {
	struct handle *next;
	char name[WD_NAME_LEN];
	struct emu_dev *dev;
};
static struct handle *handles; /* under wd_lock */

struct tq {
	struct handle *handle;
	struct emu_queue *queue;
};

/* Options in the device's name: "emu", "emu:threads=2". */
static const char *options_of(const char *name)
{
	return name[3] ? name + 4 : "";
}

/* A library that is not there now is looked for again. */
static int emu_prepare(const char *options)
{
	__atomic_store_n(&emu_may_open, wd_root_is_known, __ATOMIC_RELAXED);
	emu_dev_prepare(options);
	return 1;
}

static int emu_list(const char *options, struct wd_device_info *info, unsigned int nr)
{
	static const char apis[][16] = { HISI_QM_API_V1, HISI_QM_API_V2, HISI_QM_API_V3 };
	struct emu_info emu;
	struct emu_dev *dev;
	int r;

	if (!nr)
		return 1;
	__atomic_store_n(&emu_may_open, wd_root_is_known, __ATOMIC_RELAXED);
	r = emu_dev_get(options, &dev);
	if (r)
		return r == -ENODEV ? 0 : r;
	emu_dev_info(dev, &emu);
	emu_dev_put(dev);
	*info = (struct wd_device_info){
		.transport = "emu",
		.numa_node = -1,
		.engines = emu.engines,
		.queues_total = emu.queues_total,
		.queues_free = emu.queues_free,
		.max_len = WD_ZIP_MAX_LEN,
		.is_emulated = 1,
	};
	snprintf(info->name, sizeof(info->name), "emu%s%s", *options ? ":" : "", options);
	snprintf(info->api, sizeof(info->api), "%s", apis[emu.qm_version - 1]);
	snprintf(info->algs, sizeof(info->algs), "%s", emu.algs);
	snprintf(info->engine, sizeof(info->engine), "%s", emu.engine);
	return 1;
}

static int emu_dev_open(const struct wd_device_info *info, void **dev)
{
	struct handle *handle;
	int r;

	for (handle = handles; handle; handle = handle->next)
		if (!strcmp(handle->name, info->name))
			goto found;
	handle = calloc(1, sizeof(*handle));
	if (!handle)
		return -ENOMEM;
	memcpy(handle->name, info->name, sizeof(handle->name));
	r = emu_dev_get(options_of(handle->name), &handle->dev);
	if (r) {
		free(handle);
		return r;
	}
	handle->next = handles;
	handles = handle;
found:
	*dev = handle;
	return 0;
}

static void emu_dev_close(void *dev)
{
}

static int emu_open(void *dev, enum wd_op_type op_type, void **queue, struct wd_regions *regions)
{
	struct handle *handle = dev;
	size_t page_len = sysconf(_SC_PAGESIZE);
	size_t mmio_len = HISI_QM_DB_OFFSET_V2 + page_len;
	struct emu_queue_cfg cfg;
	struct emu_info info;
	struct tq *tq;
	size_t mem_len;
	char *mem, *end;
	int r = -ENOMEM;

	emu_dev_info(handle->dev, &info);
	mem_len = hisi_qm_mem_len(info.depth, page_len);
	tq = malloc(sizeof(*tq));
	if (!tq)
		return -ENOMEM;
	mem = mmap(NULL, mem_len + mmio_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0);
	if (mem == MAP_FAILED)
		goto free_tq;
	if (madvise(mem, mem_len + mmio_len, MADV_DONTFORK))
		goto unmap;

	end = mem + mem_len;
	cfg = (struct emu_queue_cfg){
		.alg_type = op_type,
		.depth = info.depth,
		.sq = mem + HISI_QM_SQ_OFFSET,
		.cq = mem + HISI_QM_CQ_OFFSET(info.depth),
		.tx_stop = (uint32_t *)(end - HISI_QM_TX_STOP_FROM_END),
		.rx_stop = (uint32_t *)(end - HISI_QM_RX_STOP_FROM_END),
	};
	r = emu_queue_start(handle->dev, &cfg, &tq->queue);
	if (r)
		goto unmap;
	tq->handle = handle;
	*queue = tq;
	*regions = (struct wd_regions){
		.mmio = end,
		.mmio_len = mmio_len,
		.mem = mem,
		.mem_len = mem_len,
		.depth = info.depth,
		.number = emu_queue_number(tq->queue),
		.is_on_cpu = strcmp(info.engine, "null") != 0,
	};
	return 0;
unmap:
	munmap(mem, mem_len + mmio_len);
free_tq:
	free(tq);
	return r;
}

static void emu_stop(void *queue)
{
	emu_queue_stop(((struct tq *)queue)->queue);
}

static void emu_close(void *queue, const struct wd_regions *regions)
{
	struct tq *tq = queue;

	munmap(regions->mem, regions->mem_len + regions->mmio_len);
	free(tq);
}

static void emu_forget(void *queue)
{
	struct tq *tq = queue;

	emu_queue_stop(tq->queue); /* knows that it is another process's */
	free(tq);
}

static int emu_wait(void *queue, unsigned int timeout_ms)
{
	int saved_errno = errno;
	int r = emu_queue_wait(((struct tq *)queue)->queue, timeout_ms);

	errno = saved_errno;
	return r;
}

/* A store to plain memory traps nowhere, so the device is told. */
static void emu_doorbell(void *queue, uint64_t value)
{
	int saved_errno = errno;

	emu_queue_doorbell(((struct tq *)queue)->queue, value);
	errno = saved_errno;
}

static void emu_doorbell_quiet(void *queue, uint64_t value)
{
	emu_queue_doorbell_quiet(((struct tq *)queue)->queue, value);
}

static void emu_help(void *queue)
{
	int saved_errno = errno;

	emu_queue_help(((struct tq *)queue)->queue);
	errno = saved_errno;
}

static enum wd_state emu_state(void *queue, unsigned int *generation)
{
	static const enum wd_state states[] = {
		[EMU_OK] = WD_STATE_OK,
		[EMU_RESET] = WD_STATE_RESETTING,
		[EMU_GONE] = WD_STATE_DEAD,
	};
	unsigned int unused;

	return states[emu_queue_state(((struct tq *)queue)->queue,
				      generation ? generation : &unused)];
}

static struct emu_dev *dev_of(void *queue)
{
	return ((struct tq *)queue)->handle->dev;
}

static int emu_share(void *queue, const void *mem, size_t len, int flags, uint64_t *addr)
{
	int access = EMU_DMA_READ | (flags & WD_SHARE_READ ? 0 : EMU_DMA_WRITE);
	int r = emu_dma_map(dev_of(queue), (uintptr_t)mem, (void *)mem, len, access);

	if (!r)
		*addr = (uintptr_t)mem;
	return r;
}

static void emu_unshare(void *queue, uint64_t addr, size_t len)
{
	emu_dma_unmap(dev_of(queue), addr, len);
}

static int emu_share_all(void *queue)
{
	return emu_dma_map(dev_of(queue), 0, NULL, UINT64_MAX, EMU_DMA_READ | EMU_DMA_WRITE);
}

static void emu_unshare_all(void *queue)
{
	emu_dma_unmap(dev_of(queue), 0, UINT64_MAX);
}

static void emu_forget_all(int is_sound)
{
	if (!emu_fork_child() || !is_sound)
		handles = NULL;
}

static int emu_event(void *queue)
{
	return emu_queue_fd(((struct tq *)queue)->queue);
}

const struct wd_transport wd_transport_emu = {
	.name = "emu",
	.is_emulated = 1,
	.check = emu_options_check,
	.prepare = emu_prepare,
	.list = emu_list,
	.dev_open = emu_dev_open,
	.dev_close = emu_dev_close,
	.open = emu_open,
	.stop = emu_stop,
	.close = emu_close,
	.forget = emu_forget,
	.event = emu_event,
	.wait = emu_wait,
	.doorbell = emu_doorbell,
	.doorbell_quiet = emu_doorbell_quiet,
	.help = emu_help,
	.state = emu_state,
	.share = emu_share,
	.unshare = emu_unshare,
	.share_all = emu_share_all,
	.unshare_all = emu_unshare_all,
	.fork_prepare = emu_fork_prepare,
	.fork_parent = emu_fork_parent,
	.forget_all = emu_forget_all,
};

int wd_emu_stats(struct wd_emu_stats *stats)
{
	struct wd_emu_stats sum = { 0 };
	int cancel = wd_cancel_off();
	int r = -ENODEV;

	wd_enter();
	pthread_mutex_lock(&wd_lock);
	for (struct handle *handle = handles; handle; handle = handle->next) {
		struct emu_stats one;

		emu_dev_stats(handle->dev, &one);
		sum.cpu_ns += one.cpu_ns;
		sum.requests += one.requests;
		sum.helped += one.helped;
		sum.faults += one.faults;
		r = 0;
	}
	pthread_mutex_unlock(&wd_lock);
	wd_cancel_as(cancel);
	if (!r)
		*stats = sum;
	return r;
}
