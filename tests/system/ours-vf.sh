# SPDX-License-Identifier: Zlib
# Our modules and libraries on a VF alone, as in a virtual machine.
#: device vf:qm=3,queues=64,vfs=1
#: server -i
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: include ours.body
api=hisi_qm_v3
mode=0x1
. /ours.body
