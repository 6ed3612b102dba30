#!/bin/sh
# SPDX-License-Identifier: Zlib
# The JDK's own tests of java.util.zip, as Debian's source package has them, as far as they need no framework.
limit_s=1700	# of which downloads may take most
. "$top_srcdir/tests/clients/lib.sh"
need java javac
version=$(java -version 2>&1 | sed -n '1s/[^"]*"\([0-9]*\).*/\1/p')
uses_libz "$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")/lib/libzip.so"
source=$(sh "$top_srcdir/tests/fetch-source" "openjdk-$version") || exit $?
zip=$source/test/jdk/java/util/zip
cd "$tmp" || exit 99

# TEST ARGUMENT..., one a line: those that are compiled.
for file in $(cd "$zip" && grep -l @test ./*.java ./*/*.java | xargs grep -L 'testng\|junit' | sed 's,^\./,,'); do
	run=$(sed -n 's/.*@run //p' "$zip/$file" | head -n 1)
	run=${run:-main $(basename "$file" .java)}
	case $run in
	*manual*) continue ;;
	main*) ;;
	*) continue ;;
	esac
	mkdir -p "classes/$file"
	javac -nowarn -d "classes/$file" -sourcepath "$zip/$(dirname "$file"):$zip:$source/test/lib" "$zip/$file" >said 2>&1 ||
		continue
	echo "$file ${run#* }"
done >tests

: >known
failing() {
	: >said
	wc -l <tests >nr
	while read -r file args; do
		rm -rf work
		mkdir work
		(cd work && "$@" timeout -k 5 100 java -Dtest.src="$zip/$(dirname "$file")" -Dtest.classes="../classes/$file" \
			-cp "../classes/$file:$zip/$(dirname "$file")" $args) >out 2>&1 </dev/null && continue
		echo "$file"
		{ echo "$test: fails: $file"; tail -n 40 out; } >>said
	done <tests
}
same_failures 40
assert_device_use deflate inflate
