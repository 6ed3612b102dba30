/* SPDX-License-Identifier: Zlib */
/* A zlib that is opened beside others. */
#include "config.h"
#include <dlfcn.h>
#include <stdio.h>
#include "tools/zwd/replay_lib.h"

static bool fill(struct replay_lib *lib)
{
	const char *(*version)(void);

#define FIND(name) *(void **)&lib->name = dlsym(lib->handle, #name);
	REPLAY_FUNCTIONS(FIND)
#undef FIND
	*(void **)&version = dlsym(lib->handle, "zwd_version");
	lib->own_version = version ? version() : NULL;
	return lib->zlibVersion && lib->deflateInit2_ && lib->deflateInit_ && lib->deflate &&
	       lib->deflateEnd && lib->inflateInit2_ && lib->inflateInit_ && lib->inflate &&
	       lib->inflateEnd;
}

static bool open_path(struct replay_lib *lib, const char *path)
{
	*lib = (struct replay_lib){ .path = path, .handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) };
	return lib->handle != NULL;
}

bool replay_lib_open(struct replay_lib *lib, const char *path)
{
	bool is_open =
		path ? open_path(lib, path)
		     : open_path(lib, LIBDIR "/libz-wd.so.1") || open_path(lib, "libz-wd.so.1");

	if (!is_open) {
		fprintf(stderr, "zwd: %s\n", dlerror());
		return false;
	}
	if (fill(lib))
		return true;
	fprintf(stderr, "zwd: %s: is no zlib\n", lib->path);
	return false;
}

bool replay_lib_open_stock(struct replay_lib *lib)
{
	return (open_path(lib, SOFT_ZLIB_PATH) || open_path(lib, "libz.so.1")) && fill(lib);
}
