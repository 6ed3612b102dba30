/* SPDX-License-Identifier: Zlib */
/* What the parts of libwd share: devices, queues and the memory a device may reach. */
#ifndef WD_PRIV_H
#define WD_PRIV_H

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include "wd.h"
#include "drv/hisi_qm.h"
#include "process.h"
#include "transport/transport.h"

#define wd_likely(x) __builtin_expect(!!(x), 1)
#define wd_unlikely(x) __builtin_expect(!!(x), 0)

/* Memory that a device of this process may reach. */
struct wd_range {
	uintptr_t start;
	size_t len;
	uint64_t addr; /* as the device has it */
	int flags;     /* WD_SHARE_*, WD_RANGE_* */
	struct wd_queue *owner;
};
#define WD_RANGE_ALLOC 0x100 /* made by wd_alloc() */
#define WD_RANGE_FREED 0x200 /* wd_free() came while a request in flight named it */
#define WD_RANGE_OWN 0x400   /* memory of the device's own kind */

/* An open device, shared by all its queues. */
struct wd_dev {
	struct wd_dev *next;
	const struct wd_transport *transport;
	struct wd_device_info info;
	void *handle; /* transport's */
	unsigned int queues_nr; /* under wd_lock */
	unsigned int born;	/* wd_generation(); of an ancestor: handle must not be used */

	pthread_mutex_t lock;	 /* guards ranges */
	struct wd_range *ranges; /* by start; those of WD_SHARE_ALL first, with start 0 */
	unsigned int ranges_nr;
	unsigned int generation; /* changes whenever a range goes away */
};

enum wd_mem_role {
	WD_MEM_SRC,
	WD_MEM_DST,
	WD_MEM_CTX,
	WD_MEM_ROLES,
};

/* Where the last address of a kind was found. Signed: what no process has is not in there. */
struct wd_recent {
	intptr_t start;
	intptr_t end;
	uint64_t delta; /* from our address to the device's */
};

/* What software remembers of a request in flight: its ring entry does not hold all of it. */
struct wd_slot {
	uint64_t tag;
	void *ctx;
};

struct wd_queue {
	struct hisi_qm qm;
	unsigned int born; /* wd_generation(); of an ancestor: nothing of it is to be touched */
	unsigned int op_type;
	unsigned int sqe_type;
	unsigned int formats;
	unsigned int generation; /* of dev's ranges when recent was filled */
	struct wd_dev *dev;
	struct wd_slot *slots;
	struct wd_recent recent[WD_MEM_ROLES];
	void (*doorbell)(void *tq, uint64_t value);
	int (*reap)(void *tq); /* NULL: the device itself fills the rings */
	void *tq; /* transport's */

	int error; /* 0; -EIO when the device broke the order of its ring */
	const struct wd_transport *transport;
	struct wd_regions regions;
	unsigned int spin_us;
	uint32_t spin_len; /* a request of more input is not waited for so */
	uint32_t sent_len; /* of the latest request */
	struct wd_share *share; /* of many threads; NULL: the queue is one thread's */
};

/* share.c: what a queue of many threads has besides. */
int wd_share_init(struct wd_queue *q);
void wd_share_fini(struct wd_queue *q);
/* Around all that reads or changes the queue itself; nothing where it is one thread's. */
void wd_queue_lock(const struct wd_queue *q);
void wd_queue_unlock(const struct wd_queue *q);

struct wd_candidate {
	const struct wd_transport *transport;
	struct wd_device_info info;
	unsigned int item; /* of the specification */
	int distance;	   /* from the node that is asked for */
	int is_away;	   /* that node was wished for, and this is another one */
};
/*
 * Devices that spec selects, in order of preference, and with those last that are known to be of no
 * use. node: as of struct wd_queue_attr. -EINVAL, -ENOMEM or their number.
 */
int wd_find_candidates(const char *spec, int node, struct wd_candidate **list);

/* near.c: by wish, then by item, then by distance. */
void wd_near_sort(struct wd_candidate *list, unsigned int nr, int node);

/* The open device of that name, opened when it is not; under wd_lock. */
int wd_dev_get(const struct wd_candidate *candidate, struct wd_dev **dev);
void wd_dev_put(struct wd_dev *dev);

/* One item of a device specification. */
enum wd_spec_kind {
	WD_SPEC_AUTO,
	WD_SPEC_NONE,
	WD_SPEC_EMU,
	WD_SPEC_NAME,
};
struct wd_spec {
	enum wd_spec_kind kind;
	char text[WD_NAME_LEN]; /* name, or options of the emulated device */
};
/* Takes the item at *pos and moves *pos behind it, to NULL at the end. 0 or -EINVAL. */
int wd_spec_next(const char **pos, struct wd_spec *spec);

/* Why the device stopped this queue: -EIO or -ENODEV. */
int wd_queue_error(const struct wd_queue *q);

/* Frees and unshares what belongs to the queue, which is stopped. */
void wd_mem_release(struct wd_queue *q);
/* The same of a queue of the parent's: unmaps what a child inherits. mem: only that; NULL: all. */
void wd_mem_forget(struct wd_queue *q, const void *mem);
/*
 * Finds the range of mem and remembers it in q->recent[role]; a role other than WD_MEM_SRC is
 * written to. 0 or -EFAULT.
 */
int wd_mem_find(struct wd_queue *q, enum wd_mem_role role, const void *mem, size_t len);

/* The device's address of mem; 0: it is not where the last one was, wd_mem_find() knows more. */
static inline int wd_mem_addr(const struct wd_queue *q, enum wd_mem_role role, const void *mem,
			      uint32_t len, uint64_t *addr)
{
	const struct wd_recent *recent = &q->recent[role];
	intptr_t start = (intptr_t)mem;

	*addr = (uint64_t)start + recent->delta;
	return start >= recent->start && start + (intptr_t)len <= recent->end;
}

#endif
