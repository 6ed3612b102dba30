/* SPDX-License-Identifier: Zlib */
/* Both speakers of zlib's interface side by side: the system's library and libz-wd. */
#include "config.h"

#include "zlib_api.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

const struct zlib_api zlib_wd = {
#define X(name) .name = name,
	ZLIB_API(X)
#undef X
};

#ifndef __has_feature
#define __has_feature(name) 0 /* clang's way to tell */
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SOFT_BINDING 0 /* these refuse the other */
#else
/* Its calls to itself, crc32() and the like, must not land in libz-wd, which came first. */
#define SOFT_BINDING RTLD_DEEPBIND
#endif

/*
 * libz-wd has the file open from its load on, bound as any library is; so this is one of our own
 * with the same contents.
 */
static void *soft_open(void)
{
	int from = open(SOFT_ZLIB_PATH, O_RDONLY | O_CLOEXEC),
	    to = memfd_create("libz", MFD_CLOEXEC);
	void *lib = NULL;
	struct stat st;
	char path[40];

	if (from >= 0 && to >= 0 && !fstat(from, &st) &&
	    sendfile(to, from, NULL, (size_t)st.st_size) == st.st_size) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", to);
		lib = dlopen(path, RTLD_NOW | RTLD_LOCAL | SOFT_BINDING);
	}
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return lib ? lib : dlopen(SOFT_ZLIB_PATH, RTLD_NOW | RTLD_LOCAL | SOFT_BINDING);
}

static const struct {
	const char *name;
	size_t offset;
} soft_symbols[] = {
#define X(name) { #name, offsetof(struct zlib_api, name) },
	ZLIB_API(X)
#undef X
};

const struct zlib_api *zlib_soft(const char **why)
{
	static struct zlib_api api;
	static int is_open;
	void *lib;

	if (is_open)
		return &api;
	lib = soft_open();
	if (!lib) {
		*why = dlerror();
		return NULL;
	}
	for (size_t i = 0; i < sizeof(soft_symbols) / sizeof(soft_symbols[0]); i++) {
		void *symbol = dlsym(lib, soft_symbols[i].name);

		if (!symbol) {
			*why = dlerror();
			return NULL;
		}
		memcpy((char *)&api + soft_symbols[i].offset, &symbol, sizeof(symbol));
	}
	if (api.deflate == zlib_wd.deflate) {
		*why = SOFT_ZLIB_PATH " is libz-wd itself";
		return NULL;
	}
	is_open = 1;
	return &api;
}
