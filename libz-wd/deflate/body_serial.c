/* SPDX-License-Identifier: Zlib */
/* A unit at a time on a device, waited for; the first of a segment may go on from the context of the one before. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "deflate/body.h"
#include "deflate/buffers.h"
#include "deflate/units.h"
#include "engine/guard.h"
#include "engine/jobq.h"
#include "engine/qpool.h"
#include "operate/log.h"
#include "operate/settings.h"
#include "stream/shield.h"

/* With the context in place. 0 or -errno. */
static int try_unit(struct zwd_deflate *d, struct zwd_lane *lane, struct zwd_unit *unit)
{
	if (unit->is_continued)
		memcpy(lane->ctx, d->ctx, d->ctx_len);
	return zwd_unit_run(unit, lane, d->history, d->history_len);
}

/* On *lane, which is opened where it is NULL and stays open while it is healthy. 0 or -errno. */
static inline __attribute__((always_inline)) int run_unit(struct zwd_deflate *d, struct zwd_lane **lane,
							 struct zwd_unit *unit)
{
	for (int try = 0;; try++) {
		int ret = 0;

		if (!*lane)
			ret = zwd_qpool_get(ZWD_DEFLATE, ZWD_QPOOL_PATIENCE, lane);
		if (ret)
			return ret;
		ret = try_unit(d, *lane, unit);
		/* Others have all that may be in flight, and the lane is as good as ever. */
		if (!ret || ret == -EBUSY)
			return ret;
		zwd_count(ZWD_DEFLATE, ZWD_ERRORS, 1);
		zwd_log(ZWD_LOG_WARN, "deflate request failed: %s", strerror(-ret));
		zwd_qpool_drop(*lane, ret);
		*lane = NULL;
		/* A second time on another queue; not after a hang, which may cost as much again. */
		if (try || ret == -ETIMEDOUT)
			return ret;
		zwd_count(ZWD_DEFLATE, ZWD_RETRIES, 1);
	}
}

/* The same where it is compared with software. */
static __attribute__((noinline, cold)) int run_watched(struct zwd_deflate *d, struct zwd_lane **lane,
						       struct zwd_unit *unit)
{
	const struct zwd_guard_soft soft = { d->level, d->mem_level, d->history, d->history_len };
	uint64_t begin_ns = zwd_now_ns();
	int ret = run_unit(d, lane, unit);

	if (!ret)
		zwd_guard_note(&d->guard, unit, &soft, begin_ns);
	return ret;
}

/* For the next segment, if this was all of one. */
static void keep_context(struct zwd_deflate *d, const struct zwd_lane *lane,
			 const struct zwd_unit *unit)
{
	size_t len;

	if (!unit->needs_marker || !unit->has_ctx || d->seg_len != unit->len)
		return;
	len = wd_zip_ctx_used(lane->ctx);
	if (len > ZWD_BLOCK_LEN)
		return;
	memcpy(d->ctx, lane->ctx, len);
	d->ctx_len = len;
	d->chain_before = unit->chain.before;
	d->chain_len = unit->chain.len + unit->len;
}

static int do_unit(z_streamp strm, struct zwd_stream *s, struct zwd_lane **lane,
		   struct zwd_unit *unit, int is_gathered)
{
	struct zwd_deflate *d = &s->d;
	int is_there, ret;

	if (!is_gathered)
		unit->check = zwd_deflate_check(d, unit->check, unit->in, unit->len);
	if (!d->pend_len) {
		unit->room = strm->next_out;
		unit->room_len = strm->avail_out;
	}
	ret = __builtin_expect(d->guard.is_on, 0) ? run_watched(d, lane, unit) : run_unit(d, lane, unit);
	if (ret)
		return ret;
	is_there = unit->out == unit->room;
	if (!is_there && zwd_deflate_reserve(strm, s, unit->out_len))
		return -ENOMEM;
	zwd_units_commit(strm, s, unit, is_gathered);
	keep_context(d, *lane, unit);
	if (is_there)
		zwd_deflate_made(strm, unit->out_len);
	else
		zwd_deflate_emit(strm, d, unit->out, unit->out_len);
	if (is_gathered)
		zwd_deflate_use_gathered(d, unit->len);
	if (__builtin_expect(!d->guard.is_on || !d->guard.is_lost, 1))
		return 0;
	d->is_device = 0;
	return ZWD_BODY_LOST;
}

static int run(z_streamp strm, struct zwd_stream *s, int flush)
{
	const struct zwd_jobq *jobs = s->d.jobs;
	struct zwd_lane *lane = NULL;
	struct zwd_unit unit;
	int ret, is_gathered, is_over = 0, cancel = zwd_defer_cancel();

	do {
		ret = s->d.pend_len ? 0 : zwd_units_next(strm, s, flush, &unit, &is_gathered);
		if (ret != 1)
			break;
		is_over = unit.is_last || unit.needs_marker;
		ret = do_unit(strm, s, &lane, &unit, is_gathered);
	} while (!ret && !is_over);
	if (lane)
		zwd_qpool_put(lane);
	/* Jobs that were made to gather in are the call's to its end. */
	if (s->d.jobs != jobs)
		zwd_jobq_take_deferred(s->d.jobs, cancel);
	else
		zwd_undefer_cancel(cancel);
	if (ret)
		return ret;
	return s->d.pend_len ? ZWD_BODY_ROOM : ZWD_BODY_DONE;
}

static int copy(struct zwd_stream *to, struct zwd_stream *from)
{
	memcpy(to->d.history, from->d.history, from->d.history_len);
	memcpy(to->d.ctx, from->d.ctx, from->d.ctx_len);
	return Z_OK;
}

static void drop(struct zwd_stream *s)
{
	s->d.ctx_len = 0;
}

const struct zwd_body zwd_body_serial = { .run = run, .copy = copy, .drop = drop };
