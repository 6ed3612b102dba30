// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sequences of registers and mailbox commands: chapters 7 and 13 of the hardware reference. Whoever
 * masks interrupts here waits for their handlers himself.
 */
#include <linux/delay.h>
#include "priv.h"

static int vft_write(struct wd_qm *qm, u32 function, enum wd_qm_vft_type type, u64 entry)
{
	int ret;

	ret = wd_qm_poll(qm, QM_VFT_READY, 1, 1, QM_REG_TIMEOUT_US);
	if (ret)
		return ret;
	wd_qm_write(qm, QM_VFT_OP_READ, 0);
	wd_qm_write(qm, QM_VFT_TYPE, type);
	wd_qm_write(qm, QM_VFT_FUNCTION, function);
	wd_qm_write(qm, QM_VFT_DATA_L, lower_32_bits(entry));
	wd_qm_write(qm, QM_VFT_DATA_H, upper_32_bits(entry));
	wd_qm_write(qm, QM_VFT_READY, 0);
	wd_qm_write(qm, QM_VFT_OP_ENABLE, 1);
	return wd_qm_poll(qm, QM_VFT_READY, 1, 1, QM_REG_TIMEOUT_US);
}

/* Gives queues [base, base + nr) of the controller to a function; nr 0 takes them away. */
int wd_qm_set_vft(struct wd_qm *qm, u32 function, u32 base, u32 nr)
{
	int ret;

	if (nr && (base >= qm->qp_total || nr > qm->qp_total - base))
		return -EINVAL;
	ret = vft_write(qm, function, WD_QM_VFT_SQC,
			wd_qm_vft_entry(qm->version, WD_QM_VFT_SQC, base, nr));
	if (ret)
		return ret;
	return vft_write(qm, function, WD_QM_VFT_CQC,
			 wd_qm_vft_entry(qm->version, WD_QM_VFT_CQC, base, nr));
}

/*
 * PF: everything that a reset of the registers took away, and the context memory. Errors of the bus
 * are reported from wd_qm_err_settled() on.
 */
int wd_qm_hw_init(struct wd_qm *qm)
{
	int ret;

	if (qm->is_vf)
		return 0;
	wd_qm_write(qm, QM_MASTER_CTRL, 0);
	ret = qm->engine->hw_init(qm);
	if (ret)
		return ret;
	wd_qm_err_enable(qm);
	if (qm->version != WD_QM_V1)
		qm->engine->master_open(qm);
	wd_qm_write(qm, QM_DB_TIMEOUT, QM_DB_TIMEOUT_VALUE);
	if (qm->version >= WD_QM_V3)
		wd_qm_update(qm, QM_PM_CTRL, 0, QM_PM_IDLE_DISABLE);
	wd_qm_write(qm, QM_MEM_START, 1);
	return wd_qm_poll(qm, QM_MEM_DONE, 1, 1, QM_REG_TIMEOUT_US);
}

static int start_vfts(struct wd_qm *qm)
{
	int ret = wd_qm_set_vft(qm, 0, 0, qm->qp_nr);

	for (u32 vf = 1; !ret && vf <= qm->vf_nr; vf++) {
		struct wd_qm_range range = wd_qm_vf_range(qm->qp_total, qm->qp_nr, qm->qp_max,
							  qm->vf_nr, vf);

		ret = wd_qm_set_vft(qm, vf, range.base, range.nr);
	}
	return ret;
}

/* No event interrupts from here on. events_lock held. */
void wd_qm_hw_mask(struct wd_qm *qm)
{
	wd_qm_write(qm, QM_EQ_INT_MASK, 1);
	wd_qm_write(qm, QM_AEQ_INT_MASK, 1);
}

static int events_load(struct wd_qm *qm, struct wd_qm_events *events, enum wd_qm_mbox_cmd cmd,
		       u32 elem_shift)
{
	struct wd_qm_eqc eqc = wd_qm_eqc_pack(events->dma, events->depth, elem_shift);
	int ret;

	memset(events->entries, 0, events->depth * sizeof(u32));
	events->head = 0;
	events->phase = WD_QM_PHASE;
	events->empty_nr = 0;
	ret = wd_qm_mbox_load(qm, cmd, 0, &eqc);
	/* Somebody spoils the exchange: if the device got another place, that will be noticed. */
	return ret == -EBADMSG ? 0 : ret;
}

static int events_load_all(struct wd_qm *qm)
{
	int ret = events_load(qm, &qm->eq, WD_QM_MBOX_EQC,
			      qm->version == WD_QM_V1 ? WD_QM_EQE_SHIFT : 0);

	if (!ret && qm->irq_aeq.is_present)
		ret = events_load(qm, &qm->aeq, WD_QM_MBOX_AEQC, 0);
	return ret;
}

static void events_open(struct wd_qm *qm)
{
	if (qm->irq_aeq.is_present)
		wd_qm_ring_event(qm, WD_QM_DB_CMD_AEQ, 0);
	wd_qm_ring_event(qm, WD_QM_DB_CMD_EQ, 0);
	wd_qm_write(qm, QM_EQ_INT_MASK, 0);
	wd_qm_write(qm, QM_AEQ_INT_MASK, qm->irq_aeq.is_present ? 0 : 1);
}

/* Both event rings begin anew, whatever they held is lost. events_lock held. */
int wd_qm_hw_events(struct wd_qm *qm)
{
	int ret;

	lockdep_assert_held(&qm->events_lock);
	wd_qm_hw_mask(qm);
	ret = events_load_all(qm);
	if (!ret)
		events_open(qm);
	return ret;
}

/* No doorbell revives a context that the device reads again (chapter 8.4). */
static void tables_kill(struct wd_qm *qm)
{
	struct wd_qm_sqc *sqc = qm->sqc_table;
	struct wd_qm_cqc *cqc = qm->cqc_table;

	for (u32 i = 0; i < qm->qp_nr; i++) {
		sqc[i] = wd_qm_sqc_dead();
		cqc[i] = wd_qm_cqc_dead();
	}
}

static u32 page_size_code(void)
{
	switch (PAGE_SIZE) {
	case 0x10000:
		return 2;
	case 0x4000:
		return 1;
	default:
		return 0;
	}
}

/* Queues to each function, event rings, base tables, interrupts on: chapter 13.2. */
int wd_qm_hw_start(struct wd_qm *qm)
{
	int ret;

	if (!qm->is_vf) {
		ret = start_vfts(qm);
		if (ret)
			return ret;
	}
	mutex_lock(&qm->events_lock);
	memset(qm->sqc_table, 0, qm->qp_nr * WD_QM_CTX_LEN);
	memset(qm->cqc_table, 0, qm->qp_nr * WD_QM_CTX_LEN);
	ret = events_load_all(qm);
	if (!ret)
		ret = wd_qm_mbox(qm, WD_QM_MBOX_SQC_BT, 0, qm->sqc_dma);
	if (!ret)
		ret = wd_qm_mbox(qm, WD_QM_MBOX_CQC_BT, 0, qm->cqc_dma);
	if (!ret) {
		if (qm->cap_flags & QM_CAP_HAS_PREFETCH)
			wd_qm_write(qm, QM_PAGE_SIZE, page_size_code());
		events_open(qm);
		if (qm->is_vf && qm->version >= WD_QM_V3)
			wd_qm_write(qm, QM_VF_STATE, 0);
	}
	mutex_unlock(&qm->events_lock);
	return ret;
}

static void vft_remove(struct wd_qm *qm)
{
	if (!qm->is_vf && wd_qm_set_vft(qm, 0, 0, 0))
		pci_warn(qm->pdev, "queues could not be taken away\n");
}

/*
 * An orderly end, events are masked: queues are flushed and taken away, contexts written back and
 * marked as dead: 13.3 and 13.4.
 */
void wd_qm_hw_stop(struct wd_qm *qm)
{
	if (qm->cap_flags & QM_CAP_HAS_STOP_FUNC)
		wd_qm_mbox(qm, WD_QM_MBOX_FLUSH_QM, 0, 0);
	vft_remove(qm);
	wd_qm_write(qm, QM_CACHE_WB_START, 1);
	if (wd_qm_poll(qm, QM_CACHE_WB_DONE, 1, 1, QM_REG_TIMEOUT_US))
		pci_warn(qm->pdev, "contexts were not written back\n");
	tables_kill(qm);
	if (qm->is_vf && qm->version >= WD_QM_V3)
		wd_qm_write(qm, QM_VF_STATE, QM_VF_NOT_READY);
}

/*
 * The end before a reset of the controller, whose way to memory may be shut: nothing that would
 * have to be answered from there, neither a flush nor the write-back (14.4).
 */
void wd_qm_hw_abandon(struct wd_qm *qm)
{
	vft_remove(qm);
	tables_kill(qm);
}

/* 0: nothing of this function, or of the whole controller on a PF, is on its way to memory. */
int wd_qm_hw_halt(struct wd_qm *qm)
{
	if (qm->is_vf) {
		if (!(qm->cap_flags & QM_CAP_HAS_STOP_FUNC))
			return -EOPNOTSUPP;
		return wd_qm_mbox(qm, WD_QM_MBOX_FLUSH_QM, 0, 0);
	}
	wd_qm_write(qm, QM_MASTER_CTRL, QM_MASTER_STOP);
	return wd_qm_poll(qm, QM_MASTER_RETURN, ~0u, QM_MASTER_DRAINED, QM_REG_TIMEOUT_US);
}

/* For whoever drives the function next. Bus mastering is off. */
void wd_qm_hw_release(struct wd_qm *qm)
{
	if (!qm->is_vf)
		wd_qm_write(qm, QM_MASTER_CTRL, 0);
}

/* V1 and V2: do requests reach the device at all? Chapter 14.4. */
int wd_qm_hw_reach(struct wd_qm *qm)
{
	int ret;

	wd_qm_write(qm, QM_PEH_VENDOR, QM_PEH_VENDOR_PROBE);
	ret = wd_qm_poll(qm, QM_PEH_VENDOR, ~0u, QM_PEH_VENDOR_PROBE, QM_REG_TIMEOUT_US);
	if (ret)
		return ret;
	wd_qm_write(qm, QM_PEH_VENDOR, PCI_VENDOR_ID_HUAWEI);
	return wd_qm_poll(qm, QM_PEH_VENDOR, ~0u, PCI_VENDOR_ID_HUAWEI, QM_REG_TIMEOUT_US);
}

/*
 * PF: the memory space of its VFs. A doorbell that a user rings into a block that is being reset is
 * an error of the bus.
 */
int wd_qm_hw_vf_memory(struct wd_qm *qm, bool is_on)
{
	int pos = pci_find_ext_capability(qm->pdev, PCI_EXT_CAP_ID_SRIOV);
	u16 ctrl, is;

	if (qm->is_vf || !qm->vf_nr || !pos)
		return 0;
	pci_read_config_word(qm->pdev, pos + PCI_SRIOV_CTRL, &ctrl);
	ctrl = is_on ? ctrl | PCI_SRIOV_CTRL_MSE : ctrl & ~PCI_SRIOV_CTRL_MSE;
	pci_write_config_word(qm->pdev, pos + PCI_SRIOV_CTRL, ctrl);
	for (int turn = 0; turn < 1000; turn++) {
		pci_read_config_word(qm->pdev, pos + PCI_SRIOV_CTRL, &is);
		if (!((is ^ ctrl) & PCI_SRIOV_CTRL_MSE))
			return 0;
		udelay(1);
	}
	return -ETIMEDOUT;
}

/* PF: no interrupt is sent nor on its way. The PCI core's saved state has it on again. */
int wd_qm_hw_msi_off(struct wd_qm *qm)
{
	int pos = pci_find_capability(qm->pdev, PCI_CAP_ID_MSI);
	u32 bits = qm->version >= WD_QM_V3 ? QM_PEH_MSI_BUSY_V3 : ~0u;
	u16 flags;

	pci_read_config_word(qm->pdev, pos + PCI_MSI_FLAGS, &flags);
	pci_write_config_word(qm->pdev, pos + PCI_MSI_FLAGS, flags & ~PCI_MSI_FLAGS_ENABLE);
	return wd_qm_poll(qm, QM_PEH_MSI_BUSY, bits, 0, QM_REG_TIMEOUT_US);
}
