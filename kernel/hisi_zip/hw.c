// SPDX-License-Identifier: GPL-2.0-only
/* The engine's registers: set-up and errors. Chapters 14 and 16 of the hardware reference. */
#include <linux/delay.h>
#include "priv.h"

#define REG_TIMEOUT_US 100000
#define CALM_READS 3 /* in a row, chapter 16.1 */
#define CALM_TURNS 10000 /* of 10 to 20 us */

static const struct wd_qm_cap cap_core_en = { ZIP_CAP_CORE_EN, 0x00fc0003, 0x00fc0003, 0x001c0003 };
static const struct wd_qm_cap cap_nfe = { ZIP_CAP_NFE, 0, 0x7fe, 0x1ffe };
static const struct wd_qm_cap cap_reset = { ZIP_CAP_RESET, 0, 0x7fe, 0x7fe };
static const struct wd_qm_cap cap_ce = { ZIP_CAP_CE, 0, 0x1, 0x1 };

/* In this order, chapter 16.2. User values are without SSV: with a PASID, V3 sets it by queue. */
static const struct {
	u32 offset;
	u32 value;
} settings[] = {
	{ ZIP_QM_ARUSER, ZIP_AXUSER },
	{ ZIP_QM_ARUSER_ENABLE, 0xfffffffe },
	{ ZIP_QM_AWUSER, ZIP_AXUSER },
	{ ZIP_QM_AWUSER_ENABLE, 0xfffffffe },
	{ ZIP_QM_WUSER_ENABLE, 0xffffffff },
	{ ZIP_QM_AXI, 0xffff },
	{ ZIP_QM_AXI_ENABLE, 0xffffffff },
	{ ZIP_QM_PEH_AXUSER, ZIP_PEH_NO_FLR },
	{ ZIP_QM_PEH_AXUSER_ENABLE, 0xffffffff },
	{ ZIP_AR_CACHE0, 0xffffffff },
	{ ZIP_AR_CACHE1, 0xffffffff },
	{ ZIP_AW_CACHE0, 0xffffffff },
	{ ZIP_AW_CACHE1, 0xffffffff },
	{ ZIP_BD_RUSER, ZIP_AXUSER },
	{ ZIP_BD_WUSER, ZIP_AXUSER },
	{ ZIP_DATA_RUSER, ZIP_AXUSER },
	{ ZIP_DATA_WUSER, ZIP_AXUSER },
	{ ZIP_SGL_RUSER, ZIP_AXUSER },
};

/* 0: the bits were clear often enough to believe it. */
static int wait_calm(struct wd_qm *qm, u32 bits)
{
	u32 calm = 0;

	for (u32 turn = 0; turn < CALM_TURNS; turn++) {
		calm = wd_qm_read(qm, ZIP_SVA_TRANS) & bits ? 0 : calm + 1;
		if (calm == CALM_READS)
			return 0;
		usleep_range(10, 20);
	}
	return -ETIMEDOUT;
}

static int prefetch_open(struct wd_qm *qm)
{
	int ret;

	wd_qm_update(qm, ZIP_PREFETCH, ZIP_PREFETCH_BITS, 0);
	ret = wd_qm_poll(qm, ZIP_PREFETCH, ZIP_PREFETCH_OFF, 0, REG_TIMEOUT_US);
	return ret ? ret : wait_calm(qm, ZIP_SVA_PREFETCHED);
}

static void prefetch_close(struct wd_qm *qm)
{
	wd_qm_update(qm, ZIP_PREFETCH, 0, ZIP_PREFETCH_OFF);
	if (wd_qm_poll(qm, ZIP_SVA_TRANS, ZIP_SVA_CLOSING, 0, REG_TIMEOUT_US) ||
	    wait_calm(qm, ZIP_SVA_STALLED))
		pci_warn(qm->pdev, "address prefetch did not close\n");
}

int hisi_zip_hw_init(struct wd_qm *qm)
{
	u32 cores = wd_qm_cap(qm, &cap_core_en);
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		wd_qm_write(qm, settings[i].offset, settings[i].value);
	if (qm->cap_flags & ZIP_QM_CAP_PREFETCH) {
		ret = prefetch_open(qm);
		if (ret)
			return ret;
	}
	wd_qm_write(qm, ZIP_CLOCK_GATE, (cores & 0xffff) | cores >> 16 | ZIP_CLOCK_CHECK);
	wd_qm_write(qm, ZIP_QM_CACHE_CTRL, ZIP_QM_CACHE_VALUE);
	wd_qm_write(qm, ZIP_HIGH_PERF, 0);
	if (qm->version >= 3) {
		wd_qm_update(qm, ZIP_LIT_LEN, ZIP_LIT_LEN_STREAM, 0);
		wd_qm_update(qm, ZIP_CLOCK_GATE, 0, ZIP_CLOCK_GATE_V3);
		wd_qm_update(qm, ZIP_PEH_AUTO_GATE, 0, 1);
	}
	return 0;
}

void hisi_zip_hw_fini(struct wd_qm *qm)
{
	if (qm->cap_flags & ZIP_QM_CAP_PREFETCH)
		prefetch_close(qm);
}

static u32 errors_of(struct wd_qm *qm)
{
	return wd_qm_cap(qm, &cap_nfe) | wd_qm_cap(qm, &cap_ce);
}

void hisi_zip_err_enable(struct wd_qm *qm)
{
	u32 shutdown = qm->version >= 3 ? wd_qm_cap(qm, &cap_reset) : ZIP_ERR_ECC_2BIT;

	wd_qm_write(qm, ZIP_ERR_SOURCE, ~0u);
	wd_qm_write(qm, ZIP_RAS_CE, wd_qm_cap(qm, &cap_ce));
	wd_qm_write(qm, ZIP_RAS_FE, 0);
	wd_qm_write(qm, ZIP_RAS_NFE, wd_qm_cap(qm, &cap_nfe));
	wd_qm_update(qm, ZIP_CONTROL, 0, ZIP_CONTROL_SHUTDOWN);
	if (qm->version >= 3)
		wd_qm_write(qm, ZIP_SHUTDOWN_SEL, shutdown);
	wd_qm_write(qm, ZIP_ERR_MASK, ~errors_of(qm));
}

void hisi_zip_err_disable(struct wd_qm *qm)
{
	wd_qm_write(qm, ZIP_ERR_MASK, ~0u);
	if (qm->version >= 3)
		wd_qm_write(qm, ZIP_SHUTDOWN_SEL, 0);
	wd_qm_update(qm, ZIP_CONTROL, ZIP_CONTROL_SHUTDOWN, 0);
}

u32 hisi_zip_err_status(struct wd_qm *qm, bool *is_reset)
{
	u32 status = wd_qm_read(qm, ZIP_ERR_STATUS) & errors_of(qm);

	*is_reset = status & wd_qm_cap(qm, &cap_reset);
	return status;
}

void hisi_zip_err_clear(struct wd_qm *qm, u32 status)
{
	wd_qm_write(qm, ZIP_ERR_SOURCE, status);
	wd_qm_write(qm, ZIP_RAS_CE, wd_qm_cap(qm, &cap_ce));
	wd_qm_write(qm, ZIP_RAS_NFE, wd_qm_cap(qm, &cap_nfe));
}

void hisi_zip_master_open(struct wd_qm *qm)
{
	wd_qm_update(qm, ZIP_CONTROL, ZIP_CONTROL_SHUTDOWN, 0);
	wd_qm_update(qm, ZIP_CONTROL, 0, ZIP_CONTROL_SHUTDOWN);
}

void hisi_zip_err_axi(struct wd_qm *qm, bool is_reported)
{
	if (is_reported) {
		wd_qm_write(qm, ZIP_ERR_SOURCE, ZIP_ERR_AXI);
		wd_qm_write(qm, ZIP_ERR_MASK, ~errors_of(qm));
	} else {
		wd_qm_write(qm, ZIP_ERR_MASK, ~errors_of(qm) | ZIP_ERR_AXI);
	}
}

/* It is not to be reported again, just to shut the way to memory. */
void hisi_zip_ecc_raise(struct wd_qm *qm)
{
	wd_qm_write(qm, ZIP_RAS_NFE, wd_qm_cap(qm, &cap_nfe) & ~ZIP_ERR_ECC_2BIT);
	wd_qm_write(qm, ZIP_ERR_SET, ZIP_ERR_ECC_2BIT);
}
