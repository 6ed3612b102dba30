# SPDX-License-Identifier: Zlib
# Attacks on a newer kernel, that of this Debian's backports where none is named: version 3, each kind once.
#: suite backports
#: device qm=3,queues=64,fault=late=20@1+
#: device qm=3,queues=64
#: server -i
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: include attack.body
#: limit 400
. /attack.body
loaded
set -- $(parents)
unshares "$1" "unshare"
crowds "$1" "waiters"
storms "$1" "storm"
forges "$1" "forged events" events
mode "$1" 64
backlogs "$1" "backlog" 750
churns "$1" "churn, mediated" beside
stalls "$1" "an argument that stalls" stall_argument
stalls "$1" "a charge that stalls" stall_charge
mode "$1" 33
pin_stalls "$1" "$2" "a pin that stalls"
unloaded
