# SPDX-License-Identifier: Zlib
libwd_emu_sources =
