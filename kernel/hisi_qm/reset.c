// SPDX-License-Identifier: GPL-2.0-only
/* Errors, resets and power states: chapters 13.5 and 14 of the hardware reference. */
#include <linux/acpi.h>
#include "priv.h"

/*
 * The lock is held over a reset: a PF and its VFs are reset together. It is taken before the lock
 * of a function.
 */
DEFINE_MUTEX(wd_qm_list_lock);
LIST_HEAD(wd_qm_list);

#define REG_TIMEOUT_US 100000

static bool is_vf_of(struct wd_qm *fn, struct wd_qm *pf)
{
	return fn->is_vf && !pf->is_vf && pci_physfn(fn->pdev) == pf->pdev;
}

/* No event, no queue, no transaction any more, as far as the function obeys. */
void wd_qm_quiesce(struct wd_qm *qm)
{
	if (!qm->is_vf)
		wd_qm_err_disable(qm);
	if (qm->cap_flags & QM_CAP_HAS_STOP_FUNC)
		wd_qm_mbox(qm, WD_QM_MBOX_FLUSH_QM, 0, 0, false, NULL);
	wd_qm_hw_stop(qm);
	if (!qm->is_vf)
		qm->engine->hw_fini(qm);
}

/* V1 and V2: do requests reach the device at all? Chapter 14.4. */
static int is_reachable(struct wd_qm *qm)
{
	int ret;

	wd_qm_write(qm, QM_PEH_VENDOR, QM_PEH_VENDOR_PROBE);
	ret = wd_qm_poll(qm, QM_PEH_VENDOR, ~0u, QM_PEH_VENDOR_PROBE, REG_TIMEOUT_US);
	if (ret)
		return ret;
	wd_qm_write(qm, QM_PEH_VENDOR, PCI_VENDOR_ID_HUAWEI);
	return wd_qm_poll(qm, QM_PEH_VENDOR, ~0u, PCI_VENDOR_ID_HUAWEI, REG_TIMEOUT_US);
}

/* -ENOTTY: this machine's firmware has no such method. */
static int firmware_reset(struct wd_qm *qm)
{
#ifdef CONFIG_ACPI
	acpi_handle handle = ACPI_HANDLE(&qm->pdev->dev);
	unsigned long long step;
	u16 command;

	if (!handle || !acpi_has_method(handle, (char *)qm->engine->reset_method))
		return -ENOTTY;
	/* Until the configuration is restored nothing goes in or out (chapter 14.4). */
	pci_read_config_word(qm->pdev, PCI_COMMAND, &command);
	pci_write_config_word(qm->pdev, PCI_COMMAND,
			      command & ~(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
	if (ACPI_FAILURE(acpi_evaluate_integer(handle, (char *)qm->engine->reset_method, NULL,
					       &step)))
		return -EIO;
	if (step) {
		pci_err(qm->pdev, "firmware's reset failed in step %llu\n", step);
		return -EIO;
	}
	return 0;
#else
	return -ENOTTY;
#endif
}

/*
 * The whole controller by its firmware, or the function by the PCI reset. Without either the memory
 * of contexts is initialised anew, which hw_init does in any case.
 */
static int device_reset(struct wd_qm *qm)
{
	struct pci_dev *pdev = qm->pdev;
	int ret;

	ret = pci_save_state(pdev);
	if (ret)
		return ret;
	pci_cfg_access_lock(pdev);
	ret = qm->is_vf ? -ENOTTY : firmware_reset(qm);
	if (ret == -ENOTTY)
		ret = pcie_reset_flr(pdev, PCI_RESET_DO_RESET);
	pci_cfg_access_unlock(pdev);
	pci_restore_state(pdev);
	return ret;
}

/* qm->lock held. 0: nothing that was started before is on its way to memory. */
static int reset_hw(struct wd_qm *qm)
{
	int halted, ret;

	if (wd_qm_is_gone(qm))
		return -ENODEV;
	wd_qm_quiesce(qm);
	if (!qm->is_vf && qm->version < WD_QM_V3) {
		ret = is_reachable(qm);
		if (ret)
			return ret;
	}
	halted = wd_qm_hw_halt(qm);
	if (halted && !qm->is_vf)
		return halted;
	ret = device_reset(qm);
	return ret == -ENOTTY ? halted : ret;
}

/* qm->lock held, after a reset. */
static int restart(struct wd_qm *qm)
{
	int ret;

	wd_qm_queues_safe(qm);
	ret = wd_qm_hw_init(qm);
	if (ret)
		return ret;
	ret = wd_qm_hw_start(qm);
	if (ret)
		return ret;
	qm->state = WD_QM_UP;
	return 0;
}

/*
 * Tells a function and, of a PF, its VFs that they stop working. The function itself is told only
 * if sdmdev does not know it already.
 */
static void tree_begin(struct wd_qm *qm, enum wd_qm_state state, bool tells_self)
{
	struct wd_qm *fn;

	list_for_each_entry(fn, &wd_qm_list, link) {
		if (fn != qm && !is_vf_of(fn, qm))
			continue;
		mutex_lock(&fn->lock);
		if (fn->state != WD_QM_GONE)
			fn->state = state;
		wd_qm_queues_lost(fn);
		mutex_unlock(&fn->lock);
		if (fn != qm || tells_self)
			vfio_sdmdev_reset_begin(&fn->sdmdev, state == WD_QM_GONE);
		if (fn != qm && state != WD_QM_GONE)
			pci_save_state(fn->pdev);
	}
}

/* ret: of the function's own restart. */
static void tree_end(struct wd_qm *qm, int ret, bool tells_self)
{
	struct wd_qm *fn;

	list_for_each_entry(fn, &wd_qm_list, link) {
		int fn_ret = ret;

		if (fn != qm && !is_vf_of(fn, qm))
			continue;
		if (fn != qm) {
			pci_restore_state(fn->pdev);
			mutex_lock(&fn->lock);
			if (!fn_ret)
				fn_ret = restart(fn);
			mutex_unlock(&fn->lock);
		} else if (!tells_self) {
			continue;
		}
		if (fn_ret)
			vfio_sdmdev_reset_begin(&fn->sdmdev, true);
		else
			vfio_sdmdev_reset_done(&fn->sdmdev);
	}
}

static int reset_tree(struct wd_qm *qm, bool tells_self)
{
	int ret;

	wd_qm_count(qm, WD_QM_RESET);
	tree_begin(qm, WD_QM_DOWN, tells_self);
	mutex_lock(&qm->lock);
	/* A function that is being removed is not on the list any more. */
	wd_qm_queues_lost(qm);
	ret = reset_hw(qm);
	if (!ret)
		ret = restart(qm);
	if (ret == -ENODEV) {
		qm->state = WD_QM_GONE;
		wd_qm_queues_safe(qm);
	}
	mutex_unlock(&qm->lock);
	if (ret) {
		wd_qm_count(qm, WD_QM_RESET_FAILED);
		pci_err(qm->pdev, "reset failed: %d\n", ret);
	}
	tree_end(qm, ret, tells_self);
	return ret;
}

/* For sdmdev, that knows about it. */
int wd_qm_reset_quietly(struct wd_qm *qm)
{
	int ret;

	mutex_lock(&wd_qm_list_lock);
	ret = reset_tree(qm, false);
	mutex_unlock(&wd_qm_list_lock);
	return ret;
}

/* Somebody read all ones: sdmdev is told where no lock is held. */
void wd_qm_noticed_gone(struct wd_qm *qm)
{
	if (READ_ONCE(qm->state) != WD_QM_GONE && !READ_ONCE(qm->is_removing))
		schedule_work(&qm->err_work);
}

void wd_qm_set_gone(struct wd_qm *qm)
{
	mutex_lock(&wd_qm_list_lock);
	tree_begin(qm, WD_QM_GONE, true);
	mutex_unlock(&wd_qm_list_lock);
}

/* PF: looks at the errors that are pending, forgets the harmless ones. true: a reset is needed. */
static bool look_at_errors(struct wd_qm *qm)
{
	bool is_reset = false;
	u32 status, engine;

	status = wd_qm_read(qm, QM_ERR_STATUS) & (qm->err_ce | qm->err_nfe);
	engine = qm->engine->err_status(qm, &is_reset);
	if (!status && !engine)
		return false;
	dev_err_ratelimited(&qm->pdev->dev, "hardware errors: queues 0x%x, engine 0x%x\n", status,
			    engine);
	if (is_reset || (status & qm->err_reset))
		return true;
	/* Firmware may have disabled the reports: they are enabled again (chapter 21). */
	wd_qm_write(qm, QM_ERR_SOURCE, status);
	wd_qm_write(qm, QM_RAS_CE, qm->err_ce);
	wd_qm_write(qm, QM_RAS_NFE, qm->err_nfe);
	qm->engine->err_clear(qm, engine);
	return false;
}

void wd_qm_err_work(struct work_struct *work)
{
	struct wd_qm *qm = container_of(work, struct wd_qm, err_work);
	bool is_wanted = xchg(&qm->is_reset_wanted, false);

	if (wd_qm_is_gone(qm)) {
		wd_qm_set_gone(qm);
		return;
	}
	if (!qm->is_vf && qm->version != WD_QM_V1)
		is_wanted |= look_at_errors(qm);
	if (!is_wanted)
		return;
	mutex_lock(&wd_qm_list_lock);
	reset_tree(qm, true);
	mutex_unlock(&wd_qm_list_lock);
}

/* Others reset the function, or take its power: before, and after. */
static void others_begin(struct wd_qm *qm)
{
	mutex_lock(&wd_qm_list_lock);
	tree_begin(qm, WD_QM_DOWN, true);
	mutex_unlock(&wd_qm_list_lock);
	mutex_lock(&qm->lock);
	if (!wd_qm_is_gone(qm)) {
		wd_qm_quiesce(qm);
		wd_qm_hw_halt(qm);
	}
	mutex_unlock(&qm->lock);
}

static int others_end(struct wd_qm *qm)
{
	int ret;

	mutex_lock(&wd_qm_list_lock);
	mutex_lock(&qm->lock);
	ret = wd_qm_is_gone(qm) ? -ENODEV : restart(qm);
	mutex_unlock(&qm->lock);
	tree_end(qm, ret, true);
	mutex_unlock(&wd_qm_list_lock);
	return ret;
}

static pci_ers_result_t error_detected(struct pci_dev *pdev, pci_channel_state_t channel)
{
	struct wd_qm *qm = pci_get_drvdata(pdev);

	if (channel == pci_channel_io_perm_failure) {
		wd_qm_set_gone(qm);
		return PCI_ERS_RESULT_DISCONNECT;
	}
	mutex_lock(&wd_qm_list_lock);
	tree_begin(qm, WD_QM_DOWN, true);
	mutex_unlock(&wd_qm_list_lock);
	return PCI_ERS_RESULT_NEED_RESET;
}

static pci_ers_result_t slot_reset(struct pci_dev *pdev)
{
	struct wd_qm *qm = pci_get_drvdata(pdev);

	pci_restore_state(pdev);
	pci_set_master(pdev);
	return others_end(qm) ? PCI_ERS_RESULT_DISCONNECT : PCI_ERS_RESULT_RECOVERED;
}

static void reset_prepare(struct pci_dev *pdev)
{
	others_begin(pci_get_drvdata(pdev));
}

static void reset_done(struct pci_dev *pdev)
{
	others_end(pci_get_drvdata(pdev));
}

const struct pci_error_handlers wd_qm_err_handlers = {
	.error_detected = error_detected,
	.slot_reset = slot_reset,
	.reset_prepare = reset_prepare,
	.reset_done = reset_done,
};
EXPORT_SYMBOL_GPL(wd_qm_err_handlers);

static int suspend(struct device *dev)
{
	others_begin(dev_get_drvdata(dev));
	return 0;
}

static int resume(struct device *dev)
{
	return others_end(dev_get_drvdata(dev));
}

const struct dev_pm_ops wd_qm_pm_ops = {
	SYSTEM_SLEEP_PM_OPS(suspend, resume)
};
EXPORT_SYMBOL_GPL(wd_qm_pm_ops);
