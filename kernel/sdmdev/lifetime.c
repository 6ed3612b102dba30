// SPDX-License-Identifier: GPL-2.0-only
/* What a function works for, what it may still reach, and its resets. Knows no queue. */

#include <linux/device.h>
#include <linux/iommu.h>

#include "lifetime.h"

/* Resets, and the ends of queues, take as long as the hardware does: not for the system's queue. */
struct workqueue_struct *sdmdev_wq;
/* What may take as long as a process likes: however much of it there is, no reset waits behind it. */
struct workqueue_struct *sdmdev_free_wq;

int sdmdev_wq_init(void)
{
	sdmdev_wq = alloc_workqueue("sdmdev", WQ_UNBOUND, 0);
	sdmdev_free_wq = alloc_workqueue("sdmdev_free", WQ_UNBOUND, 0);
	if (sdmdev_wq && sdmdev_free_wq)
		return 0;
	sdmdev_wq_exit();
	return -ENOMEM;
}

void sdmdev_wq_exit(void)
{
	/* In this order: what ends in the one may be freed by the other. */
	if (sdmdev_wq)
		destroy_workqueue(sdmdev_wq);
	if (sdmdev_free_wq)
		destroy_workqueue(sdmdev_free_wq);
}

static bool sdmdev_run_is_stuck(const struct sdmdev_run *run)
{
	return run->stuck_epoch == run->life->epoch;
}

static bool sdmdev_run_rests(const struct sdmdev_run *run)
{
	return !run->is_working && !sdmdev_run_is_stuck(run);
}

bool sdmdev_run_is_working(struct sdmdev_run *run)
{
	bool is_working;

	mutex_lock(&run->life->lock);
	is_working = run->is_working;
	mutex_unlock(&run->life->lock);
	return is_working;
}

/* Is nothing of it on its way to memory? */
bool sdmdev_run_is_idle(struct sdmdev_run *run)
{
	bool is_idle;

	mutex_lock(&run->life->lock);
	is_idle = sdmdev_run_rests(run);
	mutex_unlock(&run->life->lock);
	return is_idle;
}

static void sdmdev_life_free_list(struct list_head *list)
{
	struct sdmdev_retired *retired, *next;
	LIST_HEAD(free);

	/* The last one may be what the list lies in. */
	list_splice_init(list, &free);
	list_for_each_entry_safe(retired, next, &free, node) {
		list_del(&retired->node);
		retired->free(retired);
	}
}

/* Frees whatever is out of the device's reach. None is started while the lock is held. */
static void sdmdev_life_free(struct sdmdev_life *life)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(life->dev);
	struct sdmdev_run *run, *next;

	lockdep_assert_held(&life->lock);
	list_for_each_entry_safe(run, next, &life->runs, node)
		if (sdmdev_run_rests(run))
			sdmdev_life_free_list(&run->retired);
	if (life->working_nr || life->stuck_nr || list_empty(&life->retired))
		return;
	sdmdev_life_free_list(&life->retired);
	/*
	 * The DMA API may unmap lazily: until this flush a queue that is started could reach freed
	 * pages by what the IOMMU remembers of them.
	 */
	if (domain && domain->type & __IOMMU_DOMAIN_PAGING)
		iommu_flush_iotlb_all(domain);
}

/* Frees what is retired as soon as the device does not reach it. */
void sdmdev_life_settle(struct sdmdev_life *life)
{
	mutex_lock(&life->lock);
	sdmdev_life_free(life);
	mutex_unlock(&life->lock);
}

/* Something that everything on the function reaches. */
void sdmdev_life_retire(struct sdmdev_life *life, struct sdmdev_retired *retired)
{
	mutex_lock(&life->lock);
	list_add_tail(&retired->node, &life->retired);
	mutex_unlock(&life->lock);
}

/* Something that this one alone reaches, and is known not to use any more, if it is not stuck. */
void sdmdev_run_retire(struct sdmdev_run *run, struct sdmdev_retired *retired)
{
	struct sdmdev_life *life = run->life;

	mutex_lock(&life->lock);
	if (sdmdev_run_is_stuck(run))
		list_add_tail(&retired->node, &run->retired);
	else
		retired->free(retired);
	mutex_unlock(&life->lock);
}

/* May anything of the function be on its way to memory? */
bool sdmdev_life_is_busy(struct sdmdev_life *life)
{
	bool is_busy;

	mutex_lock(&life->lock);
	is_busy = life->working_nr || life->stuck_nr;
	mutex_unlock(&life->lock);
	return is_busy;
}

static void sdmdev_run_change(struct sdmdev_run *run, enum sdmdev_state state, bool is_gone)
{
	/* Dead is dead. */
	if (run->state != SDMDEV_STATE_DEAD)
		WRITE_ONCE(run->state, state);
	run->changed(run, is_gone);
}

static void sdmdev_run_stick(struct sdmdev_run *run)
{
	run->stuck_epoch = run->life->epoch;
	run->life->stuck_nr++;
}

static void sdmdev_run_rest(struct sdmdev_run *run)
{
	run->is_working = false;
	run->life->working_nr--;
}

/* One could not be stopped: only a reset makes that sure. */
static void sdmdev_life_want_reset(struct sdmdev_life *life)
{
	if (!life->resets_nr && !life->is_gone)
		queue_work(sdmdev_wq, &life->reset_work);
}

static void sdmdev_life_reset(struct sdmdev_life *life)
{
	int ret;

	sdmdev_life_reset_begin(life, false);
	ret = life->reset(life);
	if (ret)
		dev_err(life->dev, "sdmdev: reset failed (%d), the function is isolated\n", ret);
	sdmdev_life_reset_end(life, !ret);
}

static void sdmdev_life_reset_work(struct work_struct *work)
{
	struct sdmdev_life *life = container_of(work, struct sdmdev_life, reset_work);
	bool is_needed;

	mutex_lock(&life->lock);
	is_needed = life->stuck_nr && !life->resets_nr && !life->is_gone;
	mutex_unlock(&life->lock);
	if (is_needed)
		sdmdev_life_reset(life);
}

void sdmdev_life_init(struct sdmdev_life *life, struct device *dev,
		      int (*reset)(struct sdmdev_life *life))
{
	life->dev = dev;
	life->reset = reset;
	life->epoch = 1;
	mutex_init(&life->lock);
	init_waitqueue_head(&life->wait);
	INIT_LIST_HEAD(&life->runs);
	INIT_LIST_HEAD(&life->retired);
	INIT_WORK(&life->reset_work, sdmdev_life_reset_work);
}

/* What works becomes stuck: the driver stops the hardware itself, and says when it did. */
void sdmdev_life_reset_begin(struct sdmdev_life *life, bool is_gone)
{
	struct sdmdev_run *run;

	mutex_lock(&life->lock);
	life->generation++;
	life->resets_nr++;
	life->is_gone |= is_gone;
	list_for_each_entry(run, &life->runs, node) {
		enum sdmdev_state state = run->state;

		if (state == SDMDEV_STATE_OK)
			state = SDMDEV_STATE_RESET;
		if (run->is_working) {
			sdmdev_run_rest(run);
			sdmdev_run_stick(run);
		}
		sdmdev_run_change(run, is_gone ? SDMDEV_STATE_DEAD : state, is_gone);
	}
	mutex_unlock(&life->lock);
}

static void sdmdev_life_next_epoch(struct sdmdev_life *life)
{
	struct sdmdev_run *run;
	u32 before = life->epoch++;

	life->stuck_nr = 0;
	list_for_each_entry(run, &life->runs, node) {
		/* Its start may have been later than the reset: it comes back to say so. */
		if (run->is_starting && run->stuck_epoch == before)
			sdmdev_run_stick(run);
		run->changed(run, false);
	}
}

/* is_done: nothing of what was in flight before is in flight now. */
void sdmdev_life_reset_end(struct sdmdev_life *life, bool is_done)
{
	bool is_last;

	mutex_lock(&life->lock);
	is_last = !--life->resets_nr;
	life->is_isolated = !is_done;
	if (is_last && is_done) {
		sdmdev_life_next_epoch(life);
		sdmdev_life_free(life);
	}
	mutex_unlock(&life->lock);
}

/* Until all runs have left, or that long; who left last has let go of the lock then. */
void sdmdev_life_wait(struct sdmdev_life *life, long timeout)
{
	wait_event_timeout(life->wait, list_empty_careful(&life->runs), timeout);
	mutex_lock(&life->lock);
	mutex_unlock(&life->lock);
}

/* Nobody starts anything any more; what works yet is ended by a reset. False: it is not. */
bool sdmdev_life_end(struct sdmdev_life *life)
{
	bool is_possible;

	cancel_work_sync(&life->reset_work);
	mutex_lock(&life->lock);
	is_possible = !life->resets_nr && !life->is_isolated && !life->is_gone;
	mutex_unlock(&life->lock);
	if (is_possible && sdmdev_life_is_busy(life))
		sdmdev_life_reset(life);
	return !sdmdev_life_is_busy(life);
}

/* The device has lost its way to memory for good, and nothing is started any more. */
void sdmdev_life_stop(struct sdmdev_life *life)
{
	struct sdmdev_run *run;

	mutex_lock(&life->lock);
	life->is_gone = true;
	list_for_each_entry(run, &life->runs, node)
		if (run->is_working)
			sdmdev_run_rest(run);
	sdmdev_life_next_epoch(life);
	sdmdev_life_free(life);
	mutex_unlock(&life->lock);
}

void sdmdev_run_join(struct sdmdev_run *run, struct sdmdev_life *life,
		     void (*changed)(struct sdmdev_run *run, bool is_gone))
{
	run->life = life;
	run->changed = changed;
	INIT_LIST_HEAD(&run->retired);
	mutex_lock(&life->lock);
	list_add_tail(&run->node, &life->runs);
	if (life->is_gone)
		run->state = SDMDEV_STATE_DEAD;
	mutex_unlock(&life->lock);
}

void sdmdev_run_leave(struct sdmdev_run *run)
{
	lockdep_assert_held(&run->life->lock);
	list_del(&run->node);
	wake_up_all(&run->life->wait);
}

/* -ENODEV: dead; -EBUSY: the device may still work for whoever had it before. */
int sdmdev_run_open(struct sdmdev_run *run)
{
	int ret = 0;

	mutex_lock(&run->life->lock);
	if (run->state == SDMDEV_STATE_DEAD)
		ret = -ENODEV;
	else if (!sdmdev_run_rests(run))
		ret = -EBUSY;
	else
		sdmdev_run_change(run, SDMDEV_STATE_INIT, false);
	mutex_unlock(&run->life->lock);
	return ret;
}

void sdmdev_run_set_state(struct sdmdev_run *run, enum sdmdev_state state)
{
	mutex_lock(&run->life->lock);
	sdmdev_run_change(run, state, false);
	mutex_unlock(&run->life->lock);
}

/* The device is about to work for it. */
int sdmdev_run_begin(struct sdmdev_run *run)
{
	struct sdmdev_life *life = run->life;
	int ret = 0;

	mutex_lock(&life->lock);
	if (run->state == SDMDEV_STATE_DEAD || life->is_gone)
		ret = -ENODEV;
	else if (run->is_working)
		ret = -EBUSY;
	else if (sdmdev_run_is_stuck(run) || life->resets_nr || life->is_isolated)
		ret = -EIO;
	if (!ret) {
		run->is_working = true;
		run->is_starting = true;
		life->working_nr++;
	}
	mutex_unlock(&life->lock);
	return ret;
}

/* It does. -EIO: a reset came in between; it is to be stopped, and sdmdev_run_abort() called. */
int sdmdev_run_begun(struct sdmdev_run *run)
{
	int ret = -EIO;

	mutex_lock(&run->life->lock);
	if (run->is_working) {
		run->is_starting = false;
		sdmdev_run_change(run, SDMDEV_STATE_OK, false);
		ret = run->state == SDMDEV_STATE_OK ? 0 : -ENODEV;
	}
	mutex_unlock(&run->life->lock);
	return ret;
}

/* It was not started after all, and is_stopped: that is sure. */
void sdmdev_run_abort(struct sdmdev_run *run, bool is_stopped)
{
	struct sdmdev_life *life = run->life;

	mutex_lock(&life->lock);
	run->is_starting = false;
	if (run->is_working) {
		sdmdev_run_rest(run);
		if (!is_stopped)
			sdmdev_run_stick(run);
	} else if (is_stopped && sdmdev_run_is_stuck(run) && !life->resets_nr) {
		run->stuck_epoch = 0;
		life->stuck_nr--;
	}
	if (!is_stopped && sdmdev_run_is_stuck(run))
		sdmdev_life_want_reset(life);
	sdmdev_life_free(life);
	mutex_unlock(&life->lock);
}

/* 1: there is something to end; 0: there is not; or why there cannot be. */
int sdmdev_run_may_end(struct sdmdev_run *run)
{
	int ret = 0;

	mutex_lock(&run->life->lock);
	if (run->state == SDMDEV_STATE_DEAD)
		ret = -ENODEV;
	else if (run->is_working)
		ret = 1;
	else if (sdmdev_run_is_stuck(run))
		ret = -EIO;
	mutex_unlock(&run->life->lock);
	return ret;
}

/*
 * The device does not work for it any more, and the state is as given; or (ret) that could not be
 * brought about, and it is stuck until the function was reset. Whoever waits is not to see another
 * state in between.
 */
int sdmdev_run_end(struct sdmdev_run *run, int ret, enum sdmdev_state state)
{
	struct sdmdev_life *life = run->life;

	mutex_lock(&life->lock);
	if (run->is_working) {
		sdmdev_run_rest(run);
		if (ret) {
			sdmdev_run_stick(run);
			sdmdev_life_want_reset(life);
			state = SDMDEV_STATE_RESET;
		}
		sdmdev_run_change(run, state, false);
		sdmdev_life_free(life);
	} else if (sdmdev_run_is_stuck(run)) {
		ret = -EIO; /* a reset was faster */
	}
	mutex_unlock(&life->lock);
	return ret;
}
