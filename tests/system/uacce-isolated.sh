# SPDX-License-Identifier: Zlib
# An error of the hardware, after which mainline's driver resets the controller. This machine's firmware has no method for
# that, so the driver isolates the device: it is not offered any more.
#: inside qm=3,fault=reset@12
#: include uacce.body
#: include faults.body
#: limit 900
#: requests 12
#: counter pasid_reads 5
. /uacce.body
. /faults.body
uacce_load hisi_qm_v3
is_isolated() { [ "$(cat $class/isolate)" = 1 ]; }
check "it is not isolated" eval "! is_isolated"
check "data survives" round
check "the reset fails" until_true sh -c "dmesg | grep 'Controller reset failed'"
check "the driver isolates the device" until_true is_isolated
check "which nobody can open" sh -c "! (exec 3<>/dev/$device)"
not_offered isolated
uacce_unload
