/* SPDX-License-Identifier: Zlib */
/* The road of every request: into the ring, the doorbell, and out of the ring again. */
#include <limits.h>
#include <time.h>
#include "drv/hisi_zip.h"
#include "priv.h"

#define SPIN_ROUNDS 16	 /* polls between two looks at the clock */
#define SLEEP_MAX_MS 1000 /* so that a lost event costs a second and no more */

static inline void ring(struct wd_queue *q, uint64_t value)
{
	hisi_qm_ring(&q->qm, value);
	if (q->doorbell)
		q->doorbell(q->tq, value);
}

/* Ranges went away since the last request: what was found then may be none of them. */
static void forget_recent(struct wd_queue *q, unsigned int generation)
{
	for (unsigned int i = 0; i < WD_MEM_ROLES; i++)
		q->recent[i] = (struct wd_recent){ 0 };
	q->generation = generation;
}

__attribute__((always_inline)) static inline int fill(struct wd_queue *q, const struct wd_zip_req *req)
{
	struct hisi_zip_sqe *sqe = hisi_qm_entry(&q->qm, q->qm.tail);
	struct wd_slot *slot = &q->slots[q->qm.tail];
	int is_stream = req->flags & WD_ZIP_STREAM;
	struct hisi_zip_addr addr = { 0 };

	if (wd_unlikely(hisi_zip_check(req, q->formats)))
		return -EINVAL;
	if (wd_unlikely(!wd_mem_addr(q, WD_MEM_SRC, req->src, req->src_len, &addr.src) ||
			!wd_mem_addr(q, WD_MEM_DST, req->dst, req->dst_len, &addr.dst)))
		return -EFAULT;
	if (is_stream &&
	    wd_unlikely(!wd_mem_addr(q, WD_MEM_CTX, req->ctx, WD_ZIP_CTX_SIZE, &addr.ctx)))
		return -EFAULT;
	slot->tag = req->tag;
	slot->ctx = is_stream ? req->ctx : NULL;
	hisi_zip_fill(sqe, req, &addr, q->sqe_type);
	return 0;
}

/* An address is not where the last one was: looks it up, for this request and those that follow. */
__attribute__((noinline, cold)) static int find(struct wd_queue *q, const struct wd_zip_req *req)
{
	int is_stream = req->flags & WD_ZIP_STREAM;
	int r;

	if (!req->src || !req->dst || (is_stream && !req->ctx))
		return -EINVAL;
	r = wd_mem_find(q, WD_MEM_SRC, req->src, req->src_len);
	if (!r)
		r = wd_mem_find(q, WD_MEM_DST, req->dst, req->dst_len);
	if (!r && is_stream)
		r = wd_mem_find(q, WD_MEM_CTX, req->ctx, WD_ZIP_CTX_SIZE);
	return r;
}

int wd_send(struct wd_queue *q, const void *reqs, unsigned int nr)
{
	const struct wd_zip_req *req = reqs;
	const struct wd_zip_req *end;
	unsigned int generation;
	unsigned int room;

	if (wd_unlikely(!wd_is_own(q->born)))
		return -ENODEV;
	if (wd_unlikely(hisi_qm_tx_stopped(&q->qm)))
		return wd_queue_error(q);
	room = hisi_qm_room(&q->qm);
	if (wd_unlikely(!room))
		return -EBUSY;
	if (wd_unlikely(!nr))
		return -EINVAL;
	generation = __atomic_load_n(&q->dev->generation, __ATOMIC_ACQUIRE);
	if (wd_unlikely(generation != q->generation))
		forget_recent(q, generation);

	end = req + (nr < room ? nr : room);
	do {
		int r = fill(q, req);

		if (wd_unlikely(r == -EFAULT)) {
			r = find(q, req);
			if (!r)
				r = fill(q, req);
		}
		if (wd_unlikely(r)) {
			if (req == reqs)
				return r;
			break;
		}
		hisi_qm_push(&q->qm);
	} while (++req != end);
	ring(q, hisi_qm_sq_value(&q->qm));
	q->sent_len = req[-1].src_len;
	return req - (const struct wd_zip_req *)reqs;
}

/* Has the oldest request finished? */
static inline int is_done(struct wd_queue *q)
{
	return hisi_qm_is_done(&q->qm) || (q->reap && q->reap(q->tq));
}

static inline void parse(struct wd_queue *q, struct wd_zip_res *res)
{
	const struct hisi_zip_sqe *sqe = hisi_qm_entry(&q->qm, q->qm.head);
	const struct wd_slot *slot = &q->slots[q->qm.head];

	res->tag = slot->tag;
	if (wd_unlikely(slot->ctx != NULL))
		hisi_zip_save(slot->ctx, sqe, q->transport->is_emulated);
	hisi_zip_parse(res, sqe, q->op_type);
}

int wd_recv(struct wd_queue *q, void *results, unsigned int nr)
{
	struct wd_zip_res *res = results;
	struct wd_zip_res *end = res + nr;

	if (wd_unlikely(!wd_is_own(q->born)))
		return -ENODEV;
	if (wd_unlikely(hisi_qm_rx_stopped(&q->qm)))
		return wd_queue_error(q);
	if (wd_unlikely(!nr))
		return -EINVAL;
	if (!is_done(q))
		return -EAGAIN;
	do {
		if (wd_unlikely(!hisi_qm_is_in_order(&q->qm))) {
			q->error = -EIO;
			hisi_qm_stop(&q->qm);
			break;
		}
		parse(q, res);
		hisi_qm_pop(&q->qm);
	} while (++res != end && hisi_qm_is_done(&q->qm));
	if (wd_unlikely(res == results))
		return -EIO;
	ring(q, hisi_qm_cq_value(&q->qm, 0));
	return res - (struct wd_zip_res *)results;
}

static int arm(struct wd_queue *q)
{
	if (hisi_qm_rx_stopped(&q->qm))
		return wd_queue_error(q);
	if (q->transport->arm)
		q->transport->arm(q->tq);
	ring(q, hisi_qm_cq_value(&q->qm, 1));
	return 0;
}

int wd_flush(struct wd_queue *q)
{
	int cancel, r;

	if (!wd_is_own(q->born))
		return -ENODEV;
	cancel = wd_cancel_off();
	r = arm(q);
	wd_cancel_as(cancel);
	return r;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Polls until one has finished or the clock shows end_ns. */
static void spin(struct wd_queue *q, uint64_t end_ns)
{
	do {
		for (unsigned int i = 0; i < SPIN_ROUNDS; i++) {
			if (is_done(q) || hisi_qm_rx_stopped(&q->qm))
				return;
			wd_barrier_relax();
		}
	} while (now_ns() < end_ns);
}

/* May a request like the last be done in the time that spinning takes? */
static int is_short(const struct wd_queue *q)
{
	return q->sent_len <= q->spin_len;
}

static int wait_for(struct wd_queue *q, void *results, unsigned int nr, unsigned int timeout_ms)
{
	uint64_t start_ns, end_ns;
	int r;

	start_ns = now_ns();
	end_ns = timeout_ms == UINT_MAX ? INT64_MAX : start_ns + timeout_ms * UINT64_C(1000000);
	if (is_short(q))
		spin(q, start_ns + (uint64_t)q->spin_us * 1000);
	for (;;) {
		uint64_t left_ms;

		r = wd_recv(q, results, nr);
		if (r != -EAGAIN)
			return r;
		start_ns = now_ns();
		if (start_ns >= end_ns)
			return -ETIMEDOUT;
		/* Armed with our head, the event also comes for a completion we have not seen. */
		r = arm(q);
		if (r)
			return r;
		left_ms = (end_ns - start_ns + 999999) / 1000000;
		r = q->transport->wait(q->tq, left_ms < SLEEP_MAX_MS ? left_ms : SLEEP_MAX_MS);
		/* Who may not sleep any more polls: what the device works on is the caller's again after this. */
		if (r == -EPERM)
			spin(q, start_ns + SLEEP_MAX_MS * UINT64_C(1000000));
		if (r && r != -ETIMEDOUT)
			return r == -EPERM ? r : wd_queue_error(q);
	}
}

int wd_recv_sync(struct wd_queue *q, void *results, unsigned int nr, unsigned int timeout_ms)
{
	int r = wd_recv(q, results, nr);
	int cancel;

	if (wd_likely(r != -EAGAIN))
		return r;
	if (!q->qm.in_flight)
		return -ENOENT;
	if (!timeout_ms)
		return -ETIMEDOUT;
	cancel = wd_cancel_off();
	r = wait_for(q, results, nr, timeout_ms);
	wd_cancel_as(cancel);
	return r;
}
