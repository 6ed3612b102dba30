# SPDX-License-Identifier: Zlib
# The libraries' own tests on mainline's uacce.
#: inside qm=3,queues=256
#: include uacce.body
#: include libs.body
#: memory_mib 768
#: limit 1800
#: requests 5000
#: counter pasid_reads 5000
#: counter pasid_writes 5000
#: counter page_groups 100
. /uacce.body
. /libs.body
uacce_load hisi_qm_v3
libs
uacce_unload
