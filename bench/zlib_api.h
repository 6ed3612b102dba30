/* SPDX-License-Identifier: Zlib */
/* Both speakers of zlib's interface side by side: the system's library and libz-wd. */
#ifndef ZLIB_API_H
#define ZLIB_API_H

#include <zlib.h>

#define ZLIB_API(X)                                                                                \
	X(zlibVersion) X(compress2) X(uncompress) X(compressBound) X(crc32) X(adler32)             \
	X(deflateInit2_) X(deflate) X(deflateBound) X(deflateReset) X(deflateEnd)                  \
	X(inflateInit2_) X(inflate) X(inflateReset) X(inflateEnd)

struct zlib_api {
#define X(name) __typeof__(name) *name;
	ZLIB_API(X)
#undef X
};

extern const struct zlib_api zlib_wd;

/* The system's zlib, opened at the first call; NULL: *why is the reason. */
const struct zlib_api *zlib_soft(const char **why);

#endif
