/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* Share domain mediated devices: accelerator queues as VFIO devices. */
#ifndef _UAPI_WD_SDMDEV_H
#define _UAPI_WD_SDMDEV_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SDMDEV_CLASS_NAME "sdmdev"   /* /sys/class/sdmdev/<parent> */
#define SDMDEV_PARAMS_NAME "params"  /* attribute directory of the parent */
#define SDMDEV_IOMMU_TYPE 3	     /* VFIO_TYPE1v2_IOMMU: a driver may pin only there */

/*
 * How memory reaches the device; params/dma_flag has all a parent offers, dma_mode the one in
 * force.
 */
#define SDMDEV_DMA_SINGLE 0x1	    /* share domain of one process, device address = address */
#define SDMDEV_DMA_MULTI 0x2	    /* a PASID and page table for each process */
#define SDMDEV_DMA_SVM 0x4	    /* the whole address space, by PASID */
#define SDMDEV_DMA_SVM_NO_FAULT 0x8 /* the same, but pages must be present */
#define SDMDEV_DMA_PHY 0x10	    /* raw device addresses: trusted processes only */
#define SDMDEV_DMA_STATIC 0x20	    /* static region */
#define SDMDEV_DMA_MEDIATED 0x40    /* requests are checked and written by the kernel */

/* Regions of VFIO_DEVICE_GET_REGION_INFO; offsets are what that says. */
enum sdmdev_region {
	SDMDEV_REGION_MMIO,   /* doorbells of the queue; size 0 where requests are mediated */
	SDMDEV_REGION_DUS,    /* rings and status page; only the status page where mediated */
	SDMDEV_REGION_STATIC, /* memory of SDMDEV_CMD_SS_ALLOC */
	SDMDEV_REGIONS,
};

/* Events of VFIO_DEVICE_SET_IRQS: one eventfd each. */
enum sdmdev_irq {
	SDMDEV_IRQ_UPDATE, /* results arrived */
	SDMDEV_IRQ_ERROR,  /* the queue's state changed: reset, removal wanted, dead */
	SDMDEV_IRQS,
};

/* State of a queue, in its status page and in sdmdev_info. */
enum sdmdev_state {
	SDMDEV_STATE_INIT,  /* not started */
	SDMDEV_STATE_OK,
	SDMDEV_STATE_RESET, /* stopped by an error or reset; requests are lost, START again */
	SDMDEV_STATE_DEAD,  /* the device goes or is gone */
};

/*
 * The last page of SDMDEV_REGION_DUS. From its end are counted the two words of the ring interface
 * (HISI_QM_TX_STOP_FROM_END, HISI_QM_RX_STOP_FROM_END); these lie at its start. The kernel writes,
 * the process reads.
 */
struct sdmdev_status {
	__u32 state;	  /* enum sdmdev_state */
	__u32 generation; /* resets of the device */
	__u32 is_removal_wanted;
	__u32 reserved;
};

/*
 * Every call and mmap() fails with EPERM for another process than the one that opened the device, a
 * forked child included. A mapping is shared, and munmap()ped as a whole.
 */

/*
 * Waits for results. arg: milliseconds, 0 polls. 0, ETIMEDOUT, EINTR, ENODEV (dead), EIO (reset). 0
 * also where another thread was told of them since this one's last call: look before waiting again.
 */
#define VFIO_SDMDEV_CMD_WAIT _IO('W', 1)
/* Binds the process's address space (SDMDEV_DMA_SVM) before START. EOPNOTSUPP in other modes. */
#define VFIO_SDMDEV_CMD_BIND_PASID _IO('W', 2)

struct sdmdev_info {
	__u32 argsz; /* in: size; out: size that all of it needs */
	__u32 flags; /* 0 */
	__u32 dma_mode; /* the SDMDEV_DMA_* in force for this queue */
	__u32 pasid; /* 0: none */
	__u32 sqe_len;
	__u32 sq_depth;
	__u32 cq_depth;
	__u32 number; /* of the queue, for doorbells */
	__u32 state;
	__u32 generation;
	__u64 aperture_start; /* largest range of addresses that SHARE accepts: first and last */
	__u64 aperture_end;   /* 0, 0: none */
	__u64 static_max; /* bytes of static memory this queue may have */
	__u32 static_slices_max;
	__u32 ranges_max; /* of SHARE */
	char api[32]; /* "hisi_qm_v2" */
};
#define SDMDEV_CMD_GET_INFO _IOWR('W', 0x10, struct sdmdev_info)

/*
 * Starts the queue after its context was set (HISI_QM_CMD_SET_QP_CTX). EBUSY: is started; EIO: the
 * function is being reset, or could not be; ENODEV: dead.
 */
#define SDMDEV_CMD_START _IO('W', 0x11)
/*
 * Drains it, which takes as long as its requests do, and stops it; its memory stays. 0; EIO: it
 * hangs, memory is quarantined; EBUSY: somebody rings on, it is not stopped.
 */
#define SDMDEV_CMD_STOP _IO('W', 0x12)

/*
 * Lets the device reach [va, va + len), whole pages inside one VFIO_IOMMU_MAP_DMA range whose iova
 * is va. EBUSY: another process shares with this device; EADDRINUSE: another queue has the address;
 * EEXIST: overlaps a range of this queue; ERANGE: outside the aperture; ENOMEM: RLIMIT_MEMLOCK or
 * ranges_max; EOPNOTSUPP: this mode has no sharing.
 */
struct sdmdev_share {
	__u32 argsz;
	__u32 flags; /* SDMDEV_SHARE_READ_ONLY */
	__u64 va;
	__u64 len;
};
#define SDMDEV_SHARE_READ_ONLY 0x1 /* the device only reads it */
#define SDMDEV_CMD_SHARE _IOW('W', 0x13, struct sdmdev_share)
/*
 * The reverse, of exactly one shared range: waits until what was rung before this call is finished,
 * then unmaps and unpins. Requests rung later may not name it. ENOENT.
 */
#define SDMDEV_CMD_UNSHARE _IOW('W', 0x14, struct sdmdev_share)

/* Adds a slice of at least len bytes to the static region: mmap it at offset + the region's. */
struct sdmdev_static {
	__u32 argsz;
	__u32 flags;  /* 0 */
	__u64 len;    /* in and out: whole pages */
	__u64 offset; /* out (ALLOC), in (FREE): within the region */
	__u64 dma;    /* out: the device's address */
};
#define SDMDEV_CMD_SS_ALLOC _IOWR('W', 0x15, struct sdmdev_static)
/*
 * EBUSY: it is mapped, or may be in use: requests in flight could not be drained, or, with
 * SDMDEV_DMA_SINGLE, a queue of the function is started. ENOENT.
 */
#define SDMDEV_CMD_SS_FREE _IOWR('W', 0x16, struct sdmdev_static)

/*
 * Mediated: count entries of sqe_len bytes at ptr are checked, then written. Every address in them
 * is a device address of static memory of this queue. Returns how many were accepted: fewer than
 * count when the ring is full, enough bytes are in flight, or the next one is refused; none: EAGAIN
 * (full, enough), EINVAL (also: not
 * started), EFAULT, EACCES (an address is not the queue's), EIO (reset), ENODEV (dead).
 */
struct sdmdev_submit {
	__u32 argsz;
	__u32 flags; /* 0 */
	__u64 ptr;
	__u32 count;
	__u32 reserved;
};
#define SDMDEV_CMD_SUBMIT _IOW('W', 0x17, struct sdmdev_submit)
/*
 * Mediated: takes at most count finished entries, as the device wrote them back, in their order, to
 * ptr. Returns how many; EAGAIN: none.
 */
#define SDMDEV_CMD_REAP _IOW('W', 0x18, struct sdmdev_submit)

#endif
