# SPDX-License-Identifier: Zlib
# A page that never comes under SHARE, when the function is reset for an error; another function is not concerned.
#: device qm=3,queues=64,fault=reset@1
#: device qm=3,queues=64
#: server -i
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: include attack.body
#: limit 360
. /attack.body
loaded
set -- $(parents)
pin_stalls "$1" "$2" "a pin that stalls"
unloaded
