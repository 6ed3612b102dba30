# SPDX-License-Identifier: Zlib
# Our own modules and libraries on a device that fails: the data stays right, the device comes back.
#: device qm=3,fault=error@3/corrupt@6/hang@12/late=50@16/reset@20
#: server -i
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: module wd_hisi_zip vfio_iommu_type1
#: file {build}/.libs/zwd /usr/bin/zwd
#: file {build}/libz-wd/tools/.libs/wd-gzip /usr/local/bin/wd-gzip
#: file {lib}/libz.so.1 /usr/lib/{arch}-linux-gnu/libz.so.1
#: limit 240
#: requests 40
parent=/sys/class/sdmdev/0000:00:01.0/device

for i in 1 2 3 4; do cat /bin/busybox; done >/tmp/plain
ZWD_ENGINE=hw ZWD_TIMEOUT_MS=2000 ZWD_VERIFY=1
export ZWD_ENGINE ZWD_TIMEOUT_MS ZWD_VERIFY
# round NAME: what goes in comes out, whatever the device does.
round() {
	wd-gzip -c /tmp/plain >/tmp/packed.gz && zcat /tmp/packed.gz | cmp - /tmp/plain &&
		wd-gzip -dc /tmp/packed.gz | cmp - /tmp/plain
}

check "the modules load" load wd_hisi_zip
check "VFIO's container loads" load vfio_iommu_type1
check "queues are made" zwd -n 4 queues create
for name in "wrong results and a hang" "a late result" "an error of the device" "after it"; do
	check "data survives: $name" round
done
check "the device works again" until_true grep -qx ok "$parent/params/state"
check "round trips of many sizes" selftest
check "queues are removed" zwd queues remove
check "all modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
