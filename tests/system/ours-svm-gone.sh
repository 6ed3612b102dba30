# SPDX-License-Identifier: Zlib
# A device that our modules drive in mode svm is gone while it works, and cannot be reset: it is not offered any more.
#: suite trixie-backports-drivers
#: inside qm=3,fault=gone@12
#: smpwc yes
#: iommu
#: kernel intel_iommu=on,sm_on
#: include sva.body
#: include faults.body
#: limit 900
#: requests 12 12
#: counter pasid_reads 5
#: expected DMAR: .*(fault reason 0x5b|handling fault status)
. /sva.body
. /faults.body
modules_load
check "mode svm is set" set_mode 4
check "queues are made" zwd -n 8 queues create
check "data survives" round
check "its driver knows" until_true sh -c "grep -qx 'dead\|isolated' $P/params/state"
not_offered "gone\|isolated"
check "queues are removed" until_true zwd queues remove
modules_unload
