# SPDX-License-Identifier: Zlib
# Processes that end in the middle of calls, in single mode, on a device that fails now and then.
#: device qm=3,queues=64,fault=reset@*97/late=20@*3
#: server -i
#: iommu aw-bits=48
#: kernel intel_iommu=on
#: include attack.body
#: limit 360
. /attack.body
loaded
P=$(parents)
churns "$P" "churn" alone
unloaded
