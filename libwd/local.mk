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
	libwd/lean.c libwd/lean.h \
	libwd/mem.c \
	libwd/near.c \
	libwd/priv.h \
	libwd/process.c \
	libwd/process.h \
	libwd/queue.c \
	libwd/share.c \
	libwd/share.h \
	libwd/submit.c \
	libwd/transport/emu.c \
	libwd/transport/file.c \
	libwd/transport/file.h \
	libwd/transport/sdmdev.c \
	libwd/transport/sdmdev.h \
	libwd/transport/sdmdev_end.c \
	libwd/transport/sdmdev_find.c \
	libwd/transport/sdmdev_mediated.c \
	libwd/transport/sdmdev_memory.c \
	libwd/transport/sys.c \
	libwd/transport/sys.h \
	libwd/transport/transport.c \
	libwd/transport/transport.h \
	libwd/transport/uacce.c \
	libwd/transport/uacce.h \
	libwd/transport/uacce_find.c \
	libwd/transport/uacce_slices.c \
	$(libwd_emu_sources)
libwd_libwd_core_la_CFLAGS = $(AM_CFLAGS) $(COV_CFLAGS)

# Installed as libwdq, its headers in a folder of their own: libwd.so, libwd.pc and wd.h are files of UADK, which
# has functions of the same names. -Bsymbolic-functions: ours call each other, whatever else the process loaded.
lib_LTLIBRARIES += libwd/libwdq.la
libwd_libwdq_la_SOURCES =
libwd_libwdq_la_LIBADD = libwd/libwd_core.la
libwd_libwdq_la_LDFLAGS = $(AM_LDFLAGS) -version-info $(LIBWDQ_VERSION_INFO) -no-undefined \
	-Wl,--version-script=$(top_srcdir)/libwd/libwdq.map -Wl,-Bsymbolic-functions
EXTRA_libwd_libwdq_la_DEPENDENCIES = libwd/libwdq.map
wdqincludedir = $(includedir)/wdq
wdqinclude_HEADERS = libwd/wd.h libwd/wd_zip.h
pkgconfig_DATA += libwd/wdq.pc
EXTRA_DIST += libwd/libwdq.map
