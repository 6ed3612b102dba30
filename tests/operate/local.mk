# SPDX-License-Identifier: Zlib
# What whoever runs programs sets, and reads of them.
operate_tests =
operate_tests += tests/operate/cdi.sh
operate_tests += tests/operate/completion.sh
operate_tests += tests/operate/doctor.sh
operate_tests += tests/operate/files.sh
operate_tests += tests/operate/probes.sh
operate_tests += tests/operate/run.sh
operate_tests += tests/operate/scan.sh
TESTS += $(operate_tests)
EXTRA_DIST += $(operate_tests)
