# SPDX-License-Identifier: Zlib
# Parts of manual pages in mdoc: -v want=prototypes, names, programs (C, each into a file of the folder dir),
# or commands (shell, of the examples).
function text(line) { # of a line between .Bd and .Ed
	gsub(/\\en/, "\\n", line); gsub(/\\e/, "\\", line); gsub(/\\-/, "-", line); gsub(/\\&/, "", line)
	return line
}
function end_block(	file) {
	if (want == "programs" && block ~ /(^|\n)int main\(/) {
		nr++
		file = dir "/" page "." nr ".c"
		printf "%s", block >file
		close(file)
		print file
	}
	if (want == "commands" && in_examples && block !~ /(^|\n)int main\(/) printf "%s", block
	is_block = 0
}
FNR == 1 { page = FILENAME; sub(/.*\//, "", page); section = ""; in_examples = 0; nr = 0 }
/^\.Sh / { section = $0; in_examples = section ~ /EXAMPLES|RECIPES/ || all }
is_block { if (/^\.Ed/) end_block(); else block = block text($0) "\n"; next }
/^\.Bd -literal/ { is_block = 1; block = ""; next }
want == "commands" && in_examples && /^\.Dl / { print text(substr($0, 5)) }
want == "names" && /^\.Nm / && section ~ /NAME/ { print $2 }
want == "prototypes" && section ~ /SYNOPSIS/ {
	if (/^\.In /) print "#include <" $2 ">"
	if (/^\.Ft /) type = substr($0, 5)
	if (/^\.Fn /) {
		name = $2; arguments = substr($0, length($1 " " $2) + 2)
		if (arguments == "void") arguments = "\"void\""
		gsub(/" "/, ", ", arguments); gsub(/"/, "", arguments)
		print type " " name "(" arguments ");"
	}
	if (/^\.Fo /) { name = $2; arguments = "" }
	if (/^\.Fa /) { gsub(/"/, ""); arguments = arguments (arguments ? ", " : "") substr($0, 5) }
	if (/^\.Fc/) print type " " name "(" arguments ");"
}
