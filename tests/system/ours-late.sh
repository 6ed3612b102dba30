# SPDX-License-Identifier: Zlib
# A request that outlives its queue: the reset that comes of it ends it, and what it would write to is not written to.
#: device qm=2,queues=64,fault=late=9000@1
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: module wd_hisi_zip vfio_iommu_type1
#: file {build}/tests/system/calls /bin/calls
uuid=6e6f7465-0000-4000-8000-000000000001
check "VFIO's container loads" load vfio_iommu_type1
check "the modules load" load wd_hisi_zip
parent=$(cd -P /sys/class/sdmdev/*/device && pwd)
type=$(echo "$parent"/mdev_supported_types/*)
check "the kernel checks requests" sh -c "echo 64 >$parent/params/dma_mode"
check "a queue is made" sh -c "echo $uuid >$type/create"
group=$(basename "$(readlink "$parent/$uuid/iommu_group")")
check "it breaks, and starts again after a reset" calls hang "$group" $uuid
check "the queue is removed, and its memory" sh -c "echo 1 >$parent/$uuid/remove"
sleep 10
check "the device wrote to none of it" sh -c "! dmesg | grep 'hardware errors'"
check "the function works" grep -qx ok "$parent/params/state"
check "all modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
