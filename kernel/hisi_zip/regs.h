/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of the ZIP engine, and those of the queue manager whose values are the engine's. */
#ifndef HISI_ZIP_REGS_H
#define HISI_ZIP_REGS_H

/* Chapters 4.2, 5.2 and 16 of the hardware reference. */

#define ZIP_CAP_DEV_ALGS 0x3148
#define ZIP_CAP_CORE_EN 0x3140 /* 31:16 decompressors, 15:0 compressors, bits of CLOCK_GATE */
#define ZIP_CAP_NFE 0x3130
#define ZIP_CAP_RESET 0x3134
#define ZIP_CAP_CE 0x3138
#define ZIP_QM_CAP_PREFETCH (1u << 14) /* of the queue manager's capability flags */

#define ZIP_QM_CACHE_CTRL 0x100050
#define ZIP_QM_CACHE_VALUE 0x1833
#define ZIP_QM_ARUSER 0x100088
#define ZIP_QM_ARUSER_ENABLE 0x100090
#define ZIP_QM_AWUSER 0x100098
#define ZIP_QM_AWUSER_ENABLE 0x1000a0
#define ZIP_QM_WUSER_ENABLE 0x1000a8
#define ZIP_QM_AXI 0x1000ac
#define ZIP_QM_AXI_ENABLE 0x1000b0
#define ZIP_QM_PEH_AXUSER 0x1000cc
#define ZIP_QM_PEH_AXUSER_ENABLE 0x1000d0
#define ZIP_AXUSER 0x40001070
#define ZIP_PEH_NO_FLR 0x401001 /* clearing bus master is no FLR */

#define ZIP_CLOCK_GATE 0x301004
#define ZIP_CLOCK_CHECK (1u << 16) /* decompressors check */
#define ZIP_CLOCK_GATE_V3 0x2000ff00
#define ZIP_CONTROL 0x30100c
#define ZIP_CONTROL_SHUTDOWN (1u << 14)
#define ZIP_AR_CACHE0 0x301040
#define ZIP_AR_CACHE1 0x301044
#define ZIP_AW_CACHE0 0x301060
#define ZIP_AW_CACHE1 0x301064
#define ZIP_ERR_SOURCE 0x3010a0
#define ZIP_ERR_MASK 0x3010a4
#define ZIP_ERR_SET 0x3010a8
#define ZIP_ERR_STATUS 0x3010ac
#define ZIP_ERR_ECC_2BIT (1u << 1)
#define ZIP_ERR_AXI (1u << 2 | 1u << 3)
#define ZIP_BD_RUSER 0x301110
#define ZIP_SGL_RUSER 0x30111c
#define ZIP_DATA_RUSER 0x301128
#define ZIP_DATA_WUSER 0x301134
#define ZIP_BD_WUSER 0x301140
#define ZIP_RAS_CE 0x301160
#define ZIP_RAS_NFE 0x301164
#define ZIP_RAS_FE 0x301168
#define ZIP_PEH_AUTO_GATE 0x3011a8
#define ZIP_PREFETCH 0x3011b0
#define ZIP_PREFETCH_OFF (1u << 26)
#define ZIP_PREFETCH_BITS (1u << 26 | 1u << 17 | 1u << 0)
#define ZIP_SVA_TRANS 0x3011c4
#define ZIP_SVA_CLOSING (1u << 26 | 1u << 30)
#define ZIP_SVA_STALLED 0xffffu
#define ZIP_SVA_PREFETCHED (7u << 16)
#define ZIP_LIT_LEN 0x301204
#define ZIP_LIT_LEN_STREAM (1u << 4)
#define ZIP_HIGH_PERF 0x301208
#define ZIP_SHUTDOWN_SEL 0x30120c

#endif
