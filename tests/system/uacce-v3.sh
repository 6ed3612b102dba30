# SPDX-License-Identifier: Zlib
# Mainline's driver of version 3 with uacce: memory, processes, resets, removal.
#: inside qm=3,queues=256
#: include uacce.body
#: limit 1500
#: requests 190
#: counter pasid_reads 300
#: counter pasid_writes 300
#: counter page_groups 90
#: counter pages_refused 4
#: counter denied 4
. /uacce.body
uacce_load hisi_qm_v3
uacce_works
whole_memory "version 3"
whole_life "version 3"
pci=$(basename "$(readlink -f $class/device)")
check "a process works when the function is reset" begin_loop
check "the reset succeeds" sh -c "echo 1 >/sys/bus/pci/devices/$pci/reset"
check "it learns of that" loop_ended '.*'
check "round trips after it" selftest $device
check "a process works when the driver is unbound" begin_loop
echo "$pci" >/sys/bus/pci/drivers/hisi_zip/unbind &
unbind=$!
sleep 2
check "which waits for the process" kill -0 $unbind
check "that is ended" end_loop
check "and so is the unbinding" wait $unbind
check "the driver binds again" sh -c "echo $pci >/sys/bus/pci/drivers/hisi_zip/bind"
check "the device is there again" until_true sh -c 'ls /dev | grep hisi_zip-'
device=$(ls /dev | grep hisi_zip-)
class=/sys/class/uacce/$device
give
check "round trips after that" selftest "$device"
check "a process works when the function is removed" begin_loop
echo 1 >"/sys/bus/pci/devices/$pci/remove" &
removal=$!
sleep 2
check "which waits for the process, too" kill -0 $removal
check "that is ended, too" end_loop
check "and so is the removal" wait $removal
check "the device is gone" [ ! -e /dev/$device ]
check "a scan of the bus finds the function" sh -c "echo 1 >/sys/bus/pci/rescan; test -e /sys/bus/pci/devices/$pci/driver"
check "the device is there once more" until_true sh -c 'ls /dev | grep hisi_zip-'
device=$(ls /dev | grep hisi_zip-)
class=/sys/class/uacce/$device
check "round trips after the removal" selftest "$device"
uacce_unload
