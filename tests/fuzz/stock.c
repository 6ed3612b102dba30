/* SPDX-License-Identifier: Zlib */
/* The system's zlib beside ours. */
#include "config.h"
#include "driver.h"
#include "stock.h"

#include <dlfcn.h>
#include <stdlib.h>

struct zlib_api stock;

void stock_open(void)
{
	const char *path = getenv("SOFT_ZLIB");
	/* A link map of its own: there its inner calls cannot come out at ours. */
	void *lib = dlmopen(LM_ID_NEWLM, path ? path : SOFT_ZLIB_PATH, RTLD_NOW | RTLD_LOCAL);

	check(lib, "%s", dlerror());
#define X(name)                                                                                    \
	stock.name = (__typeof__(name) *)dlsym(lib, #name);                                        \
	check(stock.name, "the system's zlib has no " #name);
	ZLIB_FUNCS(X)
#undef X
}
