/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the queue manager share. */
#ifndef WD_QM_PRIV_H
#define WD_QM_PRIV_H

#include <wd/wd_qm.h>
#include "pack.h"
#include "regs.h"

#define WD_QM_VF_MAX 63

/*
 * One hardware queue. Rings and status page are one block of memory that a process has mapped or,
 * mediated, the kernel alone writes.
 */
struct wd_qp {
	struct vfio_sdmdev_queue q;
	struct wd_qm *qm;
	struct list_head link; /* quarantine; qm->lock */
	struct wd_qm_mem dus;
	void __iomem *doorbell;
	void __iomem *own_page; /* mapping behind doorbell, where it is this queue's alone */
	u16 number;
	u16 type;	   /* q.mutex */
	bool is_started;   /* qm->lock; q.mutex too but for a reset */
	bool is_undrained; /* qm->lock: the device may still write */
	bool is_notified;  /* one word, no lock; as is the next */
	bool is_broken;    /* by an asynchronous event: nothing completes until a new start */

	spinlock_t ring_lock; /* head, phase, is_mediated, in_flight */
	bool is_mediated;     /* the kernel itself submitted since the start */
	u32 tail;	      /* q.mutex */
	u32 in_flight;
	u32 reaped; /* since the start */
	u32 head;  /* next completion: of reap, or of is_q_updated where a process has the rings */
	u32 phase;
};

/* hw.c: all but the first three want qm->lock */
bool wd_qm_is_gone(struct wd_qm *qm);
int wd_qm_mbox(struct wd_qm *qm, enum wd_qm_mbox_cmd cmd, u16 number, dma_addr_t dma, bool is_read,
	       u64 *data);
int wd_qm_mbox_ctx(struct wd_qm *qm, enum wd_qm_mbox_cmd cmd, u16 number, void *ctx, bool is_read);
int wd_qm_set_vft(struct wd_qm *qm, u32 function, u32 base, u32 nr);
int wd_qm_hw_init(struct wd_qm *qm);
int wd_qm_hw_start(struct wd_qm *qm);
void wd_qm_hw_stop(struct wd_qm *qm);
int wd_qm_hw_halt(struct wd_qm *qm);
void wd_qm_hw_release(struct wd_qm *qm);
void wd_qm_err_enable(struct wd_qm *qm);
void wd_qm_err_disable(struct wd_qm *qm);
void wd_qm_ring(struct wd_qm *qm, void __iomem *addr, u16 number, u16 cmd, u16 index, u16 priority);
void __iomem *wd_qm_event_doorbell(struct wd_qm *qm);

/* queue.c */
extern const struct vfio_sdmdev_ops wd_qm_sdmdev_ops;
bool wd_qm_has_doorbell_page(struct wd_qm *qm);
void wd_qm_queue_stop_words(struct wd_qp *qp, u32 value);
void wd_qm_queues_lost(struct wd_qm *qm);
void wd_qm_queues_safe(struct wd_qm *qm);

/* irq.c */
int wd_qm_irq_init(struct wd_qm *qm);
void wd_qm_irq_sync(struct wd_qm *qm);
void wd_qm_irq_fini(struct wd_qm *qm);

/* reset.c */
extern struct mutex wd_qm_list_lock;
extern struct list_head wd_qm_list;
int wd_qm_reset_quietly(struct wd_qm *qm);
void wd_qm_noticed_gone(struct wd_qm *qm);
void wd_qm_set_gone(struct wd_qm *qm);
void wd_qm_quiesce(struct wd_qm *qm);
void wd_qm_err_work(struct work_struct *work);

/* debugfs.c */
void wd_qm_debugfs_init(void);
void wd_qm_debugfs_fini(void);
void wd_qm_debugfs_add(struct wd_qm *qm);
void wd_qm_debugfs_del(struct wd_qm *qm);

#endif
