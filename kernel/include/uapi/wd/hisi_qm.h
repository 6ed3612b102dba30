/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR BSD-2-Clause */
/* The queue memory, doorbells and completion entries of the HiSilicon queue manager. */
#ifndef _UAPI_WD_HISI_QM_H
#define _UAPI_WD_HISI_QM_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Everything a device reads or writes is little-endian; so are the hosts it is built into. */

/* What a queue manager of each hardware version calls itself towards user space. */
#define HISI_QM_API_V1 "hisi_qm_v1"
#define HISI_QM_API_V2 "hisi_qm_v2"
#define HISI_QM_API_V3 "hisi_qm_v3"

#define HISI_QM_SQE_SIZE 128
#define HISI_QM_DEFAULT_DEPTH 1024
#define HISI_QM_MAX_DEPTH 32768

/*
 * One queue pair's memory: the submission ring, behind it the completion ring, and two status
 * words that end the last page of the region.
 */
#define HISI_QM_SQ_OFFSET 0
#define HISI_QM_CQ_OFFSET(depth) ((__u64)(depth) * HISI_QM_SQE_SIZE)
/* Counted back from the end of the region: 32-bit words the kernel sets to 1. */
#define HISI_QM_TX_STOP_FROM_END 4 /* no more doorbells */
#define HISI_QM_RX_STOP_FROM_END 8 /* no more completions */

struct hisi_qm_cqe {
	__u32 reserved0;
	__u16 cmd_id;
	__u16 reserved1;
	__u16 sq_head; /* slot of the finished submission entry */
	__u16 sq_num;
	__u16 reserved2;
	__u16 phase; /* bit 0: phase; 15:1 status, 0 */
};

#define HISI_QM_CQE_PHASE 0x1

/* Doorbells are single 64-bit stores into the MMIO region. */
#define HISI_QM_DB_OFFSET_V1 0x340
#define HISI_QM_DB_OFFSET_V2 0x1000 /* and later */

#define HISI_QM_DB_CMD_SQ 0 /* index = new tail */
#define HISI_QM_DB_CMD_CQ 1 /* index = new head; priority bit 0 arms the event */

#define HISI_QM_DB_V1_QN_SHIFT 0
#define HISI_QM_DB_V1_CMD_SHIFT 16
#define HISI_QM_DB_V2_QN_SHIFT 0
#define HISI_QM_DB_V2_QN_MASK 0x3ff
#define HISI_QM_DB_V2_CMD_SHIFT 12
#define HISI_QM_DB_V2_RAND_SHIFT 16
#define HISI_QM_DB_INDEX_SHIFT 32
#define HISI_QM_DB_PRIO_SHIFT 48

/* Before START: what the queue is for. Numbers and layout as mainline's uacce users know them. */
struct hisi_qp_ctx {
	__u16 id;      /* out: the queue's number */
	__u16 qc_type; /* in: HISI_ZIP_QUEUE_* */
};
#define HISI_QM_CMD_SET_QP_CTX _IOWR('H', 10, struct hisi_qp_ctx)

struct hisi_qp_info {
	__u32 sqe_size; /* out */
	__u16 sq_depth; /* out */
	__u16 cq_depth; /* out */
	__u64 reserved;
};
#define HISI_QM_CMD_SET_QP_INFO _IOWR('H', 11, struct hisi_qp_info)

#endif
