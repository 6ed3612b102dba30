/* SPDX-License-Identifier: Zlib */
/* The real zlib: opened by absolute name when it is first needed, never linked. */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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

/*
 * The members' names in their order, with a mark before those whose stand-in returns an error. One
 * string, not a table of pointers: the loader would have to relocate that in every process.
 */
#define SOFT_ERR(f) "!" #f "\0"
#define SOFT_NUL(f) #f "\0"
static const char names[] = SOFT_ZLIB_FUNCTIONS(SOFT_ERR, SOFT_NUL, SOFT_NUL);

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
	const char *path = secure_getenv("ZWD_SOFT_ZLIB"), *name;
	void **member = (void **)&zwd_soft_zlib, *lib = NULL;

	if (path && *path)
		lib = open_other(path);
	if (!lib)
		lib = open_other(SOFT_ZLIB_PATH);
	for (name = names; *name; name += strlen(name) + 1, member++) {
		int is_error = *name == '!';

		name += is_error;
		*member = lib ? dlsym(lib, name) : NULL;
		if (!*member)
			*member = is_error ? (void *)no_function : (void *)no_value;
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
