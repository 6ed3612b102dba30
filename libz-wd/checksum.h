/* SPDX-License-Identifier: Zlib */
/* CRC-32 and Adler-32 of zlib, by the fastest instructions this CPU has. */
#ifndef ZWD_CHECKSUM_H
#define ZWD_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* As crc32_z() and adler32_z(), buf never NULL. */
uint32_t zwd_crc32(uint32_t crc, const unsigned char *buf, size_t len);
uint32_t zwd_adler32(uint32_t adler, const unsigned char *buf, size_t len);

#endif
