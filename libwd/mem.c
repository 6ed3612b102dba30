/* SPDX-License-Identifier: Zlib */
/* Memory the device can reach: allocation, sharing, and the device's address of a buffer. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "drv/hisi_zip.h"
#include "priv.h"

static int overlaps(const struct wd_range *range, uintptr_t start, size_t len)
{
	return !(range->flags & WD_SHARE_ALL) && start < range->start + range->len &&
	       range->start < start + len;
}

/* Puts a range into the table, sorted. -EEXIST, -ENOMEM. */
static int range_add(struct wd_dev *dev, const struct wd_range *range)
{
	struct wd_range *ranges;
	unsigned int at = 0;
	int r = 0;

	pthread_mutex_lock(&dev->lock);
	if (!(range->flags & WD_SHARE_ALL))
		for (unsigned int i = 0; i < dev->ranges_nr; i++)
			if (overlaps(&dev->ranges[i], range->start, range->len))
				r = -EEXIST;
	if (r)
		goto unlock;
	ranges = realloc(dev->ranges, (dev->ranges_nr + 1) * sizeof(*ranges));
	if (!ranges) {
		r = -ENOMEM;
		goto unlock;
	}
	dev->ranges = ranges;
	if (!(range->flags & WD_SHARE_ALL))
		while (at < dev->ranges_nr &&
		       (ranges[at].flags & WD_SHARE_ALL || ranges[at].start < range->start))
			at++;
	memmove(&ranges[at + 1], &ranges[at], (dev->ranges_nr - at) * sizeof(*ranges));
	ranges[at] = *range;
	dev->ranges_nr++;
unlock:
	pthread_mutex_unlock(&dev->lock);
	return r;
}

/* dev->lock is held. */
static void range_cut(struct wd_dev *dev, struct wd_range *range)
{
	unsigned int at = range - dev->ranges;

	memmove(range, range + 1, (dev->ranges_nr - at - 1) * sizeof(*range));
	dev->ranges_nr--;
	__atomic_add_fetch(&dev->generation, 1, __ATOMIC_RELEASE);
}

/* A range of the queue's own; dev->lock is held. len 0: any. */
static struct wd_range *range_of(struct wd_queue *q, const void *mem, size_t len, int flags)
{
	for (unsigned int i = 0; i < q->dev->ranges_nr; i++) {
		struct wd_range *range = &q->dev->ranges[i];

		if (range->owner == q && range->start == (uintptr_t)mem &&
		    (!len || range->len == len) &&
		    (range->flags & (WD_RANGE_ALLOC | WD_SHARE_ALL)) == flags)
			return range;
	}
	return NULL;
}

/* Does next go on where range ends, on the device's side too? */
static int goes_on(const struct wd_range *range, const struct wd_range *next)
{
	return range->start + range->len == next->start && range->addr + range->len == next->addr &&
	       (range->flags & WD_SHARE_READ) == (next->flags & WD_SHARE_READ);
}

int wd_mem_find(struct wd_queue *q, enum wd_mem_role role, const void *mem, size_t len)
{
	struct wd_range found = { 0 };
	struct wd_dev *dev = q->dev;
	int r = -EFAULT;

	pthread_mutex_lock(&dev->lock);
	for (unsigned int i = 0; i < dev->ranges_nr; i++) {
		const struct wd_range *range = &dev->ranges[i];

		if (q->regions.is_private && range->owner != q)
			continue;
		if (range->flags & WD_SHARE_ALL)
			found = (struct wd_range){ 1, INTPTR_MAX - 1, 1, 0, NULL }; /* no NULL */
		else if (found.len && goes_on(&found, range))
			found.len += range->len; /* neighbours are one, so that one hit serves many */
		else
			found = *range;
		if ((uintptr_t)mem - found.start < found.len &&
		    len <= found.len - ((uintptr_t)mem - found.start) &&
		    (role == WD_MEM_SRC || !(found.flags & WD_SHARE_READ))) {
			q->recent[role] = (struct wd_recent){
				.start = found.start,
				.end = found.start + found.len,
				.delta = found.addr - found.start,
			};
			r = 0;
		}
	}
	pthread_mutex_unlock(&dev->lock);
	return r;
}

/* Gives the memory back to whom it came from. */
static void range_end(const struct wd_range *range)
{
	const struct wd_transport *transport = range->owner->transport;
	void *tq = range->owner->tq;

	if (range->flags & WD_SHARE_ALL) {
		transport->unshare_all(tq);
	} else if (range->flags & WD_RANGE_OWN) {
		transport->free(tq, (void *)range->start, range->len);
	} else {
		transport->unshare(tq, range->addr, range->len);
		if (range->flags & WD_RANGE_ALLOC)
			munmap((void *)range->start, range->len);
	}
}

/* Anonymous memory that the device may reach. */
static int alloc_shared(struct wd_range *range)
{
	void *mem = mmap(NULL, range->len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int r;

	if (mem == MAP_FAILED)
		return -ENOMEM;
	/* A child may read what its parent had in an emulated device's: the device is threads. */
	if (!range->owner->transport->is_emulated && madvise(mem, range->len, MADV_DONTFORK)) {
		r = -errno;
		goto unmap;
	}
	r = range->owner->transport->share(range->owner->tq, mem, range->len, 0, &range->addr);
	if (r)
		goto unmap;
	range->start = (uintptr_t)mem;
	return 0;
unmap:
	munmap(mem, range->len);
	return r;
}

static int alloc_own(struct wd_range *range)
{
	const struct wd_transport *transport = range->owner->transport;
	void *mem;
	int r;

	if (!transport->alloc)
		return -EOPNOTSUPP;
	r = transport->alloc(range->owner->tq, range->len, &mem, &range->addr);
	if (r)
		return r;
	range->start = (uintptr_t)mem;
	range->flags |= WD_RANGE_OWN;
	return 0;
}

static int error_of(const struct wd_queue *q)
{
	int r;

	if (!wd_is_own(q->born))
		return -ENODEV;
	wd_queue_lock(q);
	r = q->error;
	wd_queue_unlock(q);
	return r;
}

static int alloc(struct wd_queue *q, size_t size, void **mem)
{
	size_t page_len = sysconf(_SC_PAGESIZE);
	struct wd_range range = { .flags = WD_RANGE_ALLOC, .owner = q };
	int r;

	r = error_of(q);
	if (r)
		return r;
	if (!size || size > SIZE_MAX - page_len)
		return -ENOMEM;
	range.len = (size + page_len - 1) / page_len * page_len;
	r = alloc_shared(&range);
	if (r == -EOPNOTSUPP)
		r = alloc_own(&range);
	if (!r) {
		r = range_add(q->dev, &range);
		if (r)
			range_end(&range);
	}
	if (!r)
		*mem = (void *)range.start;
	return r;
}

int wd_alloc(struct wd_queue *q, size_t size, void **mem)
{
	int saved_errno = errno;
	int cancel = wd_cancel_off();
	int r = alloc(q, size, mem);

	wd_cancel_as(cancel);
	errno = saved_errno;
	return r;
}

/* Does a request in flight name the range? Then the device may still write to it. */
static int is_in_flight(const struct wd_queue *q, const struct wd_range *range)
{
	unsigned int slot = q->qm.head;

	for (unsigned int i = 0; i < q->qm.in_flight; i++) {
		if (hisi_zip_names(hisi_qm_entry(&q->qm, slot), range->addr, range->len))
			return 1;
		if (++slot == q->qm.depth)
			slot = 0;
	}
	return 0;
}

static void give_back(struct wd_queue *q, void *mem)
{
	struct wd_range *range;
	struct wd_range copy;

	wd_queue_lock(q);
	pthread_mutex_lock(&q->dev->lock);
	range = range_of(q, mem, 0, WD_RANGE_ALLOC);
	if (range && is_in_flight(q, range)) {
		range->flags |= WD_RANGE_FREED;
		range = NULL;
	}
	if (range) {
		copy = *range;
		range_cut(q->dev, range);
	}
	pthread_mutex_unlock(&q->dev->lock);
	wd_queue_unlock(q);
	if (range)
		range_end(&copy);
}

void wd_free(struct wd_queue *q, void *mem)
{
	int saved_errno = errno;
	int cancel;

	if (!mem)
		return;
	cancel = wd_cancel_off();
	if (wd_is_own(q->born))
		give_back(q, mem);
	else
		wd_mem_forget(q, mem);
	wd_cancel_as(cancel);
	errno = saved_errno;
}

static int share(struct wd_queue *q, const void *addr, size_t size, int flags)
{
	const struct wd_transport *transport = q->transport;
	struct wd_range range = {
		.start = (uintptr_t)addr, .len = size, .flags = flags, .owner = q,
	};
	int r;

	r = error_of(q);
	if (r)
		return r;
	if (flags & ~(WD_SHARE_ALL | WD_SHARE_READ))
		return -EINVAL;
	if (flags & WD_SHARE_ALL) {
		if (!transport->share_all)
			return -EOPNOTSUPP;
		r = transport->share_all(q->tq);
	} else {
		if (!addr || !size || (uintptr_t)addr + size < (uintptr_t)addr)
			return -EINVAL;
		r = transport->share(q->tq, addr, size, flags, &range.addr);
	}
	if (!r) {
		r = range_add(q->dev, &range);
		if (r)
			range_end(&range);
	}
	return r;
}

int wd_mem_share(struct wd_queue *q, const void *addr, size_t size, int flags)
{
	int saved_errno = errno;
	int cancel = wd_cancel_off();
	int r = share(q, addr, size, flags);

	wd_cancel_as(cancel);
	errno = saved_errno;
	return r;
}

static void unshare(struct wd_queue *q, const void *addr, size_t size)
{
	struct wd_range *range;
	struct wd_range copy;

	pthread_mutex_lock(&q->dev->lock);
	range = range_of(q, addr, size, 0);
	if (!range)
		range = range_of(q, addr, size, WD_SHARE_ALL);
	if (range) {
		copy = *range;
		range_cut(q->dev, range);
	}
	pthread_mutex_unlock(&q->dev->lock);
	if (range)
		range_end(&copy);
}

void wd_mem_unshare(struct wd_queue *q, const void *addr, size_t size)
{
	int saved_errno = errno;
	int cancel;

	if (!wd_is_own(q->born))
		return;
	cancel = wd_cancel_off();
	unshare(q, addr, size);
	wd_cancel_as(cancel);
	errno = saved_errno;
}

void wd_mem_release(struct wd_queue *q)
{
	struct wd_dev *dev = q->dev;

	for (;;) {
		struct wd_range *range = NULL;
		struct wd_range copy;

		pthread_mutex_lock(&dev->lock);
		for (unsigned int i = 0; i < dev->ranges_nr && !range; i++)
			if (dev->ranges[i].owner == q)
				range = &dev->ranges[i];
		if (range) {
			copy = *range;
			range_cut(dev, range);
		}
		pthread_mutex_unlock(&dev->lock);
		if (!range)
			return;
		range_end(&copy);
	}
}

void wd_mem_forget(struct wd_queue *q, const void *mem)
{
	struct wd_dev *dev = q->dev;

	wd_enter();
	if (!q->transport->is_emulated)
		return; /* not mapped here, and the addresses may be others' by now */
	pthread_mutex_lock(&wd_lock);
	/* Some thread of the parent's may have had it, where nobody could make it anew. */
	if (pthread_mutex_trylock(&dev->lock))
		goto unlock;
	for (unsigned int i = dev->ranges_nr; i--;) {
		struct wd_range range = dev->ranges[i];

		if (range.owner != q || !(range.flags & WD_RANGE_ALLOC) ||
		    (mem && range.start != (uintptr_t)mem))
			continue;
		range_cut(dev, &dev->ranges[i]);
		munmap((void *)range.start, range.len);
	}
	pthread_mutex_unlock(&dev->lock);
unlock:
	pthread_mutex_unlock(&wd_lock);
}
