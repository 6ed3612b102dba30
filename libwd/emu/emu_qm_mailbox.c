// SPDX-License-Identifier: Zlib
/* The mailbox (hardware reference, 6). */
#include "emu_qm_priv.h"

#include <errno.h>

#define MAILBOX_COMMAND	     0xff
#define MAILBOX_STATUS_SHIFT 9
#define MAILBOX_STATUS	     (0xfu << MAILBOX_STATUS_SHIFT)
#define MAILBOX_BUSY	     (1u << 13)
#define MAILBOX_READ	     (1u << 14)
#define MAILBOX_FAILED	     1

/* The queues that a command is about. */
static void find_queues(const struct emu_qm *qm, unsigned int command, unsigned int queue,
			unsigned int *first, unsigned int *end)
{
	*first = command == MB_STOP_QP ? queue : 0;
	*end = command == MB_STOP_QP ? queue + 1 : qm->queues_nr;
}

/* -EAGAIN: not all they have is done. */
static int stop_queues(struct emu_qm *qm, unsigned int command, unsigned int queue)
{
	unsigned int first, end;
	int ret = 0;

	if (qm->opt.qm < 3 || (command == MB_STOP_QP && queue >= qm->queues_nr))
		return -EINVAL;
	find_queues(qm, command, queue, &first, &end);
	for (unsigned int i = first; i < end; i++) {
		struct emu_qm_pair *pair = &qm->pair[i];

		pair->is_stopping = true;
		if (!qm->opt.strict && !emu_qm_drain(qm, pair))
			ret = pair->is_paged ? -EAGAIN : -EIO;
		else if (qm->opt.strict && !emu_qm_is_idle(pair))
			ret = -EAGAIN;
		else
			pair->sq.is_loaded = false;
	}
	if ((qm->opt.strict && !qm->mailbox.is_read) || emu_qm_now_ns() < qm->mailbox.until_ns)
		ret = -EAGAIN;
	return ret;
}

static bool is_stop(unsigned int command)
{
	return command == MB_STOP_QP || command == MB_FLUSH || command == MB_PAUSE;
}

/* -EAGAIN: it is under way. */
static int execute(struct emu_qm *qm, unsigned int command, bool is_read, unsigned int queue,
		   uint64_t *base)
{
	/* What goes through a shut master waits before it. */
	if (qm->opt.strict && !emu_qm_is_open(qm) && (command <= MB_AEQC || is_stop(command)))
		return -EAGAIN;
	switch (command) {
	case MB_SQC:
	case MB_CQC:
	case MB_EQC:
	case MB_AEQC:
		return emu_qm_context_command(qm, command, is_read, queue, *base);
	case MB_SQC_BT:
		qm->sqc_table = *base;
		return 0;
	case MB_CQC_BT:
		qm->cqc_table = *base;
		return 0;
	case MB_VFT:
		if (qm->opt.qm == 1 || !is_read)
			return -EINVAL;
		*base = qm->pf->vft[0][qm->number];
		return 0;
	case MB_STOP_QP:
	case MB_FLUSH:
	case MB_PAUSE:
		return stop_queues(qm, command, queue);
	case MB_SEND:
		emu_qm_message_put(qm, queue, *base);
		return 0;
	case MB_RECEIVE:
		*base = qm->message[queue % EMU_QM_FUNCTIONS];
		return 0;
	default:
		return -EINVAL;
	}
}

void emu_qm_mailbox_advance(struct emu_qm *qm)
{
	uint32_t *word = emu_qm_reg(qm, REG_MAILBOX);
	uint32_t *low = emu_qm_reg(qm, REG_MAILBOX_LOW), *high = emu_qm_reg(qm, REG_MAILBOX_HIGH);
	uint64_t base = emu_addr(*low, *high);
	int ret;

	if (!qm->mailbox.is_busy || qm->mailbox.is_executed)
		return;
	qm->mailbox.is_executed = true;
	ret = execute(qm, *word & MAILBOX_COMMAND, *word & MAILBOX_READ, *word >> 16, &base);
	qm->mailbox.is_executed = false;
	if (ret == -EAGAIN)
		return;
	qm->mailbox.is_busy = false;
	*word &= ~(MAILBOX_BUSY | MAILBOX_STATUS);
	if (ret)
		*word |= MAILBOX_FAILED << MAILBOX_STATUS_SHIFT;
	*low = base;
	*high = base >> 32;
}

/* Whoever asks at once learns that it takes time. What needs memory is for emu_qm_run(). */
void emu_qm_mailbox_read(struct emu_qm *qm)
{
	if (qm->mailbox.is_read && is_stop(*emu_qm_reg(qm, REG_MAILBOX) & MAILBOX_COMMAND))
		emu_qm_mailbox_advance(qm);
	qm->mailbox.is_read = true;
}

void emu_qm_mailbox(struct emu_qm *qm)
{
	const uint32_t word = *emu_qm_reg(qm, REG_MAILBOX);

	if (!(word & MAILBOX_BUSY))
		return;
	qm->stats.mailboxes++;
	++*emu_qm_reg(qm, REG_COUNT_MAILBOX);
	qm->mailbox.is_busy = true;
	qm->mailbox.is_read = false;
	if (is_stop(word & MAILBOX_COMMAND)) {
		const struct emu_fault *fault =
			emu_fault_stop(&qm->opt.faults, ++qm->mailbox.stops);

		qm->stats.faults += fault != NULL;
		qm->mailbox.until_ns = fault ? emu_qm_now_ns() + fault->arg * UINT64_C(1000000) : 0;
	}
	emu_qm_mailbox_advance(qm);
}

void emu_qm_mailbox_reset(struct emu_qm *qm)
{
	qm->mailbox.is_busy = false;
}
