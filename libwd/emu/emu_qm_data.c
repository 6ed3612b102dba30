// SPDX-License-Identifier: Zlib
/*
 * The memory of a request: data, lists and contexts, by the PASID of its queue where it has one.
 * Rings, contexts of queues and events never go by it (hardware reference, 8 and 16.1).
 */
#include "emu_qm_priv.h"

#include <errno.h>

#define USER_SSV 1 /* of REG_ZIP_DATA_RUSER and _WUSER: send the queue's PASID along */

/*
 * Version 3 has a switch in each queue's context; version 2 has one for the whole function. -1: the
 * queue's memory has no PASID.
 */
int emu_qm_pasid(struct emu_qm *qm, const struct emu_qm_pair *pair)
{
	const struct emu_qm_context *sq = &pair->sq.context;

	if (qm->opt.qm == 1)
		return -1;
	if (qm->opt.qm == 2)
		return *emu_qm_reg(qm, REG_ZIP_DATA_RUSER) & *emu_qm_reg(qm, REG_ZIP_DATA_WUSER) &
				       USER_SSV
			       ? sq->pasid
			       : -1;
	return sq->flags & CONTEXT_SQ_PASID ? sq->pasid : -1;
}

int emu_qm_remote(void *owner, uint64_t iova, void *buf, uint64_t len, int flag)
{
	struct emu_qm *qm = owner;
	const struct emu_qm_tag *tag = qm->dma.is_remote ? &qm->tag : NULL;
	int ret;

	if (!qm->host.dma)
		return -EFAULT;
	/* Whatever lies in the table may be used; a page table has to be asked. */
	if (!buf && !tag)
		return 0;
	/* It waits for some already, and is executed anew in any case. */
	if (tag && qm->is_paged)
		return -EAGAIN;
	ret = qm->host.dma(qm->host.owner, tag, iova, buf, len, flag);
	if (ret == -EAGAIN && tag && !tag->is_final)
		qm->is_paged = true;
	return ret;
}

static void begin(struct emu_qm *qm, const struct emu_qm_tag *tag)
{
	qm->tag = *tag;
	qm->dma.is_remote = tag->pasid >= 0;
	qm->is_paged = false;
}

static void end(struct emu_qm *qm)
{
	qm->dma.is_remote = false;
}

/*
 * What the bus says of memory that was out of reach. Where page tables of processes are between,
 * that is no error that closes the master: no process could be let in otherwise (a guess; 14.2 has
 * a bit).
 */
static uint32_t error_bits(const struct emu_qm *qm)
{
	if (!qm->zip.denied || !qm->opt.strict)
		return 0;
	if (qm->tag.pasid >= 0)
		return ERROR_ZIP_SVA;
	return (qm->zip.denied & EMU_DMA_READ ? ERROR_ZIP_AXI_READ : 0) |
	       (qm->zip.denied & EMU_DMA_WRITE ? ERROR_ZIP_AXI_WRITE : 0);
}

int emu_qm_execute_data(struct emu_qm *qm, const struct emu_qm_tag *tag, unsigned int alg_type,
			struct hisi_zip_sqe *sqe)
{
	uint32_t bits;

	begin(qm, tag);
	emu_zip_exec(&qm->zip, alg_type, sqe);
	end(qm);
	if (qm->is_paged)
		return -EAGAIN;
	bits = error_bits(qm);
	if (bits)
		emu_qm_error(qm, 0, bits);
	return 0;
}

void emu_qm_damage_data(struct emu_qm *qm, const struct emu_qm_tag *tag,
			const struct hisi_zip_sqe *sqe)
{
	begin(qm, tag);
	emu_zip_damage(&qm->zip, sqe);
	end(qm);
}
