# SPDX-License-Identifier: Zlib
# Attacks in single mode on version 3.
#: device qm=3,queues=64,fault=late=3@1+
#: server -i
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: include attack.body
#: limit 300
. /attack.body
loaded
P=$(parents)
unshares "$P" "unshare"
crowds "$P" "waiters"
storms "$P" "storm"
forges "$P" "forged events" events
unloaded
