# SPDX-License-Identifier: Zlib
# Two devices and two nodes: a process is given the nearest one that has a free queue.
#: inside qm=3
#: inside qm=3
#: numa yes
#: include uacce.body
#: file {build}/tests/system/sva/near /bin/near
#: limit 900
#: requests 20
#: counter pasid_reads 20
#: counter denied 0 0
. /uacce.body
uacce_load hisi_qm_v3
# As firmware would say it: the first device is at node 1.
at_node() { echo "$2" >"$(readlink -f /sys/class/uacce/hisi_zip-"$1"/device)/numa_node"; }
check "there are two nodes" test -d /sys/devices/system/node/node1
check "and two devices" test -c /dev/hisi_zip-1
chgrp 100 /dev/hisi_zip-1
chmod 660 /dev/hisi_zip-1
check "one at each" eval "at_node 0 1 && at_node 1 0"
check "it is seen" sh -c "zwd list | tee /tmp/list | grep -q '^hisi_zip-0 .* 1  *[0-9]* *[0-9]* of'"
cat /tmp/list
# first NODE NAME: for a process of that node, whose processor has its number.
first() { [ "$(user /bin/taskset $((1 << $1)) /bin/near 1)" = "$2" ]; }
check "node 0 is given the device of node 0" first 0 hisi_zip-1
check "node 1 is given the device of node 1" first 1 hisi_zip-0
check "the other way round" eval "at_node 0 0 && at_node 1 1"
check "node 0 is given the other one" first 0 hisi_zip-0
check "node 1, too" first 1 hisi_zip-1
# One more than it has.
check "a process opens all queues of the nearest device, and one" eval \
	"user /bin/taskset 2 /bin/near $((all + 1)) >/tmp/near"
sort /tmp/near | uniq -c | sed 's/^/#/'
check "the nearest was used as long as it had any" eval \
	'[ "$(head -n $all /tmp/near | sort -u)" = hisi_zip-1 ]'
check "the next one then" [ "$(tail -n 1 /tmp/near)" = hisi_zip-0 ]
check "the queues of both are back" until_true sh -c \
	"grep -qx $all /sys/class/uacce/hisi_zip-0/available_instances &&
	grep -qx $all /sys/class/uacce/hisi_zip-1/available_instances"
uacce_unload
