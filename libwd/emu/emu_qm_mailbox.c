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

static int stop_queue(struct emu_qm *qm, unsigned int queue)
{
	struct emu_qm_pair *pair = &qm->pair[queue];

	if (!emu_qm_drain(qm, pair))
		return -EIO;
	pair->sq.is_loaded = false;
	return 0;
}

static int execute(struct emu_qm *qm, unsigned int command, bool is_read, unsigned int queue,
		   uint64_t *base)
{
	int ret = 0;

	switch (command) {
	case MB_SQC:
	case MB_CQC:
	case MB_EQC:
	case MB_AEQC:
		return emu_qm_context_command(qm, command, is_read, queue, *base);
	case MB_SQC_BT:
	case MB_CQC_BT:
		/* Where contexts would go that the device has no room for: it has. */
		return 0;
	case MB_VFT:
		if (qm->opt.qm == 1 || !is_read)
			return -EINVAL;
		*base = qm->vft[0][0];
		return 0;
	case MB_STOP_QP:
		if (qm->opt.qm < 3 || queue >= qm->queues_nr)
			return -EINVAL;
		return stop_queue(qm, queue);
	case MB_FLUSH:
	case MB_PAUSE:
		if (qm->opt.qm < 3)
			return -EINVAL;
		for (unsigned int i = 0; i < qm->queues_nr; i++)
			if (stop_queue(qm, i))
				ret = -EIO;
		return ret;
	case MB_SEND:
		qm->message = *base;
		return 0;
	case MB_RECEIVE:
		*base = qm->message;
		return 0;
	default:
		return -EINVAL;
	}
}

void emu_qm_mailbox(struct emu_qm *qm)
{
	uint32_t *word = emu_qm_reg(qm, REG_MAILBOX);
	uint32_t *low = emu_qm_reg(qm, REG_MAILBOX_LOW), *high = emu_qm_reg(qm, REG_MAILBOX_HIGH);
	uint64_t base = emu_addr(*low, *high);
	int ret;

	if (!(*word & MAILBOX_BUSY))
		return;
	qm->stats.mailboxes++;
	++*emu_qm_reg(qm, REG_COUNT_MAILBOX);
	ret = execute(qm, *word & MAILBOX_COMMAND, *word & MAILBOX_READ, *word >> 16, &base);
	*word &= ~(MAILBOX_BUSY | MAILBOX_STATUS);
	if (ret)
		*word |= MAILBOX_FAILED << MAILBOX_STATUS_SHIFT;
	*low = base;
	*high = base >> 32;
}
