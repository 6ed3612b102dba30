# SPDX-License-Identifier: Zlib
# Version 2, which has zlib and gzip alone, and the last kernel of Debian whose own driver registers them: 5.10.
#: suite bullseye
#: device qm=2,queues=256
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

check "the device is there, revision 0x21" \
	sh -c 'grep -l 0xa250 /sys/bus/pci/devices/*/device && grep -q 0x21 /sys/bus/pci/devices/*/revision'
check "hisi_zip loads" load hisi_zip
check "it binds to the device" sh -c 'ls -d /sys/bus/pci/drivers/hisi_zip/0000:*'
check "zlib is registered" until_true has_driver hisi-zlib-acomp
check "zlib passes the kernel's self-test" until_true self_test_passed hisi-zlib-acomp
check "gzip passes, too" until_true self_test_passed hisi-gzip-acomp
check "requests were answered" sh -c "[ $(count send_cnt) -gt 0 ] && [ $(count send_cnt) = $(count recv_cnt) ]"
check "none failed" [ "$(count err_bd_cnt)" = 0 ]
counts
check "hisi_zip unloads" rmmod hisi_zip
check "and loads again" load hisi_zip pf_q_num=128
check "zlib passes again" until_true self_test_passed hisi-zlib-acomp
check "function level reset" sh -c 'for f in /sys/bus/pci/drivers/hisi_zip/0000:*; do echo 1 >$f/reset; done'
check "unloads after it" rmmod hisi_zip
check "loads after it" load hisi_zip
check "zlib passes after it" until_true self_test_passed hisi-zlib-acomp
counts
check "hisi_zip and hisi_qm unload" sh -c 'rmmod hisi_zip && rmmod hisi_qm && rmmod uacce'
