# SPDX-License-Identifier: Zlib
# Writes a folder of files by Tcl's zlib command, its streams and its channels, and reads it back. Answers are printed.
proc load_file {path} {
	set file [open $path rb]
	set data [read $file]
	close $file
	return $data
}

proc save {path data} {
	set file [open $path wb]
	puts -nonewline $file $data
	close $file
}

# data through a stream, in pieces.
proc through {mode data size args} {
	set stream [zlib stream $mode {*}$args]
	set out {}
	for {set at 0} {$at < [string length $data]} {incr at $size} {
		$stream put [string range $data $at [expr {$at + $size - 1}]]
		append out [$stream get]
	}
	if {$mode in {compress deflate gzip}} {
		$stream finalize
	}
	append out [$stream get]
	$stream close
	return $out
}

set kinds {zlib {compress decompress} raw {deflate inflate} gz {gzip gunzip}}

proc write {mix out} {
	file mkdir $out
	foreach path [lsort [glob $mix/*]] {
		set name [file tail $path]
		set data [load_file $path]
		dict for {kind modes} $::kinds {
			lassign $modes pack
			foreach level {1 6 9} {
				set packed [expr {$kind eq "gz" ? [zlib gzip $data -level $level] : [zlib $pack $data $level]}]
				save $out/$name.at$level.$kind $packed
			}
			save $out/$name.stream.$kind [through $pack $data 40000]
			set file [open $out/$name.push.$kind wb]
			zlib push $pack $file -level 6
			puts -nonewline $file $data
			close $file
		}
		puts "$name [string length $data] [zlib crc32 $data] [zlib adler32 $data]"
	}
	set sound [zlib compress [load_file $mix/text]]
	foreach bytes [list [string range $sound 0 1000] "no zlib stream" {} "[string range $sound 0 end-4]\0\0\0\0"] {
		puts "[catch {string length [zlib decompress $bytes]} answer options] $answer [dict get $options -errorcode]"
	}
}

proc read_back {mix out} {
	foreach path [lsort [glob $out/*]] {
		lassign [split [file tail $path] .] name how kind
		set want [load_file $mix/$name]
		set data [load_file $path]
		set unpack [lindex [dict get $::kinds $kind] 1]
		set file [open $path rb]
		zlib push $unpack $file
		set pushed [read $file]
		close $file
		foreach back [list [zlib $unpack $data] [through $unpack $data 10007] $pushed] {
			if {$back ne $want} {
				puts stderr "$path is different"
				exit 1
			}
		}
	}
}

lassign $argv mode mix out
[dict get {write write read read_back} $mode] $mix $out
