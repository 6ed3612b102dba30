// SPDX-License-Identifier: Zlib
/* Contexts: loaded by mailbox commands, dumped by them (hardware reference, 8). */
#include "emu_qm_priv.h"

#include <errno.h>

_Static_assert(sizeof(struct emu_qm_context) == 32, "as the hardware has it");

/* The depth of a ring whose entries are 1 << entry_shift bytes; 0: the context is impossible. */
static uint32_t context_depth(const struct emu_qm *qm, const struct emu_qm_context *c,
			      unsigned int entry_shift)
{
	uint32_t depth;

	if (qm->opt.qm == 1)
		depth = c->random + 1;
	else
		depth = (c->size & 0xfff) + 1;
	return c->size >> 12 == entry_shift && depth > 1 ? depth : 0;
}

static int load(struct emu_qm_ring *ring, const struct emu_qm_context *context, uint32_t depth)
{
	if (!depth)
		return -EINVAL;
	*ring = (struct emu_qm_ring){
		.context = *context,
		.base = emu_addr(context->base_l, context->base_h),
		.depth = depth,
		.is_loaded = true,
	};
	return 0;
}

static int load_sq(struct emu_qm *qm, struct emu_qm_pair *pair, const struct emu_qm_context *c)
{
	const uint32_t depth = context_depth(qm, c, 7);
	int ret;

	if (depth)
		emu_qm_orphan(qm, pair);
	ret = load(&pair->sq, c, depth);
	if (ret)
		return ret;
	pair->alg_type = c->mode >> CONTEXT_SQ_TYPE_SHIFT & 0xf;
	pair->is_hung = false;
	pair->is_stopping = false;
	return 0;
}

static int load_cq(struct emu_qm *qm, struct emu_qm_pair *pair, const struct emu_qm_context *c)
{
	int ret = load(&pair->cq, c, context_depth(qm, c, 4));

	if (ret)
		return ret;
	pair->cq.phase = c->mode & CONTEXT_CQ_PHASE;
	pair->cq.is_armed = c->mode & CONTEXT_CQ_ARMED;
	return 0;
}

static int load_events(struct emu_qm_ring *ring, const struct emu_qm_context *c)
{
	const uint32_t depth = (c->mode & 0xffff) + 1;
	int ret = load(ring, c, depth > 1 ? depth : 0);

	if (ret)
		return ret;
	ring->phase = c->mode & CONTEXT_EQ_PHASE;
	ring->is_armed = true;
	return 0;
}

/* The context as it is now. */
static struct emu_qm_context dump(const struct emu_qm_ring *ring)
{
	struct emu_qm_context c = ring->context;

	c.head = ring->head;
	c.tail = ring->tail;
	c.flags &= ~CONTEXT_TAIL_WRAPPED;
	if (ring->is_wrapped)
		c.flags |= CONTEXT_TAIL_WRAPPED;
	return c;
}

static struct emu_qm_context dump_cq(const struct emu_qm_ring *ring)
{
	struct emu_qm_context c = dump(ring);

	c.mode &= ~(CONTEXT_CQ_PHASE | CONTEXT_CQ_ARMED);
	c.mode |= (ring->phase ? CONTEXT_CQ_PHASE : 0) | (ring->is_armed ? CONTEXT_CQ_ARMED : 0);
	return c;
}

static struct emu_qm_context dump_events(const struct emu_qm_ring *ring)
{
	struct emu_qm_context c = dump(ring);

	c.mode &= ~CONTEXT_EQ_PHASE;
	c.mode |= ring->phase ? CONTEXT_EQ_PHASE : 0;
	return c;
}

int emu_qm_context_command(struct emu_qm *qm, unsigned int command, bool is_read,
			   unsigned int queue, uint64_t base)
{
	const bool is_pair = command == MB_SQC || command == MB_CQC;
	struct emu_qm_context c;
	struct emu_qm_pair *pair;

	if (is_pair && queue >= qm->queues_nr)
		return -EINVAL;
	pair = is_pair ? &qm->pair[queue] : NULL;
	if (!is_read) {
		int ret = emu_qm_dma_read(qm, base, &c, sizeof(c));

		if (ret)
			return ret;
	}
	switch (command) {
	case MB_SQC:
		if (!is_read)
			return load_sq(qm, pair, &c);
		c = dump(&pair->sq);
		break;
	case MB_CQC:
		if (!is_read)
			return load_cq(qm, pair, &c);
		c = dump_cq(&pair->cq);
		break;
	default:
		if (!is_read)
			return load_events(command == MB_EQC ? &qm->eq : &qm->aeq, &c);
		c = dump_events(command == MB_EQC ? &qm->eq : &qm->aeq);
	}
	return emu_qm_dma_write(qm, base, &c, sizeof(c));
}

/* Goes on where it was when it was written back. */
static void resume(struct emu_qm_ring *ring, const struct emu_qm_context *c)
{
	ring->head = c->head % ring->depth;
	ring->tail = c->tail % ring->depth;
	ring->is_wrapped = c->flags & CONTEXT_TAIL_WRAPPED;
}

void emu_qm_context_fetch(struct emu_qm *qm, unsigned int queue)
{
	struct emu_qm_pair *pair = &qm->pair[queue];
	struct emu_qm_context c;
	const uint64_t off = queue * sizeof(c);

	if (!pair->sq.is_loaded && qm->sqc_table &&
	    !emu_qm_dma_read(qm, qm->sqc_table + off, &c, sizeof(c)) &&
	    !(c.mode & CONTEXT_SQ_DISABLED) && !load_sq(qm, pair, &c))
		resume(&pair->sq, &c);
	if (!pair->cq.is_loaded && qm->cqc_table &&
	    !emu_qm_dma_read(qm, qm->cqc_table + off, &c, sizeof(c)) && !load_cq(qm, pair, &c))
		resume(&pair->cq, &c);
}

void emu_qm_write_back(struct emu_qm *qm)
{
	for (unsigned int i = 0; i < qm->queues_max; i++) {
		struct emu_qm_pair *pair = &qm->pair[i];
		struct emu_qm_context c;

		if (qm->sqc_table && pair->sq.is_loaded) {
			c = dump(&pair->sq);
			emu_qm_dma_write(qm, qm->sqc_table + i * sizeof(c), &c, sizeof(c));
		}
		if (qm->cqc_table && pair->cq.is_loaded) {
			c = dump_cq(&pair->cq);
			emu_qm_dma_write(qm, qm->cqc_table + i * sizeof(c), &c, sizeof(c));
		}
	}
}
