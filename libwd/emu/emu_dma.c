// SPDX-License-Identifier: Zlib
/* The access table: which memory the emulated device may read and write, and at what address. */
#include "emu.h"
#include "emu_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What begins here is a pointer to nothing, whatever is mapped. */
#define NULL_LEN 4096

void emu_dma_init(struct emu_dma *dma)
{
	memset(dma, 0, sizeof(*dma));
	pthread_mutex_init(&dma->lock, NULL);
	pthread_cond_init(&dma->released, NULL);
}

void emu_dma_fini(struct emu_dma *dma)
{
	free(dma->range);
	pthread_cond_destroy(&dma->released);
	pthread_mutex_destroy(&dma->lock);
}

void emu_dma_attach(struct emu_dma *dma, struct emu_dma_user *user)
{
	pthread_mutex_lock(&dma->lock);
	user->dma = dma;
	user->nr = 0;
	user->next = dma->users;
	dma->users = user;
	pthread_mutex_unlock(&dma->lock);
}

void emu_dma_forget(struct emu_dma *dma, bool is_sound)
{
	if (!is_sound) {
		dma->range = NULL;
		dma->room = 0;
	}
	dma->nr = 0;
	dma->all_nr = 0;
	dma->waiting = 0;
	for (struct emu_dma_user *user = dma->users; user; user = user->next)
		user->nr = 0;
	/* Whoever waited here is not in this process. */
	pthread_cond_init(&dma->released, NULL);
}

static bool is_all(uint64_t iova, uint64_t len)
{
	return !iova && len == UINT64_MAX;
}

/* Index of the first range that ends behind iova. */
static size_t find(const struct emu_dma *dma, uint64_t iova)
{
	size_t low = 0, high = dma->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (dma->range[mid].iova + (dma->range[mid].len - 1) < iova)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int emu_dma_add(struct emu_dma *dma, uint64_t iova, void *va, uint64_t len, int flags)
{
	int ret = 0;
	size_t i;

	if (!len || iova + (len - 1) < iova || !flags || flags & ~(EMU_DMA_READ | EMU_DMA_WRITE))
		return -EINVAL;
	pthread_mutex_lock(&dma->lock);
	if (is_all(iova, len)) {
		dma->all_nr++;
		goto unlock;
	}
	i = find(dma, iova);
	if (i < dma->nr && dma->range[i].iova <= iova + (len - 1)) {
		ret = -EEXIST;
		goto unlock;
	}
	if (dma->nr == dma->room) {
		size_t room = dma->room ? dma->room * 2 : 16;
		struct emu_range *range = realloc(dma->range, room * sizeof(*range));

		if (!range) {
			ret = -ENOMEM;
			goto unlock;
		}
		dma->range = range;
		dma->room = room;
	}
	memmove(&dma->range[i + 1], &dma->range[i], (dma->nr - i) * sizeof(dma->range[0]));
	dma->range[i] = (struct emu_range){ iova, len, (uintptr_t)va, flags };
	dma->nr++;
unlock:
	pthread_mutex_unlock(&dma->lock);
	return ret;
}

static bool is_used(const struct emu_dma *dma, uint64_t iova, uint64_t last, bool is_by_all)
{
	for (const struct emu_dma_user *user = dma->users; user; user = user->next)
		for (unsigned int i = 0; i < user->nr; i++)
			if (user->use[i].is_by_all == is_by_all && user->use[i].iova <= last &&
			    user->use[i].iova + (user->use[i].len - 1) >= iova)
				return true;
	return false;
}

/* Under the lock. False: the whole address space is mapped by others still. */
static bool drop(struct emu_dma *dma, uint64_t iova, uint64_t len)
{
	size_t i, end;

	if (is_all(iova, len))
		return dma->all_nr && --dma->all_nr == 0;
	if (!dma->nr)
		return true;
	i = find(dma, iova);
	for (end = i; end < dma->nr && dma->range[end].iova <= iova + (len - 1); end++)
		;
	memmove(&dma->range[i], &dma->range[end], (dma->nr - end) * sizeof(dma->range[0]));
	dma->nr -= end - i;
	return true;
}

void emu_dma_remove(struct emu_dma *dma, uint64_t iova, uint64_t len)
{
	if (!len || iova + (len - 1) < iova)
		return;
	pthread_mutex_lock(&dma->lock);
	if (drop(dma, iova, len)) {
		dma->waiting++;
		while (is_used(dma, iova, iova + (len - 1), is_all(iova, len)))
			pthread_cond_wait(&dma->released, &dma->lock);
		dma->waiting--;
	}
	pthread_mutex_unlock(&dma->lock);
}

/* A buffer may lie across ranges as long as their memory is one piece, too. 0: denied. */
static uintptr_t lookup(const struct emu_dma *dma, uint64_t iova, uint64_t len, int flags)
{
	const struct emu_range *range, *end;
	uintptr_t va = 0;

	if (!dma->nr)
		return 0;
	range = dma->range + find(dma, iova);
	end = dma->range + dma->nr;
	for (uint64_t done = 0; done < len; range++) {
		uint64_t off;

		if (range == end || range->iova > iova + done || (range->flags & flags) != flags ||
		    !range->va)
			return 0;
		off = iova + done - range->iova;
		if (!done)
			va = range->va + off;
		else if (va + done != range->va)
			return 0;
		done += range->len - off;
	}
	return va;
}

void *emu_dma_get(struct emu_dma_user *user, uint64_t iova, uint64_t len, int flags)
{
	struct emu_dma *dma = user->dma;
	bool is_by_all = false;
	uintptr_t va;

	if (!len || iova + (len - 1) < iova || user->nr == EMU_DMA_USES || dma->is_remote)
		return NULL;
	pthread_mutex_lock(&dma->lock);
	va = lookup(dma, iova, len, flags);
	if (!va && dma->all_nr && iova >= NULL_LEN) {
		is_by_all = true;
		va = iova;
	}
	if (va) {
		user->use[user->nr].iova = iova;
		user->use[user->nr].len = len;
		user->use[user->nr].is_by_all = is_by_all;
		user->nr++;
	}
	pthread_mutex_unlock(&dma->lock);
	return (void *)va;
}

/* Under the lock: the piece that begins here, at most *len bytes of it. 0 or -EFAULT. */
static int copy_piece(struct emu_dma *dma, uint64_t iova, void *buf, uint64_t *len, int flag)
{
	const size_t i = find(dma, iova);
	const struct emu_range *range = i < dma->nr ? &dma->range[i] : NULL;
	uintptr_t va = iova;

	if (range && range->iova <= iova) {
		const uint64_t off = iova - range->iova;

		if (!(range->flags & flag))
			return -EFAULT;
		if (*len > range->len - off)
			*len = range->len - off;
		if (!range->va)
			return !buf						? 0
			       : dma->remote(dma->owner, iova, buf, *len, flag) ? -EFAULT
										: 0;
		va = range->va + off;
	} else {
		if (!dma->all_nr || iova < NULL_LEN)
			return -EFAULT;
		if (range && *len > range->iova - iova)
			*len = range->iova - iova;
	}
	if (buf && flag == EMU_DMA_READ)
		memcpy(buf, (const void *)va, *len);
	else if (buf)
		memcpy((void *)va, buf, *len);
	return 0;
}

int emu_dma_copy(struct emu_dma *dma, uint64_t iova, void *buf, uint64_t len, int flag)
{
	int ret = 0;

	if (!len || iova + (len - 1) < iova)
		return -EFAULT;
	if (dma->is_remote)
		return dma->remote(dma->owner, iova, buf, len, flag);
	pthread_mutex_lock(&dma->lock);
	for (uint64_t done = 0, piece; done < len && !ret; done += piece) {
		piece = len - done;
		ret = copy_piece(dma, iova + done, buf ? (uint8_t *)buf + done : NULL, &piece,
				 flag);
	}
	pthread_mutex_unlock(&dma->lock);
	return ret;
}

void emu_dma_release(struct emu_dma_user *user)
{
	struct emu_dma *dma = user->dma;

	pthread_mutex_lock(&dma->lock);
	user->nr = 0;
	if (dma->waiting)
		pthread_cond_broadcast(&dma->released);
	pthread_mutex_unlock(&dma->lock);
}
