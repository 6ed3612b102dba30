# SPDX-License-Identifier: Zlib
# The libraries' own tests, two processes at once and the benchmark, where the kernel writes the requests: any
# number of processes has queues.
#: device qm=3,queues=256
#: server -i
#: iommu
#: kernel intel_iommu=off
#: module wd_hisi_zip vfio_iommu_type1
#: file {build}/.libs/zwd /usr/bin/zwd
#: file {build}/bench/.libs/wd-bench /usr/bin/wd-bench
#: file {build}/libz-wd/tools/.libs/wd-gzip /usr/local/bin/wd-gzip
#: file {build}/tests/stream/deflate_flush /tests/deflate_flush
#: file {build}/tests/stream/deflate_copy /tests/deflate_copy
#: file {build}/tests/stream/fork /tests/fork
#: file {build}/tests/stream/inflate_copy /tests/inflate_copy
#: file {build}/tests/stream/parallel /tests/parallel
#: file {build}/tests/stream/threads /tests/threads
#: file {build}/tests/queue/context /queue/context
#: file {build}/tests/queue/fork /queue/fork
#: file {build}/tests/queue/memory /queue/memory
#: file {build}/tests/queue/ring /queue/ring
#: file {build}/tests/queue/shared /queue/shared
#: file {build}/tests/queue/threads /queue/threads
#: file {lib}/libz.so.1 /usr/lib/{arch}-linux-gnu/libz.so.1
#: include queue.body
#: limit 300
#: requests 500
for i in 1 2 3 4; do cat /bin/busybox; done >/tmp/plain
ZWD_ENGINE=hw ZWD_TIMEOUT_MS=30000 WD_DEVICE=auto
export ZWD_ENGINE ZWD_TIMEOUT_MS WD_DEVICE
check "the modules load" load wd_hisi_zip
check "VFIO's container loads" load vfio_iommu_type1
check "queues are made" zwd -n 32 queues create
both() {
	ZWD_STATS=json:/tmp/stats1 wd-gzip -c /tmp/plain >/tmp/1.gz &
	ZWD_STATS=json:/tmp/stats2 wd-gzip -c /tmp/plain >/tmp/2.gz
	wait $! && zcat /tmp/1.gz | cmp - /tmp/plain && zcat /tmp/2.gz | cmp - /tmp/plain
}
check "two processes at once" both
check "both by the device" eval 'grep "\"hw_requests\":[1-9]" /tmp/stats1 && grep "\"hw_requests\":[1-9]" /tmp/stats2'
. /queue.body
for test in /tests/*; do
	check "$(basename "$test")" env ZWD_TEST_MODE=emu ZWD_STATS=json:/tmp/stats3 "$test"
done
check "they used the device" grep '"hw_requests":[1-9]' /tmp/stats3
check "wd-bench measures it" wd-bench -q -s 64K -l 1 -n 3 /bin/busybox
check "queues are removed" zwd queues remove
check "all modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
