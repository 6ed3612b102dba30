# SPDX-License-Identifier: Zlib
# Attacks in mediated mode, without IOMMU, on version 2, on which a request takes 100 ms.
#: device qm=2,queues=64,fault=late=100@1+
#: iommu
#: kernel intel_iommu=off
#: include attack.body
#: limit 300
. /attack.body
loaded
P=$(parents)
backlogs "$P" "backlog" 150
charges "$P" "charge"
stalls "$P" "an argument that stalls" stall_argument
stalls "$P" "a charge that stalls" stall_charge
unloaded
