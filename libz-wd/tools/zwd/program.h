/* SPDX-License-Identifier: Zlib */
/* How a program comes by its zlib, and whether libz-wd can take that one's place. */
#ifndef ZWD_PROGRAM_H
#define ZWD_PROGRAM_H

#include <stdbool.h>
#include "tools/zwd/elf.h"

enum program_kind {
	PROGRAM_NONE,	 /* no sign of zlib */
	PROGRAM_DYNAMIC, /* links it */
	PROGRAM_THROUGH, /* links a library that does */
	PROGRAM_DLOPEN,	 /* names it, and so may open it while running */
	PROGRAM_COPY,	 /* has one inside */
	PROGRAM_STATIC,	 /* likewise, and no loader sees it */
	PROGRAM_GO,	 /* Go's own */
	PROGRAM_FOREIGN, /* of another kind of machine: not looked into */
	PROGRAM_ZLIB,	 /* is a zlib */
	PROGRAM_KINDS,
};

struct program {
	enum program_kind kind;
	bool is_library, is_set_id;
	bool is_zlib_ng, is_ours;	    /* the latter: links libz-wd already */
	bool is_preload_good, is_path_good; /* would LD_PRELOAD, LD_LIBRARY_PATH reach it? */
	char version[ELF_VERSION_LEN]; /* of the copy inside, which one that links zlib may have,
					  too; "" */
	char through[256];	       /* the library, of PROGRAM_THROUGH */
};

/*
 * Looks at the file that name is in the folder dir; path is its name from the root, for what it
 * needs. 0; -ENOEXEC: it is no program or library; or -errno.
 */
int program_look(int dir, const char *name, const char *path, struct program *program);

/* "dynamic", and a sentence's part about that kind: "links zlib". */
const char *program_kind_name(enum program_kind kind);
const char *program_kind_text(enum program_kind kind);

#endif
