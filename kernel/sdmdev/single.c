// SPDX-License-Identifier: GPL-2.0-only
/* Single mode: one process shares the function's own page table, device address = address. */

#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/sizes.h>

#include "sdmdev.h"

static int sdmdev_single_count(struct device *dev, void *data)
{
	++*(int *)data;
	return 0;
}

/* Another device of the group would see what is shared. */
static bool sdmdev_single_is_alone(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	int nr = 0;

	if (!group)
		return false;
	iommu_group_for_each_dev(group, &nr, sdmdev_single_count);
	iommu_group_put(group);
	return nr == 1;
}

/* The page table that the DMA API maps into, where there is one. */
static struct iommu_domain *sdmdev_single_domain(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	if (!domain || !(domain->type & __IOMMU_DOMAIN_PAGING) ||
	    !(domain->type & __IOMMU_DOMAIN_DMA_API))
		return NULL;
	return domain;
}

/**
 * vfio_sdmdev_dma_mask() - the DMA mask that a driver sets
 * @dev: its device
 * @mask: what that can reach
 *
 * Return: 32 bits, where a process may share the page table with the kernel and needs what is
 * above; or @mask.
 */
u64 vfio_sdmdev_dma_mask(struct device *dev, u64 mask)
{
	return sdmdev_single_domain(dev) ? min(mask, DMA_BIT_MASK(32)) : mask;
}
EXPORT_SYMBOL_GPL(vfio_sdmdev_dma_mask);

/*
 * The kernel's own buffers of the function lie in the same page table. With a DMA mask of 32 bits
 * they stay below 4 GiB for good, and the rest is the process's.
 */
static int sdmdev_single_probe(struct sdmdev_core *core, struct sdmdev_window *window)
{
	struct device *dev = core->sdmdev->dev;
	struct iommu_domain *domain = sdmdev_single_domain(dev);
	int ret;

	if (!domain)
		return -EOPNOTSUPP;
	if (dma_get_mask(dev) > DMA_BIT_MASK(32) || dev->coherent_dma_mask > DMA_BIT_MASK(32))
		return -EOPNOTSUPP;
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY) || !sdmdev_single_is_alone(dev))
		return -EOPNOTSUPP;
	ret = sdmdev_space_window(core, domain, window);
	if (ret)
		return ret;
	sdmdev_window_exclude(window, 0, SZ_4G - 1);
	return window->nr ? 0 : -EOPNOTSUPP;
}

/* The driver that is bound holds the domain; a device may have joined the group. */
static int sdmdev_single_attach(struct sdmdev_space *space)
{
	struct device *dev = space->core->sdmdev->dev;

	if (!sdmdev_single_is_alone(dev))
		return -EOPNOTSUPP;
	space->domain = iommu_get_domain_for_dev(dev);
	space->window = space->core->window;
	return 0;
}

static void sdmdev_single_detach(struct sdmdev_space *space)
{
}

/* Any queue of the function reaches the memory of all. */
static int sdmdev_single_quiesce(struct sdmdev_queue *sq)
{
	return sdmdev_life_is_busy(&sq->core->life) ? -EBUSY : 0;
}

static void sdmdev_single_drop(struct sdmdev_queue *sq, struct sdmdev_retired *retired)
{
	sdmdev_life_retire(&sq->core->life, retired);
}

const struct sdmdev_mode sdmdev_mode_single = {
	.flag = SDMDEV_DMA_SINGLE | SDMDEV_DMA_STATIC,
	.is_direct = true,
	.is_exclusive = true,
	.has_static = true,
	.probe = sdmdev_single_probe,
	.attach = sdmdev_single_attach,
	.detach = sdmdev_single_detach,
	.bind = sdmdev_mode_nothing,
	.bind_pasid = sdmdev_mode_not_offered,
	.share = sdmdev_space_share,
	.unshare = sdmdev_space_unshare,
	.quiesce = sdmdev_single_quiesce,
	.drop = sdmdev_single_drop,
};
