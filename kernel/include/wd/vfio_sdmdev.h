/* SPDX-License-Identifier: GPL-2.0-only */
/* What a hardware driver gives sdmdev, and gets from it. */
#ifndef _WD_VFIO_SDMDEV_H
#define _WD_VFIO_SDMDEV_H

#include <linux/device.h>
#include <linux/mutex.h>
#include <linux/vfio.h>
#include <linux/wait.h>
#include <wd/sdmdev.h>

struct vfio_sdmdev;
struct vfio_sdmdev_queue;

/* Device memory of a queue's region as its driver describes it. */
struct vfio_sdmdev_layout {
	phys_addr_t mmio;	/* page-aligned: doorbells of this queue */
	size_t mmio_len;	/* 0: no page of its own, requests are mediated */
	void *dus;		/* dma_alloc_coherent() memory of the rings and status page */
	dma_addr_t dus_dma;
	size_t dus_len;		/* whole pages, the last one is the status page; zeroed at open */
	u32 sqe_len;
	u32 sq_depth;
	u32 cq_depth;
	u32 number;
};

/* Entries since the start, both modulo a power of two that is more than can be in flight. */
struct vfio_sdmdev_position {
	u32 rung;
	u32 done; /* with all that was written for them */
	u32 modulus;
};

/**
 * struct vfio_sdmdev_ops - what sdmdev asks of a hardware driver
 *
 * All may sleep unless said otherwise. A queue's operations are serialised by its mutex but for
 * @is_q_updated and @mask_notify.
 *
 * @get_queue: reserves a hardware queue and allocates the queue object, at creation of the mediated
 *	device. It sets @sdmdev and @priv, sdmdev the rest. -EBUSY: none is free.
 * @put_queue: releases both, at its removal; the queue is stopped. Mandatory.
 * @describe: regions of the queue; valid from get_queue to put_queue.
 * @start_queue: programs the queue with q->pasid and its context. 0 or -errno.
 * @stop_queue: stops a queue that is drained, by @get_position. 0: no DMA of this queue is in
 *	flight nor will be until it is started again; -EBUSY: somebody rang since, it goes on;
 *	-EIO: that could not be made sure of, memory is quarantined until @reset succeeded.
 * @get_position: how far a started queue has come. 0, or -errno: it cannot be told. Nothing is in
 *	flight of a device that is gone.
 * @is_q_updated: has a completion arrived that the process has not taken? Atomic context.
 * @mask_notify: event_mask VFIO_SDMDEV_EVENT_Q_UPDATE lets completions call vfio_sdmdev_wake_up(),
 *	0 stops that; at any time, the queue may not be started. Atomic context. Does not call that
 *	itself.
 * @reset: resets the function; called when a queue could not be drained, with no queue's mutex
 *	held. sdmdev tells the queues before and after, as vfio_sdmdev_reset_begin() and _done() do.
 * @reset_queue: VFIO_DEVICE_RESET of one queue: stopped and initialised anew.
 * @ioctl: a command that sdmdev does not know; -ENOTTY. data: the _IOC_SIZE(cmd) bytes of its
 *	argument in kernel memory, copied from and to the process as _IOC_DIR(cmd) says.
 * @get_available_instances: free hardware queues.
 * @check_sqe: mediated mode: may this entry, in kernel memory, be executed for this queue? Every
 *	address field is checked by vfio_sdmdev_owns(). 0, -EINVAL, -EACCES. bytes: what the device
 *	reads and writes for it at most.
 * @submit: mediated mode: writes n checked entries and rings. Returns how many; -EAGAIN: full.
 * @reap: mediated mode: copies at most n finished entries. Returns how many; -EAGAIN: none.
 */
struct vfio_sdmdev_ops {
	int (*get_queue)(struct vfio_sdmdev *sdmdev, struct vfio_sdmdev_queue **q);
	void (*put_queue)(struct vfio_sdmdev_queue *q);
	void (*describe)(struct vfio_sdmdev_queue *q, struct vfio_sdmdev_layout *layout);
	int (*start_queue)(struct vfio_sdmdev_queue *q);
	int (*stop_queue)(struct vfio_sdmdev_queue *q);
	int (*get_position)(struct vfio_sdmdev_queue *q, struct vfio_sdmdev_position *pos);
	int (*is_q_updated)(struct vfio_sdmdev_queue *q);
	void (*mask_notify)(struct vfio_sdmdev_queue *q, int event_mask);
	int (*reset)(struct vfio_sdmdev *sdmdev);
	int (*reset_queue)(struct vfio_sdmdev_queue *q);
	int (*ioctl)(struct vfio_sdmdev_queue *q, unsigned int cmd, void *data);
	int (*get_available_instances)(struct vfio_sdmdev *sdmdev);
	int (*check_sqe)(struct vfio_sdmdev_queue *q, const void *sqe, u64 *bytes);
	int (*submit)(struct vfio_sdmdev_queue *q, const void *sqes, u32 n);
	int (*reap)(struct vfio_sdmdev_queue *q, void *sqes, u32 n);
};

#define VFIO_SDMDEV_EVENT_Q_UPDATE BIT(0)

/**
 * struct vfio_sdmdev - one accelerator function that offers queues
 * @name: driver and type, "hisi_zip"; part of the sysfs type directory
 * @algs: words, "zlib gzip deflate"
 * @api_ver: what the queues speak, HISI_QM_API_*
 * @dev: parent device
 * @ops: see there
 * @owner: module of @ops
 * @dma_flag: SDMDEV_DMA_* that hardware and driver can; sdmdev takes away what the platform cannot.
 *	The driver has set the DMA mask that vfio_sdmdev_dma_mask() gives. All but MEDIATED need an
 *	mmio page for each queue (SINGLE: for the function)
 * @is_vf: for sysfs
 * @priv: the driver's
 * @core: sdmdev's own
 */
struct vfio_sdmdev {
	const char *name;
	const char *algs;
	const char *api_ver;
	struct device *dev;
	const struct vfio_sdmdev_ops *ops;
	struct module *owner;
	u32 dma_flag;
	bool is_vf;
	void *priv;
	struct sdmdev_core *core;
};

/**
 * struct vfio_sdmdev_queue - a hardware queue behind a mediated device; allocated by get_queue
 * @sdmdev: its function
 * @mutex: serialises ops, state and memory of the queue
 * @wait: woken by vfio_sdmdev_wake_up()
 * @pasid: 0 or what start_queue programs
 * @priv: the driver's
 * @core: sdmdev's own
 */
struct vfio_sdmdev_queue {
	struct vfio_sdmdev *sdmdev;
	struct mutex mutex; /* state and memory of the queue */
	wait_queue_head_t wait;
	u32 pasid;
	void *priv;
	struct sdmdev_queue *core;
};

/* The mask for the DMA API, of at most those bits that the device has. */
u64 vfio_sdmdev_dma_mask(struct device *dev, u64 mask);
/* Before registering, with no lock held: waits for user space to load a module. */
void vfio_sdmdev_load_bus(void);
int vfio_sdmdev_register(struct vfio_sdmdev *sdmdev);
/* Returns when the last queue is closed and gone. */
void vfio_sdmdev_unregister(struct vfio_sdmdev *sdmdev);

/* Completions arrived: wakes WAIT and signals SDMDEV_IRQ_UPDATE. Any context. */
void vfio_sdmdev_wake_up(struct vfio_sdmdev_queue *q);

/*
 * The function failed or is being reset: every open queue becomes RESET (or DEAD). May sleep,
 * but waits for no user: neither this nor what comes after it takes a lock that a user's call may
 * hold while it sleeps, a queue's mutex among them. Calls no op but put_queue.
 */
void vfio_sdmdev_reset_begin(struct vfio_sdmdev *sdmdev, bool is_gone);
/* It works again: queues may be started, quarantined memory is freed. May sleep. */
void vfio_sdmdev_reset_done(struct vfio_sdmdev *sdmdev);

/*
 * Is [dma, dma + len) memory of this queue that the device may write (or only read)? q->mutex held.
 */
bool vfio_sdmdev_owns(struct vfio_sdmdev_queue *q, dma_addr_t dma, size_t len, bool is_write);

#endif
