# SPDX-License-Identifier: Zlib
# gzip on mainline's uacce: what the device counted is what the library says.
#: inside qm=3
#: include uacce.body
#: include gzip.body
#: limit 900
#: requests 20
#: counter pasid_reads 20
#: counter pasid_writes 20
#: counter denied 0 0
. /uacce.body
. /gzip.body
uacce_load hisi_qm_v3
gzip_24
uacce_unload
