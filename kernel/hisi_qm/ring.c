// SPDX-License-Identifier: GPL-2.0-only
/* Both rings of a queue as the kernel sees them: what arrived, and mediated requests. */
#include "priv.h"

#define DEPTH HISI_QM_DEFAULT_DEPTH

static u8 *qp_entry(struct wd_qp *qp, u32 slot)
{
	return (u8 *)qp->dus.va + HISI_QM_SQ_OFFSET + slot * HISI_QM_SQE_SIZE;
}

static struct hisi_qm_cqe *qp_cq(struct wd_qp *qp)
{
	return (void *)((u8 *)qp->dus.va + HISI_QM_CQ_OFFSET(DEPTH));
}

/* Empty, as a start finds them. */
void wd_qm_rings_reset(struct wd_qp *qp)
{
	memset(qp_cq(qp), 0, DEPTH * sizeof(struct hisi_qm_cqe));
	spin_lock_irq(&qp->ring_lock);
	qp->is_mediated = false;
	qp->tail = 0;
	qp->head = 0;
	qp->phase = WD_QM_PHASE;
	qp->in_flight = 0;
	qp->reaped = 0;
	WRITE_ONCE(qp->is_broken, false);
	spin_unlock_irq(&qp->ring_lock);
}

/* Not started, the kernel does not ring for it: a doorbell of a block in reset is a bus error. */
void wd_qm_ring_allow(struct wd_qp *qp, bool is_started)
{
	spin_lock_irq(&qp->ring_lock);
	WRITE_ONCE(qp->is_started, is_started);
	spin_unlock_irq(&qp->ring_lock);
}

/* Of the entries that the kernel submitted. */
void wd_qm_ring_position(struct wd_qp *qp, struct vfio_sdmdev_position *pos)
{
	struct hisi_qm_cqe *cq = qp_cq(qp);
	u32 phase, head, nr;

	spin_lock_irq(&qp->ring_lock);
	phase = qp->phase;
	head = qp->head;
	for (nr = 0; nr < qp->in_flight; nr++) {
		if ((READ_ONCE(cq[head].phase) & WD_QM_PHASE) != phase)
			break;
		if (++head == DEPTH) {
			head = 0;
			phase ^= WD_QM_PHASE;
		}
	}
	pos->rung = qp->reaped + qp->in_flight;
	pos->done = qp->reaped + nr;
	spin_unlock_irq(&qp->ring_lock);
}

/*
 * A broken queue is always worth a look: the process finds the stop words, or a call's -EIO.
 * A process that has the rings does not tell the kernel how far it read: what counts is that an
 * entry arrived which no earlier call has seen. It may write its ring, so the walk is bounded.
 */
int wd_qm_ring_is_updated(struct wd_qp *qp)
{
	struct hisi_qm_cqe *cq = qp_cq(qp);
	unsigned long flags;
	int is_updated = READ_ONCE(qp->is_broken);

	spin_lock_irqsave(&qp->ring_lock, flags);
	for (u32 n = 0; n < DEPTH; n++) {
		if (qp->is_mediated && !qp->in_flight)
			break;
		if ((READ_ONCE(cq[qp->head].phase) & WD_QM_PHASE) != qp->phase)
			break;
		is_updated = 1;
		if (qp->is_mediated)
			break;
		if (++qp->head == DEPTH) {
			qp->head = 0;
			qp->phase ^= WD_QM_PHASE;
		}
	}
	spin_unlock_irqrestore(&qp->ring_lock, flags);
	return is_updated;
}

int wd_qm_ring_submit(struct wd_qp *qp, const void *sqes, u32 n)
{
	struct wd_qm *qm = qp->qm;
	bool is_started;
	u32 room;

	if (!READ_ONCE(qp->is_started))
		return READ_ONCE(qm->state) == WD_QM_GONE ? -ENODEV : -EIO;
	if (READ_ONCE(qp->is_broken))
		return -EIO;
	spin_lock_irq(&qp->ring_lock);
	qp->is_mediated = true;
	room = DEPTH - 1 - qp->in_flight;
	spin_unlock_irq(&qp->ring_lock);
	n = min(n, room);
	if (!n)
		return -EAGAIN;
	for (u32 i = 0; i < n; i++) {
		memcpy(qp_entry(qp, qp->tail), (const u8 *)sqes + i * HISI_QM_SQE_SIZE,
		       HISI_QM_SQE_SIZE);
		qp->tail = (qp->tail + 1) % DEPTH;
	}
	spin_lock_irq(&qp->ring_lock);
	is_started = qp->is_started;
	if (is_started) {
		qp->in_flight += n;
		wd_qm_ring(qm, qp->doorbell, qp->number, HISI_QM_DB_CMD_SQ, qp->tail, 0);
	}
	spin_unlock_irq(&qp->ring_lock);
	if (!is_started)
		return -EIO;
	atomic64_add(n, &qm->counters[WD_QM_SUBMITTED]);
	return n;
}

int wd_qm_ring_reap(struct wd_qp *qp, void *sqes, u32 n)
{
	struct wd_qm *qm = qp->qm;
	struct hisi_qm_cqe *cq = qp_cq(qp);
	int ret = READ_ONCE(qp->is_broken) ? -EIO : -EAGAIN;
	u32 nr = 0;

	spin_lock_irq(&qp->ring_lock);
	while (nr < n && qp->in_flight) {
		u32 slot;

		if ((READ_ONCE(cq[qp->head].phase) & WD_QM_PHASE) != qp->phase)
			break;
		/* The phase was written last: what it covers is read after it. */
		dma_rmb();
		/* In order by contract (chapter 9): a device that differs is broken. */
		slot = READ_ONCE(cq[qp->head].sq_head);
		if (slot != qp->head) {
			wd_qm_count(qm, WD_QM_CQE_BAD);
			ret = -EIO;
			break;
		}
		memcpy((u8 *)sqes + nr * HISI_QM_SQE_SIZE, qp_entry(qp, slot), HISI_QM_SQE_SIZE);
		if (++qp->head == DEPTH) {
			qp->head = 0;
			qp->phase ^= WD_QM_PHASE;
		}
		qp->in_flight--;
		qp->reaped++;
		nr++;
	}
	/* Armed again: a completion behind the head makes an event at once (chapter 11). */
	if (nr && qp->is_started)
		wd_qm_ring(qm, qp->doorbell, qp->number, HISI_QM_DB_CMD_CQ, qp->head, 1);
	spin_unlock_irq(&qp->ring_lock);
	atomic64_add(nr, &qm->counters[WD_QM_REAPED]);
	return nr ? nr : ret;
}

