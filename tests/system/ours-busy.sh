# SPDX-License-Identifier: Zlib
# A device that does not stop a queue in time: the driver gives up, resets it, and whoever comes next is served.
#: device qm=3,queues=64,fault=stop=8000@1
#: server -i
#: iommu
#: kernel intel_iommu=off
#: module wd_hisi_zip vfio_iommu_type1
#: file {build}/tests/system/calls /bin/calls
uuid=6e6f7465-0000-4000-8000-000000000001
is_ok() { grep -qx ok "$parent/params/state"; }

check "VFIO's container loads" load vfio_iommu_type1
check "the modules load" load wd_hisi_zip
parent=$(cd -P /sys/class/sdmdev/*/device && pwd)
type=$(echo "$parent"/mdev_supported_types/*)
check "a queue is made" sh -c "echo $uuid >$type/create"
group=$(basename "$(readlink "$parent/$uuid/iommu_group")")
calls mediated "$group" $uuid || echo "the process was not served to the end, which it may not be"
check "the function works again" until_true is_ok
check "another process is served" calls mediated "$group" $uuid
check "the queue is removed" sh -c "echo 1 >$parent/$uuid/remove"
check "all modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
