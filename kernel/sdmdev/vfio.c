// SPDX-License-Identifier: GPL-2.0-only
/* A queue as VFIO device: its calls, regions and mappings. */

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "sdmdev.h"

#define SDMDEV_IOCTL_DATA 256 /* bytes of a driver's own command at most */
#define SDMDEV_REVOKE_TRY_MS 20

static struct sdmdev_queue *to_queue(struct vfio_device *vdev)
{
	return container_of(vdev, struct sdmdev_queue, vdev);
}

/*
 * One VMA: it is never split, moved, grown or inherited, so that there is one to take pages from.
 */
struct sdmdev_mapping {
	struct list_head node; /* sq->map_lock, all of it */
	struct sdmdev_queue *sq;
	struct sdmdev_slice *slice;
	struct vm_area_struct *vma;
	bool is_mmio;
	u32 users;
};

/*
 * Takes the doorbells away from a process that has them mapped. All of a queue's mappings are in
 * the mm of its owner; when that is being torn down, so are they. Its mmap lock may be held for as
 * long as it likes: then this is tried again.
 */
static void sdmdev_vfio_revoke(struct work_struct *work)
{
	struct sdmdev_queue *sq = container_of(work, struct sdmdev_queue, revoke_work.work);
	struct sdmdev_mapping *mapping;
	struct mm_struct *mm = NULL;

	mutex_lock(&sq->map_lock);
	sq->is_revoked = true;
	if (sq->mm && mmget_not_zero(sq->mm))
		mm = sq->mm;
	mutex_unlock(&sq->map_lock);
	if (!mm)
		return;
	if (!mmap_read_trylock(mm)) {
		queue_delayed_work(sdmdev_wq, &sq->revoke_work,
				   msecs_to_jiffies(SDMDEV_REVOKE_TRY_MS));
	} else {
		mutex_lock(&sq->map_lock);
		list_for_each_entry(mapping, &sq->mappings, node)
			if (mapping->is_mmio)
				compat_zap_vma(&sq->vdev, mapping->vma);
		mutex_unlock(&sq->map_lock);
		mmap_read_unlock(mm);
	}
	mmput_async(mm);
}

static int sdmdev_vfio_init(struct vfio_device *vdev)
{
	struct sdmdev_queue *sq = to_queue(vdev);

	mutex_init(&sq->mem_lock);
	mutex_init(&sq->map_lock);
	INIT_LIST_HEAD(&sq->mappings);
	spin_lock_init(&sq->irq_lock);
	refcount_set(&sq->holds, 1);
	INIT_DELAYED_WORK(&sq->revoke_work, sdmdev_vfio_revoke);
	return 0;
}

static void sdmdev_vfio_release(struct vfio_device *vdev)
{
	struct sdmdev_queue *sq = to_queue(vdev);

	cancel_delayed_work_sync(&sq->revoke_work);
	kvfree(sq->flight.bytes);
	compat_vfio_free(vdev);
}

static int sdmdev_vfio_open(struct vfio_device *vdev)
{
	return sdmdev_queue_open(to_queue(vdev));
}

static void sdmdev_vfio_close(struct vfio_device *vdev)
{
	sdmdev_queue_close(to_queue(vdev));
}

static void sdmdev_vfio_request(struct vfio_device *vdev, unsigned int count)
{
	sdmdev_queue_want_removal(to_queue(vdev), count);
}

/* Whatever is pinned inside must be unpinned on return: VFIO insists. */
static void sdmdev_vfio_dma_unmap(struct vfio_device *vdev, u64 iova, u64 len)
{
	struct sdmdev_queue *sq = to_queue(vdev);

	mutex_lock(&sq->mem_lock);
	if (sq->mm) {
		sdmdev_gate_enter(sq->space->gate);
		sdmdev_queue_unmap(sq, iova, iova + len - 1);
	}
	mutex_unlock(&sq->mem_lock);
}

/* Regions */

static u64 sdmdev_vfio_region_len(const struct sdmdev_queue *sq, u32 index)
{
	switch (index) {
	case SDMDEV_REGION_MMIO:
		return sq->mode->is_direct ? sq->layout.mmio_len : 0;
	case SDMDEV_REGION_DUS:
		return sq->mode->is_direct ? sq->layout.dus_len : PAGE_SIZE;
	case SDMDEV_REGION_STATIC:
		return sq->mode->has_static ? (u64)SDMDEV_SLICES << SDMDEV_SLICE_SHIFT : 0;
	default:
		return 0;
	}
}

/* A move that sdmdev_vma_mremap() is about to refuse makes a second VMA for a moment. */
static void sdmdev_vma_open(struct vm_area_struct *vma)
{
	struct sdmdev_mapping *mapping = vma->vm_private_data;

	mutex_lock(&mapping->sq->map_lock);
	mapping->users++;
	mutex_unlock(&mapping->sq->map_lock);
}

static void sdmdev_vma_close(struct vm_area_struct *vma)
{
	struct sdmdev_mapping *mapping = vma->vm_private_data;
	struct sdmdev_queue *sq = mapping->sq;

	mutex_lock(&sq->map_lock);
	if (--mapping->users) {
		mapping = NULL;
	} else {
		list_del(&mapping->node);
		if (mapping->slice)
			mapping->slice->mappings_nr--;
	}
	mutex_unlock(&sq->map_lock);
	kfree(mapping);
}

static int sdmdev_vma_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static int sdmdev_vma_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static const struct vm_operations_struct sdmdev_vm_ops = {
	.open = sdmdev_vma_open,
	.close = sdmdev_vma_close,
	.may_split = sdmdev_vma_may_split,
	.mremap = sdmdev_vma_mremap,
};

/* [page, page + vma) of memory from the DMA API. */
static int sdmdev_vfio_mmap_dma(struct sdmdev_queue *sq, struct vm_area_struct *vma, void *cpu,
				dma_addr_t dma, size_t len, unsigned long page)
{
	unsigned long pgoff = vma->vm_pgoff;
	int ret;

	if (page >= len >> PAGE_SHIFT || vma_pages(vma) > (len >> PAGE_SHIFT) - page)
		return -EINVAL;
	vma->vm_pgoff = page;
	ret = dma_mmap_attrs(sq->core->sdmdev->dev, vma, cpu, dma, len, 0);
	vma->vm_pgoff = pgoff;
	return ret;
}

static int sdmdev_vfio_mmap_mmio(struct sdmdev_mapping *mapping, struct vm_area_struct *vma,
				 unsigned long page)
{
	const struct vfio_sdmdev_layout *layout = &mapping->sq->layout;
	unsigned long pages = layout->mmio_len >> PAGE_SHIFT;

	if (mapping->sq->is_revoked)
		return -ENODEV;
	if (page >= pages || vma_pages(vma) > pages - page)
		return -EINVAL;
	mapping->is_mmio = true;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return io_remap_pfn_range(vma, vma->vm_start, (layout->mmio >> PAGE_SHIFT) + page,
				  vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

/* Where the kernel writes the rings there is only the status page. */
static int sdmdev_vfio_mmap_dus(struct sdmdev_mapping *mapping, struct vm_area_struct *vma,
				unsigned long page)
{
	const struct vfio_sdmdev_layout *layout = &mapping->sq->layout;

	if (!mapping->sq->mode->is_direct)
		page = (layout->dus_len >> PAGE_SHIFT) - 1;
	return sdmdev_vfio_mmap_dma(mapping->sq, vma, layout->dus, layout->dus_dma,
				    layout->dus_len, page);
}

static int sdmdev_vfio_mmap_static(struct sdmdev_mapping *mapping, struct vm_area_struct *vma,
				   unsigned long page)
{
	const unsigned int shift = SDMDEV_SLICE_SHIFT - PAGE_SHIFT;
	struct sdmdev_slice *slice = mapping->sq->slices[page >> shift];
	int ret;

	if (!slice || slice->is_hidden)
		return -EINVAL;
	ret = sdmdev_vfio_mmap_dma(mapping->sq, vma, slice->cpu, slice->dma, slice->len,
				   page & ((1UL << shift) - 1));
	if (!ret) {
		mapping->slice = slice;
		slice->mappings_nr++;
	}
	return ret;
}

static int (*const sdmdev_vfio_mmaps[SDMDEV_REGIONS])(struct sdmdev_mapping *mapping,
						      struct vm_area_struct *vma,
						      unsigned long page) = {
	[SDMDEV_REGION_MMIO] = sdmdev_vfio_mmap_mmio,
	[SDMDEV_REGION_DUS] = sdmdev_vfio_mmap_dus,
	[SDMDEV_REGION_STATIC] = sdmdev_vfio_mmap_static,
};

/* Under the mmap lock: takes no lock that another takes before it. */
static int sdmdev_vfio_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	const unsigned int shift = SDMDEV_REGION_SHIFT - PAGE_SHIFT;
	unsigned long region = vma->vm_pgoff >> shift;
	unsigned long page = vma->vm_pgoff & ((1UL << shift) - 1);
	struct sdmdev_queue *sq = to_queue(vdev);
	struct sdmdev_mapping *mapping;
	u64 pages;
	int ret;

	if (current->mm != sq->mm)
		return -EPERM;
	if (region >= SDMDEV_REGIONS || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	pages = sdmdev_vfio_region_len(sq, region) >> PAGE_SHIFT;
	if (page >= pages || vma_pages(vma) > pages - page)
		return -EINVAL;
	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return -ENOMEM;
	mapping->sq = sq;
	mapping->vma = vma;
	mapping->users = 1;

	mutex_lock(&sq->map_lock);
	ret = sdmdev_vfio_mmaps[region](mapping, vma, page);
	if (!ret)
		list_add(&mapping->node, &sq->mappings);
	mutex_unlock(&sq->map_lock);
	if (ret) {
		kfree(mapping);
		return ret;
	}
	vm_flags_set(vma, VM_IO | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = mapping;
	vma->vm_ops = &sdmdev_vm_ops;
	return 0;
}

/* Calls of VFIO itself */

static int sdmdev_vfio_get_info(struct sdmdev_queue *sq, void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info = {};

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.flags = sq->core->sdmdev->ops->reset_queue ? VFIO_DEVICE_FLAGS_RESET : 0;
	info.num_regions = SDMDEV_REGIONS;
	info.num_irqs = SDMDEV_IRQS;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

/* All there is to say of a region: to a VFIO that asks, and in the call that another passes on. */
static int sdmdev_vfio_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
				   struct vfio_info_cap *caps)
{
	struct sdmdev_queue *sq = to_queue(vdev);

	if (current->mm != sq->mm)
		return -EPERM;
	if (info->index >= SDMDEV_REGIONS)
		return -EINVAL;
	info->size = sdmdev_vfio_region_len(sq, info->index);
	info->offset = (u64)info->index << SDMDEV_REGION_SHIFT;
	info->flags = info->size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
				   VFIO_REGION_INFO_FLAG_MMAP : 0;
	info->cap_offset = 0;
	return 0;
}

static int sdmdev_vfio_get_region_info(struct sdmdev_queue *sq, void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_region_info info;
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	ret = sdmdev_vfio_region_info(&sq->vdev, &info, NULL);
	if (ret)
		return ret;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static int sdmdev_vfio_get_irq_info(struct sdmdev_queue *sq, void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz || info.index >= SDMDEV_IRQS)
		return -EINVAL;
	info.flags = VFIO_IRQ_INFO_EVENTFD;
	info.count = 1;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

/* One eventfd, or none: by count 0, or by a negative one. */
static int sdmdev_vfio_set_irqs(struct sdmdev_queue *sq, void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_irq_set, count);
	struct vfio_irq_set set;
	s32 fd = -1;

	if (copy_from_user(&set, arg, minsz))
		return -EFAULT;
	if (set.argsz < minsz || set.index >= SDMDEV_IRQS || set.start || set.count > 1)
		return -EINVAL;
	switch (set.flags) {
	case VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER:
		if (set.count)
			return -EINVAL;
		break;
	case VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER:
		if (!set.count || set.argsz < minsz + sizeof(fd))
			return -EINVAL;
		if (copy_from_user(&fd, arg + minsz, sizeof(fd)))
			return -EFAULT;
		break;
	default:
		return -EINVAL;
	}
	return sdmdev_queue_set_event(sq, set.index, fd);
}

/* Calls of sdmdev. Copies are made while no lock is held. */

static int sdmdev_ioctl_get_info(struct sdmdev_queue *sq, void __user *arg)
{
	const struct vfio_sdmdev_layout *layout = &sq->layout;
	const size_t minsz = offsetofend(struct sdmdev_info, flags);
	struct sdmdev_info info;
	struct sdmdev_span span;
	u32 argsz;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz || info.flags)
		return -EINVAL;
	argsz = info.argsz;
	memset(&info, 0, sizeof(info));
	info.argsz = sizeof(info);
	info.dma_mode = sq->mode->flag;
	info.sqe_len = layout->sqe_len;
	info.sq_depth = layout->sq_depth;
	info.cq_depth = layout->cq_depth;
	info.number = layout->number;
	info.static_max = sq->mode->has_static ? sdmdev_static_max() : 0;
	info.static_slices_max = sq->mode->has_static ? SDMDEV_SLICES : 0;
	strscpy(info.api, sq->core->sdmdev->api_ver, sizeof(info.api));
	span = sdmdev_window_largest(&sq->space->window);
	if (span.first <= span.last) {
		info.aperture_start = span.first;
		info.aperture_end = span.last;
		info.ranges_max = SDMDEV_QUEUE_RANGES;
	}
	info.pasid = READ_ONCE(sq->q->pasid);
	mutex_lock(&sq->run.life->lock);
	info.state = sq->run.state;
	info.generation = sq->run.life->generation;
	mutex_unlock(&sq->run.life->lock);
	return copy_to_user(arg, &info, min_t(size_t, argsz, sizeof(info))) ? -EFAULT : 0;
}

static int sdmdev_ioctl_copy_share(struct sdmdev_share *share, void __user *arg, u32 flags)
{
	if (copy_from_user(share, arg, sizeof(*share)))
		return -EFAULT;
	if (share->argsz < sizeof(*share) || share->flags & ~flags)
		return -EINVAL;
	if (!share->len || !PAGE_ALIGNED(share->va | share->len) ||
	    share->va + share->len - 1 < share->va)
		return -EINVAL;
	return 0;
}

static int sdmdev_ioctl_share(struct sdmdev_queue *sq, void __user *arg)
{
	struct sdmdev_share share;
	int ret;

	ret = sdmdev_ioctl_copy_share(&share, arg, SDMDEV_SHARE_READ_ONLY);
	while (!ret) {
		ret = mutex_lock_killable(&sq->mem_lock);
		if (ret)
			break;
		ret = sq->mode->share(sq, share.va, share.va + share.len - 1, share.flags);
		mutex_unlock(&sq->mem_lock);
		if (ret != -EAGAIN)
			break;
		ret = sdmdev_gate_wait(sq->space->gate);
		if (ret)
			break;
	}
	return ret;
}

static int sdmdev_ioctl_unshare(struct sdmdev_queue *sq, void __user *arg)
{
	struct sdmdev_share share;
	u64 last;
	int ret;

	ret = sdmdev_ioctl_copy_share(&share, arg, 0);
	if (ret)
		return ret;
	last = share.va + share.len - 1;
	ret = mutex_lock_killable(&sq->mem_lock);
	if (ret)
		return ret;
	ret = sdmdev_queue_unshare(sq, share.va, last);
	mutex_unlock(&sq->mem_lock);
	return ret;
}

static int sdmdev_ioctl_copy_static(struct sdmdev_static *arg, void __user *from)
{
	if (copy_from_user(arg, from, sizeof(*arg)))
		return -EFAULT;
	return arg->argsz < sizeof(*arg) || arg->flags ? -EINVAL : 0;
}

static int sdmdev_ioctl_ss_alloc(struct sdmdev_queue *sq, void __user *arg)
{
	struct sdmdev_static slice;
	int ret;

	ret = sdmdev_ioctl_copy_static(&slice, arg);
	if (ret)
		return ret;
	ret = mutex_lock_killable(&sq->mem_lock);
	if (ret)
		return ret;
	ret = sdmdev_static_alloc(sq, &slice);
	mutex_unlock(&sq->mem_lock);
	if (ret || !copy_to_user(arg, &slice, sizeof(slice)))
		return ret;
	mutex_lock(&sq->mem_lock);
	sdmdev_static_free(sq, slice.offset);
	mutex_unlock(&sq->mem_lock);
	return -EFAULT;
}

static int sdmdev_ioctl_ss_free(struct sdmdev_queue *sq, void __user *arg)
{
	struct sdmdev_static slice;
	int ret;

	ret = sdmdev_ioctl_copy_static(&slice, arg);
	if (ret)
		return ret;
	ret = mutex_lock_killable(&sq->mem_lock);
	if (ret)
		return ret;
	ret = sdmdev_static_free(sq, slice.offset);
	mutex_unlock(&sq->mem_lock);
	if (!ret)
		sdmdev_life_settle(&sq->core->life);
	return ret;
}

static long sdmdev_ioctl_batch(struct sdmdev_queue *sq, void __user *from,
			       long (*op)(struct sdmdev_queue *sq, const struct sdmdev_submit *arg))
{
	struct sdmdev_submit arg;

	if (copy_from_user(&arg, from, sizeof(arg)))
		return -EFAULT;
	return arg.argsz < sizeof(arg) ? -EINVAL : op(sq, &arg);
}

/* A driver's own command: the copies are made for it. */
static int sdmdev_ioctl_driver(struct sdmdev_queue *sq, unsigned int cmd, void __user *arg)
{
	const struct vfio_sdmdev_ops *ops = sq->core->sdmdev->ops;
	u8 data[SDMDEV_IOCTL_DATA] __aligned(8) = {};
	size_t len = _IOC_SIZE(cmd);
	int ret;

	if (!ops->ioctl || len > sizeof(data))
		return -ENOTTY;
	if (_IOC_DIR(cmd) & _IOC_WRITE && copy_from_user(data, arg, len))
		return -EFAULT;
	mutex_lock(&sq->q->mutex);
	ret = ops->ioctl(sq->q, cmd, data);
	mutex_unlock(&sq->q->mutex);
	if (!ret && _IOC_DIR(cmd) & _IOC_READ && copy_to_user(arg, data, len))
		ret = -EFAULT;
	return ret;
}

static long sdmdev_vfio_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct sdmdev_queue *sq = to_queue(vdev);
	void __user *ptr = (void __user *)arg;

	if (current->mm != sq->mm)
		return -EPERM;
	switch (cmd) {
	case SDMDEV_CMD_SUBMIT:
		return sdmdev_ioctl_batch(sq, ptr, sdmdev_mediated_submit);
	case SDMDEV_CMD_REAP:
		return sdmdev_ioctl_batch(sq, ptr, sdmdev_mediated_reap);
	case VFIO_SDMDEV_CMD_WAIT:
		return sdmdev_queue_wait(sq, arg);
	case SDMDEV_CMD_SHARE:
		return sdmdev_ioctl_share(sq, ptr);
	case SDMDEV_CMD_UNSHARE:
		return sdmdev_ioctl_unshare(sq, ptr);
	case SDMDEV_CMD_SS_ALLOC:
		return sdmdev_ioctl_ss_alloc(sq, ptr);
	case SDMDEV_CMD_SS_FREE:
		return sdmdev_ioctl_ss_free(sq, ptr);
	case SDMDEV_CMD_GET_INFO:
		return sdmdev_ioctl_get_info(sq, ptr);
	case SDMDEV_CMD_START:
		return sdmdev_queue_start(sq);
	case SDMDEV_CMD_STOP:
		return sdmdev_queue_stop(sq);
	case VFIO_SDMDEV_CMD_BIND_PASID:
		return sq->mode->bind_pasid(sq);
	case VFIO_DEVICE_RESET:
		return sdmdev_queue_reset(sq);
	case VFIO_DEVICE_GET_INFO:
		return sdmdev_vfio_get_info(sq, ptr);
	case VFIO_DEVICE_GET_REGION_INFO:
		return sdmdev_vfio_get_region_info(sq, ptr);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return sdmdev_vfio_get_irq_info(sq, ptr);
	case VFIO_DEVICE_SET_IRQS:
		return sdmdev_vfio_set_irqs(sq, ptr);
	default:
		return sdmdev_ioctl_driver(sq, cmd, ptr);
	}
}

const struct vfio_device_ops sdmdev_vfio_ops = {
	.name = "sdmdev",
	.init = sdmdev_vfio_init,
	.release = sdmdev_vfio_release,
	.open_device = sdmdev_vfio_open,
	.close_device = sdmdev_vfio_close,
	.ioctl = sdmdev_vfio_ioctl,
	.mmap = sdmdev_vfio_mmap,
	.request = sdmdev_vfio_request,
	.dma_unmap = sdmdev_vfio_dma_unmap,
	COMPAT_VFIO_REGION_INFO_OP(sdmdev_vfio_region_info)
	COMPAT_VFIO_IOMMUFD_OPS
};
