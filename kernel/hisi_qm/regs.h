/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of the queue manager in BAR2. */
#ifndef WD_QM_REGS_H
#define WD_QM_REGS_H

/* Chapters are those of the hardware reference. */

#define QM_BAR 2
#define QM_DB_BAR 4	       /* doorbells by queue, where they are isolated (chapter 3.1) */
#define QM_DB_INTERVAL 0x10000
#define QM_VF_BAR_LEN 0x10000  /* a VF has the function-level registers alone */
#define QM_PF_BAR_LEN 0x400000

/* Chapter 1.1 */
#define QM_REVISION_V1 0x20
#define QM_REVISION_V2 0x21
#define QM_REVISION_V3 0x30

/* The hardware takes at most 1 ms, a model's host may be busy. */
#define QM_REG_TIMEOUT_US 100000

/* Of each function, chapter 4.1 */
#define QM_AEQ_INT_MASK 0x0004
#define QM_EQ_INT_MASK 0x000c
#define QM_IFC_INT_MASK 0x0024
#define QM_ISOLATION 0x0030
#define QM_ISOLATION_ON 0x1
#define QM_PAGE_SIZE 0x0034
#define QM_VF_STATE 0x0060
#define QM_VF_NOT_READY 0x1
#define QM_CACHE_WB_START 0x0204
#define QM_CACHE_WB_DONE 0x0208
#define QM_MBOX 0x0300
#define QM_DB_V1 0x0340
#define QM_DB_SQ_CQ 0x1000
#define QM_DB_EQ_AEQ 0x2000

/* Chapter 5 */
#define QM_CAP_FLAGS 0x3100
#define QM_CAP_VERSION 0xff
#define QM_CAP_HAS_STOP_QP (1u << 9)
#define QM_CAP_HAS_STOP_FUNC (1u << 10)
#define QM_CAP_HAS_PREFETCH (1u << 14)
#define QM_CAP_EQ_DEPTH 0x3104 /* 15:0 EQ, 31:16 AEQ */
#define QM_CAP_IRQ_EQ 0x310c   /* 15:0 vector, 31:16 type, 0 means absent */
#define QM_CAP_IRQ_AEQ 0x3110
#define QM_CAP_IRQ_ABNORMAL 0x3114
#define QM_CAP_VECTORS 0x311c /* 31:16 PF, 15:0 VF */
#define QM_CAP_NFE 0x3124
#define QM_CAP_RESET 0x3128
#define QM_CAP_CE 0x312c
#define QM_CAPABILITY 0x100158
#define QM_TOTAL_QPS 0x7ff
#define QM_FUNC_QPS_SHIFT 11

/* Of the PF alone, chapter 4.2 */
#define QM_GLOBAL 0x100000
#define QM_ERR_SOURCE 0x100000
#define QM_ERR_MASK 0x100004
#define QM_ERR_STATUS 0x100008
#define QM_ERR_SET 0x10000c
#define QM_MEM_START 0x100040
#define QM_MEM_DONE 0x100044
#define QM_VFT_OP_ENABLE 0x100054
#define QM_VFT_OP_READ 0x100058
#define QM_VFT_TYPE 0x10005c
#define QM_VFT_FUNCTION 0x100060
#define QM_VFT_DATA_L 0x100064
#define QM_VFT_DATA_H 0x100068
#define QM_VFT_READY 0x10006c
#define QM_DB_TIMEOUT 0x100074
#define QM_DB_TIMEOUT_VALUE 0x1fffff
#define QM_PEH_VENDOR 0x1000d8
#define QM_PEH_VENDOR_PROBE 0x5a5a
#define QM_RAS_CE 0x1000ec
#define QM_RAS_FE 0x1000f0
#define QM_RAS_NFE 0x1000f4
#define QM_RAS_CE_THRESHOLD 0x1000f8
#define QM_PEH_MSI_BUSY 0x1000fc
#define QM_PEH_MSI_BUSY_V3 (1u << 0 | 1u << 2)
#define QM_PM_CTRL 0x100148
#define QM_PM_IDLE_DISABLE (1u << 9)
#define QM_SHUTDOWN_SEL 0x1040f8

/* Errors that mean something here, chapter 14.1 */
#define QM_ERR_AXI (1u << 0 | 1u << 1)
#define QM_ERR_ECC_MULTI (1u << 2)
#define QM_ERR_FIFO (1u << 11)
#define QM_ERR_DB_RANDOM (1u << 12)

/* AXI master, chapter 4.3 */
#define QM_MASTER_CTRL 0x300000
#define QM_MASTER_STOP 0x1
#define QM_PORT_WRITE 0x30001c
#define QM_PORT_WRITE_MSI (1u << 11)
#define QM_ROB_ECC 0x300104
#define QM_ROB_ECC_MULTI (1u << 1)
#define QM_MASTER_RETURN 0x300150
#define QM_MASTER_DRAINED 0x3

#endif
