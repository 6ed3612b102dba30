# SPDX-License-Identifier: Zlib
# Attacks in single mode on version 2, whose first request hangs.
#: device qm=2,queues=64,fault=hang@1/late=3@2+
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: include attack.body
#: limit 240
. /attack.body
loaded
P=$(parents)
forges "$P" "forged drain" drain
unshares "$P" "unshare"
crowds "$P" "waiters"
storms "$P" "storm"
forges "$P" "forged events" events
unloaded
