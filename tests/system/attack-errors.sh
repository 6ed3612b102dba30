# SPDX-License-Identifier: Zlib
# Sleep, and recovery from PCI errors, while an ordinary user has requests in flight.
#: device qm=3,queues=64,fault=late=100@1+
#: server -f -i
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: include attack.body
#: limit 240
. /attack.body
loaded
P=$(parents)
suspends "$P" "sleep"
mode "$P" 64
suspends "$P" "sleep, mediated"
mode "$P" 33
errors "$P" "errors"
unloaded
