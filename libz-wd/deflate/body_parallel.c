/* SPDX-License-Identifier: Zlib */
/*
 * Units that depend on nothing, in flight side by side. Input that lies in the caller's buffer is the
 * device's while the call waits for it; what was gathered may stay in flight when the call returns, but not
 * of a stream with an allocator of its own: such are forgotten without a word when their memory pool is.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "deflate/body.h"
#include "deflate/body_parallel.h"
#include "deflate/buffers.h"
#include "deflate/units.h"
#include "engine/jobq.h"
#include "operate/settings.h"
#include "stream/format.h"

/* Output of units that are done, in their order, waiting for the first of them. 0 or -errno. */
static int deliver(z_streamp strm, struct zwd_deflate *d, int is_waiting)
{
	while (strm->avail_out) {
		struct zwd_job *job;
		size_t len;
		int ret = zwd_jobq_first(d->jobs, is_waiting, &job);

		if (ret)
			return ret == -EAGAIN || ret == -ENOENT ? 0 : ret;
		len = job->unit.out_len < strm->avail_out ? job->unit.out_len : strm->avail_out;
		if (job->unit.out != strm->next_out)
			memcpy(strm->next_out, job->unit.out, len);
		zwd_deflate_made(strm, len);
		job->unit.out += len;
		job->unit.out_len -= len;
		if (!job->unit.out_len)
			zwd_jobq_pop(d->jobs);
		is_waiting = 0;
	}
	return 0;
}

int zwd_body_parallel_has_sent(const struct zwd_deflate *d)
{
	return d->jobs && d->jobs->nr && d->jobs->job[d->jobs->first].is_sent;
}

int zwd_body_parallel_deliver(z_streamp strm, struct zwd_deflate *d)
{
	int ret = 0;

	while (!ret && strm->avail_out && zwd_body_parallel_has_sent(d))
		ret = deliver(strm, d, 1);
	return ret;
}

/* Gathered input as the queue has it: the block is wanted for what follows. NULL: no memory. */
static struct zwd_job *as_job(struct zwd_deflate *d, const struct zwd_unit *unit)
{
	struct zwd_job *job = zwd_jobq_filling(d->jobs);

	if (job)
		return job;
	job = zwd_jobq_begin(d->jobs);
	if (!job)
		return NULL;
	memcpy(job->in, unit->in, unit->len);
	d->gather_off = d->gather_len = 0;
	return job;
}

/* Sends the unit from where it lies. 0, -ENOMEM, -EBUSY: no lane. */
static int send(z_streamp strm, struct zwd_stream *s, struct zwd_unit *unit, int is_gathered)
{
	struct zwd_deflate *d = &s->d;
	struct zwd_job *job;
	int ret = 0;

	d->jobs->level = d->level;
	d->jobs->mem_level = d->mem_level;
	d->jobs->guard = d->guard.is_on ? &d->guard : NULL;
	if (is_gathered) {
		job = as_job(d, unit);
		if (!job)
			return -ENOMEM;
		unit->in = job->in;
		job->unit = *unit;
		ret = zwd_jobq_send(d->jobs);
	} else {
		if (!zwd_body_parallel_has_sent(d) && !d->pend_len) {
			unit->room = strm->next_out;
			unit->room_len = strm->avail_out;
		}
		job = zwd_jobq_put(d->jobs, unit);
		if (!job)
			return -EBUSY;
		/* While the device is at it. */
		unit->check = zwd_deflate_check(d, unit->check, unit->in, unit->len);
		job->unit.check = unit->check;
	}
	if (!ret)
		zwd_units_commit(strm, s, unit, is_gathered);
	return ret;
}

/*
 * Is it better to wait for the device than to copy what it gets? Of a single unit it is not: copied, it is
 * compressed while the caller fetches the next one.
 */
static int is_waiting_better(z_streamp strm, const struct zwd_stream *s, int flush)
{
	return flush != Z_NO_FLUSH || (zwd_qpool_reaches_all(ZWD_DEFLATE) &&
				       strm->avail_in >= 2 * zwd_units_len(s));
}

static int step(z_streamp strm, struct zwd_stream *s, int flush)
{
	struct zwd_deflate *d = &s->d;
	int is_gathered, ret, is_copying = !is_waiting_better(strm, s, flush);
	struct zwd_unit unit;

	for (;;) {
		ret = deliver(strm, d, zwd_jobq_is_full(d->jobs));
		if (ret)
			return ret;
		if (!strm->avail_out)
			return ZWD_BODY_ROOM;
		if (zwd_jobq_is_full(d->jobs))
			continue;
		ret = is_copying ? zwd_deflate_gather(strm, s, zwd_units_len(s)) : 0;
		if (!ret)
			ret = zwd_units_next(strm, s, flush, &unit, &is_gathered);
		if (ret < 0)
			return ret;
		if (ret) {
			/* What was sent is waited for here, with or without more: only who does this unit is to be asked. */
			if (d->guard.is_on && d->guard.is_lost) {
				d->is_device = 0;
				return ZWD_BODY_LOST;
			}
			ret = send(strm, s, &unit, is_gathered);
			if (!ret)
				continue;
			if (ret != -EBUSY)
				return ret;
			/* Its own come first; then it may wait for its turn like everybody. */
			if (!zwd_body_parallel_has_sent(d))
				return ZWD_BODY_OVER;
			ret = deliver(strm, d, 1);
			if (ret)
				return ret;
			continue;
		}
		if (!zwd_body_parallel_has_sent(d) || (flush == Z_NO_FLUSH && !s->is_custom))
			return ZWD_BODY_DONE;
		ret = deliver(strm, d, 1);
		if (ret)
			return ret;
	}
}

static int run(z_streamp strm, struct zwd_stream *s, int flush)
{
	struct zwd_deflate *d = &s->d;
	int ret, err;

	if (!d->jobs)
		d->jobs = zwd_jobq_new(zwd_settings()->depth);
	if (!d->jobs)
		return -ENOMEM;
	ret = step(strm, s, flush);
	/* The caller has its buffers back when this returns. */
	err = zwd_jobq_take_back(d->jobs);
	if (ret == ZWD_BODY_DONE && flush == Z_NO_FLUSH && !err)
		err = deliver(strm, d, 0);
	return err ? err : ret;
}

static int settle(z_streamp strm, struct zwd_stream *s)
{
	return s->d.jobs ? zwd_jobq_settle(s->d.jobs) : 0;
}

static void pending(struct zwd_stream *s, unsigned int *bytes, int *bits)
{
	struct zwd_job *job;

	*bytes = 0;
	*bits = 0;
	if (s->d.jobs && !zwd_jobq_first(s->d.jobs, 0, &job))
		*bytes = (unsigned int)job->unit.out_len;
}

static int copy(struct zwd_stream *to, struct zwd_stream *from)
{
	if (!from->d.jobs || !from->d.jobs->nr)
		return Z_OK;
	if (!zwd_jobq_settle(from->d.jobs))
		to->d.jobs = zwd_jobq_copy(from->d.jobs);
	return to->d.jobs ? Z_OK : Z_MEM_ERROR;
}

static void drop(struct zwd_stream *s)
{
	zwd_jobq_free(s->d.jobs);
	s->d.jobs = NULL;
}

const struct zwd_body zwd_body_parallel = { run, settle, pending, copy, drop };
