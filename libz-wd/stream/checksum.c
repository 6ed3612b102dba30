/* SPDX-License-Identifier: Zlib */
/*
 * CRC-32 and Adler-32 of zlib, by the fastest instructions this CPU has.
 *
 * A CRC is the remainder of the data, taken as a polynomial over bits, divided by P. Any 16 bytes
 * may be multiplied by x^n modulo P and added to those n bits further on without changing it: that
 * is folding, two carry-less multiplications for each 16 bytes, several chains side by side.
 *
 * Adler-32 is two sums, s1 of the bytes and s2 of all values of s1. Over a block of n bytes s2
 * grows by n times the s1 before it and by the bytes weighted n, n - 1 ... 1.
 */
#include "config.h"

#include <stdatomic.h>
#include <string.h>

#include "stream/checksum.h"
#include "stream/soft_zlib.h"
#include "stream/trace_way.h"

#define ADLER_BASE 65521u
/* Bytes after which s2 may no longer fit 32 bits is 5552 (zlib's bound): whole blocks below it. */
#define ADLER_CHUNK (5552 / 32 * 32)

const uint64_t zwd_crc32_fold[][2] = {
	[ZWD_FOLD_128] = { 0x1751997d0, 0x0ccaa009e },
	[ZWD_FOLD_512] = { 0x154442bd4, 0x1c6e41596 },
	[ZWD_FOLD_2048] = { 0x11542778a, 0x1322d1430 },
};
const uint64_t zwd_crc32_reduce[][2] = {
	{ 0x0ccaa009e, 0x163cd6124 },
	{ 0x1f7011641, 0x1db710641 },
};

/* The CRC of each byte: the sum of those of its bits. */
#define BIT(i, nr, crc) (((i) >> (nr)) & 1 ? crc : 0)
#define BYTE(i)                                                                                    \
	(BIT(i, 0, 0x77073096) ^ BIT(i, 1, 0xee0e612c) ^ BIT(i, 2, 0x076dc419) ^                   \
	 BIT(i, 3, 0x0edb8832) ^ BIT(i, 4, 0x1db71064) ^ BIT(i, 5, 0x3b6e20c8) ^                   \
	 BIT(i, 6, 0x76dc4190) ^ BIT(i, 7, 0xedb88320))
#define BYTES4(i)  BYTE(i), BYTE((i) + 1), BYTE((i) + 2), BYTE((i) + 3)
#define BYTES16(i) BYTES4(i), BYTES4((i) + 4), BYTES4((i) + 8), BYTES4((i) + 12)
#define BYTES64(i) BYTES16(i), BYTES16((i) + 16), BYTES16((i) + 32), BYTES16((i) + 48)
static const z_crc_t crc_of_byte[] = { BYTES64(0), BYTES64(64), BYTES64(128), BYTES64(192) };

static uint32_t crc_bytes(uint32_t crc, const unsigned char *buf, size_t len)
{
	crc = ~crc;
	while (len--)
		crc = crc >> 8 ^ crc_of_byte[(unsigned char)crc ^ *buf++];
	return ~crc;
}

/* The bytes that fill no block. A single one reduces start values beyond the base as zlib does. */
static uint32_t adler_bytes(uint32_t s1, uint32_t s2, const unsigned char *buf, size_t len)
{
	if (len == 1) {
		s1 = (s1 + *buf) % ADLER_BASE;
		s2 += s1;
		return s1 | (s2 >= ADLER_BASE ? s2 - ADLER_BASE : s2) << 16;
	}
#pragma GCC unroll 8
	for (size_t i = 0; i < len; i++) {
		s1 += buf[i];
		s2 += s1;
	}
	return s1 % ADLER_BASE | s2 % ADLER_BASE << 16;
}

/* The real zlib's, and while there is none byte after byte. */
static uint32_t soft_crc32(uint32_t crc, const unsigned char *buf, size_t len)
{
	const struct zwd_soft_zlib *soft = zwd_soft();

	return zwd_soft_zlib_has(soft->crc32_z) ? (uint32_t)soft->crc32_z(crc, buf, len) :
						  crc_bytes(crc, buf, len);
}

static uint32_t soft_adler32(uint32_t adler, const unsigned char *buf, size_t len)
{
	const struct zwd_soft_zlib *soft = zwd_soft();

	if (zwd_soft_zlib_has(soft->adler32_z))
		return (uint32_t)soft->adler32_z(adler, buf, len);
	for (; len > ADLER_CHUNK; buf += ADLER_CHUNK, len -= ADLER_CHUNK)
		adler = adler_bytes(adler & 0xffff, adler >> 16, buf, ADLER_CHUNK);
	return adler_bytes(adler & 0xffff, adler >> 16, buf, len);
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define CLMUL	 __attribute__((target("sse4.1,pclmul")))
#define CLMUL512 __attribute__((target("avx512f,vpclmulqdq,pclmul")))
#define AVX2	 __attribute__((target("avx2")))

enum { HAS_CLMUL = 1, HAS_AVX2 = 2, HAS_CLMUL512 = 4 };

static unsigned int cpu_has(void)
{
	unsigned int a, b, c = 0, d, leaf7_b = 0, leaf7_c = 0, xcr0 = 0, has = 0;

	__get_cpuid(1, &a, &b, &c, &d);
	__get_cpuid_count(7, 0, &a, &leaf7_b, &leaf7_c, &d);
	if (c & bit_OSXSAVE)
		__asm__("xgetbv" : "=a"(xcr0), "=d"(d) : "c"(0));
	if (c & bit_PCLMUL && c & bit_SSE4_1)
		has |= HAS_CLMUL;
	/* Registers the system saves: 0x06 to 256 bits, 0xe6 to 512. */
	if (leaf7_b & bit_AVX2 && (xcr0 & 0x06) == 0x06)
		has |= HAS_AVX2;
	if (has & HAS_CLMUL && leaf7_b & bit_AVX512F && leaf7_c & bit_VPCLMULQDQ &&
	    (xcr0 & 0xe6) == 0xe6)
		has |= HAS_CLMUL512;
	return has;
}

CLMUL static inline __m128i load(const void *p)
{
	return _mm_loadu_si128(p);
}

/* The low half of a register holds the higher powers. */
CLMUL static inline __m128i fold(__m128i x, __m128i k, __m128i next)
{
	x = _mm_xor_si128(_mm_clmulepi64_si128(x, k, 0x00), _mm_clmulepi64_si128(x, k, 0x11));
	return _mm_xor_si128(x, next);
}

/* The CRC of x and the len bytes after it; at least 16 bytes lie before buf + len. */
CLMUL static uint32_t crc_end(__m128i x, const unsigned char *buf, size_t len)
{
	/* For pshufb: slide + 16 - n moves bytes up by n, slide + 16 + n down. */
	static const unsigned char slide[48] = {
		128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
		128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
	};
	const __m128i low32 = _mm_cvtsi32_si128(-1), k128 = load(zwd_crc32_fold[ZWD_FOLD_128]),
		      x96_x64 = load(zwd_crc32_reduce[0]), barrett = load(zwd_crc32_reduce[1]);
	__m128i q;

	for (; len >= 16; buf += 16, len -= 16)
		x = fold(x, k128, load(buf));
	if (len) {
		/* The first len bytes of x go before the 16 that end the data. */
		__m128i down = load(slide + 16 + len), last = load(buf + len - 16);

		last = _mm_blendv_epi8(_mm_shuffle_epi8(x, down), last, down);
		x = fold(_mm_shuffle_epi8(x, load(slide + len)), k128, last);
	}
	/* 128 bits times x^32 to 96, to 64, and by the quotient of P to the remainder (Barrett). */
	x = _mm_xor_si128(_mm_clmulepi64_si128(x, x96_x64, 0x00), _mm_srli_si128(x, 8));
	x = _mm_xor_si128(_mm_clmulepi64_si128(_mm_and_si128(x, low32), x96_x64, 0x10),
			  _mm_srli_si128(x, 4));
	q = _mm_clmulepi64_si128(_mm_and_si128(x, low32), barrett, 0x00);
	q = _mm_clmulepi64_si128(_mm_and_si128(q, low32), barrett, 0x10);
	return ~(uint32_t)_mm_extract_epi32(_mm_xor_si128(x, q), 1);
}

/* The same from four chains; a call, so that none of them is left in a register of 512 bits. */
CLMUL __attribute__((noinline)) static uint32_t crc_join(const __m128i *x, const unsigned char *buf,
							 size_t len)
{
	const __m128i k128 = load(zwd_crc32_fold[ZWD_FOLD_128]);

	return crc_end(fold(fold(fold(x[0], k128, x[1]), k128, x[2]), k128, x[3]), buf, len);
}

CLMUL static uint32_t clmul_crc32(uint32_t crc, const unsigned char *buf, size_t len)
{
	const __m128i k512 = load(zwd_crc32_fold[ZWD_FOLD_512]);
	__m128i x0, x1, x2, x3;

	x0 = _mm_xor_si128(load(buf), _mm_cvtsi32_si128((int)~crc));
	if (len < 64)
		return crc_end(x0, buf + 16, len - 16);
	x1 = load(buf + 16);
	x2 = load(buf + 32);
	x3 = load(buf + 48);
	for (buf += 64, len -= 64; len >= 64; buf += 64, len -= 64) {
		x0 = fold(x0, k512, load(buf));
		x1 = fold(x1, k512, load(buf + 16));
		x2 = fold(x2, k512, load(buf + 32));
		x3 = fold(x3, k512, load(buf + 48));
	}
	return crc_join((__m128i[]){ x0, x1, x2, x3 }, buf, len);
}

CLMUL512 static inline __m512i fold512(__m512i z, const uint64_t *k, __m512i next)
{
	const __m512i kk = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)k));

	return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(z, kk, 0x00),
					 _mm512_clmulepi64_epi128(z, kk, 0x11), next, 0x96);
}

/*
 * The same with four times as much in a register. The upper parts are cleared at the end, which not
 * every compiler does: left dirty they slow down what zlib does next, a deflate() by a fifth.
 */
CLMUL512 static uint32_t clmul512_crc32(uint32_t crc, const unsigned char *buf, size_t len)
{
	const uint64_t *k512 = zwd_crc32_fold[ZWD_FOLD_512], *k2048 = zwd_crc32_fold[ZWD_FOLD_2048];
	__m512i z0, z1, z2, z3;
	__m128i x[4];

	if (len < 256)
		return clmul_crc32(crc, buf, len);
	z0 = _mm512_xor_si512(_mm512_loadu_si512(buf),
			      _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~crc)));
	z1 = _mm512_loadu_si512(buf + 64);
	z2 = _mm512_loadu_si512(buf + 128);
	z3 = _mm512_loadu_si512(buf + 192);
	for (buf += 256, len -= 256; len >= 256; buf += 256, len -= 256) {
		z0 = fold512(z0, k2048, _mm512_loadu_si512(buf));
		z1 = fold512(z1, k2048, _mm512_loadu_si512(buf + 64));
		z2 = fold512(z2, k2048, _mm512_loadu_si512(buf + 128));
		z3 = fold512(z3, k2048, _mm512_loadu_si512(buf + 192));
	}
	z0 = fold512(fold512(fold512(z0, k512, z1), k512, z2), k512, z3);
	for (; len >= 64; buf += 64, len -= 64)
		z0 = fold512(z0, k512, _mm512_loadu_si512(buf));
	_mm512_storeu_si512(x, z0);
	_mm256_zeroupper();
	return crc_join(x, buf, len);
}

AVX2 static inline uint32_t sum_of_lanes(__m256i v)
{
	__m128i x = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

	x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
	return (uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(x, _mm_shuffle_epi32(x, 0xb1)));
}

AVX2 static uint32_t avx2_adler32(uint32_t adler, const unsigned char *buf, size_t len)
{
	const __m256i weights = _mm256_setr_epi8(32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20,
						 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6,
						 5, 4, 3, 2, 1),
		      ones = _mm256_set1_epi16(1), zero = _mm256_setzero_si256();
	uint32_t s1 = adler & 0xffff, s2 = adler >> 16;

	while (len >= 32) {
		size_t chunk = len < ADLER_CHUNK ? len & ~(size_t)31 : ADLER_CHUNK;
		const unsigned char *end = buf + chunk;
		__m256i sum = zero, sums = zero, weighted = zero;

		len -= chunk;
		s2 += s1 * (uint32_t)chunk;
		for (; buf < end; buf += 32) {
			__m256i v = _mm256_loadu_si256((const void *)buf);

			sums = _mm256_add_epi32(sums, sum);
			sum = _mm256_add_epi32(sum, _mm256_sad_epu8(v, zero));
			v = _mm256_madd_epi16(_mm256_maddubs_epi16(v, weights), ones);
			weighted = _mm256_add_epi32(weighted, v);
		}
		s1 = (s1 + sum_of_lanes(sum)) % ADLER_BASE;
		sums = _mm256_add_epi32(_mm256_slli_epi32(sums, 5), weighted);
		s2 = (s2 + sum_of_lanes(sums)) % ADLER_BASE;
	}
	_mm256_zeroupper();
	return adler_bytes(s1, s2, buf, len);
}

zwd_checksum_fn *zwd_crc32_at(unsigned int nr)
{
	unsigned int has = cpu_has();

	if (has & HAS_CLMUL512 && !nr--)
		return clmul512_crc32;
	if (has & HAS_CLMUL && !nr--)
		return clmul_crc32;
	return nr ? NULL : soft_crc32;
}

zwd_checksum_fn *zwd_adler32_at(unsigned int nr)
{
	if (cpu_has() & HAS_AVX2 && !nr--)
		return avx2_adler32;
	return nr ? NULL : soft_adler32;
}

#else
#include <arm_neon.h>
#include <sys/auxv.h>

/* In assembler: compilers differ in how they name these outside the whole file's target. */
static inline uint32_t crc_byte(uint32_t crc, unsigned char byte)
{
	__asm__(".arch_extension crc\n\tcrc32b %w0, %w0, %w1" : "+r"(crc) : "r"(byte));
	return crc;
}

static inline uint32_t crc_8_bytes(uint32_t crc, uint64_t bytes)
{
	__asm__(".arch_extension crc\n\tcrc32x %w0, %w0, %x1" : "+r"(crc) : "r"(bytes));
	return crc;
}

static inline uint64x2_t fold(uint64x2_t x, uint64x2_t k, const unsigned char *next)
{
	uint64x2_t low, high;

	__asm__(".arch_extension aes\n\tpmull %0.1q, %1.1d, %2.1d" : "=w"(low) : "w"(x), "w"(k));
	__asm__(".arch_extension aes\n\tpmull2 %0.1q, %1.2d, %2.2d" : "=w"(high) : "w"(x), "w"(k));
	return veorq_u64(veorq_u64(low, high), vreinterpretq_u64_u8(vld1q_u8(next)));
}

static uint32_t crc_end(uint32_t crc, const unsigned char *buf, size_t len)
{
	for (; len >= 8; buf += 8, len -= 8) {
		uint64_t bytes;

		memcpy(&bytes, buf, 8);
		crc = crc_8_bytes(crc, bytes);
	}
	while (len--)
		crc = crc_byte(crc, *buf++);
	return ~crc;
}

static uint32_t arm_crc32(uint32_t crc, const unsigned char *buf, size_t len)
{
	return crc_end(~crc, buf, len);
}

static uint32_t pmull_crc32(uint32_t crc, const unsigned char *buf, size_t len)
{
	const uint64x2_t k512 = vld1q_u64(zwd_crc32_fold[ZWD_FOLD_512]);
	uint64x2_t x[4];

	crc = ~crc;
	if (len < 128)
		return crc_end(crc, buf, len);
	memcpy(x, buf, 64);
	x[0] = veorq_u64(x[0], vsetq_lane_u64(crc, vdupq_n_u64(0), 0));
	for (buf += 64, len -= 64; len >= 64; buf += 64, len -= 64)
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++)
			x[i] = fold(x[i], k512, buf + 16 * i);
	crc = 0;
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		crc = crc_8_bytes(crc, vgetq_lane_u64(x[i], 0));
		crc = crc_8_bytes(crc, vgetq_lane_u64(x[i], 1));
	}
	return crc_end(crc, buf, len);
}

static uint32_t neon_adler32(uint32_t adler, const unsigned char *buf, size_t len)
{
	static const unsigned char weights[16] = { 16, 15, 14, 13, 12, 11, 10, 9,
						   8,  7,  6,  5,  4,  3,  2,  1 };
	const uint8x16_t w = vld1q_u8(weights);
	uint32_t s1 = adler & 0xffff, s2 = adler >> 16;

	while (len >= 16) {
		size_t chunk = len < ADLER_CHUNK ? len & ~(size_t)15 : ADLER_CHUNK;
		const unsigned char *end = buf + chunk;
		uint32x4_t sum = vdupq_n_u32(0), sums = sum, weighted = sum;

		len -= chunk;
		s2 += s1 * (uint32_t)chunk;
		for (; buf < end; buf += 16) {
			uint8x16_t v = vld1q_u8(buf);
			uint16x8_t half = vmull_u8(vget_low_u8(v), vget_low_u8(w));

			sums = vaddq_u32(sums, sum);
			sum = vpadalq_u16(sum, vpaddlq_u8(v));
			weighted = vpadalq_u16(weighted, vmlal_high_u8(half, v, w));
		}
		s1 = (s1 + vaddvq_u32(sum)) % ADLER_BASE;
		sums = vaddq_u32(vshlq_n_u32(sums, 4), weighted);
		s2 = (s2 + vaddvq_u32(sums)) % ADLER_BASE;
	}
	return adler_bytes(s1, s2, buf, len);
}

zwd_checksum_fn *zwd_crc32_at(unsigned int nr)
{
	unsigned long has = getauxval(AT_HWCAP);

	if (has & HWCAP_CRC32 && has & HWCAP_PMULL && !nr--)
		return pmull_crc32;
	if (has & HWCAP_CRC32 && !nr--)
		return arm_crc32;
	return nr ? NULL : soft_crc32;
}

zwd_checksum_fn *zwd_adler32_at(unsigned int nr)
{
	if (!nr--)
		return neon_adler32;
	return nr ? NULL : soft_adler32;
}
#endif

/* Relaxed: whoever comes at the same time finds the same function. */
static _Atomic(zwd_checksum_fn *) best_crc32, best_adler32;

uint32_t zwd_crc32(uint32_t crc, const unsigned char *buf, size_t len)
{
	zwd_checksum_fn *f = atomic_load_explicit(&best_crc32, memory_order_relaxed);

	if (len < ZWD_CHECKSUM_MIN)
		return crc_bytes(crc, buf, len);
	if (__builtin_expect(!f, 0)) {
		f = zwd_crc32_at(0);
		atomic_store_explicit(&best_crc32, f, memory_order_relaxed);
	}
	return f(crc, buf, len);
}

uint32_t zwd_adler32(uint32_t adler, const unsigned char *buf, size_t len)
{
	zwd_checksum_fn *f = atomic_load_explicit(&best_adler32, memory_order_relaxed);

	if (len < ZWD_CHECKSUM_MIN)
		return adler_bytes(adler & 0xffff, adler >> 16, buf, len);
	if (__builtin_expect(!f, 0)) {
		f = zwd_adler32_at(0);
		atomic_store_explicit(&best_adler32, f, memory_order_relaxed);
	}
	return f(adler, buf, len);
}

const z_crc_t *ZEXPORT get_crc_table(void)
{
	return crc_of_byte;
}

uLong ZEXPORT crc32_z(uLong crc, const Bytef *buf, z_size_t len)
{
	ZWD_TRACED(crc32_z, (crc, buf, len));
	return buf ? zwd_crc32((uint32_t)crc, buf, len) : 0;
}

uLong ZEXPORT crc32(uLong crc, const Bytef *buf, uInt len)
{
	ZWD_TRACED(crc32, (crc, buf, len));
	return buf ? zwd_crc32((uint32_t)crc, buf, len) : 0;
}

uLong ZEXPORT adler32_z(uLong adler, const Bytef *buf, z_size_t len)
{
	ZWD_TRACED(adler32_z, (adler, buf, len));
	return buf ? zwd_adler32((uint32_t)adler, buf, len) : 1;
}

uLong ZEXPORT adler32(uLong adler, const Bytef *buf, uInt len)
{
	ZWD_TRACED(adler32, (adler, buf, len));
	return buf ? zwd_adler32((uint32_t)adler, buf, len) : 1;
}
