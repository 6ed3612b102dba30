/* SPDX-License-Identifier: Zlib */
/* Memory for what inflate streams have on a device: leases of the process, for those of a caller's allocator. */
#include "config.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/lease.h"
#include "stream/shield.h"

#define SLOTS 32
/* Memory that nobody has a lease of, kept for the next. */
#define IDLE_MAX 4
/* Before there is more memory so many that are taken are looked at, if they were left: each time others. */
#define LOOKS 4
/* Context, input, windows, a probe, what waits, and a stream that verifies; only what is used is resident. */
#define LEASE_LEN 2506752u
/* Of a caller's memory: less input. */
#define SMALL_LEN 917504u
#define PARTS 24
#define ALIGN 64u

struct zwd_lease {
	int slot; /* -1: the caller's memory */
	unsigned int parts_nr;
	size_t end, len;
	struct part {
		size_t off, len;
		int is_used;
	} parts[PARTS];
};

/* The lock guards these. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slot {
	struct zwd_lease *mem;
	struct zwd_stream *owner; /* its memory is the caller's, and may be gone. NULL: free */
	uint32_t id;
} slots[SLOTS];
static unsigned int idle_nr, next_look;
static uint32_t latest_id;
static _Atomic unsigned int generation; /* of the process whose lock this is */

/* A child has the slots as they were, and its streams have them; but not the thread that had the lock. */
static void recover(void)
{
	pthread_mutex_init(&lock, NULL);
	idle_nr = 0;
	for (struct slot *slot = slots; slot < slots + SLOTS; slot++)
		idle_nr += !slot->owner && slot->mem;
}

/* 0 or -EBUSY: a signal handler, which does without. */
static int enter(int *cancel_state)
{
	unsigned int now = wd_generation(), was = atomic_load(&generation);

	if (zwd_enter_shielded(cancel_state))
		return -EBUSY;
	if (was != now && atomic_compare_exchange_strong(&generation, &was, now) && was)
		recover();
	pthread_mutex_lock(&lock);
	return 0;
}

static void leave(int cancel_state)
{
	pthread_mutex_unlock(&lock);
	zwd_leave_shielded(cancel_state);
}

/*
 * Is it sure that this is not what *at says? A wake-up of nobody, if it does, is the one way to read
 * memory that may not be there which any process with threads may use. What is mapped and may not be
 * read tells nothing.
 */
static int is_changed(const uint32_t *at, uint32_t expected)
{
	uintptr_t page = (uintptr_t)at & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	uint32_t none = 0;
	unsigned char is_in_core;

	if (syscall(SYS_futex, at, FUTEX_CMP_REQUEUE_PRIVATE, 0, NULL, &none, expected) >= 0)
		return 0;
	if (errno == EAGAIN)
		return 1;
	return errno == EFAULT && mincore((void *)page, 1, &is_in_core) && errno == ENOMEM;
}

static int is_left(const struct slot *slot)
{
	int saved_errno = errno, ret;

	ret = is_changed(&slot->owner->magic, ZWD_MAGIC_INFLATE) ||
	      is_changed(&slot->owner->i.lease_id, slot->id);
	errno = saved_errno;
	return ret;
}

/* One that was left, if it is among the next ones. */
static struct slot *find_left(void)
{
	int looks = 0;

	for (int i = 0; i < SLOTS && looks < LOOKS; i++) {
		struct slot *slot = &slots[next_look++ % SLOTS];

		if (!slot->owner)
			continue;
		looks++;
		if (!is_left(slot))
			continue;
		slot->owner = NULL;
		idle_nr++;
		return slot;
	}
	return NULL;
}

/* One that is free, with memory rather than without; NULL: none. */
static struct slot *find_slot(void)
{
	struct slot *without = NULL, *left;

	for (struct slot *slot = slots; slot < slots + SLOTS; slot++) {
		if (!slot->owner && slot->mem)
			return slot;
		if (!slot->owner)
			without = slot;
	}
	left = find_left();
	return left ? left : without;
}

static void set_up(struct zwd_stream *s, struct zwd_lease *lease, int slot, size_t len)
{
	lease->slot = slot;
	lease->len = len;
	lease->parts_nr = 0;
	lease->end = (sizeof(*lease) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	s->i.lease = lease;
}

int zwd_lease_take(struct zwd_stream *s)
{
	struct slot *slot;
	int cancel_state, ret;

	if (!s->is_custom || s->i.lease)
		return 0;
	if (enter(&cancel_state))
		return -EBUSY;
	slot = find_slot();
	if (slot && slot->mem)
		idle_nr--;
	else if (slot)
		slot->mem = zwd_pages(LEASE_LEN);
	ret = !slot ? -EBUSY : !slot->mem ? -ENOMEM : 0;
	if (!ret) {
		latest_id += 1 + (latest_id == UINT32_MAX);
		/* As long as it has an owner, that one says so. */
		s->i.lease_id = slot->id = latest_id;
		slot->owner = s;
		set_up(s, slot->mem, (int)(slot - slots), LEASE_LEN);
	}
	leave(cancel_state);
	return ret;
}

int zwd_lease_take_copy(struct zwd_stream *s, size_t kept)
{
	size_t len = kept <= 4 * ZWD_LEASE_SMALL_KEEP ? SMALL_LEN : LEASE_LEN;
	struct zwd_lease *lease;

	if (!zwd_lease_take(s))
		return 0;
	lease = zwd_stream_alloc(s, len);
	if (!lease)
		return -ENOMEM;
	set_up(s, lease, -1, len);
	return 0;
}

int zwd_lease_is_small(const struct zwd_stream *s)
{
	return s->i.lease && s->i.lease->len < LEASE_LEN;
}

void zwd_lease_give(struct zwd_stream *s)
{
	struct zwd_lease *lease = s->i.lease, *surplus = NULL;
	uint32_t id = s->i.lease_id;
	int cancel_state;

	s->i.lease = NULL;
	if (lease && lease->slot < 0)
		zwd_stream_unalloc(s, lease);
	/* In a signal handler nothing but the id goes, by which it is found. */
	if (!id || enter(&cancel_state)) {
		s->i.lease_id = 0;
		return;
	}
	for (struct slot *slot = slots; slot < slots + SLOTS; slot++) {
		if (slot->owner != s || slot->id != id)
			continue;
		if (idle_nr >= IDLE_MAX) {
			surplus = slot->mem;
			slot->mem = NULL;
		}
		idle_nr += slot->mem != NULL;
		slot->owner = NULL;
		break;
	}
	s->i.lease_id = 0;
	leave(cancel_state);
	zwd_unpages(surplus, LEASE_LEN);
}

void *zwd_lease_alloc(struct zwd_stream *s, size_t len)
{
	struct zwd_lease *lease = s->i.lease;
	struct part *part;

	if (!s->is_custom)
		return zwd_stream_alloc(s, len);
	if (!lease || len > lease->len)
		return NULL;
	/* A stream asks for the same sizes again. */
	for (unsigned int i = 0; i < lease->parts_nr; i++) {
		part = &lease->parts[i];
		if (!part->is_used && part->len >= len && part->len - len < part->len / 8 + ALIGN) {
			part->is_used = 1;
			return (unsigned char *)lease + part->off;
		}
	}
	len = (len + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (lease->parts_nr == PARTS || lease->end + len > lease->len)
		return NULL;
	part = &lease->parts[lease->parts_nr++];
	*part = (struct part){ .off = lease->end, .len = len, .is_used = 1 };
	lease->end += len;
	return (unsigned char *)lease + part->off;
}

void zwd_lease_free(struct zwd_stream *s, void *mem)
{
	struct zwd_lease *lease = s->i.lease;

	if (!s->is_custom)
		zwd_stream_unalloc(s, mem);
	if (!s->is_custom || !mem)
		return;
	for (unsigned int i = 0; i < lease->parts_nr; i++)
		if ((unsigned char *)lease + lease->parts[i].off == mem)
			lease->parts[i].is_used = 0;
}

voidpf zwd_lease_zalloc(voidpf opaque, uInt items, uInt size)
{
	return zwd_lease_alloc(opaque, (size_t)items * size);
}

void zwd_lease_zfree(voidpf opaque, voidpf mem)
{
	zwd_lease_free(opaque, mem);
}
