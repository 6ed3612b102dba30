# SPDX-License-Identifier: Zlib
# An error shuts the device's way to memory: the driver asks for nothing that needs it until a reset, so that this is quick.
#: device qm=3,queues=64,fault=reset@20
#: server -i
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: module wd_hisi_zip vfio_iommu_type1
#: file {build}/.libs/zwd /usr/bin/zwd
#: requests 40
parent=/sys/class/sdmdev/0000:00:01.0/device
is_ok() { grep -qx ok "$parent/params/state"; }
quiet() { ! dmesg | grep -E "mailbox command|not written back"; }

check "the modules load" load wd_hisi_zip
check "VFIO's container loads" load vfio_iommu_type1
check "queues are made" zwd -n 4 queues create
zwd selftest >/tmp/first 2>&1 || echo "a round trip failed, which it may"
check "an error was told" sh -c "dmesg | grep 'hardware errors'"
check "the device works again" until_true is_ok
check "nothing was sent to a shut device" quiet
check "round trips of many sizes" selftest
check "queues are removed" zwd queues remove
check "all modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
