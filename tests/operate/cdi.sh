#!/bin/sh
# SPDX-License-Identifier: Zlib
# zwd cdi: the specification keeps the rules that are published with the interface, for a runtime refuses all of one that
# breaks one, and names the files of each device and no others.
zwd=$top_builddir/zwd
command -v jq >/dev/null || exit 77
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 99
failed=0
fail() {
	echo "FAIL $*"
	cat out err
	failed=1
}
put() { # FILE TEXT
	mkdir -p "root$(dirname "$1")" && printf '%b' "$2" >"root$1" || exit 99
}
cdi() { # STATUS ARGUMENT...
	expected=$1
	shift
	timeout 60 "$zwd" cdi --root "$tmp/root" "$@" >out 2>err
	status=$?
	[ $status = "$expected" ] || fail "zwd cdi $*: exit status $status, not $expected"
	[ $status = 0 ] || [ -s err ] || fail "zwd cdi $*: not a word"
}
# The members that there may be, their types and forms: of the schema and, for names and versions, of the text.
rules='
def only(names): (keys - names) == [];
def text: type == "string" and length > 0;
def path: text and startswith("/");
def node: only(["path", "hostPath", "type", "major", "minor", "fileMode", "permissions", "uid", "gid"]) and
	(.path | path) and (.permissions | test("^[rwm]+$"));
def mount: only(["hostPath", "containerPath", "options", "type"]) and (.hostPath | path) and (.containerPath | path) and
	(.options | type == "array" and all(text));
def edits: type == "object" and length > 0 and
	only(["env", "deviceNodes", "mounts", "hooks", "additionalGids", "intelRdt"]) and
	((.env // []) | all(test("^[A-Za-z_][A-Za-z0-9_]*="))) and ((.deviceNodes // []) | all(node)) and
	((.mounts // []) | all(mount)) and
	((.additionalGids // []) | all(type == "number" and . > 0 and . < 4294967296));
def name: text and test("^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$");
only(["cdiVersion", "kind", "annotations", "devices", "containerEdits"]) and
(.cdiVersion | IN("0.5.0", "0.7.0")) and
((.cdiVersion == "0.7.0") == ([.. | objects | has("additionalGids")] | any)) and
(.kind | test("^[a-z]([a-z0-9.-]*[a-z0-9])?/[A-Za-z]([A-Za-z0-9_-]*[A-Za-z0-9])?$") and length < 64) and
(.devices | type == "array" and length > 0 and all(only(["name", "annotations", "containerEdits"]) and (.name | name) and
	(.containerEdits | edits)) and ((map(.name) | unique | length) == length)) and
(.containerEdits == null or (.containerEdits | edits))'
valid() {
	jq -e "$rules" out >valid 2>&1 || fail "breaks a rule: $(cat valid)"
}
is() { # WHAT JQ-FILTER EXPECTED
	[ "$(jq -cr "$2" out)" = "$3" ] || fail "$1: $(jq -cr "$2" out), not $3"
}
mkdir root
cdi 0 --help
for usage in --no-such-option word; do
	cdi 2 $usage
done
cdi 1
[ ! -s out ] || fail "a specification without a device"

# Both kinds, nodes that are not ours to give, and one that is missing.
put /sys/class/uacce/hisi_zip-0/algorithms 'zlib\ngzip\n'
put /sys/class/uacce/hisi_zip-1/algorithms gzip\\n
put /sys/class/uacce/hisi_sec-0/algorithms cipher\\n
put /dev/hisi_zip-0 ''
put /dev/hisi_sec-0 ''
cdi 0
valid
is devices '[.devices[].name]' '["hisi_zip-0","all"]'
is nodes '[.devices[].containerEdits.deviceNodes[].path]' '["/dev/hisi_zip-0","/dev/hisi_zip-0"]'
is edits .containerEdits null
device=/sys/class/sdmdev/0000:75:00.0/device
for i in 0 1; do
	mkdir -p "root$device/12345678-1234-8234-8000-00000000000$i"
	ln -s ../../kernel/iommu_groups/1$i "root$device/12345678-1234-8234-8000-00000000000$i/iommu_group"
	put /dev/vfio/1$i ''
done
ln -s ../../kernel/iommu_groups/7 "root$device/iommu_group"
put /dev/vfio/7 ''
put /dev/vfio/vfio ''
cdi 0
valid
is devices '[.devices[] | [.name, .containerEdits.deviceNodes[].path]]' \
	'[["hisi_zip-0","/dev/hisi_zip-0"],["0000-75-00.0","/dev/vfio/10","/dev/vfio/11"],["all","/dev/hisi_zip-0","/dev/vfio/10","/dev/vfio/11"]]'
is container '.containerEdits.deviceNodes[].path' /dev/vfio/vfio
cdi 0 -l
valid
is preload '.containerEdits | .env[0] == "LD_PRELOAD=" + .mounts[0].containerPath and .mounts[0].hostPath == .mounts[0].containerPath' true
cdi 0 --groups --library
valid
[ "$(id -g)" = 0 ] && gids='[]' || gids="[$(id -g)]"
is groups '.devices[-1].containerEdits.additionalGids' "$gids"
"$zwd" cdi --root "$tmp/root" >/dev/full 2>err && fail "written to a full device"
[ $failed = 0 ]
