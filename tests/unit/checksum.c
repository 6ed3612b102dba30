/* SPDX-License-Identifier: Zlib */
/* Every implementation of the checksums that this CPU can run, against a reference bit by bit. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "stream/checksum.h"
#include "stream/soft_zlib.h"
#include "unit.h"

#define POLYNOMIAL 0x104c11db7ull /* highest power first */

typedef zwd_checksum_fn *checksum_at(unsigned int nr);

static uint32_t crc_reference(uint32_t crc, const unsigned char *buf, size_t len)
{
	crc = ~crc;
	while (len--) {
		crc ^= *buf++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static uint32_t adler_reference(uint32_t adler, const unsigned char *buf, size_t len)
{
	uint32_t s1 = (adler & 0xffff) % 65521, s2 = (adler >> 16) % 65521;

	while (len--) {
		s1 = (s1 + *buf++) % 65521;
		s2 = (s2 + s1) % 65521;
	}
	return s1 | s2 << 16;
}

static const struct sum {
	checksum_at *at;
	zwd_checksum_fn *used, *reference;
	uint32_t start;
} sums[] = {
	{ zwd_crc32_at, zwd_crc32, crc_reference, 0 },
	{ zwd_adler32_at, zwd_adler32, adler_reference, 1 },
};

static void expect(const struct sum *sum, uint32_t start, const unsigned char *buf, size_t len,
		   uint32_t want)
{
	zwd_checksum_fn *f = sum->used;

	for (unsigned int nr = 0; f; f = len < ZWD_CHECKSUM_MIN ? NULL : sum->at(nr++))
		if (f(start, buf, len) != want)
			fail_msg("sum %td, implementation %u, %zu bytes at %p from %#x", sum - sums,
				 nr, len, (const void *)buf, start);
}

static uint32_t seed = 1;

static uint32_t random_word(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	return seed ^= seed << 5;
}

static void fill(unsigned char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = random_word() >> 24;
}

static uint64_t reversed(uint64_t v, int bits)
{
	uint64_t r = 0;

	for (int i = 0; i < bits; i++)
		r |= (v >> i & 1) << (bits - 1 - i);
	return r;
}

static uint64_t folding_power(unsigned int n)
{
	uint64_t r = 1;

	while (n--) {
		r <<= 1;
		if (r >> 32)
			r ^= POLYNOMIAL;
	}
	return reversed(r, 32) << 1;
}

static void constants(void **state)
{
	static const unsigned int distances[] = {
		[ZWD_FOLD_128] = 128,
		[ZWD_FOLD_512] = 512,
		[ZWD_FOLD_2048] = 2048,
	};
	uint64_t quotient = 1ull << 32,
		 rest = POLYNOMIAL << 32; /* of x^64: its first bit is known */

	for (size_t i = 0; i < ARRAY_NR(distances); i++) {
		assert_int_equal(zwd_crc32_fold[i][0], folding_power(distances[i] + 32));
		assert_int_equal(zwd_crc32_fold[i][1], folding_power(distances[i] - 32));
	}
	for (int i = 31; i >= 0; i--)
		if (rest >> (i + 32) & 1) {
			quotient |= 1ull << i;
			rest ^= POLYNOMIAL << i;
		}
	assert_int_equal(zwd_crc32_reduce[0][0], folding_power(96));
	assert_int_equal(zwd_crc32_reduce[0][1], folding_power(64));
	assert_int_equal(zwd_crc32_reduce[1][0], reversed(quotient, 33));
	assert_int_equal(zwd_crc32_reduce[1][1], reversed(POLYNOMIAL, 33));
}

static void lengths_and_alignments(void **state)
{
	enum { LEN = 1100, ALIGN = 16 };
	static unsigned char data[LEN + ALIGN] __attribute__((aligned(64)));

	fill(data, sizeof(data));
	for (size_t s = 0; s < ARRAY_NR(sums); s++)
		for (size_t align = 0; align < ALIGN; align++) {
			uint32_t want = sums[s].start;

			for (size_t len = 0; len <= LEN; len++) {
				expect(&sums[s], sums[s].start, data + align, len, want);
				want = sums[s].reference(want, data + align + len, 1);
			}
		}
}

/* Any start value, long and short, the last byte before memory that cannot be read. */
static void starts_and_ends(void **state)
{
	const size_t room = 1 << 20, page = sysconf(_SC_PAGESIZE);
	unsigned char *data =
		mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(data, MAP_FAILED);
	assert_int_equal(mprotect(data + room, page, PROT_NONE), 0);
	for (int i = 0; i < 600; i++) {
		size_t len = random_word() % (i % 20 ? 700 : room);
		uint32_t start = random_word();
		unsigned char *at = data + room - len;

		if (i % 7)
			fill(at, len);
		else
			memset(at, 0xff, len); /* the largest sums */
		for (size_t s = 0; s < ARRAY_NR(sums); s++)
			expect(&sums[s], start, at, len, sums[s].reference(start, at, len));
	}
	munmap(data, room + page);
}

/* First of all: while no zlib can be opened, what else would be its work is done without. */
static void without_zlib(void **state)
{
	static const size_t lens[] = { 64, 1000, 5535, 5536, 5537, 20000 };
	static unsigned char data[20000];
	struct rlimit all, none;

	fill(data, sizeof(data));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	none = (struct rlimit){ 0, all.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (size_t i = 0; i < ARRAY_NR(lens); i++)
		for (size_t s = 0; s < ARRAY_NR(sums); s++)
			expect(&sums[s], sums[s].start, data, lens[i],
			       sums[s].reference(sums[s].start, data, lens[i]));
	assert_false(zwd_soft_zlib_has(zwd_soft()->crc32_z));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	assert_true(zwd_soft_zlib_has(zwd_soft()->crc32_z));
}

/* Beyond what zlib's modulo arithmetic promises: its answers all the same. */
static void starts_beyond_the_base(void **state)
{
	static const uint32_t parts[] = { 0, 1, 65265, 65520, 65521, 65522, 65530, 65535 };
	static const unsigned char buf[2] = { 255, 255 };

	for (size_t i = 0; i < ARRAY_NR(parts) * ARRAY_NR(parts); i++)
		for (size_t len = 0; len <= 2; len++) {
			uLong start = parts[i / 8] << 16 | parts[i % 8];

			assert_int_equal(adler32_z(start, buf, len),
					 zwd_soft()->adler32_z(start, buf, len));
			start |= 0xa5a5a5a5ull << 32;
			assert_int_equal(adler32_z(start, buf, len),
					 zwd_soft()->adler32_z(start, buf, len));
			assert_int_equal(crc32_z(start, buf, len),
					 zwd_soft()->crc32_z(start, buf, len));
			assert_int_equal(crc32(start, buf, len),
					 zwd_soft()->crc32(start, buf, len));
		}
	assert_int_equal(crc32(5, NULL, 3), 0);
	assert_int_equal(crc32_z(5, NULL, 3), 0);
	assert_int_equal(adler32(5, NULL, 3), 1);
	assert_int_equal(adler32_z(5, NULL, 3), 1);
}

/* More than 32 bits of length: the same few pages over and over. */
static void beyond_4_gib(void **state)
{
	const size_t piece = 64 << 20, nr = 65;
	unsigned char *data = mmap(NULL, nr * piece, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = memfd_create("pieces", MFD_CLOEXEC);
	uLong crc, adler, all_crc = 0, all_adler = 1;

	if (data == MAP_FAILED || fd < 0 || ftruncate(fd, piece))
		skip();
	for (size_t i = 0; i < nr; i++)
		assert_ptr_not_equal(mmap(data + i * piece, piece, PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_FIXED, fd, 0),
				     MAP_FAILED);
	fill(data, piece);
	crc = zwd_soft()->crc32_z(0, data, piece);
	adler = zwd_soft()->adler32_z(1, data, piece);
	for (size_t i = 0; i < nr; i++) {
		all_crc = zwd_soft()->crc32_combine64(all_crc, crc, piece);
		all_adler = zwd_soft()->adler32_combine64(all_adler, adler, piece);
	}
	assert_int_equal(crc32_z(0, data, nr * piece), all_crc);
	assert_int_equal(adler32_z(1, data, nr * piece), all_adler);
	munmap(data, nr * piece);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_zlib),
		cmocka_unit_test(constants),	   cmocka_unit_test(lengths_and_alignments),
		cmocka_unit_test(starts_and_ends), cmocka_unit_test(starts_beyond_the_base),
		cmocka_unit_test(beyond_4_gib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
