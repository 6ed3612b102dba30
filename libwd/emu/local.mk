# SPDX-License-Identifier: Zlib
# The emulated ZIP device; part of libwd's objects.
libwd_emu_sources = \
	libwd/emu/emu.h \
	libwd/emu/emu_clock.c \
	libwd/emu/emu_codec.h \
	libwd/emu/emu_codec_isal.c \
	libwd/emu/emu_codec_null.c \
	libwd/emu/emu_codec_zlib.c \
	libwd/emu/emu_dev.c \
	libwd/emu/emu_dev.h \
	libwd/emu/emu_dma.c \
	libwd/emu/emu_fault.c \
	libwd/emu/emu_fd.c \
	libwd/emu/emu_header.c \
	libwd/emu/emu_header.h \
	libwd/emu/emu_lie.c \
	libwd/emu/emu_library.c \
	libwd/emu/emu_options.c \
	libwd/emu/emu_priv.h \
	libwd/emu/emu_qm.c \
	libwd/emu/emu_qm.h \
	libwd/emu/emu_qm_config.c \
	libwd/emu/emu_qm_context.c \
	libwd/emu/emu_qm_data.c \
	libwd/emu/emu_qm_flight.c \
	libwd/emu/emu_qm_mailbox.c \
	libwd/emu/emu_qm_message.c \
	libwd/emu/emu_qm_priv.h \
	libwd/emu/emu_qm_regs.c \
	libwd/emu/emu_qm_ring.c \
	libwd/emu/emu_run.c \
	libwd/emu/emu_zip.c
