// SPDX-License-Identifier: Zlib
/* The time a request takes on the modelled device, and the results that wait for theirs. */
#include "emu_priv.h"

uint64_t emu_clock_due(struct emu_clock *clock, uint64_t arrival_ns, uint64_t len)
{
	uint64_t start_ns = arrival_ns + clock->latency_ns;

	if (start_ns < clock->free_ns)
		start_ns = clock->free_ns;
	/* Mbit/s: 8 bits a byte, 1000 ns a microsecond */
	clock->free_ns = start_ns + (clock->mbps ? len * 8000 / clock->mbps : 0);
	return clock->free_ns;
}

/* Due times never descend, so the list is in their order. */
void emu_clock_add(struct emu_clock *clock, struct emu_due *due)
{
	due->next = NULL;
	if (clock->last)
		clock->last->next = due;
	else
		clock->first = due;
	clock->last = due;
	atomic_store(&clock->next_ns, clock->first->at_ns);
}

struct emu_due *emu_clock_take(struct emu_clock *clock, uint64_t now_ns)
{
	struct emu_due *due = clock->first;

	if (!due || due->at_ns > now_ns)
		return NULL;
	clock->first = due->next;
	if (!clock->first)
		clock->last = NULL;
	atomic_store(&clock->next_ns, clock->first ? clock->first->at_ns : UINT64_MAX);
	return due;
}

void emu_clock_drop(struct emu_clock *clock, const struct emu_slot *slot)
{
	struct emu_due *due = clock->first;

	clock->first = NULL;
	clock->last = NULL;
	atomic_store(&clock->next_ns, UINT64_MAX);
	/* Those of all slots may be the parent's, and freed. */
	while (slot && due) {
		struct emu_due *next = due->next;

		if (due->slot != slot)
			emu_clock_add(clock, due);
		due = next;
	}
}
