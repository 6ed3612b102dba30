/* SPDX-License-Identifier: Zlib */
/* Checksums, their combinations, and what the library says of itself. */
#include "config.h"
#include "helpers.h"

static void running_sums(void **state)
{
	size_t len = 70000, i, at;
	unsigned char *data = gen_alloc(GEN_MIXED, len);

	assert_int_equal(ours.crc32(7, NULL, 0), ref.crc32(7, NULL, 0));
	assert_int_equal(ours.adler32(7, NULL, 0), ref.adler32(7, NULL, 0));
	assert_int_equal(ours.crc32_z(7, NULL, 5), ref.crc32_z(7, NULL, 5));
	assert_int_equal(ours.adler32_z(7, NULL, 5), ref.adler32_z(7, NULL, 5));
	assert_int_equal(ours.crc32(0, (const Bytef *)"123456789", 9), 0xcbf43926);
	assert_int_equal(ours.adler32(1, (const Bytef *)"Wikipedia", 9), 0x11e60398);
	for (i = 0; i < 300; i++) {
		uLong start = (uint32_t)test_random();
		size_t nr = test_random_below(i % 3 ? 100 : 40000);

		at = test_random_below(len - nr);
		assert_int_equal(ours.crc32(start, data + at, nr), ref.crc32(start, data + at, nr));
		assert_int_equal(ours.crc32_z(start, data + at, nr), ref.crc32_z(start, data + at, nr));
		start = start % 65521 | start / 65536 % 65521 << 16;
		assert_int_equal(ours.adler32(start, data + at, nr), ref.adler32(start, data + at, nr));
		assert_int_equal(ours.adler32_z(start, data + at, nr),
				 ref.adler32_z(start, data + at, nr));
	}
	free(data);
}

static void combined_sums(void **state)
{
	size_t len = 30000, cut;
	unsigned char *data = gen_alloc(GEN_TEXT, len);
	uLong crc = ref.crc32(0, data, len), adler = ref.adler32(1, data, len);

	for (cut = 0; cut <= len; cut += 1 + cut / 3) {
		uLong a = ref.crc32(0, data, cut), b = ref.crc32(0, data + cut, len - cut);
		uLong op = ours.crc32_combine_gen(len - cut);

		assert_int_equal(ours.crc32_combine(a, b, len - cut), crc);
		assert_int_equal(ours.crc32_combine64(a, b, len - cut), crc);
		assert_int_equal(op, ref.crc32_combine_gen(len - cut));
		assert_int_equal(ours.crc32_combine_gen64(len - cut), op);
		assert_int_equal(ours.crc32_combine_op(a, b, op), crc);
		a = ref.adler32(1, data, cut);
		b = ref.adler32(1, data + cut, len - cut);
		assert_int_equal(ours.adler32_combine(a, b, len - cut), adler);
		assert_int_equal(ours.adler32_combine64(a, b, len - cut), adler);
	}
	assert_int_equal(ours.crc32_combine64(crc, adler, 1ll << 40),
			 ref.crc32_combine64(crc, adler, 1ll << 40));
	assert_int_equal(ours.adler32_combine(adler, adler, -1), ref.adler32_combine(adler, adler, -1));
	free(data);
}

static void crc_table(void **state)
{
	const z_crc_t *got = ours.get_crc_table(), *want = ref.get_crc_table();
	int i;

	for (i = 0; i < 256; i++)
		assert_int_equal(got[i], want[i]);
}

/* Programs parse the version as digits and dots. */
static void what_it_says_of_itself(void **state)
{
	const char *version = ours.zlibVersion();
	int err;

	assert_string_equal(version, ref.zlibVersion());
	assert_int_equal(strspn(version, "0123456789."), strlen(version));
	assert_int_equal(ours.zlibCompileFlags(), ref.zlibCompileFlags());
	for (err = Z_VERSION_ERROR; err <= Z_NEED_DICT; err++)
		assert_string_equal(ours.zError(err), ref.zError(err));
}

TEST_MAIN(60, cmocka_unit_test(running_sums), cmocka_unit_test(combined_sums),
	  cmocka_unit_test(crc_table), cmocka_unit_test(what_it_says_of_itself))
