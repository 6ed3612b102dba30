# SPDX-License-Identifier: Zlib
# The vendor's uacce as it is delivered, without an IOMMU, which only has interrupts here: a queue's memory lies in pieces of 4 MiB.
#: inside qm=2
#: include vendor.body
#: iommu
#: kernel intel_iommu=off
#: limit 900
#: requests 300
#: counter pasid_reads 0 0
#: counter pasid_writes 0 0
#: counter denied 0 0
. /vendor.body
vendor hisi_qm_v2 noiommu flags=0x2
