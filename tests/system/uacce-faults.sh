# SPDX-License-Identifier: Zlib
# Mainline's uacce on a device whose results are wrong or late: the data stays right.
#: inside qm=3,fault=error@3/corrupt@6/checksum@9/short@12/late=50@16
#: include uacce.body
#: include faults.body
#: limit 900
#: requests 60
#: counter errors 2
#: counter pasid_reads 50
#: counter pasid_writes 50
. /uacce.body
. /faults.body
uacce_load hisi_qm_v3
for name in "errors and wrong results" "after them"; do
	check "data survives: $name" round
done
uacce_works
uacce_unload
