/* SPDX-License-Identifier: GPL-2.0-only */
/* Who uses which device addresses: sorted, disjoint ranges. Compiles in user space as well. */
#ifndef SDMDEV_RANGES_H
#define SDMDEV_RANGES_H

#include <linux/errno.h>
#include <linux/stddef.h>
#include <linux/types.h>

/* Both ends belong to it, so that the last address there is can be in a range. */
struct sdmdev_range {
	__u64 first;
	__u64 last;
	const void *owner;
	void *data; /* the owner's */
};

/*
 * Ranges never overlap, so a sorted array finds, by halves, what an interval tree would. at has
 * room for max, given by the caller.
 */
struct sdmdev_ranges {
	struct sdmdev_range *at;
	__u32 nr;
	__u32 max;
};

/* Index of the first range that ends at or behind first: the only one that can hold it. */
static inline __u32 sdmdev_ranges_find(const struct sdmdev_ranges *ranges, __u64 first)
{
	__u32 low = 0, high = ranges->nr;

	while (low < high) {
		__u32 mid = low + (high - low) / 2;

		if (ranges->at[mid].last < first)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* -EEXIST: overlaps a range of owner; -EADDRINUSE: of another; -ENOMEM: no room. */
static inline int sdmdev_ranges_add(struct sdmdev_ranges *ranges, __u64 first, __u64 last,
				    const void *owner)
{
	__u32 i = sdmdev_ranges_find(ranges, first), j;

	if (i < ranges->nr && ranges->at[i].first <= last)
		return ranges->at[i].owner == owner ? -EEXIST : -EADDRINUSE;
	if (ranges->nr == ranges->max)
		return -ENOMEM;
	for (j = ranges->nr++; j > i; j--)
		ranges->at[j] = ranges->at[j - 1];
	ranges->at[i].first = first;
	ranges->at[i].last = last;
	ranges->at[i].owner = owner;
	ranges->at[i].data = NULL;
	return 0;
}

/* The first range of owner that overlaps [first, last], or NULL. Valid until the next change. */
static inline const struct sdmdev_range *sdmdev_ranges_of(const struct sdmdev_ranges *ranges,
							  __u64 first, __u64 last,
							  const void *owner)
{
	__u32 i;

	for (i = sdmdev_ranges_find(ranges, first);
	     i < ranges->nr && ranges->at[i].first <= last; i++)
		if (ranges->at[i].owner == owner)
			return &ranges->at[i];
	return NULL;
}

/*
 * The length of the largest block of [first, last] that begins at first, is a power of two, aligned to
 * its length, and no more than 1 GiB: one after the other they are all of the range, and no aligned
 * large page lies in two of them.
 */
static inline __u64 sdmdev_ranges_block(__u64 first, __u64 last)
{
	__u64 len = 1 << 30;

	while (first & (len - 1) || len - 1 > last - first)
		len >>= 1;
	return len;
}

/* Removes the range that begins at first. */
static inline void sdmdev_ranges_del(struct sdmdev_ranges *ranges, __u64 first)
{
	__u32 i = sdmdev_ranges_find(ranges, first);

	for (ranges->nr--; i < ranges->nr; i++)
		ranges->at[i] = ranges->at[i + 1];
}

#endif
