/* SPDX-License-Identifier: Zlib */
/* The real zlib: opened by absolute name when it is first needed, never linked. */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "log.h"
#include "soft_zlib.h"

struct zwd_soft_zlib zwd_soft_zlib;
atomic_bool zwd_soft_zlib_is_open;

/* Stand in for functions that the zlib underneath lacks: fail as zlib does, never crash. */
static int no_function(void)
{
	return Z_STREAM_ERROR;
}

static uintptr_t no_value(void)
{
	return 0;
}

static const struct {
	const char *name;
	size_t offset;
	int is_error; /* what its stand-in returns: an error or 0 */
} functions[] = {
#define SOFT_ERR(f) { #f, offsetof(struct zwd_soft_zlib, f), 1 },
#define SOFT_NUL(f) { #f, offsetof(struct zwd_soft_zlib, f), 0 },
	SOFT_ZLIB_FUNCTIONS(SOFT_ERR, SOFT_NUL, SOFT_NUL)
};

/* NULL when path cannot be opened or is this library: its functions would call themselves. */
static void *open_other(const char *path)
{
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!lib || dlsym(lib, "deflate") == (void *)deflate || !dlsym(lib, "deflate")) {
		zwd_log(ZWD_LOG_ERROR, "%s is no other zlib", path);
		return NULL;
	}
	return lib;
}

static void open_once(void)
{
	const char *path = secure_getenv("ZWD_SOFT_ZLIB");
	void *lib = NULL;

	if (path && *path)
		lib = open_other(path);
	if (!lib)
		lib = open_other(SOFT_ZLIB_PATH);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *f = lib ? dlsym(lib, functions[i].name) : NULL;

		if (!f)
			f = functions[i].is_error ? (void *)no_function : (void *)no_value;
		*(void **)((char *)&zwd_soft_zlib + functions[i].offset) = f;
	}
	atomic_store_explicit(&zwd_soft_zlib_is_open, true, memory_order_release);
}

void zwd_soft_zlib_open(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int saved_errno = errno;

	pthread_once(&once, open_once);
	errno = saved_errno;
}
