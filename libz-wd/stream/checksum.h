/* SPDX-License-Identifier: Zlib */
/* CRC-32 and Adler-32 of zlib, by the fastest instructions this CPU has. */
#ifndef ZWD_CHECKSUM_H
#define ZWD_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

typedef uint32_t zwd_checksum_fn(uint32_t sum, const unsigned char *buf, size_t len);

/* As crc32_z() and adler32_z(), buf never NULL. */
zwd_checksum_fn zwd_crc32, zwd_adler32;

/*
 * What this CPU can run, the fastest first; NULL after the last, which is the real zlib's. They
 * want at least this many bytes.
 */
#define ZWD_CHECKSUM_MIN 16
zwd_checksum_fn *zwd_crc32_at(unsigned int nr);
zwd_checksum_fn *zwd_adler32_at(unsigned int nr);

/*
 * Constants of folding. X(n) is x^n modulo the CRC's polynomial P, its 32 bits in reverse, shifted
 * left by one: a carry-less product of two reversed numbers comes out one bit too low.
 */
enum zwd_crc32_distance { ZWD_FOLD_128, ZWD_FOLD_512, ZWD_FOLD_2048 };
extern const uint64_t zwd_crc32_fold[][2];   /* by n bits: X(n + 32), X(n - 32) */
extern const uint64_t zwd_crc32_reduce[][2]; /* X(96), X(64); x^64 / P reversed, P reversed */

#endif
