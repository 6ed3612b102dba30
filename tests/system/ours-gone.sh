# SPDX-License-Identifier: Zlib
# The device is pulled out while it works: the data stays right, everything can be unloaded.
#: device qm=3,fault=gone@12
#: server -i
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: module wd_hisi_zip vfio_iommu_type1
#: file {build}/.libs/zwd /usr/bin/zwd
#: file {build}/libz-wd/tools/.libs/wd-gzip /usr/local/bin/wd-gzip
#: file {lib}/libz.so.1 /usr/lib/{arch}-linux-gnu/libz.so.1
#: limit 240
#: requests 12
for i in 1 2 3 4; do cat /bin/busybox; done >/tmp/plain
ZWD_ENGINE=hw ZWD_TIMEOUT_MS=2000
export ZWD_ENGINE ZWD_TIMEOUT_MS
round() { wd-gzip -c /tmp/plain >/tmp/packed.gz && zcat /tmp/packed.gz | cmp - /tmp/plain; }

check "the modules load" load wd_hisi_zip
check "VFIO's container loads" load vfio_iommu_type1
check "queues are made" zwd -n 4 queues create
for i in 1 2 3; do
	check "data survives, round $i" round
done
check "a self-test says that it fails" sh -c '! zwd selftest'
check "queues are removed" zwd queues remove
check "all modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
