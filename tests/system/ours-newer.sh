# SPDX-License-Identifier: Zlib
# The kernel of backports: version 3 with an IOMMU. It has no bus of mediated devices that modules can use.
#: suite backports
#: device qm=3
#: server -i
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: include ours.body
api=hisi_qm_v3
mode=0x1
. /ours.body
