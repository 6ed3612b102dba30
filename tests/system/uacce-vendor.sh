# SPDX-License-Identifier: Zlib
# The vendor's uacce behind an IOMMU: a queue's memory is one piece for the device, wherever it lies.
#: inside qm=3
#: include vendor.body
#: iommu
#: kernel intel_iommu=on,sm_on
#: limit 900
#: requests 300
#: counter pasid_reads 0 0
#: counter pasid_writes 0 0
#: counter denied 0 0
. /vendor.body
vendor hisi_qm_v3 iommu flags=0x80
