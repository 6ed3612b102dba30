# SPDX-License-Identifier: Zlib
# Mainline's driver of version 2 with uacce, where one switch has all queues of the function go by PASID.
#: inside qm=2
#: include uacce.body
#: limit 900
#: requests 50
#: counter pasid_reads 50
#: counter pasid_writes 50
#: counter page_groups 40
#: counter pages_refused 4
#: counter denied 4
. /uacce.body
uacce_load hisi_qm_v2
uacce_works
whole_memory "version 2"
verdicts "version 2" user /bin/life $device same
uacce_unload
