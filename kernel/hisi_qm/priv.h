/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the queue manager share. They are layers, and call downwards only; upwards goes
 * struct wd_qm_report.
 *
 *	probe vfs debugfs	functions come and go
 *	handlers		the PCI core's calls: AER, FLR, power
 *	reset isolate		the tree of functions and the list of them
 *	irq			events
 *	queue drain ring	queue pairs
 *	hw errors		sequences of registers and commands
 *	io pack.h regs.h	registers, the mailbox, doorbells
 */
#ifndef WD_QM_PRIV_H
#define WD_QM_PRIV_H

#include <wd/wd_qm.h>
#include "pack.h"
#include "regs.h"

#define WD_QM_VF_MAX 63
#define WD_QM_CTX_AREA 4096

/**
 * struct wd_qm_report - what the lower layers find out and cannot deal with; in any context
 * @gone: the device does not answer any more
 * @reset_wanted: nothing less helps
 * @error: the hardware latched an error, of whatever kind
 */
struct wd_qm_report {
	void (*gone)(struct wd_qm *qm);
	void (*reset_wanted)(struct wd_qm *qm);
	void (*error)(struct wd_qm *qm);
};

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
	struct mutex mutex; /* start and stop, which may take a while: no reset takes it */
	u16 type;	    /* q.mutex */
	bool is_started;    /* changes under qm->lock and ring_lock */
	bool is_stopping;   /* qm->lock: not started any more, and not yet known to be at rest */
	bool is_undrained;  /* qm->lock: the device may still write */
	bool is_notified;   /* one word, no lock; as is the next */
	bool is_broken;	    /* nothing completes until a new start */
	struct wd_qm_rate troubles; /* qp_lock; as is the next */
	u32 events_nr;		    /* of a flood */
	struct delayed_work quiet_work;
	bool is_behind; /* one word, no lock: at the last look it was not drained */

	spinlock_t ring_lock; /* head, phase, is_mediated, in_flight */
	bool is_mediated;     /* the kernel itself submitted since the start */
	u32 tail;	      /* q.mutex */
	u32 in_flight;
	u32 reaped; /* since the start */
	u32 head;  /* next completion: of reap, or of is_q_updated where a process has the rings */
	u32 phase;
};

/* io.c */
bool wd_qm_is_gone(struct wd_qm *qm);
int wd_qm_mbox(struct wd_qm *qm, enum wd_qm_mbox_cmd cmd, u16 number, dma_addr_t dma);
int wd_qm_mbox_get(struct wd_qm *qm, enum wd_qm_mbox_cmd cmd, u64 *data);
int wd_qm_mbox_load(struct wd_qm *qm, enum wd_qm_mbox_cmd cmd, u16 number, const void *ctx);
int wd_qm_mbox_dump(struct wd_qm *qm, enum wd_qm_mbox_cmd cmd, u16 number, void *ctx);
void wd_qm_mbox_shut(struct wd_qm *qm, bool is_shut);
void wd_qm_ring(struct wd_qm *qm, void __iomem *addr, u16 number, u16 cmd, u16 index, u16 priority);
void wd_qm_ring_event(struct wd_qm *qm, u16 cmd, u16 index);
bool wd_qm_rate_exceeds(struct wd_qm_rate *rate, u32 max, unsigned long period);

/* hw.c: want qm->lock, but for those of events */
int wd_qm_set_vft(struct wd_qm *qm, u32 function, u32 base, u32 nr);
int wd_qm_hw_init(struct wd_qm *qm);
int wd_qm_hw_start(struct wd_qm *qm);
void wd_qm_hw_mask(struct wd_qm *qm);
int wd_qm_hw_events(struct wd_qm *qm);
void wd_qm_hw_stop(struct wd_qm *qm);
void wd_qm_hw_abandon(struct wd_qm *qm);
int wd_qm_hw_halt(struct wd_qm *qm);
void wd_qm_hw_release(struct wd_qm *qm);
int wd_qm_hw_reach(struct wd_qm *qm);
int wd_qm_hw_vf_memory(struct wd_qm *qm, bool is_on);
int wd_qm_hw_msi_off(struct wd_qm *qm);

/* errors.c */
void wd_qm_err_enable(struct wd_qm *qm);
void wd_qm_err_settled(struct wd_qm *qm);
void wd_qm_err_disable(struct wd_qm *qm);
bool wd_qm_err_is_latched(struct wd_qm *qm);
bool wd_qm_err_look(struct wd_qm *qm, bool *is_flooded);
void wd_qm_err_ecc(struct wd_qm *qm);

/* ring.c */
void wd_qm_ring_allow(struct wd_qp *qp, bool is_started);
void wd_qm_rings_reset(struct wd_qp *qp);
void wd_qm_ring_position(struct wd_qp *qp, struct vfio_sdmdev_position *pos);
int wd_qm_ring_is_updated(struct wd_qp *qp);
int wd_qm_ring_submit(struct wd_qp *qp, const void *sqes, u32 n);
int wd_qm_ring_reap(struct wd_qp *qp, void *sqes, u32 n);

/* drain.c */
int wd_qm_position(struct wd_qp *qp, struct vfio_sdmdev_position *pos);
int wd_qm_disable(struct wd_qp *qp);

/* queue.c */
extern const struct vfio_sdmdev_ops wd_qm_queue_ops;
bool wd_qm_has_doorbell_page(struct wd_qm *qm);
void wd_qm_queue_event(struct wd_qm *qm, u32 number);
void wd_qm_queue_broken(struct wd_qm *qm, u32 number);
bool wd_qm_queues_flooded(struct wd_qm *qm, u32 few);
bool wd_qm_queues_forged(struct wd_qm *qm);
void wd_qm_queues_look(struct wd_qm *qm);
void wd_qm_queues_hang(struct wd_qm *qm);
bool wd_qm_queues_are_idle(struct wd_qm *qm);
void wd_qm_queues_lost(struct wd_qm *qm);
void wd_qm_queues_safe(struct wd_qm *qm);

/* irq.c */
int wd_qm_irq_init(struct wd_qm *qm);
void wd_qm_irq_flooded(struct wd_qm *qm);
void wd_qm_irq_stop(struct wd_qm *qm);
void wd_qm_irq_fini(struct wd_qm *qm);

static inline bool wd_qm_is_isolated(struct wd_qm *qm)
{
	return READ_ONCE(qm->isolate.is_isolated);
}

/* isolate.c */
void wd_qm_isolate_init(struct wd_qm *qm);
void wd_qm_isolate_fini(struct wd_qm *qm);
void wd_qm_isolate_count(struct wd_qm *qm);
void wd_qm_isolate_set(struct wd_qm *qm, bool is_isolated);

/* reset.c; tree_: a function and, of a PF, its VFs */
extern const struct wd_qm_report wd_qm_report;
int wd_qm_tree_enter(struct wd_qm *qm);
int wd_qm_tree_join(struct wd_qm *qm);
void wd_qm_tree_leave(struct wd_qm *qm);
bool wd_qm_tree_is_idle(struct wd_qm *pf);
bool wd_qm_tree_look(struct wd_qm *qm);
int wd_qm_tree_fresh(struct wd_qm *qm);
void wd_qm_tree_gone(struct wd_qm *qm);
void wd_qm_tree_lend(struct wd_qm *qm);
int wd_qm_tree_give_back(struct wd_qm *qm, bool is_reset_needed);
void wd_qm_tree_shut(struct wd_qm *qm);
void wd_qm_tree_stop(struct wd_qm *qm, bool is_reachable);
int wd_qm_tree_repair(struct wd_qm *qm);
void wd_qm_tree_resume(struct wd_qm *qm);
void wd_qm_stop(struct wd_qm *qm);
int wd_qm_reset_op(struct vfio_sdmdev *sdmdev);
void wd_qm_err_work(struct work_struct *work);

/* debugfs.c */
void wd_qm_debugfs_init(void);
void wd_qm_debugfs_fini(void);
void wd_qm_debugfs_add(struct wd_qm *qm);
void wd_qm_debugfs_del(struct wd_qm *qm);

#endif
