/* SPDX-License-Identifier: Zlib */
/* Layout of a queue pair's memory and the values of its doorbells. */
#include <errno.h>
#include "hisi_qm.h"

_Static_assert(sizeof(struct hisi_qm_cqe) == 16, "completion entry");
_Static_assert(offsetof(struct hisi_qm_cqe, sq_head) == 8, "completion entry");
_Static_assert(offsetof(struct hisi_qm_cqe, phase) == 14, "completion entry");

size_t hisi_qm_mem_len(unsigned int depth, size_t page_len)
{
	size_t rings_len = HISI_QM_CQ_OFFSET(depth) + (size_t)depth * sizeof(struct hisi_qm_cqe);

	return (rings_len + page_len - 1) / page_len * page_len + page_len;
}

uint64_t hisi_qm_doorbell(unsigned int version, unsigned int number, unsigned int cmd,
			  unsigned int index, unsigned int priority)
{
	uint64_t low;

	if (version == 1)
		low = (uint64_t)number << HISI_QM_DB_V1_QN_SHIFT | cmd << HISI_QM_DB_V1_CMD_SHIFT;
	else
		low = (uint64_t)(number & HISI_QM_DB_V2_QN_MASK) << HISI_QM_DB_V2_QN_SHIFT |
		      cmd << HISI_QM_DB_V2_CMD_SHIFT;
	return low | (uint64_t)index << HISI_QM_DB_INDEX_SHIFT |
	       (uint64_t)priority << HISI_QM_DB_PRIO_SHIFT;
}

int hisi_qm_init(struct hisi_qm *qm, unsigned int version, unsigned int number, unsigned int depth,
		 unsigned int limit, void *mmio, size_t mmio_len, void *mem, size_t mem_len)
{
	size_t db_off = version == 1 ? HISI_QM_DB_OFFSET_V1 : HISI_QM_DB_OFFSET_V2;
	uint8_t *end = (uint8_t *)mem + mem_len;

	if (mmio_len && mmio_len <= db_off)
		db_off %= mmio_len;

	if (depth < 2 || depth > HISI_QM_MAX_DEPTH || mem_len < hisi_qm_mem_len(depth, 1) + 7 ||
	    mmio_len < db_off + sizeof(uint64_t))
		return -EINVAL;
	*qm = (struct hisi_qm){
		.sq = (uint8_t *)mem + HISI_QM_SQ_OFFSET,
		.cq = (void *)((uint8_t *)mem + HISI_QM_CQ_OFFSET(depth)),
		.doorbell = (void *)((uint8_t *)mmio + db_off),
		.tx_stop = (void *)(end - HISI_QM_TX_STOP_FROM_END),
		.rx_stop = (void *)(end - HISI_QM_RX_STOP_FROM_END),
		.sq_doorbell = hisi_qm_doorbell(version, number, HISI_QM_DB_CMD_SQ, 0, 0),
		.cq_doorbell = hisi_qm_doorbell(version, number, HISI_QM_DB_CMD_CQ, 0, 0),
		.depth = depth,
		.phase = HISI_QM_CQE_PHASE,
		.limit = limit && limit < depth ? limit : depth - 1,
	};
	return 0;
}

void hisi_qm_stop(struct hisi_qm *qm)
{
	static const uint32_t stopped = 1;

	qm->tx_stop = &stopped;
	qm->rx_stop = &stopped;
}
