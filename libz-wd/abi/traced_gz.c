/* SPDX-License-Identifier: Zlib */
/* The gz functions, and those without a stream, while they are recorded. Of a file the contents are
 * not. */
#include "config.h"

#include <stdarg.h>

#include "abi/traced_calls.h"
#include "abi/traced_gz.h"

/* Whole streams in a call. Lengths are before and after it. */
#define COMPRESS(name, len_type, params, args, level)                                              \
	static int traced_##name params                                                            \
	{                                                                                          \
		const int64_t room = to_len ? (int64_t)*to_len : -1;                               \
		struct zwd_traced_call call;                                                       \
		int ret;                                                                           \
                                                                                                   \
		zwd_traced_enter(&call, ZWD_CALL_##name, NULL, NULL);                              \
		zwd_traced_add(&call, from, from_len);                                             \
		ret = name args;                                                                   \
		call.made = to;                                                                    \
		call.made_len = ret == Z_OK ? *to_len : 0;                                         \
		zwd_traced_leave(&call, ret,                                                       \
				 ZWD_NUMBERS(room, to_len ? (int64_t)*to_len : -1,                 \
					     (int64_t)from_len, level));                           \
		return ret;                                                                        \
	}

COMPRESS(compress, uLong, (Bytef * to, uLongf *to_len, const Bytef *from, uLong from_len),
	 (to, to_len, from, from_len), Z_DEFAULT_COMPRESSION)
COMPRESS(compress2, uLong,
	 (Bytef * to, uLongf *to_len, const Bytef *from, uLong from_len, int level),
	 (to, to_len, from, from_len, level), level)
COMPRESS(compress_z, z_size_t, (Bytef * to, z_size_t *to_len, const Bytef *from, z_size_t from_len),
	 (to, to_len, from, from_len), Z_DEFAULT_COMPRESSION)
COMPRESS(compress2_z, z_size_t,
	 (Bytef * to, z_size_t *to_len, const Bytef *from, z_size_t from_len, int level),
	 (to, to_len, from, from_len, level), level)
COMPRESS(uncompress, uLong, (Bytef * to, uLongf *to_len, const Bytef *from, uLong from_len),
	 (to, to_len, from, from_len), 0)
COMPRESS(uncompress_z, z_size_t,
	 (Bytef * to, z_size_t *to_len, const Bytef *from, z_size_t from_len),
	 (to, to_len, from, from_len), 0)

#define UNCOMPRESS2(name, len_type)                                                                \
	static int traced_##name(Bytef *to, len_type *to_len, const Bytef *from,                   \
				 len_type *from_len)                                               \
	{                                                                                          \
		const int64_t room = to_len ? (int64_t)*to_len : -1;                               \
		const int64_t len = from_len ? (int64_t)*from_len : -1;                            \
		struct zwd_traced_call call;                                                       \
		int ret;                                                                           \
                                                                                                   \
		zwd_traced_enter(&call, ZWD_CALL_##name, NULL, NULL);                              \
		zwd_traced_add(&call, from, len > 0 ? (size_t)len : 0);                            \
		ret = name(to, to_len, from, from_len);                                            \
		call.made = to;                                                                    \
		call.made_len = ret == Z_OK ? *to_len : 0;                                         \
		zwd_traced_leave(&call, ret,                                                       \
				 ZWD_NUMBERS(room, to_len ? (int64_t)*to_len : -1, len,            \
					     from_len ? (int64_t)*from_len : -1));                 \
		return ret;                                                                        \
	}

UNCOMPRESS2(uncompress2, uLong)
UNCOMPRESS2(uncompress2_z, z_size_t)

#define CHECKSUM(name, len_type)                                                                   \
	static uLong traced_##name(uLong sum, const Bytef *buf, len_type len)                      \
	{                                                                                          \
		struct zwd_traced_call call;                                                       \
		uLong ret;                                                                         \
                                                                                                   \
		zwd_traced_enter(&call, ZWD_CALL_##name, NULL, NULL);                              \
		zwd_traced_add(&call, buf, len);                                                   \
		ret = name(sum, buf, len);                                                         \
		zwd_traced_leave(&call, (int64_t)ret,                                              \
				 ZWD_NUMBERS((int64_t)sum, buf ? (int64_t)len : -1));              \
		return ret;                                                                        \
	}

CHECKSUM(adler32, uInt)
CHECKSUM(adler32_z, z_size_t)
CHECKSUM(crc32, uInt)
CHECKSUM(crc32_z, z_size_t)

#define PURE(type, name, params, args, ...)                                                        \
	ZWD_TRACED_CALL(type, name, params, args, NULL, NULL, __VA_ARGS__)

PURE(uLong, compressBound, (uLong len), (len), (int64_t)len)
PURE(z_size_t, compressBound_z, (z_size_t len), (len), (int64_t)len)
PURE(uLong, adler32_combine, (uLong a, uLong b, z_off_t len), (a, b, len), (int64_t)a, (int64_t)b,
     len)
PURE(uLong, adler32_combine64, (uLong a, uLong b, z_off64_t len), (a, b, len), (int64_t)a,
     (int64_t)b, len)
PURE(uLong, crc32_combine, (uLong a, uLong b, z_off_t len), (a, b, len), (int64_t)a, (int64_t)b,
     len)
PURE(uLong, crc32_combine64, (uLong a, uLong b, z_off64_t len), (a, b, len), (int64_t)a, (int64_t)b,
     len)
PURE(uLong, crc32_combine_gen, (z_off_t len), (len), len)
PURE(uLong, crc32_combine_gen64, (z_off64_t len), (len), len)
PURE(uLong, crc32_combine_op, (uLong a, uLong b, uLong op), (a, b, op), (int64_t)a, (int64_t)b,
     (int64_t)op)
PURE(uLong, zlibCompileFlags, (void), (), 0)

/* What is a pointer is recorded as whether there is one; a file by its address. */
#define TEXT(name, params, args, ...)                                                              \
	static const char *traced_##name params                                                    \
	{                                                                                          \
		struct zwd_traced_call call;                                                       \
		const char *ret;                                                                   \
                                                                                                   \
		zwd_traced_enter(&call, ZWD_CALL_##name, NULL, NULL);                              \
		ret = name args;                                                                   \
		zwd_traced_leave(&call, ret != NULL, ZWD_NUMBERS(__VA_ARGS__));                    \
		return ret;                                                                        \
	}

TEXT(zlibVersion, (void), (), 0)
TEXT(zError, (int err), (err), err)
TEXT(gzerror, (gzFile file, int *err), (file, err), (int64_t)(uintptr_t)file, err ? *err : 0)

#define OPEN(name, params, args)                                                                   \
	static gzFile traced_##name params                                                         \
	{                                                                                          \
		struct zwd_traced_call call;                                                       \
		gzFile ret;                                                                        \
                                                                                                   \
		zwd_traced_enter(&call, ZWD_CALL_##name, NULL, NULL);                              \
		ret = name args;                                                                   \
		call.stream = (uintptr_t)ret;                                                      \
		zwd_traced_leave(&call, ret != NULL, ZWD_NUMBERS(0));                              \
		return ret;                                                                        \
	}

OPEN(gzopen, (const char *path, const char *mode), (path, mode))
OPEN(gzopen64, (const char *path, const char *mode), (path, mode))
OPEN(gzdopen, (int fd, const char *mode), (fd, mode))

#define FILE_CALL(type, name, params, args, ...)                                                   \
	ZWD_TRACED_CALL(type, name, params, args, file, NULL, __VA_ARGS__)

FILE_CALL(int, gzbuffer, (gzFile file, unsigned int size), (file, size), size)
FILE_CALL(int, gzsetparams, (gzFile file, int level, int strategy), (file, level, strategy), level,
	  strategy)
FILE_CALL(int, gzread, (gzFile file, voidp buf, unsigned int len), (file, buf, len), len)
FILE_CALL(z_size_t, gzfread, (voidp buf, z_size_t size, z_size_t nr, gzFile file),
	  (buf, size, nr, file), (int64_t)size, (int64_t)nr)
FILE_CALL(int, gzwrite, (gzFile file, voidpc buf, unsigned int len), (file, buf, len), len)
FILE_CALL(z_size_t, gzfwrite, (voidpc buf, z_size_t size, z_size_t nr, gzFile file),
	  (buf, size, nr, file), (int64_t)size, (int64_t)nr)
FILE_CALL(int, gzvprintf, (gzFile file, const char *format, va_list va), (file, format, va), 0)
FILE_CALL(int, gzputs, (gzFile file, const char *s), (file, s), 0)
FILE_CALL(int, gzputc, (gzFile file, int c), (file, c), 0)
FILE_CALL(int, gzgetc, (gzFile file), (file), 0)
FILE_CALL(int, gzgetc_, (gzFile file), (file), 0)
FILE_CALL(int, gzungetc, (int c, gzFile file), (c, file), 0)
FILE_CALL(int, gzflush, (gzFile file, int flush), (file, flush), flush)
FILE_CALL(z_off_t, gzseek, (gzFile file, z_off_t off, int whence), (file, off, whence), off, whence)
FILE_CALL(z_off64_t, gzseek64, (gzFile file, z_off64_t off, int whence), (file, off, whence), off,
	  whence)
FILE_CALL(int, gzrewind, (gzFile file), (file), 0)
FILE_CALL(z_off_t, gztell, (gzFile file), (file), 0)
FILE_CALL(z_off64_t, gztell64, (gzFile file), (file), 0)
FILE_CALL(z_off_t, gzoffset, (gzFile file), (file), 0)
FILE_CALL(z_off64_t, gzoffset64, (gzFile file), (file), 0)
FILE_CALL(int, gzeof, (gzFile file), (file), 0)
FILE_CALL(int, gzdirect, (gzFile file), (file), 0)
FILE_CALL(int, gzclose, (gzFile file), (file), 0)
FILE_CALL(int, gzclose_r, (gzFile file), (file), 0)
FILE_CALL(int, gzclose_w, (gzFile file), (file), 0)

static char *traced_gzgets(gzFile file, char *buf, int len)
{
	struct zwd_traced_call call;
	char *ret;

	zwd_traced_enter(&call, ZWD_CALL_gzgets, (const void *)file, NULL);
	ret = gzgets(file, buf, len);
	zwd_traced_leave(&call, ret != NULL, ZWD_NUMBERS(len));
	return ret;
}

static void traced_gzclearerr(gzFile file)
{
	struct zwd_traced_call call;

	zwd_traced_enter(&call, ZWD_CALL_gzclearerr, (const void *)file, NULL);
	gzclearerr(file);
	zwd_traced_leave(&call, 0, ZWD_NUMBERS(0));
}

void zwd_traced_gz_fill(void)
{
#define PUT(name) zwd_traced.name = traced_##name
	PUT(compress);
	PUT(compress2);
	PUT(compress_z);
	PUT(compress2_z);
	PUT(uncompress);
	PUT(uncompress2);
	PUT(uncompress_z);
	PUT(uncompress2_z);
	PUT(compressBound);
	PUT(compressBound_z);
	PUT(adler32);
	PUT(adler32_z);
	PUT(crc32);
	PUT(crc32_z);
	PUT(adler32_combine);
	PUT(adler32_combine64);
	PUT(crc32_combine);
	PUT(crc32_combine64);
	PUT(crc32_combine_gen);
	PUT(crc32_combine_gen64);
	PUT(crc32_combine_op);
	PUT(zlibVersion);
	PUT(zlibCompileFlags);
	PUT(zError);
	PUT(gzopen);
	PUT(gzopen64);
	PUT(gzdopen);
	PUT(gzbuffer);
	PUT(gzsetparams);
	PUT(gzread);
	PUT(gzfread);
	PUT(gzwrite);
	PUT(gzfwrite);
	PUT(gzvprintf);
	PUT(gzputs);
	PUT(gzgets);
	PUT(gzputc);
	PUT(gzgetc);
	PUT(gzgetc_);
	PUT(gzungetc);
	PUT(gzflush);
	PUT(gzseek);
	PUT(gzseek64);
	PUT(gzrewind);
	PUT(gztell);
	PUT(gztell64);
	PUT(gzoffset);
	PUT(gzoffset64);
	PUT(gzeof);
	PUT(gzdirect);
	PUT(gzclose);
	PUT(gzclose_r);
	PUT(gzclose_w);
	PUT(gzerror);
	PUT(gzclearerr);
}
