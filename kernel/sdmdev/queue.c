// SPDX-License-Identifier: GPL-2.0-only
/* A queue: from its creation to its end, its state, waiting and events. */

#include <linux/device.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "sdmdev.h"

static struct sdmdev_status *sdmdev_queue_status(struct sdmdev_queue *sq)
{
	return sq->layout.dus + sq->layout.dus_len - PAGE_SIZE;
}

static void sdmdev_queue_signal(struct sdmdev_queue *sq, enum sdmdev_irq irq)
{
	unsigned long flags;

	spin_lock_irqsave(&sq->irq_lock, flags);
	if (sq->events[irq])
		compat_eventfd_signal(sq->events[irq]);
	spin_unlock_irqrestore(&sq->irq_lock, flags);
}

/**
 * vfio_sdmdev_wake_up() - completions arrived
 * @q: the queue
 *
 * Wakes who waits and signals the eventfd. Any context.
 */
void vfio_sdmdev_wake_up(struct vfio_sdmdev_queue *q)
{
	wake_up_all(&q->wait);
	sdmdev_queue_signal(q->core, SDMDEV_IRQ_UPDATE);
}
EXPORT_SYMBOL_GPL(vfio_sdmdev_wake_up);

/* The process may write its status page: it is never read here. */
static void sdmdev_queue_changed(struct sdmdev_run *run, bool is_gone)
{
	struct sdmdev_queue *sq = container_of(run, struct sdmdev_queue, run);
	struct sdmdev_status *status = sdmdev_queue_status(sq);
	bool is_news = sq->told_state != run->state || sq->told_generation != run->life->generation;

	sq->told_state = run->state;
	sq->told_generation = run->life->generation;
	WRITE_ONCE(status->generation, run->life->generation);
	WRITE_ONCE(status->state, run->state);
	wake_up_all(&sq->q->wait);
	if (is_news && (run->state == SDMDEV_STATE_RESET || run->state == SDMDEV_STATE_DEAD))
		sdmdev_queue_signal(sq, SDMDEV_IRQ_ERROR);
	if (is_gone)
		queue_delayed_work(sdmdev_wq, &sq->revoke_work, 0);
}

/*
 * VFIO's device goes by a work: its last reference takes a lock of VFIO. Those come before
 * life->lock, which is held here, and whoever closes a queue has one of that kind already.
 */
static void sdmdev_queue_free(struct sdmdev_retired *retired)
{
	struct sdmdev_queue *sq = container_of(retired, struct sdmdev_queue, retired);
	struct sdmdev_core *core = sq->core;

	sdmdev_run_leave(&sq->run);
	core->sdmdev->ops->put_queue(sq->q);
	llist_add(&sq->put_node, &core->put_list);
	queue_work(sdmdev_wq, &core->put_work);
}

static int sdmdev_queue_check_layout(struct sdmdev_queue *sq)
{
	const struct vfio_sdmdev_layout *layout = &sq->layout;

	if (!layout->dus || !layout->dus_len || !PAGE_ALIGNED(layout->dus_len) || !layout->sqe_len)
		return -EINVAL;
	if (!PAGE_ALIGNED(layout->mmio) || !PAGE_ALIGNED(layout->mmio_len))
		return -EINVAL;
	/* Without a page of its own nobody but the kernel may ring. */
	return sq->mode->is_direct && !layout->mmio_len ? -EOPNOTSUPP : 0;
}

static void sdmdev_queue_uncount(struct sdmdev_core *core)
{
	mutex_lock(&core->lock);
	core->queues_nr--;
	mutex_unlock(&core->lock);
}

/* Puts a hardware queue behind dev, which a bus backend just bound. */
int sdmdev_queue_create(struct sdmdev_core *core, struct device *dev)
{
	struct vfio_sdmdev *sdmdev = core->sdmdev;
	struct sdmdev_queue *sq;
	int ret;

	sq = vfio_alloc_device(sdmdev_queue, vdev, dev, &sdmdev_vfio_ops);
	if (IS_ERR(sq))
		return PTR_ERR(sq);
	sq->core = core;
	sq->retired.free = sdmdev_queue_free;
	ret = sdmdev->ops->get_queue(sdmdev, &sq->q);
	if (ret)
		goto put_device;
	mutex_init(&sq->q->mutex);
	init_waitqueue_head(&sq->q->wait);
	sq->q->core = sq;
	sdmdev->ops->describe(sq->q, &sq->layout);

	mutex_lock(&core->lock);
	sq->mode = core->mode;
	ret = sdmdev_queue_check_layout(sq);
	if (!ret && core->is_unregistering)
		ret = -ENODEV;
	if (!ret)
		core->queues_nr++;
	mutex_unlock(&core->lock);
	if (ret)
		goto put_queue;

	sdmdev_run_join(&sq->run, &core->life, sdmdev_queue_changed);
	dev_set_drvdata(dev, sq);
	ret = vfio_register_emulated_iommu_dev(&sq->vdev);
	if (ret)
		goto leave;
	return 0;

leave:
	mutex_lock(&core->life.lock);
	sdmdev_run_leave(&sq->run);
	mutex_unlock(&core->life.lock);
	sdmdev_queue_uncount(core);
put_queue:
	sdmdev->ops->put_queue(sq->q);
put_device:
	vfio_put_device(&sq->vdev);
	return ret;
}
EXPORT_SYMBOL_GPL(sdmdev_queue_create);

/* Returns when nobody has the queue open. */
void sdmdev_queue_destroy(struct device *dev)
{
	struct sdmdev_queue *sq = dev_get_drvdata(dev);
	struct sdmdev_core *core = sq->core;

	vfio_unregister_group_dev(&sq->vdev);
	sdmdev_queue_uncount(core);
	sq->mode->drop(sq, &sq->retired);
	sdmdev_life_settle(&core->life);
}
EXPORT_SYMBOL_GPL(sdmdev_queue_destroy);

/*
 * Whatever is left of the queue's last owner: the rings are emptied before another process can map
 * them. VFIO opens a device once.
 */
int sdmdev_queue_open(struct sdmdev_queue *sq)
{
	struct vfio_sdmdev *sdmdev = sq->core->sdmdev;
	struct sdmdev_space *space;
	int ret = 0;

	if (!try_module_get(sdmdev->owner))
		return -ENODEV;
	ret = sdmdev_run_open(&sq->run);
	if (ret)
		goto put_module;
	space = sdmdev_space_get(sq);
	if (IS_ERR(space)) {
		ret = PTR_ERR(space);
		goto put_module;
	}
	mutex_lock(&sq->mem_lock);
	mutex_lock(&sq->q->mutex);
	sq->space = space;
	sq->mm = current->mm;
	mmgrab(sq->mm);
	memset(sq->layout.dus, 0, sq->layout.dus_len);
	mutex_unlock(&sq->q->mutex);
	mutex_unlock(&sq->mem_lock);
	sdmdev_run_set_state(&sq->run, SDMDEV_STATE_INIT);
	return 0;

put_module:
	module_put(sdmdev->owner);
	return ret;
}

/* Where it does not work, for a reset began, this does nothing. */
static int sdmdev_queue_stop_locked(struct sdmdev_queue *sq)
{
	int ret = sq->core->sdmdev->ops->stop_queue(sq->q);

	return sdmdev_run_end(&sq->run, ret, SDMDEV_STATE_INIT);
}

/* Nobody can call any more, no mapping is left, and pins can still be given back. */
void sdmdev_queue_close(struct sdmdev_queue *sq)
{
	struct sdmdev_core *core = sq->core;
	u32 i;

	for (i = 0; i < SDMDEV_IRQS; i++)
		sdmdev_queue_set_event(sq, i, -1);
	mutex_lock(&sq->q->mutex);
	sdmdev_queue_stop_locked(sq);
	mutex_unlock(&sq->q->mutex);

	/* VFIO may be asking for pins meanwhile. */
	mutex_lock(&sq->mem_lock);
	sq->mode->unshare(sq, 0, U64_MAX);
	sdmdev_static_free_all(sq);
	sdmdev_space_put(sq->space);
	mutex_lock(&sq->q->mutex);
	sq->space = NULL;
	mmdrop(sq->mm);
	sq->mm = NULL;
	sq->q->pasid = 0;
	mutex_unlock(&sq->q->mutex);
	mutex_unlock(&sq->mem_lock);
	sdmdev_life_settle(&core->life);
	module_put(core->sdmdev->owner);
}

static int sdmdev_queue_start_locked(struct sdmdev_queue *sq)
{
	const struct vfio_sdmdev_ops *ops = sq->core->sdmdev->ops;
	int ret;

	ret = sdmdev_run_begin(&sq->run);
	if (ret)
		return ret;
	ret = ops->start_queue(sq->q);
	if (ret) {
		sdmdev_run_abort(&sq->run, true);
		return ret;
	}
	ret = sdmdev_run_begun(&sq->run);
	if (ret)
		sdmdev_run_abort(&sq->run, !ops->stop_queue(sq->q));
	return ret;
}

int sdmdev_queue_start(struct sdmdev_queue *sq)
{
	int ret;

	ret = sq->mode->bind(sq);
	if (ret)
		return ret;
	mutex_lock(&sq->q->mutex);
	ret = sdmdev_queue_start_locked(sq);
	mutex_unlock(&sq->q->mutex);
	return ret;
}

int sdmdev_queue_stop(struct sdmdev_queue *sq)
{
	int ret;

	mutex_lock(&sq->q->mutex);
	ret = sdmdev_run_may_end(&sq->run);
	if (ret > 0)
		ret = sdmdev_queue_stop_locked(sq);
	mutex_unlock(&sq->q->mutex);
	return ret;
}

int sdmdev_queue_reset(struct sdmdev_queue *sq)
{
	const struct vfio_sdmdev_ops *ops = sq->core->sdmdev->ops;
	int ret;

	if (!ops->reset_queue)
		return -EOPNOTSUPP;
	mutex_lock(&sq->q->mutex);
	ret = sdmdev_run_may_end(&sq->run);
	if (ret > 0)
		ret = sdmdev_queue_stop_locked(sq);
	if (!ret)
		ret = ops->reset_queue(sq->q);
	if (!ret)
		sdmdev_run_set_state(&sq->run, SDMDEV_STATE_INIT);
	mutex_unlock(&sq->q->mutex);
	return ret;
}

/* What was rung so far is finished, or -EIO and the queue is broken. */
int sdmdev_queue_drain(struct sdmdev_queue *sq)
{
	const struct vfio_sdmdev_ops *ops = sq->core->sdmdev->ops;
	int ret;

	mutex_lock(&sq->q->mutex);
	ret = sdmdev_run_may_end(&sq->run);
	if (ret > 0) {
		ret = ops->drain_queue ? ops->drain_queue(sq->q) : -EIO;
		if (ret)
			ret = sdmdev_run_end(&sq->run, -EIO, SDMDEV_STATE_RESET);
	}
	mutex_unlock(&sq->q->mutex);
	return ret;
}

/*
 * VFIO asks again every ten seconds: the first time the process may still finish its work. Later
 * its queue is dead, and is stopped when its process closes it: VFIO waits for that in any case.
 */
void sdmdev_queue_want_removal(struct sdmdev_queue *sq, unsigned int count)
{
	WRITE_ONCE(sdmdev_queue_status(sq)->is_removal_wanted, 1);
	if (count)
		sdmdev_run_set_state(&sq->run, SDMDEV_STATE_DEAD);
	else
		sdmdev_queue_signal(sq, SDMDEV_IRQ_ERROR);
}

/* Whether completions shall interrupt. The driver's op is called at the edges only. */
static void sdmdev_queue_notify(struct sdmdev_queue *sq, bool is_wanted)
{
	const struct vfio_sdmdev_ops *ops = sq->core->sdmdev->ops;

	lockdep_assert_held(&sq->irq_lock);
	if (is_wanted && !sq->notify_nr++)
		ops->mask_notify(sq->q, VFIO_SDMDEV_EVENT_Q_UPDATE);
	else if (!is_wanted && !--sq->notify_nr)
		ops->mask_notify(sq->q, 0);
}

static void sdmdev_queue_notify_locked(struct sdmdev_queue *sq, bool is_wanted)
{
	unsigned long flags;

	spin_lock_irqsave(&sq->irq_lock, flags);
	sdmdev_queue_notify(sq, is_wanted);
	spin_unlock_irqrestore(&sq->irq_lock, flags);
}

/* 1: results; 0: not yet; or why there will not be any. */
static int sdmdev_queue_poll(struct sdmdev_queue *sq)
{
	switch (READ_ONCE(sq->run.state)) {
	case SDMDEV_STATE_OK:
		return !!sq->core->sdmdev->ops->is_q_updated(sq->q);
	case SDMDEV_STATE_DEAD:
		return -ENODEV;
	default:
		return -EIO;
	}
}

int sdmdev_queue_wait(struct sdmdev_queue *sq, unsigned long timeout_ms)
{
	long left = msecs_to_jiffies(min_t(unsigned long, timeout_ms, INT_MAX));
	int ret;

	ret = sdmdev_queue_poll(sq);
	if (!ret && timeout_ms) {
		sdmdev_queue_notify_locked(sq, true);
		left = wait_event_interruptible_timeout(sq->q->wait,
							(ret = sdmdev_queue_poll(sq)), left);
		sdmdev_queue_notify_locked(sq, false);
		if (!ret && left < 0)
			return -EINTR;
	}
	if (ret < 0)
		return ret;
	return ret ? 0 : -ETIMEDOUT;
}

/* fd < 0: none. */
int sdmdev_queue_set_event(struct sdmdev_queue *sq, u32 irq, int fd)
{
	struct eventfd_ctx *new = NULL, *old;
	unsigned long flags;

	if (fd >= 0) {
		new = eventfd_ctx_fdget(fd);
		if (IS_ERR(new))
			return PTR_ERR(new);
	}
	spin_lock_irqsave(&sq->irq_lock, flags);
	old = sq->events[irq];
	sq->events[irq] = new;
	if (irq == SDMDEV_IRQ_UPDATE && !old != !new)
		sdmdev_queue_notify(sq, new);
	spin_unlock_irqrestore(&sq->irq_lock, flags);
	if (old)
		eventfd_ctx_put(old);
	return 0;
}
