/* SPDX-License-Identifier: Zlib */
/* One request and its result in one call, on a queue of one thread or of many. */
#include "config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "priv.h"
#include "share.h"
#include "wd_zip.h"

#define SWEEP 16	   /* results taken out of the ring at once */
#define SPIN_ROUNDS 16	   /* looks at the call between two looks at the clock */
#define SLEEP_MAX_MS 1000  /* so that a lost event costs a second and no more */
#define HELP_LEN 16384	   /* longer requests are worth waking an engine for */
#define NO_ENTRY UINT_MAX
#define PENDING 1

/* A wd_call() under way, on its caller's stack. Under the lock, but for state. */
struct wd_call {
	struct wd_call *next; /* of those asleep */
	struct wd_zip_res *res;
	unsigned int entry; /* of the ring; NO_ENTRY: not sent yet, there was no room */
	int state;	    /* PENDING, then what the call returns; atomic */
	int is_asleep;
	pthread_cond_t wake;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* As wd_send(), but nobody is woken for it: help() follows. */
static int send_quietly(struct wd_queue *q, const struct wd_zip_req *req)
{
	int r;

	if (!q->transport->help || req->src_len > HELP_LEN)
		return wd_send(q, req, 1);
	q->doorbell = q->transport->doorbell_quiet;
	r = wd_send(q, req, 1);
	q->doorbell = q->transport->doorbell;
	return r;
}

static void help(struct wd_queue *q, const struct wd_zip_req *req)
{
	if (q->transport->help && req->src_len <= HELP_LEN)
		q->transport->help(q->tq);
}

/*
 * The caller does the device's work, in which there may be cancellation points. Apart: no real device
 * asks for that.
 */
static __attribute__((noinline)) int send_and_help(struct wd_queue *q, const struct wd_zip_req *req)
{
	int cancel = wd_cancel_off();
	int r = send_quietly(q, req);

	if (r > 0)
		help(q, req);
	wd_cancel_as(cancel);
	return r;
}

static int call_alone(struct wd_queue *q, const struct wd_zip_req *req, struct wd_zip_res *res,
		      unsigned int timeout_ms)
{
	int r;

	if (wd_unlikely(q->qm.in_flight && !hisi_qm_tx_stopped(&q->qm)))
		return -EBUSY;
	r = q->transport->help ? send_and_help(q, req) : wd_send(q, req, 1);
	if (wd_unlikely(r < 0))
		return r;
	r = wd_recv(q, res, 1);
	if (r == -EAGAIN)
		r = wd_recv_sync(q, res, 1, timeout_ms);
	return r < 0 ? r : 0;
}

/* The rest is under share->lock. */

static void finish(struct wd_call *call, int state)
{
	int is_asleep = call->is_asleep;

	/* Not asleep, its owner may return and end the call as soon as it sees this. */
	__atomic_store_n(&call->state, state, __ATOMIC_RELEASE);
	if (is_asleep)
		pthread_cond_signal(&call->wake);
}

static void wake_unsent(struct wd_share *share)
{
	for (struct wd_call *call = share->asleep; call; call = call->next)
		if (call->entry == NO_ENTRY)
			pthread_cond_signal(&call->wake);
}

/* The queue is of no more use. */
static void fail_all(struct wd_queue *q, int r)
{
	struct wd_share *share = q->share;

	for (unsigned int i = 0; i < q->qm.depth; i++) {
		if (share->owner[i])
			finish(share->owner[i], r);
		share->owner[i] = NULL;
	}
	wake_unsent(share);
}

/* Hands out what has finished. */
static void sweep(struct wd_queue *q)
{
	struct wd_share *share = q->share;
	struct wd_zip_res results[SWEEP];
	int r, sum = 0;

	do {
		unsigned int entry = q->qm.head;

		r = wd_recv(q, results, SWEEP);
		for (int i = 0; i < r; i++) {
			struct wd_call *call = share->owner[entry];

			if (call) {
				*call->res = results[i];
				share->owner[entry] = NULL;
				finish(call, 0);
			}
			if (++entry == q->qm.depth)
				entry = 0;
		}
		sum += r > 0 ? r : 0;
	} while (r == SWEEP);
	if (r < 0 && r != -EAGAIN)
		fail_all(q, r);
	else if (sum)
		wake_unsent(share);
}

static int is_pending(const struct wd_call *call)
{
	return __atomic_load_n(&call->state, __ATOMIC_ACQUIRE) == PENDING;
}

/* Polls for all; without the lock at the beginning and at the end. */
static void spin(struct wd_queue *q, const struct wd_call *call, uint64_t end_ns)
{
	do {
		for (unsigned int i = 0; i < SPIN_ROUNDS && is_pending(call); i++) {
			wd_barrier_relax();
			/* Who has it is sending or handing out. */
			if (i % 4 || pthread_mutex_trylock(&q->share->lock))
				continue;
			if (hisi_qm_is_done(&q->qm) || hisi_qm_rx_stopped(&q->qm) || q->reap)
				sweep(q);
			pthread_mutex_unlock(&q->share->lock);
		}
	} while (is_pending(call) && now_ns() < end_ns);
}

static void put_asleep(struct wd_share *share, struct wd_call *call)
{
	call->next = share->asleep;
	share->asleep = call;
}

static void take_awake(struct wd_share *share, struct wd_call *call)
{
	for (struct wd_call **at = &share->asleep; *at; at = &(*at)->next)
		if (*at == call) {
			*at = call->next;
			break;
		}
}

/* Who may not sleep any more polls: what the device works on is its callers' again after this. */
static void sweep_all(struct wd_queue *q)
{
	uint64_t end_ns = now_ns() + SLEEP_MAX_MS * UINT64_C(1000000);

	do {
		for (unsigned int i = 0; i < SPIN_ROUNDS; i++)
			wd_barrier_relax();
		sweep(q);
	} while (q->qm.in_flight && now_ns() < end_ns);
}

/* Waits for the device, in everybody's stead. */
static void lead(struct wd_queue *q, uint64_t left_ms)
{
	struct wd_share *share = q->share;
	int r;

	share->has_leader = 1;
	/* Armed with our head, the event also comes for a completion nobody has seen. */
	r = wd_flush(q);
	pthread_mutex_unlock(&share->lock);
	if (!r)
		r = q->transport->wait(q->tq, left_ms < SLEEP_MAX_MS ? left_ms : SLEEP_MAX_MS);
	pthread_mutex_lock(&share->lock);
	share->has_leader = 0;
	if (r == -EPERM)
		sweep_all(q);
	if (r && r != -ETIMEDOUT)
		fail_all(q, r == -EPERM ? r : wd_queue_error(q));
}

/* Until the call is finished, the time over, or this is the one to lead. */
static void follow(struct wd_share *share, struct wd_call *call, uint64_t end_ns)
{
	struct timespec end = { end_ns / 1000000000, end_ns % 1000000000 };

	call->is_asleep = 1;
	put_asleep(share, call);
	pthread_cond_clockwait(&call->wake, &share->lock, CLOCK_MONOTONIC, &end);
	take_awake(share, call);
	call->is_asleep = 0;
}

static int send_shared(struct wd_queue *q, const struct wd_zip_req *req, struct wd_call *call)
{
	unsigned int entry = q->qm.tail;
	int r = send_quietly(q, req);

	if (r < 0)
		return r;
	call->entry = entry;
	q->share->owner[entry] = call;
	pthread_mutex_unlock(&q->share->lock);
	help(q, req);
	pthread_mutex_lock(&q->share->lock);
	return 0;
}

static __attribute__((noinline)) int call_shared(struct wd_queue *q, const struct wd_zip_req *req,
						 struct wd_zip_res *res, unsigned int timeout_ms)
{
	struct wd_share *share = q->share;
	struct wd_call call = {
		.res = res, .entry = NO_ENTRY, .state = PENDING, .wake = PTHREAD_COND_INITIALIZER,
	};
	uint64_t end_ns = INT64_MAX;
	int cancel = wd_cancel_off();
	int has_spun = 0;
	int r;

	if (timeout_ms != UINT_MAX)
		end_ns = now_ns() + timeout_ms * UINT64_C(1000000);
	pthread_mutex_lock(&share->lock);
	for (;;) {
		uint64_t now;

		r = call.entry == NO_ENTRY ? send_shared(q, req, &call) : 0;
		if (r && r != -EBUSY)
			break;
		sweep(q);
		r = call.state;
		if (r != PENDING)
			break;
		now = now_ns();
		if (now >= end_ns) {
			r = -ETIMEDOUT;
			break;
		}
		if (!has_spun && call.entry != NO_ENTRY && q->sent_len <= q->spin_len &&
		    share->spinners < share->spinners_max) {
			share->spinners++;
			pthread_mutex_unlock(&share->lock);
			spin(q, &call, now + (uint64_t)q->spin_us * 1000);
			pthread_mutex_lock(&share->lock);
			share->spinners--;
			has_spun = 1;
		} else if (share->has_leader) {
			follow(share, &call, end_ns);
		} else if (q->qm.in_flight) {
			lead(q, (end_ns - now + 999999) / 1000000);
		}
	}
	/* What is still in flight finds nobody. */
	if (r == -ETIMEDOUT && call.entry != NO_ENTRY)
		share->owner[call.entry] = NULL;
	/* The latest of them will have to wait longest, and leads longest. */
	if (!share->has_leader && !share->spinners && share->asleep)
		pthread_cond_signal(&share->asleep->wake);
	pthread_mutex_unlock(&share->lock);
	wd_cancel_as(cancel);
	return r;
}

int wd_call(struct wd_queue *q, const void *req, void *res, unsigned int timeout_ms)
{
	if (wd_unlikely(!wd_is_own(q->born)))
		return -ENODEV;
	return q->share ? call_shared(q, req, res, timeout_ms) :
			  call_alone(q, req, res, timeout_ms);
}
