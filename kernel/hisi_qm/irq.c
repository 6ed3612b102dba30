// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts: completions, asynchronous events, errors (hardware reference, chapters 9, 11, 14). */
#include <linux/interrupt.h>
#include "priv.h"

/* The device interrupts again at once while it has events; one that never shows any is broken. */
#define EMPTY_MAX 1024

/*
 * The next event, or false. The ring may be written by whoever makes the device write: nothing in
 * it is believed but the phase, and callers bound their turns by its depth.
 */
static bool event_next(struct wd_qm_events *events, u32 *event)
{
	u32 word = READ_ONCE(events->entries[events->head]);

	if (!!(word & WD_QM_EVENT_PHASE) != events->phase)
		return false;
	/* What the event tells of was written before it. */
	dma_rmb();
	if (++events->head == events->depth) {
		events->head = 0;
		events->phase ^= WD_QM_PHASE;
	}
	*event = word;
	return true;
}

static void want_reset(struct wd_qm *qm)
{
	WRITE_ONCE(qm->is_reset_wanted, true);
	if (!READ_ONCE(qm->is_removing))
		schedule_work(&qm->err_work);
}

static void event_completed(struct wd_qm *qm, u32 number)
{
	struct wd_qp *qp;
	unsigned long flags;

	spin_lock_irqsave(&qm->qp_lock, flags);
	qp = number < qm->qp_nr ? qm->qps[number] : NULL;
	/* A started queue is known to sdmdev; the event of another one is made up. */
	if (!qp || !READ_ONCE(qp->is_started))
		wd_qm_count(qm, WD_QM_EVENT_BAD);
	else if (READ_ONCE(qp->is_notified))
		vfio_sdmdev_wake_up(&qp->q);
	spin_unlock_irqrestore(&qm->qp_lock, flags);
}

static irqreturn_t eq_irq(int irq, void *data)
{
	struct wd_qm *qm = data;
	u32 event, nr = 0;

	wd_qm_count(qm, WD_QM_IRQ_EQ);
	while (nr < qm->eq.depth && event_next(&qm->eq, &event)) {
		event_completed(qm, event & WD_QM_EVENT_NUMBER);
		nr++;
	}
	atomic64_add(nr, &qm->counters[WD_QM_EVENT]);
	if (nr) {
		qm->empty_nr = 0;
	} else {
		wd_qm_count(qm, WD_QM_IRQ_EMPTY);
		if (++qm->empty_nr > EMPTY_MAX) {
			wd_qm_write(qm, QM_EQ_INT_MASK, 1);
			want_reset(qm);
			return IRQ_HANDLED;
		}
	}
	/* Lets the device interrupt again, at once if it has events behind this head. */
	wd_qm_ring(qm, wd_qm_event_doorbell(qm), 0, WD_QM_DB_CMD_EQ, qm->eq.head, 0);
	return IRQ_HANDLED;
}

static void queue_broken(struct wd_qm *qm, u32 number)
{
	struct wd_qp *qp;

	spin_lock_irq(&qm->qp_lock);
	qp = number < qm->qp_nr ? qm->qps[number] : NULL;
	if (qp && !READ_ONCE(qp->is_started))
		qp = NULL;
	if (qp) {
		WRITE_ONCE(qp->is_broken, true);
		wd_qm_queue_stop_words(qp, 1);
		vfio_sdmdev_wake_up(&qp->q);
	}
	spin_unlock_irq(&qm->qp_lock);
	wd_qm_count(qm, qp ? WD_QM_QUEUE_BROKEN : WD_QM_EVENT_BAD);
}

static irqreturn_t aeq_thread(int irq, void *data)
{
	struct wd_qm *qm = data;
	u32 event, nr = 0;

	wd_qm_count(qm, WD_QM_IRQ_AEQ);
	while (nr < qm->aeq.depth && event_next(&qm->aeq, &event)) {
		u32 number = event & WD_QM_EVENT_NUMBER;
		u32 type = event >> WD_QM_EVENT_TYPE_SHIFT & WD_QM_EVENT_TYPE;

		dev_err_ratelimited(&qm->pdev->dev, "asynchronous event %u of queue %u\n", type,
				    number);
		switch (type) {
		case WD_QM_AEQE_CQ_OVERFLOW:
		case WD_QM_AEQE_CQE_ERROR:
			queue_broken(qm, number);
			break;
		case WD_QM_AEQE_EQ_OVERFLOW:
			want_reset(qm);
			break;
		}
		nr++;
	}
	wd_qm_ring(qm, wd_qm_event_doorbell(qm), 0, WD_QM_DB_CMD_AEQ, qm->aeq.head, 0);
	return IRQ_HANDLED;
}

static irqreturn_t abnormal_irq(int irq, void *data)
{
	struct wd_qm *qm = data;

	wd_qm_count(qm, WD_QM_IRQ_ABNORMAL);
	if (!READ_ONCE(qm->is_removing))
		schedule_work(&qm->err_work);
	return IRQ_HANDLED;
}

static const char *irq_name(struct wd_qm *qm)
{
	return dev_name(&qm->pdev->dev);
}

int wd_qm_irq_init(struct wd_qm *qm)
{
	struct pci_dev *pdev = qm->pdev;
	u32 nr = roundup_pow_of_two(qm->vector_nr);
	int ret;

	/* MSI alone, and just that many: the device does not fold its vectors (chapter 2). */
	ret = pci_alloc_irq_vectors(pdev, nr, nr, PCI_IRQ_MSI);
	if (ret < 0) {
		pci_err(pdev, "%u MSI vectors are needed\n", nr);
		return ret;
	}
	ret = request_irq(pci_irq_vector(pdev, qm->irq_eq.vector), eq_irq, 0, irq_name(qm), qm);
	if (ret)
		goto free_vectors;
	if (qm->irq_aeq.is_present) {
		ret = request_threaded_irq(pci_irq_vector(pdev, qm->irq_aeq.vector), NULL,
					   aeq_thread, IRQF_ONESHOT, irq_name(qm), qm);
		if (ret)
			goto free_eq;
	}
	if (qm->irq_abnormal.is_present) {
		ret = request_irq(pci_irq_vector(pdev, qm->irq_abnormal.vector), abnormal_irq, 0,
				  irq_name(qm), qm);
		if (ret)
			goto free_aeq;
	}
	return 0;

free_aeq:
	if (qm->irq_aeq.is_present)
		free_irq(pci_irq_vector(pdev, qm->irq_aeq.vector), qm);
free_eq:
	free_irq(pci_irq_vector(pdev, qm->irq_eq.vector), qm);
free_vectors:
	pci_free_irq_vectors(pdev);
	return ret;
}

/* Masked at the device before: on return no handler looks at the event rings. */
void wd_qm_irq_sync(struct wd_qm *qm)
{
	synchronize_irq(pci_irq_vector(qm->pdev, qm->irq_eq.vector));
	if (qm->irq_aeq.is_present)
		synchronize_irq(pci_irq_vector(qm->pdev, qm->irq_aeq.vector));
}

void wd_qm_irq_fini(struct wd_qm *qm)
{
	struct pci_dev *pdev = qm->pdev;

	if (qm->irq_abnormal.is_present)
		free_irq(pci_irq_vector(pdev, qm->irq_abnormal.vector), qm);
	if (qm->irq_aeq.is_present)
		free_irq(pci_irq_vector(pdev, qm->irq_aeq.vector), qm);
	free_irq(pci_irq_vector(pdev, qm->irq_eq.vector), qm);
	pci_free_irq_vectors(pdev);
}
