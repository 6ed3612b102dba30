/* SPDX-License-Identifier: Zlib */
/*
 * Memory in zlib's sizes, kept for the next stream. malloc() gives blocks like these back to the
 * kernel when they are freed at the end of its heap, and each small compress() would fault them in
 * again, which costs more than its work.
 */
#include "config.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "stream/cache.h"

/* AddressSanitizer finds the use of freed memory only if it is freed. gcc says it one way, clang the other. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEPS 0
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define KEEPS 0
#endif
#ifndef KEEPS
#define KEEPS 1
#endif

#define SLOTS 16

struct block {
	size_t class;
	max_align_t mem[];
};

/* Blocks up to len bytes, not much shorter. At most 3 MiB are kept in all. */
static struct class {
	uInt len, slots;
	struct block *_Atomic kept[SLOTS];
} classes[] = {
	{ .len = 6144, .slots = 8 },	/* deflate: state */
	{ .len = 7168, .slots = 8 },	/* inflate: state */
	{ .len = 32768, .slots = 8 },	/* inflate: window */
	{ .len = 65536, .slots = 16 },	/* deflate: window, chains, hash heads, symbols */
	{ .len = 131072, .slots = 4 },	/* deflate: the last two at memLevel 9 */
	{ .len = 262144, .slots = 4 },	/* deflate: all of a device's stream */
};

#define CLASSES (sizeof(classes) / sizeof(classes[0]))

static size_t class_of(size_t len)
{
	size_t c = 0;

	while (c < CLASSES && len > classes[c].len)
		c++;
	return KEEPS && c < CLASSES && len > classes[c].len / 8 * 7 ? c : CLASSES;
}

voidpf zwd_cache_alloc(voidpf opaque, uInt items, uInt size)
{
	size_t len = (size_t)items * size, c = class_of(len);
	struct block *block;

	if (c < CLASSES) {
		for (uInt i = 0; i < classes[c].slots; i++) {
			struct block *_Atomic *slot = &classes[c].kept[i];

			/* The exchange makes the block ours, with all that its last owner wrote to it. */
			if (atomic_load_explicit(slot, memory_order_relaxed) &&
			    (block = atomic_exchange_explicit(slot, NULL, memory_order_acquire)))
				return block->mem;
		}
		len = classes[c].len;
	}
	block = malloc(sizeof(*block) + len);
	if (!block)
		return NULL;
	block->class = c;
	return block->mem;
}

void zwd_cache_free(voidpf opaque, voidpf mem)
{
	struct block *block, *none;

	if (!mem)
		return;
	block = (struct block *)((char *)mem - offsetof(struct block, mem));
	for (uInt i = 0; block->class < CLASSES && i < classes[block->class].slots; i++) {
		struct block *_Atomic *slot = &classes[block->class].kept[i];

		none = NULL;
		if (!atomic_load_explicit(slot, memory_order_relaxed) &&
		    atomic_compare_exchange_strong_explicit(slot, &none, block, memory_order_release,
							    memory_order_relaxed))
			return;
	}
	free(block);
}
