# SPDX-License-Identifier: Zlib
# Version 3 without an IOMMU: the kernel checks each request.
# It is there for interrupts only: without it a PC gives one vector to a device.
#: device qm=3
#: server -i
#: iommu
#: kernel intel_iommu=off
#: include ours.body
api=hisi_qm_v3
mode=0x40
. /ours.body
