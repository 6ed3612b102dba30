# SPDX-License-Identifier: Zlib
# The kernel's own driver of the device, as an independent reader of the hardware, on version 3.
#: device qm=3,queues=256
#: iommu
#: kernel intel_iommu=on
#: module hisi_zip
#: requests 18
debug=/sys/kernel/debug/hisi_zip

has_driver() { grep -q "^driver *: $1" /proc/crypto; }
tested() { awk -v want="$1" '$1 == "driver" { on = $3 == want } on && $1 == "selftest" { print $3 }' /proc/crypto; }
self_test_passed() { [ "$(tested "$1")" = passed ]; }
count() { cat $debug/*/zip_dfx/"$1"; }
counts() { for c in send_cnt recv_cnt send_busy_cnt err_bd_cnt; do echo "$c $(count $c)"; done; }

check "the device is there, revision 0x30" \
	sh -c 'grep -l 0xa250 /sys/bus/pci/devices/*/device && grep -q 0x30 /sys/bus/pci/devices/*/revision'
check "hisi_zip loads" load hisi_zip
check "it binds to the device" sh -c 'ls -d /sys/bus/pci/drivers/hisi_zip/0000:*'
check "four interrupt vectors" sh -c '[ "$(ls /sys/bus/pci/drivers/hisi_zip/0000:*/msi_irqs | wc -l)" = 4 ]'
check "deflate is registered" until_true has_driver hisi-deflate-acomp
check "deflate passes the kernel's self-test" until_true self_test_passed hisi-deflate-acomp
check "requests were answered" sh -c "[ $(count send_cnt) -gt 0 ] && [ $(count send_cnt) = $(count recv_cnt) ]"
check "none failed" [ "$(count err_bd_cnt)" = 0 ]
counts
check "registers are readable" sh -c "cat $debug/*/qm/regs $debug/*/comp_core0/regs | grep -q ="
check "hisi_zip unloads" rmmod hisi_zip
check "and loads again" load hisi_zip pf_q_num=128
check "deflate passes again" until_true self_test_passed hisi-deflate-acomp
check "function level reset" sh -c 'for f in /sys/bus/pci/drivers/hisi_zip/0000:*; do echo 1 >$f/reset; done'
check "unloads after it" rmmod hisi_zip
check "loads after it" load hisi_zip
check "deflate passes after it" until_true self_test_passed hisi-deflate-acomp
counts
check "hisi_zip and hisi_qm unload" sh -c 'rmmod hisi_zip && rmmod hisi_qm && rmmod uacce'
