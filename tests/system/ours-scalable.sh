# SPDX-License-Identifier: Zlib
# This Debian's kernel with an IOMMU in scalable mode, whose page tables are of the first stage: memory that was taken
# back is out of reach, though the kernel would flush too little of it.
#: inside qm=3
#: iommu
#: kernel intel_iommu=on,sm_on
#: include sva.body
#: limit 600
#: requests 100
. /sva.body
modules_load
offered single 1
check "no PASIDs are offered: this kernel has no way to ask for one" [ $(($(cat "$P/params/dma_flag") & 14)) = 0 ]
mode_works 1
unshares 1
mode_works 64
modules_unload
