# SPDX-License-Identifier: Zlib
EXTRA_DIST += \
	kernel/Kbuild \
	kernel/Makefile \
	kernel/README \
	kernel/compat/compat.h \
	kernel/dkms.conf \
	kernel/own-driver \
	kernel/include/uapi/wd/sdmdev.h \
	kernel/include/wd/vfio_sdmdev.h \
	kernel/sdmdev/Kbuild \
	kernel/sdmdev/bus.c \
	kernel/sdmdev/charge.c \
	kernel/sdmdev/core.c \
	kernel/sdmdev/drain.c \
	kernel/sdmdev/gate.c \
	kernel/sdmdev/lifetime.c \
	kernel/sdmdev/lifetime.h \
	kernel/sdmdev/mdev.c \
	kernel/sdmdev/mediated.c \
	kernel/sdmdev/mode.c \
	kernel/sdmdev/mode_common.c \
	kernel/sdmdev/params.c \
	kernel/sdmdev/pasid.c \
	kernel/sdmdev/queue.c \
	kernel/sdmdev/ranges.h \
	kernel/sdmdev/sdmdev.h \
	kernel/sdmdev/single.c \
	kernel/sdmdev/space.c \
	kernel/sdmdev/static.c \
	kernel/sdmdev/vfio.c \
	kernel/sdmdev/window.h
EXTRA_DIST += kernel/include/wd/wd_qm.h
EXTRA_DIST += kernel/hisi_qm/Kbuild kernel/hisi_qm/debugfs.c kernel/hisi_qm/drain.c kernel/hisi_qm/errors.c \
	kernel/hisi_qm/handlers.c kernel/hisi_qm/hw.c kernel/hisi_qm/io.c kernel/hisi_qm/irq.c \
	kernel/hisi_qm/isolate.c kernel/hisi_qm/pack.h kernel/hisi_qm/priv.h kernel/hisi_qm/probe.c \
	kernel/hisi_qm/queue.c kernel/hisi_qm/regs.h kernel/hisi_qm/reset.c kernel/hisi_qm/ring.c \
	kernel/hisi_qm/vfs.c
EXTRA_DIST += kernel/hisi_zip/Kbuild kernel/hisi_zip/README kernel/hisi_zip/check.h \
	kernel/hisi_zip/hw.c kernel/hisi_zip/pci.c kernel/hisi_zip/priv.h kernel/hisi_zip/regs.h

# The kernel's own make builds beside the sources: make modules KERNELDIR=...
modules modules_install:
	$(MAKE) -C $(top_srcdir)/kernel $@
.PHONY: modules modules_install
