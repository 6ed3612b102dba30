/* SPDX-License-Identifier: Zlib */
/* The system's zlib with a fault in the call of the environment's FAULT: NAME:NUMBER. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* All other functions are found behind this library: it needs the system's for this one. */
__attribute__((visibility("default"))) uLong (*const faulty_needs)(void) = zlibCompileFlags;

/* Is this the call that the fault is in? */
static int is_due(const char *name)
{
	static int nr;
	const char *fault = getenv("FAULT");
	size_t len = strlen(name);

	return fault && !strncmp(fault, name, len) && fault[len] == ':' &&
	       ++nr == atoi(fault + len + 1);
}

__attribute__((visibility("default"))) int inflate(z_streamp strm, int flush)
{
	int (*real)(z_streamp strm, int flush), ret;
	uInt room = strm ? strm->avail_out : 0;

	*(void **)&real = dlsym(RTLD_NEXT, "inflate");
	ret = real(strm, flush);
	if (is_due("inflate-return"))
		return ret == Z_OK ? Z_BUF_ERROR : Z_OK;
	if (strm && strm->avail_out < room && is_due("inflate-byte"))
		strm->next_out[-1] ^= 1;
	return ret;
}

__attribute__((visibility("default"))) int deflate(z_streamp strm, int flush)
{
	int (*real)(z_streamp strm, int flush), ret;
	uInt room = strm ? strm->avail_out : 0;

	*(void **)&real = dlsym(RTLD_NEXT, "deflate");
	ret = real(strm, flush);
	if (ret != Z_BUF_ERROR && is_due("deflate-return"))
		return ret == Z_OK ? Z_STREAM_ERROR : Z_OK;
	if (strm && room - strm->avail_out > 20 && is_due("deflate-byte"))
		strm->next_out[-9] ^= 4;
	if (strm && ret == Z_STREAM_END && strm->adler != 1 && is_due("deflate-adler"))
		strm->adler++;
	return ret;
}

__attribute__((visibility("default"))) uLong crc32_z(uLong crc, const Bytef *data, z_size_t len)
{
	uLong (*real)(uLong crc, const Bytef *data, z_size_t len);

	*(void **)&real = dlsym(RTLD_NEXT, "crc32_z");
	crc = real(crc, data, len);
	return is_due("crc32") ? crc ^ 1 : crc;
}
