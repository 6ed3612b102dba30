# SPDX-License-Identifier: Zlib
# gzip by our modules in mode svm: what the device counted is what the library says.
#: suite trixie-backports-drivers
#: inside qm=3
#: smpwc yes
#: iommu
#: kernel intel_iommu=on,sm_on
#: include sva.body
#: include gzip.body
#: limit 900
#: requests 20
#: counter pasid_reads 20
#: counter pasid_writes 20
#: counter denied 0 0
. /sva.body
. /gzip.body
modules_load
check "mode svm is set" set_mode 4
check "queues are made" zwd -n 8 queues create
gzip_24
check "queues are removed" until_true zwd queues remove
modules_unload
