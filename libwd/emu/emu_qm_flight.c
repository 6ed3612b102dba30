// SPDX-License-Identifier: Zlib
/*
 * What is under way to memory, and the master that lets it pass (hardware reference, 4.3 and 14.4).
 * Nothing of it is over at once: who asks once learns that, who does not ask meets it later.
 */
#include "emu_qm_priv.h"

#include <string.h>

#define WRITE_BACK_NS 20000000
#define RETURNED      3 /* reads and writes */

void emu_qm_close_master(struct emu_qm *qm, bool is_closed)
{
	if (is_closed == qm->master.is_closed)
		return;
	qm->master.is_closed = is_closed;
	qm->master.is_asked = false;
	qm->master.is_returned = false;
	for (unsigned int i = 0; i < EMU_QM_FUNCTIONS; i++)
		if (qm->function[i])
			emu_qm_mailbox_advance(qm->function[i]);
}

uint32_t emu_qm_returned(struct emu_qm *qm)
{
	if (!qm->opt.strict || !qm->master.is_closed)
		return RETURNED;
	qm->master.is_returned = qm->master.is_asked;
	qm->master.is_asked = true;
	return qm->master.is_returned ? RETURNED : 0;
}

void emu_qm_write_back_start(struct emu_qm *qm)
{
	if (!qm->opt.strict)
		return;
	qm->write_back.is_busy = true;
	qm->write_back.at_ns = emu_qm_now_ns() + WRITE_BACK_NS;
}

uint32_t emu_qm_write_back_done(struct emu_qm *qm)
{
	/* Done by emu_qm_run(): who waits for this answer may be unable to give memory. */
	if (qm->write_back.is_busy)
		qm->write_back.at_ns = 0;
	return !qm->write_back.is_busy;
}

/* Nothing gets out of here, and nothing is out. */
static bool is_quiet(const struct emu_qm *qm)
{
	return !qm->opt.strict || qm->pf->is_shut || qm->pf->master.is_returned;
}

void emu_qm_orphan(struct emu_qm *qm, struct emu_qm_pair *pair)
{
	struct emu_qm_ring *sq = &pair->sq, *cq = &pair->cq;
	struct emu_qm_orphan *orphan = qm->orphan;

	pair->is_begun = pair->is_paged = pair->is_final = false;
	if (!pair->held_until_ns)
		return;
	while (orphan < qm->orphan + EMU_QM_ORPHANS && orphan->at_ns)
		orphan++;
	if (!is_quiet(qm) && orphan < qm->orphan + EMU_QM_ORPHANS)
		*orphan = (struct emu_qm_orphan){
			.at_ns = pair->held_until_ns,
			.alg_type = pair->alg_type,
			.tag = { emu_qm_pasid(qm, pair), pair - qm->pair, true },
			.sqe_iova = sq->base + (uint64_t)sq->head * sizeof(orphan->sqe),
			.cqe_iova = cq->base + (uint64_t)cq->tail * sizeof(orphan->cqe),
			.sqe = pair->sqe,
			.cqe = { .sq_head = sq->head,
				 .sq_num = pair - qm->pair,
				 .phase = cq->phase ? HISI_QM_CQE_PHASE : 0 },
		};
	pair->held_until_ns = 0;
}

static void arrive(struct emu_qm *qm, struct emu_qm_orphan *orphan)
{
	orphan->at_ns = 0;
	emu_qm_execute_data(qm, &orphan->tag, orphan->alg_type, &orphan->sqe);
	if (!emu_qm_dma_write(qm, orphan->sqe_iova, &orphan->sqe, sizeof(orphan->sqe)))
		emu_qm_dma_write(qm, orphan->cqe_iova, &orphan->cqe, sizeof(orphan->cqe));
}

/* When the next of it is due. */
static uint64_t next_ns(const struct emu_qm *qm)
{
	uint64_t ns = qm->write_back.is_busy ? qm->write_back.at_ns : UINT64_MAX;

	for (unsigned int i = 0; i < EMU_QM_ORPHANS; i++)
		if (qm->orphan[i].at_ns && qm->orphan[i].at_ns < ns)
			ns = qm->orphan[i].at_ns;
	return ns;
}

int emu_qm_run_flight(struct emu_qm *qm)
{
	const uint64_t next = next_ns(qm);
	uint64_t now;

	if (next == UINT64_MAX || !emu_qm_is_master(qm))
		return -1;
	now = emu_qm_now_ns();
	if (next > now)
		return (int)((next - now) / 1000000 + 1);
	if (qm->write_back.is_busy && qm->write_back.at_ns <= now) {
		emu_qm_write_back(qm);
		qm->write_back.is_busy = false;
	}
	for (unsigned int i = 0; i < EMU_QM_ORPHANS; i++)
		if (qm->orphan[i].at_ns && qm->orphan[i].at_ns <= now)
			arrive(qm, &qm->orphan[i]);
	return 0;
}

void emu_qm_flight_end(struct emu_qm *qm)
{
	if (is_quiet(qm))
		emu_qm_flight_reset(qm);
}

void emu_qm_flight_reset(struct emu_qm *qm)
{
	qm->write_back.is_busy = false;
	memset(qm->orphan, 0, sizeof(qm->orphan));
}
