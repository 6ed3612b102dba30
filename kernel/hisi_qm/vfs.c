// SPDX-License-Identifier: GPL-2.0-only
/* Virtual functions: chapter 13.7 of the hardware reference. */
#include "priv.h"

static int vfs_off(struct wd_qm *qm)
{
	u32 vf_nr = qm->vf_nr;

	if (!vf_nr)
		return 0;
	if (pci_vfs_assigned(qm->pdev) || !wd_qm_tree_is_idle(qm))
		return -EBUSY;
	pci_disable_sriov(qm->pdev);
	mutex_lock(&qm->lock);
	qm->vf_nr = 0;
	for (u32 vf = 1; vf <= vf_nr; vf++)
		wd_qm_set_vft(qm, vf, 0, 0);
	mutex_unlock(&qm->lock);
	return 0;
}

static int vfs_on(struct wd_qm *qm, u32 vf_nr)
{
	int ret = 0;

	if (qm->version == WD_QM_V1)
		return -EOPNOTSUPP;
	if (qm->vf_nr)
		return -EBUSY;
	if (vf_nr > WD_QM_VF_MAX || vf_nr > qm->qp_total - qm->qp_nr)
		return -ERANGE;
	mutex_lock(&qm->lock);
	if (qm->state != WD_QM_UP)
		ret = -EIO;
	for (u32 vf = 1; !ret && vf <= vf_nr; vf++) {
		struct wd_qm_range range;

		range = wd_qm_vf_range(qm->qp_total, qm->qp_nr, qm->qp_max, vf_nr, vf);
		ret = wd_qm_set_vft(qm, vf, range.base, range.nr);
	}
	if (!ret)
		qm->vf_nr = vf_nr;
	mutex_unlock(&qm->lock);
	if (!ret)
		ret = pci_enable_sriov(qm->pdev, vf_nr);
	if (!ret)
		return vf_nr;
	mutex_lock(&qm->lock);
	qm->vf_nr = 0;
	for (u32 vf = 1; vf <= vf_nr; vf++)
		wd_qm_set_vft(qm, vf, 0, 0);
	mutex_unlock(&qm->lock);
	return ret;
}

int wd_qm_sriov_configure(struct pci_dev *pdev, int vf_nr)
{
	struct wd_qm *qm = pci_get_drvdata(pdev);

	return vf_nr ? vfs_on(qm, vf_nr) : vfs_off(qm);
}
EXPORT_SYMBOL_GPL(wd_qm_sriov_configure);
