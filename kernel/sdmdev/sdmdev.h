/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of sdmdev share. Lock order: README. */
#ifndef SDMDEV_H
#define SDMDEV_H

#include <linux/eventfd.h>
#include <linux/iommu.h>
#include <linux/kobject.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/refcount.h>
#include <linux/vfio.h>
#include <linux/workqueue.h>
#include <wd/vfio_sdmdev.h>

#include "lifetime.h"
#include "ranges.h"
#include "window.h"

#define SDMDEV_REGION_SHIFT 40	/* a region's offset is its index, shifted */
#define SDMDEV_SLICE_SHIFT 32	/* a slice's offset in its region is its slot, shifted */
#define SDMDEV_SLICES 256
#define SDMDEV_QUEUE_RANGES 1024
#define SDMDEV_SPACE_RANGES 4096
#define SDMDEV_WAITERS 16 /* threads of a queue whose waiting is remembered */

struct sdmdev_charge;
struct sdmdev_mode;

/* How queues of one parent come into being. */
struct sdmdev_bus {
	struct list_head node;
	const char *name;
	struct module *owner;
	int (*add)(struct sdmdev_core *core);
	void (*del)(struct sdmdev_core *core); /* returns when no queue is left */
};

/* One function: what struct vfio_sdmdev is to its driver. */
struct sdmdev_core {
	struct vfio_sdmdev *sdmdev;
	struct kobject params;
	struct device *cls_dev;
	const struct vfio_device_ops *vfio_ops;
	const struct sdmdev_bus *bus;
	void *bus_priv;
	struct work_struct put_work;
	struct llist_head put_list; /* queues whose VFIO device goes */

	struct sdmdev_life life; /* its lock guards the next two as well */
	struct list_head spaces;
	u32 sva_nr; /* spaces that hold the device ready for SVA */

	struct mutex lock; /* guards from here */
	u32 queues_nr;
	const struct sdmdev_mode *mode; /* of queues to come; changes while there is none */
	struct sdmdev_window window;	/* what that lets a process share */
	u32 dma_flag;
	bool is_unregistering;
};

/* Closed while threads are inside VFIO_IOMMU_UNMAP_DMA: see sdmdev_gate_enter(). */
struct sdmdev_gate {
	struct kref ref;
	atomic_t inside_nr;
	wait_queue_head_t wait;
};

/* What one process's queues of one function have in common. */
struct sdmdev_space {
	struct sdmdev_retired retired;
	struct list_head node; /* life->lock, users too */
	u32 users;
	struct sdmdev_core *core;
	const struct sdmdev_mode *mode;
	struct mm_struct *mm;
	struct iommu_domain *domain;
	struct sdmdev_window window;
	struct sdmdev_gate *gate;
	struct work_struct free_work;

	struct mutex lock; /* guards from here; held over nothing that waits */
	struct sdmdev_ranges ranges;

	struct mutex sva_lock; /* guards from here; held while the process's mmap lock is taken */
	struct iommu_sva *sva;
	u32 pasid; /* of multi: for good */
};

/* A piece of static memory. */
struct sdmdev_slice {
	struct sdmdev_retired retired;
	struct device *dev;
	struct sdmdev_charge *charge;
	void *cpu;
	dma_addr_t dma;
	size_t len;
	u32 mappings_nr; /* map_lock of the queue */
	bool is_hidden;	 /* q->mutex and map_lock */
};

/* What is waited for: see drain.c. q->mutex. */
struct sdmdev_drain {
	u32 turn;
	u32 left; /* entries to finish */
	u32 done;
	int moves;
	unsigned long moved_at; /* jiffies: this queue, and any of the function */
	unsigned long all_moved_at;
};

/* What the kernel submitted for a process: bytes of each entry, in their order. q->mutex. */
struct sdmdev_flight {
	u32 *bytes;
	u32 size; /* of that, a power of two, more than a ring's entries and one batch */
	u32 head;
	u32 tail;
	u64 sum;
};

/* A thread, and what it has been told of. */
struct sdmdev_waiter {
	pid_t tid; /* 0: none */
	int seen;
};

struct sdmdev_queue {
	struct vfio_device vdev; /* first */
	struct sdmdev_core *core;
	struct vfio_sdmdev_queue *q;
	struct vfio_sdmdev_layout layout;
	const struct sdmdev_mode *mode;
	struct sdmdev_run run;
	enum sdmdev_state told_state; /* life->lock, the next too */
	u32 told_generation;
	struct sdmdev_retired retired;
	struct llist_node put_node;
	struct delayed_work revoke_work;

	struct sdmdev_flight flight;
	atomic_t updates; /* looks that found results, since the start */

	/* From being closed until the device does not work for it */
	refcount_t holds; /* of its existence, and from open to the end of that */
	struct delayed_work close_work;
	struct sdmdev_drain drain;
	bool is_closing; /* life->lock */

	/*
	 * Memory of the process. A call of its may hold this for ever, over a pin or a charge:
	 * nothing takes it that is not such a call, or the end of the file that it was made on.
	 */
	struct mutex mem_lock; /* guards from here */
	struct mm_struct *mm;  /* who opened it; changes under map_lock as well */
	struct sdmdev_space *space;
	u32 ranges_nr;
	bool is_held; /* closed: pages are kept by a reference, not by VFIO's pins */
	u64 static_len;

	struct mutex map_lock; /* under the mmap lock; guards from here */
	struct list_head mappings;
	struct sdmdev_slice *slices[SDMDEV_SLICES]; /* changes under mem_lock, q->mutex as well */
	bool is_revoked;

	spinlock_t irq_lock; /* guards from here */
	struct eventfd_ctx *events[SDMDEV_IRQS];
	u32 notify_nr; /* who waits for updates */
	struct sdmdev_waiter waiters[SDMDEV_WAITERS];
};

/**
 * struct sdmdev_mode - a road of memory to the device
 *
 * @flag: SDMDEV_DMA_*, with SDMDEV_DMA_STATIC where @has_static
 * @is_direct: the process writes rings and doorbell itself
 * @is_exclusive: its queues reach each other's memory, so only one process may use the function
 * @probe: can the function do it here? Fills the window of what can be shared. Under core->lock.
 * @attach: a process opens its first queue; 0 or -errno. Under life->lock.
 * @detach: the reverse, when the device no longer works for its queues. With no lock held: may
 *	wait for the process.
 * @bind: makes a queue ready to start; may wait for the process
 * @bind_pasid: the same on request of the process, where that makes a difference. Those that follow
 *	are called under mem_lock.
 * @share: lets the device reach whole pages [first, last] of the process; -EAGAIN: the gate is
 *	closed
 * @unshare: takes away all ranges of the queue that overlap [first, last]; -ENOENT: there is none
 * @quiesce: waits until memory may be taken from under the queue; 0, -EBUSY, or a signal came first
 * @drop: frees something now or when the device cannot reach it
 */
struct sdmdev_mode {
	u32 flag;
	bool is_direct;
	bool is_exclusive;
	bool has_static;
	int (*probe)(struct sdmdev_core *core, struct sdmdev_window *window);
	int (*attach)(struct sdmdev_space *space);
	void (*detach)(struct sdmdev_space *space);
	int (*bind)(struct sdmdev_queue *sq);
	int (*bind_pasid)(struct sdmdev_queue *sq);
	int (*share)(struct sdmdev_queue *sq, u64 first, u64 last, u32 flags);
	int (*unshare)(struct sdmdev_queue *sq, u64 first, u64 last);
	int (*quiesce)(struct sdmdev_queue *sq);
	void (*drop)(struct sdmdev_queue *sq, struct sdmdev_retired *retired);
};

/* In the order of preference. */
extern const struct sdmdev_mode sdmdev_mode_single;
extern const struct sdmdev_mode sdmdev_mode_mediated;
extern const struct sdmdev_mode sdmdev_mode_multi;
extern const struct sdmdev_mode sdmdev_mode_svm;

/* mode.c */
int sdmdev_mode_select(struct sdmdev_core *core, u32 flag); /* 0: the best; core->lock held */
void sdmdev_mode_detect(struct sdmdev_core *core);

/* mode_common.c */
int sdmdev_mode_not_offered(struct sdmdev_queue *sq);
int sdmdev_mode_no_share(struct sdmdev_queue *sq, u64 first, u64 last, u32 flags);
int sdmdev_mode_no_unshare(struct sdmdev_queue *sq, u64 first, u64 last);
int sdmdev_mode_nothing(struct sdmdev_queue *sq);
void sdmdev_mode_drop_isolated(struct sdmdev_queue *sq, struct sdmdev_retired *retired);

/* charge.c */
struct sdmdev_charge *sdmdev_charge(unsigned long pages);
void sdmdev_uncharge(struct sdmdev_charge *charge);
void sdmdev_charge_exit(void);

/* core.c */
void sdmdev_bus_register(struct sdmdev_bus *bus);
void sdmdev_bus_unregister(struct sdmdev_bus *bus);

/* bus.c */
extern struct sdmdev_bus sdmdev_own_bus;
int sdmdev_own_bus_init(void);
void sdmdev_own_bus_exit(void);

/* params.c */
int sdmdev_params_add(struct sdmdev_core *core); /* consumes core on failure */
void sdmdev_params_del(struct sdmdev_core *core);

/* queue.c */
int sdmdev_queue_available(struct sdmdev_core *core);
int sdmdev_queue_create(struct sdmdev_core *core, struct device *dev);
void sdmdev_queue_destroy(struct device *dev);
int sdmdev_queue_open(struct sdmdev_queue *sq);
void sdmdev_queue_close(struct sdmdev_queue *sq);
int sdmdev_queue_start(struct sdmdev_queue *sq);
int sdmdev_queue_stop(struct sdmdev_queue *sq);
int sdmdev_queue_reset(struct sdmdev_queue *sq);
int sdmdev_queue_unshare(struct sdmdev_queue *sq, u64 first, u64 last);
void sdmdev_queue_unmap(struct sdmdev_queue *sq, u64 first, u64 last);
void sdmdev_queue_want_removal(struct sdmdev_queue *sq, unsigned int count);
int sdmdev_queue_wait(struct sdmdev_queue *sq, unsigned long timeout_ms);
int sdmdev_queue_set_event(struct sdmdev_queue *sq, u32 irq, int fd);

/* drain.c */
#define SDMDEV_DRAIN_BREAK 0x1	 /* one that hangs is broken, and the function reset */
#define SDMDEV_DRAIN_IN_CALL 0x2 /* -ERESTARTNOINTR: a signal came first */
void sdmdev_drain_init(struct sdmdev_drain *drain);
int sdmdev_drain_look(struct sdmdev_queue *sq, struct sdmdev_drain *drain);
int sdmdev_drain_wait(struct sdmdev_queue *sq, u32 flags);

/* space.c */
struct sdmdev_space *sdmdev_space_get(struct sdmdev_queue *sq);
void sdmdev_space_put(struct sdmdev_space *space);
int sdmdev_space_share(struct sdmdev_queue *sq, u64 first, u64 last, u32 flags);
int sdmdev_space_unshare(struct sdmdev_queue *sq, u64 first, u64 last);
int sdmdev_space_window(struct sdmdev_core *core, struct iommu_domain *domain,
			struct sdmdev_window *window);
bool sdmdev_space_is_shared(struct sdmdev_queue *sq, u64 first, u64 last);
bool sdmdev_space_overlaps(struct sdmdev_queue *sq, u64 first, u64 last);
void sdmdev_space_hold(struct sdmdev_queue *sq);

/* gate.c */
struct sdmdev_gate *sdmdev_gate_alloc(void);
void sdmdev_gate_put(struct sdmdev_gate *gate);
void sdmdev_gate_enter(struct sdmdev_gate *gate);
bool sdmdev_gate_is_open(const struct sdmdev_gate *gate);
int sdmdev_gate_wait(struct sdmdev_gate *gate);

/* static.c */
int sdmdev_static_alloc(struct sdmdev_queue *sq, struct sdmdev_static *arg);
int sdmdev_static_free(struct sdmdev_queue *sq, u64 offset);
void sdmdev_static_free_all(struct sdmdev_queue *sq);
u64 sdmdev_static_max(void);

/* mediated.c */
long sdmdev_mediated_submit(struct sdmdev_queue *sq, const struct sdmdev_submit *arg);
long sdmdev_mediated_reap(struct sdmdev_queue *sq, const struct sdmdev_submit *arg);

/* vfio.c */
extern const struct vfio_device_ops sdmdev_vfio_ops;

#endif
