/* SPDX-License-Identifier: Zlib */
/* Which devices are near to whom: NUMA nodes, and the kernel's table of their distances. */
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include "lean.h"
#include "priv.h"
#include "transport/sys.h"

#define NODE_PATH "/sys/devices/system/node"
#define TEXT_LEN  4096 /* of an attribute: one page */

/* As firmware tables count: a node's distance to itself, and of one of which nothing is said. */
#define DISTANCE_LOCAL	10
#define DISTANCE_REMOTE 20

/* Which of the nodes that are online, in "0-1,4", this is: their distances are listed in that
 * order. */
static int position(const char *online, int node)
{
	int nr = 0;

	while (lean_is_digit(*online)) {
		char *end;
		long first = strtol(online, &end, 10), last = first;

		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		if (first <= node && node <= last)
			return nr + node - (int)first;
		nr += (int)(last - first) + 1;
		online = *end == ',' ? end + 1 : end;
	}
	return -1;
}

static int distance(int from, int to)
{
	char path[64], text[TEXT_LEN];
	char *next = text;
	int skip, saved_errno = errno;
	long found = DISTANCE_REMOTE;

	if (from == to)
		return DISTANCE_LOCAL;
	if (to < 0 || wd_sys->read(NODE_PATH "/online", text, sizeof(text)))
		return DISTANCE_REMOTE;
	skip = position(text, to);
	snprintf(path, sizeof(path), NODE_PATH "/node%d/distance", from);
	if (skip < 0 || wd_sys->read(path, text, sizeof(text)))
		return DISTANCE_REMOTE;
	for (; skip >= 0 && *next; skip--)
		found = strtol(next, &next, 10);
	errno = saved_errno;
	return skip < 0 && found > 0 && found < 256 ? (int)found : DISTANCE_REMOTE;
}

static int is_before(const struct wd_candidate *a, const struct wd_candidate *b)
{
	if (a->is_away != b->is_away)
		return a->is_away < b->is_away;
	return a->item != b->item ? a->item < b->item : a->distance < b->distance;
}

void wd_near_sort(struct wd_candidate *list, unsigned int nr, int node)
{
	int is_wish = node >= 0, is_mixed = 0;

	for (unsigned int i = 1; i < nr; i++)
		is_mixed |= list[i].info.numa_node != list[0].info.numa_node;
	if (!is_mixed)
		return;
	if (!is_wish)
		node = wd_sys->node();
	for (unsigned int i = 0; i < nr; i++) {
		list[i].is_away = is_wish && list[i].info.numa_node != node;
		list[i].distance = node < 0 ? 0 : distance(node, list[i].info.numa_node);
	}
	/* Few of them, and those alike stay in their order. */
	for (unsigned int i = 1; i < nr; i++)
		for (unsigned int j = i; j && is_before(&list[j], &list[j - 1]); j--) {
			struct wd_candidate other = list[j - 1];

			list[j - 1] = list[j];
			list[j] = other;
		}
}
