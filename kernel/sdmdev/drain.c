// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for what a queue was told so far. Time counts as a hang only while nothing moves. */

#include <linux/delay.h>
#include <linux/sched/signal.h>

#include "sdmdev.h"

/*
 * A queue that does not move may wait behind those of others: it hangs where the function does not
 * move either, or after this many times as long.
 */
#define SDMDEV_HANG_MS 2000
#define SDMDEV_HANG_ALONE 15

#define SDMDEV_DRAIN_TURNS 20 /* that are short */

void sdmdev_drain_init(struct sdmdev_drain *drain)
{
	*drain = (struct sdmdev_drain){ .turn = 0 };
}

/* Counts what moved since the last look. Taken modulo it may be too little, never too much. */
static bool sdmdev_drain_moved(struct sdmdev_drain *drain, const struct vfio_sdmdev_position *pos)
{
	u32 moved = (pos->done - drain->done) & (pos->modulus - 1);

	drain->done = pos->done;
	drain->left -= min(drain->left, moved);
	return moved;
}

static int sdmdev_drain_hangs(struct sdmdev_drain *drain, int moves)
{
	unsigned long hang = msecs_to_jiffies(SDMDEV_HANG_MS);

	if (drain->moves != moves) {
		drain->moves = moves;
		drain->all_moved_at = jiffies;
	}
	if (time_after(jiffies, drain->moved_at + hang) &&
	    (time_after(jiffies, drain->all_moved_at + hang) ||
	     time_after(jiffies, drain->moved_at + SDMDEV_HANG_ALONE * hang)))
		return -EIO;
	return -EAGAIN;
}

/*
 * 0: what had been rung at the first look is finished; -EAGAIN: not yet; -EIO: nothing moves, or
 * the device does not say.
 */
int sdmdev_drain_look(struct sdmdev_queue *sq, struct sdmdev_drain *drain)
{
	struct sdmdev_life *life = sq->run.life;
	struct vfio_sdmdev_position pos;
	int ret;

	lockdep_assert_held(&sq->q->mutex);
	ret = sq->core->sdmdev->ops->get_position(sq->q, &pos);
	if (ret)
		return -EIO;
	if (!drain->turn++) {
		drain->done = pos.done;
		drain->left = (pos.rung - pos.done) & (pos.modulus - 1);
		drain->moves = atomic_read(&life->moves);
		drain->moved_at = jiffies;
		drain->all_moved_at = jiffies;
	} else if (sdmdev_drain_moved(drain, &pos)) {
		atomic_inc(&life->moves);
		drain->moved_at = jiffies;
	}
	return drain->left ? sdmdev_drain_hangs(drain, atomic_read(&life->moves)) : 0;
}

/* Sleeps between two looks; in a call that can be interrupted, until somebody does. */
static int sdmdev_drain_sleep(const struct sdmdev_drain *drain, u32 flags)
{
	if (drain->turn < SDMDEV_DRAIN_TURNS)
		usleep_range(100, 200);
	else if (flags & SDMDEV_DRAIN_IN_CALL)
		schedule_timeout_interruptible(1);
	else
		schedule_timeout_idle(1);
	return flags & SDMDEV_DRAIN_IN_CALL && signal_pending(current) ? -ERESTARTNOINTR : 0;
}

/*
 * Waits, with no lock held but mem_lock, until the device does not work for the queue or what was
 * rung is finished. -EIO: it hangs, or it cannot be told.
 */
int sdmdev_drain_wait(struct sdmdev_queue *sq, u32 flags)
{
	struct sdmdev_drain drain;
	int ret;

	sdmdev_drain_init(&drain);
	for (;;) {
		mutex_lock(&sq->q->mutex);
		ret = sdmdev_run_is_working(&sq->run) ? sdmdev_drain_look(sq, &drain) : 0;
		if (ret == -EIO && flags & SDMDEV_DRAIN_BREAK)
			sdmdev_run_end(&sq->run, -EIO, SDMDEV_STATE_RESET);
		mutex_unlock(&sq->q->mutex);
		if (ret != -EAGAIN)
			return ret;
		ret = sdmdev_drain_sleep(&drain, flags);
		if (ret)
			return ret;
	}
}
