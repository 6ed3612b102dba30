# SPDX-License-Identifier: Zlib
# The kernel's own driver of the device, as an independent reader of the hardware, on version 3.
#: device qm=3,queues=256
#: iommu
#: kernel intel_iommu=on
#: include mainline.body
revision=0x30
algs=deflate
. /mainline.body
