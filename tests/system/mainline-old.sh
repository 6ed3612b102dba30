# SPDX-License-Identifier: Zlib
# Version 2, which has zlib and gzip alone, and the last kernel of Debian whose own driver registers them: 5.10.
#: suite bullseye
#: device qm=2,queues=256
#: iommu
#: kernel intel_iommu=on
#: include mainline.body
revision=0x21
algs="zlib gzip"
. /mainline.body
