# SPDX-License-Identifier: Zlib
# Requests in flight, slow ones, while a process is killed, the queue removed, the driver unbound and the
# function reset: the data stays right, and what comes after works.
#: device qm=3,queues=64,fault=late=100@*1
#: server -i
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: module wd_hisi_zip vfio_iommu_type1
#: file {build}/tests/system/calls /bin/calls
#: file {build}/.libs/zwd /usr/bin/zwd
#: file {build}/libz-wd/tools/.libs/wd-gzip /usr/local/bin/wd-gzip
#: file {lib}/libz.so.1 /usr/lib/{arch}-linux-gnu/libz.so.1
#: limit 240
#: requests 20
driver=/sys/bus/pci/drivers/wd_hisi_zip
for i in 1 2 3 4 5 6; do cat /bin/busybox; done >/tmp/plain
ZWD_ENGINE=hw ZWD_UNIT=256K ZWD_TIMEOUT_MS=5000 ZWD_STATS=json:/tmp/stats
export ZWD_ENGINE ZWD_UNIT ZWD_TIMEOUT_MS ZWD_STATS
# started DIRECTION: a process in the background that has results of the device and waits for more.
started() {
	rm -f /tmp/out /tmp/out.gz
	if [ "$1" = deflate ]; then
		wd-gzip -c /tmp/plain >/tmp/out.gz &
	else
		wd-gzip -dc /tmp/plain.gz >/tmp/out &
	fi
	process=$!
	until_true sh -c '[ -s /tmp/out ] || [ -s /tmp/out.gz ]' && kill -0 $process
}
right() {
	wait $process && if [ "$1" = deflate ]; then
		zcat /tmp/out.gz | cmp - /tmp/plain
	else
		cmp /tmp/out /tmp/plain
	fi
}
works() {
	wd-gzip -nc /bin/busybox >/tmp/small.gz && zcat /tmp/small.gz | cmp - /bin/busybox &&
		tail -n 1 /tmp/stats | grep '"deflate":{"hw_requests":[1-9]'
}
failed_over() { tail -n 1 /tmp/stats | grep '"failovers":[1-9]\|"retries":[1-9]'; }
killed() { started "$1" && kill -9 $process; wait $process; [ $? = 137 ]; }

check "the modules load" load wd_hisi_zip
check "VFIO's container loads" load vfio_iommu_type1
parent=$(cd -P /sys/class/sdmdev/*/device && pwd)
uuid=6e6f7465-0000-4000-8000-000000000001
check "a queue is made" eval 'echo $uuid >"$(echo "$parent"/mdev_supported_types/*/create)"'
check "memory is taken from a request that is done" \
	calls flight "$(basename "$(readlink "$parent/$uuid/iommu_group")")" $uuid
check "the queue is removed" sh -c "echo 1 >$parent/$uuid/remove"
check "queues are made" zwd -n 8 queues create
gzip -c /tmp/plain >/tmp/plain.gz
for direction in deflate inflate; do
	check "$direction is killed in flight" killed $direction
	check "another process works" works
	check "$direction, and the function is reset" started $direction
	check "the reset is done" sh -c "echo 1 >$parent/reset"
	check "$direction was right" right $direction
	check "somebody made good what was lost" failed_over
	check "the device works after it" works
	check "$direction, and its queues are removed" started $direction
	check "the removal is done" zwd queues remove
	check "$direction was right without them" right $direction
	check "queues are made again" zwd -n 8 queues create
	check "the device works after that" works
	check "$direction, and the driver is unbound" started $direction
	check "the unbinding is done" sh -c "echo $(basename "$parent") >$driver/unbind"
	check "$direction was right without it" right $direction
	check "bound again" sh -c "echo $(basename "$parent") >$driver/bind"
	check "with queues" zwd -n 8 queues create
	check "the device works at last" works
done
check "queues are removed" zwd queues remove
check "all modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
