# SPDX-License-Identifier: Zlib
# A process keeps its doorbell over a reset: what it rings then finds no queue, above all not the one of before.
#: device qm=2,queues=64
#: iommu aw-bits=48
#: kernel intel_iommu=on iomem=relaxed
#: module wd_hisi_zip vfio_iommu_type1
#: file {build}/tests/system/calls /bin/calls
#: file {build}/tests/system/registers /bin/registers
uuid=6e6f7465-0000-4000-8000-000000000001
is_ok() { grep -qx ok "$parent/params/state"; }
register() { registers "$parent" $1 32; }
# As the process would, were its page not taken away: the entry with the number 1 is new.
ring() { for queue in 0 1 2 3; do registers "$parent" 0x1000 64 $((1 << 32 | queue)) || return; done; }

check "VFIO's container loads" load vfio_iommu_type1
check "the modules load" load wd_hisi_zip
parent=$(cd -P /sys/class/sdmdev/*/device && pwd)
type=$(echo "$parent"/mdev_supported_types/*)
check "a queue is made" sh -c "echo $uuid >$type/create"
/bin/calls hold "$(basename "$(readlink "$parent/$uuid/iommu_group")")" $uuid >/tmp/held 2>&1 &
holder=$!
check "a process has it running" until_true grep -q held /tmp/held
check "the function is reset" sh -c "echo 1 >$parent/reset"
check "and works" until_true is_ok
before=$(register 0x104050)
check "its doorbells are rung" ring
sleep 1
check "no request ran" [ "$(register 0x104050)" = "$before" ]
check "no error came of it" sh -c "! dmesg | grep 'hardware errors'"
check "the function works" is_ok
kill -9 $holder
wait $holder
check "the queue is removed" sh -c "echo 1 >$parent/$uuid/remove"
check "all modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
