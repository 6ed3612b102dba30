# SPDX-License-Identifier: Zlib
# Processes that end in the middle of calls, in mediated mode, without IOMMU: what they leave is slow.
#: device qm=2,queues=64,fault=late=100@1+
#: iommu
#: kernel intel_iommu=off
#: include attack.body
#: limit 360
. /attack.body
loaded
P=$(parents)
churns "$P" "churn" beside
unloaded
