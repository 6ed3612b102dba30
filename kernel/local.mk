# SPDX-License-Identifier: Zlib
EXTRA_DIST += kernel/include/uapi/wd/sdmdev.h kernel/include/wd/vfio_sdmdev.h
EXTRA_DIST += kernel/include/wd/wd_qm.h
EXTRA_DIST += kernel/hisi_qm/Kbuild kernel/hisi_qm/debugfs.c kernel/hisi_qm/hw.c kernel/hisi_qm/irq.c \
	kernel/hisi_qm/pack.h kernel/hisi_qm/priv.h kernel/hisi_qm/probe.c kernel/hisi_qm/queue.c \
	kernel/hisi_qm/regs.h kernel/hisi_qm/reset.c
EXTRA_DIST += kernel/hisi_zip/Kbuild kernel/hisi_zip/check.h kernel/hisi_zip/hw.c \
	kernel/hisi_zip/pci.c kernel/hisi_zip/priv.h kernel/hisi_zip/regs.h
