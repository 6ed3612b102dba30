# SPDX-License-Identifier: Zlib
# The kernel's own driver on a VF, as in a virtual machine: its PF is the host's.
#: device vf:qm=3,queues=64,vfs=1
#: iommu
#: kernel intel_iommu=on
#: module hisi_zip
#: requests 12
bus=/sys/bus/pci/drivers/hisi_zip

self_test_passed() { grep -A 5 "^driver *: $1" /proc/crypto | grep -q "selftest *: passed"; }

check "the device is there" grep -q 0xa251 /sys/bus/pci/devices/*/device
check "hisi_zip loads" load hisi_zip
check "it binds to the VF" sh -c "ls -d $bus/0000:*"
check "deflate passes the kernel's self-test" until_true self_test_passed hisi-deflate-acomp
check "function level reset" sh -c "for f in $bus/0000:*; do echo 1 >\$f/reset; done"
check "hisi_zip unloads" rmmod hisi_zip
check "and loads again" load hisi_zip
check "deflate passes again" until_true self_test_passed hisi-deflate-acomp
check "hisi_zip and hisi_qm unload" sh -c 'rmmod hisi_zip && rmmod hisi_qm && rmmod uacce'
