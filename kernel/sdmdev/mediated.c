// SPDX-License-Identifier: GPL-2.0-only
/* Mediated mode: the kernel checks every request and writes it. Needs nothing of the platform. */

#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/uaccess.h>

#include "sdmdev.h"

static int sdmdev_mediated_probe(struct sdmdev_core *core, struct sdmdev_window *window)
{
	const struct vfio_sdmdev_ops *ops = core->sdmdev->ops;

	sdmdev_window_init(window, 1, 0);
	return ops->check_sqe && ops->submit && ops->reap ? 0 : -EOPNOTSUPP;
}

static int sdmdev_mediated_attach(struct sdmdev_space *space)
{
	return 0;
}

static void sdmdev_mediated_detach(struct sdmdev_space *space)
{
}

static int sdmdev_mediated_quiesce(struct sdmdev_queue *sq)
{
	int ret = sdmdev_drain_wait(sq, SDMDEV_DRAIN_BREAK | SDMDEV_DRAIN_IN_CALL);

	if (!ret && !sdmdev_run_is_idle(&sq->run) && !sdmdev_run_is_working(&sq->run))
		ret = -EIO;
	return ret == -EIO ? -EBUSY : ret;
}

const struct sdmdev_mode sdmdev_mode_mediated = {
	.flag = SDMDEV_DMA_MEDIATED | SDMDEV_DMA_STATIC,
	.has_static = true,
	.probe = sdmdev_mediated_probe,
	.attach = sdmdev_mediated_attach,
	.detach = sdmdev_mediated_detach,
	.bind = sdmdev_mode_nothing,
	.bind_pasid = sdmdev_mode_not_offered,
	.share = sdmdev_mode_no_share,
	.unshare = sdmdev_mode_no_unshare,
	.quiesce = sdmdev_mediated_quiesce,
	.drop = sdmdev_mode_drop_isolated,
};

static int sdmdev_mediated_state(const struct sdmdev_queue *sq)
{
	switch (READ_ONCE(sq->run.state)) {
	case SDMDEV_STATE_OK:
		return 0;
	case SDMDEV_STATE_INIT:
		return -EINVAL;
	case SDMDEV_STATE_DEAD:
		return -ENODEV;
	default:
		return -EIO;
	}
}

/*
 * How much a process may have the device do for one queue: the others wait for it, and so does
 * whoever drains it. One request always may be.
 */
#define SDMDEV_FLIGHT_MAX (64ULL << 20)

static bool sdmdev_flight_add(struct sdmdev_queue *sq, u64 bytes)
{
	struct sdmdev_flight *flight = &sq->flight;

	if (flight->sum && flight->sum + bytes > SDMDEV_FLIGHT_MAX)
		return false;
	flight->bytes[flight->tail++ % flight->size] = bytes;
	flight->sum += bytes;
	return true;
}

/* The last n were not submitted after all. */
static void sdmdev_flight_undo(struct sdmdev_flight *flight, u32 n)
{
	while (n--)
		flight->sum -= flight->bytes[--flight->tail % flight->size];
}

/* The first n are over. */
static void sdmdev_flight_del(struct sdmdev_flight *flight, u32 n)
{
	while (n--)
		flight->sum -= flight->bytes[flight->head++ % flight->size];
}

/* n entries that the process can no longer change. Returns how many were taken, or -errno. */
static int sdmdev_mediated_submit_some(struct sdmdev_queue *sq, const void *sqes, u32 n)
{
	const struct vfio_sdmdev_ops *ops = sq->core->sdmdev->ops;
	u32 ok_nr;
	u64 bytes;
	int ret;

	mutex_lock(&sq->q->mutex);
	ret = sdmdev_mediated_state(sq);
	for (ok_nr = 0; !ret && ok_nr < n; ok_nr++) {
		ret = ops->check_sqe(sq->q, sqes + ok_nr * sq->layout.sqe_len, &bytes);
		if (!ret && !sdmdev_flight_add(sq, bytes))
			ret = -EAGAIN;
		if (ret)
			break;
	}
	if (ok_nr) {
		ret = ops->submit(sq->q, sqes, ok_nr);
		sdmdev_flight_undo(&sq->flight, ok_nr - max(ret, 0));
	}
	mutex_unlock(&sq->q->mutex);
	return ret;
}

static int sdmdev_mediated_reap_some(struct sdmdev_queue *sq, void *sqes, u32 n)
{
	int ret;

	mutex_lock(&sq->q->mutex);
	ret = sdmdev_mediated_state(sq);
	if (!ret)
		ret = sq->core->sdmdev->ops->reap(sq->q, sqes, n);
	if (ret > 0) {
		sdmdev_flight_del(&sq->flight, ret);
		atomic_inc(&sq->run.life->moves);
	}
	mutex_unlock(&sq->q->mutex);
	return ret;
}

static int sdmdev_mediated_check(struct sdmdev_queue *sq, const struct sdmdev_submit *arg)
{
	if (sq->mode->is_direct)
		return -EOPNOTSUPP;
	if (arg->flags || arg->reserved || !arg->count || sq->layout.sqe_len > PAGE_SIZE)
		return -EINVAL;
	return 0;
}

/* Entries pass through one page; they are copied where no lock is held. */
long sdmdev_mediated_submit(struct sdmdev_queue *sq, const struct sdmdev_submit *arg)
{
	u32 at_once = PAGE_SIZE / sq->layout.sqe_len, done = 0;
	const void __user *from = u64_to_user_ptr(arg->ptr);
	u32 count = min(arg->count, sq->layout.sq_depth);
	void *sqes;
	int ret;

	ret = sdmdev_mediated_check(sq, arg);
	if (ret)
		return ret;
	sqes = (void *)__get_free_page(GFP_KERNEL);
	if (!sqes)
		return -ENOMEM;
	while (done < count) {
		u32 n = min(at_once, count - done);

		ret = -EFAULT;
		if (copy_from_user(sqes, from + (size_t)done * sq->layout.sqe_len,
				   (size_t)n * sq->layout.sqe_len))
			break;
		ret = sdmdev_mediated_submit_some(sq, sqes, n);
		if (ret <= 0)
			break;
		done += ret;
		if (ret < n)
			break;
	}
	free_page((unsigned long)sqes);
	return done ? done : ret;
}

/* What the process gives no memory for is lost: its own fault. */
long sdmdev_mediated_reap(struct sdmdev_queue *sq, const struct sdmdev_submit *arg)
{
	u32 at_once = PAGE_SIZE / sq->layout.sqe_len, done = 0;
	void __user *to = u64_to_user_ptr(arg->ptr);
	u32 count = min(arg->count, sq->layout.cq_depth);
	void *sqes;
	int ret;

	ret = sdmdev_mediated_check(sq, arg);
	if (ret)
		return ret;
	sqes = (void *)__get_free_page(GFP_KERNEL);
	if (!sqes)
		return -ENOMEM;
	while (done < count) {
		u32 n = min(at_once, count - done);

		ret = sdmdev_mediated_reap_some(sq, sqes, n);
		if (ret <= 0)
			break;
		n = ret;
		if (copy_to_user(to + (size_t)done * sq->layout.sqe_len, sqes,
				 (size_t)n * sq->layout.sqe_len)) {
			ret = -EFAULT;
			break;
		}
		done += n;
		if (n < at_once)
			break;
	}
	free_page((unsigned long)sqes);
	return done ? done : ret;
}
