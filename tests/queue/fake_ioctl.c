/* SPDX-License-Identifier: Zlib */
/* What the tests' kernel answers to ioctl(): VFIO with sdmdev, and uacce. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wd/hisi_qm.h>
#include <wd/hisi_zip.h>
#include "fake_priv.h"

int fake_group_ioctl(struct queue *q, unsigned long cmd, void *arg)
{
	unsigned int function = q->index / FAKE_QUEUES;

	switch (cmd) {
	case VFIO_GROUP_GET_STATUS:
		((struct vfio_group_status *)arg)->flags = VFIO_GROUP_FLAGS_VIABLE;
		return 0;
	case VFIO_GROUP_SET_CONTAINER:
		if (fake.files[*(int *)arg].kind != CONTAINER || fake.files[*(int *)arg].queue)
			return -EINVAL;
		fake.files[*(int *)arg].queue = q;
		q->container = q;
		return 0;
	case VFIO_GROUP_GET_DEVICE_FD:
		if (strcmp(arg, fake_uuid(q)) || !q->has_iommu)
			return -EINVAL;
		if (fake.taken_functions[function])
			return -EBUSY;
		fake_queue_open(q);
		q->has_iommu = 1;
		return fake_file_new(DEVICE, q);
	}
	return -ENOTTY;
}

int fake_container_ioctl(struct queue *q, unsigned long cmd, void *arg)
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
		return q && q->is_open ? fake_map_dma(q, arg) : -EINVAL;
	case VFIO_IOMMU_UNMAP_DMA:
		return q && q->is_open ? fake_unmap_dma(q, arg) : -EINVAL;
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

	if (fake.setup.has_no_events)
		return -ENOTTY;
	memcpy(&fd, set->data, sizeof(fd));
	if (set->argsz != sizeof(*set) + sizeof(fd) || set->index >= SDMDEV_IRQS ||
	    set->count != 1 || fake.files[fd].kind != EVENT)
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
		.argsz = sizeof(*out),
		.dma_mode = fake.setup.mode,
		.sqe_len = HISI_QM_SQE_SIZE,
		.sq_depth = fake.info.depth,
		.cq_depth = fake.info.depth,
		.number = NUMBER_BASE + q->index,
		.static_max = 64 << 20,
		.static_slices_max = SLICES,
		.ranges_max = SHARES,
		.aperture_end = fake.setup.aperture_end ? fake.setup.aperture_end : UINT64_MAX,
	};
	snprintf(out->api, sizeof(out->api), "hisi_qm_v%u", fake.info.qm_version);
	return 0;
}

int fake_device_ioctl(struct queue *q, unsigned long cmd, void *arg)
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
		if (!(fake.setup.mode & SDMDEV_DMA_SVM))
			return -EOPNOTSUPP;
		return emu_dma_map(fake.dev, 0, NULL, UINT64_MAX, EMU_DMA_READ | EMU_DMA_WRITE);
	case SDMDEV_CMD_START:
		return fake_queue_start(q);
	case SDMDEV_CMD_STOP:
		fake_queue_stop(q);
		return 0;
	case SDMDEV_CMD_SHARE:
		return fake_share(q, arg);
	case SDMDEV_CMD_UNSHARE:
		return fake_unshare(q, arg);
	case SDMDEV_CMD_SS_ALLOC:
		return fake_ss_alloc(q, arg);
	case SDMDEV_CMD_SS_FREE:
		return fake_ss_free(q, arg);
	case SDMDEV_CMD_SUBMIT:
		return q->rings ? fake_submit(q, arg) : -EOPNOTSUPP;
	case SDMDEV_CMD_REAP:
		return q->rings ? fake_reap(q, arg) : -EOPNOTSUPP;
	}
	return -ENOTTY;
}

int fake_uacce_ioctl(struct queue *q, unsigned long cmd, void *arg)
{
	if (fake.is_gone)
		return -ENXIO;
	switch (cmd) {
	case HISI_QM_CMD_SET_QP_CTX:
		return set_context(q, arg);
	case HISI_QM_CMD_SET_QP_INFO:
		if (fake.setup.has_no_info)
			return -EINVAL;
		*(struct hisi_qp_info *)arg = (struct hisi_qp_info){
			.sqe_size = HISI_QM_SQE_SIZE,
			.sq_depth = fake.info.depth,
			.cq_depth = fake.info.depth,
		};
		return 0;
	case UACCE_CMD_START_Q:
		return fake_queue_start(q);
	case UACCE_CMD_PUT_Q:
		fake_queue_stop(q);
		return 0;
	case UACCE_CMD_GET_SS_DMA:
		return fake_get_ss_dma(q, arg);
	}
	return -EINVAL;
}

/* A failing device takes the queue away meanwhile, so nothing of it is held while time passes. */
int fake_wait_ioctl(struct queue *q, void *arg)
{
	for (uintptr_t left_ms = (uintptr_t)arg;; left_ms--) {
		int r;

		pthread_mutex_lock(&fake_lock);
		r = fake_queue_error(q);
		if (!r)
			r = emu_queue_wait(q->emu, 0);
		pthread_mutex_unlock(&fake_lock);
		if (r != -ETIMEDOUT || !left_ms)
			return r;
		usleep(1000);
	}
}
