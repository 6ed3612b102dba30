# SPDX-License-Identifier: Zlib
# The kernel's own driver on version 2, of which it registers no algorithm.
#: device qm=2
#: iommu
#: kernel intel_iommu=on
#: module hisi_zip
debug=/sys/kernel/debug/hisi_zip
bus=/sys/bus/pci/drivers/hisi_zip

v2=$(basename "$(dirname "$(grep -l 0xa250 /sys/bus/pci/devices/*/device)")")
# context KIND [QUEUE]: the driver has the device write it to memory and prints it.
context() {
	echo "$*" >"$debug/$v2/qm/cmd" && dmesg | tail -n 40 | grep -qi "$1"
}

check "the device is there, revision 0x21" grep -q 0x21 "/sys/bus/pci/devices/$v2/revision"
check "hisi_zip loads" load hisi_zip
check "it binds to the device" [ -d "$bus/$v2" ]
check "four interrupt vectors" sh -c "[ \$(ls $bus/$v2/msi_irqs | wc -l) = 4 ]"
check "its registers are readable" sh -c "grep -q = $debug/$v2/qm/regs"
check "its event queue's context can be read" context eqc
check "its submission queue's context can be read" context sqc 0
check "its mailbox had no errors" grep -qx 0 "$debug/$v2/qm/mb_err"
check "function level reset" sh -c "echo 1 >$bus/$v2/reset"
check "it still answers" context aeqc
check "unbind" sh -c "echo $v2 >$bus/unbind"
check "bind" sh -c "echo $v2 >$bus/bind"
check "hisi_zip unloads" rmmod hisi_zip
