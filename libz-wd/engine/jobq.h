/* SPDX-License-Identifier: Zlib */
/* The units of a bulk stream: filled, in flight on a lane each, taken out in their order. */
#ifndef ZWD_JOBQ_H
#define ZWD_JOBQ_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/unit.h"

/* Units of a stream in flight at once, at most; one more is being filled. */
#define ZWD_DEPTH_MAX 64u

/*
 * These units are independent of each other: each refers to nothing before it and ends byte-aligned, so
 * that they are compressed in any order and joined as they are.
 */
struct zwd_job {
	struct zwd_unit unit;  /* out and out_len: what is left to deliver */
	struct zwd_lane *lane; /* NULL: it has none yet, or no more */
	unsigned char *in;  /* what is filled: the lane's or own; NULL: the input is the caller's */
	unsigned char *own_in, *own_out; /* of malloc() */
	size_t in_size;
	int is_sent; /* filled */
	int is_done;
	int is_lost; /* with memory that a child does not inherit */
	int is_refused; /* not sent again: too much was in flight, and nothing is wrong with the lane */
	int error;   /* it could not be sent */
	unsigned int tries;
};

struct zwd_jobq {
	pthread_mutex_t lock;	/* held by the stream's calls, and by a fork in between */
	unsigned int entered;	/* so many times; the first knows whether threads may be cancelled */
	int cancel_state;
	struct zwd_jobq *next;	/* of all, guarded by jobq.c's lock */
	int is_dropped;		/* in a signal handler, which could not take that lock */
	unsigned int generation; /* of the process that has it in its list */
	int level, mem_level; /* the stream's */
	struct zwd_guard *guard; /* likewise, while it is to be told: guard.h; or NULL */
	unsigned int depth;
	unsigned int first, nr; /* in job[], a ring */
	struct zwd_job job[ZWD_DEPTH_MAX + 1];
};

/* An empty one, entered, or NULL. At most depth units are in flight at once. */
struct zwd_jobq *zwd_jobq_new(unsigned int depth);
/* Waits for what is in flight and forgets it. Not entered; NULL is fine. */
void zwd_jobq_free(struct zwd_jobq *q);

/* Around everything below, also nested: a fork in between brings the queue to rest. */
void zwd_jobq_enter(struct zwd_jobq *q);
void zwd_jobq_leave(struct zwd_jobq *q);
/* For who made it within zwd_defer_cancel(), which ends when the queue is left. */
void zwd_jobq_take_deferred(struct zwd_jobq *q, int was);

/* The unit that is being filled, or NULL. */
struct zwd_job *zwd_jobq_filling(struct zwd_jobq *q);
/* Is it full? One has to be taken out before another may begin. */
int zwd_jobq_is_full(const struct zwd_jobq *q);
/* Begins one, of settings.unit bytes at most, on a lane or for one. NULL: no memory. */
struct zwd_job *zwd_jobq_begin(struct zwd_jobq *q);
/*
 * Sends the one that is being filled, when all of its unit but in and room is set. 0; -EBUSY: there is no
 * lane for it now, and it is as it was. What goes wrong later is made good, see below.
 */
int zwd_jobq_send(struct zwd_jobq *q);
/*
 * The same for a unit that lies in the caller's memory, which it has until it is done. Its check may be
 * set later, before the next call. NULL: there is no lane.
 */
struct zwd_job *zwd_jobq_put(struct zwd_jobq *q, const struct zwd_unit *unit);
/* Waits for all that lie in the caller's memory, input or output. 0 or -ENOMEM. */
int zwd_jobq_take_back(struct zwd_jobq *q);
/* Forgets the one that is being filled. */
void zwd_jobq_unfill(struct zwd_jobq *q);
/*
 * The oldest unit, when it is done: *job, which stays the queue's. Whatever went wrong with it was
 * made good: on another lane, or in software. Room for a trailer follows its output. -EAGAIN: not done
 * yet (is_waiting: never), -ENOENT: none was sent, -ENOMEM: software found no memory.
 */
int zwd_jobq_first(struct zwd_jobq *q, int is_waiting, struct zwd_job **job);
/* Forgets the oldest unit, which was delivered. */
void zwd_jobq_pop(struct zwd_jobq *q);
/* Waits until all that were sent are done. 0 or -ENOMEM. */
int zwd_jobq_settle(struct zwd_jobq *q);
/* A copy in which nothing is in flight, of one in which nothing is. NULL: no memory. */
struct zwd_jobq *zwd_jobq_copy(const struct zwd_jobq *q);

#endif
