// SPDX-License-Identifier: GPL-2.0-only
/* PCI driver of the ZIP engine: ids, parameters, what its queues may do. */
#include <linux/module.h>
#include "check.h"
#include "priv.h"

#define DEVICE_PF 0xa250
#define DEVICE_VF 0xa251

static uint pf_queues = 64;
module_param(pf_queues, uint, 0444);
MODULE_PARM_DESC(pf_queues, "queues of a physical function, the others are for its virtual ones (64)");

/* Two bits for each: zlib, gzip, deflate; V1 and V2 have the first two (chapter 5.2). */
static const struct wd_qm_cap cap_algs = { ZIP_CAP_DEV_ALGS, 0x0f, 0x0f, 0x3f };

static const char *const algs[] = {
	"", "zlib", "gzip", "zlib gzip", "deflate", "zlib deflate", "gzip deflate",
	"zlib gzip deflate",
};

static u32 alg_index(struct wd_qm *qm)
{
	u32 bits = wd_qm_cap(qm, &cap_algs);

	return (bits & 0x3 ? 1 : 0) | (bits & 0xc ? 2 : 0) | (bits & 0x30 ? 4 : 0);
}

static int caps(struct wd_qm *qm)
{
	u32 index = alg_index(qm);

	if (!index)
		return -ENODEV;
	qm->sdmdev.algs = algs[index];
	return 0;
}

/* Its context is little beside the work that a request may be. */
static u64 sqe_bytes(const void *sqe)
{
	const struct hisi_zip_sqe *zip = sqe;

	return (u64)zip->src_len + zip->dst_len;
}

static int check_sqe(struct wd_qm *qm, u32 type, const void *sqe, wd_qm_owns_fn owns, void *arg,
		     bool *is_reach)
{
	u32 index = alg_index(qm);
	struct hisi_zip_rules rules = {
		.sqe_type = qm->version >= 3 ? HISI_ZIP_SQE_TYPE3 : HISI_ZIP_SQE_TYPE0,
		.formats = (index & 1) << HISI_ZIP_FORMAT_ZLIB |
			   (index >> 1 & 1) << HISI_ZIP_FORMAT_GZIP |
			   (index >> 2 & 1) << HISI_ZIP_FORMAT_DEFLATE,
	};
	enum hisi_zip_refusal refusal = hisi_zip_check_sqe(sqe, &rules, owns, arg);

	*is_reach = refusal >= HISI_ZIP_REFUSED_SRC;
	return refusal;
}

static const char *const refusals[] = HISI_ZIP_REFUSAL_NAMES;

static const struct wd_qm_engine engine = {
	.name = "hisi_zip",
	.owner = THIS_MODULE,
	.type_nr = 2,
	.ecc_bits = ZIP_ERR_ECC_2BIT,
	.reset_method = "ZRST",
	.refusals = refusals,
	.refusal_nr = HISI_ZIP_REFUSALS,
	.caps = caps,
	.hw_init = hisi_zip_hw_init,
	.hw_fini = hisi_zip_hw_fini,
	.err_enable = hisi_zip_err_enable,
	.err_disable = hisi_zip_err_disable,
	.err_status = hisi_zip_err_status,
	.err_clear = hisi_zip_err_clear,
	.err_axi = hisi_zip_err_axi,
	.ecc_raise = hisi_zip_ecc_raise,
	.master_open = hisi_zip_master_open,
	.sqe_bytes = sqe_bytes,
	.check_sqe = check_sqe,
};

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	return wd_qm_probe(pdev, &engine, id->device == DEVICE_VF, pf_queues);
}

static const struct pci_device_id ids[] = {
	{ PCI_VDEVICE(HUAWEI, DEVICE_PF) },
	{ PCI_VDEVICE(HUAWEI, DEVICE_VF) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver hisi_zip_driver = {
	.name = "wd_hisi_zip",
	.id_table = ids,
	.probe = probe,
	.remove = wd_qm_remove,
	.shutdown = wd_qm_shutdown,
	.sriov_configure = wd_qm_sriov_configure,
	.err_handler = &wd_qm_err_handlers,
	.driver.pm = &wd_qm_pm_ops,
	.dev_groups = wd_qm_groups,
};
module_pci_driver(hisi_zip_driver);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("HiSilicon ZIP engine for sdmdev");
