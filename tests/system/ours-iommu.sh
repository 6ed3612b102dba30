# SPDX-License-Identifier: Zlib
# Our own modules and libraries with an IOMMU: memory of the process is shared with the device.
#: device qm=3
#: server -i
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: module wd_hisi_zip vfio_iommu_type1
#: file {build}/.libs/wdctl /usr/bin/wdctl
#: file {build}/libz-wd/tools/.libs/wd-gzip /usr/local/bin/wd-gzip
#: file {build}/libz-wd/.libs/libz-wd.so /usr/lib/libz-wd.so
#: file /usr/bin/gzip /usr/bin/gzip
#: file /usr/lib/x86_64-linux-gnu/libz.so.1
#: limit 240
#: requests 100
preload=/usr/lib/libz-wd.so
uuid=6e6f7465-0000-4000-8000-000000000001
check "the modules load" load wd_hisi_zip
check "the device has a class entry" sh -c 'ls /sys/class/sdmdev | grep -q .'
parent=/sys/class/sdmdev/$(ls /sys/class/sdmdev | head -n 1)/device
show() { for f in "$parent"/params/*; do echo "$(basename "$f"): $(cat "$f" | tr '\n' ' ')"; done; }
show
check "its interface is hisi_qm_v3" grep -qx hisi_qm_v3 "$parent/params/api"
check "one process shares its memory with it" [ $(($(cat "$parent/params/dma_mode") & 0x1)) != 0 ]
type=$(ls -d "$parent"/mdev_supported_types/* | head -n 1)
free=$(cat "$type/available_instances")
check "a queue is made" sh -c "echo $uuid >$type/create"
check "it has an IOMMU group" test -e "$parent/$uuid/iommu_group"
check "there is one queue less" [ "$(cat "$type/available_instances")" = $((free - 1)) ]
check "the same name is refused" sh -c "! echo $uuid >$type/create"
check "the queue is removed" sh -c "echo 1 >$parent/$uuid/remove"
check "and may be made again" until_true [ "$(cat "$type/available_instances")" = "$free" ]
check "the modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
check "and load again" load wd_hisi_zip
check "VFIO's container loads" load vfio_iommu_type1
check "wdctl makes queues" wdctl -n 4 queues create
wdctl queues list
check "wdctl lists the device" sh -c 'wdctl list | grep -i zip'
wdctl info
check "round trips of many sizes" wdctl selftest
for i in 1 2 3 4; do cat /bin/busybox; done >/tmp/plain
ZWD_ENGINE=hw ZWD_STATS=json:/tmp/stats
export ZWD_ENGINE ZWD_STATS
# used SECTION: the last program's requests of this kind were the device's, one at least.
used() { grep "\"$1\":{\"hw_requests\":[1-9]" /tmp/stats; }
same() { zcat "$1" | cmp - /tmp/plain; }
check "wd-gzip compresses" sh -c 'wd-gzip -c /tmp/plain >/tmp/packed.gz'
check "by the device" used deflate
check "busybox decompresses it" same /tmp/packed.gz
check "wd-gzip decompresses" sh -c 'wd-gzip -dc /tmp/packed.gz | cmp - /tmp/plain'
check "by the device as well" used inflate
rm /tmp/stats
check "gzip under LD_PRELOAD" sh -c "LD_PRELOAD=$preload /usr/bin/gzip -c /tmp/plain >/tmp/preload.gz"
check "was the device's work" used deflate
check "and is right" same /tmp/preload.gz
unset ZWD_STATS
check "queues are removed" wdctl queues remove
check "all modules unload" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
