# SPDX-License-Identifier: Zlib
# What sdmdev answers to each call, right and wrong, in both modes and on both buses; queues and
# functions that go while they are open.
#: device qm=3,queues=64
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: module wd_hisi_zip sdmdev sdmdev_mdev vfio_iommu_type1
#: include calls.body
#: limit 300
. /calls.body
every_call
