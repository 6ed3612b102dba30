/* SPDX-License-Identifier: Zlib */
/* Requests of inflate streams that are sent before their output was asked for, and what a fork does to them. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "engine/ahead.h"
#include "operate/settings.h"
#include "stream/shield.h"

struct zwd_ahead {
	struct zwd_ahead *next;
	struct zwd_lane *_Atomic lane;
	atomic_int is_dropped; /* by its stream; whoever has the lock frees it */
	unsigned int generation; /* of the process that has it in its list */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the list */
static struct zwd_ahead *ahead_all;
static _Atomic unsigned int generation; /* of the process whose list this is */

/* What is in flight comes to its end. */
static void settle(struct zwd_ahead *ahead)
{
	int cancel_state = zwd_shield_up(), ret;
	struct zwd_lane *lane = zwd_ahead_take(ahead);
	struct wd_zip_res res;

	if (lane) {
		ret = zwd_qpool_wait(lane, &res, zwd_settings()->timeout_ms);
		if (ret)
			zwd_qpool_drop(lane, ret);
		else
			zwd_qpool_put(lane);
	}
	zwd_shield_down(cancel_state);
}

struct zwd_lane *zwd_ahead_take(struct zwd_ahead *ahead)
{
	struct zwd_lane *lane;

	if (!ahead || !atomic_load_explicit(&ahead->lane, memory_order_relaxed))
		return NULL;
	lane = atomic_exchange(&ahead->lane, NULL);
	if (!lane || !zwd_qpool_is_stale(lane))
		return lane;
	zwd_qpool_drop(lane, -ENODEV);
	return NULL;
}

int zwd_ahead_is_sent(const struct zwd_ahead *ahead)
{
	return ahead && atomic_load_explicit(&ahead->lane, memory_order_relaxed) != NULL;
}

static void fork_prepare(void)
{
	pthread_mutex_lock(&lock);
	for (struct zwd_ahead *ahead = ahead_all; ahead; ahead = ahead->next)
		settle(ahead);
}

static void fork_done(void)
{
	pthread_mutex_unlock(&lock);
}

static void register_fork(void)
{
	pthread_atfork(fork_prepare, fork_done, fork_done);
}

/* Puts one into this process's list, and takes out what was dropped. 0 or -errno. */
static int list_ahead(struct zwd_ahead *ahead)
{
	static _Atomic unsigned int once;
	unsigned int now = wd_generation(), was = atomic_load(&generation);

	/* After the pool's, which come with its first lane: what is registered last is done first. */
	zwd_once(&once, register_fork);
	if (zwd_enter())
		return -EBUSY;
	/* A child that was not made by fork() begins with an empty list. */
	if (was != now && atomic_compare_exchange_strong(&generation, &was, now) && was) {
		pthread_mutex_init(&lock, NULL);
		ahead_all = NULL;
	}
	pthread_mutex_lock(&lock);
	for (struct zwd_ahead **at = &ahead_all; *at;) {
		struct zwd_ahead *one = *at;

		if (!atomic_load(&one->is_dropped)) {
			at = &one->next;
			continue;
		}
		*at = one->next;
		free(one);
	}
	ahead->generation = now;
	ahead->next = ahead_all;
	ahead_all = ahead;
	pthread_mutex_unlock(&lock);
	zwd_leave();
	return 0;
}

int zwd_ahead_is_free(struct zwd_ahead **place)
{
	struct zwd_ahead *ahead = *place;

	if (ahead && ahead->generation == wd_generation())
		return !atomic_load(&ahead->lane);
	if (!ahead) {
		ahead = calloc(1, sizeof(*ahead)); /* the caller's shield is up */
		if (!ahead)
			return 0;
	}
	if (list_ahead(ahead)) {
		if (!*place)
			free(ahead);
		return 0;
	}
	*place = ahead;
	return 1;
}

void zwd_ahead_put(struct zwd_ahead *ahead, struct zwd_lane *lane)
{
	atomic_store(&ahead->lane, lane);
}

void zwd_ahead_forget(struct zwd_ahead *ahead)
{
	if (zwd_ahead_is_sent(ahead))
		settle(ahead);
}

void zwd_ahead_drop(struct zwd_ahead **place)
{
	if (!*place)
		return;
	zwd_ahead_forget(*place);
	atomic_store(&(*place)->is_dropped, 1);
	*place = NULL;
}
