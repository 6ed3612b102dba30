/* SPDX-License-Identifier: Zlib */
/* The units of a bulk stream: filled, in flight on a lane each, taken out in their order. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/format.h"
#include "engine/guard.h"
#include "engine/jobq.h"
#include "operate/log.h"
#include "operate/settings.h"
#include "stream/shield.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all; taken before a queue's own */
static struct zwd_jobq *all;
static _Atomic unsigned int generation; /* of the process that has these */

static struct zwd_job *nth(struct zwd_jobq *q, unsigned int n)
{
	return &q->job[(q->first + n) % (ZWD_DEPTH_MAX + 1)];
}

/* Lanes and memory */

/* Waits for the device to let go of the job's lane, and gives it back. */
static void drop_lane(struct zwd_job *job)
{
	struct wd_zip_res res;
	int ret = 0;

	if (!job->lane)
		return;
	if (job->is_sent && !job->is_done && !zwd_qpool_is_stale(job->lane))
		ret = job->is_refused ? 0 : job->error ? job->error :
				   zwd_qpool_wait(job->lane, &res, zwd_settings()->timeout_ms);
	if (ret)
		zwd_qpool_drop(job->lane, ret);
	else
		zwd_qpool_put(job->lane);
	job->lane = NULL;
}

static void forget(struct zwd_job *job)
{
	drop_lane(job);
	free(job->own_in);
	free(job->own_out);
	*job = (struct zwd_job){ 0 };
}

/* Moves what a job at rest holds on its lane to memory of the process. 0 or -ENOMEM. */
static int move_home(struct zwd_job *job)
{
	struct zwd_unit *unit = &job->unit;
	unsigned char **mem = job->is_done ? &job->own_out : &job->own_in;
	size_t size = job->is_done ? unit->out_len + ZWD_TRAILER_MAX : job->in_size;

	if (!job->lane)
		return 0;
	if ((job->is_done && unit->out == unit->room) || (!job->is_done && !job->in)) {
		drop_lane(job); /* it has all that from the caller */
		return 0;
	}
	*mem = malloc(size);
	if (!*mem)
		return -ENOMEM;
	if (job->is_done) {
		memcpy(*mem, unit->out, unit->out_len);
		unit->out = *mem;
	} else {
		memcpy(*mem, job->in, unit->len);
		job->in = *mem;
		unit->in = *mem;
	}
	drop_lane(job);
	return 0;
}

/* fork: a lane's memory is not inherited, so nothing is left on lanes. */

static void fork_prepare(void)
{
	int cancel_state = zwd_shield_up();

	pthread_mutex_lock(&lock);
	for (struct zwd_jobq *q = all; q; q = q->next) {
		/* In a call of another thread: no stream for the child. */
		if (pthread_mutex_trylock(&q->lock))
			continue;
		q->guard = NULL; /* nothing is compared on the way */
		if (!zwd_jobq_settle(q))
			for (unsigned int i = 0; i < q->nr; i++)
				move_home(nth(q, i));
		pthread_mutex_unlock(&q->lock);
	}
	zwd_shield_down(cancel_state);
}

static void fork_done(void)
{
	pthread_mutex_unlock(&lock);
}

static void register_fork(void)
{
	pthread_atfork(fork_prepare, fork_done, fork_done);
}

/* The list */

/* A child that was not made by fork() begins with an empty list; each queue comes back when it is used. */
static int enter_list(void)
{
	unsigned int now = wd_generation(), was = atomic_load(&generation);

	if (zwd_enter())
		return -EBUSY;
	if (was != now && atomic_compare_exchange_strong(&generation, &was, now) && was) {
		pthread_mutex_init(&lock, NULL);
		all = NULL;
	}
	pthread_mutex_lock(&lock);
	return 0;
}

static void leave_list(void)
{
	pthread_mutex_unlock(&lock);
	zwd_leave();
}

/* Called in the list, as is the next. */
static void link_queue(struct zwd_jobq *q)
{
	q->generation = generation;
	q->next = all;
	all = q;
}

static void free_queue(struct zwd_jobq *q)
{
	pthread_mutex_destroy(&q->lock);
	zwd_unpages(q, sizeof(*q));
}

/* Takes q out of the list, and those that a signal handler could not. */
static void unlink_queue(const struct zwd_jobq *q)
{
	for (struct zwd_jobq **at = &all; *at;) {
		struct zwd_jobq *one = *at;

		if (one != q && !__atomic_load_n(&one->is_dropped, __ATOMIC_ACQUIRE)) {
			at = &one->next;
			continue;
		}
		*at = one->next;
		if (one != q)
			free_queue(one);
	}
}

/* The queue */

static void init_lock(struct zwd_jobq *q)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&q->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	q->entered = 0;
}

/* In a child without fork's handlers: nothing is in flight here, but the memory is as it was. */
static void adopt(struct zwd_jobq *q)
{
	init_lock(q);
	for (unsigned int i = 0; i < q->nr; i++) {
		struct zwd_job *job = nth(q, i);

		if (job->is_sent && !job->is_done)
			job->error = -ENODEV;
		if (job->lane && (!job->lane->is_inherited || move_home(job))) {
			job->is_lost = job->is_sent = 1;
			job->is_done = 0;
		}
	}
	if (!enter_list()) {
		link_queue(q);
		leave_list();
	}
}

struct zwd_jobq *zwd_jobq_new(unsigned int depth)
{
	struct zwd_jobq *q = zwd_pages(sizeof(*q));
	int cancel_state, ret;

	if (!q)
		return NULL;
	init_lock(q);
	q->depth = depth < ZWD_DEPTH_MAX ? depth : ZWD_DEPTH_MAX;
	cancel_state = zwd_shield_up();
	ret = enter_list();
	if (!ret) {
		link_queue(q);
		leave_list();
	}
	zwd_shield_down(cancel_state);
	if (ret) {
		free_queue(q);
		return NULL;
	}
	zwd_jobq_enter(q);
	return q;
}

void zwd_jobq_free(struct zwd_jobq *q)
{
	int cancel_state;

	if (!q)
		return;
	/* Its lanes go back, whatever becomes of the thread. */
	cancel_state = zwd_shield_up();
	for (unsigned int i = 0; i < q->nr; i++)
		forget(nth(q, i));
	q->nr = 0;
	if (enter_list()) {
		__atomic_store_n(&q->is_dropped, 1, __ATOMIC_RELEASE);
	} else {
		unlink_queue(q);
		leave_list();
		free_queue(q);
	}
	zwd_shield_down(cancel_state);
}

void zwd_jobq_enter(struct zwd_jobq *q)
{
	int cancel_state = zwd_shield_up();

	if (__builtin_expect(q->generation != wd_generation(), 0))
		adopt(q);
	pthread_mutex_lock(&q->lock);
	if (!q->entered++)
		q->cancel_state = cancel_state;
}

void zwd_jobq_take_deferred(struct zwd_jobq *q, int was)
{
	q->cancel_state |= was;
}

void zwd_jobq_leave(struct zwd_jobq *q)
{
	int is_last = !--q->entered, cancel_state = q->cancel_state;

	pthread_mutex_unlock(&q->lock);
	if (is_last)
		zwd_shield_down(cancel_state);
}

struct zwd_job *zwd_jobq_filling(struct zwd_jobq *q)
{
	struct zwd_job *job = q->nr ? nth(q, q->nr - 1) : NULL;

	return job && !job->is_sent ? job : NULL;
}

int zwd_jobq_is_full(const struct zwd_jobq *q)
{
	return q->nr > q->depth;
}

/* A lane that may stay with the job. */
static void try_lane(struct zwd_job *job)
{
	static _Atomic unsigned int once;

	if (zwd_qpool_try(ZWD_DEFLATE, &job->lane))
		return;
	/* After the pool's: what comes last is done first, and wants lanes to be given back. */
	zwd_once(&once, register_fork);
}

struct zwd_job *zwd_jobq_begin(struct zwd_jobq *q)
{
	struct zwd_job *job = nth(q, q->nr);

	try_lane(job);
	if (!job->lane) {
		job->own_in = malloc(zwd_settings()->unit);
		if (!job->own_in)
			return NULL;
	}
	job->in = job->lane ? job->lane->src : job->own_in;
	job->in_size = zwd_settings()->unit;
	job->unit.in = job->in;
	q->nr++;
	return job;
}

void zwd_jobq_unfill(struct zwd_jobq *q)
{
	forget(nth(q, --q->nr));
}

int zwd_jobq_send(struct zwd_jobq *q)
{
	struct zwd_job *job = nth(q, q->nr - 1);

	if (!job->lane)
		try_lane(job);
	if (!job->lane)
		return -EBUSY;
	job->error = zwd_unit_send(&job->unit, job->lane);
	if (job->error == -EBUSY)
		return -EBUSY;
	job->is_sent = 1;
	return 0;
}

struct zwd_job *zwd_jobq_put(struct zwd_jobq *q, const struct zwd_unit *unit)
{
	struct zwd_job *job = nth(q, q->nr++);

	job->unit = *unit;
	if (!zwd_jobq_send(q))
		return job;
	zwd_jobq_unfill(q);
	return NULL;
}

/* Its lane failed with err: none, or another one if that can be had at once. */
static int change_lane(struct zwd_job *job, int err)
{
	struct zwd_lane *failed = job->lane;
	int ret = zwd_qpool_try(ZWD_DEFLATE, &job->lane);

	if (ret) {
		job->lane = failed;
		return ret;
	}
	if (job->in == failed->src) {
		memcpy(job->lane->src, job->in, job->unit.len);
		job->in = job->lane->src;
		job->unit.in = job->in;
	}
	zwd_qpool_drop(failed, err);
	job->error = zwd_unit_send(&job->unit, job->lane);
	job->is_refused = job->error == -EBUSY;
	return 0;
}

/* The unit by the real zlib. */
static int run_soft(struct zwd_jobq *q, struct zwd_job *job, int err)
{
	int ret;

	zwd_count(ZWD_DEFLATE, ZWD_FAILOVERS, 1);
	do {
		ret = zwd_unit_run_soft(&job->unit, q->level, q->mem_level, ZWD_TRAILER_MAX);
	} while (ret && zwd_qpool_trim());
	if (ret)
		return ret;
	job->own_out = job->unit.out;
	if (job->lane && job->is_refused)
		zwd_qpool_put(job->lane);
	else if (job->lane)
		zwd_qpool_drop(job->lane, err);
	job->lane = NULL;
	return 0;
}

static int run(struct zwd_job *job, int is_waiting)
{
	struct wd_zip_res res;
	int ret = job->error;

	if (!ret)
		ret = is_waiting ? zwd_qpool_wait(job->lane, &res, zwd_settings()->timeout_ms) :
				   zwd_qpool_poll(job->lane, &res);
	return ret ? ret : zwd_unit_receive(&job->unit, job->lane, &res, NULL, 0);
}

/* A device made it. */
static __attribute__((noinline, cold)) void tell_guard(struct zwd_jobq *q, const struct zwd_job *job,
						       uint64_t begin_ns)
{
	const struct zwd_guard_soft soft = { .level = q->level, .mem_level = q->mem_level };

	zwd_guard_note(q->guard, &job->unit, &soft, begin_ns);
}

static int complete(struct zwd_jobq *q, struct zwd_job *job, int is_waiting)
{
	uint64_t begin_ns = q->guard ? zwd_now_ns() : 0;
	int ret;

	if (job->is_lost)
		return -ENOMEM;
	while ((ret = run(job, is_waiting))) {
		if (ret == -EAGAIN)
			return ret;
		if (job->lane && !job->is_refused) {
			zwd_count(ZWD_DEFLATE, ZWD_ERRORS, 1);
			zwd_log(ZWD_LOG_WARN, "deflate request failed: %s", strerror(-ret));
		}
		job->error = ret;
		/* A second time on another lane; not after a hang, which may cost as much again. */
		if (job->tries++ || !job->lane || ret == -ETIMEDOUT || change_lane(job, ret)) {
			ret = run_soft(q, job, ret);
			if (ret)
				return ret;
			break;
		}
		zwd_count(ZWD_DEFLATE, ZWD_RETRIES, 1);
	}
	if (begin_ns && job->lane)
		tell_guard(q, job, begin_ns);
	zwd_count(ZWD_DEFLATE, ZWD_PARALLEL_UNITS, 1);
	job->is_done = 1;
	if (job->lane && job->unit.out == job->unit.room)
		drop_lane(job);
	return 0;
}

int zwd_jobq_first(struct zwd_jobq *q, int is_waiting, struct zwd_job **out)
{
	struct zwd_job *job = nth(q, 0);
	int ret = 0;

	if (!q->nr || !job->is_sent)
		return -ENOENT;
	if (!job->is_done)
		ret = complete(q, job, is_waiting);
	if (!ret)
		*out = job;
	return ret;
}

void zwd_jobq_pop(struct zwd_jobq *q)
{
	forget(nth(q, 0));
	q->first = (q->first + 1) % (ZWD_DEPTH_MAX + 1);
	q->nr--;
}

int zwd_jobq_settle(struct zwd_jobq *q)
{
	for (unsigned int i = 0; i < q->nr; i++) {
		struct zwd_job *job = nth(q, i);
		int ret = job->is_sent && !job->is_done ? complete(q, job, 1) : 0;

		if (ret)
			return ret;
	}
	return 0;
}

int zwd_jobq_take_back(struct zwd_jobq *q)
{
	int err = 0;

	for (unsigned int i = 0; i < q->nr; i++) {
		struct zwd_job *job = nth(q, i);

		if (job->in || job->is_done || job->is_lost || !complete(q, job, 1))
			continue;
		drop_lane(job);
		job->is_lost = 1;
		err = -ENOMEM;
	}
	return err;
}

/* What a job at rest holds, in memory of its own. 0 or -ENOMEM. */
static int copy_job(struct zwd_job *to, const struct zwd_job *from)
{
	size_t len = from->is_done ? from->unit.out_len : from->unit.len;
	unsigned char *mem = malloc(from->is_done ? len + ZWD_TRAILER_MAX : from->in_size);

	if (!mem)
		return -ENOMEM;
	*to = *from;
	to->lane = NULL;
	to->in = to->own_in = to->own_out = NULL;
	if (from->is_done) {
		to->own_out = to->unit.out = memcpy(mem, from->unit.out, len);
	} else {
		to->own_in = to->in = memcpy(mem, from->in, len);
		to->unit.in = to->in;
	}
	return 0;
}

struct zwd_jobq *zwd_jobq_copy(const struct zwd_jobq *q)
{
	struct zwd_jobq *to = zwd_jobq_new(q->depth);

	if (!to)
		return NULL;
	to->level = q->level;
	to->mem_level = q->mem_level;
	for (unsigned int i = 0; i < q->nr; i++) {
		if (copy_job(&to->job[i], nth((struct zwd_jobq *)q, i))) {
			zwd_jobq_leave(to);
			zwd_jobq_free(to);
			return NULL;
		}
		to->nr++;
	}
	zwd_jobq_leave(to);
	return to;
}
