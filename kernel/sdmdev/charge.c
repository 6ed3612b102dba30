// SPDX-License-Identifier: GPL-2.0-only
/* What a process is charged for the kernel's memory that it holds: as locked memory. */

#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "sdmdev.h"

#define SDMDEV_CHARGE_TRY_MS 20

/*
 * The count is behind the process's mmap lock, which a thread of it may hold for as long as it
 * likes, over a page that never comes. Who charges waits for that in its own call. What is given
 * back, in whatever context, is not to wait: it is tried again later.
 */
struct sdmdev_charge {
	struct list_head node; /* sdmdev_charge_lock */
	struct mm_struct *mm;
	unsigned long pages;
};

static LIST_HEAD(sdmdev_charges);
static DEFINE_SPINLOCK(sdmdev_charge_lock);

/* The semaphore itself: newer kernels have no wrapper that tries. No mapping is changed. */
static bool sdmdev_charge_give_back(struct sdmdev_charge *charge)
{
	if (!down_write_trylock(&charge->mm->mmap_lock))
		return false;
	__account_locked_vm(charge->mm, charge->pages, false, current, true);
	up_write(&charge->mm->mmap_lock);
	return true;
}

static void sdmdev_charge_free(struct sdmdev_charge *charge)
{
	mmdrop(charge->mm);
	kfree(charge);
}

static void sdmdev_charge_retry(struct work_struct *work)
{
	struct sdmdev_charge *charge, *next;
	bool is_empty;
	LIST_HEAD(list);

	spin_lock(&sdmdev_charge_lock);
	list_splice_init(&sdmdev_charges, &list);
	spin_unlock(&sdmdev_charge_lock);
	list_for_each_entry_safe(charge, next, &list, node)
		if (sdmdev_charge_give_back(charge)) {
			list_del(&charge->node);
			sdmdev_charge_free(charge);
		}
	spin_lock(&sdmdev_charge_lock);
	list_splice(&list, &sdmdev_charges);
	is_empty = list_empty(&sdmdev_charges);
	spin_unlock(&sdmdev_charge_lock);
	if (!is_empty)
		queue_delayed_work(system_unbound_wq, to_delayed_work(work),
				   msecs_to_jiffies(SDMDEV_CHARGE_TRY_MS));
}

static DECLARE_DELAYED_WORK(sdmdev_charge_work, sdmdev_charge_retry);

/* Of the current process, within its limit. With no lock held that others wait for. */
struct sdmdev_charge *sdmdev_charge(unsigned long pages)
{
	struct mm_struct *mm = current->mm;
	struct sdmdev_charge *charge;
	int ret;

	charge = kzalloc(sizeof(*charge), GFP_KERNEL_ACCOUNT);
	if (!charge)
		return ERR_PTR(-ENOMEM);
	ret = mmap_write_lock_killable(mm);
	if (!ret) {
		ret = __account_locked_vm(mm, pages, true, current, capable(CAP_IPC_LOCK));
		mmap_write_unlock(mm);
	}
	if (ret) {
		kfree(charge);
		return ERR_PTR(ret);
	}
	mmgrab(mm);
	charge->mm = mm;
	charge->pages = pages;
	return charge;
}

/* Never waits. */
void sdmdev_uncharge(struct sdmdev_charge *charge)
{
	if (sdmdev_charge_give_back(charge)) {
		sdmdev_charge_free(charge);
		return;
	}
	spin_lock(&sdmdev_charge_lock);
	list_add(&charge->node, &sdmdev_charges);
	spin_unlock(&sdmdev_charge_lock);
	queue_delayed_work(system_unbound_wq, &sdmdev_charge_work,
			   msecs_to_jiffies(SDMDEV_CHARGE_TRY_MS));
}

/* Who holds its own mmap lock to the end stays charged. */
void sdmdev_charge_exit(void)
{
	struct sdmdev_charge *charge, *next;

	cancel_delayed_work_sync(&sdmdev_charge_work);
	list_for_each_entry_safe(charge, next, &sdmdev_charges, node) {
		sdmdev_charge_give_back(charge);
		sdmdev_charge_free(charge);
	}
}
