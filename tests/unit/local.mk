# SPDX-License-Identifier: Zlib
TESTS += tests/unit/layers.sh
EXTRA_DIST += tests/unit/unit.h tests/unit/layers.sh
if HAVE_CMOCKA
wd_unit_tests = tests/unit/anchor tests/unit/cache tests/unit/checksum tests/unit/format \
	tests/unit/header tests/unit/hisi_qm tests/unit/hisi_zip tests/unit/kernel_qm \
	tests/unit/kernel_sdmdev tests/unit/kernel_zip tests/unit/lanes tests/unit/learn tests/unit/lease \
	tests/unit/members tests/unit/piece tests/unit/proof tests/unit/scan tests/unit/settings \
	tests/unit/shadow tests/unit/spec tests/unit/stats tests/unit/tune
check_PROGRAMS += $(wd_unit_tests)
TESTS += $(wd_unit_tests)
wd_unit_cflags = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
wd_unit_ldadd = libwd/libwd_core.la $(CMOCKA_LIBS)
tests_unit_anchor_CFLAGS = $(wd_unit_cflags)
tests_unit_anchor_LDADD = bench/libbench.la libz-wd/libzwd_core.la $(CMOCKA_LIBS)
tests_unit_tune_SOURCES = tests/unit/tune.c libz-wd/tools/zwd/tune_choice.c
tests_unit_tune_CFLAGS = $(wd_unit_cflags)
tests_unit_tune_LDADD = $(CMOCKA_LIBS)
tests_unit_cache_CFLAGS = $(wd_unit_cflags)
tests_unit_cache_LDADD = libz-wd/libzwd_core.la $(CMOCKA_LIBS)
tests_unit_checksum_CFLAGS = $(wd_unit_cflags)
tests_unit_checksum_LDADD = libz-wd/libzwd_core.la $(CMOCKA_LIBS)
tests_unit_format_CFLAGS = $(wd_unit_cflags)
tests_unit_format_LDADD = libz-wd/libzwd_core.la $(CMOCKA_LIBS)
tests_unit_header_CFLAGS = $(wd_unit_cflags)
tests_unit_header_LDADD = libz-wd/libzwd_core.la $(CMOCKA_LIBS)
tests_unit_hisi_qm_CFLAGS = $(wd_unit_cflags)
tests_unit_hisi_qm_LDADD = $(wd_unit_ldadd)
tests_unit_hisi_zip_CFLAGS = $(wd_unit_cflags)
tests_unit_hisi_zip_LDADD = $(wd_unit_ldadd)
tests_unit_kernel_qm_CFLAGS = $(wd_unit_cflags)
tests_unit_kernel_qm_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/kernel
tests_unit_kernel_qm_LDADD = $(CMOCKA_LIBS)
tests_unit_kernel_sdmdev_CFLAGS = $(wd_unit_cflags)
tests_unit_kernel_sdmdev_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/kernel
tests_unit_kernel_sdmdev_LDADD = $(CMOCKA_LIBS)
tests_unit_kernel_zip_CFLAGS = $(wd_unit_cflags)
tests_unit_kernel_zip_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/kernel
tests_unit_kernel_zip_LDADD = $(CMOCKA_LIBS)
tests_unit_lanes_CFLAGS = $(wd_unit_cflags)
tests_unit_lanes_LDADD = libz-wd/libzwd_core.la $(CMOCKA_LIBS)
tests_unit_learn_CFLAGS = $(wd_unit_cflags)
tests_unit_learn_LDADD = bench/libbench.la libz-wd/libzwd_core.la $(CMOCKA_LIBS)
tests_unit_lease_CFLAGS = $(wd_unit_cflags)
tests_unit_lease_LDADD = libz-wd/libzwd_core.la $(CMOCKA_LIBS)
# The command's own objects.
tests_unit_members_CFLAGS = $(wd_unit_cflags)
tests_unit_members_LDADD = libz-wd/tools/gzip/codec.$(OBJEXT) libz-wd/tools/gzip/deflate.$(OBJEXT) \
	libz-wd/tools/gzip/format.$(OBJEXT) libz-wd/tools/gzip/io.$(OBJEXT) libz-wd/tools/gzip/members.$(OBJEXT) \
	libz-wd/tools/gzip/name.$(OBJEXT) libz-wd/tools/gzip/old.$(OBJEXT) libz-wd/tools/gzip/piece.$(OBJEXT) \
	libz-wd/tools/gzip/writer.$(OBJEXT) libz-wd/libz-wd.la $(CMOCKA_LIBS)
tests_unit_members_LDFLAGS = $(AM_LDFLAGS) -no-install
tests_unit_piece_CFLAGS = $(wd_unit_cflags)
tests_unit_piece_LDADD = libz-wd/tools/gzip/piece.$(OBJEXT) libz-wd/libz-wd.la $(CMOCKA_LIBS)
tests_unit_piece_LDFLAGS = $(AM_LDFLAGS) -no-install
tests_unit_proof_CFLAGS = $(wd_unit_cflags)
tests_unit_proof_LDADD = libz-wd/libzwd_core.la $(CMOCKA_LIBS)
tests_unit_scan_CFLAGS = $(wd_unit_cflags)
tests_unit_scan_LDADD = libz-wd/libzwd_core.la $(CMOCKA_LIBS)
tests_unit_settings_CFLAGS = $(wd_unit_cflags)
tests_unit_settings_LDADD = libz-wd/libzwd_core.la $(CMOCKA_LIBS)
tests_unit_shadow_CFLAGS = $(wd_unit_cflags)
tests_unit_shadow_LDADD = libz-wd/libzwd_core.la $(CMOCKA_LIBS)
tests_unit_spec_CFLAGS = $(wd_unit_cflags)
tests_unit_spec_LDADD = $(wd_unit_ldadd)
tests_unit_stats_CFLAGS = $(wd_unit_cflags)
tests_unit_stats_LDADD = libz-wd/libzwd_core.la $(CMOCKA_LIBS)
endif
