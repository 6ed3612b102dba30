# SPDX-License-Identifier: Zlib
include libwd/emu/local.mk

# Everything of libwd: the tests link it, libz-wd takes it in.
noinst_LTLIBRARIES += libwd/libwd_core.la
libwd_libwd_core_la_SOURCES = \
	kernel/include/uapi/wd/hisi_qm.h \
	kernel/include/uapi/wd/hisi_zip.h \
	kernel/include/uapi/wd/sdmdev.h \
	libwd/barrier.h \
	libwd/call.c \
	libwd/device.c \
	libwd/drv/drv.c \
	libwd/drv/drv.h \
	libwd/drv/hisi_qm.c \
	libwd/drv/hisi_qm.h \
	libwd/drv/hisi_zip.c \
	libwd/drv/hisi_zip.h \
	libwd/mem.c \
	libwd/priv.h \
	libwd/process.c \
	libwd/process.h \
	libwd/queue.c \
	libwd/submit.c \
	libwd/transport/emu.c \
	libwd/transport/file.c \
	libwd/transport/file.h \
	libwd/transport/sdmdev.c \
	libwd/transport/sdmdev.h \
	libwd/transport/sdmdev_find.c \
	libwd/transport/sdmdev_mediated.c \
	libwd/transport/sdmdev_memory.c \
	libwd/transport/sys.c \
	libwd/transport/sys.h \
	libwd/transport/transport.c \
	libwd/transport/transport.h \
	libwd/transport/uacce.c \
	$(libwd_emu_sources)

lib_LTLIBRARIES += libwd/libwd.la
libwd_libwd_la_SOURCES =
libwd_libwd_la_LIBADD = libwd/libwd_core.la
libwd_libwd_la_LDFLAGS = $(AM_LDFLAGS) -version-info $(LIBWD_VERSION_INFO) -no-undefined \
	-Wl,--version-script=$(top_srcdir)/libwd/libwd.map
EXTRA_libwd_libwd_la_DEPENDENCIES = libwd/libwd.map
include_HEADERS += libwd/wd.h libwd/wd_zip.h
pkgconfig_DATA += libwd/libwd.pc
EXTRA_DIST += libwd/libwd.map

bin_PROGRAMS += wdctl
wdctl_SOURCES = libwd/tools/queues.c libwd/tools/queues.h libwd/tools/wdctl.c
wdctl_LDADD = libwd/libwd.la

# Makes the queues of a device when it appears, for the group wd.
systemdunitdir = $(prefix)/lib/systemd/system
udevrulesdir = $(prefix)/lib/udev/rules.d
sysusersdir = $(prefix)/lib/sysusers.d
nodist_systemdunit_DATA = libwd/tools/wd-queues@.service
dist_udevrules_DATA = libwd/tools/90-wd.rules
sysusers_DATA = libwd/tools/wd.conf
EXTRA_DIST += libwd/tools/wd-queues@.service.in libwd/tools/wd.conf
CLEANFILES += libwd/tools/wd-queues@.service
libwd/tools/wd-queues@.service: $(srcdir)/libwd/tools/wd-queues@.service.in
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	sed 's,@bindir[@],$(bindir),' $(srcdir)/libwd/tools/wd-queues@.service.in >$@
