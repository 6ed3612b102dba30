# SPDX-License-Identifier: Zlib
# Everything in one library: a preloaded program opens one file. libwd's names stay inside.
noinst_LTLIBRARIES += libz-wd/libzwd_core.la
libz_wd_libzwd_core_la_SOURCES = \
	libz-wd/ahead.c libz-wd/ahead.h \
	libz-wd/apart.c libz-wd/apart.h \
	libz-wd/alone.c libz-wd/alone.h \
	libz-wd/cache.c libz-wd/cache.h \
	libz-wd/checksum.c libz-wd/checksum.h \
	libz-wd/deflate.c \
	libz-wd/format.c libz-wd/format.h \
	libz-wd/forward.c \
	libz-wd/inflate.c \
	libz-wd/inner.c libz-wd/inner.h \
	libz-wd/jobq.c libz-wd/jobq.h \
	libz-wd/learn.c libz-wd/learn.h \
	libz-wd/load.c libz-wd/load.h \
	libz-wd/log.c libz-wd/log.h \
	libz-wd/object.c libz-wd/object.h \
	libz-wd/offload.c libz-wd/offload.h \
	libz-wd/oneshot.c \
	libz-wd/policy.c libz-wd/policy.h \
	libz-wd/preload.c \
	libz-wd/qpool.c libz-wd/qpool.h \
	libz-wd/settings.c libz-wd/settings.h \
	libz-wd/shield.h \
	libz-wd/soft_zlib.c libz-wd/soft_zlib.h \
	libz-wd/stats.c libz-wd/stats.h \
	libz-wd/verify.c libz-wd/verify.h \
	libz-wd/zlib_abi.c \
	libz-wd/zstream.c libz-wd/zstream.h
libz_wd_libzwd_core_la_LIBADD = libwd/libwd_core.la

lib_LTLIBRARIES += libz-wd/libz-wd.la
libz_wd_libz_wd_la_SOURCES =
libz_wd_libz_wd_la_LIBADD = libz-wd/libzwd_core.la
# nodelete: device threads and fork handlers must not outlive their code. noseparate-code: half the
# mappings, which is what a preloaded program pays for at its start; nostartfiles: see load.c.
libz_wd_libz_wd_la_LDFLAGS = $(AM_LDFLAGS) -version-info $(LIBZWD_VERSION_INFO) \
	-Wl,--version-script=$(top_srcdir)/libz-wd/libz-wd.map \
	-Wl,-Bsymbolic-functions -Wl,-z,nodelete -Wl,-z,noseparate-code \
	-XCClinker -nostartfiles
EXTRA_libz_wd_libz_wd_la_DEPENDENCIES = libz-wd/libz-wd.map

include_HEADERS += libz-wd/zwd.h
pkgconfig_DATA += libz-wd/libz-wd.pc
EXTRA_DIST += libz-wd/libz-wd.map
include libz-wd/tools/local.mk

# Opt-in: LD_LIBRARY_PATH=$(libdir)/libz-wd gives a program this library as its libz.so.1.
install-exec-hook:
	$(MKDIR_P) '$(DESTDIR)$(libdir)/libz-wd'
	cd '$(DESTDIR)$(libdir)/libz-wd' && rm -f libz.so.1 && $(LN_S) ../libz-wd.so.1 libz.so.1
uninstall-hook:
	rm -f '$(DESTDIR)$(libdir)/libz-wd/libz.so.1'
	-rmdir '$(DESTDIR)$(libdir)/libz-wd' '$(DESTDIR)$(wdqincludedir)' '$(DESTDIR)$(pkglibexecdir)'
