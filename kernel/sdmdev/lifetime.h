/* SPDX-License-Identifier: GPL-2.0-only */
/* What a function works for, what it may still reach, and its resets. Knows no queue. */
#ifndef SDMDEV_LIFETIME_H
#define SDMDEV_LIFETIME_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <wd/sdmdev.h>

struct device;

/* Something the device may still reach; freed once it cannot. */
struct sdmdev_retired {
	struct list_head node; /* life->lock */
	void (*free)(struct sdmdev_retired *retired);
};

/*
 * A function. Whatever a reset changes is behind this lock, and who holds it waits for no user:
 * no pin, no charge, no mmap lock, no page fault, no lock that is held over one of those.
 */
struct sdmdev_life {
	struct device *dev;
	int (*reset)(struct sdmdev_life *life); /* with no lock held */
	struct work_struct reset_work;
	wait_queue_head_t wait; /* for runs to leave */
	atomic_t moves;		/* something went on */

	struct mutex lock; /* guards from here */
	struct list_head runs;
	struct list_head retired; /* freed when the device works for nobody */
	u32 generation;	/* resets that began */
	u32 epoch;	/* and 1 more than those that made sure nothing of before is in flight */
	u32 resets_nr;	/* in progress */
	u32 working_nr; /* runs the device works for */
	u32 stuck_nr;	/* runs it may still work for */
	bool is_isolated;
	bool is_gone;
};

/*
 * One that the device may work for. It is stuck from when it could not be stopped, or a reset began
 * under it, to the end of the epoch: no reset has to come back to it and clear a flag.
 */
struct sdmdev_run {
	struct sdmdev_life *life;
	/* The state or the generation changed. life->lock held. */
	void (*changed)(struct sdmdev_run *run, bool is_gone);

	/* life->lock; the state is read without it */
	struct list_head node;
	struct list_head retired; /* freed when the device does not work for this one */
	enum sdmdev_state state;
	u32 stuck_epoch;
	bool is_working;
	bool is_starting; /* its driver programs the device just now */
};

extern struct workqueue_struct *sdmdev_wq;
extern struct workqueue_struct *sdmdev_free_wq;
int sdmdev_wq_init(void);
void sdmdev_wq_exit(void);

void sdmdev_life_init(struct sdmdev_life *life, struct device *dev,
		      int (*reset)(struct sdmdev_life *life));
void sdmdev_life_wait(struct sdmdev_life *life, long timeout);
bool sdmdev_life_end(struct sdmdev_life *life);
void sdmdev_life_stop(struct sdmdev_life *life);
void sdmdev_life_reset_begin(struct sdmdev_life *life, bool is_gone);
void sdmdev_life_reset_end(struct sdmdev_life *life, bool is_done);
void sdmdev_life_retire(struct sdmdev_life *life, struct sdmdev_retired *retired);
void sdmdev_life_settle(struct sdmdev_life *life);
bool sdmdev_life_is_busy(struct sdmdev_life *life);

void sdmdev_run_join(struct sdmdev_run *run, struct sdmdev_life *life,
		     void (*changed)(struct sdmdev_run *run, bool is_gone));
void sdmdev_run_leave(struct sdmdev_run *run); /* life->lock held */
int sdmdev_run_open(struct sdmdev_run *run);
int sdmdev_run_begin(struct sdmdev_run *run);
int sdmdev_run_begun(struct sdmdev_run *run);
void sdmdev_run_abort(struct sdmdev_run *run, bool is_stopped);
int sdmdev_run_end(struct sdmdev_run *run, int ret, enum sdmdev_state state);
int sdmdev_run_may_end(struct sdmdev_run *run);
bool sdmdev_run_is_working(struct sdmdev_run *run);
bool sdmdev_run_is_idle(struct sdmdev_run *run);
void sdmdev_run_set_state(struct sdmdev_run *run, enum sdmdev_state state);
void sdmdev_run_retire(struct sdmdev_run *run, struct sdmdev_retired *retired);

#endif
