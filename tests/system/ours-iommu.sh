# SPDX-License-Identifier: Zlib
# Version 3 with an IOMMU: the memory of one process is shared with the device.
#: device qm=3
#: server -i
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: include ours.body
api=hisi_qm_v3
mode=0x1
. /ours.body
