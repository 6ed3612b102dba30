/* SPDX-License-Identifier: Zlib */
/* The way of calls while they are recorded, see abi/traced.c. */
#ifndef ZWD_TRACE_WAY_H
#define ZWD_TRACE_WAY_H

#include <stdbool.h>

#include "operate/trace.h"
#include "operate/trace_format.h"
#include "stream/soft_zlib.h"

/* A function for each of zlib's: it calls that, and records what came of it. */
struct zwd_traced {
#define ZWD_TRACED_MEMBER(name) __typeof__(&name) name;
	ZWD_TRACE_FUNCTIONS(ZWD_TRACED_MEMBER)
#undef ZWD_TRACED_MEMBER
};
extern struct zwd_traced zwd_traced __attribute__((visibility("hidden")));

/* Fills the table and opens the file. At load, or with a program's first stream: that is what
 * load.c says. */
void zwd_traced_begin(void);
extern void (*zwd_traced_begin_late)(void) __attribute__((visibility("hidden")));

/* Is it the program that calls, not this library or the zlib underneath for itself? */
bool zwd_traced_is_program(const void *return_address);
/* The state is ASK. */
void zwd_traced_ask(void);

/* In front of a function: two instructions where nothing is recorded. */
#define ZWD_TRACED(name, args)                                                                     \
	do {                                                                                       \
		if (__builtin_expect(zwd_trace_state == ZWD_TRACE_ON, 0) &&                        \
		    zwd_traced_is_program(__builtin_return_address(0)))                            \
			return zwd_traced.name args;                                               \
	} while (0)

/* In front of one that a program may begin with. */
#define ZWD_TRACED_FIRST(name, args)                                                               \
	do {                                                                                       \
		if (__builtin_expect(zwd_trace_state != ZWD_TRACE_OFF, 0)) {                       \
			if (zwd_trace_state == ZWD_TRACE_ASK)                                      \
				zwd_traced_ask();                                                  \
			ZWD_TRACED(name, args);                                                    \
		}                                                                                  \
	} while (0)

#endif
