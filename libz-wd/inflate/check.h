/* SPDX-License-Identifier: Zlib */
/* The check value of a stream's format: none for a raw one. */
#ifndef ZWD_CHECK_H
#define ZWD_CHECK_H

#include <wd_zip.h>

#include "stream/checksum.h"

static inline uint32_t zwd_inflate_check(int format, uint32_t check, const unsigned char *buf, size_t len)
{
	if (format == WD_ZIP_GZIP && len)
		return zwd_crc32(check, buf, len);
	if (format == WD_ZIP_ZLIB && len)
		return zwd_adler32(check, buf, len);
	return check;
}

#endif
