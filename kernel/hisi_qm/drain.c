// SPDX-License-Identifier: GPL-2.0-only
/* The end of a queue's work: chapters 8.4 and 12.3 of the hardware reference. */
#include <linux/delay.h>
#include "priv.h"

#define DEPTH HISI_QM_DEFAULT_DEPTH
#define STUCK_MS 2000 /* a request of any size takes less */
#define POLL_US_MIN 100
#define POLL_US_MAX 5000

struct progress {
	u32 target; /* of the CQ, once it is known */
	u32 done;
	bool has_target;
	bool is_over;
};

/* V1 tells nothing about a ring that a process drives, and no process may drive one of V1. */
static int look_v1(struct wd_qp *qp, struct progress *progress)
{
	progress->is_over = wd_qm_ring_is_idle(qp, &progress->done);
	return 0;
}

static int look(struct wd_qp *qp, bool is_empty_wanted, struct progress *progress)
{
	struct wd_qm_sqc sqc;
	struct wd_qm_cqc cqc;
	int ret;

	ret = wd_qm_mbox_dump(qp->qm, WD_QM_MBOX_SQC, qp->number, &sqc);
	if (!ret)
		ret = wd_qm_mbox_dump(qp->qm, WD_QM_MBOX_CQC, qp->number, &cqc);
	if (ret)
		return ret;
	progress->done = wd_qm_position(cqc.tail, cqc.flags, DEPTH);
	if (!progress->has_target)
		progress->target = wd_qm_position(sqc.tail, sqc.flags, DEPTH);
	progress->has_target = true;
	if (is_empty_wanted)
		progress->is_over = wd_qm_is_drained(&sqc, &cqc);
	else
		progress->is_over = !wd_qm_distance(progress->done, progress->target, DEPTH);
	return 0;
}

/*
 * Waits until what was rung so far is finished, or all that ever is where is_empty_wanted: as long
 * as something gets finished. No lock is held that a reset takes, which ends this: -ECANCELED.
 */
int wd_qm_drain(struct wd_qp *qp, u32 generation, bool is_empty_wanted)
{
	struct progress progress = { };
	unsigned long since = jiffies;
	u32 pause_us = POLL_US_MIN, done = 0;
	int ret;

	for (;;) {
		if (READ_ONCE(qp->qm->generation) != generation)
			return -ECANCELED;
		if (qp->qm->version == WD_QM_V1)
			ret = look_v1(qp, &progress);
		else
			ret = look(qp, is_empty_wanted, &progress);
		/* A forged dump says nothing, neither that it goes on. */
		if (ret && ret != -EBADMSG)
			return ret;
		if (!ret && progress.is_over)
			return 0;
		if (!ret && progress.done != done) {
			done = progress.done;
			since = jiffies;
		}
		if (time_after(jiffies, since + msecs_to_jiffies(STUCK_MS)))
			return -ETIMEDOUT;
		usleep_range(pause_us, 2 * pause_us);
		pause_us = min(2 * pause_us, POLL_US_MAX);
	}
}

/* V3 may have a command that drains and stops. */
static bool has_stop(struct wd_qm *qm)
{
	return qm->cap_flags & QM_CAP_HAS_STOP_QP;
}

/*
 * No doorbell makes the queue run any more, nor has events made by what is left in it. What runs
 * may go on, except where V3 stops it.
 */
int wd_qm_disable(struct wd_qp *qp)
{
	struct wd_qm *qm = qp->qm;
	struct wd_qm_sqc sqc = wd_qm_sqc_park(qm->version, qp->number, qm->park.dma);
	struct wd_qm_cqc cqc = wd_qm_cqc_park(qm->version, qp->number, qm->park.dma);
	int ret;

	if (has_stop(qm))
		ret = wd_qm_mbox(qm, WD_QM_MBOX_STOP_QP, qp->number, 0);
	else
		ret = wd_qm_mbox_load(qm, WD_QM_MBOX_SQC, qp->number, &sqc);
	if (ret)
		return ret;
	return wd_qm_mbox_load(qm, WD_QM_MBOX_CQC, qp->number, &cqc);
}

/*
 * 0: no DMA of the queue is in flight nor will be. The command of V3 takes what is rung meanwhile;
 * before it comes all that may take long, since no other command is possible while it runs.
 *
 * A process that rings between the drain and the parking of V2 has its own requests run on for a
 * moment: into memory of its own, which the IOMMU takes away hard; without one nobody has a
 * doorbell.
 */
int wd_qm_drain_and_disable(struct wd_qp *qp, u32 generation)
{
	int ret = wd_qm_drain(qp, generation, !has_stop(qp->qm));

	if (ret == -ECANCELED)
		return ret;
	return wd_qm_disable(qp) ?: ret;
}
