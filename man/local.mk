# SPDX-License-Identifier: Zlib
dist_man_MANS += man/libz-wd.7
