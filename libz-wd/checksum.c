/* SPDX-License-Identifier: Zlib */
/* CRC-32 and Adler-32 of zlib, by the fastest instructions this CPU has. */
#include "config.h"

#include "checksum.h"
#include "soft_zlib.h"

uint32_t zwd_crc32(uint32_t crc, const unsigned char *buf, size_t len)
{
	return (uint32_t)zwd_soft()->crc32_z(crc, buf, len);
}

uint32_t zwd_adler32(uint32_t adler, const unsigned char *buf, size_t len)
{
	return (uint32_t)zwd_soft()->adler32_z(adler, buf, len);
}
