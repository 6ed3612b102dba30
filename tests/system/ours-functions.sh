# SPDX-License-Identifier: Zlib
# A PF and its VF in one guest, which sees two devices: what one of them suffers by the other.
# What PCI's part of Linux does for VFs, queues for instance, is done here by hand.
#: device qm=3,queues=64,vfs=1
#: device vf
#: iommu aw-bits=48
#: kernel intel_iommu=on iomem=relaxed
#: module wd_hisi_zip vfio_iommu_type1
#: file {build}/tests/system/calls /bin/calls
#: file {build}/tests/system/registers /bin/registers
#: limit 240
#: requests 4
uuid=6e6f7465-0000-4000-8000-00000000000
pf=/sys/bus/pci/devices/0000:00:01.0
vf=/sys/bus/pci/devices/0000:00:02.0
driver=/sys/bus/pci/drivers/wd_hisi_zip

bind() { echo "$(basename "$1")" >$driver/bind; }
is_ok() { grep -qx ok "$1/params/state"; }
set_register() { registers $pf $(($1)) 32 $(($2)); }
# Queues 32 to 63 to function 1, by the two tables that say so.
give_queues() {
	for table in "0 0 $((1 << 12 | 31 << 13 | 2))" "1 1<<28 0"; do
		set -- $table
		set_register 0x100058 0
		set_register 0x10005c "$1"
		set_register 0x100060 1
		set_register 0x100064 "$2"
		set_register 0x100068 "$3"
		set_register 0x10006c 0
		set_register 0x100054 1
	done
}
create() { echo "$uuid$2" >"$(echo $1/mdev_supported_types/*)/create"; }
calls() { /bin/calls single "$(basename "$(readlink $1/$uuid$2/iommu_group)")" $uuid$2; }

check "nothing is bound by itself" sh -c "echo 0 >/sys/bus/pci/drivers_autoprobe"
check "VFIO's container loads" load vfio_iommu_type1
check "the modules load" load wd_hisi_zip
check "the PF is bound" bind $pf
give_queues
check "the VF is bound" bind $vf
check "the PF has a queue" create $pf 1
check "the VF has a queue" create $vf 2
check "the PF serves a process" calls $pf 1
check "the VF serves a process" calls $vf 2
check "the VF is reset" sh -c "echo 1 >$vf/reset"
check "the PF knows nothing of it" is_ok $pf
check "the VF serves a process after it" calls $vf 2
check "the PF serves a process after it" calls $pf 1
check "queues are removed" sh -c "echo 1 >$pf/${uuid}1/remove && echo 1 >$vf/${uuid}2/remove"
check "all modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
