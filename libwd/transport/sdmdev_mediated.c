/* SPDX-License-Identifier: Zlib */
/* Queues of sdmdev where the kernel stands between: it is told what the rings of our own hold. */
#include "config.h"
#include <errno.h>
#include "drv/hisi_qm.h"
#include "transport/sdmdev.h"
#include "transport/sys.h"

static void break_queue(struct sdmdev_tq *tq)
{
	sdmdev_stop_word(tq->tx_stop);
	sdmdev_stop_word(tq->rx_stop);
}

/* Entries from first up to the end of the ring, or to last before it. */
static unsigned int stretch(const struct sdmdev_tq *tq, unsigned int first, unsigned int last)
{
	return (last < first ? tq->depth : last) - first;
}

static unsigned int step(const struct sdmdev_tq *tq, unsigned int index, unsigned int nr)
{
	return index + nr == tq->depth ? 0 : index + nr;
}

/* 1: went on; 0: not now; or -errno. Files of another kind refuse these. */
static int transfer(struct sdmdev_tq *tq, unsigned long cmd, unsigned int index, unsigned int nr)
{
	struct sdmdev_submit arg = {
		.argsz = sizeof(arg),
		.ptr = (uintptr_t)(tq->mem + HISI_QM_SQ_OFFSET + (size_t)index * HISI_QM_SQE_SIZE),
		.count = nr,
	};
	int r = wd_sys->ioctl(wd_file_number(&tq->file), cmd, &arg);

	if (r > 0 && (unsigned int)r <= nr)
		return r;
	return r == -EAGAIN || r == -EINTR ? 0 : -EIO;
}

/* What the kernel has no room for now waits for the next reap. An entry it refuses ends the queue. */
static void hand_on(struct sdmdev_tq *tq)
{
	while (tq->submitted != tq->tail) {
		int r = transfer(tq, SDMDEV_CMD_SUBMIT, tq->submitted,
				 stretch(tq, tq->submitted, tq->tail));

		if (r < 0)
			break_queue(tq);
		if (r <= 0)
			return;
		tq->submitted = step(tq, tq->submitted, r);
	}
}

void sdmdev_submit(void *queue, uint64_t value)
{
	const uint64_t index = (uint64_t)0xffff << HISI_QM_DB_INDEX_SHIFT;
	struct sdmdev_tq *tq = queue;

	if ((value & ~index) != tq->sq_doorbell)
		return; /* the kernel knows what was reaped */
	tq->tail = value >> HISI_QM_DB_INDEX_SHIFT & 0xffff;
	hand_on(tq);
}

int sdmdev_reap(void *queue)
{
	struct sdmdev_tq *tq = queue;
	struct hisi_qm_cqe *cq = (void *)(tq->mem + HISI_QM_CQ_OFFSET(tq->depth));
	int r;

	hand_on(tq);
	if (tq->reaped == tq->submitted)
		return 0;
	r = transfer(tq, SDMDEV_CMD_REAP, tq->reaped, stretch(tq, tq->reaped, tq->submitted));
	if (r < 0)
		break_queue(tq);
	for (int i = 0; i < r; i++) {
		cq[tq->reaped].sq_head = tq->reaped;
		cq[tq->reaped].sq_num = tq->number;
		__atomic_store_n(&cq[tq->reaped].phase, tq->phase, __ATOMIC_RELEASE);
		tq->reaped = step(tq, tq->reaped, 1);
		if (!tq->reaped)
			tq->phase ^= HISI_QM_CQE_PHASE;
	}
	return r > 0;
}
