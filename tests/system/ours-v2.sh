# SPDX-License-Identifier: Zlib
# Version 2 with an IOMMU: all queues have their doorbell in one page.
#: device qm=2
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: include ours.body
api=hisi_qm_v2
mode=0x1
. /ours.body
