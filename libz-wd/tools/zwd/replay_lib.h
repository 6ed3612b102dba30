/* SPDX-License-Identifier: Zlib */
/* A zlib that is opened beside others. */
#ifndef ZWD_REPLAY_LIB_H
#define ZWD_REPLAY_LIB_H

#include <stdbool.h>
#include <zlib.h>
#undef gzgetc /* a macro over the function of that name */

#define REPLAY_FUNCTIONS(F)                                                                        \
	F(zlibVersion)                                                                             \
	F(deflateInit_) F(deflateInit2_) F(deflate) F(deflateEnd) F(deflateReset) F(               \
		deflateResetKeep) F(deflateSetDictionary) F(deflateGetDictionary) F(deflateCopy)   \
		F(deflateParams) F(deflateTune) F(deflateBound) F(deflatePending) F(               \
			deflatePrime) F(deflateSetHeader) F(inflateInit_) F(inflateInit2_)         \
			F(inflate) F(inflateEnd) F(inflateReset) F(inflateReset2) F(               \
				inflateResetKeep) F(inflateSetDictionary) F(inflateGetDictionary)  \
				F(inflateSync) F(inflateSyncPoint) F(inflateCopy) F(               \
					inflatePrime) F(inflateMark) F(inflateGetHeader)           \
					F(inflateValidate) F(inflateBackInit_) F(inflateBack) F(   \
						inflateBackEnd) F(compress2) F(uncompress2)        \
						F(compressBound) F(adler32) F(adler32_z) F(        \
							crc32) F(crc32_z) F(adler32_combine)       \
							F(crc32_combine) F(crc32_combine_gen) F(   \
								crc32_combine_op) F(gzdopen)       \
								F(gzread) F(gzwrite) F(gzclose) F( \
									gzseek) F(gzgetc)          \
									F(gzungetc) F(gzgets) F(   \
										gzeof)             \
										F(zlibCompileFlags)

struct replay_lib {
	void *handle;
	const char *path;
	const char *own_version;		    /* of a libz-wd, or NULL */
#define REPLAY_MEMBER(name) __typeof__(&name) name; /* NULL: it has none */
	REPLAY_FUNCTIONS(REPLAY_MEMBER)
#undef REPLAY_MEMBER
};

/* path NULL: the installed libz-wd. False: it is no zlib, which is told. */
bool replay_lib_open(struct replay_lib *lib, const char *path);
/* The zlib that this was built for, or whatever is called so here; false: none, which is not told.
 */
bool replay_lib_open_stock(struct replay_lib *lib);

#endif
