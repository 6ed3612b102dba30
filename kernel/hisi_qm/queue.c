// SPDX-License-Identifier: GPL-2.0-only
/* A queue pair as sdmdev drives it: its memory, start and stop, penalties, what befalls all. */
#include <linux/dma-mapping.h>
#include <linux/slab.h>
#include "priv.h"

#define DEPTH HISI_QM_DEFAULT_DEPTH

/* A queue that made so much trouble within the while may not be started until that is over. */
#define TROUBLES_MAX 8
#define TROUBLES_PERIOD (60 * HZ)

#define QUIET_PERIOD (HZ / 50)

static struct wd_qp *to_qp(struct vfio_sdmdev_queue *q)
{
	return container_of(q, struct wd_qp, q);
}

/* May be called for a queue in whatever state: these words are no ring. */
static void stop_words(struct wd_qp *qp, u32 value)
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

static void quiet_work(struct work_struct *work);

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
	mutex_init(&qp->mutex);
	INIT_DELAYED_WORK(&qp->quiet_work, quiet_work);
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

	mutex_lock(&qm->qp_lock);
	qm->qps[number] = qp;
	mutex_unlock(&qm->qp_lock);
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

	mutex_lock(&qm->qp_lock);
	qm->qps[qp->number] = NULL;
	mutex_unlock(&qm->qp_lock);
	/* Nobody finds it any more to schedule it again. */
	cancel_delayed_work_sync(&qp->quiet_work);

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

static void report_gone(struct wd_qm *qm)
{
	qm->report->gone(qm);
}

/* qp_lock held. */
static void trouble(struct wd_qp *qp)
{
	lockdep_assert_held(&qp->qm->qp_lock);
	wd_qm_rate_exceeds(&qp->troubles, TROUBLES_MAX, TROUBLES_PERIOD);
}

static bool is_barred(struct wd_qp *qp)
{
	bool is_it;

	mutex_lock(&qp->qm->qp_lock);
	is_it = qp->troubles.nr > TROUBLES_MAX &&
		time_before(jiffies, qp->troubles.since + TROUBLES_PERIOD);
	mutex_unlock(&qp->qm->qp_lock);
	return is_it;
}

/* qm->lock and qp->mutex held. */
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
	if (is_barred(qp) || wd_qm_is_isolated(qm))
		return -EIO;
	/* V2 carries a PASID for the whole function or not at all, and is not set up for it. */
	if (qp->q.pasid && (qm->version < WD_QM_V3 || qp->q.pasid > U16_MAX))
		return -EOPNOTSUPP;
	wd_qm_rings_reset(qp);
	stop_words(qp, 0);
	ret = wd_qm_mbox_load(qm, WD_QM_MBOX_SQC, qp->number, &sqc);
	if (ret && ret != -EBADMSG)
		return ret;
	if (!ret)
		ret = wd_qm_mbox_load(qm, WD_QM_MBOX_CQC, qp->number, &cqc);
	if (ret) {
		/* What was loaded by then may run, and need not be what we meant. */
		qp->is_undrained = wd_qm_disable(qp) != 0;
		if (qp->is_undrained) {
			mutex_lock(&qm->qp_lock);
			trouble(qp);
			mutex_unlock(&qm->qp_lock);
		}
		return ret == -EBADMSG ? -EIO : ret;
	}
	wd_qm_ring_allow(qp, true);
	WRITE_ONCE(qp->is_behind, false);
	wd_qm_count(qm, WD_QM_QUEUE_STARTED);
	return 0;
}

static int start_queue(struct vfio_sdmdev_queue *q)
{
	struct wd_qp *qp = to_qp(q);
	int ret;

	mutex_lock(&qp->mutex);
	mutex_lock(&qp->qm->lock);
	ret = start_locked(qp);
	if (ret)
		stop_words(qp, 1);
	mutex_unlock(&qp->qm->lock);
	mutex_unlock(&qp->mutex);
	if (ret == -ENODEV)
		report_gone(qp->qm);
	return ret;
}

/* qm->lock held. */
static bool is_idle(struct wd_qm *qm)
{
	bool is_busy = false;

	mutex_lock(&qm->qp_lock);
	for (u32 i = 0; i < qm->qp_nr; i++)
		is_busy |= qm->qps[i] && (qm->qps[i]->is_started || qm->qps[i]->is_stopping);
	mutex_unlock(&qm->qp_lock);
	return !is_busy;
}

/*
 * The last queue of a process that reaches the function's own memory stopped: what it left in the
 * event rings does not trouble the next one.
 */
static void rings_renew(struct wd_qm *qm)
{
	int ret = 0;

	mutex_lock(&qm->events_lock);
	if (READ_ONCE(qm->state) == WD_QM_UP)
		ret = wd_qm_hw_events(qm);
	mutex_unlock(&qm->events_lock);
	if (ret == -ENODEV)
		report_gone(qm);
	else if (ret)
		qm->report->reset_wanted(qm);
	/* Who started meanwhile. */
	wd_qm_queues_look(qm);
}

/* What comes of a stop that is over; qm->lock held. */
static int stop_ended(struct wd_qp *qp, u32 generation, int ret)
{
	struct wd_qm *qm = qp->qm;

	qp->is_stopping = false;
	/* A reset came between, and knows better. */
	if (generation == qm->generation && ret) {
		qp->is_undrained = true;
		wd_qm_count(qm, WD_QM_QUEUE_UNDRAINED);
		pci_warn(qm->pdev, "queue %u could not be stopped: %d\n", qp->number, ret);
	}
	return qp->is_undrained ? -EIO : 0;
}

/* -EBUSY: somebody rang since it was drained. */
static int check_drained(struct wd_qp *qp)
{
	struct vfio_sdmdev_position pos;
	int ret = wd_qm_position(qp, &pos);

	if (ret)
		return ret;
	return (pos.rung - pos.done) & (pos.modulus - 1) ? -EBUSY : 0;
}

/*
 * qp->mutex held. While the device stops the queue, which may take long, no lock of a reset is
 * held: that may come, and other queues start and stop.
 *
 * A process that rings between the last look and the parking of V2 has its own requests run on for
 * a moment: into memory of its own, which the IOMMU takes away hard; without one nobody has a
 * doorbell.
 */
static int stop_qp(struct wd_qp *qp)
{
	struct wd_qm *qm = qp->qm;
	bool is_last = false;
	u32 generation;
	int ret, looked = 0;

	mutex_lock(&qm->lock);
	if (wd_qm_is_gone(qm)) {
		stop_words(qp, 1);
		wd_qm_ring_allow(qp, false);
		qp->is_undrained = false;
		mutex_unlock(&qm->lock);
		report_gone(qm);
		return 0;
	}
	if (qp->is_started)
		looked = check_drained(qp);
	if (looked == -EBUSY) {
		mutex_unlock(&qm->lock);
		return -EBUSY;
	}
	stop_words(qp, 1);
	if (qp->is_undrained || !qp->is_started) {
		ret = qp->is_undrained ? -EIO : 0;
		mutex_unlock(&qm->lock);
		return ret;
	}
	wd_qm_ring_allow(qp, false);
	qp->is_stopping = true;
	generation = qm->generation;
	mutex_unlock(&qm->lock);

	ret = wd_qm_disable(qp);
	if (!ret)
		ret = looked;

	mutex_lock(&qm->lock);
	ret = stop_ended(qp, generation, ret);
	if (!ret && !qp->is_mediated && !qp->q.pasid)
		is_last = is_idle(qm);
	mutex_unlock(&qm->lock);
	if (is_last)
		rings_renew(qm);
	return ret;
}

static int stop_queue(struct vfio_sdmdev_queue *q)
{
	struct wd_qp *qp = to_qp(q);
	int ret;

	mutex_lock(&qp->mutex);
	ret = stop_qp(qp);
	mutex_unlock(&qp->mutex);
	return ret;
}

/* Of a queue that is broken as a penalty: its doorbells do nothing any more, once it is drained. */
static void quiet_work(struct work_struct *work)
{
	struct wd_qp *qp = container_of(to_delayed_work(work), struct wd_qp, quiet_work);
	bool is_busy;

	mutex_lock(&qp->mutex);
	is_busy = READ_ONCE(qp->is_broken) && stop_qp(qp) == -EBUSY;
	mutex_unlock(&qp->mutex);
	if (is_busy)
		queue_delayed_work(system_long_wq, &qp->quiet_work, QUIET_PERIOD);
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
			ret = wd_qm_position(qp, pos);
	}
	mutex_unlock(&qp->qm->lock);
	WRITE_ONCE(qp->is_behind, ret || pos->rung != pos->done);
	return ret;
}

/* It is stopped. */
static int reset_queue(struct vfio_sdmdev_queue *q)
{
	struct wd_qp *qp = to_qp(q);

	memset(qp->dus.va, 0, HISI_QM_CQ_OFFSET(DEPTH));
	wd_qm_rings_reset(qp);
	qp->type = 0;
	return 0;
}

static int is_q_updated(struct vfio_sdmdev_queue *q)
{
	return wd_qm_ring_is_updated(to_qp(q));
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

	if (wd_qm_is_isolated(qm))
		return 0;
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
	return wd_qm_ring_submit(to_qp(q), sqes, n);
}

static int reap(struct vfio_sdmdev_queue *q, void *sqes, u32 n)
{
	return wd_qm_ring_reap(to_qp(q), sqes, n);
}

/* But for the reset of the function, which is above this. */
const struct vfio_sdmdev_ops wd_qm_queue_ops = {
	.get_queue = get_queue,
	.put_queue = put_queue,
	.describe = describe,
	.start_queue = start_queue,
	.stop_queue = stop_queue,
	.get_position = get_position,
	.is_q_updated = is_q_updated,
	.mask_notify = mask_notify,
	.reset_queue = reset_queue,
	.ioctl = queue_ioctl,
	.get_available_instances = get_available_instances,
	.check_sqe = check_sqe,
	.submit = submit,
	.reap = reap,
};

/* qp_lock held: the queue behind a number of the device's, if it runs. */
static struct wd_qp *running(struct wd_qm *qm, u32 number)
{
	struct wd_qp *qp = number < qm->qp_nr ? qm->qps[number] : NULL;

	lockdep_assert_held(&qm->qp_lock);
	/* A started queue is known to sdmdev; an event of another one is made up, or late. */
	return qp && READ_ONCE(qp->is_started) ? qp : NULL;
}

/* Something completed in queue number. */
void wd_qm_queue_event(struct wd_qm *qm, u32 number)
{
	struct wd_qp *qp;

	mutex_lock(&qm->qp_lock);
	qp = running(qm, number);
	if (!qp)
		wd_qm_count(qm, WD_QM_EVENT_BAD);
	else if (READ_ONCE(qp->is_notified))
		vfio_sdmdev_wake_up(&qp->q);
	mutex_unlock(&qm->qp_lock);
}

static void break_qp(struct wd_qp *qp)
{
	WRITE_ONCE(qp->is_broken, true);
	stop_words(qp, 1);
	vfio_sdmdev_wake_up(&qp->q);
	wd_qm_count(qp->qm, WD_QM_QUEUE_BROKEN);
}

/* The device cannot go on with queue number. */
void wd_qm_queue_broken(struct wd_qm *qm, u32 number)
{
	struct wd_qp *qp;

	mutex_lock(&qm->qp_lock);
	qp = running(qm, number);
	if (qp)
		break_qp(qp);
	else
		wd_qm_count(qm, WD_QM_EVENT_BAD);
	mutex_unlock(&qm->qp_lock);
}

static void penalise(struct wd_qp *qp)
{
	if (READ_ONCE(qp->is_broken))
		return;
	trouble(qp);
	break_qp(qp);
	/* It may drain for a while. */
	queue_delayed_work(system_long_wq, &qp->quiet_work, 0);
}

/*
 * Stops those of whom there are more than few events in the ring, old or new. false: nobody is.
 * events_lock held.
 */
bool wd_qm_queues_flooded(struct wd_qm *qm, u32 few)
{
	bool is_found = false;
	struct wd_qp *qp;

	mutex_lock(&qm->qp_lock);
	for (u32 i = 0; i < qm->qp_nr; i++)
		if (qm->qps[i])
			qm->qps[i]->events_nr = 0;
	for (u32 i = 0; i < qm->eq.depth; i++) {
		qp = running(qm, READ_ONCE(qm->eq.entries[i]) & WD_QM_EVENT_NUMBER);
		if (qp)
			qp->events_nr++;
	}
	for (u32 i = 0; i < qm->qp_nr; i++) {
		qp = running(qm, i);
		if (!qp || qp->events_nr <= few)
			continue;
		penalise(qp);
		is_found = true;
	}
	mutex_unlock(&qm->qp_lock);
	return is_found;
}

/*
 * Somebody writes the event rings who is not the device: a process in single mode, whose queues
 * these are. false: there is none.
 */
bool wd_qm_queues_forged(struct wd_qm *qm)
{
	bool is_found = false;

	mutex_lock(&qm->qp_lock);
	for (u32 i = 0; i < qm->qp_nr; i++) {
		struct wd_qp *qp = running(qm, i);

		if (!qp || qp->is_mediated || qp->q.pasid)
			continue;
		penalise(qp);
		is_found = true;
	}
	mutex_unlock(&qm->qp_lock);
	return is_found;
}

/* Events were lost: all who wait look for themselves. */
void wd_qm_queues_look(struct wd_qm *qm)
{
	mutex_lock(&qm->qp_lock);
	for (u32 i = 0; i < qm->qp_nr; i++) {
		struct wd_qp *qp = running(qm, i);

		if (qp && READ_ONCE(qp->is_notified))
			vfio_sdmdev_wake_up(&qp->q);
	}
	mutex_unlock(&qm->qp_lock);
}

/* sdmdev wants a reset, for a queue hangs: one of those that were looked at and not drained. */
void wd_qm_queues_hang(struct wd_qm *qm)
{
	mutex_lock(&qm->qp_lock);
	for (u32 i = 0; i < qm->qp_nr; i++) {
		struct wd_qp *qp = running(qm, i);

		if (qp && READ_ONCE(qp->is_behind))
			trouble(qp);
	}
	mutex_unlock(&qm->qp_lock);
}

bool wd_qm_queues_are_idle(struct wd_qm *qm)
{
	bool is_it;

	mutex_lock(&qm->lock);
	is_it = is_idle(qm);
	mutex_unlock(&qm->lock);
	return is_it;
}

/*
 * The function stops for all its queues at once: none may be used, each may still be written to.
 * qm->lock held.
 */
void wd_qm_queues_lost(struct wd_qm *qm)
{
	WRITE_ONCE(qm->generation, qm->generation + 1);
	mutex_lock(&qm->qp_lock);
	for (u32 i = 0; i < qm->qp_nr; i++) {
		struct wd_qp *qp = qm->qps[i];

		if (!qp)
			continue;
		stop_words(qp, 1);
		qp->is_undrained |= qp->is_started || qp->is_stopping;
		wd_qm_ring_allow(qp, false);
	}
	mutex_unlock(&qm->qp_lock);
}

/* The device is known to write nowhere any more. qm->lock held. */
void wd_qm_queues_safe(struct wd_qm *qm)
{
	struct wd_qp *qp, *next;

	mutex_lock(&qm->qp_lock);
	for (u32 i = 0; i < qm->qp_nr; i++)
		if (qm->qps[i])
			qm->qps[i]->is_undrained = false;
	mutex_unlock(&qm->qp_lock);
	list_for_each_entry_safe(qp, next, &qm->quarantine, link) {
		list_del(&qp->link);
		qp_free(qp);
	}
}
