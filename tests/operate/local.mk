# SPDX-License-Identifier: Zlib
# What whoever runs programs sets, and reads of them.
operate_tests =
operate_tests += tests/operate/cdi.sh
operate_tests += tests/operate/completion.sh
operate_tests += tests/operate/doctor.sh
operate_tests += tests/operate/files.sh
operate_tests += tests/operate/pages.sh
operate_tests += tests/operate/probes.sh
operate_tests += tests/operate/prom.sh
operate_tests += tests/operate/replay.sh
operate_tests += tests/operate/run.sh
operate_tests += tests/operate/scan.sh
operate_tests += tests/operate/stat.sh
operate_tests += tests/operate/selftest.sh
operate_tests += tests/operate/top.sh
operate_tests += tests/operate/tune.sh
TESTS += $(operate_tests)
EXTRA_DIST += $(operate_tests)
# Programs that are looked at.
check_PROGRAMS += tests/operate/work
tests_operate_work_SOURCES = tests/operate/work.c
tests_operate_work_LDADD = libz-wd/libz-wd.la
tests_operate_work_LDFLAGS = $(AM_LDFLAGS) -no-install
EXTRA_DIST += tests/operate/lib.sh

# What ZWD_TRACE records, made again; and the system's zlib with a fault, for it to find.
check_LTLIBRARIES += tests/operate/faulty.la
tests_operate_faulty_la_SOURCES = tests/operate/faulty.c
tests_operate_faulty_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
tests_operate_faulty_la_LIBADD = -lz
