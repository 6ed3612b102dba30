/* SPDX-License-Identifier: Zlib */
/* One queue pair of the HiSilicon queue manager as user space drives it: rings and doorbells. */
#ifndef HISI_QM_H
#define HISI_QM_H

#include <stddef.h>
#include <stdint.h>
#include <wd/hisi_qm.h>
#include "barrier.h"

struct hisi_qm {
	uint8_t *sq;
	const struct hisi_qm_cqe *cq;
	volatile uint64_t *doorbell;
	const uint32_t *tx_stop;
	const uint32_t *rx_stop;
	uint64_t sq_doorbell; /* value without its index */
	uint64_t cq_doorbell;
	unsigned int depth;
	unsigned int tail;  /* next free entry */
	unsigned int head;  /* oldest entry in flight; the completion ring moves in step */
	unsigned int phase; /* of the next completion */
	unsigned int in_flight;
	unsigned int limit; /* of in_flight, at most depth - 1 */
};

/* Bytes of queue memory for rings of that depth, its status page included. */
size_t hisi_qm_mem_len(unsigned int depth, size_t page_len);

/* The value of a doorbell (hardware reference, chapter 10). version: 1, 2, 3. */
uint64_t hisi_qm_doorbell(unsigned int version, unsigned int number, unsigned int cmd,
			  unsigned int index, unsigned int priority);

/*
 * Starts with empty rings in mem, which the caller zeroed. limit: 0 means as many as fit. mmio: where
 * it is no longer than the doorbell's offset among the registers, it is the page of the doorbell.
 * -EINVAL: depth and lengths do not go together.
 */
int hisi_qm_init(struct hisi_qm *qm, unsigned int version, unsigned int number, unsigned int depth,
		 unsigned int limit, void *mmio, size_t mmio_len, void *mem, size_t mem_len);

/* As if the kernel had set the stop words. */
void hisi_qm_stop(struct hisi_qm *qm);

/* The kernel sets these words when it resets or removes the device (chapter 12.4). */
static inline int hisi_qm_tx_stopped(const struct hisi_qm *qm)
{
	return __atomic_load_n(qm->tx_stop, __ATOMIC_RELAXED) != 0;
}

static inline int hisi_qm_rx_stopped(const struct hisi_qm *qm)
{
	return __atomic_load_n(qm->rx_stop, __ATOMIC_RELAXED) != 0;
}

static inline unsigned int hisi_qm_room(const struct hisi_qm *qm)
{
	return qm->limit - qm->in_flight;
}

static inline void *hisi_qm_entry(const struct hisi_qm *qm, unsigned int slot)
{
	return qm->sq + (size_t)slot * HISI_QM_SQE_SIZE;
}

/* The entry at tail is filled. */
static inline void hisi_qm_push(struct hisi_qm *qm)
{
	if (++qm->tail == qm->depth)
		qm->tail = 0;
	qm->in_flight++;
}

/* Value for the submission doorbell after pushes, and for the completion doorbell after pops. */
static inline uint64_t hisi_qm_sq_value(const struct hisi_qm *qm)
{
	return qm->sq_doorbell | (uint64_t)qm->tail << HISI_QM_DB_INDEX_SHIFT;
}

static inline uint64_t hisi_qm_cq_value(const struct hisi_qm *qm, unsigned int priority)
{
	return qm->cq_doorbell | (uint64_t)qm->head << HISI_QM_DB_INDEX_SHIFT |
	       (uint64_t)priority << HISI_QM_DB_PRIO_SHIFT;
}

/* Entries written (or read) before are so for the device when it sees the value. */
static inline void hisi_qm_ring(struct hisi_qm *qm, uint64_t value)
{
	wd_barrier_doorbell();
	*qm->doorbell = value;
}

/*
 * 1: the oldest entry in flight is finished and may be read; 0: not yet.
 * The device completes a ring in order (chapter 9), so the oldest is the next.
 */
static inline int hisi_qm_is_done(const struct hisi_qm *qm)
{
	/* Acquire, then the barrier: first for the emulated device's threads, second for DMA. */
	unsigned int w = __atomic_load_n(&qm->cq[qm->head].phase, __ATOMIC_ACQUIRE);

	if ((w & HISI_QM_CQE_PHASE) != qm->phase)
		return 0;
	wd_barrier_completion();
	return 1;
}

/* Does its completion name the oldest entry? Anything else breaks the order promised. */
static inline int hisi_qm_is_in_order(const struct hisi_qm *qm)
{
	return qm->in_flight && qm->cq[qm->head].sq_head == qm->head;
}

static inline void hisi_qm_pop(struct hisi_qm *qm)
{
	if (++qm->head == qm->depth) {
		qm->head = 0;
		qm->phase ^= HISI_QM_CQE_PHASE;
	}
	qm->in_flight--;
}

#endif
