/* SPDX-License-Identifier: Zlib */
/*
 * What a function of zlib says that has no way to fail, while no zlib can be had: sums of two parts,
 * bounds, names. A wrong value would not be noticed where an error is.
 */
#include "config.h"

#include <stdbool.h>

#include "stream/alone.h"

#define ADLER_BASE 65521u
#define CRC_POLYNOMIAL 0xedb88320u
#define CRC_ONE 0x80000000u /* x^0; bits are in reverse */
#define CRC_X8 0x00800000u

/* The product of two polynomials, modulo the CRC's. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (uint32_t bit = CRC_ONE; bit; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = b >> 1 ^ (b & 1 ? CRC_POLYNOMIAL : 0);
	}
	return product;
}

/* x to the number of bits: what a CRC is multiplied by when that many bytes follow. */
static uLong crc_gen(z_off64_t len)
{
	uint32_t power = CRC_ONE, square = CRC_X8;

	for (; len > 0; len >>= 1) {
		if (len & 1)
			power = multiply(power, square);
		square = multiply(square, square);
	}
	return power;
}

static uLong crc_gen_off(z_off_t len)
{
	return crc_gen(len);
}

static uLong crc_op(uLong a, uLong b, uLong op)
{
	return multiply((uint32_t)op, (uint32_t)a) ^ (b & 0xffffffff);
}

static uLong crc_join(uLong a, uLong b, z_off64_t len)
{
	return crc_op(a, b, crc_gen(len));
}

static uLong crc_join_off(uLong a, uLong b, z_off_t len)
{
	return crc_join(a, b, len);
}

/* s1 begins at 1 in both; s2 of the second part grew by len times that 1 instead of the first's s1. */
static uLong adler_join(uLong a, uLong b, z_off64_t len)
{
	uLong a1 = a & 0xffff, rest, s1, s2;

	if (len < 0)
		return 0xffffffff;
	rest = (uLong)(len % ADLER_BASE);
	s1 = (a1 + (b & 0xffff) + ADLER_BASE - 1) % ADLER_BASE;
	s2 = (rest * (a1 + ADLER_BASE - 1) + (a >> 16 & 0xffff) + (b >> 16 & 0xffff)) % ADLER_BASE;
	return s1 | s2 << 16;
}

static uLong adler_join_off(uLong a, uLong b, z_off_t len)
{
	return adler_join(a, b, len);
}

static uLong compress_bound(uLong len)
{
	uLong bound = len + (len >> 12) + (len >> 14) + (len >> 25) + 13;

	return bound < len ? (uLong)-1 : bound;
}

/* Of whatever parameters, with the longest wrapper that has no header of the caller's. */
static uLong deflate_bound(z_streamp strm, uLong len)
{
	uLong bound = len + (len >> 3) + (len >> 8) + (len >> 9) + 4 + 18;

	return bound < len ? (uLong)-1 : bound;
}

static const char *error_name(int err)
{
	static const char names[][24] = {
		"need dictionary", "stream end", "", "file error", "stream error",
		"data error", "insufficient memory", "buffer error", "incompatible version", "",
	};

	return names[err < -6 || err > 2 ? 9 : 2 - err];
}

static const char *version(void)
{
	return ZLIB_VERSION;
}

/* The sizes of uInt, uLong, voidpf and z_off_t on both machines: 4 and three times 8 bytes. */
static uLong compile_flags(void)
{
	return 1 | 2 << 2 | 2 << 4 | 2 << 6;
}

/* Assigned one by one: a table would have to be relocated in every process. */
void zwd_alone_fill(struct zwd_soft_zlib *table)
{
#define PUT(name, function)                                                                        \
	do {                                                                                       \
		__typeof__(table->name) nothing = NULL;                                     \
                                                                                                   \
		__atomic_compare_exchange_n(&table->name, &nothing, function, false,                 \
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);                   \
	} while (0)
	PUT(adler32_combine, adler_join_off);
	PUT(adler32_combine64, adler_join);
	PUT(compressBound, compress_bound);
	PUT(crc32_combine, crc_join_off);
	PUT(crc32_combine64, crc_join);
	PUT(crc32_combine_gen, crc_gen_off);
	PUT(crc32_combine_gen64, crc_gen);
	PUT(crc32_combine_op, crc_op);
	PUT(deflateBound, deflate_bound);
	PUT(zError, error_name);
	PUT(zlibCompileFlags, compile_flags);
	PUT(zlibVersion, version);
}
