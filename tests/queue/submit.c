/* SPDX-License-Identifier: Zlib */
/*
 * submit NUMBER [BATCH]: sends and receives so many requests, so many at once, on a queue without a
 * device: this program writes the completions. For submit.sh, which counts instructions of wd_send() and wd_recv().
 */
#include <stdlib.h>
#include <wd/hisi_zip.h>
#include "drv/hisi_qm.h"
#include "priv.h"
#include "wd_zip.h"

#define DEPTH 64

static _Alignas(64) uint8_t mem[2 * DEPTH * (HISI_QM_SQE_SIZE + sizeof(struct hisi_qm_cqe)) + 16384];
static _Alignas(64) uint8_t mmio[HISI_QM_DB_OFFSET_V2 + 64];

/* What the device would do: the oldest nr requests are finished. */
static void complete(const struct hisi_qm *qm, unsigned int nr)
{
	unsigned int head = qm->head, phase = qm->phase;

	while (nr--) {
		struct hisi_qm_cqe *cqe = (struct hisi_qm_cqe *)qm->cq + head;

		cqe->sq_head = (uint16_t)head;
		cqe->phase = (uint16_t)phase;
		if (++head == qm->depth) {
			head = 0;
			phase ^= HISI_QM_CQE_PHASE;
		}
	}
}

int main(int argc, char **argv)
{
	static uint8_t src[65536], dst[65536];
	static struct wd_transport transport;
	struct wd_range range = { .flags = WD_SHARE_ALL };
	struct wd_dev dev = {
		.transport = &transport, .lock = PTHREAD_MUTEX_INITIALIZER, .ranges = &range,
		.ranges_nr = 1,
	};
	struct wd_slot slots[DEPTH];
	struct wd_queue q = {
		.op_type = WD_OP_COMPRESS, .sqe_type = HISI_ZIP_SQE_TYPE3, .dev = &dev,
		.formats = 1u << WD_ZIP_ZLIB, .slots = slots, .transport = &transport,
	};
	unsigned int nr = argc > 1 ? (unsigned int)atoi(argv[1]) : 1;
	unsigned int batch = argc > 2 ? (unsigned int)atoi(argv[2]) : 1;
	struct wd_zip_req req[DEPTH / 2];
	struct wd_zip_res res[DEPTH / 2];

	if (batch > DEPTH / 2 ||
	    hisi_qm_init(&q.qm, 3, 0, DEPTH, 0, mmio, sizeof(mmio), mem, sizeof(mem)))
		return 99;
	for (unsigned int i = 0; i < nr; i += batch) {
		for (unsigned int k = 0; k < batch; k++)
			req[k] = (struct wd_zip_req){
				.tag = i + k, .src = src, .dst = dst, .src_len = sizeof(src),
				.dst_len = sizeof(dst), .format = WD_ZIP_ZLIB,
			};
		if (wd_send(&q, req, batch) != (int)batch)
			return 99;
		complete(&q.qm, batch);
		if (wd_recv(&q, res, batch) != (int)batch || res[batch - 1].tag != i + batch - 1)
			return 99;
	}
	return 0;
}
