# SPDX-License-Identifier: Zlib
# A request that never ends: its queue cannot be drained, so the function is reset.
#: device qm=2,queues=64,fault=hang@1
#: iommu
#: kernel intel_iommu=off
#: module wd_hisi_zip vfio_iommu_type1
#: file {build}/tests/system/calls /bin/calls
uuid=6e6f7465-0000-4000-8000-000000000001
check "VFIO's container loads" load vfio_iommu_type1
check "the modules load" load wd_hisi_zip
parent=$(cd -P /sys/class/sdmdev/*/device && pwd)
type=$(echo "$parent"/mdev_supported_types/*)
check "a queue is made" sh -c "echo $uuid >$type/create"
group=$(basename "$(readlink "$parent/$uuid/iommu_group")")
check "it breaks, and starts again after a reset" calls hang "$group" $uuid
check "the function works" grep -qx ok "$parent/params/state"
check "another process is served" calls mediated "$group" $uuid
check "the queue is removed" sh -c "echo 1 >$parent/$uuid/remove"
check "all modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
