# SPDX-License-Identifier: Zlib
# The zlib interface, one behaviour per program.
if HAVE_CMOCKA
stream_tests = \
	tests/stream/deflate_copy \
	tests/stream/deflate_dict \
	tests/stream/deflate_flush \
	tests/stream/deflate_matrix \
	tests/stream/deflate_params \
	tests/stream/inflate_broken \
	tests/stream/inflate_split
check_PROGRAMS += $(stream_tests)
mode_tests += $(stream_tests)
tests_stream_deflate_copy_LDADD = $(zwd_test_libs)
tests_stream_deflate_copy_LDFLAGS = $(zwd_test_ldflags)
tests_stream_deflate_dict_LDADD = $(zwd_test_libs)
tests_stream_deflate_dict_LDFLAGS = $(zwd_test_ldflags)
tests_stream_deflate_flush_LDADD = $(zwd_test_libs)
tests_stream_deflate_flush_LDFLAGS = $(zwd_test_ldflags)
tests_stream_deflate_matrix_LDADD = $(zwd_test_libs)
tests_stream_deflate_matrix_LDFLAGS = $(zwd_test_ldflags)
tests_stream_deflate_params_LDADD = $(zwd_test_libs)
tests_stream_deflate_params_LDFLAGS = $(zwd_test_ldflags)
tests_stream_inflate_broken_LDADD = $(zwd_test_libs)
tests_stream_inflate_broken_LDFLAGS = $(zwd_test_ldflags)
tests_stream_inflate_split_LDADD = $(zwd_test_libs)
tests_stream_inflate_split_LDFLAGS = $(zwd_test_ldflags)
endif
