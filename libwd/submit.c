/* SPDX-License-Identifier: Zlib */
/* The road of every request: into the ring, the doorbell, and out of the ring again. */
#include <limits.h>
#include <time.h>
#include "priv.h"

#define SPIN_ROUNDS 16	 /* polls between two looks at the clock */
#define SLEEP_MAX_MS 1000 /* so that a lost event costs a second and no more */

static inline void ring(struct wd_queue *q, uint64_t value)
{
	hisi_qm_ring(&q->qm, value);
	if (q->doorbell)
		q->doorbell(q->tq, value);
}

int wd_send(struct wd_queue *q, const void *reqs, unsigned int nr)
{
	const char *req = reqs;
	unsigned int generation;
	unsigned int room;
	unsigned int done;
	int r = -EINVAL;

	if (wd_unlikely(q->error))
		return q->error;
	if (wd_unlikely(hisi_qm_tx_stopped(&q->qm)))
		return wd_queue_error(q);
	room = hisi_qm_room(&q->qm);
	if (!room)
		return -EBUSY;
	if (nr > room)
		nr = room;

	generation = __atomic_load_n(&q->dev->generation, __ATOMIC_ACQUIRE);
	if (wd_unlikely(generation != q->generation)) {
		for (unsigned int i = 0; i < WD_MEM_ROLES; i++)
			q->recent[i].len = 0;
		q->generation = generation;
	}
	for (done = 0; done < nr; done++, req += q->drv->req_len) {
		unsigned int slot = q->qm.tail;

		r = q->drv->fill(q, req, hisi_qm_entry(&q->qm, slot), &q->slots[slot]);
		if (r)
			break;
		hisi_qm_push(&q->qm);
	}
	if (wd_unlikely(!done))
		return r;
	ring(q, hisi_qm_sq_value(&q->qm));
	return done;
}

int wd_recv(struct wd_queue *q, void *results, unsigned int nr)
{
	char *res = results;
	unsigned int done;

	if (wd_unlikely(q->error))
		return q->error;
	if (wd_unlikely(!nr))
		return -EINVAL;
	if (wd_unlikely(hisi_qm_rx_stopped(&q->qm)))
		return wd_queue_error(q);
	for (done = 0; done < nr && hisi_qm_is_done(&q->qm); done++, res += q->drv->res_len) {
		unsigned int slot = q->qm.head;

		if (wd_unlikely(!hisi_qm_is_in_order(&q->qm))) {
			q->error = -EIO;
			return done ? (int)done : -EIO;
		}
		q->drv->parse(q, hisi_qm_entry(&q->qm, slot), &q->slots[slot], res);
		hisi_qm_pop(&q->qm);
	}
	if (!done)
		return -EAGAIN;
	ring(q, hisi_qm_cq_value(&q->qm, 0));
	return done;
}

int wd_flush(struct wd_queue *q)
{
	if (q->error)
		return q->error;
	if (hisi_qm_rx_stopped(&q->qm))
		return wd_queue_error(q);
	ring(q, hisi_qm_cq_value(&q->qm, 1));
	return 0;
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
			if (hisi_qm_is_done(&q->qm) || hisi_qm_rx_stopped(&q->qm))
				return;
			wd_barrier_relax();
		}
	} while (now_ns() < end_ns);
}

int wd_recv_sync(struct wd_queue *q, void *results, unsigned int nr, unsigned int timeout_ms)
{
	int r = wd_recv(q, results, nr);
	uint64_t start_ns, end_ns;

	if (wd_likely(r != -EAGAIN))
		return r;
	if (!q->qm.in_flight)
		return -ENOENT;
	if (!timeout_ms)
		return -ETIMEDOUT;

	start_ns = now_ns();
	end_ns = timeout_ms == UINT_MAX ? INT64_MAX : start_ns + timeout_ms * UINT64_C(1000000);
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
		r = wd_flush(q);
		if (r)
			return r;
		left_ms = (end_ns - start_ns + 999999) / 1000000;
		r = q->transport->wait(q->tq, left_ms < SLEEP_MAX_MS ? left_ms : SLEEP_MAX_MS);
		if (r && r != -ETIMEDOUT)
			return wd_queue_error(q);
	}
}
