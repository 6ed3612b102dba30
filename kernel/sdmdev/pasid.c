// SPDX-License-Identifier: GPL-2.0-only
/* Modes behind a PASID: a page table for each process (multi), or the process's own one (SVM). */

#include <linux/delay.h>
#include <linux/device.h>
#include <linux/sched/mm.h>

#include "compat.h"
#include "sdmdev.h"

#define SDMDEV_MM_END_MS 3000

/* Only an attempt tells whether device, IOMMU and kernel together can. */
static int sdmdev_multi_probe(struct sdmdev_core *core, struct sdmdev_window *window)
{
	struct device *dev = core->sdmdev->dev;
	struct iommu_domain *domain;
	u32 pasid;
	int ret;

	if (!device_iommu_mapped(dev) || !device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return -EOPNOTSUPP;
	ret = compat_pasid_attach(dev, &domain, &pasid);
	if (ret)
		return ret;
	ret = sdmdev_space_window(core, domain, window);
	compat_pasid_detach(dev, domain, pasid);
	return ret;
}

static int sdmdev_multi_attach(struct sdmdev_space *space)
{
	space->window = space->core->window;
	return compat_pasid_attach(space->core->sdmdev->dev, &space->domain, &space->pasid);
}

static void sdmdev_multi_detach(struct sdmdev_space *space)
{
	compat_pasid_detach(space->core->sdmdev->dev, space->domain, space->pasid);
}

static int sdmdev_multi_bind(struct sdmdev_queue *sq)
{
	WRITE_ONCE(sq->q->pasid, sq->space->pasid);
	return 0;
}

const struct sdmdev_mode sdmdev_mode_multi = {
	.flag = SDMDEV_DMA_MULTI,
	.is_direct = true,
	.probe = sdmdev_multi_probe,
	.attach = sdmdev_multi_attach,
	.detach = sdmdev_multi_detach,
	.bind = sdmdev_multi_bind,
	.bind_pasid = sdmdev_mode_not_offered,
	.share = sdmdev_space_share,
	.unshare = sdmdev_space_unshare,
	.quiesce = sdmdev_mode_not_offered,
	.drop = sdmdev_mode_drop_isolated,
};

/* A device is made ready for SVA once. Under life->lock. */
static int sdmdev_svm_enable(struct sdmdev_core *core)
{
	int ret = core->sva_nr ? 0 : compat_sva_enable(core->sdmdev->dev);

	if (!ret)
		core->sva_nr++;
	return ret;
}

static void sdmdev_svm_disable(struct sdmdev_core *core)
{
	if (!--core->sva_nr)
		compat_sva_disable(core->sdmdev->dev);
}

static struct iommu_sva *sdmdev_svm_bind_mm(struct device *dev, struct mm_struct *mm)
{
	struct iommu_sva *sva = compat_sva_bind(dev, mm);

	return sva ? sva : ERR_PTR(-EOPNOTSUPP);
}

/* Tried with whoever registers the function, where that is a process. */
static int sdmdev_svm_probe(struct sdmdev_core *core, struct sdmdev_window *window)
{
	struct device *dev = core->sdmdev->dev;
	struct iommu_sva *sva;
	int ret;

	sdmdev_window_init(window, 1, 0);
	if (!device_iommu_mapped(dev))
		return -EOPNOTSUPP;
	mutex_lock(&core->life.lock);
	ret = sdmdev_svm_enable(core);
	mutex_unlock(&core->life.lock);
	if (ret)
		return ret;
	if (current->mm) {
		sva = sdmdev_svm_bind_mm(dev, current->mm);
		if (IS_ERR(sva))
			ret = PTR_ERR(sva);
		else
			iommu_sva_unbind_device(sva);
	}
	mutex_lock(&core->life.lock);
	sdmdev_svm_disable(core);
	mutex_unlock(&core->life.lock);
	return ret;
}

static int sdmdev_svm_attach(struct sdmdev_space *space)
{
	return sdmdev_svm_enable(space->core);
}

/*
 * Linux takes an entry out of the table of PASIDs when the memory of its process ends, too: since 7.x
 * in two steps with no lock between, and warns where somebody else does it meanwhile. So the memory
 * stays until this is done, or has ended before: the program's file is the last that __mmput() gives
 * back of what there always is. It may take a process as long as it likes to get there (exit_aio()):
 * then a warning is the lesser evil.
 */
static void sdmdev_svm_unbind(struct mm_struct *mm, struct iommu_sva *sva)
{
	const unsigned long end = jiffies + msecs_to_jiffies(SDMDEV_MM_END_MS);
	bool is_alive = mmget_not_zero(mm);

	while (!is_alive && rcu_access_pointer(mm->exe_file) && time_before(jiffies, end))
		fsleep(1000);
	iommu_sva_unbind_device(sva);
	if (is_alive)
		mmput_async(mm);
}

static void sdmdev_svm_detach(struct sdmdev_space *space)
{
	if (space->sva)
		sdmdev_svm_unbind(space->mm, space->sva);
	mutex_lock(&space->core->life.lock);
	sdmdev_svm_disable(space->core);
	mutex_unlock(&space->core->life.lock);
}

/* The process is the one that opened: every call checks that first. */
static int sdmdev_svm_bind(struct sdmdev_queue *sq)
{
	struct sdmdev_space *space = sq->space;
	struct iommu_sva *sva;
	int ret = 0;

	mutex_lock(&space->sva_lock);
	if (!space->sva) {
		sva = sdmdev_svm_bind_mm(space->core->sdmdev->dev, space->mm);
		if (IS_ERR(sva)) {
			ret = PTR_ERR(sva);
		} else {
			space->sva = sva;
			space->pasid = iommu_sva_get_pasid(sva);
		}
	}
	if (!ret)
		WRITE_ONCE(sq->q->pasid, space->pasid);
	mutex_unlock(&space->sva_lock);
	return ret;
}

const struct sdmdev_mode sdmdev_mode_svm = {
	.flag = SDMDEV_DMA_SVM,
	.is_direct = true,
	.probe = sdmdev_svm_probe,
	.attach = sdmdev_svm_attach,
	.detach = sdmdev_svm_detach,
	.bind = sdmdev_svm_bind,
	.bind_pasid = sdmdev_svm_bind,
	.share = sdmdev_mode_no_share,
	.unshare = sdmdev_mode_no_unshare,
	.quiesce = sdmdev_mode_not_offered,
	.drop = sdmdev_mode_drop_isolated,
};
