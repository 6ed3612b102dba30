/* SPDX-License-Identifier: GPL-2.0-only */
/* The device addresses a process may use: an aperture with holes. Compiles in user space too. */
#ifndef SDMDEV_WINDOW_H
#define SDMDEV_WINDOW_H

#include <linux/errno.h>
#include <linux/types.h>

#define SDMDEV_SPANS 32

struct sdmdev_span {
	__u64 first;
	__u64 last;
};

/* Sorted, disjoint spans. */
struct sdmdev_window {
	struct sdmdev_span span[SDMDEV_SPANS];
	__u32 nr;
};

static inline void sdmdev_window_init(struct sdmdev_window *window, __u64 first, __u64 last)
{
	window->nr = 0;
	if (first > last)
		return;
	window->span[0].first = first;
	window->span[0].last = last;
	window->nr = 1;
}

/*
 * Takes [first, last] away. With no room to note a further span the smaller half of the divided one
 * is given up: a window may only ever be too small.
 */
static inline void sdmdev_window_exclude(struct sdmdev_window *window, __u64 first, __u64 last)
{
	struct sdmdev_window old = *window;
	__u32 i;

	if (first > last)
		return;
	window->nr = 0;
	for (i = 0; i < old.nr; i++) {
		struct sdmdev_span low = old.span[i], high = old.span[i];
		bool has_low, has_high;

		if (last < low.first || first > low.last) {
			window->span[window->nr++] = low;
			continue;
		}
		has_low = first > low.first;
		has_high = last < high.last;
		if (has_low)
			low.last = first - 1;
		if (has_high)
			high.first = last + 1;
		if (has_low && has_high && old.nr == SDMDEV_SPANS) {
			has_low = low.last - low.first >= high.last - high.first;
			has_high = !has_low;
		}
		if (has_low)
			window->span[window->nr++] = low;
		if (has_high)
			window->span[window->nr++] = high;
	}
}

static inline bool sdmdev_window_has(const struct sdmdev_window *window, __u64 first, __u64 last)
{
	__u32 i;

	for (i = 0; i < window->nr; i++)
		if (first >= window->span[i].first && last <= window->span[i].last)
			return first <= last;
	return false;
}

/* The largest span; first > last: there is none. */
static inline struct sdmdev_span sdmdev_window_largest(const struct sdmdev_window *window)
{
	struct sdmdev_span best = { 1, 0 };
	__u32 i;

	for (i = 0; i < window->nr; i++)
		if (best.first > best.last ||
		    window->span[i].last - window->span[i].first > best.last - best.first)
			best = window->span[i];
	return best;
}

#endif
