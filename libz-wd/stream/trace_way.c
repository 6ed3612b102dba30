/* SPDX-License-Identifier: Zlib */
/* Which calls are recorded; the functions that do so are told by a table, for they call those that
 * ask here. */
#include "config.h"

#include "stream/trace_way.h"
#include "stream/inner.h"
#include "stream/shield.h"

struct zwd_traced zwd_traced;
void (*zwd_traced_begin_late)(void);

/* Where this library lies. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

/*
 * compress() calls deflate(), and the real zlib's gz layer does: a program that called the former
 * has made one call.
 */
bool zwd_traced_is_program(const void *return_address)
{
	const char *address = return_address;

	return (address < __ehdr_start || address >= _end) && !zwd_inner_has(address);
}

static void begin(void)
{
	if (zwd_traced_begin_late)
		zwd_traced_begin_late();
	else
		zwd_trace_state = ZWD_TRACE_OFF;
}

void zwd_traced_ask(void)
{
	static _Atomic unsigned int once;
	int cancel_state = zwd_shield_up();

	zwd_once(&once, begin);
	zwd_shield_down(cancel_state);
}
