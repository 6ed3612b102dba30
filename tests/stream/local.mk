# SPDX-License-Identifier: Zlib
# The zlib interface, one behaviour per program.
if HAVE_CMOCKA
stream_tests = \
	tests/stream/allocs \
	tests/stream/arguments \
	tests/stream/checksums \
	tests/stream/damaged \
	tests/stream/deep \
	tests/stream/deflate_bits \
	tests/stream/deflate_bound \
	tests/stream/deflate_copy \
	tests/stream/deflate_dict \
	tests/stream/deflate_flush \
	tests/stream/deflate_header \
	tests/stream/deflate_matrix \
	tests/stream/deflate_params \
	tests/stream/denials \
	tests/stream/engines \
	tests/stream/fork \
	tests/stream/gz \
	tests/stream/in_place \
	tests/stream/inflate_ahead \
	tests/stream/inflate_back \
	tests/stream/inflate_broken \
	tests/stream/inflate_copy \
	tests/stream/inflate_dict \
	tests/stream/inflate_lease \
	tests/stream/inflate_parallel \
	tests/stream/inflate_place \
	tests/stream/inflate_split \
	tests/stream/inflate_sync \
	tests/stream/keep_budget \
	tests/stream/keep_little \
	tests/stream/large \
	tests/stream/long_block \
	tests/stream/memory \
	tests/stream/oneshot \
	tests/stream/parallel \
	tests/stream/same_bytes \
	tests/stream/small \
	tests/stream/threads \
	tests/stream/tiny_calls \
	tests/stream/way_on
check_PROGRAMS += $(stream_tests)
mode_tests += $(stream_tests)
tests_stream_allocs_LDADD = $(zwd_test_libs)
tests_stream_allocs_LDFLAGS = $(zwd_test_ldflags)
tests_stream_arguments_LDADD = $(zwd_test_libs)
tests_stream_arguments_LDFLAGS = $(zwd_test_ldflags)
tests_stream_checksums_LDADD = $(zwd_test_libs)
tests_stream_checksums_LDFLAGS = $(zwd_test_ldflags)
tests_stream_deflate_bits_LDADD = $(zwd_test_libs)
tests_stream_deflate_bits_LDFLAGS = $(zwd_test_ldflags)
tests_stream_deflate_bound_LDADD = $(zwd_test_libs)
tests_stream_deflate_bound_LDFLAGS = $(zwd_test_ldflags)
tests_stream_deflate_copy_LDADD = $(zwd_test_libs)
tests_stream_deflate_copy_LDFLAGS = $(zwd_test_ldflags)
tests_stream_deflate_dict_LDADD = $(zwd_test_libs)
tests_stream_deflate_dict_LDFLAGS = $(zwd_test_ldflags)
tests_stream_deflate_flush_LDADD = $(zwd_test_libs)
tests_stream_deflate_flush_LDFLAGS = $(zwd_test_ldflags)
tests_stream_deflate_header_LDADD = $(zwd_test_libs)
tests_stream_deflate_header_LDFLAGS = $(zwd_test_ldflags)
tests_stream_deflate_matrix_LDADD = $(zwd_test_libs)
tests_stream_deflate_matrix_LDFLAGS = $(zwd_test_ldflags)
tests_stream_deflate_params_LDADD = $(zwd_test_libs)
tests_stream_deflate_params_LDFLAGS = $(zwd_test_ldflags)
tests_stream_denials_LDADD = $(zwd_test_libs)
tests_stream_denials_LDFLAGS = $(zwd_test_ldflags)
tests_stream_fork_LDADD = $(zwd_test_libs)
tests_stream_fork_LDFLAGS = $(zwd_test_ldflags)
tests_stream_gz_LDADD = $(zwd_test_libs)
tests_stream_gz_LDFLAGS = $(zwd_test_ldflags)
tests_stream_in_place_LDADD = $(zwd_test_libs)
tests_stream_in_place_LDFLAGS = $(zwd_test_ldflags)
tests_stream_inflate_ahead_LDADD = $(zwd_test_libs)
tests_stream_inflate_ahead_LDFLAGS = $(zwd_test_ldflags)
tests_stream_inflate_back_LDADD = $(zwd_test_libs)
tests_stream_inflate_back_LDFLAGS = $(zwd_test_ldflags)
tests_stream_inflate_broken_LDADD = $(zwd_test_libs)
tests_stream_inflate_broken_LDFLAGS = $(zwd_test_ldflags)
tests_stream_inflate_copy_LDADD = $(zwd_test_libs)
tests_stream_inflate_copy_LDFLAGS = $(zwd_test_ldflags)
tests_stream_inflate_dict_LDADD = $(zwd_test_libs)
tests_stream_inflate_dict_LDFLAGS = $(zwd_test_ldflags)
tests_stream_inflate_lease_LDADD = $(zwd_test_libs)
tests_stream_inflate_lease_LDFLAGS = $(zwd_test_ldflags)
tests_stream_inflate_parallel_LDADD = $(zwd_test_libs)
tests_stream_inflate_parallel_LDFLAGS = $(zwd_test_ldflags)
tests_stream_inflate_place_LDADD = $(zwd_test_libs)
tests_stream_inflate_place_LDFLAGS = $(zwd_test_ldflags)
tests_stream_inflate_split_LDADD = $(zwd_test_libs)
tests_stream_inflate_split_LDFLAGS = $(zwd_test_ldflags)
tests_stream_inflate_sync_LDADD = $(zwd_test_libs)
tests_stream_inflate_sync_LDFLAGS = $(zwd_test_ldflags)
tests_stream_large_LDADD = $(zwd_test_libs)
tests_stream_large_LDFLAGS = $(zwd_test_ldflags)
tests_stream_memory_LDADD = $(zwd_test_libs)
tests_stream_memory_LDFLAGS = $(zwd_test_ldflags)
tests_stream_oneshot_LDADD = $(zwd_test_libs)
tests_stream_oneshot_LDFLAGS = $(zwd_test_ldflags)
tests_stream_parallel_LDADD = $(zwd_test_libs)
tests_stream_parallel_LDFLAGS = $(zwd_test_ldflags)
tests_stream_small_LDADD = $(zwd_test_libs)
tests_stream_small_LDFLAGS = $(zwd_test_ldflags)
tests_stream_threads_LDADD = $(zwd_test_libs)
tests_stream_threads_LDFLAGS = $(zwd_test_ldflags)
tests_stream_long_block_LDADD = $(zwd_test_libs)
tests_stream_long_block_LDFLAGS = $(zwd_test_ldflags)
tests_stream_way_on_LDADD = $(zwd_test_libs)
tests_stream_way_on_LDFLAGS = $(zwd_test_ldflags)
process_tests = tests/stream/choice tests/stream/come_back tests/stream/failover tests/stream/fault_index \
	tests/stream/faults tests/stream/few_queues tests/stream/guard \
	tests/stream/inflate_faults tests/stream/inflate_follow tests/stream/inflate_return tests/stream/late_fork \
	tests/stream/lies tests/stream/limits tests/stream/lost tests/stream/waiting
check_PROGRAMS += $(process_tests)
TESTS += $(process_tests)
tests_stream_choice_LDADD = $(zwd_test_libs)
tests_stream_choice_LDFLAGS = $(zwd_test_ldflags)
tests_stream_come_back_LDADD = $(zwd_test_libs)
tests_stream_come_back_LDFLAGS = $(zwd_test_ldflags)
tests_stream_failover_LDADD = $(zwd_test_libs)
tests_stream_failover_LDFLAGS = $(zwd_test_ldflags)
tests_stream_faults_LDADD = $(zwd_test_libs)
tests_stream_faults_LDFLAGS = $(zwd_test_ldflags)
# The device is asked through the copy of libwd that the library has inside.
tests_stream_few_queues_LDADD = tests/libhelpers.la libz-wd/libzwd_core.la $(CMOCKA_LIBS)
tests_stream_few_queues_LDFLAGS = $(zwd_test_ldflags) -Wl,--wrap=wd_request_queue
tests_stream_guard_LDADD = $(zwd_test_libs)
tests_stream_guard_LDFLAGS = $(zwd_test_ldflags)
tests_stream_inflate_faults_LDADD = $(zwd_test_libs)
tests_stream_inflate_faults_LDFLAGS = $(zwd_test_ldflags)
tests_stream_inflate_follow_LDADD = $(zwd_test_libs)
tests_stream_inflate_follow_LDFLAGS = $(zwd_test_ldflags)
tests_stream_inflate_return_LDADD = $(zwd_test_libs)
tests_stream_inflate_return_LDFLAGS = $(zwd_test_ldflags)
tests_stream_late_fork_LDADD = libz-wd/libz-wd.la
tests_stream_late_fork_LDFLAGS = $(AM_LDFLAGS) -no-install
tests_stream_lies_LDADD = $(zwd_test_libs)
tests_stream_lies_LDFLAGS = $(zwd_test_ldflags)
# As few_queues; what goes to a device and comes back is counted.
tests_stream_limits_LDADD = tests/libhelpers.la libz-wd/libzwd_core.la $(CMOCKA_LIBS)
tests_stream_limits_LDFLAGS = $(zwd_test_ldflags) \
	-Wl,--wrap=wd_send,--wrap=wd_recv,--wrap=wd_recv_sync,--wrap=wd_call,--wrap=syscall
tests_stream_lost_LDADD = $(zwd_test_libs)
tests_stream_lost_LDFLAGS = $(zwd_test_ldflags)
tests_stream_waiting_LDADD = $(zwd_test_libs)
tests_stream_waiting_LDFLAGS = $(zwd_test_ldflags)
tests_stream_damaged_LDADD = $(zwd_test_libs)
tests_stream_damaged_LDFLAGS = $(zwd_test_ldflags)
tests_stream_deep_LDADD = $(zwd_test_libs)
tests_stream_deep_LDFLAGS = $(zwd_test_ldflags)
tests_stream_engines_LDADD = $(zwd_test_libs)
tests_stream_engines_LDFLAGS = $(zwd_test_ldflags)
tests_stream_fault_index_LDADD = $(zwd_test_libs)
tests_stream_fault_index_LDFLAGS = $(zwd_test_ldflags)
tests_stream_keep_budget_LDADD = $(zwd_test_libs)
tests_stream_keep_budget_LDFLAGS = $(zwd_test_ldflags)
tests_stream_keep_little_LDADD = $(zwd_test_libs)
tests_stream_keep_little_LDFLAGS = $(zwd_test_ldflags)
tests_stream_same_bytes_LDADD = $(zwd_test_libs)
tests_stream_same_bytes_LDFLAGS = $(zwd_test_ldflags)
tests_stream_tiny_calls_LDADD = $(zwd_test_libs)
tests_stream_tiny_calls_LDFLAGS = $(zwd_test_ldflags)
# A device that fails changes lengths.
check_PROGRAMS += tests/stream/two_pass
mode_stamps += tests/stream/two_pass.soft.t tests/stream/two_pass.emu.t
tests_stream_two_pass_LDADD = $(zwd_test_libs)
tests_stream_two_pass_LDFLAGS = $(zwd_test_ldflags)
# All that they have; else they take a part.
long_stamps += \
	tests/stream/damaged.emu-long.t tests/stream/damaged.fault-long.t tests/stream/damaged.soft-long.t \
	tests/stream/deep.emu-long.t tests/stream/deep.fault-long.t \
	tests/stream/denials.emu-long.t \
	tests/stream/fault_index.emu-long.t \
	tests/stream/keep_budget.emu-long.t \
	tests/stream/same_bytes.emu-long.t tests/stream/same_bytes.fault-long.t
if LONG_TESTS
TESTS += tests/stream/faults_all.sh
endif
endif
EXTRA_DIST += tests/stream/faults_all.sh
