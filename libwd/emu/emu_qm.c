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
	if (version(qm) == 1)
		return 1;
	return version(qm) == 2 && qm->number ? 2 : 4;
}

uint64_t emu_qm_bar_len(const struct emu_qm *qm, unsigned int bar)
{
	if (bar == 2)
		return qm->number ? REG_FUNCTION_END : REG_END;
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

static void forget_queues(struct emu_qm *qm)
{
	qm->queues_nr = 0;
	memset(&qm->eq, 0, sizeof(qm->eq));
	memset(&qm->aeq, 0, sizeof(qm->aeq));
	emu_qm_drop_pairs(qm);
	emu_qm_flight_end(qm);
	qm->write_back.is_busy = false;
	qm->sqc_table = qm->cqc_table = 0;
}

void emu_qm_forget(struct emu_qm *qm)
{
	if (qm->number) {
		forget_queues(qm);
		emu_qm_count_queues(qm);
		return;
	}
	memset(qm->vft, 0, sizeof(qm->vft));
	for (unsigned int i = 0; i < EMU_QM_FUNCTIONS; i++)
		if (qm->function[i])
			forget_queues(qm->function[i]);
	qm->is_shut = false;
}

static bool is_busy(const struct emu_qm *qm)
{
	for (unsigned int i = 0; i < qm->queues_nr; i++)
		if (!emu_qm_is_idle(&qm->pair[i]))
			return true;
	return false;
}

void emu_qm_function_reset(struct emu_qm *qm)
{
	qm->stats.resets++;
	/* A VF's requests do not end by its reset, and the PF learns that. */
	if (qm->number && qm->opt.strict && is_busy(qm))
		emu_qm_error(qm, ERROR_FLR_TIMEOUT, 0);
	emu_qm_forget(qm);
	if (!qm->number)
		memset(&qm->master, 0, sizeof(qm->master));
	emu_qm_reset_registers(qm);
	emu_qm_reset_config(qm);
	emu_qm_mailbox_reset(qm);
	memset(qm->message, 0, sizeof(qm->message));
}

/* As a host's driver gave them: the same to each function. */
static void share_queues(struct emu_qm *qm)
{
	const uint64_t share = qm->queues_max / (qm->opt.vfs + 1);

	for (uint64_t i = 1; i <= qm->opt.vfs; i++) {
		qm->vft[0][i] = share * i << 28 | UINT64_C(1) << 44 | (share - 1) << 45;
		qm->vft[1][i] = 1u << 28;
		if (qm->function[i])
			emu_qm_count_queues(qm->function[i]);
	}
}

void emu_qm_reset(struct emu_qm *qm)
{
	emu_qm_forget(qm);
	emu_qm_function_reset(qm);
	emu_qm_flight_reset(qm);
	if (qm->number)
		return;
	for (unsigned int i = 1; i < EMU_QM_FUNCTIONS; i++)
		if (qm->function[i])
			emu_qm_flight_reset(qm->function[i]);
	share_queues(qm);
}

void emu_qm_unplug(struct emu_qm *qm)
{
	for (unsigned int i = 0; i < EMU_QM_FUNCTIONS; i++) {
		struct emu_qm *function = qm->pf->function[i];

		if (function) {
			function->is_gone = true;
			emu_qm_drop_pairs(function);
		}
	}
}

static void free_parts(struct emu_qm *qm)
{
	emu_zip_fini(&qm->zip);
	emu_streams_free(qm->streams);
	emu_dma_fini(&qm->dma);
	free(qm->reg);
	free(qm->pair);
	free(qm);
}

/* Of a PF or of a VF, whose options are there. -ENOMEM. */
static int new_parts(struct emu_qm *qm, const struct emu_qm_host *host)
{
	qm->host = *host;
	qm->dma.remote = emu_qm_remote;
	qm->dma.owner = qm;
	qm->zip.qm = version(qm);
	qm->zip.is_wary = true;
	qm->streams = emu_streams_new();
	qm->reg = calloc(1, emu_qm_bar_len(qm, 2));
	qm->pair = calloc(qm->queues_max, sizeof(*qm->pair));
	if (!qm->streams || !qm->reg || !qm->pair)
		return -ENOMEM;
	qm->zip.work = qm->zip.codec->work_new(qm->streams);
	if (!qm->zip.work)
		return -ENOMEM;
	emu_dma_attach(&qm->dma, &qm->zip.dma);
	return 0;
}

static int check_options(struct emu_qm *qm)
{
	qm->zip.codec = emu_codec_choose(qm->opt.engine);
	/* A driver takes at least two; the depth has 12 bits in a context. */
	if (!qm->zip.codec || qm->opt.queues < 2 || qm->opt.depth > 4096)
		return -EINVAL;
	/* Version 1 has no table of which VF has which queues. */
	if (qm->opt.vfs && (version(qm) == 1 || qm->opt.queues < 2 * (qm->opt.vfs + 1)))
		return -EINVAL;
	return 0;
}

int emu_qm_new(const char *options, unsigned int flags, const struct emu_qm_host *host,
	       struct emu_qm **result)
{
	struct emu_qm *qm = calloc(1, sizeof(*qm));
	int ret;

	if (!qm)
		return -ENOMEM;
	qm->pf = qm->function[0] = qm;
	emu_dma_init(&qm->dma);
	ret = emu_options_parse(&qm->opt, options);
	if (!ret)
		ret = check_options(qm);
	if (ret)
		goto free;
	qm->flags = version(qm) < 3 ? 0 : flags;
	qm->queues_max = qm->opt.queues;
	/* Drivers know these numbers without asking (hardware reference, 5.1). */
	if (version(qm) < 3) {
		qm->queues_max = version(qm) == 1 ? 4096 : 1024;
		qm->opt.depth = HISI_QM_DEFAULT_DEPTH;
	}
	ret = new_parts(qm, host);
	if (ret)
		goto free;
	emu_qm_reset(qm);
	qm->stats.resets = 0;
	*result = qm;
	return 0;

free:
	free_parts(qm);
	return ret;
}

int emu_qm_new_vf(struct emu_qm *pf, const struct emu_qm_host *host, struct emu_qm **result)
{
	unsigned int number = 1;
	struct emu_qm *qm;

	while (number <= pf->opt.vfs && pf->function[number])
		number++;
	if (pf->number)
		return -EINVAL;
	if (number > pf->opt.vfs)
		return -ENOSPC;
	qm = calloc(1, sizeof(*qm));
	if (!qm)
		return -ENOMEM;
	emu_dma_init(&qm->dma);
	qm->pf = pf;
	qm->number = number;
	qm->opt = pf->opt;
	qm->flags = pf->flags;
	qm->queues_max = pf->queues_max;
	qm->zip.codec = pf->zip.codec;
	if (new_parts(qm, host)) {
		free_parts(qm);
		return -ENOMEM;
	}
	pf->function[number] = qm;
	emu_qm_reset(qm);
	qm->stats.resets = 0;
	*result = qm;
	return 0;
}

void emu_qm_free(struct emu_qm *qm)
{
	if (!qm)
		return;
	qm->pf->function[qm->number] = NULL;
	free_parts(qm);
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
