// SPDX-License-Identifier: GPL-2.0-only
/* Sequences of registers and mailbox commands: chapters 4, 6, 7, 13 of the hardware reference. */
#include <linux/delay.h>
#include <linux/iopoll.h>
#include "priv.h"

#define POLL_US 10
#define REG_TIMEOUT_US 100000 /* the hardware takes at most 1 ms, a model's host may be busy */
#define MBOX_TIMEOUT_US 1000000
#define MBOX_STOP_TIMEOUT_US 5000000

#define ALL_ONES (~0u) /* what reads give when no device answers */

int wd_qm_poll(struct wd_qm *qm, u32 offset, u32 mask, u32 value, u32 timeout_us)
{
	u32 word;
	int ret;

	ret = readl_poll_timeout(qm->io + offset, word,
				 word == ALL_ONES || (word & mask) == value, POLL_US,
				 timeout_us);
	if (word == ALL_ONES && wd_qm_is_gone(qm))
		return -ENODEV;
	if (ret)
		return ret;
	return (word & mask) == value ? 0 : -EIO;
}
EXPORT_SYMBOL_GPL(wd_qm_poll);

/* All ones may be a register's value: ask the configuration space. */
bool wd_qm_is_gone(struct wd_qm *qm)
{
	return READ_ONCE(qm->state) == WD_QM_GONE || !pci_device_is_present(qm->pdev);
}

/*
 * The device acts on one store of 128 bits (chapter 6). Where there is no such store it acts on the
 * piece that holds the last word, so the pieces go in ascending order.
 */
static void mbox_store(void __iomem *addr, u32 word, u64 base)
{
	/* The context was written before the device is told to fetch it. */
	dma_wmb();
#ifdef CONFIG_ARM64
	{
		u64 low = word | (u64)lower_32_bits(base) << 32;
		u64 high = upper_32_bits(base);

		asm volatile("stp %x0, %x1, [%2]" : : "rZ"(low), "rZ"(high), "r"(addr) : "memory");
	}
#else
	writel(word, addr);
	writel(lower_32_bits(base), addr + 4);
	writel(upper_32_bits(base), addr + 8);
	writel(0, addr + 12);
#endif
}

static int mbox_locked(struct wd_qm *qm, enum wd_qm_mbox_cmd cmd, u16 number, dma_addr_t dma,
		       bool is_read, u64 *data)
{
	u32 timeout_us = cmd == WD_QM_MBOX_STOP_QP || cmd == WD_QM_MBOX_FLUSH_QM ?
				 MBOX_STOP_TIMEOUT_US :
				 MBOX_TIMEOUT_US;
	u32 word;
	int ret;

	wd_qm_count(qm, WD_QM_MBOX);
	/* With these errors pending the device's master is shut, nothing would be answered. */
	if (!qm->is_vf && (wd_qm_read(qm, QM_ERR_STATUS) & qm->err_shutdown)) {
		ret = wd_qm_is_gone(qm) ? -ENODEV : -EIO;
		goto fail;
	}
	ret = wd_qm_poll(qm, QM_MBOX, WD_QM_MBOX_BUSY, 0, REG_TIMEOUT_US);
	if (ret)
		goto fail;
	mbox_store(qm->io + QM_MBOX, wd_qm_mbox_word(cmd, number, is_read), dma);
	ret = wd_qm_poll(qm, QM_MBOX, WD_QM_MBOX_BUSY, 0, timeout_us);
	if (ret)
		goto fail;
	word = wd_qm_read(qm, QM_MBOX);
	if (word & WD_QM_MBOX_STATUS) {
		ret = -EIO;
		goto fail;
	}
	if (data)
		*data = wd_qm_read(qm, QM_MBOX + 4) | (u64)wd_qm_read(qm, QM_MBOX + 8) << 32;
	return 0;
fail:
	wd_qm_count(qm, WD_QM_MBOX_FAILED);
	if (ret == -ENODEV)
		wd_qm_noticed_gone(qm);
	dev_err_ratelimited(&qm->pdev->dev, "mailbox command %d of queue %u failed: %d\n", cmd,
			    number, ret);
	return ret;
}

int wd_qm_mbox(struct wd_qm *qm, enum wd_qm_mbox_cmd cmd, u16 number, dma_addr_t dma, bool is_read,
	       u64 *data)
{
	int ret;

	mutex_lock(&qm->mbox_lock);
	ret = mbox_locked(qm, cmd, number, dma, is_read, data);
	mutex_unlock(&qm->mbox_lock);
	return ret;
}

/* ctx: WD_QM_CTX_LEN bytes, loaded or dumped. */
int wd_qm_mbox_ctx(struct wd_qm *qm, enum wd_qm_mbox_cmd cmd, u16 number, void *ctx, bool is_read)
{
	int ret;

	mutex_lock(&qm->mbox_lock);
	if (is_read)
		memset(qm->ctx.va, 0, WD_QM_CTX_LEN);
	else
		memcpy(qm->ctx.va, ctx, WD_QM_CTX_LEN);
	ret = mbox_locked(qm, cmd, number, qm->ctx.dma, is_read, NULL);
	if (!ret && is_read) {
		/* The device wrote the dump before it cleared the busy bit we saw. */
		dma_rmb();
		memcpy(ctx, qm->ctx.va, WD_QM_CTX_LEN);
	}
	mutex_unlock(&qm->mbox_lock);
	return ret;
}

void wd_qm_ring(struct wd_qm *qm, void __iomem *addr, u16 number, u16 cmd, u16 index, u16 priority)
{
	u64 value = wd_qm_doorbell(qm->version, number, cmd, index, priority);

	/* A doorbell is one store of 64 bits; the entries it tells of are written before it. */
	writeq(value, addr);
}

void __iomem *wd_qm_event_doorbell(struct wd_qm *qm)
{
	return qm->io + (qm->version == WD_QM_V1 ? QM_DB_V1 : QM_DB_EQ_AEQ);
}

static int vft_write(struct wd_qm *qm, u32 function, enum wd_qm_vft_type type, u64 entry)
{
	int ret;

	ret = wd_qm_poll(qm, QM_VFT_READY, 1, 1, REG_TIMEOUT_US);
	if (ret)
		return ret;
	wd_qm_write(qm, QM_VFT_OP_READ, 0);
	wd_qm_write(qm, QM_VFT_TYPE, type);
	wd_qm_write(qm, QM_VFT_FUNCTION, function);
	wd_qm_write(qm, QM_VFT_DATA_L, lower_32_bits(entry));
	wd_qm_write(qm, QM_VFT_DATA_H, upper_32_bits(entry));
	wd_qm_write(qm, QM_VFT_READY, 0);
	wd_qm_write(qm, QM_VFT_OP_ENABLE, 1);
	return wd_qm_poll(qm, QM_VFT_READY, 1, 1, REG_TIMEOUT_US);
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

void wd_qm_err_enable(struct wd_qm *qm)
{
	u32 mask = qm->err_ce | qm->err_nfe;

	if (qm->version == WD_QM_V1) {
		wd_qm_write(qm, QM_ERR_MASK, ~0u);
		return;
	}
	wd_qm_write(qm, QM_ERR_SOURCE, ~0u);
	wd_qm_write(qm, QM_RAS_CE, qm->err_ce);
	wd_qm_write(qm, QM_RAS_CE_THRESHOLD, 1);
	wd_qm_write(qm, QM_RAS_NFE, qm->err_nfe);
	wd_qm_write(qm, QM_RAS_FE, 0);
	if (qm->version >= WD_QM_V3)
		wd_qm_write(qm, QM_SHUTDOWN_SEL, qm->err_shutdown);
	wd_qm_write(qm, QM_ERR_MASK, ~mask);
	qm->engine->err_enable(qm);
}

void wd_qm_err_disable(struct wd_qm *qm)
{
	qm->engine->err_disable(qm);
	wd_qm_write(qm, QM_ERR_MASK, ~0u);
	if (qm->version >= WD_QM_V3)
		wd_qm_write(qm, QM_SHUTDOWN_SEL, 0);
}

/* PF: everything that a reset of the registers took away, and the context memory. */
int wd_qm_hw_init(struct wd_qm *qm)
{
	int ret;

	if (qm->is_vf)
		return 0;
	wd_qm_write(qm, QM_MASTER_CTRL, 0);
	wd_qm_write(qm, QM_DB_TIMEOUT, QM_DB_TIMEOUT_VALUE);
	if (qm->version >= WD_QM_V3)
		wd_qm_update(qm, QM_PM_CTRL, 0, QM_PM_IDLE_DISABLE);
	wd_qm_write(qm, QM_MEM_START, 1);
	ret = wd_qm_poll(qm, QM_MEM_DONE, 1, 1, REG_TIMEOUT_US);
	if (ret)
		return ret;
	ret = qm->engine->hw_init(qm);
	if (ret)
		return ret;
	wd_qm_err_enable(qm);
	if (qm->version != WD_QM_V1)
		qm->engine->master_open(qm);
	return 0;
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

static void events_reset(struct wd_qm_events *events)
{
	memset(events->entries, 0, events->depth * sizeof(u32));
	events->head = 0;
	events->phase = WD_QM_PHASE;
}

static int start_events(struct wd_qm *qm)
{
	struct wd_qm_eqc eqc;
	int ret;

	events_reset(&qm->eq);
	eqc = wd_qm_eqc_pack(qm->eq.dma, qm->eq.depth,
			     qm->version == WD_QM_V1 ? WD_QM_EQE_SHIFT : 0);
	ret = wd_qm_mbox_ctx(qm, WD_QM_MBOX_EQC, 0, &eqc, false);
	if (ret || !qm->irq_aeq.is_present)
		return ret;
	events_reset(&qm->aeq);
	eqc = wd_qm_eqc_pack(qm->aeq.dma, qm->aeq.depth, 0);
	return wd_qm_mbox_ctx(qm, WD_QM_MBOX_AEQC, 0, &eqc, false);
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

	qm->empty_nr = 0;
	if (!qm->is_vf) {
		ret = start_vfts(qm);
		if (ret)
			return ret;
	}
	ret = start_events(qm);
	if (ret)
		return ret;
	ret = wd_qm_mbox(qm, WD_QM_MBOX_SQC_BT, 0, qm->sqc_dma, false, NULL);
	if (ret)
		return ret;
	ret = wd_qm_mbox(qm, WD_QM_MBOX_CQC_BT, 0, qm->cqc_dma, false, NULL);
	if (ret)
		return ret;
	if (qm->cap_flags & QM_CAP_HAS_PREFETCH)
		wd_qm_write(qm, QM_PAGE_SIZE, page_size_code());
	if (qm->irq_aeq.is_present)
		wd_qm_ring(qm, wd_qm_event_doorbell(qm), 0, WD_QM_DB_CMD_AEQ, 0, 0);
	wd_qm_ring(qm, wd_qm_event_doorbell(qm), 0, WD_QM_DB_CMD_EQ, 0, 0);
	wd_qm_write(qm, QM_EQ_INT_MASK, 0);
	wd_qm_write(qm, QM_AEQ_INT_MASK, qm->irq_aeq.is_present ? 0 : 1);
	if (qm->is_vf && qm->version >= WD_QM_V3)
		wd_qm_write(qm, QM_VF_STATE, 0);
	return 0;
}

/* No more events; the PF's own queues are taken away, its tables written back: 13.3 and 13.4. */
void wd_qm_hw_stop(struct wd_qm *qm)
{
	wd_qm_write(qm, QM_EQ_INT_MASK, 1);
	wd_qm_write(qm, QM_AEQ_INT_MASK, 1);
	wd_qm_irq_sync(qm);
	if (!qm->is_vf && wd_qm_set_vft(qm, 0, 0, 0))
		pci_warn(qm->pdev, "queues could not be taken away\n");
	wd_qm_write(qm, QM_CACHE_WB_START, 1);
	if (wd_qm_poll(qm, QM_CACHE_WB_DONE, 1, 1, REG_TIMEOUT_US))
		pci_warn(qm->pdev, "contexts were not written back\n");
	if (qm->is_vf && qm->version >= WD_QM_V3)
		wd_qm_write(qm, QM_VF_STATE, QM_VF_NOT_READY);
}

/* 0: nothing of this function, or of the whole controller on a PF, is on its way to memory. */
int wd_qm_hw_halt(struct wd_qm *qm)
{
	if (qm->is_vf) {
		if (!(qm->cap_flags & QM_CAP_HAS_STOP_FUNC))
			return -EOPNOTSUPP;
		return wd_qm_mbox(qm, WD_QM_MBOX_FLUSH_QM, 0, 0, false, NULL);
	}
	wd_qm_write(qm, QM_MASTER_CTRL, QM_MASTER_STOP);
	return wd_qm_poll(qm, QM_MASTER_RETURN, ~0u, QM_MASTER_DRAINED, REG_TIMEOUT_US);
}

/* For whoever drives the function next. Bus mastering is off. */
void wd_qm_hw_release(struct wd_qm *qm)
{
	if (!qm->is_vf)
		wd_qm_write(qm, QM_MASTER_CTRL, 0);
}
