# SPDX-License-Identifier: Zlib
# The system test: guests in QEMU with modelled devices; not part of check.
# make check-system [SCENARIOS='NAME...']
EXTRA_PROGRAMS += tests/system/vfu-server
tests_system_vfu_server_SOURCES = tests/system/vfu-server.c tests/system/vfu.c tests/system/vfu.h
tests_system_vfu_server_LDADD = libwd/libwd_core.la
system_scenarios = tests/system/mainline-two.sh tests/system/mainline-v2.sh \
	tests/system/mainline-v3.sh tests/system/ours-iommu.sh tests/system/ours-plain.sh
EXTRA_DIST += tests/system/build.sh tests/system/fetch.sh tests/system/init tests/system/run \
	tests/system/run.py tests/system/vmlinux.py $(system_scenarios)

check-system: all tests/system/vfu-server
	sh $(srcdir)/tests/system/run $(abs_top_builddir) $(SCENARIOS)

clean-local-system:
	rm -rf tests/system/modules
clean-local: clean-local-system
