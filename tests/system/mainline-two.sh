# SPDX-License-Identifier: Zlib
# Two devices at once, with doorbell pages and every capability that version 3 has.
#: device qm=3,queues=64
#: device qm=3,queues=128
#: server -f -i
#: iommu
#: kernel intel_iommu=on
#: module hisi_zip
#: requests 12
debug=/sys/kernel/debug/hisi_zip
bus=/sys/bus/pci/drivers/hisi_zip

self_test_passed() { grep -A 5 "^driver *: $1" /proc/crypto | grep -q "selftest *: passed"; }
all_suspended() { ! grep -qv suspended $bus/0000:*/power/runtime_status; }
manage_power() {
	for device in $bus/0000:*; do
		echo "$1" >"$device/power/control" && echo 100 >"$device/power/autosuspend_delay_ms"
	done
}

check "hisi_zip loads" load hisi_zip
check "it binds to both devices" sh -c "[ \$(ls -d $bus/0000:* | wc -l) = 2 ]"
check "deflate passes the kernel's self-test" until_true self_test_passed hisi-deflate-acomp
check "power management at run time" manage_power auto
check "both are suspended when idle" until_true all_suspended
check "both resume" manage_power on
check "registers are readable" sh -c "cat $debug/*/qm/regs | grep -q QM_"
check "suspended once more" manage_power auto
check "and are suspended again" until_true all_suspended
check "hisi_zip unloads" rmmod hisi_zip
check "and loads again" load hisi_zip
check "deflate passes again" until_true self_test_passed hisi-deflate-acomp
check "hisi_zip and hisi_qm unload" sh -c 'rmmod hisi_zip && rmmod hisi_qm && rmmod uacce'
