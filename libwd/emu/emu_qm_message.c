// SPDX-License-Identifier: Zlib
/* Messages between the PF and its VFs: a value each, and who is told of it (hardware
 * reference, 14.5). */
#include "emu_qm_priv.h"

#define TO_ALL	     0x7f   /* of REG_MESSAGE_TO */
#define TO_ALL_VALUE 0xffff /* of the mailbox */
#define VECTOR	     2

void emu_qm_message_put(struct emu_qm *qm, unsigned int to, uint64_t value)
{
	if (qm->number) {
		qm->pf->message[qm->number] = value;
		return;
	}
	for (unsigned int i = 0; i < EMU_QM_FUNCTIONS; i++)
		if (qm->function[i] && (to == i || (to == TO_ALL_VALUE && i)))
			qm->function[i]->message[0] = value;
}

static void interrupt(struct emu_qm *qm)
{
	*emu_qm_reg(qm, REG_MESSAGE_SOURCE) |= 1;
	*emu_qm_reg(qm, REG_MESSAGE_STATUS) |= 1;
	if (!(*emu_qm_reg(qm, REG_MESSAGE_MASK) & 1) && emu_qm_vectors(qm) > VECTOR)
		emu_qm_msi(qm, VECTOR);
}

/* A bit of a register that has one for each function. */
static uint32_t *find_bit(struct emu_qm *pf, uint32_t off, unsigned int number, uint32_t *bit)
{
	*bit = 1u << number % 32;
	return emu_qm_reg(pf, off + number / 32 * sizeof(uint32_t));
}

static void tell_vfs(struct emu_qm *pf)
{
	const unsigned int to = *emu_qm_reg(pf, REG_MESSAGE_TO) & TO_ALL;

	for (unsigned int i = 1; i < EMU_QM_FUNCTIONS; i++) {
		uint32_t bit, *ready = find_bit(pf, REG_MESSAGE_READY, i, &bit);

		if (!pf->function[i] || (to != i && to != TO_ALL))
			continue;
		*ready |= bit;
		interrupt(pf->function[i]);
	}
}

/* The PF has taken what these VFs said. */
static void release_vfs(struct emu_qm *pf, uint32_t off, uint32_t bits)
{
	const unsigned int first = (off - REG_MESSAGE_FROM) / sizeof(uint32_t) * 32;

	for (unsigned int i = 0; i < 32; i++)
		if (bits >> i & 1 && pf->function[first + i])
			*emu_qm_reg(pf->function[first + i], REG_MESSAGE_SET) = 0;
}

/* The function has taken what it was told of. */
static void acknowledge(struct emu_qm *qm)
{
	uint32_t bit, *ready = find_bit(qm->pf, REG_MESSAGE_READY, qm->number, &bit);

	if (*emu_qm_reg(qm, REG_MESSAGE_SOURCE) & 1)
		return;
	*emu_qm_reg(qm, REG_MESSAGE_STATUS) = 0;
	*ready &= ~bit;
}

static void tell_pf(struct emu_qm *qm)
{
	uint32_t bit, *from = find_bit(qm->pf, REG_MESSAGE_FROM, qm->number, &bit);

	*emu_qm_reg(qm, REG_MESSAGE_SET) &= 1;
	/* A PF has nobody above it. */
	if (!qm->number)
		*emu_qm_reg(qm, REG_MESSAGE_SET) = 0;
	if (!*emu_qm_reg(qm, REG_MESSAGE_SET))
		return;
	*from |= bit;
	interrupt(qm->pf);
}

bool emu_qm_message_act(struct emu_qm *qm, uint32_t off, uint32_t old)
{
	switch (off) {
	case REG_MESSAGE_SOURCE:
		acknowledge(qm);
		return true;
	case REG_MESSAGE_SET:
		tell_pf(qm);
		return true;
	case REG_MESSAGE_SEND:
		if (*emu_qm_reg(qm, off) & 1)
			tell_vfs(qm);
		*emu_qm_reg(qm, off) = 0;
		return true;
	case REG_MESSAGE_FROM:
	case REG_MESSAGE_FROM + 4:
		release_vfs(qm, off, old & ~*emu_qm_reg(qm, off));
		return true;
	default:
		return false;
	}
}
