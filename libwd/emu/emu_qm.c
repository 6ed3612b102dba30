// SPDX-License-Identifier: Zlib
/* The queue manager's life: from power-on to its end. */
#include "emu_qm_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static unsigned int version(const struct emu_qm *qm)
{
	return qm->opt.qm;
}

unsigned int emu_qm_vectors(const struct emu_qm *qm)
{
	return version(qm) == 1 ? 1 : 4;
}

uint64_t emu_qm_bar_len(const struct emu_qm *qm, unsigned int bar)
{
	if (bar == 2)
		return REG_END;
	if (bar == 4 && qm->flags & EMU_QM_ISOLATED) {
		uint64_t len = EMU_QM_DB_PAGE;

		while (len < (uint64_t)qm->queues_max * EMU_QM_DB_PAGE)
			len *= 2;
		return len;
	}
	return 0;
}

void emu_qm_msi(struct emu_qm *qm, unsigned int vector)
{
	qm->stats.interrupts++;
	qm->host.msi(qm->host.owner, vector);
}

void emu_qm_forget(struct emu_qm *qm)
{
	memset(qm->vft, 0, sizeof(qm->vft));
	qm->queues_nr = 0;
	memset(&qm->eq, 0, sizeof(qm->eq));
	memset(&qm->aeq, 0, sizeof(qm->aeq));
	emu_qm_drop_pairs(qm);
	qm->is_shut = false;
	qm->write_back.is_busy = false;
	qm->sqc_table = qm->cqc_table = 0;
}

void emu_qm_function_reset(struct emu_qm *qm)
{
	qm->stats.resets++;
	emu_qm_forget(qm);
	memset(&qm->master, 0, sizeof(qm->master));
	emu_qm_reset_registers(qm);
	emu_qm_reset_config(qm);
	emu_qm_mailbox_reset(qm);
	qm->message = 0;
}

void emu_qm_reset(struct emu_qm *qm)
{
	emu_qm_function_reset(qm);
	emu_qm_flight_reset(qm);
}

void emu_qm_unplug(struct emu_qm *qm)
{
	qm->is_gone = true;
	emu_qm_drop_pairs(qm);
}

static int remote(void *owner, uint64_t iova, void *buf, uint64_t len, int flag)
{
	struct emu_qm *qm = owner;

	return qm->host.dma ? qm->host.dma(qm->host.owner, iova, buf, len, flag) : -EFAULT;
}

int emu_qm_new(const char *options, unsigned int flags, const struct emu_qm_host *host,
	       struct emu_qm **result)
{
	struct emu_qm *qm = calloc(1, sizeof(*qm));
	int ret = -ENOMEM;

	if (!qm)
		return ret;
	emu_dma_init(&qm->dma);
	ret = emu_options_parse(&qm->opt, options);
	if (ret)
		goto free_qm;
	ret = -EINVAL;
	qm->zip.codec = emu_codec_choose(qm->opt.engine);
	/* A driver takes at least two; the depth has 12 bits in a context. */
	if (!qm->zip.codec || qm->opt.queues < 2 || qm->opt.depth > 4096)
		goto free_qm;
	ret = -ENOMEM;
	qm->host = *host;
	qm->flags = version(qm) < 3 ? 0 : flags;
	qm->queues_max = qm->opt.queues;
	/* Drivers know these numbers without asking (hardware reference, 5.1). */
	if (version(qm) < 3) {
		qm->queues_max = version(qm) == 1 ? 4096 : 1024;
		qm->opt.depth = HISI_QM_DEFAULT_DEPTH;
	}
	qm->dma.remote = remote;
	qm->dma.owner = qm;
	qm->zip.qm = version(qm);
	qm->zip.is_wary = true;
	qm->streams = emu_streams_new();
	qm->reg = calloc(1, REG_END);
	qm->pair = calloc(qm->queues_max, sizeof(*qm->pair));
	if (!qm->streams || !qm->reg || !qm->pair)
		goto free_parts;
	qm->zip.work = qm->zip.codec->work_new(qm->streams);
	if (!qm->zip.work)
		goto free_parts;
	emu_dma_attach(&qm->dma, &qm->zip.dma);
	emu_qm_reset(qm);
	qm->stats.resets = 0;
	*result = qm;
	return 0;

free_parts:
	emu_streams_free(qm->streams);
	free(qm->reg);
	free(qm->pair);
free_qm:
	emu_dma_fini(&qm->dma);
	free(qm);
	return ret;
}

void emu_qm_free(struct emu_qm *qm)
{
	if (!qm)
		return;
	emu_zip_fini(&qm->zip);
	emu_streams_free(qm->streams);
	emu_dma_fini(&qm->dma);
	free(qm->reg);
	free(qm->pair);
	free(qm);
}

int emu_qm_map(struct emu_qm *qm, uint64_t iova, void *va, uint64_t len, int flags)
{
	/* For emu_dma that is the whole address space, as it is in this process. */
	if (len == UINT64_MAX)
		return -EINVAL;
	if (qm->dma.nr >= EMU_QM_MAPS_MAX)
		return -ENOSPC;
	return emu_dma_add(&qm->dma, iova, va, len, flags);
}

void emu_qm_unmap(struct emu_qm *qm, uint64_t iova, uint64_t len)
{
	emu_dma_remove(&qm->dma, iova, len);
}

void emu_qm_stats(const struct emu_qm *qm, struct emu_qm_stats *stats)
{
	*stats = qm->stats;
}
