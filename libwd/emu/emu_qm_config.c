// SPDX-License-Identifier: Zlib
/* The function's config space (hardware reference, 2). */
#include "emu_qm_priv.h"

#include <errno.h>
#include <string.h>

enum {
	CFG_COMMAND = 0x04,
	CFG_EXPRESS = 0x40,
	CFG_EXPRESS_CTRL = CFG_EXPRESS + 8,
	CFG_MSI = 0x80,
	CFG_SRIOV = 0x200,
};
#define COMMAND_MEMORY	 0x2
#define COMMAND_MASTER	 0x4
#define EXPRESS_CTRL_FLR 0x8000

bool emu_qm_is_open(const struct emu_qm *qm)
{
	return !qm->is_gone && !qm->pf->is_shut && !qm->pf->master.is_closed;
}

bool emu_qm_is_master(const struct emu_qm *qm)
{
	return qm->config[CFG_COMMAND] & COMMAND_MASTER && emu_qm_is_open(qm);
}

static void put16(uint8_t *config, unsigned int off, uint16_t value)
{
	config[off] = value;
	config[off + 1] = value >> 8;
}

static void put32(uint8_t *config, unsigned int off, uint32_t value)
{
	put16(config, off, value);
	put16(config, off + 2, value >> 16);
}

/* What a PF says of its VFs. A guest's QEMU keeps it for itself: VFs are devices of their own
 * there. */
static void reset_sriov(struct emu_qm *qm)
{
	uint8_t *c = qm->config, *mask = qm->config_mask;

	put32(c, 0x100, 0x2001000e); /* routing IDs, next at 0x200 */
	put32(c, CFG_SRIOV, 0x00010010);
	put16(c, CFG_SRIOV + 0x0c, qm->opt.vfs);
	put16(c, CFG_SRIOV + 0x0e, qm->opt.vfs);
	put16(c, CFG_SRIOV + 0x14, 1); /* the first is the next function, the others follow */
	put16(c, CFG_SRIOV + 0x16, 1);
	put16(c, CFG_SRIOV + 0x1a, 0xa251);
	put32(c, CFG_SRIOV + 0x1c, 0x553); /* sizes of pages */
	put32(c, CFG_SRIOV + 0x20, 1);
	put32(c, CFG_SRIOV + 0x2c, 0xc); /* BAR 2, as a function has it */
	put16(mask, CFG_SRIOV + 0x08, 0x19);
	put16(mask, CFG_SRIOV + 0x10, UINT16_MAX);
	put32(mask, CFG_SRIOV + 0x20, 0x553);
	put32(mask, CFG_SRIOV + 0x2c, ~(uint32_t)(REG_FUNCTION_END - 1));
	put32(mask, CFG_SRIOV + 0x30, UINT32_MAX);
	if (!emu_qm_bar_len(qm, 4))
		return;
	put32(c, CFG_SRIOV + 0x34, 0xc);
	put32(mask, CFG_SRIOV + 0x34, ~(uint32_t)(emu_qm_bar_len(qm, 4) - 1));
	put32(mask, CFG_SRIOV + 0x38, UINT32_MAX);
}

void emu_qm_reset_config(struct emu_qm *qm)
{
	static const uint8_t revisions[] = { 0x20, 0x21, 0x30 };
	uint8_t *c = qm->config, *mask = qm->config_mask;

	memset(c, 0, sizeof(qm->config));
	memset(mask, 0, sizeof(qm->config_mask));
	put16(c, 0x00, 0x19e5);
	put16(c, 0x02, qm->number ? 0xa251 : 0xa250);
	put16(c, 0x06, 0x0010); /* has capabilities */
	c[0x08] = revisions[qm->opt.qm - 1];
	c[0x0b] = 0x12;	     /* processing accelerator */
	put32(c, 0x18, 0xc); /* 64 bits, prefetchable */
	if (emu_qm_bar_len(qm, 4))
		put32(c, 0x20, 0xc);
	put16(c, 0x2c, 0x19e5);
	put16(c, 0x2e, qm->number ? 0xa251 : 0xa250);
	c[0x34] = CFG_EXPRESS;
	put16(mask, CFG_COMMAND, 0x0546);
	c[0x3c] = mask[0x3c] = 0xff;
	put32(mask, 0x18, ~(uint32_t)(emu_qm_bar_len(qm, 2) - 1));
	put32(mask, 0x1c, UINT32_MAX);
	if (emu_qm_bar_len(qm, 4)) {
		put32(mask, 0x20, ~(uint32_t)(emu_qm_bar_len(qm, 4) - 1));
		put32(mask, 0x24, UINT32_MAX);
	}
	/* An endpoint within the root complex that has function level reset. */
	put16(c, CFG_EXPRESS, 0x10 | CFG_MSI << 8);
	put16(c, CFG_EXPRESS + 2, 0x0092);
	put32(c, CFG_EXPRESS + 4, 0x10008000);
	put16(mask, CFG_EXPRESS_CTRL, 0x7fff);
	/* 64-bit addresses, a mask for each vector. */
	put16(c, CFG_MSI, 0x05);
	put16(c, CFG_MSI + 2, 0x0180 | emu_qm_vectors(qm) / 2 << 1);
	put16(mask, CFG_MSI + 2, 0x0071);
	put32(mask, CFG_MSI + 4, UINT32_MAX & ~3u);
	put32(mask, CFG_MSI + 8, UINT32_MAX);
	put16(mask, CFG_MSI + 12, UINT16_MAX);
	put32(mask, CFG_MSI + 16, UINT32_MAX);
	if (!qm->number && qm->opt.vfs)
		reset_sriov(qm);
}

int emu_qm_config_read(struct emu_qm *qm, uint64_t off, void *buf, size_t len)
{
	if (off > EMU_QM_CONFIG_LEN || len > EMU_QM_CONFIG_LEN - off)
		return -EINVAL;
	if (qm->is_gone)
		memset(buf, 0xff, len);
	else
		memcpy(buf, qm->config + off, len);
	return 0;
}

int emu_qm_config_write(struct emu_qm *qm, uint64_t off, const void *buf, size_t len)
{
	const uint8_t *p = buf;
	const uint8_t command = qm->config[CFG_COMMAND];
	bool is_reset = false;

	if (off > EMU_QM_CONFIG_LEN || len > EMU_QM_CONFIG_LEN - off)
		return -EINVAL;
	if (qm->is_gone)
		return 0;
	for (size_t i = 0; i < len && off + i < sizeof(qm->config_mask); i++) {
		const uint8_t mask = qm->config_mask[off + i];

		qm->config[off + i] = (qm->config[off + i] & ~mask) | (p[i] & mask);
		is_reset |= off + i == CFG_EXPRESS_CTRL + 1 && p[i] & EXPRESS_CTRL_FLR >> 8;
	}
	/* Firmware cuts the power while memory space is off (hardware reference, 13.6). */
	if (!qm->number && qm->config[CFG_COMMAND] & ~command & COMMAND_MEMORY) {
		*emu_qm_reg(qm, REG_MASTER_CTRL) = 0;
		emu_qm_close_master(qm, false);
	}
	if (is_reset)
		emu_qm_function_reset(qm);
	return 0;
}
