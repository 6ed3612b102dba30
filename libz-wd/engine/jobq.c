/* SPDX-License-Identifier: Zlib */
/* The units of a bulk stream: filled, in flight on a lane each, taken out in their order. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/format.h"
#include "engine/jobq.h"
#include "operate/log.h"
#include "engine/offload.h"
#include "operate/settings.h"
#include "stream/shield.h"
#include "engine/verify.h"

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
		ret = job->error ? job->error :
				   zwd_qpool_wait(job->lane, &res, zwd_settings()->timeout_ms);
	if (ret)
		zwd_qpool_drop(job->lane, ret);
	else
		zwd_qpool_put(job->lane);
	job->lane = NULL;
}

static void forget(struct zwd_job *job)
{
	if (job->lane) {
		drop_lane(job);
	} else {
		free(job->in);
		free(job->out);
	}
	*job = (struct zwd_job){ 0 };
}

/* Moves what a job at rest holds from its lane to memory of the process. 0 or -ENOMEM. */
static int move_home(struct zwd_job *job)
{
	unsigned char *in = NULL, *out = NULL;

	if (!job->lane)
		return 0;
	if (job->is_done)
		out = malloc(job->out_len + ZWD_TRAILER_MAX);
	else
		in = malloc(job->in_size);
	if (!in && !out)
		return -ENOMEM;
	if (in)
		memcpy(in, job->in, job->in_len);
	else
		memcpy(out, job->out + job->out_off, job->out_len);
	drop_lane(job);
	job->in = in;
	job->out = out;
	job->out_off = 0;
	return 0;
}

/* fork: a lane's memory is not inherited, so nothing is left on lanes. */

static void fork_prepare(void)
{
	pthread_mutex_lock(&lock);
	for (struct zwd_jobq *q = all; q; q = q->next) {
		/* In a call of another thread: no stream for the child. */
		if (pthread_mutex_trylock(&q->lock))
			continue;
		if (!zwd_jobq_settle(q))
			for (unsigned int i = 0; i < q->nr; i++)
				move_home(nth(q, i));
		pthread_mutex_unlock(&q->lock);
	}
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
static int enter_list(int *cancel_state)
{
	unsigned int now = wd_generation(), was = atomic_load(&generation);

	if (zwd_enter(cancel_state))
		return -EBUSY;
	if (was != now && atomic_compare_exchange_strong(&generation, &was, now) && was) {
		pthread_mutex_init(&lock, NULL);
		all = NULL;
	}
	pthread_mutex_lock(&lock);
	return 0;
}

static void leave_list(int cancel_state)
{
	pthread_mutex_unlock(&lock);
	zwd_leave(cancel_state);
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
	int cancel_state;

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
	if (!enter_list(&cancel_state)) {
		link_queue(q);
		leave_list(cancel_state);
	}
}

struct zwd_jobq *zwd_jobq_new(int wrap, unsigned int depth)
{
	struct zwd_jobq *q = zwd_pages(sizeof(*q));
	int cancel_state;

	if (!q)
		return NULL;
	init_lock(q);
	q->wrap = wrap;
	q->depth = depth < ZWD_DEPTH_MAX ? depth : ZWD_DEPTH_MAX;
	if (enter_list(&cancel_state)) {
		free_queue(q);
		return NULL;
	}
	link_queue(q);
	leave_list(cancel_state);
	zwd_jobq_enter(q);
	return q;
}

void zwd_jobq_free(struct zwd_jobq *q)
{
	int cancel_state, shield;

	if (!q)
		return;
	/* Its lanes go back, whatever becomes of the thread. */
	shield = zwd_shield_up();
	for (unsigned int i = 0; i < q->nr; i++)
		forget(nth(q, i));
	q->nr = 0;
	if (enter_list(&cancel_state)) {
		__atomic_store_n(&q->is_dropped, 1, __ATOMIC_RELEASE);
	} else {
		unlink_queue(q);
		leave_list(cancel_state);
		free_queue(q);
	}
	zwd_shield_down(shield);
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

struct zwd_job *zwd_jobq_begin(struct zwd_jobq *q, uint32_t before)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct zwd_job *job = nth(q, q->nr);

	if (q->nr > q->depth || zwd_qpool_try(ZWD_DEFLATE, &job->lane))
		return NULL;
	/* After the pool's: what comes last is done first, and wants lanes to be given back. */
	pthread_once(&once, register_fork);
	job->in = job->lane->src;
	job->in_size = job->lane->src_len;
	job->before = before;
	q->nr++;
	return job;
}

static int send(const struct zwd_jobq *q, struct zwd_job *job)
{
	struct wd_zip_req req = {
		.src = job->in,
		.dst = job->lane->dst,
		.ctx = job->lane->ctx,
		.src_len = (uint32_t)job->in_len,
		.dst_len = (uint32_t)job->lane->dst_len,
		.format = (uint8_t)zwd_offload_format(q->wrap),
		.flags = WD_ZIP_STREAM | WD_ZIP_NEW | (job->is_last ? WD_ZIP_FINISH : 0),
	};

	return zwd_qpool_send(job->lane, &req);
}

/* Puts a job that lies in the process's memory, or on a lane that failed with err, on a lane. */
static int change_lane(const struct zwd_jobq *q, struct zwd_job *job, int err)
{
	struct zwd_lane *lane;
	int ret = zwd_qpool_try(ZWD_DEFLATE, &lane);

	if (ret)
		return ret;
	memcpy(lane->src, job->in, job->in_len);
	if (job->lane)
		zwd_qpool_drop(job->lane, err);
	else
		free(job->in);
	job->lane = lane;
	job->in = lane->src;
	job->error = send(q, job);
	return 0;
}

void zwd_jobq_send(struct zwd_jobq *q)
{
	struct zwd_job *job = nth(q, q->nr - 1);

	job->is_sent = 1;
	if (job->lane)
		job->error = send(q, job);
	else
		job->error = change_lane(q, job, 0);
}

/* Stored blocks where the job's output is longer than they are. */
static void shape(struct zwd_job *job)
{
	size_t stored_len = zwd_format_stored_len(job->in_len);

	if (job->out_len <= stored_len)
		return;
	job->out_len = zwd_format_stored(job->out, job->in, job->in_len, job->is_last);
	if (job->needs_marker && !job->is_last)
		job->out_len += zwd_format_marker(job->out + job->out_len);
	zwd_count(ZWD_DEFLATE, ZWD_STORED, 1);
}

/* What the device says and made: believed as far as it can be checked. 0 or -EBADMSG. */
static int accept(struct zwd_jobq *q, struct zwd_job *job, const struct wd_zip_res *res)
{
	struct zwd_segment segment = { .wrap = q->wrap, .before = job->before };
	int ret = zwd_offload_result(&segment, job->lane, res, job->in_len, job->is_last, job->check,
				     &job->out_len);

	if (ret)
		return ret;
	job->out = job->lane->dst;
	if (zwd_verify_is_due())
		ret = zwd_offload_verify(job->lane, job->out_len, job->in_len, NULL, 0);
	if (ret)
		return ret;
	zwd_count(ZWD_DEFLATE, ZWD_HW_REQUESTS, 1);
	zwd_count(ZWD_DEFLATE, ZWD_PARALLEL_UNITS, 1);
	zwd_count(ZWD_DEFLATE, ZWD_HW_IN, job->in_len);
	shape(job);
	zwd_count(ZWD_DEFLATE, ZWD_HW_OUT, job->out_len);
	return 0;
}

/* The unit by the real zlib. */
static int run_soft(struct zwd_jobq *q, struct zwd_job *job, int err)
{
	z_stream strm = { 0 };
	size_t size;
	int z;

	zwd_count(ZWD_DEFLATE, ZWD_FAILOVERS, 1);
	if (zwd_soft_zlib.deflateInit2_(&strm, q->level, Z_DEFLATED, -15, q->mem_level,
					Z_DEFAULT_STRATEGY, ZLIB_VERSION, sizeof(strm)) != Z_OK)
		return -ENOMEM;
	size = zwd_soft_zlib.deflateBound(&strm, job->in_len) + 2 * ZWD_MARKER_LEN +
	       ZWD_TRAILER_MAX;
	job->out = malloc(size);
	if (!job->out) {
		zwd_soft_zlib.deflateEnd(&strm);
		return -ENOMEM;
	}
	strm.next_in = job->in;
	strm.avail_in = (uInt)job->in_len;
	strm.next_out = job->out;
	strm.avail_out = (uInt)size;
	z = zwd_soft_zlib.deflate(&strm, job->is_last ? Z_FINISH : Z_SYNC_FLUSH);
	job->out_len = size - strm.avail_out;
	zwd_soft_zlib.deflateEnd(&strm);
	if (z != (job->is_last ? Z_STREAM_END : Z_OK))
		return -EIO; /* not with that much room */
	zwd_count(ZWD_DEFLATE, ZWD_SOFT_IN, job->in_len);
	shape(job);
	zwd_count(ZWD_DEFLATE, ZWD_SOFT_OUT, job->out_len);
	if (job->lane)
		zwd_qpool_drop(job->lane, err);
	else
		free(job->in);
	job->lane = NULL;
	job->in = NULL;
	return 0;
}

static int complete(struct zwd_jobq *q, struct zwd_job *job, int is_waiting)
{
	if (job->is_lost)
		return -ENOMEM;
	for (;;) {
		struct wd_zip_res res;
		int ret = job->error;

		if (!ret && is_waiting)
			ret = zwd_qpool_wait(job->lane, &res, zwd_settings()->timeout_ms);
		else if (!ret)
			ret = zwd_qpool_poll(job->lane, &res);
		if (ret == -EAGAIN)
			return ret;
		if (!ret)
			ret = accept(q, job, &res);
		if (!ret)
			break;
		if (job->lane) {
			zwd_count(ZWD_DEFLATE, ZWD_ERRORS, 1);
			zwd_log(ZWD_LOG_WARN, "deflate request failed: %s", strerror(-ret));
		}
		job->error = ret;
		/* A second time on another lane; not after a hang, which may cost as much again. */
		if (job->tries++ || !job->lane || ret == -ETIMEDOUT || change_lane(q, job, ret)) {
			ret = run_soft(q, job, ret);
			if (ret)
				return ret;
			break;
		}
		zwd_count(ZWD_DEFLATE, ZWD_RETRIES, 1);
	}
	job->is_done = 1;
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

struct zwd_jobq *zwd_jobq_copy(const struct zwd_jobq *q)
{
	struct zwd_jobq *to = zwd_jobq_new(q->wrap, q->depth);

	if (!to)
		return NULL;
	to->level = q->level;
	to->mem_level = q->mem_level;
	for (unsigned int i = 0; i < q->nr; i++) {
		struct zwd_job *job = &to->job[i];

		*job = *nth((struct zwd_jobq *)q, i);
		job->lane = NULL;
		job->in = job->out = NULL;
		to->nr++;
		if (job->is_done) {
			job->out = malloc(job->out_len + ZWD_TRAILER_MAX);
			if (job->out)
				memcpy(job->out, nth((struct zwd_jobq *)q, i)->out + job->out_off,
				       job->out_len);
			job->out_off = 0;
		} else {
			job->in = malloc(job->in_size);
			if (job->in)
				memcpy(job->in, nth((struct zwd_jobq *)q, i)->in, job->in_len);
		}
		if (!job->in && !job->out) {
			zwd_jobq_leave(to);
			zwd_jobq_free(to);
			return NULL;
		}
	}
	zwd_jobq_leave(to);
	return to;
}
