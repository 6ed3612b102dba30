/* SPDX-License-Identifier: Zlib */
/*
 * The system's zlib as other systems have theirs: what it calls of itself is bound as it is loaded, and read-only
 * from then on. Of its functions those that a stream takes.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <zlib.h>

static void *real(const char *name)
{
	static void *lib;

	if (!lib)
		lib = dlopen(getenv("SOFT_ZLIB"), RTLD_NOW | RTLD_LOCAL);
	return lib ? dlsym(lib, name) : NULL;
}

#define FORWARD(type, name, params, args) \
	__attribute__((visibility("default"))) type name params \
	{ \
		return ((__typeof__(&name))real(#name)) args; \
	}

FORWARD(const char *, zlibVersion, (void), ())
FORWARD(int, deflateInit2_, (z_streamp strm, int level, int method, int window_bits, int mem_level, int strategy,
			     const char *version, int size),
	(strm, level, method, window_bits, mem_level, strategy, version, size))
FORWARD(int, deflate, (z_streamp strm, int flush), (strm, flush))
FORWARD(int, deflateEnd, (z_streamp strm), (strm))
FORWARD(int, inflateInit2_, (z_streamp strm, int window_bits, const char *version, int size),
	(strm, window_bits, version, size))
FORWARD(int, inflate, (z_streamp strm, int flush), (strm, flush))
FORWARD(int, inflateEnd, (z_streamp strm), (strm))

/* As zlib's do. */
__attribute__((visibility("default"))) int deflateInit_(z_streamp strm, int level, const char *version, int size)
{
	return deflateInit2_(strm, level, Z_DEFLATED, 15, 8, Z_DEFAULT_STRATEGY, version, size);
}

__attribute__((visibility("default"))) int inflateInit_(z_streamp strm, const char *version, int size)
{
	return inflateInit2_(strm, 15, version, size);
}
