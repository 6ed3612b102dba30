/* SPDX-License-Identifier: GPL-2.0-only */
/* Contexts, mailbox words, queue tables and doorbells of the queue manager as numbers: no I/O. */
#ifndef WD_QM_PACK_H
#define WD_QM_PACK_H

/* Builds in user space too, for tests/unit. Chapters are those of the hardware reference. */
#include <linux/types.h>
#ifndef __KERNEL__
#include <stdbool.h>
#endif
#include <wd/hisi_qm.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the device's structures are used as they lie in memory"
#endif

/* Versions as sdmdev and user space count them; 3 stands for all later ones (chapter 1.1). */
enum wd_qm_version {
	WD_QM_V1 = 1,
	WD_QM_V2,
	WD_QM_V3,
};

#define WD_QM_CTX_LEN 32
#define WD_QM_PHASE 0x1

/* Chapter 8.1 */
struct wd_qm_sqc {
	__u16 head;
	__u16 tail;
	__u32 base_l;
	__u32 base_h;
	__u32 geometry; /* V1: sizes; later: depth - 1, log2 of the entry's length from bit 12 */
	__u16 rand;	/* V1: depth - 1; later: what doorbells must carry */
	__u16 reserved0;
	__u16 pasid;
	__u16 flags; /* WD_QM_SQC_* */
	__u16 cq_number;
	__u16 type; /* 11:8 algorithm, bit 4 in order, bit 6 disabled */
	__u32 reserved1;
};

#define WD_QM_SQC_PASID (1u << 7)
#define WD_QM_TAIL_WRAP (1u << 6) /* flags of a dumped SQC or CQC */
#define WD_QM_SQC_IN_ORDER (1u << 4)
#define WD_QM_SQC_DISABLED (1u << 6)
#define WD_QM_SQC_TYPE_SHIFT 8
#define WD_QM_SQE_SHIFT 7 /* 128 bytes */
#define WD_QM_CQE_SHIFT 4 /* 16 bytes */
#define WD_QM_GEOMETRY_SHIFT 12
#define WD_QM_RAND_DEAD 0xaaaa

/* Chapter 8.2 */
struct wd_qm_cqc {
	__u16 head;
	__u16 tail;
	__u32 base_l;
	__u32 base_h;
	__u32 geometry;
	__u16 rand;
	__u16 reserved0;
	__u16 pasid;
	__u16 flags; /* bit 0 has a PASID: not the bit of an SQC */
	__u32 state; /* WD_QM_CQC_* */
	__u32 reserved1;
};

#define WD_QM_CQC_PASID (1u << 0)
#define WD_QM_CQC_PHASE (1u << 0)
#define WD_QM_CQC_ARMED (1u << 1)

/* Chapter 8.3, of both event queues */
struct wd_qm_eqc {
	__u16 head;
	__u16 tail;
	__u32 base_l;
	__u32 base_h;
	__u32 geometry; /* V1's EQ: log2 of the element's length from bit 12 */
	__u32 reserved0[2];
	__u32 state; /* depth - 1, bit 16 phase */
	__u32 reserved1;
};

#define WD_QM_EQC_PHASE (1u << 16)
#define WD_QM_EQE_SHIFT 2

_Static_assert(sizeof(struct wd_qm_sqc) == WD_QM_CTX_LEN, "context");
_Static_assert(sizeof(struct wd_qm_cqc) == WD_QM_CTX_LEN, "context");
_Static_assert(sizeof(struct wd_qm_eqc) == WD_QM_CTX_LEN, "context");
_Static_assert(sizeof(struct hisi_qm_cqe) == 1 << WD_QM_CQE_SHIFT, "completion entry");
_Static_assert(HISI_QM_SQE_SIZE == 1 << WD_QM_SQE_SHIFT, "submission entry");

/* Chapter 9: EQE and AEQE */
#define WD_QM_EVENT_NUMBER 0xffffu
#define WD_QM_EVENT_PHASE (1u << 16)
#define WD_QM_EVENT_TYPE_SHIFT 17 /* AEQE */
#define WD_QM_EVENT_TYPE 0xfu

enum wd_qm_aeqe_type {
	WD_QM_AEQE_CQ_OVERFLOW,
	WD_QM_AEQE_EQ_OVERFLOW,
	WD_QM_AEQE_CQE_ERROR,
};

/* Chapter 6 */
enum wd_qm_mbox_cmd {
	WD_QM_MBOX_SQC,
	WD_QM_MBOX_CQC,
	WD_QM_MBOX_EQC,
	WD_QM_MBOX_AEQC,
	WD_QM_MBOX_SQC_BT,
	WD_QM_MBOX_CQC_BT,
	WD_QM_MBOX_VFT,
	WD_QM_MBOX_STOP_QP = 0x8,
	WD_QM_MBOX_FLUSH_QM,
};

#define WD_QM_MBOX_STATUS 0x1e00u
#define WD_QM_MBOX_BUSY (1u << 13)
#define WD_QM_MBOX_READ (1u << 14)

static inline __u32 wd_qm_mbox_word(enum wd_qm_mbox_cmd cmd, __u16 number, bool is_read)
{
	return (__u32)cmd | WD_QM_MBOX_BUSY | (is_read ? WD_QM_MBOX_READ : 0) |
	       (__u32)number << 16;
}

/* A queue pair as its contexts describe it. */
struct wd_qm_pair {
	enum wd_qm_version version;
	__u16 number;
	__u16 depth;
	__u16 type; /* algorithm type: HISI_ZIP_QUEUE_* */
	bool has_pasid;
	__u16 pasid;
	__u64 sq_dma;
	__u64 cq_dma;
};

static inline struct wd_qm_sqc wd_qm_sqc_pack(const struct wd_qm_pair *pair)
{
	__u32 geometry = WD_QM_SQE_SHIFT << WD_QM_GEOMETRY_SHIFT;
	bool has_pasid = pair->has_pasid && pair->version >= WD_QM_V3;

	return (struct wd_qm_sqc){
		.base_l = (__u32)pair->sq_dma,
		.base_h = (__u32)(pair->sq_dma >> 32),
		.geometry = pair->version == WD_QM_V1 ? geometry : geometry | (pair->depth - 1u),
		.rand = pair->version == WD_QM_V1 ? (__u16)(pair->depth - 1u) : 0,
		.pasid = pair->has_pasid ? pair->pasid : 0,
		.flags = has_pasid ? WD_QM_SQC_PASID : 0,
		.cq_number = pair->number,
		.type = (__u16)(WD_QM_SQC_IN_ORDER | pair->type << WD_QM_SQC_TYPE_SHIFT),
	};
}

static inline struct wd_qm_cqc wd_qm_cqc_pack(const struct wd_qm_pair *pair)
{
	__u32 geometry = WD_QM_CQE_SHIFT << WD_QM_GEOMETRY_SHIFT;
	bool has_pasid = pair->has_pasid && pair->version >= WD_QM_V3;

	return (struct wd_qm_cqc){
		.base_l = (__u32)pair->cq_dma,
		.base_h = (__u32)(pair->cq_dma >> 32),
		.geometry = pair->version == WD_QM_V1 ? geometry : geometry | (pair->depth - 1u),
		.rand = pair->version == WD_QM_V1 ? (__u16)(pair->depth - 1u) : 0,
		.pasid = pair->has_pasid ? pair->pasid : 0,
		.flags = has_pasid ? WD_QM_CQC_PASID : 0,
		.state = WD_QM_CQC_PHASE | WD_QM_CQC_ARMED,
	};
}

/*
 * A drained queue of V1 or V2 cannot be stopped, and every process with the doorbell page can ring
 * it. Parked, it is disabled and has a value that doorbells do not carry (chapter 8.4). Whoever
 * rings with that value has one empty entry executed: the rings are a page that is the function's
 * for good.
 */
#define WD_QM_PARK_DEPTH 2
#define WD_QM_PARK_CQ_OFFSET 0x800

static inline struct wd_qm_sqc wd_qm_sqc_park(enum wd_qm_version version, __u16 number, __u64 dma)
{
	struct wd_qm_sqc sqc = wd_qm_sqc_pack(&(struct wd_qm_pair){
		.version = version,
		.number = number,
		.depth = WD_QM_PARK_DEPTH,
		.sq_dma = dma,
	});

	if (version != WD_QM_V1) {
		sqc.rand = WD_QM_RAND_DEAD;
		sqc.type = WD_QM_SQC_DISABLED;
	}
	return sqc;
}

static inline struct wd_qm_cqc wd_qm_cqc_park(enum wd_qm_version version, __u16 number, __u64 dma)
{
	struct wd_qm_cqc cqc = wd_qm_cqc_pack(&(struct wd_qm_pair){
		.version = version,
		.number = number,
		.depth = WD_QM_PARK_DEPTH,
		.cq_dma = dma + WD_QM_PARK_CQ_OFFSET,
	});

	if (version != WD_QM_V1)
		cqc.rand = WD_QM_RAND_DEAD;
	cqc.state &= ~WD_QM_CQC_ARMED;
	return cqc;
}

/* What lies in the tables of contexts while nothing runs: no doorbell carries that value (8.4). */
static inline struct wd_qm_sqc wd_qm_sqc_dead(void)
{
	return (struct wd_qm_sqc){ .rand = WD_QM_RAND_DEAD, .type = WD_QM_SQC_DISABLED };
}

static inline struct wd_qm_cqc wd_qm_cqc_dead(void)
{
	return (struct wd_qm_cqc){ .rand = WD_QM_RAND_DEAD };
}

/* elem_shift: log2 of the element's length where the context tells it, else 0. */
static inline struct wd_qm_eqc wd_qm_eqc_pack(__u64 dma, __u32 depth, __u32 elem_shift)
{
	return (struct wd_qm_eqc){
		.base_l = (__u32)dma,
		.base_h = (__u32)(dma >> 32),
		.geometry = elem_shift << WD_QM_GEOMETRY_SHIFT,
		.state = ((depth - 1) & 0xffff) | WD_QM_EQC_PHASE,
	};
}

/* Chapter 12.3: what a dumped tail counts, modulo 2 * depth: a flag toggles as it wraps. */
static inline __u32 wd_qm_count_of(__u16 tail, __u16 flags, __u32 depth)
{
	return (tail & (depth - 1)) + (flags & WD_QM_TAIL_WRAP ? depth : 0);
}

/* Chapter 7 */
enum wd_qm_vft_type {
	WD_QM_VFT_SQC,
	WD_QM_VFT_CQC,
};

static inline __u64 wd_qm_vft_entry(enum wd_qm_version version, enum wd_qm_vft_type type,
				    __u32 base, __u32 nr)
{
	const __u64 v1 = 7 << 8 | 5 << 12 | 1 << 16;

	if (!nr)
		return 0;
	if (type == WD_QM_VFT_CQC)
		return (version == WD_QM_V1 ? v1 : 0) | (__u64)1 << 28;
	if (version == WD_QM_V1)
		return v1 | (__u64)base << 28 | (__u64)1 << 44;
	return (__u64)(base & 0xffff) << 28 | (__u64)1 << 44 | (__u64)((nr - 1) & 0x3ff) << 45;
}

static inline void wd_qm_vft_parse(__u64 entry, __u32 *base, __u32 *nr)
{
	*base = entry >> 28 & 0xffff;
	*nr = (entry >> 45 & 0x3ff) + 1;
}

struct wd_qm_range {
	__u32 base;
	__u32 nr;
};

/*
 * The queues of VF vf (1..vf_nr): the highest VF comes first behind the PF and takes the rest of
 * the division, unless that is more than max, then the rest goes one to each.
 */
static inline struct wd_qm_range wd_qm_vf_range(__u32 total, __u32 pf_nr, __u32 max, __u32 vf_nr,
						__u32 vf)
{
	__u32 per = (total - pf_nr) / vf_nr, rest = (total - pf_nr) % vf_nr;
	__u32 before = vf_nr - vf; /* VFs that are served earlier */
	struct wd_qm_range range;

	if (per + rest <= max) {
		range.base = pf_nr + before * per + (before ? rest : 0);
		range.nr = per + (before ? 0 : rest);
	} else {
		range.base = pf_nr + before * per + (before < rest ? before : rest);
		range.nr = per + (before < rest ? 1 : 0);
	}
	if (range.nr > max)
		range.nr = max;
	return range;
}

/* Chapter 10; commands 0 and 1 are HISI_QM_DB_CMD_* of the queue memory's interface */
#define WD_QM_DB_CMD_EQ 2
#define WD_QM_DB_CMD_AEQ 3

static inline __u64 wd_qm_doorbell(enum wd_qm_version version, __u16 number, __u16 cmd, __u16 index,
				   __u16 priority)
{
	__u64 low = version == WD_QM_V1 ?
			    (__u64)number | (__u64)cmd << HISI_QM_DB_V1_CMD_SHIFT :
			    (__u64)(number & 0xfff) | (__u64)cmd << HISI_QM_DB_V2_CMD_SHIFT;

	return low | (__u64)index << HISI_QM_DB_INDEX_SHIFT |
	       (__u64)priority << HISI_QM_DB_PRIO_SHIFT;
}

#endif
