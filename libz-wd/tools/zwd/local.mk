# SPDX-License-Identifier: Zlib
bin_PROGRAMS += zwd
# The fuzzer's, too.
zwd_replay_parts = \
	libz-wd/operate/trace_format.h \
	libz-wd/tools/zwd/replay_ask.c \
	libz-wd/tools/zwd/replay_input.c libz-wd/tools/zwd/replay_input.h \
	libz-wd/tools/zwd/replay_lib.c libz-wd/tools/zwd/replay_lib.h \
	libz-wd/tools/zwd/replay_run.c libz-wd/tools/zwd/replay_run.h \
	libz-wd/tools/zwd/replay_stream.c libz-wd/tools/zwd/replay_stream.h \
	libz-wd/tools/zwd/replay_whole.c libz-wd/tools/zwd/replay_whole.h \
	libz-wd/tools/zwd/trace_file.c libz-wd/tools/zwd/trace_file.h
zwd_SOURCES = \
	libz-wd/tools/zwd/commands.h \
	libz-wd/tools/zwd/cdi.c \
	libz-wd/tools/zwd/devices.c \
	libz-wd/tools/zwd/doctor.c \
	libz-wd/tools/zwd/doctor/checks.h \
	libz-wd/tools/zwd/doctor/devices.c \
	libz-wd/tools/zwd/doctor/holders.c libz-wd/tools/zwd/doctor/holders.h \
	libz-wd/tools/zwd/doctor/node.c \
	libz-wd/tools/zwd/doctor/program.c \
	libz-wd/tools/zwd/doctor/report.c libz-wd/tools/zwd/doctor/report.h \
	libz-wd/tools/zwd/doctor/sdmdev.c \
	libz-wd/tools/zwd/doctor/settings.c \
	libz-wd/tools/zwd/doctor/subject.c libz-wd/tools/zwd/doctor/subject.h \
	libz-wd/tools/zwd/doctor/tree.c libz-wd/tools/zwd/doctor/tree.h \
	libz-wd/tools/zwd/doctor/uacce.c \
	libz-wd/tools/zwd/elf.c libz-wd/tools/zwd/elf.h \
	libz-wd/tools/zwd/env.c \
	libz-wd/tools/zwd/environment.c libz-wd/tools/zwd/environment.h \
	libz-wd/tools/zwd/export.c \
	libz-wd/tools/zwd/find.c libz-wd/tools/zwd/find.h \
	libz-wd/tools/zwd/folder.c \
	libz-wd/tools/zwd/json.c libz-wd/tools/zwd/json.h \
	libz-wd/tools/zwd/live.c libz-wd/tools/zwd/live.h \
	libz-wd/tools/zwd/loader.c libz-wd/tools/zwd/loader.h \
	libz-wd/tools/zwd/main.c \
	libz-wd/tools/zwd/options.c libz-wd/tools/zwd/options.h \
	libz-wd/tools/zwd/program.c libz-wd/tools/zwd/program.h \
	libz-wd/tools/zwd/queues.c libz-wd/tools/zwd/queues.h \
	libz-wd/tools/zwd/remote.c libz-wd/tools/zwd/remote.h \
	$(zwd_replay_parts) \
	libz-wd/tools/zwd/replay.c \
	libz-wd/tools/zwd/run.c \
	libz-wd/tools/zwd/scan.c \
	libz-wd/tools/zwd/selftest.c \
	libz-wd/tools/zwd/show.c libz-wd/tools/zwd/show.h \
	libz-wd/tools/zwd/stat.c \
	libz-wd/tools/zwd/selftest_zlib.c \
	libz-wd/tools/zwd/selftest_calls.c libz-wd/tools/zwd/selftest_calls.h \
	libz-wd/tools/zwd/selftest_checks.c libz-wd/tools/zwd/selftest_checks.h \
	libz-wd/tools/zwd/top.c \
	libz-wd/tools/zwd/tune.c \
	libz-wd/tools/zwd/tune_choice.c libz-wd/tools/zwd/tune_choice.h \
	libz-wd/tools/zwd/tune_measure.c libz-wd/tools/zwd/tune_measure.h \
	libz-wd/operate/lines.c libz-wd/operate/lines.h \
	libz-wd/operate/log.c libz-wd/operate/log.h \
	libz-wd/operate/settings.h libz-wd/operate/values.c
zwd_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -DLIBDIR='"$(libdir)"'
zwd_LDADD = bench/libbench.la libwd/libwdq.la

# Makes the queues of a device when it appears, for the group wd.
systemdunitdir = $(prefix)/lib/systemd/system
udevrulesdir = $(prefix)/lib/udev/rules.d
sysusersdir = $(prefix)/lib/sysusers.d
nodist_systemdunit_DATA = libz-wd/tools/zwd/wd-queues@.service
dist_udevrules_DATA = libz-wd/tools/zwd/90-wd.rules
dist_sysusers_DATA = libz-wd/tools/zwd/wd.conf
EXTRA_DIST += libz-wd/tools/zwd/wd-queues@.service.in
CLEANFILES += libz-wd/tools/zwd/wd-queues@.service
libz-wd/tools/zwd/wd-queues@.service: $(srcdir)/libz-wd/tools/zwd/wd-queues@.service.in
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	sed 's,@bindir[@],$(bindir),' $(srcdir)/libz-wd/tools/zwd/wd-queues@.service.in >$@
