// SPDX-License-Identifier: GPL-2.0-only
/* Static memory: pieces from the DMA API that the process maps, charged as locked memory. */

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "sdmdev.h"

static unsigned int static_max_mib = 64;
module_param_named(static_max, static_max_mib, uint, 0444);
MODULE_PARM_DESC(static_max, "static memory of one queue at most, in MiB");

u64 sdmdev_static_max(void)
{
	return (u64)static_max_mib << 20;
}

static void sdmdev_slice_free(struct sdmdev_retired *retired)
{
	struct sdmdev_slice *slice = container_of(retired, struct sdmdev_slice, retired);

	dma_free_attrs(slice->dev, slice->len, slice->cpu, slice->dma, 0);
	account_locked_vm(slice->mm, slice->len >> PAGE_SHIFT, false);
	mmdrop(slice->mm);
	kfree(slice);
}

static struct sdmdev_slice *sdmdev_slice_alloc(struct sdmdev_queue *sq, size_t len)
{
	struct sdmdev_slice *slice;
	int ret;

	slice = kzalloc(sizeof(*slice), GFP_KERNEL_ACCOUNT);
	if (!slice)
		return ERR_PTR(-ENOMEM);
	slice->retired.free = sdmdev_slice_free;
	slice->dev = sq->core->sdmdev->dev;
	slice->mm = sq->mm;
	slice->len = len;
	ret = account_locked_vm(slice->mm, len >> PAGE_SHIFT, true);
	if (ret)
		goto free_slice;
	slice->cpu = dma_alloc_attrs(slice->dev, len, &slice->dma, GFP_KERNEL, DMA_ATTR_NO_WARN);
	if (!slice->cpu) {
		ret = -ENOMEM;
		goto uncharge;
	}
	mmgrab(slice->mm);
	return slice;

uncharge:
	account_locked_vm(slice->mm, len >> PAGE_SHIFT, false);
free_slice:
	kfree(slice);
	return ERR_PTR(ret);
}

int sdmdev_static_alloc(struct sdmdev_queue *sq, struct sdmdev_static *arg)
{
	struct sdmdev_slice *slice;
	u32 slot;

	if (!sq->mode->has_static)
		return -EOPNOTSUPP;
	if (!arg->len)
		return -EINVAL;
	if (arg->len > sdmdev_static_max() - sq->static_len ||
	    PAGE_ALIGN(arg->len) > min(sdmdev_static_max() - sq->static_len,
				       1ULL << SDMDEV_SLICE_SHIFT))
		return -ENOMEM;
	for (slot = 0; slot < SDMDEV_SLICES && sq->slices[slot]; slot++)
		;
	if (slot == SDMDEV_SLICES)
		return -ENOMEM;
	slice = sdmdev_slice_alloc(sq, PAGE_ALIGN(arg->len));
	if (IS_ERR(slice))
		return PTR_ERR(slice);

	mutex_lock(&sq->map_lock);
	sq->slices[slot] = slice;
	mutex_unlock(&sq->map_lock);
	sq->static_len += slice->len;
	arg->len = slice->len;
	arg->offset = (u64)slot << SDMDEV_SLICE_SHIFT;
	arg->dma = slice->dma;
	return 0;
}

int sdmdev_static_free(struct sdmdev_queue *sq, u64 offset)
{
	u64 slot = offset >> SDMDEV_SLICE_SHIFT;
	struct sdmdev_slice *slice;
	int ret;

	if (slot >= SDMDEV_SLICES || offset != slot << SDMDEV_SLICE_SHIFT || !sq->slices[slot])
		return -ENOENT;
	ret = sq->mode->quiesce(sq);
	if (ret)
		return ret;
	mutex_lock(&sq->map_lock);
	slice = sq->slices[slot];
	if (slice->mappings_nr)
		slice = NULL;
	else
		sq->slices[slot] = NULL;
	mutex_unlock(&sq->map_lock);
	if (!slice)
		return -EBUSY;
	sq->static_len -= slice->len;
	sq->mode->drop(sq, &slice->retired);
	return 0;
}

/* The device file is closed: nothing is mapped. */
void sdmdev_static_free_all(struct sdmdev_queue *sq)
{
	u32 slot;

	for (slot = 0; slot < SDMDEV_SLICES; slot++) {
		if (sq->slices[slot])
			sq->mode->drop(sq, &sq->slices[slot]->retired);
		sq->slices[slot] = NULL;
	}
	sq->static_len = 0;
}

/**
 * vfio_sdmdev_owns() - may a request of this queue name this memory?
 * @q: the queue, its mutex held
 * @dma: device address
 * @len: bytes
 * @is_write: the device writes to it
 *
 * Static memory of a queue may be written and read alike.
 *
 * Return: whether [dma, dma + len) lies in one piece of the queue's static memory.
 */
bool vfio_sdmdev_owns(struct vfio_sdmdev_queue *q, dma_addr_t dma, size_t len, bool is_write)
{
	struct sdmdev_queue *sq = q->core;
	u32 slot;

	lockdep_assert_held(&q->mutex);
	for (slot = 0; slot < SDMDEV_SLICES; slot++) {
		const struct sdmdev_slice *slice = sq->slices[slot];

		if (slice && dma >= slice->dma && dma - slice->dma <= slice->len &&
		    len <= slice->len - (dma - slice->dma))
			return true;
	}
	return false;
}
EXPORT_SYMBOL_GPL(vfio_sdmdev_owns);
