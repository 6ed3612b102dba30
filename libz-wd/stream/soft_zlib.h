/* SPDX-License-Identifier: Zlib */
/* The real zlib: taken where the loader has it, else opened by absolute name, never linked. */
#ifndef ZWD_SOFT_ZLIB_H
#define ZWD_SOFT_ZLIB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What zlib.h declares is what this library exports. */
#define ZEXTERN extern __attribute__((visibility("default")))
#define ZLIB_INTERNAL
#include <zlib.h>
#undef gzgetc /* a macro over the function of that name */

/* Newer than the header may be: 1.3.1.2's and 1.3.2's. */
#if ZLIB_VERNUM < 0x1320
ZEXTERN int ZEXPORT deflateUsed(z_streamp strm, int *bits);
ZEXTERN z_size_t ZEXPORT deflateBound_z(z_streamp strm, z_size_t len);
ZEXTERN z_size_t ZEXPORT compressBound_z(z_size_t len);
ZEXTERN int ZEXPORT compress_z(Bytef *dest, z_size_t *dest_len, const Bytef *source, z_size_t len);
ZEXTERN int ZEXPORT compress2_z(Bytef *dest, z_size_t *dest_len, const Bytef *source, z_size_t len,
				int level);
ZEXTERN int ZEXPORT uncompress_z(Bytef *dest, z_size_t *dest_len, const Bytef *source, z_size_t len);
ZEXTERN int ZEXPORT uncompress2_z(Bytef *dest, z_size_t *dest_len, const Bytef *source,
				  z_size_t *len);
#endif

/* Its functions by what they return when they cannot be had: an error, nothing, zero. */
#define SOFT_ZLIB_FUNCTIONS(ERR, NIL, NUL)                                                        \
	NIL(zlibVersion) NUL(zlibCompileFlags) NIL(zError)                                        \
	ERR(deflateInit_) ERR(deflateInit2_) ERR(deflate) ERR(deflateEnd) ERR(deflateReset)        \
	ERR(deflateResetKeep) ERR(deflateSetDictionary) ERR(deflateGetDictionary) ERR(deflateCopy) \
	ERR(deflateParams) ERR(deflateTune) NUL(deflateBound) ERR(deflatePending)                  \
	ERR(deflatePrime) ERR(deflateSetHeader) ERR(deflateUsed)                                   \
	ERR(inflateInit_) ERR(inflateInit2_) ERR(inflate) ERR(inflateEnd) ERR(inflateReset)        \
	ERR(inflateReset2) ERR(inflateResetKeep) ERR(inflateSetDictionary)                         \
	ERR(inflateGetDictionary) ERR(inflateSync) ERR(inflateSyncPoint) ERR(inflateCopy)          \
	ERR(inflatePrime) ERR(inflateMark) ERR(inflateGetHeader) ERR(inflateUndermine)             \
	ERR(inflateValidate) ERR(inflateCodesUsed)                                                 \
	ERR(inflateBackInit_) ERR(inflateBack) ERR(inflateBackEnd)                                 \
	NUL(compressBound) NUL(compressBound_z) NUL(deflateBound_z) ERR(uncompress2_z)             \
	NIL(gzopen) NIL(gzopen64) NIL(gzdopen) ERR(gzbuffer) ERR(gzsetparams) ERR(gzread)          \
	NUL(gzfread) ERR(gzwrite) NUL(gzfwrite) ERR(gzvprintf) ERR(gzputs) NIL(gzgets) ERR(gzputc) \
	ERR(gzgetc) ERR(gzgetc_) ERR(gzungetc) ERR(gzflush) ERR(gzseek) ERR(gzseek64) ERR(gzrewind) \
	ERR(gztell) ERR(gztell64) ERR(gzoffset) ERR(gzoffset64) ERR(gzeof) ERR(gzdirect)           \
	ERR(gzclose) ERR(gzclose_r) ERR(gzclose_w) NIL(gzerror) NUL(gzclearerr)                    \
	NUL(adler32) NUL(adler32_z) NUL(crc32) NUL(crc32_z) NUL(adler32_combine)                   \
	NUL(adler32_combine64) NUL(crc32_combine) NUL(crc32_combine64) NUL(crc32_combine_gen)      \
	NUL(crc32_combine_gen64) NUL(crc32_combine_op)

struct zwd_soft_zlib {
#define SOFT_MEMBER(name) __typeof__(&name) name;
	SOFT_ZLIB_FUNCTIONS(SOFT_MEMBER, SOFT_MEMBER, SOFT_MEMBER)
#undef SOFT_MEMBER
};

/*
 * Readable as it is once a stream was opened, before that through zwd_soft(): functions that fail
 * stand in for what cannot be had. Hidden, which -fvisibility makes no declaration: a constant
 * address, not one in the GOT.
 */
extern struct zwd_soft_zlib zwd_soft_zlib __attribute__((visibility("hidden")));
extern atomic_bool zwd_soft_zlib_is_open __attribute__((visibility("hidden")));

/* What a program finds under these names: set at load, and a program's that is linked with parts of this one stays NULL. */
struct zwd_soft_zlib_ours {
	__typeof__(&deflate) deflate;
	__typeof__(&deflateInit2_) deflateInit2_;
	__typeof__(&inflateInit2_) inflateInit2_;
};
extern struct zwd_soft_zlib_ours zwd_soft_zlib_ours __attribute__((visibility("hidden")));

void zwd_soft_zlib_open(void);
/* Binds what it calls, see zwd_object_bind(). */
void zwd_soft_zlib_bind(void);
void zwd_soft_zlib_open_at_load(void);

/* Is a member the zlib underneath's own, or does another function stand in for it? */
bool zwd_soft_zlib_has(const void *function);

static inline const struct zwd_soft_zlib *zwd_soft(void)
{
	if (__builtin_expect(!atomic_load_explicit(&zwd_soft_zlib_is_open, memory_order_acquire), 0))
		zwd_soft_zlib_open();
	return &zwd_soft_zlib;
}

#endif
