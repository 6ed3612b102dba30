# SPDX-License-Identifier: Zlib
# Our modules in mode svm on a device that fails: the data stays right, the device comes back.
#: suite trixie-backports-drivers
#: inside qm=3,fault=error@3/corrupt@6/checksum@9/short@12/hang@16/late=50@20/reset@26
#: smpwc yes
#: iommu
#: kernel intel_iommu=on,sm_on
#: include sva.body
#: include faults.body
#: limit 900
#: requests 60
#: counter errors 2
#: counter resets 2
#: counter pasid_reads 40
#: counter pasid_writes 40
#: expected DMAR: .*(fault reason 0x5b|handling fault status)
. /sva.body
. /faults.body
modules_load
check "mode svm is set" set_mode 4
check "queues are made" zwd -n 8 queues create
for name in "wrong results and a hang" "a late result" "an error of the device" "after it"; do
	check "data survives: $name" round
done
check "the device works again" until_true grep -qx ok "$P/params/state"
check "in the same mode" [ $(($(cat "$P/params/dma_mode") & ~32)) = 4 ]
check "round trips of many sizes" selftest
check "queues are removed" until_true zwd queues remove
modules_unload
