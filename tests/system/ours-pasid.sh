# SPDX-License-Identifier: Zlib
# A page table for each process, by PASID: mode multi, beside the other modes, on a kernel that has it and no more.
#: suite backports
#: inside qm=3
#: iommu
#: kernel intel_iommu=on,sm_on
#: include sva.body
#: limit 900
#: requests 500
#: counter pasid_reads 400
#: counter pasid_writes 300
#: counter page_groups 0 0
#: counter denied 5
. /sva.body
modules_load
offered multi 2 && offered single 1 && offered mediated 64
check "no process's whole memory is offered: this kernel refuses that" [ $(($(cat "$P/params/dma_flag") & 4)) = 0 ]
for mode in 1 2 64; do
	mode_works $mode
done
many_at_once 2
reaches 2
unshares 2
killed_in_flight 2
function_reset 2
modules_unload
