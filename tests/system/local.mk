# SPDX-License-Identifier: Zlib
# The system test: guests in QEMU with modelled devices; not part of check.
# make check-system [SCENARIOS='NAME...']
EXTRA_PROGRAMS += tests/system/vfu-server
tests_system_vfu_server_SOURCES = tests/system/vfu-server.c tests/system/vfu.c tests/system/vfu.h
tests_system_vfu_server_LDADD = libwd/libwd_core.la
# The same device as an object for QEMU itself, which links nothing and is preloaded; it exports no name.
EXTRA_LTLIBRARIES = tests/system/model/hisi-zip.la
tests_system_model_hisi_zip_la_SOURCES = tests/system/model/device.c tests/system/model/pages.c \
	tests/system/model/pages.h tests/system/model/qemu.c tests/system/model/qemu.h
tests_system_model_hisi_zip_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
tests_system_model_hisi_zip_la_LDFLAGS = -module -avoid-version -shared -rpath $(abs_builddir) \
	-Wl,--exclude-libs,ALL
tests_system_model_hisi_zip_la_LIBADD = libwd/libwd_core.la
EXTRA_PROGRAMS += tests/system/calls tests/system/registers
tests_system_calls_SOURCES = tests/system/calls.c
tests_system_registers_SOURCES = tests/system/registers.c
# What attack-* run as an ordinary user: attacks, and who suffers by them.
attack_programs = tests/system/attacks/as_user tests/system/attacks/backlog tests/system/attacks/burst \
	tests/system/attacks/churn tests/system/attacks/forge tests/system/attacks/hold tests/system/attacks/reach \
	tests/system/attacks/stall_argument \
	tests/system/attacks/stall_charge tests/system/attacks/stall_pin tests/system/attacks/storm \
	tests/system/attacks/unshare tests/system/attacks/victim tests/system/attacks/waiters
EXTRA_PROGRAMS += $(attack_programs)
EXTRA_LTLIBRARIES += tests/system/attacks/libqueue.la
tests_system_attacks_libqueue_la_SOURCES = tests/system/attacks/never.c tests/system/attacks/never.h \
	tests/system/attacks/queue.c tests/system/attacks/queue.h
tests_system_attacks_backlog_LDADD = tests/system/attacks/libqueue.la
tests_system_attacks_burst_LDADD = tests/system/attacks/libqueue.la
tests_system_attacks_churn_LDADD = tests/system/attacks/libqueue.la
tests_system_attacks_forge_LDADD = tests/system/attacks/libqueue.la -lz
tests_system_attacks_hold_LDADD = tests/system/attacks/libqueue.la
tests_system_attacks_reach_LDADD = tests/system/attacks/libqueue.la -lz
tests_system_attacks_stall_argument_LDADD = tests/system/attacks/libqueue.la
tests_system_attacks_stall_charge_LDADD = tests/system/attacks/libqueue.la
tests_system_attacks_stall_pin_LDADD = tests/system/attacks/libqueue.la
tests_system_attacks_storm_LDADD = tests/system/attacks/libqueue.la
tests_system_attacks_unshare_LDADD = tests/system/attacks/libqueue.la
tests_system_attacks_victim_LDADD = tests/system/attacks/libqueue.la -lz
tests_system_attacks_waiters_LDADD = tests/system/attacks/libqueue.la
# What the guests of check-system-sva run, whose device has the process's own page tables.
sva_programs = tests/system/sva/life tests/system/sva/memory tests/system/sva/near
EXTRA_PROGRAMS += $(sva_programs)
EXTRA_LTLIBRARIES += tests/system/sva/libcall.la
tests_system_sva_libcall_la_SOURCES = tests/system/sva/call.c tests/system/sva/call.h
tests_system_sva_life_LDADD = tests/system/sva/libcall.la libwd/libwd_core.la -lz
tests_system_sva_memory_LDADD = tests/system/sva/libcall.la libwd/libwd_core.la -lz
tests_system_sva_near_LDADD = tests/system/sva/libcall.la libwd/libwd_core.la -lz
if HAVE_CMOCKA
check_PROGRAMS += tests/system/test_vfu
TESTS += tests/system/test_vfu
tests_system_test_vfu_SOURCES = tests/system/test_vfu.c tests/system/vfu.c tests/system/vfu.h
tests_system_test_vfu_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_system_test_vfu_LDADD = libwd/libwd_core.la $(CMOCKA_LIBS)
# What *-libs and ours-queues run in the guest.
system_programs = tests/queue/context tests/queue/fork tests/queue/memory tests/queue/ring \
	tests/queue/shared tests/queue/threads \
	tests/stream/deflate_copy tests/stream/deflate_flush tests/stream/fork tests/stream/in_place \
	tests/stream/inflate_copy tests/stream/parallel tests/stream/threads
endif
# The longest first.
SCENARIOS = attack-backlog attack-share attack-share-v2 attack-errors attack-churn \
	attack-churn-mediated attack-pin attack-forge attack-shutdown ours-libs ours-calls ours-7-calls ours-flight ours-faults \
	ours-mix ours-gone ours-queues ours-7 ours-iommu ours-plain ours-v2 ours-vf ours-newer ours-hang \
	ours-functions ours-pasid ours-scalable ours-busy ours-late ours-shut ours-stale mainline-v3 mainline-vf mainline-v2 mainline-two
EXTRA_DIST += tests/system/apt.sh tests/system/arm64.sh tests/system/attack-backlog.sh \
	tests/system/attack-churn.sh tests/system/attack-churn-mediated.sh \
	tests/system/attack-errors.sh tests/system/attack-forge.sh tests/system/attack-newer.sh \
	tests/system/attack-pin.sh \
	tests/system/attack-share.sh tests/system/attack-share-v2.sh tests/system/attack-shutdown.sh tests/system/attack.body \
	tests/system/module/Kbuild tests/system/module/wd_test_errors.c tests/system/module/wd_test_vendor.c \
	tests/system/build.sh \
	tests/system/calls.body tests/system/debug.config tests/system/debug-stock.config \
	tests/system/debug-trixie-backports-drivers.config tests/system/debug.sh \
	tests/system/fetch.sh tests/system/headers.sh tests/system/init tests/system/mainline-old.sh \
	tests/system/mainline-two.sh tests/system/mainline-v2.sh tests/system/mainline-v3.sh \
	tests/system/mainline-vf.sh tests/system/mainline.body tests/system/ours-7-calls.sh tests/system/ours-7.sh \
	tests/system/ours-arm64.sh tests/system/ours-busy.sh tests/system/ours-calls.sh tests/system/ours-faults.sh \
	tests/system/ours-flight.sh tests/system/ours-functions.sh tests/system/ours-gone.sh tests/system/ours-hang.sh \
	tests/system/ours-iommu.sh tests/system/ours-late.sh tests/system/ours-libs.sh tests/system/ours-mix.sh \
	tests/system/ours-newer.sh tests/system/ours-pasid.sh tests/system/ours-plain.sh tests/system/ours-queues.sh tests/system/ours-scalable.sh \
	tests/system/ours-svm-faults.sh tests/system/ours-svm-gone.sh tests/system/ours-svm-gzip.sh \
	tests/system/ours-svm-libs.sh tests/system/ours-svm.sh tests/system/uacce-faults.sh \
	tests/system/uacce-gzip.sh tests/system/uacce-isolated.sh tests/system/uacce-libs.sh \
	tests/system/uacce-near.sh tests/system/uacce-v2.sh tests/system/uacce-v3.sh \
	tests/system/uacce-vendor.sh tests/system/uacce-vendor-v2.sh \
	tests/system/faults.body tests/system/gzip.body tests/system/libs.body tests/system/uacce.body \
	tests/system/vendor.body tests/system/whole.body \
	tests/system/ours-shut.sh tests/system/ours-stale.sh tests/system/ours-v1.sh \
	tests/system/ours-v2.sh tests/system/ours-vf.sh tests/system/ours.body \
	tests/system/queue.body tests/system/run tests/system/run.py tests/system/sva.body tests/system/vmlinux.py

CLEANFILES += tests/system/calls$(EXEEXT) tests/system/registers$(EXEEXT) tests/system/vfu-server$(EXEEXT) \
	$(attack_programs) $(sva_programs)

# Libraries first: beside them the programs would make them once more.
check-system: all
	$(MAKE) $(AM_MAKEFLAGS) tests/system/calls tests/system/registers tests/system/vfu-server \
		tests/system/model/hisi-zip.la $(attack_programs) $(system_programs)
	sh $(srcdir)/tests/system/run $(abs_top_builddir) $(SCENARIOS)

# Guests whose device has the page tables of processes, on our modules and on mainline's uacce, with the newest kernel.
# The longest first.
SVA_SCENARIOS = ours-svm-libs uacce-libs ours-svm ours-svm-faults uacce-v3 uacce-faults \
	ours-svm-gone uacce-isolated uacce-vendor uacce-vendor-v2 ours-svm-gzip uacce-gzip uacce-near uacce-v2 \
	ours-pasid
check-system-sva: all
	$(MAKE) $(AM_MAKEFLAGS) tests/system/vfu-server tests/system/model/hisi-zip.la $(attack_programs) \
		$(sva_programs) $(system_programs)
	sh $(srcdir)/tests/system/run $(abs_top_builddir) $(SVA_SCENARIOS)

# Further guests: all attacks on the newer kernels; version 1, an engineering sample; arm64, whose libraries and programs are built here, in
# tests/system/arm64 (tests/install arm64 before); and the kernel of an older Debian, which its mirrors may drop some day.
check-system-long: all
	$(MAKE) $(AM_MAKEFLAGS) tests/system/vfu-server tests/system/model/hisi-zip.la $(attack_programs)
	sh $(srcdir)/tests/system/arm64.sh $(abs_top_builddir)/tests/system/arm64 tests/system/calls \
		$(system_programs)
	sh $(srcdir)/tests/system/run $(abs_top_builddir) attack-newer attack-newer:trixie-backports ours-arm64 ours-v1 \
		mainline-old

# On a kernel with KASAN, lockdep and kmemleak, which takes 10 minutes to build, once; tests/install debug before.
# It is this Debian's version, and has no disk.
check-system-debug: all
	$(MAKE) $(AM_MAKEFLAGS) tests/system/calls tests/system/registers tests/system/vfu-server $(attack_programs) \
		$(system_programs)
	WD_SYSTEM_FETCH=debug WD_SYSTEM_SLOW=5 sh $(srcdir)/tests/system/run $(abs_top_builddir) \
		$(filter-out ours-mix ours-pasid ours-scalable %-newer ours-7%,$(filter attack-% ours-%,$(SCENARIOS)))
# The same for devices with page tables of processes, on a kernel of 7.3: memory and processes that come and go.
SVA_DEBUG_SCENARIOS = ours-svm uacce-v3 ours-svm-gone ours-svm-faults uacce-faults
check-system-sva-debug: all
	$(MAKE) $(AM_MAKEFLAGS) tests/system/vfu-server tests/system/model/hisi-zip.la $(attack_programs) $(sva_programs)
	WD_SYSTEM_FETCH=debug WD_SYSTEM_SLOW=5 sh $(srcdir)/tests/system/run $(abs_top_builddir) $(SVA_DEBUG_SCENARIOS)

clean-local-system:
	rm -rf tests/system/modules-* tests/system/arm64
clean-local: clean-local-system
