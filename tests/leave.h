/* SPDX-License-Identifier: Zlib */
/* The end of a child that leaves its parent's handlers and destructors alone. */
#ifndef LEAVE_H
#define LEAVE_H

#include <unistd.h>

#ifdef WD_COVERAGE
void __gcov_dump(void);
#endif

/* _exit(); what a linked libwd did is counted all the same, "make coverage". */
static inline _Noreturn void leave(int status)
{
#ifdef WD_COVERAGE
	__gcov_dump();
#endif
	_exit(status);
}

#endif
