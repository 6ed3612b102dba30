#!/bin/sh
# SPDX-License-Identifier: Zlib
# The files of libz-wd call downwards only: abi, then deflate and inflate (which do not know each other), engine,
# stream, operate. No two files call each other, not by way of others either; nor in libwd, where the queue manager's
# registers, each of which acts on others, are one model in several files.
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
# calls OBJECT...: user used symbol, a line each
calls() {
	for object; do
		nm "$object" | awk -v object="${object%/.libs/*}/${object##*[-/]}" '{ print object, $(NF - 1), $NF }'
	done >"$dir/symbols"
	[ "$(cut -d' ' -f1 "$dir/symbols" | sort -u | wc -l)" -gt 20 ] || {
		echo "layers: no objects to look at" >&2
		exit 1
	}
	awk '
		NR == FNR { if ($2 ~ /^[A-TV-Z]$/) of[$3] = $1; next }
		$2 == "U" && $3 in of && of[$3] != $1 { print $1, of[$3], $3 }
	' "$dir/symbols" "$dir/symbols"
}
# Of lines of who calls whom: those in a circle.
circles() {
	cut -d' ' -f1,2 | sort -u | tsort 2>&1 >/dev/null | sed 's/^/layers: /'
}

cd "$top_builddir/libz-wd" || exit 99
calls $(ls -d */.libs/*.o | grep -v ^tools) >"$dir/calls"

awk '
	BEGIN { rank["abi"] = 4; rank["deflate"] = rank["inflate"] = 3; rank["engine"] = 2; rank["stream"] = 1; rank["operate"] = 0 }
	{
		split($1, user, "/")
		split($2, used, "/")
		if (!(user[1] in rank) || !(used[1] in rank))
			print "layers: a folder without a place:", $0
		else if (rank[used[1]] > rank[user[1]] || (rank[used[1]] == rank[user[1]] && used[1] != user[1]))
			print "layers: upwards:", $0
	}
' "$dir/calls" >"$dir/wrong"
circles <"$dir/calls" >>"$dir/wrong"
cd ../libwd || exit 99
calls .libs/*.o */.libs/*.o >"$dir/calls"
sed 's/emu_qm[a-z_]*\.o/emu_qm.o/g' "$dir/calls" | circles >>"$dir/wrong"
cat "$dir/wrong"
[ ! -s "$dir/wrong" ]
