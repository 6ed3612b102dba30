/* SPDX-License-Identifier: Zlib */
/* Which engine for which work. */
#include "config.h"

#include <errno.h>

#include "engine/guard.h"
#include "engine/learn.h"
#include "engine/policy.h"
#include "engine/profile.h"
#include "engine/qpool.h"
#include "operate/settings.h"

/* What is learned is the process's: there is no other place for it. */
static struct zwd_learn deflate_fast = ZWD_LEARN_DEFLATE_FAST;
static struct zwd_learn deflate_slow = ZWD_LEARN_DEFLATE_SLOW;
static struct zwd_learn inflate_any = ZWD_LEARN_INFLATE;

static struct zwd_learn *learn_of(enum zwd_dir dir, int level)
{
	if (dir == ZWD_INFLATE)
		return &inflate_any;
	return level <= 3 ? &deflate_fast : &deflate_slow;
}

/* Why no device does a stream with these parameters; ZWD_COUNTERS: one may. */
static enum zwd_counter deflate_obstacle(const struct zwd_deflate *d, int is_custom)
{
	const struct zwd_settings *settings = zwd_settings();
	int bits = d->window_bits < 0 ? -d->window_bits : d->window_bits > 15 ? d->window_bits - 16 : d->window_bits;

	if (settings->engine == ZWD_ENGINE_SOFT)
		return ZWD_SOFT_SETTING;
	if (d->method != Z_DEFLATED || d->strategy != Z_DEFAULT_STRATEGY)
		return ZWD_SOFT_STRATEGY;
	if (d->level < 0 || d->level > 9 || !(settings->levels & 1u << d->level))
		return ZWD_SOFT_LEVEL;
	/* A caller's own memory is as large as zlib's windows are: what else is in it there would be no room for. */
	if (bits > 15 || bits < (is_custom ? 15 : 12))
		return ZWD_SOFT_WINDOW;
	/* Of a caller's own memory only as much is taken as zlib would take. */
	if (d->mem_level < (is_custom ? 8 : 1) || d->mem_level > 9)
		return ZWD_SOFT_WINDOW;
	return zwd_qpool_may_have_device(ZWD_DEFLATE) ? ZWD_COUNTERS : ZWD_SOFT_NO_DEVICE;
}

static enum zwd_counter inflate_obstacle(int window_bits)
{
	if (zwd_settings()->engine == ZWD_ENGINE_SOFT)
		return ZWD_SOFT_SETTING;
	/* 32 KiB windows, or whatever the stream's header says. */
	switch (window_bits) {
	case 0:
	case 15:
	case 31:
	case 32:
	case 47:
	case -15:
		break;
	default:
		return ZWD_SOFT_WINDOW;
	}
	return zwd_qpool_may_have_device(ZWD_INFLATE) ? ZWD_COUNTERS : ZWD_SOFT_NO_DEVICE;
}

static void tell(void)
{
	if (!atomic_load_explicit(&zwd_stats_min_len, memory_order_relaxed))
		zwd_stats_begin(zwd_policy_min_len);
}

int zwd_policy_deflate_candidate(const struct zwd_deflate *d, int is_custom)
{
	enum zwd_counter obstacle = deflate_obstacle(d, is_custom);

	tell();
	if (obstacle != ZWD_COUNTERS)
		zwd_count(ZWD_DEFLATE, obstacle, 1);
	return obstacle == ZWD_COUNTERS;
}

int zwd_policy_inflate_candidate(int window_bits)
{
	enum zwd_counter obstacle = inflate_obstacle(window_bits);

	tell();
	if (obstacle != ZWD_COUNTERS)
		zwd_count(ZWD_INFLATE, obstacle, 1);
	return obstacle == ZWD_COUNTERS;
}

/* Bytes, or ZWD_MIN_LEARNED. */
static size_t min_len_of(const struct zwd_settings *settings, enum zwd_dir dir, int level)
{
	size_t min_len = dir == ZWD_DEFLATE ? settings->min_deflate : settings->min_inflate;

	if (min_len != ZWD_MIN_PROFILE)
		return min_len;
	if (dir == ZWD_INFLATE)
		return ZWD_PROFILE_MIN_INFLATE;
	return level <= 3 ? ZWD_PROFILE_MIN_DEFLATE_FAST : ZWD_PROFILE_MIN_DEFLATE;
}

static int is_long_enough(const struct zwd_settings *settings, enum zwd_dir dir, int level, size_t len,
			  struct zwd_trial *trial)
{
	size_t min_len;
	int ret;

	min_len = min_len_of(settings, dir, level);
	if (min_len != ZWD_MIN_LEARNED) {
		ret = len >= min_len;
	} else {
		ret = len && zwd_learn_choose(learn_of(dir, level), len) == ZWD_LEARN_DEVICE;
		trial->len = len;
		trial->begin_ns = len ? zwd_now_ns() : 0;
	}
	if (!ret)
		zwd_count(dir, ZWD_SOFT_SMALL, 1);
	return ret;
}

static inline __attribute__((always_inline)) int is_for_device(const struct zwd_settings *settings,
							       enum zwd_dir dir, int level, size_t len,
							       struct zwd_trial *trial)
{
	trial->begin_ns = 0;
	return settings->engine == ZWD_ENGINE_HW || is_long_enough(settings, dir, level, len, trial);
}

/* Is it expected to be too slow, or known to lose? Apart: without goals it costs one look at the settings. */
static __attribute__((noinline, cold)) int is_refused(enum zwd_dir dir, int is_asking, struct zwd_guard *guard)
{
	const struct zwd_settings *settings = zwd_settings();

	if (settings->latency_ms && zwd_qpool_is_late(dir, is_asking)) {
		zwd_count(dir, ZWD_SOFT_LATENCY, 1);
		return 1;
	}
	if (!guard || !zwd_guard_is_set(settings) || !zwd_guard_refuses(guard, is_asking))
		return 0;
	zwd_count(dir, ZWD_SOFT_GUARD, 1);
	return 1;
}

/*
 * Data is for the device: is it there, and soon enough? Opening it is nobody's time, so what is measured begins
 * after it.
 */
static inline __attribute__((always_inline)) int has_device(const struct zwd_settings *settings,
							    enum zwd_dir dir, int needs_raw,
							    int is_asking, struct zwd_trial *trial,
							    struct zwd_guard *guard)
{
	if (!zwd_qpool_has_device(dir) || (needs_raw && !zwd_qpool_has_raw(dir))) {
		zwd_count(dir, ZWD_SOFT_NO_DEVICE, 1);
		trial->begin_ns = 0;
		return 0;
	}
	if (__builtin_expect(settings->is_choosy, 0) && is_refused(dir, is_asking, guard)) {
		trial->begin_ns = 0;
		return 0;
	}
	if (trial->begin_ns)
		trial->begin_ns = zwd_now_ns();
	return 1;
}

int zwd_policy_deflate_begin(struct zwd_deflate *d, size_t len, int flush, int is_decided)
{
	const struct zwd_settings *settings = zwd_settings();

	d->trial.begin_ns = 0;
	/* More may come, and is gathered until there is a unit's worth. */
	return flush == Z_NO_FLUSH || (is_for_device(settings, ZWD_DEFLATE, d->level, len, &d->trial) &&
				       has_device(settings, ZWD_DEFLATE, 0, is_decided, &d->trial, &d->guard));
}

int zwd_policy_deflate_unit(struct zwd_deflate *d, size_t len, int flush)
{
	const struct zwd_settings *settings = zwd_settings();
	int ret;

	if (d->trial.begin_ns)
		return 1; /* that was the decision */
	ret = is_for_device(settings, ZWD_DEFLATE, d->level, len, &d->trial) &&
	      has_device(settings, ZWD_DEFLATE, 0, 1, &d->trial, &d->guard);
	/* Without a flush the call may return before the work is done. */
	if (flush == Z_NO_FLUSH)
		d->trial.begin_ns = 0;
	return ret;
}

/* What a call of inflate() brings: its input, as far as there is room for what that makes. */
static size_t brought(size_t len, size_t room)
{
	return len < room / ZWD_PROFILE_EXPANDS ? len : room / ZWD_PROFILE_EXPANDS;
}

int zwd_policy_inflate_is_small(size_t len, size_t room)
{
	const struct zwd_settings *settings = zwd_settings();
	size_t min_len = settings->min_inflate;

	if (settings->engine == ZWD_ENGINE_HW || min_len == ZWD_MIN_LEARNED)
		return 0;
	return brought(len, room) < (min_len == ZWD_MIN_PROFILE ? ZWD_PROFILE_MIN_INFLATE_CALL : min_len);
}

int zwd_policy_inflate_begin(struct zwd_inflate *i, size_t len, size_t room, int is_piece)
{
	const struct zwd_settings *settings = zwd_settings();

	if (is_piece && zwd_policy_inflate_is_small(len, room)) {
		i->trial.begin_ns = 0;
		zwd_count(ZWD_INFLATE, ZWD_SOFT_SMALL, 1);
		return 0;
	}
	return is_for_device(settings, ZWD_INFLATE, 0, brought(len, room), &i->trial) &&
	       has_device(settings, ZWD_INFLATE, i->format == WD_ZIP_DEFLATE, 1, &i->trial, NULL);
}

int zwd_policy_inflate_again(size_t len, size_t room)
{
	return !zwd_policy_inflate_is_small(len, room) && zwd_qpool_has_device(ZWD_INFLATE) &&
	       zwd_policy_is_ready(ZWD_INFLATE) && zwd_qpool_has_raw(ZWD_INFLATE);
}

int zwd_policy_is_ready(enum zwd_dir dir)
{
	return zwd_qpool_is_ready(dir) && !(zwd_settings()->latency_ms && zwd_qpool_is_late(dir, 0));
}

static void note(enum zwd_dir dir, int level, struct zwd_trial *trial, enum zwd_learn_engine engine)
{
	zwd_learn_note(learn_of(dir, level), engine, trial->len, zwd_now_ns() - trial->begin_ns);
	trial->begin_ns = 0;
}

/* Waiting for a queue is the device's time like any other. Its absence takes none. */
static void lost(enum zwd_dir dir, int level, struct zwd_trial *trial, int err)
{
	enum zwd_counter reason = err == -ENODEV ? ZWD_SOFT_NO_DEVICE : ZWD_SOFT_FAILED;

	/* Where there is a goal, that is how long a queue was waited for. */
	if (err == -EBUSY)
		reason = zwd_settings()->latency_ms ? ZWD_SOFT_LATENCY : ZWD_SOFT_BUSY;
	zwd_count(dir, reason, 1);
	if (trial->begin_ns && err != -ENODEV)
		note(dir, level, trial, ZWD_LEARN_DEVICE);
	trial->begin_ns = 0;
}

void zwd_policy_deflate_lost(struct zwd_deflate *d, int err)
{
	lost(ZWD_DEFLATE, d->level, &d->trial, err);
}

void zwd_policy_inflate_lost(struct zwd_inflate *i, int err)
{
	lost(ZWD_INFLATE, 0, &i->trial, err);
}

/* Only a call that did all it was given tells what that takes. */
void zwd_policy_deflate_end(z_streamp strm, struct zwd_stream *s, int ret)
{
	struct zwd_deflate *d = &s->d;
	int is_soft = s->mode == ZWD_MODE_SOFT || d->is_raw;

	if (d->trial.begin_ns && ret >= Z_OK && !strm->avail_in && strm->avail_out)
		note(ZWD_DEFLATE, d->level, &d->trial,
		     is_soft ? ZWD_LEARN_SOFT : ZWD_LEARN_DEVICE);
	d->trial.begin_ns = 0;
}

/* Its time goes with what it consumed, be it all or not. */
void zwd_policy_inflate_end(struct zwd_stream *s, size_t consumed, int ret)
{
	struct zwd_trial *trial = &s->i.trial;

	trial->len = consumed;
	if (trial->begin_ns && consumed && (ret >= Z_OK || ret == Z_BUF_ERROR))
		note(ZWD_INFLATE, 0, trial,
		     s->mode == ZWD_MODE_OURS && s->i.body == ZWD_BODY_SERIAL ? ZWD_LEARN_DEVICE :
										ZWD_LEARN_SOFT);
	trial->begin_ns = 0;
}

uint64_t zwd_policy_min_len(enum zwd_dir dir, int level)
{
	const struct zwd_settings *settings = zwd_settings();
	size_t min_len = min_len_of(settings, dir, level);

	if (settings->engine == ZWD_ENGINE_SOFT)
		return UINT64_MAX;
	if (settings->engine == ZWD_ENGINE_HW)
		return 0;
	if (min_len != ZWD_MIN_LEARNED)
		return min_len;
	return zwd_learn_min_len(learn_of(dir, level));
}
