# SPDX-License-Identifier: Zlib
# libwd's own tests of queues, where the device reaches the process's memory: on version 2, a process at a time.
#: device qm=2,queues=64
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: module wd_hisi_zip vfio_iommu_type1
#: file {build}/.libs/zwd /usr/bin/zwd
#: file {build}/tests/queue/context /queue/context
#: file {build}/tests/queue/memory /queue/memory
#: file {build}/tests/queue/ring /queue/ring
#: file {build}/tests/queue/shared /queue/shared
#: file {build}/tests/queue/threads /queue/threads
#: include queue.body
#: requests 500
check "the modules load" load wd_hisi_zip
check "VFIO's container loads" load vfio_iommu_type1
check "queues are made" zwd -n 8 queues create
. /queue.body
check "queues are removed" zwd queues remove
check "all modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
