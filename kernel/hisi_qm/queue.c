// SPDX-License-Identifier: GPL-2.0-only
/* A queue pair as sdmdev drives it: its memory, start, drain and stop, and mediated submission. */
#include <linux/dma-mapping.h>
#include <linux/slab.h>
#include "priv.h"

#define DEPTH HISI_QM_DEFAULT_DEPTH

static struct wd_qp *to_qp(struct vfio_sdmdev_queue *q)
{
	return container_of(q, struct wd_qp, q);
}

static u8 *qp_entry(struct wd_qp *qp, u32 slot)
{
	return (u8 *)qp->dus.va + HISI_QM_SQ_OFFSET + slot * HISI_QM_SQE_SIZE;
}

static struct hisi_qm_cqe *qp_cq(struct wd_qp *qp)
{
	return (void *)((u8 *)qp->dus.va + HISI_QM_CQ_OFFSET(DEPTH));
}

/* May be called for a queue in whatever state: these words are no ring. */
void wd_qm_queue_stop_words(struct wd_qp *qp, u32 value)
{
	u8 *end = (u8 *)qp->dus.va + qp->dus.len;

	WRITE_ONCE(*(u32 *)(end - HISI_QM_TX_STOP_FROM_END), value);
	WRITE_ONCE(*(u32 *)(end - HISI_QM_RX_STOP_FROM_END), value);
}

/* V1 has its doorbell beside the mailbox, V2 one page of 4 KiB for all queues (chapter 21). */
bool wd_qm_has_doorbell_page(struct wd_qm *qm)
{
	return qm->db_phys || (qm->version != WD_QM_V1 && PAGE_SIZE == SZ_4K);
}

static int map_doorbell(struct wd_qp *qp)
{
	struct wd_qm *qm = qp->qm;

	if (!qm->db_phys) {
		qp->doorbell = qm->io + (qm->version == WD_QM_V1 ? QM_DB_V1 : QM_DB_SQ_CQ);
		return 0;
	}
	qp->own_page = ioremap(qm->db_phys + (phys_addr_t)qp->number * QM_DB_INTERVAL,
			       QM_DB_INTERVAL);
	if (!qp->own_page)
		return -ENOMEM;
	qp->doorbell = qp->own_page + QM_DB_SQ_CQ;
	return 0;
}

static void qp_free(struct wd_qp *qp)
{
	struct wd_qm *qm = qp->qm;

	if (qp->own_page)
		iounmap(qp->own_page);
	dma_free_coherent(&qm->pdev->dev, qp->dus.len, qp->dus.va, qp->dus.dma);
	clear_bit(qp->number, qm->used);
	kfree(qp);
}

static int get_queue(struct vfio_sdmdev *sdmdev, struct vfio_sdmdev_queue **q)
{
	struct wd_qm *qm = sdmdev->priv;
	struct wd_qp *qp;
	unsigned long number;
	int ret;

	qp = kzalloc(sizeof(*qp), GFP_KERNEL);
	if (!qp)
		return -ENOMEM;
	qp->qm = qm;
	qp->q.sdmdev = sdmdev;
	qp->q.priv = qp;
	qp->is_notified = true;
	INIT_LIST_HEAD(&qp->link);
	spin_lock_init(&qp->ring_lock);

	mutex_lock(&qm->lock);
	number = find_first_zero_bit(qm->used, qm->qp_nr);
	if (number < qm->qp_nr)
		set_bit(number, qm->used);
	mutex_unlock(&qm->lock);
	if (number >= qm->qp_nr) {
		ret = -EBUSY;
		goto free_qp;
	}
	qp->number = number;

	qp->dus.len = PAGE_ALIGN(HISI_QM_CQ_OFFSET(DEPTH) + DEPTH * sizeof(struct hisi_qm_cqe)) +
		      PAGE_SIZE;
	qp->dus.va = dma_alloc_coherent(&qm->pdev->dev, qp->dus.len, &qp->dus.dma, GFP_KERNEL);
	if (!qp->dus.va) {
		ret = -ENOMEM;
		goto clear_used;
	}
	ret = map_doorbell(qp);
	if (ret)
		goto free_dus;

	spin_lock_irq(&qm->qp_lock);
	qm->qps[number] = qp;
	spin_unlock_irq(&qm->qp_lock);
	*q = &qp->q;
	return 0;

free_dus:
	dma_free_coherent(&qm->pdev->dev, qp->dus.len, qp->dus.va, qp->dus.dma);
clear_used:
	clear_bit(number, qm->used);
free_qp:
	kfree(qp);
	return ret;
}

static void put_queue(struct vfio_sdmdev_queue *q)
{
	struct wd_qp *qp = to_qp(q);
	struct wd_qm *qm = qp->qm;

	spin_lock_irq(&qm->qp_lock);
	qm->qps[qp->number] = NULL;
	spin_unlock_irq(&qm->qp_lock);

	mutex_lock(&qm->lock);
	if (qp->is_undrained)
		list_add(&qp->link, &qm->quarantine);
	else
		qp_free(qp);
	mutex_unlock(&qm->lock);
}

static void describe(struct vfio_sdmdev_queue *q, struct vfio_sdmdev_layout *layout)
{
	struct wd_qp *qp = to_qp(q);
	struct wd_qm *qm = qp->qm;

	*layout = (struct vfio_sdmdev_layout){
		.dus = qp->dus.va,
		.dus_dma = qp->dus.dma,
		.dus_len = qp->dus.len,
		.sqe_len = HISI_QM_SQE_SIZE,
		.sq_depth = DEPTH,
		.cq_depth = DEPTH,
		.number = qp->number,
	};
	if (!wd_qm_has_doorbell_page(qm))
		return;
	if (qm->db_phys) {
		layout->mmio = qm->db_phys + (phys_addr_t)qp->number * QM_DB_INTERVAL;
		layout->mmio_len = QM_DB_INTERVAL;
	} else {
		layout->mmio = qm->io_phys + QM_DB_SQ_CQ;
		layout->mmio_len = PAGE_SIZE;
	}
}

/* Chapter 12.3: V3 may have a command that drains and stops. */
static bool has_stop(struct wd_qm *qm)
{
	return qm->cap_flags & QM_CAP_HAS_STOP_QP;
}

static int park(struct wd_qp *qp)
{
	struct wd_qm *qm = qp->qm;
	struct wd_qm_sqc sqc = wd_qm_sqc_park(qm->version, qp->number, qm->park.dma);
	struct wd_qm_cqc cqc = wd_qm_cqc_park(qm->version, qp->number, qm->park.dma);
	int ret;

	ret = wd_qm_mbox_ctx(qm, WD_QM_MBOX_SQC, qp->number, &sqc, false);
	if (ret)
		return ret;
	return wd_qm_mbox_ctx(qm, WD_QM_MBOX_CQC, qp->number, &cqc, false);
}

/* No doorbell makes the queue run any more. What runs may go on, except where V3 stops it. */
static int disable(struct wd_qp *qp)
{
	if (has_stop(qp->qm))
		return wd_qm_mbox(qp->qm, WD_QM_MBOX_STOP_QP, qp->number, 0, false, NULL);
	return park(qp);
}

/* Of the entries that the kernel submitted those that have come back and were not reaped. */
static u32 back_nr(struct wd_qp *qp)
{
	u32 nr;

	lockdep_assert_held(&qp->ring_lock);
	for (nr = 0; nr < qp->in_flight; nr++) {
		u32 at = qp->head + nr;
		u32 phase = at < DEPTH ? qp->phase : qp->phase ^ WD_QM_PHASE;

		if ((READ_ONCE(qp_cq(qp)[at % DEPTH].phase) & WD_QM_PHASE) != phase)
			break;
	}
	return nr;
}

/* V1 tells nothing about a ring that a process drives, and no process may drive one of V1. */
static int position_v1(struct wd_qp *qp, struct vfio_sdmdev_position *pos)
{
	spin_lock_irq(&qp->ring_lock);
	pos->rung = qp->reaped + qp->in_flight;
	pos->done = qp->reaped + back_nr(qp);
	spin_unlock_irq(&qp->ring_lock);
	return 0;
}

/* Both rings have the same depth: their tails and wraps count the same (chapter 12.3). */
static int position(struct wd_qp *qp, struct vfio_sdmdev_position *pos)
{
	struct wd_qm_sqc sqc;
	struct wd_qm_cqc cqc;
	int ret;

	pos->modulus = 2 * DEPTH;
	if (qp->qm->version == WD_QM_V1)
		return position_v1(qp, pos);
	ret = wd_qm_mbox_ctx(qp->qm, WD_QM_MBOX_SQC, qp->number, &sqc, true);
	if (ret)
		return ret;
	ret = wd_qm_mbox_ctx(qp->qm, WD_QM_MBOX_CQC, qp->number, &cqc, true);
	if (ret)
		return ret;
	pos->rung = wd_qm_count_of(sqc.tail, sqc.flags, DEPTH);
	pos->done = wd_qm_count_of(cqc.tail, cqc.flags, DEPTH);
	return 0;
}

static void rings_reset(struct wd_qp *qp)
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

static int start_locked(struct wd_qp *qp)
{
	struct wd_qm *qm = qp->qm;
	struct wd_qm_pair pair = {
		.version = qm->version,
		.number = qp->number,
		.depth = DEPTH,
		.type = qp->type,
		.has_pasid = qp->q.pasid,
		.pasid = qp->q.pasid,
		.sq_dma = qp->dus.dma + HISI_QM_SQ_OFFSET,
		.cq_dma = qp->dus.dma + HISI_QM_CQ_OFFSET(DEPTH),
	};
	struct wd_qm_sqc sqc = wd_qm_sqc_pack(&pair);
	struct wd_qm_cqc cqc = wd_qm_cqc_pack(&pair);
	int ret;

	if (qm->state == WD_QM_GONE)
		return -ENODEV;
	if (qm->state != WD_QM_UP || qp->is_undrained)
		return -EIO;
	if (qp->is_started)
		return -EBUSY;
	/* V2 carries a PASID for the whole function or not at all, and is not set up for it. */
	if (qp->q.pasid && (qm->version < WD_QM_V3 || qp->q.pasid > U16_MAX))
		return -EOPNOTSUPP;
	rings_reset(qp);
	wd_qm_queue_stop_words(qp, 0);
	ret = wd_qm_mbox_ctx(qm, WD_QM_MBOX_SQC, qp->number, &sqc, false);
	if (ret)
		return ret;
	ret = wd_qm_mbox_ctx(qm, WD_QM_MBOX_CQC, qp->number, &cqc, false);
	if (ret) {
		qp->is_undrained = disable(qp) != 0;
		return ret;
	}
	qp->is_started = true;
	wd_qm_count(qm, WD_QM_QUEUE_STARTED);
	return 0;
}

static int start_queue(struct vfio_sdmdev_queue *q)
{
	struct wd_qp *qp = to_qp(q);
	int ret;

	mutex_lock(&qp->qm->lock);
	ret = start_locked(qp);
	if (ret)
		wd_qm_queue_stop_words(qp, 1);
	mutex_unlock(&qp->qm->lock);
	return ret;
}

/*
 * A process that rings between the last look and the parking of V2 has its own requests run on for
 * a moment: into memory of its own, which the IOMMU takes away hard; without one nobody has a
 * doorbell.
 */
static int stop_locked(struct wd_qp *qp)
{
	struct vfio_sdmdev_position pos;
	struct wd_qm *qm = qp->qm;
	int ret = 0;

	if (qp->is_started && !wd_qm_is_gone(qm)) {
		ret = position(qp, &pos);
		if (!ret && (pos.rung - pos.done) & (pos.modulus - 1))
			return -EBUSY;
	}
	wd_qm_queue_stop_words(qp, 1);
	if (wd_qm_is_gone(qm)) {
		wd_qm_noticed_gone(qm);
		qp->is_started = false;
		qp->is_undrained = false;
		return 0;
	}
	if (qp->is_undrained)
		return -EIO;
	if (!qp->is_started)
		return 0;
	qp->is_started = false;
	if (disable(qp) || ret) {
		qp->is_undrained = true;
		wd_qm_count(qm, WD_QM_QUEUE_UNDRAINED);
		pci_warn(qm->pdev, "queue %u could not be drained\n", qp->number);
		return -EIO;
	}
	return 0;
}

static int stop_queue(struct vfio_sdmdev_queue *q)
{
	struct wd_qp *qp = to_qp(q);
	int ret;

	mutex_lock(&qp->qm->lock);
	ret = stop_locked(qp);
	mutex_unlock(&qp->qm->lock);
	return ret;
}

static int get_position(struct vfio_sdmdev_queue *q, struct vfio_sdmdev_position *pos)
{
	struct wd_qp *qp = to_qp(q);
	int ret = 0;

	*pos = (struct vfio_sdmdev_position){ .modulus = 2 * DEPTH };
	mutex_lock(&qp->qm->lock);
	if (!wd_qm_is_gone(qp->qm)) {
		if (qp->is_undrained)
			ret = -EIO;
		else if (qp->is_started)
			ret = position(qp, pos);
	}
	mutex_unlock(&qp->qm->lock);
	return ret;
}

/* It is stopped. */
static int reset_queue(struct vfio_sdmdev_queue *q)
{
	struct wd_qp *qp = to_qp(q);

	memset(qp->dus.va, 0, HISI_QM_CQ_OFFSET(DEPTH));
	rings_reset(qp);
	qp->type = 0;
	return 0;
}

/*
 * A broken queue is always worth a look: the process finds the stop words, or a call's -EIO.
 * A process that has the rings does not tell the kernel how far it read: what counts is that an
 * entry arrived which no earlier call has seen. It may write its ring, so the walk is bounded.
 */
static int is_q_updated(struct vfio_sdmdev_queue *q)
{
	struct wd_qp *qp = to_qp(q);
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

static void mask_notify(struct vfio_sdmdev_queue *q, int event_mask)
{
	WRITE_ONCE(to_qp(q)->is_notified, event_mask & VFIO_SDMDEV_EVENT_Q_UPDATE);
}

static int queue_ioctl(struct vfio_sdmdev_queue *q, unsigned int cmd, void *data)
{
	struct wd_qp *qp = to_qp(q);
	struct hisi_qp_ctx *ctx = data;

	switch (cmd) {
	case HISI_QM_CMD_SET_QP_CTX:
		if (ctx->qc_type >= qp->qm->engine->type_nr)
			return -EINVAL;
		if (qp->is_started)
			return -EBUSY;
		qp->type = ctx->qc_type;
		ctx->id = qp->number;
		return 0;
	case HISI_QM_CMD_SET_QP_INFO:
		*(struct hisi_qp_info *)data = (struct hisi_qp_info){
			.sqe_size = HISI_QM_SQE_SIZE,
			.sq_depth = DEPTH,
			.cq_depth = DEPTH,
		};
		return 0;
	default:
		return -ENOTTY;
	}
}

static int get_available_instances(struct vfio_sdmdev *sdmdev)
{
	struct wd_qm *qm = sdmdev->priv;

	return qm->qp_nr - bitmap_weight(qm->used, qm->qp_nr);
}

static bool owns(void *arg, u64 addr, u64 len, bool is_write)
{
	return vfio_sdmdev_owns(arg, addr, len, is_write);
}

static int check_sqe(struct vfio_sdmdev_queue *q, const void *sqe, u64 *bytes)
{
	struct wd_qp *qp = to_qp(q);
	struct wd_qm *qm = qp->qm;
	bool is_reach = false;
	int reason;

	reason = qm->engine->check_sqe(qm, qp->type, sqe, owns, q, &is_reach);
	if (!reason) {
		*bytes = qm->engine->sqe_bytes(sqe);
		return 0;
	}
	atomic64_inc(&qm->refused[reason]);
	return is_reach ? -EACCES : -EINVAL;
}

static int submit(struct vfio_sdmdev_queue *q, const void *sqes, u32 n)
{
	struct wd_qp *qp = to_qp(q);
	struct wd_qm *qm = qp->qm;
	u32 room;

	if (!qp->is_started)
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
	qp->in_flight += n;
	spin_unlock_irq(&qp->ring_lock);
	wd_qm_ring(qm, qp->doorbell, qp->number, HISI_QM_DB_CMD_SQ, qp->tail, 0);
	atomic64_add(n, &qm->counters[WD_QM_SUBMITTED]);
	return n;
}

static int reap(struct vfio_sdmdev_queue *q, void *sqes, u32 n)
{
	struct wd_qp *qp = to_qp(q);
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

static int reset(struct vfio_sdmdev *sdmdev)
{
	return wd_qm_reset_quietly(sdmdev->priv);
}

const struct vfio_sdmdev_ops wd_qm_sdmdev_ops = {
	.get_queue = get_queue,
	.put_queue = put_queue,
	.describe = describe,
	.start_queue = start_queue,
	.stop_queue = stop_queue,
	.get_position = get_position,
	.is_q_updated = is_q_updated,
	.mask_notify = mask_notify,
	.reset = reset,
	.reset_queue = reset_queue,
	.ioctl = queue_ioctl,
	.get_available_instances = get_available_instances,
	.check_sqe = check_sqe,
	.submit = submit,
	.reap = reap,
};

/* The function stops for all its queues at once: none may be used, each may still be written to. */
void wd_qm_queues_lost(struct wd_qm *qm)
{
	for (u32 i = 0; i < qm->qp_nr; i++) {
		struct wd_qp *qp;

		spin_lock_irq(&qm->qp_lock);
		qp = qm->qps[i];
		if (qp) {
			wd_qm_queue_stop_words(qp, 1);
			if (qp->is_started)
				qp->is_undrained = true;
			qp->is_started = false;
		}
		spin_unlock_irq(&qm->qp_lock);
	}
}

/* The device is known to write nowhere any more. */
void wd_qm_queues_safe(struct wd_qm *qm)
{
	struct wd_qp *qp, *next;

	for (u32 i = 0; i < qm->qp_nr; i++) {
		spin_lock_irq(&qm->qp_lock);
		if (qm->qps[i])
			qm->qps[i]->is_undrained = false;
		spin_unlock_irq(&qm->qp_lock);
	}
	list_for_each_entry_safe(qp, next, &qm->quarantine, link) {
		list_del(&qp->link);
		qp_free(qp);
	}
}
