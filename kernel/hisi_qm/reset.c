// SPDX-License-Identifier: GPL-2.0-only
/* Resets: chapters 13.5 and 14 of the hardware reference. No other file knows other functions. */
#include <linux/acpi.h>
#include <linux/delay.h>
#include "priv.h"

#define ERROR_WAIT_MS 5000

/*
 * The lock is held over a reset: a PF and its VFs are reset together. It is taken before every lock
 * of a function and of sdmdev, and by nobody that a user calls.
 */
static DEFINE_MUTEX(list_lock);
static LIST_HEAD(list);

static bool is_vf_of(struct wd_qm *fn, struct wd_qm *pf)
{
	return fn->is_vf && !pf->is_vf && pci_physfn(fn->pdev) == pf->pdev;
}

static bool is_of_tree(struct wd_qm *fn, struct wd_qm *qm)
{
	return fn == qm || is_vf_of(fn, qm);
}

/* The PF of a VF, where it is ours. */
static struct wd_qm *pf_of(struct wd_qm *vf)
{
	struct wd_qm *fn;

	list_for_each_entry(fn, &list, link)
		if (is_vf_of(vf, fn))
			return fn;
	return NULL;
}

/* What the PF would report of a VF that is being reset is no error of its own. */
static void pf_errors(struct wd_qm *vf, bool is_reported)
{
	struct wd_qm *pf = vf->is_vf ? pf_of(vf) : NULL;

	if (!pf || READ_ONCE(pf->state) != WD_QM_UP)
		return;
	if (is_reported) {
		wd_qm_err_enable(pf);
		wd_qm_err_settled(pf);
	} else {
		wd_qm_err_disable(pf);
	}
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
 * The whole controller by its firmware, or the function by the PCI reset. -ENOTTY: there is
 * neither, and the memory of contexts is initialised anew, which hw_init does in any case. Others
 * are kept from it by lent_nr: the configuration's own lock is held by who waits for us.
 */
static int device_reset(struct wd_qm *qm)
{
	int ret = qm->is_vf ? -ENOTTY : firmware_reset(qm);

	return ret == -ENOTTY ? pcie_reset_flr(qm->pdev, PCI_RESET_DO_RESET) : ret;
}

static void config_restore(struct wd_qm *qm)
{
	pci_restore_state(qm->pdev);
	/* For the next time, when there may be nothing to read. */
	pci_save_state(qm->pdev);
}

static int reset_vf(struct wd_qm *qm)
{
	int halted, ret;

	wd_qm_irq_stop(qm);
	wd_qm_hw_stop(qm);
	halted = wd_qm_hw_halt(qm);
	wd_qm_mbox_shut(qm, true);
	pci_save_state(qm->pdev);
	pf_errors(qm, false);
	ret = device_reset(qm);
	config_restore(qm);
	pf_errors(qm, true);
	return ret == -ENOTTY ? halted : ret;
}

static void vfs_shut(struct wd_qm *pf)
{
	struct wd_qm *fn;

	list_for_each_entry(fn, &list, link) {
		if (!is_vf_of(fn, pf))
			continue;
		wd_qm_irq_stop(fn);
		wd_qm_mbox_shut(fn, true);
		pci_save_state(fn->pdev);
	}
	if (wd_qm_hw_vf_memory(pf, false))
		pci_warn(pf->pdev, "memory of the virtual functions stays on\n");
}

/* In the order of chapter 14.4: errors stay reported until nothing moves any more. */
static int reset_pf(struct wd_qm *qm)
{
	int ret;

	wd_qm_irq_stop(qm);
	wd_qm_err_ecc(qm);
	wd_qm_mbox_shut(qm, true);
	wd_qm_hw_abandon(qm);
	if (qm->version < WD_QM_V3) {
		ret = wd_qm_hw_reach(qm);
		if (ret)
			return ret;
	}
	vfs_shut(qm);
	pci_save_state(qm->pdev);
	if (wd_qm_hw_msi_off(qm))
		pci_warn(qm->pdev, "interrupts are still being sent\n");
	ret = wd_qm_hw_halt(qm);
	qm->engine->hw_fini(qm);
	wd_qm_err_disable(qm);
	if (!ret)
		ret = device_reset(qm);
	config_restore(qm);
	wd_qm_hw_vf_memory(qm, true);
	return ret == -ENOTTY ? 0 : ret;
}

/* qm->lock held. 0: nothing that was started before is on its way to memory. */
static int reset_hw(struct wd_qm *qm)
{
	if (wd_qm_is_gone(qm))
		return -ENODEV;
	return qm->is_vf ? reset_vf(qm) : reset_pf(qm);
}

/* Of a function that has just been reset. qm->lock held. */
static int start(struct wd_qm *qm)
{
	int ret;

	wd_qm_mbox_shut(qm, false);
	ret = wd_qm_hw_init(qm);
	if (ret)
		return ret;
	ret = wd_qm_hw_start(qm);
	if (ret)
		return ret;
	qm->state = WD_QM_UP;
	return 0;
}

/* No event, no queue, no transaction any more, as far as the function obeys. qm->lock held. */
void wd_qm_stop(struct wd_qm *qm)
{
	wd_qm_irq_stop(qm);
	wd_qm_hw_stop(qm);
	if (!qm->is_vf)
		qm->engine->hw_fini(qm);
	if (wd_qm_hw_halt(qm) && !qm->is_vf)
		pci_warn(qm->pdev, "did not come to rest\n");
	wd_qm_err_disable(qm);
	wd_qm_mbox_shut(qm, true);
}

static void lose(struct wd_qm *fn, enum wd_qm_state state)
{
	mutex_lock(&fn->lock);
	if (fn->state != WD_QM_GONE)
		fn->state = state;
	wd_qm_queues_lost(fn);
	mutex_unlock(&fn->lock);
}

/*
 * Tells a function and, of a PF, its VFs that they stop working. The function itself is told only
 * if sdmdev does not know it already.
 */
static void tree_begin(struct wd_qm *qm, enum wd_qm_state state, bool tells_self)
{
	struct wd_qm *fn;

	lockdep_assert_held(&list_lock);
	list_for_each_entry(fn, &list, link) {
		if (!is_of_tree(fn, qm))
			continue;
		lose(fn, state);
		if (fn->is_known && (fn != qm || tells_self))
			vfio_sdmdev_reset_begin(&fn->sdmdev, state == WD_QM_GONE);
	}
	/* One that is being removed. */
	if (list_empty(&qm->link))
		lose(qm, state);
}

static int restart(struct wd_qm *fn)
{
	int ret;

	mutex_lock(&fn->lock);
	wd_qm_queues_safe(fn);
	ret = start(fn);
	mutex_unlock(&fn->lock);
	return ret;
}

static void tell(struct wd_qm *fn, int ret)
{
	if (!fn->is_known)
		return;
	if (ret)
		vfio_sdmdev_reset_begin(&fn->sdmdev, true);
	else
		vfio_sdmdev_reset_done(&fn->sdmdev);
}

/* ret: of the function's reset. Returns what became of it in the end. */
static int tree_end(struct wd_qm *qm, int ret, bool tells_self)
{
	struct wd_qm *fn;

	lockdep_assert_held(&list_lock);
	if (!ret)
		ret = restart(qm);
	if (ret == -ENODEV) {
		mutex_lock(&qm->lock);
		qm->state = WD_QM_GONE;
		wd_qm_queues_safe(qm);
		mutex_unlock(&qm->lock);
	}
	if (ret) {
		wd_qm_count(qm, WD_QM_RESET_FAILED);
		wd_qm_isolate_set(qm, true);
		pci_err(qm->pdev, "reset failed: %d\n", ret);
	}
	list_for_each_entry(fn, &list, link) {
		if (!is_vf_of(fn, qm))
			continue;
		/* One that is lent on its own account is started by whoever gives that back. */
		if (!ret && !fn->lent_nr)
			config_restore(fn);
		tell(fn, ret || fn->lent_nr ? ret : restart(fn));
		wd_qm_isolate_set(fn, wd_qm_is_isolated(qm));
	}
	if (!ret)
		wd_qm_err_settled(qm);
	if (tells_self && !list_empty(&qm->link))
		tell(qm, ret);
	return ret;
}

static int tree_reset(struct wd_qm *qm)
{
	int ret;

	wd_qm_count(qm, WD_QM_RESET);
	mutex_lock(&qm->lock);
	ret = reset_hw(qm);
	mutex_unlock(&qm->lock);
	return ret;
}

/* -EBUSY: the PCI core is about to, or has taken the power; or the machine goes down. */
static int reset_whole(struct wd_qm *qm, bool tells_self)
{
	lockdep_assert_held(&list_lock);
	if (qm->lent_nr)
		return -EBUSY;
	tree_begin(qm, WD_QM_DOWN, tells_self);
	return tree_end(qm, tree_reset(qm), tells_self);
}

/* For sdmdev, that knows about it. */
int wd_qm_reset_op(struct vfio_sdmdev *sdmdev)
{
	int ret;

	mutex_lock(&list_lock);
	wd_qm_queues_hang(sdmdev->priv);
	ret = reset_whole(sdmdev->priv, false);
	mutex_unlock(&list_lock);
	return ret;
}

void wd_qm_tree_gone(struct wd_qm *qm)
{
	mutex_lock(&list_lock);
	tree_begin(qm, WD_QM_GONE, true);
	mutex_unlock(&list_lock);
}

/* At the errors that are pending. true: a reset is needed. */
static bool look(struct wd_qm *qm)
{
	bool is_flooded, is_reset = wd_qm_err_look(qm, &is_flooded);

	lockdep_assert_held(&list_lock);
	if (is_flooded && !is_reset)
		wd_qm_irq_flooded(qm);
	return is_reset;
}

/* The same for who does not hold the lock: no reset is under way meanwhile. */
bool wd_qm_tree_look(struct wd_qm *qm)
{
	bool is_reset;

	mutex_lock(&list_lock);
	is_reset = look(qm);
	mutex_unlock(&list_lock);
	return is_reset;
}

void wd_qm_err_work(struct work_struct *work)
{
	struct wd_qm *qm = container_of(work, struct wd_qm, err_work);
	bool is_wanted = xchg(&qm->is_reset_wanted, false);

	if (wd_qm_is_gone(qm)) {
		if (READ_ONCE(qm->state) != WD_QM_GONE)
			wd_qm_tree_gone(qm);
		return;
	}
	mutex_lock(&list_lock);
	/*
	 * Whoever has it resets it as well, and then there is nothing to read. An interrupt may
	 * have asked for this before it saw that the function is removed, which is not to start it.
	 */
	if (!qm->lent_nr && !READ_ONCE(qm->is_removing) && (look(qm) || is_wanted)) {
		wd_qm_isolate_count(qm);
		reset_whole(qm, true);
	}
	mutex_unlock(&list_lock);
}

/* A reset takes its time. */
static void work_later(struct wd_qm *qm)
{
	if (!READ_ONCE(qm->is_removing))
		queue_work(system_long_wq, &qm->err_work);
}

static void report_gone(struct wd_qm *qm)
{
	if (READ_ONCE(qm->state) != WD_QM_GONE)
		work_later(qm);
}

static void report_reset_wanted(struct wd_qm *qm)
{
	WRITE_ONCE(qm->is_reset_wanted, true);
	work_later(qm);
}

const struct wd_qm_report wd_qm_report = {
	.gone = report_gone,
	.reset_wanted = report_reset_wanted,
	.error = work_later,
};

/* Whatever another kernel, or this driver's last life, left running: nothing of it goes on. */
int wd_qm_tree_fresh(struct wd_qm *qm)
{
	int halted, ret;

	if (qm->is_vf)
		return 0;
	ret = pci_save_state(qm->pdev);
	if (ret)
		return ret;
	halted = wd_qm_hw_halt(qm);
	ret = device_reset(qm);
	config_restore(qm);
	return ret == -ENOTTY ? halted : ret;
}

/*
 * Starts a function for the first time. It is on the list from then on: a reset of its PF, which
 * takes away what was started, does not miss it. -EPROBE_DEFER: such a one is under way.
 */
int wd_qm_tree_enter(struct wd_qm *qm)
{
	struct wd_qm *pf;
	int ret;

	mutex_lock(&list_lock);
	pf = qm->is_vf ? pf_of(qm) : NULL;
	if (pf && pf->lent_nr) {
		ret = -EPROBE_DEFER;
	} else {
		mutex_lock(&qm->lock);
		ret = start(qm);
		if (!ret)
			wd_qm_err_settled(qm);
		mutex_unlock(&qm->lock);
	}
	if (!ret)
		list_add_tail(&qm->link, &list);
	mutex_unlock(&list_lock);
	return ret;
}

/* Offers its queues. sdmdev is asked outside the lock: it may wait for user space. */
int wd_qm_tree_join(struct wd_qm *qm)
{
	u32 generation = READ_ONCE(qm->generation);
	bool is_gone;
	int ret;

	ret = vfio_sdmdev_register(&qm->sdmdev);
	mutex_lock(&list_lock);
	qm->is_known = !ret;
	is_gone = READ_ONCE(qm->state) == WD_QM_GONE;
	/*
	 * It was reset when sdmdev could not be told yet. Whoever has it lent will say that it is
	 * over: each has begun.
	 */
	if (qm->is_known && (qm->lent_nr || generation != READ_ONCE(qm->generation))) {
		for (u32 nr = max(qm->lent_nr, 1u); nr; nr--)
			vfio_sdmdev_reset_begin(&qm->sdmdev, is_gone);
		if (!is_gone && !qm->lent_nr)
			vfio_sdmdev_reset_done(&qm->sdmdev);
	}
	mutex_unlock(&list_lock);
	return ret;
}

void wd_qm_tree_leave(struct wd_qm *qm)
{
	mutex_lock(&list_lock);
	list_del_init(&qm->link);
	mutex_unlock(&list_lock);
}

/* Has no VF of this PF a queue that is running? */
bool wd_qm_tree_is_idle(struct wd_qm *pf)
{
	bool is_it = true;
	struct wd_qm *fn;

	mutex_lock(&list_lock);
	list_for_each_entry(fn, &list, link)
		if (is_vf_of(fn, pf))
			is_it &= wd_qm_queues_are_idle(fn);
	mutex_unlock(&list_lock);
	return is_it;
}

/* Counted, for a VF may be lent by itself and with its PF, and be given back in any order. */
static void tree_lend(struct wd_qm *qm, int change)
{
	struct wd_qm *fn;

	lockdep_assert_held(&list_lock);
	list_for_each_entry(fn, &list, link)
		if (is_of_tree(fn, qm))
			fn->lent_nr += change;
	/* One that is being removed. */
	if (list_empty(&qm->link))
		qm->lent_nr += change;
}

/* tree_end() for whoever had it. 0: somebody else has it still, and will do that. */
static int tree_return(struct wd_qm *qm, int ret)
{
	struct wd_qm *fn;

	tree_lend(qm, -1);
	if (!qm->lent_nr)
		return tree_end(qm, ret, true);
	list_for_each_entry(fn, &list, link)
		if (is_of_tree(fn, qm))
			tell(fn, 0);
	return 0;
}

/* What AER began is over. */
static int tree_recovered(struct wd_qm *qm, int ret)
{
	qm->is_reset_due = false;
	return tree_return(qm, ret);
}

/* A latched error has a reset of its own coming, which an FLR must not meet. */
static void wait_for_errors(struct wd_qm *qm)
{
	unsigned long end = jiffies + msecs_to_jiffies(ERROR_WAIT_MS);
	bool is_latched;

	do {
		struct wd_qm *pf;

		mutex_lock(&list_lock);
		pf = qm->is_vf ? pf_of(qm) : qm;
		is_latched = pf && !pf->lent_nr && !wd_qm_is_gone(pf) && wd_qm_err_is_latched(pf);
		mutex_unlock(&list_lock);
		if (is_latched)
			msleep(20);
	} while (is_latched && time_before(jiffies, end));
}

static void tree_take(struct wd_qm *qm)
{
	struct wd_qm *fn;

	lockdep_assert_held(&list_lock);
	tree_begin(qm, WD_QM_DOWN, true);
	if (!qm->lent_nr && !wd_qm_is_gone(qm)) {
		list_for_each_entry(fn, &list, link) {
			if (!is_vf_of(fn, qm) || fn->lent_nr)
				continue;
			mutex_lock(&fn->lock);
			wd_qm_stop(fn);
			mutex_unlock(&fn->lock);
			pci_save_state(fn->pdev);
		}
		pf_errors(qm, false);
		mutex_lock(&qm->lock);
		wd_qm_stop(qm);
		mutex_unlock(&qm->lock);
	}
	tree_lend(qm, 1);
}

/* The PCI core resets the function next, or takes its power. */
void wd_qm_tree_lend(struct wd_qm *qm)
{
	wait_for_errors(qm);
	mutex_lock(&list_lock);
	tree_take(qm);
	mutex_unlock(&list_lock);
}

/*
 * It did; is_reset_needed: and it is not known to have reset the function. What somebody else has
 * still, as the end of the machine, is left as it is.
 */
int wd_qm_tree_give_back(struct wd_qm *qm, bool is_reset_needed)
{
	int ret = 0;

	mutex_lock(&list_lock);
	/* This reset does for AER as well, whose own may never come. */
	if (qm->is_reset_due) {
		tree_recovered(qm, 0);
		if (qm->lent_nr == 1)
			pci_set_master(qm->pdev);
	}
	if (qm->lent_nr == 1) {
		if (wd_qm_is_gone(qm))
			ret = -ENODEV;
		else if (is_reset_needed)
			ret = tree_reset(qm);
		pf_errors(qm, true);
	}
	ret = tree_return(qm, ret);
	mutex_unlock(&list_lock);
	return ret;
}

/*
 * Before another kernel takes over, which may use any memory: lent for good. A reset that is under
 * way is over by then, and nobody who comes later starts the function or lets it reach memory.
 */
void wd_qm_tree_shut(struct wd_qm *qm)
{
	struct wd_qm *fn;

	mutex_lock(&list_lock);
	tree_take(qm);
	list_for_each_entry(fn, &list, link) {
		if (!is_of_tree(fn, qm))
			continue;
		pci_clear_master(fn->pdev);
		tell(fn, -ESHUTDOWN);
	}
	mutex_unlock(&list_lock);
}

/* An error of the bus: everything stops. Frozen, the function cannot be reached, but by its bus. */
void wd_qm_tree_stop(struct wd_qm *qm, bool is_reachable)
{
	mutex_lock(&list_lock);
	if (!qm->is_reset_due) {
		tree_begin(qm, WD_QM_DOWN, true);
		tree_lend(qm, 1);
		qm->is_reset_due = true;
		wd_qm_isolate_count(qm);
		if (is_reachable) {
			mutex_lock(&qm->lock);
			wd_qm_irq_stop(qm);
			if (wd_qm_hw_halt(qm) && !qm->is_vf)
				pci_warn(qm->pdev, "did not come to rest\n");
			mutex_unlock(&qm->lock);
		}
		pci_clear_master(qm->pdev);
	}
	mutex_unlock(&list_lock);
}

/* The bus works again, with whatever configuration. The queues stay lost until it is resumed. */
int wd_qm_tree_repair(struct wd_qm *qm)
{
	int ret = 0;

	mutex_lock(&list_lock);
	if (qm->is_reset_due && qm->lent_nr == 1) {
		config_restore(qm);
		pci_set_master(qm->pdev);
		ret = tree_reset(qm);
		if (ret)
			tree_recovered(qm, ret);
	}
	mutex_unlock(&list_lock);
	return ret;
}

void wd_qm_tree_resume(struct wd_qm *qm)
{
	mutex_lock(&list_lock);
	if (qm->is_reset_due)
		tree_recovered(qm, 0);
	mutex_unlock(&list_lock);
}
