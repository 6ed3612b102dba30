/* SPDX-License-Identifier: Zlib */
/* Memory from a uacce driver, in slices that are contiguous for the device: mapped once, given out
 * in pieces. */
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "transport/sys.h"
#include "transport/uacce.h"

#define UNIT	   (64u << 10) /* a region's length is a multiple */
#define REGION_MIN (4u << 20)  /* what a queue asks for at its first need, or four times that need \
				*/
#define REGION_MAX (128u << 20)
/* Of what UACCE_CMD_GET_SS_DMA gives: addresses are those of pages. */
#define LEN_UNITS 0xffful

struct uacce_piece {
	struct uacce_piece *next;
	char *mem;
	uint64_t addr;
	size_t len;
	int is_used;
};

static struct uacce_piece *piece_new(char *mem, uint64_t addr, size_t len)
{
	struct uacce_piece *piece = malloc(sizeof(*piece));

	if (piece)
		*piece = (struct uacce_piece){ NULL, mem, addr, len, 0 };
	return piece;
}

/* Free neighbours are one piece, if the device sees them as neighbours. */
static void merge(struct uacce_slices *slices)
{
	struct uacce_piece *piece = slices->pieces;

	while (piece && piece->next) {
		struct uacce_piece *next = piece->next;

		if (piece->is_used || next->is_used || piece->addr + piece->len != next->addr) {
			piece = next;
			continue;
		}
		piece->len += next->len;
		piece->next = next->next;
		free(next);
	}
}

/* Where in the device's memory the region lies. */
static int read_slices(struct uacce_slices *slices, int fd)
{
	struct uacce_piece **end = &slices->pieces;
	size_t done = 0;
	int left;

	for (unsigned long index = 0; done < slices->len; index++) {
		unsigned long slice = index;
		size_t len;

		left = wd_sys->ioctl(fd, UACCE_CMD_GET_SS_DMA, &slice);
		if (left < 0)
			return left;
		len = (slice & LEN_UNITS) * UNIT;
		if (!len || len > slices->len - done)
			return -EIO;
		*end = piece_new(slices->mem + done, slice & ~LEN_UNITS, len);
		if (!*end)
			return -ENOMEM;
		end = &(*end)->next;
		done += len;
		if (!left)
			break;
	}
	merge(slices);
	return 0;
}

/* A driver that has not got so much at once may have less. */
static int map_region(struct uacce_slices *slices, int fd, size_t needed)
{
	uint64_t offset = UACCE_QFRT_SS * (uint64_t)sysconf(_SC_PAGESIZE);
	size_t least = (needed + UNIT - 1) / UNIT * UNIT;
	size_t len = 4 * least < REGION_MIN ? REGION_MIN : 4 * least;
	void *mem;
	int r;

	if (len > REGION_MAX)
		len = REGION_MAX;
	r = wd_sys->map(fd, offset, len, PROT_READ | PROT_WRITE, &mem);
	while (r == -ENOMEM && len > least) {
		len = len * 3 / 4 / UNIT * UNIT;
		if (len < least)
			len = least;
		r = wd_sys->map(fd, offset, len, PROT_READ | PROT_WRITE, &mem);
	}
	if (r)
		return r;
	slices->mem = mem;
	slices->len = len;
	r = read_slices(slices, fd);
	if (r)
		uacce_slices_unmap(slices);
	return r;
}

/* The smallest that is large enough, so that large ones last. */
static struct uacce_piece *find_free(const struct uacce_slices *slices, size_t len)
{
	struct uacce_piece *found = NULL;

	for (struct uacce_piece *piece = slices->pieces; piece; piece = piece->next)
		if (!piece->is_used && piece->len >= len && (!found || piece->len < found->len))
			found = piece;
	return found;
}

int uacce_slices_alloc(struct uacce_slices *slices, int fd, size_t len, void **mem, uint64_t *addr)
{
	struct uacce_piece *piece, *rest;
	int r;

	if (len > REGION_MAX)
		return -ENOMEM;
	r = slices->mem ? 0 : map_region(slices, fd, len);
	if (r)
		return r;
	piece = find_free(slices, len);
	if (!piece)
		return -ENOMEM;
	if (piece->len > len) {
		rest = piece_new(piece->mem + len, piece->addr + len, piece->len - len);
		if (!rest)
			return -ENOMEM;
		rest->next = piece->next;
		piece->next = rest;
		piece->len = len;
	}
	piece->is_used = 1;
	/* What its last user left. */
	memset(piece->mem, 0, len);
	*mem = piece->mem;
	*addr = piece->addr;
	return 0;
}

void uacce_slices_free(struct uacce_slices *slices, const void *mem)
{
	for (struct uacce_piece *piece = slices->pieces; piece; piece = piece->next)
		if (piece->mem == mem)
			piece->is_used = 0;
	merge(slices);
}

void uacce_slices_forget(struct uacce_slices *slices)
{
	struct uacce_piece *next;

	for (struct uacce_piece *piece = slices->pieces; piece; piece = next) {
		next = piece->next;
		free(piece);
	}
	*slices = (struct uacce_slices){ 0 };
}

void uacce_slices_unmap(struct uacce_slices *slices)
{
	if (slices->mem)
		wd_sys->unmap(slices->mem, slices->len);
	uacce_slices_forget(slices);
}
