# SPDX-License-Identifier: Zlib
# The machine goes down, or another kernel takes it over, while a process has requests in flight and while the function
# is being reset: it is not started again by anything that comes later, and has no way to memory any more.
#: device qm=3,queues=64,fault=hang@1
#: server -f -i
#: iommu aw-bits=48
#: kernel intel_iommu=on iomem=relaxed
#: include attack.body
#: file {build}/tests/system/registers /bin/registers
#: limit 240
. /attack.body

driver=/sys/bus/pci/drivers/wd_hisi_zip
# Bit 2 of the command register.
reaches_memory() { [ $((0x$(xxd -s 4 -l 1 -p "$1/config") & 4)) != 0 ]; }
is_shut() {
	echo "state $(state "$1"), resets $before to $(resets "$1"), $(reaches_memory "$1" || echo "no ")way to memory"
	! reaches_memory "$1" && [ "$(state "$1")" = dead ] && [ "$(resets "$1")" = "$before" ]
}
# Whatever asks for a reset, or would start it.
stays_shut() {
	check "$2: it is shut" is_shut "$1"
	check "$2: the PCI core resets it" sh -c "echo 1 >$1/reset"
	check "$2: it is shut after that" is_shut "$1"
	check "$2: errors of the bus are told and recovered" eval 'step frozen && step slot_reset && step resume'
	check "$2: it is shut after that, too" is_shut "$1"
}
# The driver's next life finds it as any other kernel would.
again() {
	promptly "$2: the driver leaves it" sh -c "basename $1 >$driver/unbind"
	promptly "$2: the driver takes it" sh -c "basename $1 >$driver/bind"
	check "$2: a queue is made" create "$1" 1
	next_user "$1" 1 "$2"
}
set_register() { registers "$P" $(($1)) 32 $(($2)); }

loaded
P=$(parents)
check "a queue is made" create "$P" 1
check "the helper loads" load wd_test_errors "pci=$(basename "$P")"

label="a queue that hangs"
before=$(resets "$P")
attacker backlog "$(queue "$P" 1)" 20 watch
check "$label: there is one" grep -q 'results' "$attack_log"
promptly "$label: the function is shut down" step shutdown
check "$label: the process is told" soon grep -q 'state 3' "$attack_log"
killed
# That of sdmdev for a closed queue that does not end would come within 3 seconds.
sleep 4
stays_shut "$P" "$label"
again "$P" "$label"

for round in 1 2 3 4; do
	label="an error meanwhile, $round"
	user victim "$(queue "$P" 1)" 3
	# Two bits of ECC: the interrupt's work resets the function.
	set_register 0x10000c 4
	[ $((round % 2)) = 0 ] || sleep 0.0$round
	promptly "$label: the function is shut down" step shutdown
	before=$(resets "$P")
	# Long enough for a reset.
	sleep 2
	check "$label: it is shut" is_shut "$P"
	wait "$user"
	again "$P" "$label"
done
promptly "the helper unloads" rmmod wd_test_errors
promptly "the queue is removed" remove "$P" 1
unloaded
