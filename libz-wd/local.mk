# SPDX-License-Identifier: Zlib
# Everything in one library: a preloaded program opens one file. libwd's names stay inside.
noinst_LTLIBRARIES += libz-wd/libzwd_core.la
libz_wd_libzwd_core_la_SOURCES = \
	libz-wd/abi/forward.c \
	libz-wd/abi/load.c \
	libz-wd/abi/oneshot.c \
	libz-wd/abi/pigz.c libz-wd/abi/pigz.h \
	libz-wd/abi/preload.c libz-wd/abi/preload.h \
	libz-wd/abi/traced.c \
	libz-wd/abi/traced_calls.c libz-wd/abi/traced_calls.h \
	libz-wd/abi/traced_gz.c libz-wd/abi/traced_gz.h \
	libz-wd/abi/zlib_abi.c \
	libz-wd/deflate/adjust.c \
	libz-wd/deflate/body.h \
	libz-wd/deflate/body_parallel.c libz-wd/deflate/body_parallel.h \
	libz-wd/deflate/body_serial.c \
	libz-wd/deflate/body_soft.c libz-wd/deflate/body_soft.h \
	libz-wd/deflate/buffers.c libz-wd/deflate/buffers.h \
	libz-wd/deflate/frame.c libz-wd/deflate/frame.h \
	libz-wd/deflate/life.c libz-wd/deflate/life.h \
	libz-wd/deflate/units.c libz-wd/deflate/units.h \
	libz-wd/inflate/anchor.c libz-wd/inflate/anchor.h \
	libz-wd/inflate/back.c libz-wd/inflate/back.h \
	libz-wd/inflate/bits.h \
	libz-wd/inflate/body.h \
	libz-wd/inflate/body_parallel.c libz-wd/inflate/body_parallel.h \
	libz-wd/inflate/body_serial.c \
	libz-wd/inflate/body_soft.c \
	libz-wd/inflate/calls.c \
	libz-wd/inflate/check.h \
	libz-wd/inflate/cuts.c libz-wd/inflate/cuts.h \
	libz-wd/inflate/ending.c libz-wd/inflate/ending.h \
	libz-wd/inflate/frame.c \
	libz-wd/inflate/header.c libz-wd/inflate/header.h \
	libz-wd/inflate/io.c libz-wd/inflate/io.h \
	libz-wd/inflate/keep.c libz-wd/inflate/keep.h \
	libz-wd/inflate/life.c libz-wd/inflate/life.h \
	libz-wd/inflate/pieces.c libz-wd/inflate/pieces.h \
	libz-wd/inflate/prefix.c libz-wd/inflate/prefix.h \
	libz-wd/inflate/request.c libz-wd/inflate/request.h \
	libz-wd/inflate/proof.c libz-wd/inflate/proof.h \
	libz-wd/inflate/scan.c libz-wd/inflate/scan.h \
	libz-wd/inflate/shadow.c libz-wd/inflate/shadow.h \
	libz-wd/engine/ahead.c libz-wd/engine/ahead.h \
	libz-wd/engine/flight.c libz-wd/engine/flight.h \
	libz-wd/engine/guard.c libz-wd/engine/guard.h \
	libz-wd/engine/jobq.c libz-wd/engine/jobq.h \
	libz-wd/engine/lane.c libz-wd/engine/lane.h \
	libz-wd/engine/latency.c libz-wd/engine/latency.h \
	libz-wd/engine/learn.c libz-wd/engine/learn.h \
	libz-wd/engine/lease.c libz-wd/engine/lease.h \
	libz-wd/engine/policy.c libz-wd/engine/policy.h libz-wd/engine/profile.h \
	libz-wd/engine/pool.c libz-wd/engine/pool.h \
	libz-wd/engine/presence.c libz-wd/engine/presence.h \
	libz-wd/engine/qpool.c libz-wd/engine/qpool.h \
	libz-wd/engine/request.c \
	libz-wd/engine/unit.c libz-wd/engine/unit.h \
	libz-wd/engine/verify.c libz-wd/engine/verify.h \
	libz-wd/stream/alone.c libz-wd/stream/alone.h \
	libz-wd/stream/apart.c libz-wd/stream/apart.h \
	libz-wd/stream/cache.c libz-wd/stream/cache.h \
	libz-wd/stream/checksum.c libz-wd/stream/checksum.h \
	libz-wd/stream/format.c libz-wd/stream/format.h \
	libz-wd/stream/inner.c libz-wd/stream/inner.h \
	libz-wd/stream/loaded.c libz-wd/stream/loaded.h \
	libz-wd/stream/object.c libz-wd/stream/object.h \
	libz-wd/stream/shield.h \
	libz-wd/stream/soft_zlib.c libz-wd/stream/soft_zlib.h \
	libz-wd/stream/trace_way.c libz-wd/stream/trace_way.h \
	libz-wd/stream/zstream.c libz-wd/stream/zstream.h \
	libz-wd/operate/lines.c libz-wd/operate/lines.h \
	libz-wd/operate/live.c \
	libz-wd/operate/log.c libz-wd/operate/log.h \
	libz-wd/operate/page.c libz-wd/operate/page.h \
	libz-wd/operate/probe.h \
	libz-wd/operate/root.c libz-wd/operate/root.h \
	libz-wd/operate/settings.c libz-wd/operate/settings.h \
	libz-wd/operate/values.c \
	libz-wd/operate/stats.c libz-wd/operate/stats.h \
	libz-wd/operate/trace.c libz-wd/operate/trace.h \
	libz-wd/operate/trace_format.h
libz_wd_libzwd_core_la_CFLAGS = $(AM_CFLAGS) $(COV_CFLAGS)
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
include libz-wd/system/local.mk
include libz-wd/tools/local.mk

# Opt-in: LD_LIBRARY_PATH=$(libdir)/libz-wd gives a program this library as its libz.so.1.
install-exec-hook:
	$(MKDIR_P) '$(DESTDIR)$(libdir)/libz-wd'
	cd '$(DESTDIR)$(libdir)/libz-wd' && rm -f libz.so.1 && $(LN_S) ../libz-wd.so.1 libz.so.1
uninstall-hook:
	rm -f '$(DESTDIR)$(libdir)/libz-wd/libz.so.1'
	-rmdir '$(DESTDIR)$(systemlibdir)' '$(DESTDIR)$(libdir)/libz-wd' '$(DESTDIR)$(wdqincludedir)' '$(DESTDIR)$(pkglibexecdir)'
