// SPDX-License-Identifier: GPL-2.0-only
/* A queue: from its creation to its end, its state, waiting and events. */

#include <linux/device.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "sdmdev.h"

#define SDMDEV_CLOSE_TURNS 10 /* jiffies that a close waits itself */
#define SDMDEV_STOP_TURNS 4

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
	atomic_inc(&q->core->core->life.moves);
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
	if (sq->is_closing)
		mod_delayed_work(sdmdev_wq, &sq->close_work, 0);
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

int sdmdev_queue_available(struct sdmdev_core *core)
{
	const struct vfio_sdmdev_ops *ops = core->sdmdev->ops;

	return ops->get_available_instances ? ops->get_available_instances(core->sdmdev) : 0;
}
EXPORT_SYMBOL_GPL(sdmdev_queue_available);

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

/*
 * 0: the device does not work for the queue; -EAGAIN: not yet: it is to be called again, or, with
 * the queue stuck, when the state changes.
 */
static int sdmdev_queue_try_end(struct sdmdev_queue *sq)
{
	int ret = 0;

	mutex_lock(&sq->q->mutex);
	if (sdmdev_run_is_working(&sq->run)) {
		ret = sdmdev_drain_look(sq, &sq->drain);
		if (!ret)
			ret = sq->core->sdmdev->ops->stop_queue(sq->q);
		if (ret == -EBUSY) /* somebody else has rung: once more */
			sdmdev_drain_init(&sq->drain);
		else if (ret != -EAGAIN)
			sdmdev_run_end(&sq->run, ret, SDMDEV_STATE_INIT);
	}
	mutex_unlock(&sq->q->mutex);
	return sdmdev_run_is_idle(&sq->run) ? 0 : -EAGAIN;
}

static void sdmdev_queue_put(struct sdmdev_queue *sq)
{
	struct sdmdev_life *life = &sq->core->life;

	if (!refcount_dec_and_test(&sq->holds))
		return;
	sq->mode->drop(sq, &sq->retired);
	sdmdev_life_settle(life);
}

/* Closed, and out of the device's hands: what it had is given back. */
static void sdmdev_queue_finish(struct sdmdev_queue *sq)
{
	if (sq->is_held)
		sq->mode->unshare(sq, 0, U64_MAX);
	sdmdev_static_free_all(sq);
	sdmdev_space_put(sq->space);
	sq->space = NULL;
	sq->q->pasid = 0;
	sdmdev_life_settle(&sq->core->life);
	sdmdev_queue_put(sq);
}

/* However long a process's last requests take: nobody waits for them. */
static void sdmdev_queue_close_work(struct work_struct *work)
{
	struct sdmdev_queue *sq = container_of(work, struct sdmdev_queue, close_work.work);
	struct sdmdev_life *life = &sq->core->life;

	if (sdmdev_queue_try_end(sq)) {
		if (sdmdev_run_is_working(&sq->run))
			queue_delayed_work(sdmdev_wq, &sq->close_work, 1);
		return;
	}
	mutex_lock(&life->lock);
	sq->is_closing = false;
	mutex_unlock(&life->lock);
	/* What was queued by a change since. */
	cancel_delayed_work(&sq->close_work);
	sdmdev_queue_finish(sq);
}

static void sdmdev_queue_uncount(struct sdmdev_core *core)
{
	mutex_lock(&core->lock);
	core->queues_nr--;
	mutex_unlock(&core->lock);
}

/* For who submits by the kernel: see mediated.c. */
static int sdmdev_queue_alloc_flight(struct sdmdev_queue *sq)
{
	struct sdmdev_flight *flight = &sq->flight;

	if (sq->mode->is_direct)
		return 0;
	flight->size = roundup_pow_of_two(2 * sq->layout.sq_depth);
	flight->bytes = kvcalloc(flight->size, sizeof(*flight->bytes), GFP_KERNEL);
	return flight->bytes ? 0 : -ENOMEM;
}

/* Puts a hardware queue behind dev, which a bus backend just bound. */
int sdmdev_queue_create(struct sdmdev_core *core, struct device *dev)
{
	struct vfio_sdmdev *sdmdev = core->sdmdev;
	struct sdmdev_queue *sq;
	int ret;

	sq = vfio_alloc_device(sdmdev_queue, vdev, dev, core->vfio_ops);
	if (IS_ERR(sq))
		return PTR_ERR(sq);
	sq->core = core;
	sq->retired.free = sdmdev_queue_free;
	INIT_DELAYED_WORK(&sq->close_work, sdmdev_queue_close_work);
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
	ret = sdmdev_queue_alloc_flight(sq);
	if (ret)
		goto uncount;

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
uncount:
	sdmdev_queue_uncount(core);
put_queue:
	sdmdev->ops->put_queue(sq->q);
put_device:
	vfio_put_device(&sq->vdev);
	return ret;
}
EXPORT_SYMBOL_GPL(sdmdev_queue_create);

/* Returns when nobody has the queue open; the device may still work for who had. */
void sdmdev_queue_destroy(struct device *dev)
{
	struct sdmdev_queue *sq = dev_get_drvdata(dev);
	struct sdmdev_core *core = sq->core;

	vfio_unregister_group_dev(&sq->vdev);
	sdmdev_queue_uncount(core);
	sdmdev_queue_put(sq);
}
EXPORT_SYMBOL_GPL(sdmdev_queue_destroy);

/* Whose queue it is. */
static void sdmdev_queue_set_mm(struct sdmdev_queue *sq, struct mm_struct *mm)
{
	struct mm_struct *old = sq->mm;

	if (mm)
		mmgrab(mm);
	mutex_lock(&sq->map_lock);
	sq->mm = mm;
	mutex_unlock(&sq->map_lock);
	if (old)
		mmdrop(old);
}

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
	/* Not before it has ended for whoever had it last. */
	ret = refcount_read(&sq->holds) > 1 ? -EBUSY : sdmdev_run_open(&sq->run);
	if (ret)
		goto put_module;
	space = sdmdev_space_get(sq);
	if (IS_ERR(space)) {
		ret = PTR_ERR(space);
		goto put_module;
	}
	refcount_inc(&sq->holds);
	memset(sq->layout.dus, 0, sq->layout.dus_len);
	mutex_lock(&sq->mem_lock);
	sq->space = space;
	sq->is_held = false;
	sdmdev_queue_set_mm(sq, current->mm);
	mutex_unlock(&sq->mem_lock);
	sdmdev_run_set_state(&sq->run, SDMDEV_STATE_INIT);
	return 0;

put_module:
	module_put(sdmdev->owner);
	return ret;
}

/* Nobody can call any more, no mapping is left, and pins can still be given back. */
void sdmdev_queue_close(struct sdmdev_queue *sq)
{
	struct sdmdev_core *core = sq->core;
	int turn, ret;
	u32 i;

	for (i = 0; i < SDMDEV_IRQS; i++)
		sdmdev_queue_set_event(sq, i, -1);
	/* VFIO may be asking for pins meanwhile. */
	mutex_lock(&sq->mem_lock);
	sdmdev_drain_init(&sq->drain);
	ret = sdmdev_queue_try_end(sq);
	for (turn = 0; ret && turn < SDMDEV_CLOSE_TURNS; turn++) {
		schedule_timeout_idle(1);
		ret = sdmdev_queue_try_end(sq);
	}
	if (ret)
		sdmdev_space_hold(sq);
	else
		sq->mode->unshare(sq, 0, U64_MAX);
	sdmdev_queue_set_mm(sq, NULL);
	mutex_unlock(&sq->mem_lock);
	if (ret) {
		mutex_lock(&core->life.lock);
		sq->is_closing = true;
		mutex_unlock(&core->life.lock);
		queue_delayed_work(sdmdev_wq, &sq->close_work, 0);
	} else {
		sdmdev_queue_finish(sq);
	}
	module_put(core->sdmdev->owner);
}

static void sdmdev_queue_forget_waiters(struct sdmdev_queue *sq)
{
	spin_lock_irq(&sq->irq_lock);
	memset(sq->waiters, 0, sizeof(sq->waiters));
	atomic_set(&sq->updates, 0);
	spin_unlock_irq(&sq->irq_lock);
}

static int sdmdev_queue_start_locked(struct sdmdev_queue *sq)
{
	const struct vfio_sdmdev_ops *ops = sq->core->sdmdev->ops;
	int ret;

	ret = sdmdev_run_begin(&sq->run);
	if (ret)
		return ret;
	sq->flight.head = 0;
	sq->flight.tail = 0;
	sq->flight.sum = 0;
	sdmdev_queue_forget_waiters(sq);
	/* One that failed may have come half way: the driver says whether that is sure to rest. */
	ret = ops->start_queue(sq->q);
	if (!ret)
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

static int sdmdev_queue_stop_locked(struct sdmdev_queue *sq)
{
	int ret = sdmdev_run_may_end(&sq->run);

	if (ret <= 0)
		return ret;
	ret = sq->core->sdmdev->ops->stop_queue(sq->q);
	return ret == -EBUSY ? ret : sdmdev_run_end(&sq->run, ret, SDMDEV_STATE_INIT);
}

/* Drained and stopped; -EBUSY: the process rings on. then, or NULL: what is done on top of it. */
static int sdmdev_queue_stop_then(struct sdmdev_queue *sq,
				  int (*then)(struct vfio_sdmdev_queue *q))
{
	int turn, ret = -EBUSY;

	for (turn = 0; ret == -EBUSY && turn < SDMDEV_STOP_TURNS; turn++) {
		ret = sdmdev_run_may_end(&sq->run);
		if (ret > 0)
			ret = sdmdev_drain_wait(sq, SDMDEV_DRAIN_BREAK | SDMDEV_DRAIN_IN_CALL);
		if (ret)
			return ret;
		mutex_lock(&sq->q->mutex);
		ret = sdmdev_queue_stop_locked(sq);
		if (!ret && then)
			ret = then(sq->q);
		if (!ret && then)
			sdmdev_run_set_state(&sq->run, SDMDEV_STATE_INIT);
		mutex_unlock(&sq->q->mutex);
	}
	return ret;
}

int sdmdev_queue_stop(struct sdmdev_queue *sq)
{
	return sdmdev_queue_stop_then(sq, NULL);
}

int sdmdev_queue_reset(struct sdmdev_queue *sq)
{
	const struct vfio_sdmdev_ops *ops = sq->core->sdmdev->ops;

	return ops->reset_queue ? sdmdev_queue_stop_then(sq, ops->reset_queue) : -EOPNOTSUPP;
}

/* One shared range, which what has been rung until now may still name. */
int sdmdev_queue_unshare(struct sdmdev_queue *sq, u64 first, u64 last)
{
	int ret;

	if (!sdmdev_space_is_shared(sq, first, last))
		return -ENOENT;
	ret = sdmdev_drain_wait(sq, SDMDEV_DRAIN_IN_CALL);
	if (ret == -ERESTARTNOINTR)
		return ret;
	return sq->mode->unshare(sq, first, last);
}

/* The same of all that overlaps; VFIO does not take no for an answer. */
void sdmdev_queue_unmap(struct sdmdev_queue *sq, u64 first, u64 last)
{
	if (!sdmdev_space_overlaps(sq, first, last))
		return;
	sdmdev_drain_wait(sq, 0);
	sq->mode->unshare(sq, first, last);
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

/*
 * 1: results; 0: not yet; or why there will not be any. The driver tells of each result once; seen
 * is what was counted when this thread waited last: it does not miss what another one was told.
 */
static int sdmdev_queue_poll(struct sdmdev_queue *sq, int seen)
{
	switch (READ_ONCE(sq->run.state)) {
	case SDMDEV_STATE_OK:
		if (sq->core->sdmdev->ops->is_q_updated(sq->q))
			atomic_inc(&sq->updates);
		return atomic_read(&sq->updates) != seen;
	case SDMDEV_STATE_DEAD:
		return -ENODEV;
	default:
		return -EIO;
	}
}

/* The current thread's place, or a free one, or NULL. */
static struct sdmdev_waiter *sdmdev_queue_waiter(struct sdmdev_queue *sq)
{
	pid_t tid = task_pid_nr(current);
	u32 i;

	lockdep_assert_held(&sq->irq_lock);
	for (i = 0; i < SDMDEV_WAITERS; i++)
		if (!sq->waiters[i].tid || sq->waiters[i].tid == tid)
			return &sq->waiters[i];
	return NULL;
}

/* Of a thread that is not known, and cannot be: what there is now. */
static int sdmdev_queue_seen(struct sdmdev_queue *sq)
{
	const struct sdmdev_waiter *waiter;
	int seen;

	spin_lock_irq(&sq->irq_lock);
	waiter = sdmdev_queue_waiter(sq);
	seen = waiter ? waiter->seen : atomic_read(&sq->updates);
	spin_unlock_irq(&sq->irq_lock);
	return seen;
}

/* It looks at its results next. */
static void sdmdev_queue_note(struct sdmdev_queue *sq)
{
	struct sdmdev_waiter *waiter;

	spin_lock_irq(&sq->irq_lock);
	waiter = sdmdev_queue_waiter(sq);
	if (waiter) {
		waiter->tid = task_pid_nr(current);
		waiter->seen = atomic_read(&sq->updates);
	}
	spin_unlock_irq(&sq->irq_lock);
}

int sdmdev_queue_wait(struct sdmdev_queue *sq, unsigned long timeout_ms)
{
	long left = msecs_to_jiffies(min_t(unsigned long, timeout_ms, INT_MAX));
	int seen = sdmdev_queue_seen(sq);
	int ret;

	ret = sdmdev_queue_poll(sq, seen);
	if (!ret && timeout_ms) {
		sdmdev_queue_notify_locked(sq, true);
		left = wait_event_interruptible_timeout(sq->q->wait,
							(ret = sdmdev_queue_poll(sq, seen)), left);
		sdmdev_queue_notify_locked(sq, false);
		if (!ret && left < 0)
			return -EINTR;
	}
	if (ret < 0)
		return ret;
	if (!ret)
		return -ETIMEDOUT;
	sdmdev_queue_note(sq);
	return 0;
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
