// SPDX-License-Identifier: Zlib
/* The queue manager's rings, the requests in them, events and doorbells. */
#include "emu_qm_priv.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* Doorbells (10). */
enum { DB_SQ, DB_CQ, DB_EQ, DB_AEQ };

#define EVENT_PHASE	  (1u << 16)
#define EVENT_TYPE_SHIFT  17
#define EVENT_EQ_OVERFLOW (1u << EVENT_TYPE_SHIFT)
#define FIFO_AEQ	  (2u << 6) /* of REG_FIFO_INFO: what overflowed */
#define EVENT_LEN	  4
#define CQE_LEN		  sizeof(struct hisi_qm_cqe)

uint64_t emu_qm_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

/* Memory: what goes wrong there is an error of the device. 0 or -EIO. */

int emu_qm_dma_read(struct emu_qm *qm, uint64_t iova, void *buf, size_t len)
{
	if (emu_qm_is_master(qm) && !emu_dma_copy(&qm->dma, iova, buf, len, EMU_DMA_READ))
		return 0;
	if (emu_qm_is_open(qm))
		emu_qm_error(qm, ERROR_AXI_READ, 0);
	return -EIO;
}

int emu_qm_dma_write(struct emu_qm *qm, uint64_t iova, const void *buf, size_t len)
{
	if (emu_qm_is_master(qm) && !emu_dma_copy(&qm->dma, iova, (void *)buf, len, EMU_DMA_WRITE))
		return 0;
	if (emu_qm_is_open(qm))
		emu_qm_error(qm, ERROR_AXI_WRITE, 0);
	return -EIO;
}

/* Rings */

static uint32_t next_index(const struct emu_qm_ring *ring, uint32_t index)
{
	return index + 1 == ring->depth ? 0 : index + 1;
}

static bool is_full(const struct emu_qm_ring *ring)
{
	return next_index(ring, ring->tail) == ring->head;
}

static void advance_tail(struct emu_qm_ring *ring)
{
	ring->tail = next_index(ring, ring->tail);
	if (ring->tail)
		return;
	ring->phase = !ring->phase;
	ring->is_wrapped = !ring->is_wrapped;
}

/* Events: an entry in EQ or AEQ, and an interrupt unless one is under way (11) */

static void event_interrupt(struct emu_qm *qm, struct emu_qm_ring *ring)
{
	const bool is_eq = ring == &qm->eq;
	const uint32_t mask = is_eq ? REG_EQ_MASK : REG_AEQ_MASK;

	if (!ring->is_loaded || !ring->is_armed || ring->tail == ring->head ||
	    *emu_qm_reg(qm, mask) & 1)
		return;
	*emu_qm_reg(qm, is_eq ? REG_EQ_SOURCE : REG_AEQ_SOURCE) = 1;
	ring->is_armed = false;
	if (is_eq || emu_qm_vectors(qm) > 1)
		emu_qm_msi(qm, is_eq ? 0 : 1);
}

static void event_put(struct emu_qm *qm, struct emu_qm_ring *ring, uint32_t entry)
{
	if (!ring->is_loaded)
		return;
	if (is_full(ring)) {
		if (ring == &qm->eq) {
			event_put(qm, &qm->aeq, EVENT_EQ_OVERFLOW);
		} else if (qm->opt.strict) {
			*emu_qm_reg(qm, REG_FIFO_INFO) = FIFO_AEQ | qm->number;
			emu_qm_error(qm, ERROR_FIFO_OVERFLOW, 0);
		}
		return;
	}
	if (ring->phase)
		entry |= EVENT_PHASE;
	if (emu_qm_dma_write(qm, ring->base + (uint64_t)ring->tail * EVENT_LEN, &entry,
			     sizeof(entry)))
		return;
	++*emu_qm_reg(qm, ring == &qm->eq ? REG_COUNT_EQE : REG_COUNT_AEQE);
	advance_tail(ring);
	event_interrupt(qm, ring);
}

void emu_qm_unmask(struct emu_qm *qm)
{
	event_interrupt(qm, &qm->eq);
	event_interrupt(qm, &qm->aeq);
}

/* An armed completion queue with something in it is told of, once. */
static void cq_event(struct emu_qm *qm, unsigned int queue)
{
	struct emu_qm_ring *cq = &qm->pair[queue].cq;

	if (!cq->is_armed || cq->tail == cq->head)
		return;
	cq->is_armed = false;
	event_put(qm, &qm->eq, queue);
}

/* Requests */

static bool has_work(const struct emu_qm_pair *pair)
{
	return pair->sq.is_loaded && pair->cq.is_loaded && !pair->is_hung &&
	       pair->sq.head != pair->sq.tail && !is_full(&pair->cq);
}

static void count_core(struct emu_qm *qm, const struct emu_qm_pair *pair,
		       const struct hisi_zip_sqe *sqe, bool is_good)
{
	const uint32_t core =
		pair->alg_type == HISI_ZIP_QUEUE_COMPRESS ? REG_ZIP_COMP_CORE : REG_ZIP_DECOMP_CORE;
	uint64_t sums[2];

	++*emu_qm_reg(qm, core);
	++*emu_qm_reg(qm, core + (is_good ? 0x4 : 0x8));
	++*emu_qm_reg(qm, core + 0xc);
	memcpy(sums, emu_qm_reg(qm, core + 0x38), sizeof(sums));
	sums[0] += sqe->consumed;
	sums[1] += sqe->produced;
	memcpy(emu_qm_reg(qm, core + 0x38), sums, sizeof(sums));
	qm->stats.errors += !is_good;
	qm->stats.bytes_in += sqe->consumed;
	qm->stats.bytes_out += sqe->produced;
}

/* Entry and completion, as a CPU sees them: with the phase it must see everything before it. 0 or
 * -EIO. */
static int write_completion(struct emu_qm *qm, struct emu_qm_ring *sq, struct emu_qm_ring *cq,
			    const struct hisi_zip_sqe *sqe, const struct hisi_qm_cqe *cqe)
{
	const uint64_t at = cq->base + (uint64_t)cq->tail * CQE_LEN;
	const size_t body_len = offsetof(struct hisi_qm_cqe, phase);
	int ret = emu_qm_dma_write(qm, sq->base + (uint64_t)sq->head * sizeof(*sqe), sqe,
				   sizeof(*sqe));

	if (!ret)
		ret = emu_qm_dma_write(qm, at, cqe, body_len);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return ret ? ret : emu_qm_dma_write(qm, at + body_len, &cqe->phase, sizeof(cqe->phase));
}

/* Output, entry, completion, event, interrupt: in this order (9). */
static void complete(struct emu_qm *qm, struct emu_qm_pair *pair, const struct hisi_zip_sqe *sqe)
{
	const unsigned int queue = pair - qm->pair;
	struct emu_qm_ring *sq = &pair->sq, *cq = &pair->cq;
	struct hisi_qm_cqe cqe = { .sq_head = sq->head,
				   .sq_num = queue,
				   .phase = cq->phase ? HISI_QM_CQE_PHASE : 0 };

	if (write_completion(qm, sq, cq, sqe, &cqe)) {
		pair->is_hung = true;
		return;
	}
	++*emu_qm_reg(qm, REG_COUNT_BACK);
	++*emu_qm_reg(qm, REG_COUNT_DONE);
	++*emu_qm_reg(qm, REG_COUNT_CQE);
	sq->head = next_index(sq, sq->head);
	advance_tail(cq);
	cq_event(qm, queue);
}

/* True: the request has no result, now or ever. */
static bool is_lost(struct emu_qm *qm, struct emu_qm_pair *pair, const struct emu_fault *fault)
{
	switch (fault->kind) {
	case EMU_FAULT_HANG:
		pair->is_hung = true;
		return true;
	case EMU_FAULT_RESET:
		qm->pf->is_shut = true;
		emu_qm_error(qm, 0, ERROR_ZIP_ECC_2BIT);
		return true;
	case EMU_FAULT_GONE:
		emu_qm_unplug(qm);
		return true;
	default:
		return false;
	}
}

static void execute(struct emu_qm *qm, struct emu_qm_pair *pair, struct hisi_zip_sqe *sqe)
{
	const struct emu_fault *fault = pair->fault;
	const enum emu_fault_kind kind = fault ? fault->kind : EMU_FAULT_NONE;
	const struct emu_qm_tag tag = { emu_qm_pasid(qm, pair), pair - qm->pair, pair->is_final };

	if (kind == EMU_FAULT_ERROR || kind == EMU_FAULT_SHORT) {
		emu_zip_fail(sqe, kind == EMU_FAULT_SHORT ? HISI_ZIP_DST_FULL : fault->arg);
	} else if (emu_qm_execute_data(qm, &tag, pair->alg_type, sqe)) {
		pair->is_paged = true;
		return;
	}
	if (kind == EMU_FAULT_CHECKSUM)
		sqe->checksum ^= 0x00010000;
	if (kind == EMU_FAULT_CORRUPT)
		emu_qm_damage_data(qm, &tag, sqe);
	if (kind == EMU_FAULT_LIE)
		emu_lie_tell(emu_lie_of(fault, pair->nr), pair->nr, sqe);
}

static bool is_success(const struct hisi_zip_sqe *sqe)
{
	const uint32_t status = sqe->result & HISI_ZIP_RESULT_STATUS;

	return status == HISI_ZIP_OK || status == HISI_ZIP_NEGATIVE ||
	       status == HISI_ZIP_STREAM_END;
}

/* The request that was begun; where it waits for pages nothing has happened yet. */
static void finish(struct emu_qm *qm, struct emu_qm_pair *pair)
{
	struct hisi_zip_sqe sqe = pair->sqe;

	execute(qm, pair, &sqe);
	if (pair->is_paged)
		return;
	pair->is_begun = pair->is_final = false;
	count_core(qm, pair, &sqe, is_success(&sqe));
	complete(qm, pair, &sqe);
}

/* Takes the oldest request of the pair, which has one. True: it may be finished now. */
static bool begin(struct emu_qm *qm, struct emu_qm_pair *pair)
{
	const struct emu_fault *fault;

	if (emu_qm_dma_read(qm, pair->sq.base + (uint64_t)pair->sq.head * sizeof(pair->sqe),
			    &pair->sqe, sizeof(pair->sqe))) {
		pair->is_hung = true;
		return false;
	}
	++*emu_qm_reg(qm, REG_COUNT_SENT);
	qm->stats.requests++;
	pair->nr = ++qm->pf->executed;
	pair->fault = fault = emu_fault_request(&qm->opt.faults, pair->nr);
	qm->stats.faults += fault != NULL;
	if (fault && is_lost(qm, pair, fault))
		return false;
	pair->is_begun = true;
	if (!fault || fault->kind != EMU_FAULT_LATE)
		return true;
	/* Memory is left alone until then. */
	pair->held_until_ns = emu_qm_now_ns() + fault->arg * UINT64_C(1000000);
	return false;
}

static void run_one(struct emu_qm *qm, struct emu_qm_pair *pair)
{
	if (!pair->is_begun && !begin(qm, pair))
		return;
	pair->held_until_ns = 0;
	finish(qm, pair);
}

void emu_qm_page_response(struct emu_qm *qm, unsigned int queue, bool is_there)
{
	struct emu_qm_pair *pair = queue < qm->queues_max ? &qm->pair[queue] : NULL;

	if (!pair || !pair->is_paged)
		return;
	pair->is_paged = false;
	pair->is_final = !is_there;
}

/* Of two that emu_qm_run() may say: what comes first. */
static int sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int run(struct emu_qm *qm)
{
	uint64_t first_ns = UINT64_MAX, now = 0;
	int flight;

	emu_qm_mailbox_advance(qm);
	if (!emu_qm_is_master(qm))
		return -1;
	flight = emu_qm_run_flight(qm);
	for (unsigned int i = 0; i < qm->queues_nr; i++) {
		const unsigned int queue = (qm->next + i) % qm->queues_nr;
		struct emu_qm_pair *pair = &qm->pair[queue];

		if (!has_work(pair) || pair->is_paged)
			continue;
		if (pair->held_until_ns && !now)
			now = emu_qm_now_ns();
		if (pair->held_until_ns > now) {
			if (first_ns > pair->held_until_ns)
				first_ns = pair->held_until_ns;
			continue;
		}
		qm->next = queue + 1;
		run_one(qm, pair);
		return 0;
	}
	return sooner(flight, first_ns == UINT64_MAX ? -1 : (int)((first_ns - now) / 1000000 + 1));
}

int emu_qm_run(struct emu_qm *qm)
{
	int ret;

	qm->calls++;
	ret = run(qm);
	qm->calls--;
	return ret;
}

bool emu_qm_is_idle(const struct emu_qm_pair *pair)
{
	return !pair->is_hung && !has_work(pair);
}

bool emu_qm_drain(struct emu_qm *qm, struct emu_qm_pair *pair)
{
	while (has_work(pair) && !pair->is_paged && emu_qm_is_master(qm))
		run_one(qm, pair);
	return !pair->sq.is_loaded || pair->sq.head == pair->sq.tail;
}

/* Doorbells */

static void ring_sq(struct emu_qm_ring *sq, unsigned int index)
{
	if (!sq->is_loaded || index >= sq->depth)
		return;
	if (index < sq->tail)
		sq->is_wrapped = !sq->is_wrapped;
	sq->tail = index;
}

static void ring_cq(struct emu_qm *qm, unsigned int queue, unsigned int index,
		    unsigned int priority)
{
	struct emu_qm_ring *cq = &qm->pair[queue].cq;

	if (!cq->is_loaded || index >= cq->depth)
		return;
	cq->head = index;
	if (priority & 1)
		cq->is_armed = true;
	/* What was completed before the arming would never be told of (11). */
	cq_event(qm, queue);
}

static void ring_events(struct emu_qm *qm, struct emu_qm_ring *ring, unsigned int index)
{
	if (!ring->is_loaded || index >= ring->depth)
		return;
	ring->head = index;
	ring->is_armed = true;
	*emu_qm_reg(qm, ring == &qm->eq ? REG_EQ_SOURCE : REG_AEQ_SOURCE) = 0;
	event_interrupt(qm, ring);
}

static void doorbell_error(struct emu_qm *qm, uint32_t bits)
{
	if (qm->opt.strict)
		emu_qm_error(qm, bits, 0);
}

/* The ring that a doorbell is for, from memory if need be; NULL: there is none. */
static struct emu_qm_ring *find_ring(struct emu_qm *qm, unsigned int command, unsigned int queue)
{
	const bool is_sq = command == DB_SQ;
	struct emu_qm_pair *pair;
	struct emu_qm_ring *ring;

	if (queue >= qm->queues_nr) {
		doorbell_error(qm, is_sq ? ERROR_SQ_INVALID : ERROR_CQ_INVALID);
		return NULL;
	}
	pair = &qm->pair[queue];
	ring = is_sq ? &pair->sq : &pair->cq;
	if (ring->is_loaded)
		return ring;
	if (!qm->opt.strict || pair->is_stopping)
		return NULL;
	if (!emu_qm_is_open(qm)) {
		*emu_qm_reg(qm, REG_DB_INFO) = qm->number | command << 6 | queue << 16;
		doorbell_error(qm, ERROR_DB_TIMEOUT);
		return NULL;
	}
	emu_qm_context_fetch(qm, queue);
	if (ring->is_loaded)
		return ring;
	doorbell_error(qm, is_sq ? ERROR_SQ_INVALID : ERROR_CQ_INVALID);
	return NULL;
}

void emu_qm_doorbell(struct emu_qm *qm, unsigned int command, unsigned int queue,
		     unsigned int random, unsigned int index, unsigned int priority)
{
	struct emu_qm_ring *ring;

	if (command == DB_EQ || command == DB_AEQ) {
		ring_events(qm, command == DB_EQ ? &qm->eq : &qm->aeq, index);
		return;
	}
	if (command > DB_CQ)
		return;
	ring = find_ring(qm, command, queue);
	if (!ring)
		return;
	/* Of a user whose queue was taken away: 8.4. Version 1 has the depth in this place. */
	if (qm->opt.qm > 1 && random != ring->context.random) {
		doorbell_error(qm, ERROR_DB_RANDOM);
		return;
	}
	if (command == DB_CQ)
		ring_cq(qm, queue, index, priority);
	else if (!qm->pair[queue].is_stopping)
		ring_sq(ring, index);
}

void emu_qm_drop_pairs(struct emu_qm *qm)
{
	for (unsigned int i = 0; i < qm->queues_max; i++)
		emu_qm_orphan(qm, &qm->pair[i]);
	memset(qm->pair, 0, qm->queues_max * sizeof(*qm->pair));
	qm->next = 0;
}
