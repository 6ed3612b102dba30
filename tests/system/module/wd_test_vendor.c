// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gives a function that mainline's hisi_zip has registered with uacce the interface of the vendor's drivers, which
 * share no address spaces: memory is the driver's, mapped at a further page offset, and an ioctl says where it lies
 * for the device. For the system test alone; no queue of the function may be open when this loads. pci=: the
 * function; flags=: what uacce is to say of it, 0x2 where there is no IOMMU, 0x80 where there is one; regions: how
 * many are mapped.
 *
 * Version 3 has a PASID in each queue's context, which its driver leaves out from now on; version 2 has one switch,
 * which it sets at its next reset.
 */
#include <linux/cdev.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/hisi_acc_qm.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uacce.h>
#include <linux/uaccess.h>

#define VENDOR_IOMMU	  0x80
#define VENDOR_QFRT_SS	  2
#define VENDOR_UNIT	  SZ_64K
#define VENDOR_REGION_MAX SZ_128M
#define VENDOR_SLICE_MAX  SZ_4M /* without an IOMMU: what the page allocator has in one piece */
#define VENDOR_GET_SS_DMA _IOR('W', 3, unsigned long)

static char *name;
module_param_named(pci, name, charp, 0444);
MODULE_PARM_DESC(pci, "the function, DDDD:BB:DD.F");

static unsigned int flags;
module_param(flags, uint, 0444);
MODULE_PARM_DESC(flags, "of uacce");

static unsigned int regions;
module_param(regions, uint, 0444);
MODULE_PARM_DESC(regions, "that are mapped");

struct slice {
	void *mem;
	dma_addr_t dma;
	size_t len;
};

struct region {
	struct list_head list;
	struct uacce_queue *queue;
	unsigned int nr;
	struct slice slices[];
};

static LIST_HEAD(all);
static DEFINE_MUTEX(lock); /* of the list */
static struct pci_dev *pdev;
static struct hisi_qm *qm;
static struct file_operations vendor_ops;
static const struct file_operations *uacce_ops;
static const char *uacce_api;
static unsigned int uacce_flags;

static struct region *find(const struct uacce_queue *q)
{
	struct region *region;

	list_for_each_entry(region, &all, list)
		if (region->queue == q)
			return region;
	return NULL;
}

static void region_free(struct region *region)
{
	struct slice *slice = region->slices;

	for (; region->nr; region->nr--, slice++)
		dma_free_coherent(&pdev->dev, slice->len, slice->mem, slice->dma);
	kfree(region);
}

static struct region *region_new(size_t len)
{
	size_t most = flags & VENDOR_IOMMU ? len : VENDOR_SLICE_MAX, done = 0;
	struct region *region = kzalloc(struct_size(region, slices, DIV_ROUND_UP(len, most)), GFP_KERNEL);

	while (region && done < len) {
		struct slice *slice = &region->slices[region->nr];

		slice->len = min(most, len - done);
		slice->mem = dma_alloc_coherent(&pdev->dev, slice->len, &slice->dma, GFP_KERNEL | __GFP_NOWARN);
		if (!slice->mem) {
			region_free(region);
			return NULL;
		}
		done += slice->len;
		region->nr++;
	}
	return region;
}

/* With its memory a queue ends: somebody else may have that next. */
static void vendor_vma_close(struct vm_area_struct *vma)
{
	struct region *region = vma->vm_private_data;
	struct uacce_queue *q = region->queue;

	mutex_lock(&q->mutex);
	if (q->state == UACCE_Q_STARTED) {
		q->uacce->ops->stop_queue(q);
		q->state = UACCE_Q_INIT;
	}
	mutex_unlock(&q->mutex);
	mutex_lock(&lock);
	list_del(&region->list);
	regions--;
	mutex_unlock(&lock);
	region_free(region);
}

static int vendor_vma_mremap(struct vm_area_struct *vma)
{
	return -EPERM;
}

static int vendor_vma_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static const struct vm_operations_struct vendor_vm_ops = {
	.close = vendor_vma_close,
	.mremap = vendor_vma_mremap,
	.may_split = vendor_vma_split,
};

static int map(struct vm_area_struct *vma, const struct region *region)
{
	const struct slice *slice = region->slices;
	unsigned long at = vma->vm_start, pgoff = vma->vm_pgoff;
	int i, ret = 0;

	if (flags & VENDOR_IOMMU) {
		vma->vm_pgoff = 0;
		ret = dma_mmap_coherent(&pdev->dev, vma, slice->mem, slice->dma, slice->len);
		vma->vm_pgoff = pgoff;
		return ret;
	}
	for (i = 0; !ret && i < region->nr; i++, slice++) {
		ret = remap_pfn_range(vma, at, PHYS_PFN(virt_to_phys(slice->mem)), slice->len, vma->vm_page_prot);
		at += slice->len;
	}
	return ret;
}

static int vendor_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct uacce_queue *q = file->private_data;
	size_t len = vma->vm_end - vma->vm_start;
	struct region *region;
	int ret;

	if (vma->vm_pgoff != VENDOR_QFRT_SS)
		return uacce_ops->mmap(file, vma);
	if (len % VENDOR_UNIT || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (len > VENDOR_REGION_MAX)
		return -ENOMEM;
	region = region_new(len);
	if (!region)
		return -ENOMEM;
	vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_WIPEONFORK);
	region->queue = q;
	mutex_lock(&lock);
	ret = find(q) ? -EEXIST : map(vma, region);
	if (!ret) {
		list_add(&region->list, &all);
		regions++;
		vma->vm_ops = &vendor_vm_ops;
		vma->vm_private_data = region;
	}
	mutex_unlock(&lock);
	if (ret)
		region_free(region);
	return ret;
}

static long vendor_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	unsigned long __user *word = (unsigned long __user *)arg;
	struct region *region;
	unsigned long value;
	long ret = -EINVAL;

	if (cmd != VENDOR_GET_SS_DMA)
		return uacce_ops->unlocked_ioctl(file, cmd, arg);
	if (get_user(value, word))
		return -EFAULT;
	mutex_lock(&lock);
	region = find(file->private_data);
	if (region && value < region->nr) {
		ret = region->nr - 1 - value;
		value = region->slices[value].dma | region->slices[value].len / VENDOR_UNIT;
	}
	mutex_unlock(&lock);
	if (ret >= 0 && put_user(value, word))
		return -EFAULT;
	return ret;
}

static int __init vendor_init(void)
{
	static char api[64];
	unsigned int domain, bus, slot, function;
	int ret = -ENODEV;

	if (!name || sscanf(name, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return -EINVAL;
	pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
	if (!pdev)
		return -ENODEV;
	device_lock(&pdev->dev);
	qm = pdev->dev.driver ? pci_get_drvdata(pdev) : NULL;
	if (qm && qm->uacce && qm->uacce->cdev && qm->use_sva) {
		uacce_ops = qm->uacce->cdev->ops;
		uacce_api = qm->uacce->api_ver;
		uacce_flags = qm->uacce->flags;
		vendor_ops = *uacce_ops;
		vendor_ops.owner = THIS_MODULE;
		vendor_ops.mmap = vendor_mmap;
		vendor_ops.unlocked_ioctl = vendor_ioctl;
		snprintf(api, sizeof(api), "%s%s", uacce_api, flags & VENDOR_IOMMU ? "" : "_noiommu");
		qm->uacce->api_ver = api;
		qm->uacce->flags = flags;
		qm->use_sva = false;
		qm->uacce->cdev->ops = &vendor_ops;
		ret = 0;
	}
	device_unlock(&pdev->dev);
	if (ret)
		pci_dev_put(pdev);
	return ret;
}
module_init(vendor_init);

/* The driver is bound as it was: without use_sva it does not take leave of uacce. */
static void __exit vendor_exit(void)
{
	device_lock(&pdev->dev);
	qm->uacce->cdev->ops = uacce_ops;
	qm->uacce->api_ver = uacce_api;
	qm->uacce->flags = uacce_flags;
	qm->use_sva = true;
	device_unlock(&pdev->dev);
	pci_dev_put(pdev);
}
module_exit(vendor_exit);

MODULE_DESCRIPTION("the interface of the vendor's uacce for the system test of libz-wd");
MODULE_LICENSE("GPL");
