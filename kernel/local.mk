# SPDX-License-Identifier: Zlib
EXTRA_DIST += kernel/include/uapi/wd/sdmdev.h kernel/include/wd/vfio_sdmdev.h
