/* SPDX-License-Identifier: Zlib */
/* The functions of one zlib of several in a process. */
#ifndef ZLIB_API_H
#define ZLIB_API_H

#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <zlib.h>

#define ZLIB_FUNCS(X) \
	X(adler32) X(adler32_combine) X(adler32_combine64) X(adler32_z) X(compress) X(compress2) \
	X(compressBound) X(crc32) X(crc32_combine) X(crc32_combine64) X(crc32_combine_gen) \
	X(crc32_combine_gen64) X(crc32_combine_op) X(crc32_z) X(deflate) X(deflateBound) \
	X(deflateCopy) X(deflateEnd) X(deflateGetDictionary) X(deflateInit2_) X(deflateInit_) \
	X(deflateParams) X(deflatePending) X(deflatePrime) X(deflateReset) X(deflateResetKeep) \
	X(deflateSetDictionary) X(deflateSetHeader) X(deflateTune) X(get_crc_table) X(gzbuffer) \
	X(gzclearerr) X(gzclose) X(gzclose_r) X(gzclose_w) X(gzdirect) X(gzdopen) X(gzeof) \
	X(gzerror) X(gzflush) X(gzfread) X(gzfwrite) X(gzgetc) X(gzgetc_) X(gzgets) X(gzoffset) \
	X(gzoffset64) X(gzopen) X(gzopen64) X(gzprintf) X(gzputc) X(gzputs) X(gzread) X(gzrewind) \
	X(gzseek) X(gzseek64) X(gzsetparams) X(gztell) X(gztell64) X(gzungetc) X(gzvprintf) \
	X(gzwrite) X(inflate) X(inflateBack) X(inflateBackEnd) X(inflateBackInit_) \
	X(inflateCodesUsed) X(inflateCopy) X(inflateEnd) X(inflateGetDictionary) \
	X(inflateGetHeader) X(inflateInit2_) X(inflateInit_) X(inflateMark) X(inflatePrime) \
	X(inflateReset) X(inflateReset2) X(inflateResetKeep) X(inflateSetDictionary) \
	X(inflateSync) X(inflateSyncPoint) X(inflateUndermine) X(inflateValidate) X(uncompress) \
	X(uncompress2) X(zError) X(zlibCompileFlags) X(zlibVersion)

struct zlib_api {
#define X(name) __typeof__(name) *name;
	ZLIB_FUNCS(X)
#undef X
};

/* Fills in the system's, or SOFT_ZLIB's of the environment. NULL, or what is wrong. */
static inline const char *zlib_api_open(struct zlib_api *api)
{
	const char *path = getenv("SOFT_ZLIB");
	/* A link map of its own: there its inner calls cannot come out at ours. */
	void *lib = dlmopen(LM_ID_NEWLM, path ? path : SOFT_ZLIB_PATH, RTLD_NOW | RTLD_LOCAL);

	if (!lib)
		return dlerror();
#define X(name) \
	api->name = (__typeof__(name) *)dlsym(lib, #name); \
	if (!api->name) \
		return "the system's zlib has no " #name;
	ZLIB_FUNCS(X)
#undef X
	return NULL;
}

#endif
