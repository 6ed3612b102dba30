/* SPDX-License-Identifier: Zlib */
/* A settings file, line by line: what stands there, whom it is for, and what is wrong with it. */
#ifndef ZWD_LINES_H
#define ZWD_LINES_H

#include <stddef.h>

struct zwd_line {
	unsigned int nr;     /* from 1 */
	const char *program; /* of the section that it is in; "": all; NULL: the section is wrong */
	const char *key, *value; /* NULL: the line begins a section */
	const char *wrong;	 /* as far as the grammar goes, or NULL; then there may be no key */
};

/*
 * Calls take() for each line but comments and empty ones. text is taken apart, and has room for a byte
 * at its end.
 */
void zwd_lines_read(char *text, size_t len, void (*take)(void *arg, const struct zwd_line *line),
		    void *arg);

#endif
