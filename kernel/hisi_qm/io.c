// SPDX-License-Identifier: GPL-2.0-only
/* Registers, the mailbox and doorbells: chapters 4, 6 and 10 of the hardware reference. */
#include <linux/delay.h>
#include <linux/iopoll.h>
#include <linux/random.h>
#include "priv.h"

#define POLL_US 10
#define MBOX_TIMEOUT_US 1000000
#define MBOX_STOP_TIMEOUT_US 5000000

#define ALL_ONES (~0u) /* what reads give when no device answers */

#define SLOTS (WD_QM_CTX_AREA / WD_QM_CTX_LEN)

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

static int mbox_run(struct wd_qm *qm, enum wd_qm_mbox_cmd cmd, u16 number, dma_addr_t dma,
		    bool is_read)
{
	u32 timeout_us = cmd == WD_QM_MBOX_STOP_QP || cmd == WD_QM_MBOX_FLUSH_QM ?
				 MBOX_STOP_TIMEOUT_US :
				 MBOX_TIMEOUT_US;
	int ret;

	/* With these errors pending the device's master is shut, nothing would be answered. */
	if (!qm->is_vf && (wd_qm_read(qm, QM_ERR_STATUS) & qm->err_shutdown))
		return wd_qm_is_gone(qm) ? -ENODEV : -EIO;
	ret = wd_qm_poll(qm, QM_MBOX, WD_QM_MBOX_BUSY, 0, QM_REG_TIMEOUT_US);
	if (ret)
		return ret;
	mbox_store(qm->io + QM_MBOX, wd_qm_mbox_word(cmd, number, is_read), dma);
	ret = wd_qm_poll(qm, QM_MBOX, WD_QM_MBOX_BUSY, 0, timeout_us);
	if (ret)
		return ret;
	return wd_qm_read(qm, QM_MBOX) & WD_QM_MBOX_STATUS ? -EIO : 0;
}

static int mbox_locked(struct wd_qm *qm, enum wd_qm_mbox_cmd cmd, u16 number, dma_addr_t dma,
		       bool is_read)
{
	int ret;

	lockdep_assert_held(&qm->mbox_lock);
	/* In a reset; who comes late finds out that its queue is lost. */
	if (qm->is_mbox_shut)
		return -EIO;
	wd_qm_count(qm, WD_QM_MBOX);
	ret = mbox_run(qm, cmd, number, dma, is_read);
	if (ret) {
		wd_qm_count(qm, WD_QM_MBOX_FAILED);
		dev_err_ratelimited(&qm->pdev->dev, "mailbox command %d of queue %u failed: %d\n",
				    cmd, number, ret);
	}
	return ret;
}

int wd_qm_mbox(struct wd_qm *qm, enum wd_qm_mbox_cmd cmd, u16 number, dma_addr_t dma)
{
	int ret;

	mutex_lock(&qm->mbox_lock);
	ret = mbox_locked(qm, cmd, number, dma, false);
	mutex_unlock(&qm->mbox_lock);
	return ret;
}

/* A command whose answer comes by the mailbox itself. */
int wd_qm_mbox_get(struct wd_qm *qm, enum wd_qm_mbox_cmd cmd, u64 *data)
{
	int ret;

	mutex_lock(&qm->mbox_lock);
	ret = mbox_locked(qm, cmd, 0, 0, true);
	if (!ret)
		*data = wd_qm_read(qm, QM_MBOX + 4) | (u64)wd_qm_read(qm, QM_MBOX + 8) << 32;
	mutex_unlock(&qm->mbox_lock);
	return ret;
}

/*
 * Contexts are exchanged in memory that a process in single mode may have the engine write, to
 * forge the dump of a queue that is not drained. So the place changes each time, and everything
 * around it is noise that must still be there afterwards: who does not know the place spoils that.
 */
static u8 *slot_prepare(struct wd_qm *qm, u32 *offset)
{
	*offset = get_random_u32() % SLOTS * WD_QM_CTX_LEN;
	get_random_bytes(qm->ctx_copy, WD_QM_CTX_AREA);
	memset(qm->ctx_copy + *offset, 0, WD_QM_CTX_LEN);
	memcpy(qm->ctx.va, qm->ctx_copy, WD_QM_CTX_AREA);
	return qm->ctx.va + *offset;
}

static int slot_check(struct wd_qm *qm, u32 offset)
{
	const u8 *area = qm->ctx.va;
	u32 end = offset + WD_QM_CTX_LEN;

	if (!memcmp(area, qm->ctx_copy, offset) &&
	    !memcmp(area + end, qm->ctx_copy + end, WD_QM_CTX_AREA - end))
		return 0;
	wd_qm_count(qm, WD_QM_CTX_BAD);
	return -EBADMSG;
}

/* ctx: WD_QM_CTX_LEN bytes. -EBADMSG: somebody else wrote beside it. */
int wd_qm_mbox_load(struct wd_qm *qm, enum wd_qm_mbox_cmd cmd, u16 number, const void *ctx)
{
	u32 offset;
	u8 *slot;
	int ret;

	mutex_lock(&qm->mbox_lock);
	slot = slot_prepare(qm, &offset);
	memcpy(slot, ctx, WD_QM_CTX_LEN);
	ret = mbox_locked(qm, cmd, number, qm->ctx.dma + offset, false);
	if (!ret)
		ret = slot_check(qm, offset);
	mutex_unlock(&qm->mbox_lock);
	return ret;
}

int wd_qm_mbox_dump(struct wd_qm *qm, enum wd_qm_mbox_cmd cmd, u16 number, void *ctx)
{
	u32 offset;
	u8 *slot;
	int ret;

	mutex_lock(&qm->mbox_lock);
	slot = slot_prepare(qm, &offset);
	ret = mbox_locked(qm, cmd, number, qm->ctx.dma + offset, true);
	if (!ret) {
		/* The device wrote the dump before it cleared the busy bit we saw. */
		dma_rmb();
		memcpy(ctx, slot, WD_QM_CTX_LEN);
		ret = slot_check(qm, offset);
	}
	mutex_unlock(&qm->mbox_lock);
	return ret;
}

/* On return no command is under way, and none but of who shut it begins. */
void wd_qm_mbox_shut(struct wd_qm *qm, bool is_shut)
{
	mutex_lock(&qm->mbox_lock);
	qm->is_mbox_shut = is_shut;
	mutex_unlock(&qm->mbox_lock);
}

void wd_qm_ring(struct wd_qm *qm, void __iomem *addr, u16 number, u16 cmd, u16 index, u16 priority)
{
	u64 value = wd_qm_doorbell(qm->version, number, cmd, index, priority);

	/* A doorbell is one store of 64 bits; the entries it tells of are written before it. */
	writeq(value, addr);
}

void wd_qm_ring_event(struct wd_qm *qm, u16 cmd, u16 index)
{
	wd_qm_ring(qm, qm->io + (qm->version == WD_QM_V1 ? QM_DB_V1 : QM_DB_EQ_AEQ), 0, cmd, index,
		   0);
}

/* true: it happened more than max times within the period. */
bool wd_qm_rate_exceeds(struct wd_qm_rate *rate, u32 max, unsigned long period)
{
	if (!rate->nr || time_after(jiffies, rate->since + period)) {
		rate->since = jiffies;
		rate->nr = 0;
	}
	return ++rate->nr > max;
}
