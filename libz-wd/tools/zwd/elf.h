/* SPDX-License-Identifier: Zlib */
/* What a program or library tells of its zlib. Whatever the file holds, reading it is safe. */
#ifndef ZWD_ELF_H
#define ZWD_ELF_H

#include <stdbool.h>
#include <stddef.h>

#define ELF_NEEDED_MAX	128
#define ELF_NAMES_LEN	8192
#define ELF_VERSION_LEN 24

struct elf_facts {
	bool is_foreign; /* of another kind of machine: nothing else is known */
	bool is_program; /* has an entry for the kernel; else a library */
	bool is_static;	 /* a program that no loader sees */
	bool is_set_id;
	bool needs_zlib, imports_zlib, exports_zlib; /* libz.so is; functions of zlib are */
	bool needs_ours;			     /* libz-wd.so is */
	const char *needed[ELF_NEEDED_MAX];	     /* libraries, into names */
	unsigned int needed_nr;
	const char *soname, *runpath; /* likewise; "": there is none */
	char names[ELF_NAMES_LEN];

	/* By what its contents hold, if these were asked for. */
	char copy[ELF_VERSION_LEN]; /* the version of a zlib inside, or "" */
	bool is_zlib_ng;
	bool names_zlib; /* "libz.so" stands in it, and it is not needed */
	bool is_go, has_go_flate;
};

/*
 * Reads the file at a path relative to the folder dir (AT_FDCWD). 0; -ENOEXEC: it is no ELF program
 * or library; or -errno. with_contents: reads all that is loaded, for what is found there.
 */
int elf_read(int dir, const char *path, bool with_contents, struct elf_facts *facts);

#endif
