# SPDX-License-Identifier: Zlib
# What sdmdev answers to each call, right and wrong, in both modes and on both buses; queues and
# functions that go while they are open.
#: device qm=3,queues=64
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: module wd_hisi_zip sdmdev sdmdev_mdev vfio_iommu_type1
#: file {build}/tests/system/calls /bin/calls
#: limit 300
uuid=6e6f7465-0000-4000-8000-00000000000
driver=/sys/bus/pci/drivers/wd_hisi_zip

parent_of() { cd -P /sys/class/sdmdev/*/device && pwd; }
create() { echo "$uuid$1" >"$(echo "$parent"/mdev_supported_types/*/create)"; }
remove() { echo 1 >"$parent/$uuid$1/remove"; }
group() { basename "$(readlink "$parent/$uuid$1/iommu_group")"; }
# calls CASE NUMBER: one process with this queue.
calls() { /bin/calls "$1" "$(group "$2")" "$uuid$2"; }
refused() { ! "$@"; }
# start CASE NUMBER: in the background, until it holds the queue.
start() {
	: >/tmp/held
	/bin/calls "$1" "$(group "$2")" "$uuid$2" >/tmp/held 2>&1 &
	holder=$!
	until_true grep -q held /tmp/held
}
ended() { wait $holder || { cat /tmp/held; false; }; }

# life MODE NAME: everything that a queue lives through.
life() {
	check "$2: queues are made" eval 'create 1 && create 2 && create 3'
	check "$2: the mode cannot change now" refused sh -c "echo 64 >$parent/params/dma_mode"
	check "$2: the same uuid is refused" refused create 1
	check "$2: calls of any mode" calls common 1
	check "$2: calls of this mode" calls "$1" 1
	check "$2: the same again" calls "$1" 1
	check "$2: with another queue" calls "$1" 2
	check "$2: RLIMIT_MEMLOCK" calls limit 2
	check "$2: any call with any argument" calls fuzz 1
	check "$2: after it all is as before" calls "$1" 1
	start hold 2
	check "$2: a queue is opened once" calls busy 2
	if [ "$1" = single ]; then
		check "$2: a second process is refused" calls busy 3
	else
		check "$2: a second process is served" calls "$1" 3
	fi
	check "$2: the driver cannot be unloaded" refused rmmod wd_hisi_zip
	check "$2: the queue is removed while open" remove 2
	check "$2: which its process was asked for" ended
	check "$2: it is gone" [ ! -e "$parent/${uuid}2" ]
	start hold 3
	kill -9 $holder
	wait $holder
	check "$2: a process that died leaves nothing" calls "$1" 3
	start stay 3
	check "$2: the driver is unbound while one stays" \
		sh -c "echo $(basename "$parent") >$driver/unbind"
	check "$2: whose queue died" ended
	check "$2: nothing of it is left" [ ! -e "$parent/params" -a ! -e "$parent/${uuid}1" ]
	check "$2: and bound again" sh -c "echo $(basename "$parent") >$driver/bind"
}

check "VFIO's container loads" load vfio_iommu_type1
check "the modules load" load wd_hisi_zip
parent=$(parent_of)
check "the best mode is chosen" grep -qx 33 "$parent/params/dma_mode"
life single "single"
check "the mode is changed" sh -c "echo 64 >$parent/params/dma_mode"
life mediated "mediated"
check "a mode it has not got is refused" refused sh -c "echo 2 >$parent/params/dma_mode"
check "a bad uuid is refused" refused sh -c "echo 1 >$(echo "$parent"/mdev_supported_types/*/create)"
check "the modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
check "the other bus loads" eval "load sdmdev bus=mdev && load sdmdev_mdev"
check "the modules load on it" load wd_hisi_zip
life single "mdev"
check "all modules unload" \
	sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev_mdev && rmmod sdmdev'
