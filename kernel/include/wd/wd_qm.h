/* SPDX-License-Identifier: GPL-2.0-only */
/* The queue manager as the driver of an engine behind it sees it. */
#ifndef _WD_WD_QM_H
#define _WD_WD_QM_H

#include <linux/io.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/workqueue.h>
#include <wd/hisi_qm.h>
#include <wd/vfio_sdmdev.h>

struct wd_qm;
struct wd_qm_report;
struct wd_qp;

/* A number that later hardware tells and V1 and V2 have built in (chapter 5). */
struct wd_qm_cap {
	u32 offset;
	u32 v1;
	u32 v2;
	u32 v3; /* where the capability version is 0 */
};

typedef bool (*wd_qm_owns_fn)(void *arg, u64 addr, u64 len, bool is_write);

/**
 * struct wd_qm_engine - what is behind the queues; the register hooks are called on the PF alone
 * @name: of the driver; part of the sysfs type directory
 * @owner: module that an open queue keeps loaded
 * @type_nr: algorithm types that a queue may have
 * @ecc_bits: errors of @err_status that on V2 are ECC errors of two bits
 * @reset_method: of the firmware, four letters
 * @refusals: names of the reasons for which @check_sqe refuses, in its numbering; [0] is unused
 * @refusal_nr: of @refusals, at most WD_QM_REFUSALS
 * @caps: reads capabilities, sets sdmdev.algs; of each function
 * @hw_init: programs the engine after its registers were reset
 * @hw_fini: before a reset or the end: nothing is fetched ahead any more
 * @err_enable: clears, then reports errors
 * @err_disable: the reverse
 * @err_status: pending errors; *is_reset: of those that need a reset
 * @err_clear: forgets @status
 * @err_axi: whether errors of the bus are reported: not while virtual functions are not back yet
 * @ecc_raise: V2, the queue manager alone saw an ECC error: raises the engine's, which shuts its
 *	way to memory
 * @master_open: lets the engine issue transactions again after an error stopped it
 * @sqe_bytes: what the device reads and writes at most for an entry that was checked
 * @check_sqe: 0 or a reason; sets *is_reach when it is an address that is not the queue's
 */
struct wd_qm_engine {
	const char *name;
	struct module *owner;
	u32 type_nr;
	u32 ecc_bits;
	const char *reset_method;
	const char *const *refusals;
	u32 refusal_nr;
	int (*caps)(struct wd_qm *qm);
	int (*hw_init)(struct wd_qm *qm);
	void (*hw_fini)(struct wd_qm *qm);
	void (*err_enable)(struct wd_qm *qm);
	void (*err_disable)(struct wd_qm *qm);
	u32 (*err_status)(struct wd_qm *qm, bool *is_reset);
	void (*err_clear)(struct wd_qm *qm, u32 status);
	void (*err_axi)(struct wd_qm *qm, bool is_reported);
	void (*ecc_raise)(struct wd_qm *qm);
	void (*master_open)(struct wd_qm *qm);
	u64 (*sqe_bytes)(const void *sqe);
	int (*check_sqe)(struct wd_qm *qm, u32 type, const void *sqe, wd_qm_owns_fn owns, void *arg,
			 bool *is_reach);
};

#define WD_QM_REFUSALS 16

enum wd_qm_state {
	WD_QM_DOWN, /* not started, being reset, or its reset failed */
	WD_QM_UP,
	WD_QM_GONE,
};

enum wd_qm_counter {
	WD_QM_IRQ_EQ,
	WD_QM_IRQ_AEQ,
	WD_QM_IRQ_ABNORMAL,
	WD_QM_IRQ_EMPTY,	/* no event was there */
	WD_QM_EVENT,
	WD_QM_EVENT_BAD,	/* names no queue that is open */
	WD_QM_RESYNC,		/* of the event rings */
	WD_QM_MBOX,
	WD_QM_MBOX_FAILED,
	WD_QM_CTX_BAD,		/* somebody else wrote where contexts are exchanged */
	WD_QM_RESET,
	WD_QM_RESET_FAILED,
	WD_QM_QUEUE_STARTED,
	WD_QM_QUEUE_UNDRAINED,
	WD_QM_QUEUE_BROKEN,	/* by an asynchronous event, or as a penalty */
	WD_QM_CQE_BAD,		/* mediated */
	WD_QM_SUBMITTED,	/* mediated */
	WD_QM_REAPED,		/* mediated */
	WD_QM_COUNTERS,
};

/* A ring that the device fills. */
struct wd_qm_events {
	u32 *entries;
	dma_addr_t dma;
	u32 depth;
	u32 head;
	u32 phase;
	u32 empty_nr; /* interrupts in a row that had no event */
};

/* Something that may happen so often within a while, and no more. */
struct wd_qm_rate {
	unsigned long since; /* jiffies */
	u32 nr;
};

/* Resets that errors of the hardware asked for, within the last hour. */
struct wd_qm_isolate {
	struct mutex lock; /* innermost */
	struct list_head errors;
	u32 nr;
	u32 strategy; /* so many are borne; 0: any number */
	bool is_isolated;
};

/* A block of memory that the device reaches: whole pages, as a process may have it written. */
struct wd_qm_mem {
	void *va;
	dma_addr_t dma;
	size_t len;
};

struct wd_qm_irq {
	u16 vector;
	bool is_present;
};

struct wd_qm {
	struct pci_dev *pdev;
	const struct wd_qm_engine *engine;
	struct vfio_sdmdev sdmdev;
	struct list_head link; /* of all functions; wd_qm_list_lock */
	void __iomem *io;
	phys_addr_t io_phys;
	phys_addr_t db_phys; /* of the isolated doorbells, or 0 */
	u32 version;	     /* enum wd_qm_version */
	bool is_vf;

	/* capabilities */
	u32 cap_version;
	u32 cap_flags;
	struct wd_qm_irq irq_eq, irq_aeq, irq_abnormal;
	u32 vector_nr;
	u32 err_nfe, err_ce, err_reset, err_shutdown;
	u32 qp_total, qp_max; /* of the controller, of one function */
	u32 qp_nr;	      /* of this function */
	u32 vf_nr;

	/*
	 * state, used, quarantine, vf_nr, generation; of queues: is_started, is_stopping,
	 * is_undrained, penalty
	 */
	struct mutex lock;
	enum wd_qm_state state; /* read without the lock where being late does no harm */
	u32 generation;		/* one more with each loss of all queues */
	unsigned long *used;
	struct list_head quarantine; /* queues that were released undrained */

	struct mutex qp_lock; /* qps: a queue in it is alive while this is held */
	struct wd_qp **qps;

	struct mutex mbox_lock; /* mailbox, ctx, is_mbox_shut */
	struct wd_qm_mem ctx;
	u8 *ctx_copy;
	bool is_mbox_shut;

	struct wd_qm_mem rings; /* both event rings and both base tables, each on its own pages */
	struct wd_qm_mem park;	/* one page, see wd_qm_sqc_park() */
	struct mutex events_lock; /* eq, aeq, resyncs, and their masks at the device */
	struct wd_qm_events eq, aeq;
	struct wd_qm_rate resyncs;
	void *sqc_table, *cqc_table;
	dma_addr_t sqc_dma, cqc_dma;

	const struct wd_qm_report *report;
	struct vfio_sdmdev_ops ops;
	struct work_struct err_work;
	bool is_reset_wanted;
	bool is_removing;
	bool has_ecc;	   /* V2, in a reset because of it; as the rest wd_qm_list_lock */
	bool is_known;	   /* by sdmdev */
	u32 lent_nr;	   /* to who resets it, has taken its power or shuts it down */
	bool is_reset_due; /* AER is one of them, and so far only stopped it */
	struct wd_qm_isolate isolate;
	atomic64_t counters[WD_QM_COUNTERS];
	atomic64_t refused[WD_QM_REFUSALS];
	struct dentry *debugfs;
};

static inline u32 wd_qm_read(struct wd_qm *qm, u32 offset)
{
	return readl(qm->io + offset);
}

static inline void wd_qm_write(struct wd_qm *qm, u32 offset, u32 value)
{
	writel(value, qm->io + offset);
}

static inline void wd_qm_update(struct wd_qm *qm, u32 offset, u32 clear, u32 set)
{
	wd_qm_write(qm, offset, (wd_qm_read(qm, offset) & ~clear) | set);
}

static inline void wd_qm_count(struct wd_qm *qm, enum wd_qm_counter counter)
{
	atomic64_inc(&qm->counters[counter]);
}

/* The function's own value of a capability. */
u32 wd_qm_cap(struct wd_qm *qm, const struct wd_qm_cap *cap);

/* Waits until (register & mask) == value: 0, -ETIMEDOUT, -ENODEV when it reads all ones. */
int wd_qm_poll(struct wd_qm *qm, u32 offset, u32 mask, u32 value, u32 timeout_us);

/* A probe and its reverse; queue_nr: of a PF, as the administrator wishes. */
int wd_qm_probe(struct pci_dev *pdev, const struct wd_qm_engine *engine, bool is_vf, u32 queue_nr);
void wd_qm_remove(struct pci_dev *pdev);
void wd_qm_shutdown(struct pci_dev *pdev);
int wd_qm_sriov_configure(struct pci_dev *pdev, int vf_nr);
extern const struct pci_error_handlers wd_qm_err_handlers;
extern const struct dev_pm_ops wd_qm_pm_ops;
/* Attributes of the function, for dev_groups of the PCI driver's struct device_driver. */
extern const struct attribute_group *wd_qm_groups[];

#endif
