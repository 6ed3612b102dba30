# SPDX-License-Identifier: Zlib
mode_tests += tests/gzip/large.sh
mode_stamps += tests/gzip/members.sh.emu.t tests/gzip/members.sh.fault.t tests/gzip/names.sh.emu.t tests/gzip/nonblock.sh.soft.t tests/gzip/options.sh.emu.t tests/gzip/upstream.sh.emu.t
long_stamps += tests/gzip/members.sh.soft.t \
	tests/gzip/options.sh.fault.t tests/gzip/options.sh.soft.t \
	tests/gzip/upstream.sh.fault.t tests/gzip/upstream.sh.soft.t
EXTRA_DIST += \
	tests/gzip/cases \
	tests/gzip/common \
	tests/gzip/large.sh \
	tests/gzip/members.py \
	tests/gzip/members.sh \
	tests/gzip/names.sh \
	tests/gzip/nonblock.sh \
	tests/gzip/options.sh \
	tests/gzip/upstream.sh
