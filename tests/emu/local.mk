# SPDX-License-Identifier: Zlib
# The emulated device alone, through its own interface.
if HAVE_CMOCKA
emu_tests = tests/emu/test_emu_access tests/emu/test_emu_clock tests/emu/test_emu_codes tests/emu/test_emu_library \
	tests/emu/test_emu_qm tests/emu/test_emu_qm_events tests/emu/test_emu_qm_functions tests/emu/test_emu_qm_lies tests/emu/test_emu_qm_order \
	tests/emu/test_emu_qm_pasid tests/emu/test_emu_queue \
	tests/emu/test_emu_zip
check_PROGRAMS += $(emu_tests)
TESTS += $(emu_tests)
emu_rig = tests/emu/rig.c tests/emu/rig.h
qm_board = tests/emu/qm_board.c tests/emu/qm_board.h $(emu_rig)
tests_emu_test_emu_access_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_emu_test_emu_access_LDADD = libwd/libwd_core.la $(CMOCKA_LIBS)
tests_emu_test_emu_clock_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_emu_test_emu_clock_LDADD = libwd/libwd_core.la $(CMOCKA_LIBS)
tests_emu_test_emu_codes_SOURCES = tests/emu/test_emu_codes.c $(emu_rig)
tests_emu_test_emu_codes_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_emu_test_emu_codes_LDADD = libwd/libwd_core.la $(CMOCKA_LIBS) -lz
tests_emu_test_emu_library_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_emu_test_emu_library_LDADD = libwd/libwd_core.la $(CMOCKA_LIBS)
tests_emu_test_emu_qm_SOURCES = tests/emu/test_emu_qm.c $(qm_board)
tests_emu_test_emu_qm_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_emu_test_emu_qm_LDADD = libwd/libwd_core.la $(CMOCKA_LIBS) -lz
tests_emu_test_emu_qm_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=calloc
tests_emu_test_emu_qm_events_SOURCES = tests/emu/test_emu_qm_events.c $(qm_board)
tests_emu_test_emu_qm_events_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_emu_test_emu_qm_events_LDADD = libwd/libwd_core.la $(CMOCKA_LIBS) -lz
tests_emu_test_emu_qm_functions_SOURCES = tests/emu/test_emu_qm_functions.c $(qm_board)
tests_emu_test_emu_qm_functions_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_emu_test_emu_qm_functions_LDADD = libwd/libwd_core.la $(CMOCKA_LIBS) -lz
tests_emu_test_emu_qm_lies_SOURCES = tests/emu/test_emu_qm_lies.c $(qm_board)
tests_emu_test_emu_qm_lies_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_emu_test_emu_qm_lies_LDADD = libwd/libwd_core.la $(CMOCKA_LIBS) -lz
tests_emu_test_emu_qm_order_SOURCES = tests/emu/test_emu_qm_order.c $(qm_board)
tests_emu_test_emu_qm_order_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_emu_test_emu_qm_order_LDADD = libwd/libwd_core.la $(CMOCKA_LIBS) -lz
tests_emu_test_emu_qm_pasid_SOURCES = tests/emu/test_emu_qm_pasid.c $(qm_board)
tests_emu_test_emu_qm_pasid_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_emu_test_emu_qm_pasid_LDADD = libwd/libwd_core.la $(CMOCKA_LIBS) -lz
tests_emu_test_emu_queue_SOURCES = tests/emu/test_emu_queue.c $(emu_rig)
tests_emu_test_emu_queue_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_emu_test_emu_queue_LDADD = libwd/libwd_core.la $(CMOCKA_LIBS) -lz
tests_emu_test_emu_queue_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=pthread_mutex_init,--wrap=pthread_mutex_lock,--wrap=pthread_mutex_unlock
tests_emu_test_emu_zip_SOURCES = tests/emu/test_emu_zip.c $(emu_rig)
tests_emu_test_emu_zip_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_emu_test_emu_zip_LDADD = libwd/libwd_core.la $(CMOCKA_LIBS) -lz
endif
