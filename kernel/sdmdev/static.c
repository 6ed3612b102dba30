// SPDX-License-Identifier: GPL-2.0-only
/* Static memory: pieces from the DMA API that the process maps, charged as locked memory. */

#include <linux/dma-mapping.h>
#include <linux/module.h>
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
	sdmdev_uncharge(slice->charge);
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
	slice->len = len;
	slice->charge = sdmdev_charge(len >> PAGE_SHIFT);
	if (IS_ERR(slice->charge)) {
		ret = PTR_ERR(slice->charge);
		goto free_slice;
	}
	slice->cpu = dma_alloc_attrs(slice->dev, len, &slice->dma, GFP_KERNEL_ACCOUNT,
				     DMA_ATTR_NO_WARN);
	if (!slice->cpu) {
		ret = -ENOMEM;
		goto uncharge;
	}
	return slice;

uncharge:
	sdmdev_uncharge(slice->charge);
free_slice:
	kfree(slice);
	return ERR_PTR(ret);
}

static void sdmdev_static_set(struct sdmdev_queue *sq, u32 slot, struct sdmdev_slice *slice)
{
	mutex_lock(&sq->q->mutex);
	mutex_lock(&sq->map_lock);
	sq->slices[slot] = slice;
	mutex_unlock(&sq->map_lock);
	mutex_unlock(&sq->q->mutex);
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

	sdmdev_static_set(sq, slot, slice);
	sq->static_len += slice->len;
	arg->len = slice->len;
	arg->offset = (u64)slot << SDMDEV_SLICE_SHIFT;
	arg->dma = slice->dma;
	return 0;
}

/* Hidden, no new request may name it, and nobody can map it. */
static int sdmdev_static_hide(struct sdmdev_queue *sq, struct sdmdev_slice *slice, bool is_hidden)
{
	int ret = 0;

	mutex_lock(&sq->q->mutex);
	mutex_lock(&sq->map_lock);
	if (slice->mappings_nr)
		ret = -EBUSY;
	else
		slice->is_hidden = is_hidden;
	mutex_unlock(&sq->map_lock);
	mutex_unlock(&sq->q->mutex);
	return ret;
}

int sdmdev_static_free(struct sdmdev_queue *sq, u64 offset)
{
	u64 slot = offset >> SDMDEV_SLICE_SHIFT;
	struct sdmdev_slice *slice;
	int ret;

	if (slot >= SDMDEV_SLICES || offset != slot << SDMDEV_SLICE_SHIFT || !sq->slices[slot])
		return -ENOENT;
	slice = sq->slices[slot];
	ret = sdmdev_static_hide(sq, slice, true);
	if (ret)
		return ret;
	ret = sq->mode->quiesce(sq);
	if (ret) {
		sdmdev_static_hide(sq, slice, false);
		return ret;
	}
	sdmdev_static_set(sq, slot, NULL);
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

		if (slice && !slice->is_hidden && dma >= slice->dma &&
		    dma - slice->dma <= slice->len && len <= slice->len - (dma - slice->dma))
			return true;
	}
	return false;
}
EXPORT_SYMBOL_GPL(vfio_sdmdev_owns);
