/* SPDX-License-Identifier: Zlib */
/* Both speakers of zlib's interface side by side: the system's library and libz-wd. */
#include "config.h"

#include "zlib_api.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

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
	lib = dlopen(SOFT_ZLIB_PATH, RTLD_NOW | RTLD_LOCAL | SOFT_BINDING);
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
