# SPDX-License-Identifier: Zlib
# As ours-calls, on the newest kernel that the modules know.
#: suite trixie-backports
#: device qm=3,queues=64
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: module wd_hisi_zip sdmdev sdmdev_mdev vfio_iommu_type1
#: include calls.body
#: limit 400
. /calls.body
every_call
