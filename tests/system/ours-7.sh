# SPDX-License-Identifier: Zlib
# The newest kernel that the modules know, that of the next Debian's backports: version 3 with an IOMMU, in both modes.
# VFIO answers more by itself there.
#: suite trixie-backports
#: device qm=3
#: server -i
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: include ours.body
api=hisi_qm_v3
mode=0x1
. /ours.body
check "the modules load once more" load wd_hisi_zip
check "the mode is changed" sh -c "echo 64 >$parent/params/dma_mode"
check "queues are made where the kernel writes requests" zwd -n 4 queues create
check "round trips of many sizes there" selftest
check "these queues are removed" zwd queues remove
check "nothing stays loaded" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
