// SPDX-License-Identifier: GPL-2.0-only
/* What the PCI core asks: errors of the bus (AER), resets of its own, power. */
#include "priv.h"

/*
 * The PF speaks for its VFs. A bus that works, and no error at the device that needs a reset: all
 * goes on.
 */
static pci_ers_result_t error_detected(struct pci_dev *pdev, pci_channel_state_t channel)
{
	struct wd_qm *qm = pci_get_drvdata(pdev);

	if (channel == pci_channel_io_perm_failure) {
		wd_qm_tree_gone(qm);
		return PCI_ERS_RESULT_DISCONNECT;
	}
	if (pdev->is_virtfn)
		return PCI_ERS_RESULT_NONE;
	if (channel == pci_channel_io_normal && !wd_qm_tree_look(qm))
		return PCI_ERS_RESULT_RECOVERED;
	wd_qm_tree_stop(qm, channel == pci_channel_io_normal);
	return PCI_ERS_RESULT_NEED_RESET;
}

/* Also where this function went on and another one of the bus needs the reset. */
static pci_ers_result_t slot_reset(struct pci_dev *pdev)
{
	struct wd_qm *qm = pci_get_drvdata(pdev);

	if (pdev->is_virtfn)
		return PCI_ERS_RESULT_RECOVERED;
	wd_qm_tree_stop(qm, true);
	return wd_qm_tree_repair(qm) ? PCI_ERS_RESULT_DISCONNECT : PCI_ERS_RESULT_RECOVERED;
}

static void error_resume(struct pci_dev *pdev)
{
	wd_qm_tree_resume(pci_get_drvdata(pdev));
}

static void reset_prepare(struct pci_dev *pdev)
{
	wd_qm_tree_lend(pci_get_drvdata(pdev));
}

static void reset_done(struct pci_dev *pdev)
{
	wd_qm_tree_give_back(pci_get_drvdata(pdev), false);
}

const struct pci_error_handlers wd_qm_err_handlers = {
	.error_detected = error_detected,
	.slot_reset = slot_reset,
	.resume = error_resume,
	.reset_prepare = reset_prepare,
	.reset_done = reset_done,
};
EXPORT_SYMBOL_GPL(wd_qm_err_handlers);

static int suspend(struct device *dev)
{
	wd_qm_tree_lend(dev_get_drvdata(dev));
	return 0;
}

/* Not every sleep takes the power. */
static int resume(struct device *dev)
{
	return wd_qm_tree_give_back(dev_get_drvdata(dev), true);
}

const struct dev_pm_ops wd_qm_pm_ops = {
	SYSTEM_SLEEP_PM_OPS(suspend, resume)
};
EXPORT_SYMBOL_GPL(wd_qm_pm_ops);
