// SPDX-License-Identifier: GPL-2.0-only
/* Errors of the PF's hardware, as registers tell them: chapter 14 of the hardware reference. */
#include "priv.h"

/* All but those of the bus, which wd_qm_err_settled() adds. */
static u32 reported(struct wd_qm *qm)
{
	return qm->err_ce | qm->err_nfe;
}

void wd_qm_err_enable(struct wd_qm *qm)
{
	if (qm->version == WD_QM_V1) {
		wd_qm_write(qm, QM_ERR_MASK, ~0u);
		return;
	}
	/* Until all is back the port by which interrupts are written stays shut. */
	if (qm->has_ecc)
		wd_qm_update(qm, QM_PORT_WRITE, QM_PORT_WRITE_MSI, 0);
	wd_qm_write(qm, QM_ERR_SOURCE, ~0u);
	if (qm->has_ecc)
		wd_qm_write(qm, QM_ROB_ECC, QM_ROB_ECC_MULTI);
	wd_qm_write(qm, QM_RAS_CE, qm->err_ce);
	wd_qm_write(qm, QM_RAS_CE_THRESHOLD, 1);
	wd_qm_write(qm, QM_RAS_NFE, qm->err_nfe);
	wd_qm_write(qm, QM_RAS_FE, 0);
	if (qm->version >= WD_QM_V3)
		wd_qm_write(qm, QM_SHUTDOWN_SEL, qm->err_shutdown);
	wd_qm_write(qm, QM_ERR_MASK, ~reported(qm) | QM_ERR_AXI);
	qm->engine->err_enable(qm);
	qm->engine->err_axi(qm, false);
}

/* All functions work: what a VF that was still being reset did to the bus is forgotten. */
void wd_qm_err_settled(struct wd_qm *qm)
{
	if (qm->is_vf || qm->version == WD_QM_V1)
		return;
	wd_qm_write(qm, QM_ERR_SOURCE, QM_ERR_AXI);
	wd_qm_write(qm, QM_ERR_MASK, ~reported(qm));
	qm->engine->err_axi(qm, true);
	if (qm->has_ecc)
		wd_qm_update(qm, QM_PORT_WRITE, 0, QM_PORT_WRITE_MSI);
	qm->has_ecc = false;
}

void wd_qm_err_disable(struct wd_qm *qm)
{
	if (qm->is_vf)
		return;
	qm->engine->err_disable(qm);
	wd_qm_write(qm, QM_ERR_MASK, ~0u);
	if (qm->version >= WD_QM_V3)
		wd_qm_write(qm, QM_SHUTDOWN_SEL, 0);
}

static u32 pending(struct wd_qm *qm, u32 *engine, bool *is_reset)
{
	u32 status;

	*is_reset = false;
	if (qm->is_vf || qm->version == WD_QM_V1)
		return *engine = 0;
	status = wd_qm_read(qm, QM_ERR_STATUS) & reported(qm);
	*engine = qm->engine->err_status(qm, is_reset);
	*is_reset |= status & qm->err_reset;
	return status;
}

/* An error waits for the reset that it needs. */
bool wd_qm_err_is_latched(struct wd_qm *qm)
{
	bool is_reset;
	u32 engine;

	pending(qm, &engine, &is_reset);
	return is_reset;
}

/* Forgets what is harmless. true: a reset is needed. *is_flooded: events were lost. */
bool wd_qm_err_look(struct wd_qm *qm, bool *is_flooded)
{
	bool is_reset;
	u32 engine, status = pending(qm, &engine, &is_reset);

	*is_flooded = status & QM_ERR_FIFO;
	if (!status && !engine)
		return false;
	dev_err_ratelimited(&qm->pdev->dev, "hardware errors: queues 0x%x, engine 0x%x\n", status,
			    engine);
	if (is_reset)
		return true;
	/* Firmware may have disabled the reports: they are enabled again (chapter 21). */
	wd_qm_write(qm, QM_ERR_SOURCE, status);
	wd_qm_write(qm, QM_RAS_CE, qm->err_ce);
	wd_qm_write(qm, QM_RAS_NFE, qm->err_nfe);
	qm->engine->err_clear(qm, engine);
	return false;
}

/* V2, before a reset: after an ECC error of either the way to memory must be shut by both. */
void wd_qm_err_ecc(struct wd_qm *qm)
{
	bool is_reset, is_engine;
	u32 engine, status;

	if (qm->is_vf || qm->version != WD_QM_V2)
		return;
	status = pending(qm, &engine, &is_reset);
	is_engine = engine & qm->engine->ecc_bits;
	qm->has_ecc = is_engine || status & QM_ERR_ECC_MULTI;
	if (qm->has_ecc && !is_engine)
		qm->engine->ecc_raise(qm);
}
