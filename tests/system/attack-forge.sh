# SPDX-License-Identifier: Zlib
# What the device writes for its user where the kernel has its tables, on version 2, whose first request hangs.
#: device qm=2,queues=64,fault=hang@1
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: include attack.body
#: limit 240
. /attack.body
loaded
P=$(parents)
forges "$P" "forged drain" drain
forges "$P" "forged events" events
storms "$P" "storm"
unloaded
