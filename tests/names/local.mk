# SPDX-License-Identifier: Zlib
# Our names beside those of other packages: installed files, and functions in one process.
EXTRA_DIST += tests/names/beside.sh tests/names/install.sh tests/names/usr.sh
if !SANITIZED
check_LTLIBRARIES += tests/names/libwd.la tests/names/refuse.la
# Shared although it is not installed: that is what -rpath is for. Its name is that of UADK's.
tests_names_libwd_la_SOURCES = tests/names/uadk.c tests/names/uadk.h
tests_names_libwd_la_CFLAGS = $(AM_CFLAGS) -fvisibility=default
tests_names_libwd_la_LDFLAGS = $(AM_LDFLAGS) -version-info 2:0:0 -rpath $(abs_top_builddir)/tests/names
tests_names_refuse_la_SOURCES = tests/names/refuse.c
tests_names_refuse_la_CFLAGS = $(AM_CFLAGS) -fvisibility=default
tests_names_refuse_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -rpath $(abs_top_builddir)/tests/names
check_PROGRAMS += tests/names/user
tests_names_user_SOURCES = tests/names/user.c tests/names/uadk.h
tests_names_user_LDADD = tests/names/libwd.la -lz
tests_names_user_LDFLAGS = $(AM_LDFLAGS) -no-install
TESTS += tests/names/beside.sh tests/names/install.sh
# Configures and builds once more, as a distribution does.
if LONG_TESTS
TESTS += tests/names/usr.sh
endif
endif
