// SPDX-License-Identifier: GPL-2.0-only
/* A process's memory in the device's address space: who has what there, pinning and mapping. */

#include <linux/device.h>
#include <linux/pci.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "sdmdev.h"

#define SDMDEV_PIN_BATCH (PAGE_SIZE / sizeof(struct page *))

static void sdmdev_space_free_work(struct work_struct *work)
{
	struct sdmdev_space *space = container_of(work, struct sdmdev_space, free_work);

	space->mode->detach(space);
	sdmdev_gate_put(space->gate);
	kvfree(space->ranges.at);
	mmdrop(space->mm);
	kfree(space);
}

/*
 * By a work: an address space is unbound only when the page faults that the device had in it are
 * over, and a process may let one last for ever. Here life->lock is held, no user's to hold up.
 */
static void sdmdev_space_free(struct sdmdev_retired *retired)
{
	struct sdmdev_space *space = container_of(retired, struct sdmdev_space, retired);

	queue_work(sdmdev_free_wq, &space->free_work);
}

static struct sdmdev_space *sdmdev_space_new(struct sdmdev_queue *sq)
{
	struct sdmdev_core *core = sq->core;
	struct sdmdev_space *space;
	int ret = -ENOMEM;

	space = kzalloc(sizeof(*space), GFP_KERNEL_ACCOUNT);
	if (!space)
		return ERR_PTR(-ENOMEM);
	space->retired.free = sdmdev_space_free;
	INIT_WORK(&space->free_work, sdmdev_space_free_work);
	space->core = core;
	space->mode = sq->mode;
	space->mm = current->mm;
	mutex_init(&space->lock);
	mutex_init(&space->sva_lock);
	space->gate = sdmdev_gate_alloc();
	if (!space->gate)
		goto free_space;
	ret = space->mode->attach(space);
	if (ret)
		goto put_gate;
	mmgrab(space->mm);
	list_add_tail(&space->node, &core->spaces);
	return space;

put_gate:
	sdmdev_gate_put(space->gate);
free_space:
	kfree(space);
	return ERR_PTR(ret);
}

/*
 * The process's space, new with its first queue. -EBUSY: the function can only serve one process
 * and does, or may still write where another one was.
 */
struct sdmdev_space *sdmdev_space_get(struct sdmdev_queue *sq)
{
	struct sdmdev_core *core = sq->core;
	struct sdmdev_space *space, *found = NULL;

	mutex_lock(&core->life.lock);
	list_for_each_entry(space, &core->spaces, node)
		if (space->mm == current->mm && space->mode == sq->mode)
			found = space;
	if (!found && sq->mode->is_exclusive && (!list_empty(&core->spaces) || core->life.stuck_nr))
		found = ERR_PTR(-EBUSY);
	else if (!found)
		found = sdmdev_space_new(sq);
	if (!IS_ERR(found))
		found->users++;
	mutex_unlock(&core->life.lock);
	return found;
}

void sdmdev_space_put(struct sdmdev_space *space)
{
	struct sdmdev_core *core = space->core;

	mutex_lock(&core->life.lock);
	if (!--space->users) {
		list_del(&space->node);
		if (core->life.stuck_nr)
			list_add_tail(&space->retired.node, &core->life.retired);
		else
			space->retired.free(&space->retired);
	}
	mutex_unlock(&core->life.lock);
}

/* Host bridge: where other devices answer, and what its own windows to memory leave out. */
static void sdmdev_space_exclude_bridge(struct pci_dev *pdev, struct sdmdev_window *window)
{
	struct pci_host_bridge *bridge = pci_find_host_bridge(pdev->bus);
	struct resource_entry *entry;
	struct sdmdev_window gaps;
	u32 i;

	resource_list_for_each_entry(entry, &bridge->windows)
		if (resource_type(entry->res) == IORESOURCE_MEM)
			sdmdev_window_exclude(window, entry->res->start - entry->offset,
					      entry->res->end - entry->offset);
	if (list_empty(&bridge->dma_ranges))
		return;
	sdmdev_window_init(&gaps, 0, U64_MAX);
	resource_list_for_each_entry(entry, &bridge->dma_ranges)
		sdmdev_window_exclude(&gaps, entry->res->start - entry->offset,
				      entry->res->end - entry->offset);
	for (i = 0; i < gaps.nr; i++)
		sdmdev_window_exclude(window, gaps.span[i].first, gaps.span[i].last);
}

/* What of a page table's aperture is free for a process. */
int sdmdev_space_window(struct sdmdev_core *core, struct iommu_domain *domain,
			struct sdmdev_window *window)
{
	struct device *dev = core->sdmdev->dev;
	struct iommu_resv_region *region, *next;
	struct iommu_group *group;
	LIST_HEAD(regions);
	int ret;

	if (!domain->pgsize_bitmap || 1UL << __ffs(domain->pgsize_bitmap) > PAGE_SIZE)
		return -EOPNOTSUPP;
	group = iommu_group_get(dev);
	if (!group)
		return -EOPNOTSUPP;
	ret = iommu_get_group_resv_regions(group, &regions);
	iommu_group_put(group);
	if (!ret)
		sdmdev_window_init(window, domain->geometry.aperture_start,
				   domain->geometry.aperture_end);
	list_for_each_entry_safe(region, next, &regions, list) {
		if (!ret && region->length)
			sdmdev_window_exclude(window, region->start,
					      region->start + region->length - 1);
		list_del(&region->list);
		kfree(region);
	}
	if (!ret && dev_is_pci(dev))
		sdmdev_space_exclude_bridge(to_pci_dev(dev), window);
	return ret;
}

/* Neighbouring pages, mapped together: large pages stay large in the page table. */
struct sdmdev_piece {
	struct iommu_domain *domain;
	unsigned long iova;
	phys_addr_t phys;
	size_t len;
	int prot;
};

static int sdmdev_piece_flush(struct sdmdev_piece *piece)
{
	int ret;

	if (!piece->len)
		return 0;
	ret = compat_iommu_map(piece->domain, piece->iova, piece->phys, piece->len, piece->prot);
	if (ret)
		return ret;
	piece->iova += piece->len;
	piece->len = 0;
	return 0;
}

static int sdmdev_piece_add(struct sdmdev_piece *piece, struct page *page)
{
	phys_addr_t phys = page_to_phys(page);
	int ret;

	if (piece->len && phys != piece->phys + piece->len) {
		ret = sdmdev_piece_flush(piece);
		if (ret)
			return ret;
	}
	if (!piece->len)
		piece->phys = phys;
	piece->len += PAGE_SIZE;
	return 0;
}

static void sdmdev_space_unpin(struct sdmdev_queue *sq, unsigned long iova, size_t len)
{
	while (len) {
		size_t n = min_t(size_t, len, SDMDEV_PIN_BATCH * PAGE_SIZE);

		vfio_unpin_pages(&sq->vdev, iova, n >> PAGE_SHIFT);
		iova += n;
		len -= n;
		cond_resched();
	}
}

/*
 * Returns when the device can no longer reach it. Block by block: of a range that is none, VT-d up to
 * 6.1 flushes too little where page tables are of the first stage, and up to 6.12 it asks for the
 * smallest aligned block around the range, which may be more than the hardware takes in one command,
 * so that nothing is flushed at all.
 */
static void sdmdev_space_unmap(struct sdmdev_queue *sq, unsigned long iova, size_t len)
{
	while (len) {
		size_t block = sdmdev_ranges_block(iova, iova + len - 1);

		WARN_ON(iommu_unmap(sq->space->domain, iova, block) != block);
		iova += block;
		len -= block;
	}
}

/* All of [iova, iova + len) or nothing of it. pages: room for all, filled. */
static int sdmdev_space_map(struct sdmdev_queue *sq, unsigned long iova, size_t len, int prot,
			    struct page **pages)
{
	struct sdmdev_piece piece = {
		.domain = sq->space->domain, .iova = iova, .prot = prot | IOMMU_CACHE,
	};
	size_t pinned = 0, mapped = 0;
	int n, ret;

	while (pinned < len) {
		n = min_t(size_t, (len - pinned) >> PAGE_SHIFT, SDMDEV_PIN_BATCH);
		ret = vfio_pin_pages(&sq->vdev, iova + pinned, n, prot,
				     pages + (pinned >> PAGE_SHIFT));
		if (ret != n) {
			if (ret > 0)
				pinned += (size_t)ret << PAGE_SHIFT;
			ret = ret < 0 ? ret : -EFAULT;
			goto unwind;
		}
		pinned += (size_t)n << PAGE_SHIFT;
		for (; mapped < pinned; mapped += PAGE_SIZE) {
			ret = sdmdev_piece_add(&piece, pages[mapped >> PAGE_SHIFT]);
			if (ret)
				goto unwind;
		}
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			goto unwind;
		}
		cond_resched();
	}
	ret = sdmdev_piece_flush(&piece);
	if (!ret)
		return 0;

unwind:
	sdmdev_space_unmap(sq, iova, piece.iova - iova);
	sdmdev_space_unpin(sq, iova, pinned);
	return ret;
}

static int sdmdev_space_reserve(struct sdmdev_queue *sq, u64 first, u64 last)
{
	struct sdmdev_space *space = sq->space;
	struct sdmdev_ranges *ranges = &space->ranges;
	int ret = -ENOMEM;

	mutex_lock(&space->lock);
	if (!ranges->at) {
		ranges->at = kvcalloc(SDMDEV_SPACE_RANGES, sizeof(*ranges->at), GFP_KERNEL_ACCOUNT);
		ranges->max = ranges->at ? SDMDEV_SPACE_RANGES : 0;
	}
	if (sq->ranges_nr < SDMDEV_QUEUE_RANGES)
		ret = sdmdev_ranges_add(ranges, first, last, sq);
	mutex_unlock(&space->lock);
	if (!ret)
		sq->ranges_nr++;
	return ret;
}

static void sdmdev_space_release(struct sdmdev_queue *sq, u64 first)
{
	mutex_lock(&sq->space->lock);
	sdmdev_ranges_del(&sq->space->ranges, first);
	mutex_unlock(&sq->space->lock);
	sq->ranges_nr--;
}

/* The first range of the queue that overlaps [first, last]. */
static bool sdmdev_space_find(struct sdmdev_queue *sq, u64 first, u64 last,
			      struct sdmdev_range *found)
{
	const struct sdmdev_range *range;

	mutex_lock(&sq->space->lock);
	range = sdmdev_ranges_of(&sq->space->ranges, first, last, sq);
	if (range)
		*found = *range;
	mutex_unlock(&sq->space->lock);
	return range;
}

bool sdmdev_space_overlaps(struct sdmdev_queue *sq, u64 first, u64 last)
{
	struct sdmdev_range range;

	return sdmdev_space_find(sq, first, last, &range);
}

bool sdmdev_space_is_shared(struct sdmdev_queue *sq, u64 first, u64 last)
{
	struct sdmdev_range range;

	return sdmdev_space_find(sq, first, last, &range) && range.first == first &&
	       range.last == last;
}

static void sdmdev_space_set_pages(struct sdmdev_queue *sq, u64 first, struct page **pages)
{
	struct sdmdev_ranges *ranges = &sq->space->ranges;

	mutex_lock(&sq->space->lock);
	ranges->at[sdmdev_ranges_find(ranges, first)].data = pages;
	mutex_unlock(&sq->space->lock);
}

/* Room for them, where they could be pinned at all. */
static struct page **sdmdev_space_alloc_pages(u64 nr)
{
	if (nr > totalram_pages() ||
	    (nr > rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT && !capable(CAP_IPC_LOCK)))
		return NULL;
	return kvmalloc_array(nr, sizeof(struct page *), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

int sdmdev_space_share(struct sdmdev_queue *sq, u64 first, u64 last, u32 flags)
{
	int prot = flags & SDMDEV_SHARE_READ_ONLY ? IOMMU_READ : IOMMU_READ | IOMMU_WRITE;
	struct page **pages;
	int ret;

	if (!sdmdev_gate_is_open(sq->space->gate))
		return -EAGAIN;
	if (!sdmdev_window_has(&sq->space->window, first, last))
		return -ERANGE;
	pages = sdmdev_space_alloc_pages(((last - first) >> PAGE_SHIFT) + 1);
	if (!pages)
		return -ENOMEM;
	ret = sdmdev_space_reserve(sq, first, last);
	if (ret)
		goto free_pages;
	ret = sdmdev_space_map(sq, first, last - first + 1, prot, pages);
	if (ret)
		goto release;
	sdmdev_space_set_pages(sq, first, pages);
	return 0;

release:
	sdmdev_space_release(sq, first);
free_pages:
	kvfree(pages);
	return ret;
}

static void sdmdev_space_put_pages(const struct sdmdev_range *range)
{
	struct page **pages = range->data;
	size_t i;

	for (i = 0; i <= (range->last - range->first) >> PAGE_SHIFT; i++)
		put_page(pages[i]);
}

/*
 * Who calls has drained the queue. That is a courtesy: a device whose request loses its memory may
 * have to be reset. What keeps it off the pages is the page table.
 */
int sdmdev_space_unshare(struct sdmdev_queue *sq, u64 first, u64 last)
{
	struct sdmdev_range range;
	int ret = -ENOENT;

	for (; sdmdev_space_find(sq, first, last, &range); ret = 0) {
		size_t len = range.last - range.first + 1;

		sdmdev_space_unmap(sq, range.first, len);
		if (sq->is_held)
			sdmdev_space_put_pages(&range);
		else
			sdmdev_space_unpin(sq, range.first, len);
		sdmdev_space_release(sq, range.first);
		kvfree(range.data);
	}
	return ret;
}

/*
 * The queue is being closed, with requests in flight: VFIO wants its pins back now. The pages stay
 * mapped, and are kept from being used otherwise, until sdmdev_space_unshare().
 */
void sdmdev_space_hold(struct sdmdev_queue *sq)
{
	struct sdmdev_range range;
	u64 first = 0;
	size_t i;

	while (sdmdev_space_find(sq, first, U64_MAX, &range)) {
		struct page **pages = range.data;

		for (i = 0; i <= (range.last - range.first) >> PAGE_SHIFT; i++)
			get_page(pages[i]);
		sdmdev_space_unpin(sq, range.first, range.last - range.first + 1);
		first = range.last + 1;
		if (!first)
			break;
	}
	sq->is_held = true;
}
