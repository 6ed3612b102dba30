/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between Linux 6.1 and 7.3: the only tests of the kernel's version. */
#ifndef WD_COMPAT_H
#define WD_COMPAT_H

#include <linux/device.h>
#include <linux/eventfd.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/version.h>
#include <linux/vfio.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define compat_class_create(name) class_create(name)
#else
#define compat_class_create(name) class_create(THIS_MODULE, name)
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define compat_eventfd_signal(ctx) eventfd_signal(ctx)
#else
#define compat_eventfd_signal(ctx) eventfd_signal(ctx, 1)
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define COMPAT_MATCH_DRIVER const struct device_driver
#else
#define COMPAT_MATCH_DRIVER struct device_driver
#endif

/* VFIO */

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define compat_vfio_free(vdev) do { } while (0)
#else
#define compat_vfio_free(vdev) vfio_free_device(vdev)
#endif

/* A queue is opened by /dev/vfio/GROUP. Without groups VFIO has a way that libwd does not know. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0) && !IS_ENABLED(CONFIG_VFIO_GROUP)
#error "libz-wd opens queues by VFIO's groups: these modules want a kernel with CONFIG_VFIO_GROUP=y"
#endif

/*
 * VFIO either knows this op, and answers VFIO_DEVICE_GET_REGION_INFO by it alone, or passes the
 * call on. Distributions take such changes into older kernels: Kbuild looks for the op.
 */
#ifdef COMPAT_HAS_REGION_INFO_OP
#define COMPAT_VFIO_REGION_INFO_OP(op) .get_region_info_caps = (op),
#else
#define COMPAT_VFIO_REGION_INFO_OP(op)
#endif

/* Where IOMMUFD is built a device without these is refused; where it is not they are NULL. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define COMPAT_VFIO_IOMMUFD_OPS                          \
	.bind_iommufd = vfio_iommufd_emulated_bind,      \
	.unbind_iommufd = vfio_iommufd_emulated_unbind,  \
	.attach_ioas = vfio_iommufd_emulated_attach_ioas, \
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define COMPAT_VFIO_IOMMUFD_OPS                         \
	.bind_iommufd = vfio_iommufd_emulated_bind,     \
	.unbind_iommufd = vfio_iommufd_emulated_unbind, \
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
#else
#define COMPAT_VFIO_IOMMUFD_OPS
#endif

/* Memory mappings */

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define vm_flags_set(vma, flags) ((vma)->vm_flags |= (flags))
#endif

/*
 * Removes the pages of vma, in an mm whose mmap lock is held. From 6.10 the file of each VFIO
 * device has an inode of its own, and all its mappings go at once; before that they shared one with
 * strangers.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
static inline void compat_zap_vma(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	unmap_mapping_range(vdev->inode->i_mapping, (loff_t)vma->vm_pgoff << PAGE_SHIFT,
			    vma->vm_end - vma->vm_start, true);
}
#else
static inline void compat_zap_vma(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
}
#endif

/* IOMMU */

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define compat_iommu_map(domain, iova, phys, len, prot) \
	iommu_map(domain, iova, phys, len, prot, GFP_KERNEL)
#else
#define compat_iommu_map(domain, iova, phys, len, prot) iommu_map(domain, iova, phys, len, prot)
#endif

/* A page table of its own behind a new PASID of dev. Older kernels have no way to ask for it. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#include <uapi/linux/iommufd.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
#define compat_pasid_domain(dev) iommu_paging_domain_alloc_flags(dev, IOMMU_HWPT_ALLOC_PASID)
#else
#define compat_pasid_domain(dev) iommu_paging_domain_alloc(dev)
#endif

static inline int compat_pasid_attach(struct device *dev, struct iommu_domain **domain, u32 *pasid)
{
	struct iommu_domain *new = compat_pasid_domain(dev);
	int ret;

	if (IS_ERR(new))
		return PTR_ERR(new);
	*pasid = iommu_alloc_global_pasid(dev);
	if (*pasid == IOMMU_PASID_INVALID) {
		ret = -ENOSPC;
		goto free_domain;
	}
	ret = iommu_attach_device_pasid(new, dev, *pasid, NULL);
	if (ret)
		goto free_pasid;
	*domain = new;
	return 0;

free_pasid:
	iommu_free_global_pasid(*pasid);
free_domain:
	iommu_domain_free(new);
	return ret;
}

static inline void compat_pasid_detach(struct device *dev, struct iommu_domain *domain, u32 pasid)
{
	iommu_detach_device_pasid(domain, dev, pasid);
	iommu_free_global_pasid(pasid);
	iommu_domain_free(domain);
}
#else
static inline int compat_pasid_attach(struct device *dev, struct iommu_domain **domain, u32 *pasid)
{
	return -EOPNOTSUPP;
}

static inline void compat_pasid_detach(struct device *dev, struct iommu_domain *domain, u32 pasid)
{
}
#endif

/* An address space behind a PASID. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define compat_sva_bind(dev, mm) iommu_sva_bind_device(dev, mm)
#else
#define compat_sva_bind(dev, mm) iommu_sva_bind_device(dev, mm, NULL)
#endif

/* Until 6.15 a driver says beforehand that its device will fault and bind. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
static inline int compat_sva_enable(struct device *dev)
{
	return 0;
}

static inline void compat_sva_disable(struct device *dev)
{
}
#else
static inline int compat_sva_enable(struct device *dev)
{
	int ret = iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_IOPF);

	if (ret)
		return ret;
	ret = iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_SVA);
	if (ret)
		iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_IOPF);
	return ret;
}

static inline void compat_sva_disable(struct device *dev)
{
	iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_SVA);
	iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_IOPF);
}
#endif

#endif
