# SPDX-License-Identifier: Zlib
if HAVE_CMOCKA
check_PROGRAMS += tests/diff/diff
mode_tests += tests/diff/diff
tests_diff_diff_LDADD = $(zwd_test_libs)
tests_diff_diff_LDFLAGS = $(zwd_test_ldflags)
mode_stamps += tests/diff/versions.sh.emu.t
long_stamps += tests/diff/versions.sh.soft.t tests/diff/versions.sh.fault.t
endif
EXTRA_DIST += tests/diff/versions.sh
