#!/bin/sh
# SPDX-License-Identifier: Zlib
# zwd doctor: each trouble is told from all others, by the word that names it, with its reason and what to do; and
# where there is none, it finds none. The machine is a folder.
zwd=$top_builddir/zwd
command -v cc >/dev/null && command -v jq >/dev/null && [ -x /usr/bin/git ] || exit 77
[ -n "$limited" ] || limited=1 exec timeout 300 sh "$0"
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 99
for name in $(env | sed -n 's/^\(Z*WD_[A-Z_]*\)=.*/\1/p'); do
	unset "$name"
done
unset LD_PRELOAD SOURCE_DATE_EPOCH
failed=0 with=
fail() {
	echo "FAIL $trouble: $*"
	cat out err
	failed=1
}
put() { # FILE TEXT: in the machine
	mkdir -p "root$(dirname "$1")" && printf '%b' "$2" >"root$1" || exit 99
}
link() { # FILE TARGET
	mkdir -p "root$(dirname "$1")" && ln -sfn "$2" "root$1" || exit 99
}
process() { # PID GROUP PROGRAM ENVIRONMENT
	put /proc/$1/status "Uid:\t54321\t54321\t54321\t54321\nGid:\t54321\t54321\t54321\t54321\nGroups:\t$2\nCapEff:\t0\n"
	put /proc/$1/limits "Limit  Soft Limit  Hard Limit  Units\nMax locked memory  67108864  67108864  bytes\n"
	put /proc/$1/comm "${3##*/}\n"
	put /proc/$1/environ "$4"
	link /proc/$1/exe "$3"
}
preload='LD_PRELOAD=/usr/lib/libz-wd.so.1\0HOME=/\0'
pci=/sys/bus/pci/devices/0000:75:00.0
uacce=/sys/class/uacce/hisi_zip-0
sdmdev=/sys/class/sdmdev/0000:75:00.0/device
queue=$sdmdev/12345678-1234-8234-8000-00000000000
: >libz-wd.so.1
ln -s /usr/bin/git gzip
printf 'volatile const char inside[] = " inflate 1.2.99 Copyright ", ng[] = NG; int inflateInit_(void); int inflateInit_(void) { return inside[0] + ng[0]; }' >z.c
cc -shared -fPIC -DNG='""' -Wl,-soname,libz.so.1 -o libz.so.1 z.c &&
	cc -shared -fPIC -DNG='"zlib-ng 2.2"' -Wl,-soname,libz.so.1 -o libz-ng.so.1 z.c &&
	printf '#include "z.c"\nint main(void) { return inflateInit_(); }' >own.c && cc -DNG='""' -o own own.c &&
	cp own setid && chmod u+s setid || exit 99

# A machine on which all is well, with mainline's driver.
make_machine() {
	rm -rf root
	put $pci/vendor 0x19e5\\n
	put $pci/device 0xa250\\n
	put /sys/class/iommu/smmu3.0x1/x ''
	put /sys/module/hisi_zip/parameters/uacce_mode 1\\n
	link $pci/driver ../../../bus/pci/drivers/hisi_zip
	put $uacce/api hisi_qm_v2\\n
	put $uacce/flags 1\\n
	put $uacce/algorithms 'zlib\ngzip\n'
	put $uacce/available_instances 200\\n
	put $uacce/isolate 0\\n
	put $uacce/device/numa_node 1\\n
	put /sys/class/uacce/hisi_sec-0/algorithms cipher\\n
	put /dev/hisi_zip-0 ''
	chmod 660 root/dev/hisi_zip-0
	put /proc/version 'Linux version 7.3.4+deb13-arm64 (x) #1 SMP Debian 7.3.4-1 (2026-11-11)\n'
	put /proc/sys/kernel/osrelease 7.3.4+deb13-arm64\\n
	put /etc/group "root:x:0:\nwd:x:$(stat -c %g root):\n"
	put /usr/bin/wd-gzip ''
	chmod 755 root/usr/bin/wd-gzip
	put /etc/libz-wd.conf '# all\nZWD_GZIP = /usr/bin/wd-gzip\nZWD_LEVELS = 1-9\n[program java]\nZWD_LEVELS = 1\n'
	put /usr/lib/libz-wd.so.1 ''
	put "$SOFT_ZLIB" ''
	cp libz.so.1 "root$SOFT_ZLIB"
	process 4711 "$(stat -c %g root)" /usr/bin/git "$preload"
	process 815 1 /usr/bin/java ''
	process self "$(stat -c %g root)" /usr/bin/git ''
	put /proc/4711/maps "55e-55f r-xp 0 08:01 1 /usr/bin/git\n7f0-7f1 r-xp 0 08:01 2 /usr/lib/libz-wd.so.1\n7f1-7f2 r-xp 0 08:01 3 $SOFT_ZLIB\n7ff-800 rw-p 0 0:0 0 [stack]\n"
}
# The same with the sdmdev modules.
make_sdmdev() {
	rm -rf root/sys/class/uacce root/sys/module root/dev/hisi_zip-0
	link $pci/driver ../../../bus/pci/drivers/wd_hisi_zip
	put $sdmdev/params/dma_mode 1\\n
	put $sdmdev/params/state ok\\n
	put $sdmdev/params/node_id 0\\n
	put /dev/vfio/vfio ''
	for i in 0 1 2; do
		link $queue$i/iommu_group ../../kernel/iommu_groups/1$i
		put /dev/vfio/1$i ''
		chmod 660 root/dev/vfio/1$i
	done
}
doctor() { # STATUS ARGUMENT...
	expected=$1
	shift
	timeout 60 env $with "$zwd" doctor --root "$tmp/root" "$@" >out 2>err
	status=$?
	[ $status = "$expected" ] || fail "exit status $status, not $expected"
}
# has VERDICT CHECK TEXT
has() {
	grep -q "^$1  *$2  *.*$3" out || fail "missing: $1 $2 $3"
}
# trouble CHECK TEXT [ARGUMENT]: nothing else is wrong but what that word names, the advice follows, the last line says it.
trouble() {
	trouble=$1
	doctor 1 ${3-4711}
	has wrong "$1" "$2"
	[ "$(grep '^wrong' out | awk '{ print $2 }' | sort -u)" = "$1" ] || fail "other things are wrong, too"
	grep -A1 "^wrong  *$1" out | grep -q '^ *-> .' || fail "no advice"
	tail -n 1 out | grep -q "wrong for .*: .*$2" || fail "the closing sentence"
	doctor 1 --json ${3-4711}
	jq -e --arg check "$1" '[.checks[] | select(.verdict == "wrong") | .check] | unique == [$check]' out >/dev/null ||
		fail "JSON says something else"
	make_machine
}

trouble=none
for help in --help; do
	doctor 0 $help
	grep -q '^Usage: zwd doctor' out || fail "no help"
done
for usage in --no-such-option '1 2' 99999999 1234567890123456789 /nowhere/program no-such-program; do
	doctor 2 $usage
	[ -s err ] || fail "$usage: not a word"
done
make_machine
doctor 0 4711
! grep -q '^w' out || fail "finds something"
has good device 'hisi_zip-0 .*NUMA node 1'
has good settings 'ZWD_LEVELS = 1-9 (/etc/libz-wd.conf, line 3)'
has good queues '200 free'
has good preload '/usr/lib/libz-wd.so.1 is loaded'
has good zlib 'libz.so.*version 1.2.99'
grep -qx 'All is well for process 4711 (git)\.' out || fail "the closing sentence"
doctor 0
has good gzip wd-gzip
doctor 0 git
has good program '/git links zlib'
has warning preload 'does not name'
doctor 0 --json
jq -e '(.checks | length > 3) and .wrong == 0 and .warnings == 0 and (.conclusion | type == "string")' out >/dev/null ||
	fail "no JSON"
make_sdmdev
doctor 0 4711
has good queues '3 of 3 free'
has good memlock '65536 KiB'
make_machine

# The twelve.
rm -r root/sys/class/uacce/hisi_zip-0 root/sys/class/uacce/hisi_sec-0 root/sys/module root$pci/driver
trouble module 'no driver has 0000:75:00.0'
process 4711 77 /usr/bin/git "$preload"
trouble access 'user 54321 may not open /dev/hisi_zip-0: not in the group wd'
put /etc/group 'root:x:0:\n'
chmod 600 root/dev/hisi_zip-0
trouble group 'there is no group wd'
put $uacce/flags 0\\n
trouble sva 'no shared virtual addresses'
put $uacce/flags 2\\n
put $uacce/api hisi_qm_v2_noiommu\\n
doctor 0 4711
has warning noiommu 'reaches all memory'
chmod 600 root/dev/hisi_zip-0
trouble noiommu 'NOIOMMU mode, and so left to root'
put $uacce/flags 128\\n
doctor 0 4711
has warning noiommu 'reaches what others have there'
make_machine
put $uacce/isolate 1\\n
trouble isolated 'failed too often'
put $uacce/available_instances 0\\n
link /proc/815/fd/7 /dev/hisi_zip-0
trouble queues 'no queue of hisi_zip-0 is free; held by 815 (java)'
make_sdmdev
put /proc/4711/limits 'Max locked memory  65536  65536  bytes\n'
trouble memlock 'limit of locked memory, 64 KiB'
put /etc/libz-wd.conf 'ZWD_GZIP=0\nZWD_LEVELS = 1-12\n[program git]\nZWD_SPED = 1\n'
process 4711 "$(stat -c %g root)" /usr/bin/git "${preload}ZWD_UNIT=3\0ZWD_ENGIN=hw\0"
doctor 1 4711
for mistake in 'libz-wd.conf, line 2: ZWD_LEVELS = 1-12 is not' 'libz-wd.conf, line 4: ZWD_SPED is no setting' \
	'environment: ZWD_UNIT = 3 is not' 'environment: ZWD_ENGIN is no setting'; do
	has wrong settings "$mistake"
done
trouble settings 'line 2: ZWD_LEVELS'
sed -i /libz-wd/d root/proc/4711/maps
process 4711 "$(stat -c %g root)" /usr/bin/git ''
trouble preload 'does not name libz-wd.so.1'
process 4711 "$(stat -c %g root)" "$tmp/gzip" "${preload}ZWD_GZIP=0\0"
trouble gzip 'ZWD_GZIP = 0'
cp libz-wd.so.1 "root$SOFT_ZLIB"
trouble zlib 'is no zlib'

# And their kin.
link $pci/driver ../../../bus/pci/drivers/hisi_zip
rm -r root/sys/class/uacce
put /sys/module/hisi_zip/parameters/uacce_mode 0\\n
trouble mode 'uacce_mode=0'
rm -r root/sys/class/uacce
trouble sva 'made no uacce device'
rm -r root/sys/class/uacce root$pci
trouble hardware 'no ZIP accelerator'
if [ "$(uname -m)" = x86_64 ]; then
	put /proc/version 'Linux version 6.1.0-53-amd64 (x) #1 SMP Debian 6.1.176-1 (2026-11-11)\n'
	trouble kernel 'Linux 6.1.176 refuses'
	rm root/proc/version
	put /proc/sys/kernel/osrelease 6.12.69\\n
	trouble kernel 'Linux 6.12.69 refuses'
	put /proc/version 'Linux version 6.1.0-21-amd64 (x) #1 SMP Debian 6.1.90-1 (2024-05-03)\n'
	doctor 0 4711
fi
make_machine
rm root/dev/hisi_zip-0
trouble node '/dev/hisi_zip-0: No such file'
chmod 600 root/dev/hisi_zip-0
trouble access 'not open to the group wd: mode 0600'
for state in isolated resetting dead; do
	make_sdmdev
	put $sdmdev/params/state $state\\n
	trouble $state 0000:75:00.0
done
make_sdmdev
rm -r root${queue}0 root${queue}1 root${queue}2
trouble queues 'no queue of 0000:75:00.0 was made'
make_sdmdev
for i in 0 1 2; do
	link /proc/815/fd/1$i /dev/vfio/1$i
done
trouble queues 'is free; held by 815 (java)'
make_sdmdev
chmod 600 root/dev/vfio/1[012]
trouble access '/dev/vfio/10 is not open'
make_sdmdev
rm root/dev/vfio/vfio
trouble node '/dev/vfio/vfio'
process 4711 "$(stat -c %g root)" /usr/bin/git "${preload}WD_DEVICE=none\0"
trouble device 'no device is wanted'
process 4711 "$(stat -c %g root)" /usr/bin/git "${preload}ZWD_ENGINE=soft\0"
trouble engine 'software does all'
process 4711 "$(stat -c %g root)" /usr/bin/git "${preload}SOURCE_DATE_EPOCH=1\0"
trouble engine SOURCE_DATE_EPOCH
process 4711 "$(stat -c %g root)" "$tmp/own" "$preload"
trouble program 'zlib inside, version 1.2.99'
sed -i /libz-wd/d root/proc/4711/maps
rm root/usr/lib/libz-wd.so.1
trouble preload '/usr/lib/libz-wd.so.1, which is not there'
sed -i 's,/libz-wd.so.1,& (deleted),' root/proc/4711/maps
doctor 0 4711
has warning preload replaced
make_machine
cp libz-ng.so.1 "root$SOFT_ZLIB"
doctor 0 4711
has warning zlib 'a foreign zlib (zlib-ng)'
grep -q '^Nothing is wrong for .*, but: .*zlib-ng' out || fail "the closing sentence"
trouble program 'inside' "$tmp/own"
doctor 1 "$tmp/setid"
has wrong program set-user-ID

printf 'Mems_allowed_list:\t0,2-3\n' >>root/proc/4711/status
doctor 0 4711
has warning numa 'hisi_zip-0 is on NUMA node 1, but only memory of 0,2-3'
sed -i 's/0,2-3/0-1/' root/proc/4711/status
doctor 0 4711
! grep -q '^warning' out || fail "a warning for a node that is allowed"
# The other ways to have it.
put /etc/ld.so.preload '/usr/lib/libz-wd.so.1\n'
doctor 0 git
has good preload '/etc/ld.so.preload names'
make_machine
put /usr/lib/libz-wd/libz.so.1 ''
with=LD_LIBRARY_PATH=/x:/usr/lib/libz-wd
doctor 0 git
has good preload 'LD_LIBRARY_PATH leads to /usr/lib/libz-wd/libz.so.1'
with=
cc -shared -fPIC -DNG='""' -Wl,-soname,libz-wd.so.1 -o libours.so z.c &&
	cc -o ours -Wl,--no-as-needed own.c libours.so -DNG='""' || exit 99
doctor 0 ./ours
has good program 'links libz-wd itself'
! grep -q preload out || fail "wants a preload of what is linked"

make_machine
rm root/proc/4711/environ root/proc/4711/exe
doctor 0 4711
has warning process 'cannot be looked into'
! grep -q '^[a-z]*  *\(preload\|gzip\) ' out || fail "tells what it cannot know"
make_machine

put $uacce/flags 128\\n
chmod 600 root/dev/hisi_zip-0
trouble noiommu 'IOMMU mode, and so left to root'
put $uacce/api hisi_qm_v5\\n
trouble device 'does not know: "hisi_qm_v5"'
put $uacce/api hisi_qm_v21\\n
trouble device 'does not know'

# Hostile: names, endless files, and what waits.
printf 'x\033[2J' >root/proc/815/comm
link /proc/815/fd/7 /dev/hisi_zip-0
doctor 0 4711
! grep -q "$(printf '\033')" out || fail "a terminal would be told what to do"
rm root$uacce/flags && mkfifo root$uacce/flags
rm root/etc/libz-wd.conf && mkfifo root/etc/libz-wd.conf
doctor 1 4711
has wrong settings 'libz-wd.conf is not read'
rm -r root && mkdir root
doctor 1
for program in $$ sh; do
	timeout 60 "$zwd" doctor "$program" >out 2>err
	[ $? -le 1 ] && [ -s out ] && [ ! -s err ] || fail "this machine, $program"
done
# A process that has another root is asked about there.
if [ "$(id -u)" = 0 ]; then
	printf '#include <unistd.h>\nint main(void) { alarm(60); return pause(); }\n' >pause.c
	mkdir -p jail/etc && cc -static -o jail/pause pause.c && echo ZWD_LEVELS = 3 >jail/etc/libz-wd.conf || exit 99
	chroot jail /pause &
	pid=$!
	until [ "$(readlink /proc/$pid/exe)" = "$tmp/jail/pause" ] || ! kill -0 $pid; do
		:
	done
	timeout 60 "$zwd" doctor $pid >out 2>err
	has good settings 'ZWD_LEVELS = 3 (/etc/libz-wd.conf, line 1)'
	kill $pid
fi
"$zwd" doctor >/dev/full 2>err && fail "written to a full device"
[ $failed = 0 ]
