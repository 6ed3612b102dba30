# SPDX-License-Identifier: Zlib
# The process's own page table behind a PASID, by our modules: mode svm, beside all other modes.
#: suite trixie-backports-drivers
#: inside qm=3
#: smpwc yes
#: iommu
#: kernel intel_iommu=on,sm_on
#: include sva.body
#: include whole.body
#: limit 1800
#: requests 500
#: counter pasid_reads 1000
#: counter pasid_writes 1000
#: counter page_groups 90
#: counter pages_refused 5
#: counter denied 5
#: expected DMAR: .*(fault reason 0x5b|handling fault status)
. /sva.body
. /whole.body
device=auto
is_free() { zwd info | grep -q '16 free of 16'; }
modules_load
offered single 1 && offered multi 2 && offered svm 4 && offered mediated 64
for mode in 1 2 4 64; do
	mode_works $mode
done
many_at_once 4
reaches 4
killed_in_flight 4
check "queues where all memory is shared" eval "set_mode 4 && zwd -n 16 queues create"
whole_memory "mode 4"
whole_life "mode 4"
check "a process works when the function is unbound" begin_loop
echo "$(basename "$P")" >/sys/bus/pci/drivers/wd_hisi_zip/unbind &
unbind=$!
check "it learns that the device is gone" loop_ended ENODEV
wait $unbind
check "the driver binds again" sh -c "echo $(basename "$P") >/sys/bus/pci/drivers/wd_hisi_zip/bind"
check "in the same mode" set_mode 4
check "queues are made again" zwd -n 16 queues create
check "a process works when the function is removed" begin_loop
echo 1 >"/sys/bus/pci/devices/$(basename "$P")/remove" &
removal=$!
check "it learns that this device is gone, too" loop_ended ENODEV
check "the removal ends" wait $removal
check "the device is gone" [ ! -e "$P" ]
check "a scan of the bus finds the function" sh -c "echo 1 >/sys/bus/pci/rescan; test -e $P/params"
check "in the same mode after that" set_mode 4
function_reset 4
modules_unload
