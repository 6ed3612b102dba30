# SPDX-License-Identifier: Zlib
# The libraries' own tests by our modules in mode svm.
#: suite trixie-backports-drivers
#: inside qm=3,queues=256
#: smpwc yes
#: iommu
#: kernel intel_iommu=on,sm_on
#: include sva.body
#: include libs.body
#: memory_mib 768
#: limit 1800
#: requests 5000
#: counter pasid_reads 5000
#: counter pasid_writes 5000
#: counter page_groups 100
#: expected DMAR: .*(fault reason 0x5b|handling fault status)
. /sva.body
. /libs.body
modules_load
check "mode svm is set" set_mode 4
check "queues are made" zwd -n 32 queues create
libs
check "queues are removed" until_true zwd queues remove
modules_unload
