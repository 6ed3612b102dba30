// SPDX-License-Identifier: GPL-2.0-only
/* How far a queue has come, and its end: chapters 8.4 and 12.3 of the hardware reference. */
#include <linux/delay.h>
#include "priv.h"

#define DEPTH HISI_QM_DEFAULT_DEPTH
#define FORGED_MAX 8 /* dumps in a row */

/* -EBADMSG: somebody wrote where the dumps lie. */
static int dump(struct wd_qp *qp, struct wd_qm_sqc *sqc, struct wd_qm_cqc *cqc)
{
	int ret = wd_qm_mbox_dump(qp->qm, WD_QM_MBOX_SQC, qp->number, sqc);

	return ret ? ret : wd_qm_mbox_dump(qp->qm, WD_QM_MBOX_CQC, qp->number, cqc);
}

/*
 * Both rings have the same depth: their tails and wraps count the same. V1 tells nothing about a
 * ring that a process drives, and no process may drive one of V1.
 */
int wd_qm_position(struct wd_qp *qp, struct vfio_sdmdev_position *pos)
{
	struct wd_qm_sqc sqc;
	struct wd_qm_cqc cqc;
	int ret;

	pos->modulus = 2 * DEPTH;
	if (qp->qm->version == WD_QM_V1) {
		wd_qm_ring_position(qp, pos);
		return 0;
	}
	ret = dump(qp, &sqc, &cqc);
	for (u32 nr = 1; ret == -EBADMSG && nr < FORGED_MAX; nr++) {
		usleep_range(100, 200);
		ret = dump(qp, &sqc, &cqc);
	}
	if (ret)
		return ret;
	pos->rung = wd_qm_count_of(sqc.tail, sqc.flags, DEPTH);
	pos->done = wd_qm_count_of(cqc.tail, cqc.flags, DEPTH);
	return 0;
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
