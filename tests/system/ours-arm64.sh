# SPDX-License-Identifier: Zlib
# arm64, whose kernel has no bus of mediated devices, on version 3 without an IOMMU: the kernel checks each request.
#: suite arm64
#: device qm=3,queues=256
#: server -i
#: include ours.body
#: include calls.body
#: include queue.body
#: file {build}/tests/queue/context /queue/context
#: file {build}/tests/queue/fork /queue/fork
#: file {build}/tests/queue/memory /queue/memory
#: file {build}/tests/queue/ring /queue/ring
#: file {build}/tests/queue/shared /queue/shared
#: file {build}/tests/queue/threads /queue/threads
#: file {build}/tests/stream/fork /tests/fork
#: file {build}/tests/stream/parallel /tests/parallel
#: file {build}/tests/stream/inflate_copy /tests/inflate_copy
#: file {build}/tests/stream/deflate_flush /tests/deflate_flush
#: limit 600
api=hisi_qm_v3
mode=0x40
. /ours.body

unset ZWD_ENGINE
. /calls.body
check "the modules load for each call" load wd_hisi_zip
parent=$(parent_of)
life mediated "own bus"

check "queues are made for the libraries' tests" zwd -n 32 queues create
. /queue.body
for test in /tests/*; do
	check "libz-wd's $(basename "$test")" env ZWD_ENGINE=hw ZWD_TIMEOUT_MS=30000 ZWD_TEST_MODE=emu WD_DEVICE=auto \
		ZWD_STATS=json:/tmp/stats "$test"
done
check "they used the device" used deflate
check "their queues are removed" zwd queues remove
check "all modules unload at last" sh -c 'rmmod wd_hisi_zip && rmmod wd_hisi_qm && rmmod sdmdev'
