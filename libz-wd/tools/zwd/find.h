/* SPDX-License-Identifier: Zlib */
/* Which processes are meant: by number, by program, or all that have libz-wd. */
#ifndef ZWD_FIND_H
#define ZWD_FIND_H

#include "tools/zwd/live.h"

struct find {
	char **words; /* numbers and programs; none: all */
	int words_nr;
};

/* Reads them. is_told: why one that was named cannot be read; then -1, where there is such a one. */
int find_processes(const struct find *find, struct lives *lives, bool is_told);

/* Keeps the programs that were named. -1: there is none of one of them, which is told. */
int find_in_sums(const struct find *find, struct lives *lives);

void find_sleep(double seconds);
/* Seconds of a clock that nobody sets. */
double find_clock(void);

#endif
