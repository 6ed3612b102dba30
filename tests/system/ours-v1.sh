# SPDX-License-Identifier: Zlib
# Version 1, whose doorbell all queues share with the mailbox: only the kernel sends requests.
#: device qm=1
#: iommu
#: kernel intel_iommu=off
#: include ours.body
api=hisi_qm_v1
mode=0x40
. /ours.body
