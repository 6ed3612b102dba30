# SPDX-License-Identifier: Zlib
# What sdmdev answers to each call, right and wrong, in both modes and on both buses; queues and
# functions that go while they are open.
#: device qm=3,queues=64
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: module wd_hisi_zip sdmdev sdmdev_mdev vfio_iommu_type1
#: include calls.body
#: limit 300
. /calls.body
check "VFIO's container loads" load vfio_iommu_type1
check "the modules load" load wd_hisi_zip
parent=$(parent_of)
check "the best mode is chosen" grep -qx 33 "$parent/params/dma_mode"
life single "single"
check "the mode is changed" sh -c "echo 64 >$parent/params/dma_mode"
life mediated "mediated"
check "a mode it has not got is refused" refused sh -c "echo 2 >$parent/params/dma_mode"
check "a bad uuid is refused" refused sh -c "echo 1 >$(echo "$parent"/mdev_supported_types/*/create)"
check "the modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
check "the other bus loads" eval "load sdmdev bus=mdev && load sdmdev_mdev"
check "the modules load on it" load wd_hisi_zip
life single "mdev"
check "all modules unload" \
	sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev_mdev && rmmod sdmdev'
