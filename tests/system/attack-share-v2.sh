# SPDX-License-Identifier: Zlib
# Attacks in single mode on version 2, whose queues share a page of doorbells.
#: device qm=2,queues=64,fault=late=3@1+
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: include attack.body
#: limit 240
. /attack.body
loaded
P=$(parents)
unshares "$P" "unshare"
crowds "$P" "waiters"
unloaded
