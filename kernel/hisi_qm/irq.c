// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts: completions, asynchronous events, errors (hardware reference, chapters 9, 11, 14). */
#include <linux/interrupt.h>
#include "priv.h"

/*
 * An interrupt says that there is an event. After so many in a row without one the device and we do
 * not mean the same place of the ring.
 */
#define EMPTY_MAX 16
#define RESYNCS_MAX 32 /* a second */
#define EVENTS_FEW 16  /* of one queue in the ring; who is told of once has one */

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

/*
 * Device and driver begin both rings anew. That is no reset: nobody loses a request, and what was
 * in the rings is made up for by all who wait looking for themselves. Where it does not help, who
 * can write the rings, or fills them, loses his queues; where nobody does, it is the hardware.
 * events_lock held.
 */
static void resync(struct wd_qm *qm)
{
	int ret;

	/* A reset masked the device's interrupts, and will load the rings itself. */
	if (READ_ONCE(qm->state) != WD_QM_UP)
		return;
	wd_qm_count(qm, WD_QM_RESYNC);
	if (wd_qm_rate_exceeds(&qm->resyncs, RESYNCS_MAX, HZ) && !wd_qm_queues_forged(qm) &&
	    !wd_qm_queues_flooded(qm, EVENTS_FEW))
		ret = -EIO;
	else
		ret = wd_qm_hw_events(qm);
	if (ret == -ENODEV) {
		qm->report->gone(qm);
	} else if (ret) {
		wd_qm_hw_mask(qm);
		qm->report->reset_wanted(qm);
	}
	wd_qm_queues_look(qm);
}

/* One more interrupt that had nr events. true: the ring was loaded anew. */
static bool is_out_of_step(struct wd_qm *qm, struct wd_qm_events *events, u32 nr)
{
	if (nr) {
		events->empty_nr = 0;
		return false;
	}
	wd_qm_count(qm, WD_QM_IRQ_EMPTY);
	if (++events->empty_nr <= EMPTY_MAX)
		return false;
	resync(qm);
	return true;
}

/*
 * The device masks itself until the doorbell at the end, so nothing is to be done at once. With
 * thousands of waiters the rest takes milliseconds.
 */
static irqreturn_t eq_irq(int irq, void *data)
{
	wd_qm_count(data, WD_QM_IRQ_EQ);
	return IRQ_WAKE_THREAD;
}

static irqreturn_t eq_thread(int irq, void *data)
{
	struct wd_qm *qm = data;
	u32 event, nr = 0;

	mutex_lock(&qm->events_lock);
	while (nr < qm->eq.depth && event_next(&qm->eq, &event)) {
		wd_qm_queue_event(qm, event & WD_QM_EVENT_NUMBER);
		nr++;
	}
	atomic64_add(nr, &qm->counters[WD_QM_EVENT]);
	/* Lets the device interrupt again, at once if it has events behind this head. */
	if (!is_out_of_step(qm, &qm->eq, nr))
		wd_qm_ring_event(qm, WD_QM_DB_CMD_EQ, qm->eq.head);
	mutex_unlock(&qm->events_lock);
	return IRQ_HANDLED;
}

/* Events were lost, as the device says by one event, or where not even that had a place. */
void wd_qm_irq_flooded(struct wd_qm *qm)
{
	mutex_lock(&qm->events_lock);
	/* A queue whose process rings its doorbell again and again has them made without end. */
	wd_qm_queues_flooded(qm, qm->eq.depth / 8);
	resync(qm);
	mutex_unlock(&qm->events_lock);
}

static irqreturn_t aeq_thread(int irq, void *data)
{
	struct wd_qm *qm = data;
	bool is_overflow = false;
	u32 event, nr = 0;

	wd_qm_count(qm, WD_QM_IRQ_AEQ);
	mutex_lock(&qm->events_lock);
	while (nr < qm->aeq.depth && event_next(&qm->aeq, &event)) {
		u32 number = event & WD_QM_EVENT_NUMBER;
		u32 type = event >> WD_QM_EVENT_TYPE_SHIFT & WD_QM_EVENT_TYPE;

		dev_err_ratelimited(&qm->pdev->dev, "asynchronous event %u of queue %u\n", type,
				    number);
		switch (type) {
		case WD_QM_AEQE_CQ_OVERFLOW:
		case WD_QM_AEQE_CQE_ERROR:
			wd_qm_queue_broken(qm, number);
			break;
		case WD_QM_AEQE_EQ_OVERFLOW:
			is_overflow = true;
			break;
		}
		nr++;
	}
	if (!is_overflow && !is_out_of_step(qm, &qm->aeq, nr))
		wd_qm_ring_event(qm, WD_QM_DB_CMD_AEQ, qm->aeq.head);
	mutex_unlock(&qm->events_lock);
	if (is_overflow)
		wd_qm_irq_flooded(qm);
	return IRQ_HANDLED;
}

static irqreturn_t abnormal_irq(int irq, void *data)
{
	struct wd_qm *qm = data;

	wd_qm_count(qm, WD_QM_IRQ_ABNORMAL);
	qm->report->error(qm);
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
	ret = request_threaded_irq(pci_irq_vector(pdev, qm->irq_eq.vector), eq_irq, eq_thread, 0,
				   irq_name(qm), qm);
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

/* The state is not UP any more. On return no handler looks at the event rings, nor will. */
void wd_qm_irq_stop(struct wd_qm *qm)
{
	mutex_lock(&qm->events_lock);
	wd_qm_hw_mask(qm);
	mutex_unlock(&qm->events_lock);
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
