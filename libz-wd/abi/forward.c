/* SPDX-License-Identifier: Zlib */
/*
 * Functions that hold no stream of ours and go to the real zlib as they are. Its gz* layer calls
 * deflate() and inflate() through the dynamic linker, so under preload or -lz-wd gzip files are
 * (de)compressed by this library's streams all the same.
 */
#include "config.h"

#include <stdarg.h>

#include "stream/soft_zlib.h"
#include "stream/trace_way.h"

#define FORWARD(type, name, params, args)                                                          \
	type ZEXPORT name params                                                                   \
	{                                                                                          \
		ZWD_TRACED(name, args);                                                            \
		return zwd_soft()->name args;                                                      \
	}

FORWARD(uLong, zlibCompileFlags, (void), ())
FORWARD(const char *, zError, (int err), (err))

FORWARD(uLong, adler32_combine, (uLong a, uLong b, z_off_t len), (a, b, len))
FORWARD(uLong, adler32_combine64, (uLong a, uLong b, z_off64_t len), (a, b, len))
FORWARD(uLong, crc32_combine, (uLong a, uLong b, z_off_t len), (a, b, len))
FORWARD(uLong, crc32_combine64, (uLong a, uLong b, z_off64_t len), (a, b, len))
FORWARD(uLong, crc32_combine_gen, (z_off_t len), (len))
FORWARD(uLong, crc32_combine_gen64, (z_off64_t len), (len))
FORWARD(uLong, crc32_combine_op, (uLong a, uLong b, uLong op), (a, b, op))

FORWARD(int, inflateBackInit_, (z_streamp strm, int window_bits, unsigned char *window,
	const char *version, int size), (strm, window_bits, window, version, size))
FORWARD(int, inflateBack, (z_streamp strm, in_func in, void *in_desc, out_func out, void *out_desc),
	(strm, in, in_desc, out, out_desc))
FORWARD(int, inflateBackEnd, (z_streamp strm), (strm))

FORWARD(gzFile, gzopen, (const char *path, const char *mode), (path, mode))
FORWARD(gzFile, gzopen64, (const char *path, const char *mode), (path, mode))
FORWARD(gzFile, gzdopen, (int fd, const char *mode), (fd, mode))
FORWARD(int, gzbuffer, (gzFile file, unsigned int size), (file, size))
FORWARD(int, gzsetparams, (gzFile file, int level, int strategy), (file, level, strategy))
FORWARD(int, gzread, (gzFile file, voidp buf, unsigned int len), (file, buf, len))
FORWARD(z_size_t, gzfread, (voidp buf, z_size_t size, z_size_t nr, gzFile file),
	(buf, size, nr, file))
FORWARD(int, gzwrite, (gzFile file, voidpc buf, unsigned int len), (file, buf, len))
FORWARD(z_size_t, gzfwrite, (voidpc buf, z_size_t size, z_size_t nr, gzFile file),
	(buf, size, nr, file))
FORWARD(int, gzvprintf, (gzFile file, const char *format, va_list va), (file, format, va))
FORWARD(int, gzputs, (gzFile file, const char *s), (file, s))
FORWARD(char *, gzgets, (gzFile file, char *buf, int len), (file, buf, len))
FORWARD(int, gzputc, (gzFile file, int c), (file, c))
FORWARD(int, gzgetc_, (gzFile file), (file))
FORWARD(int, gzungetc, (int c, gzFile file), (c, file))
FORWARD(int, gzflush, (gzFile file, int flush), (file, flush))
FORWARD(z_off_t, gzseek, (gzFile file, z_off_t off, int whence), (file, off, whence))
FORWARD(z_off64_t, gzseek64, (gzFile file, z_off64_t off, int whence), (file, off, whence))
FORWARD(int, gzrewind, (gzFile file), (file))
FORWARD(z_off_t, gztell, (gzFile file), (file))
FORWARD(z_off64_t, gztell64, (gzFile file), (file))
FORWARD(z_off_t, gzoffset, (gzFile file), (file))
FORWARD(z_off64_t, gzoffset64, (gzFile file), (file))
FORWARD(int, gzeof, (gzFile file), (file))
FORWARD(int, gzdirect, (gzFile file), (file))
FORWARD(int, gzclose, (gzFile file), (file))
FORWARD(int, gzclose_r, (gzFile file), (file))
FORWARD(int, gzclose_w, (gzFile file), (file))
FORWARD(const char *, gzerror, (gzFile file, int *err), (file, err))
FORWARD(void, gzclearerr, (gzFile file), (file))

FORWARD(int, gzgetc, (gzFile file), (file))

/* Whatever happens, of one process it is always the same. */
const char *ZEXPORT zlibVersion(void)
{
	static _Atomic(const char *) version;
	const char *known, *now;

	ZWD_TRACED(zlibVersion, ());
	known = atomic_load_explicit(&version, memory_order_acquire);
	if (known)
		return known;
	now = zwd_soft()->zlibVersion();
	return atomic_compare_exchange_strong(&version, &known, now) ? now : known;
}

int ZEXPORTVA gzprintf(gzFile file, const char *format, ...)
{
	va_list va;
	int len;

	va_start(va, format);
	if (zwd_trace_state == ZWD_TRACE_ON)
		len = zwd_traced.gzvprintf(file, format, va);
	else
		len = zwd_soft()->gzvprintf(file, format, va);
	va_end(va);
	return len;
}
