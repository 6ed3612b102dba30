/* SPDX-License-Identifier: Zlib */
/* deflateBound() and compressBound() are never too small, for one call of Z_FINISH. */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static const int wrappers[] = { 15, 31, -15, 14, 9, 25, -10 };
static const size_t sizes[] = { 0,	1,     2,     3,     5,	    16,	    63,	    64,	   199,
				200,	201,   255,   256,   257,   1023,   4095,   4096,  16383,
				16384,	16385, 32768, 40000 };

struct setup {
	int wbits, level, strategy, mem_level;
	int has_header, has_dict;
};

static void in_one_call(const struct setup *s, enum gen gen, const unsigned char *plain, size_t len)
{
	unsigned char extra[300] = { 1 }, name[] = "a name", comment[] = "a comment";
	gz_header head = { .extra = extra,
			   .extra_len = sizeof(extra),
			   .name = name,
			   .comment = comment,
			   .hcrc = 1 };
	z_stream strm = { 0 };
	unsigned char *out;
	uLong bound;
	int ret;

	assert_int_equal(deflateInit2(&strm, s->level, Z_DEFLATED, s->wbits, s->mem_level,
				      s->strategy),
			 Z_OK);
	if (s->has_header)
		assert_int_equal(ours.deflateSetHeader(&strm, &head), Z_OK);
	if (s->has_dict)
		assert_int_equal(ours.deflateSetDictionary(&strm, plain, 1), Z_OK);
	bound = ours.deflateBound(&strm, len);
	out = malloc(bound + 1);
	assert_non_null(out);
	out[bound] = 0x5a;
	strm.next_in = (z_const Bytef *)plain;
	strm.avail_in = len;
	strm.next_out = out;
	strm.avail_out = bound;
	ret = ours.deflate(&strm, Z_FINISH);
	if (ret != Z_STREAM_END)
		fail_msg("%zu bytes of %s, windowBits %d level %d strategy %d memLevel %d: "
			 "bound %lu, %s",
			 len, gen_name(gen), s->wbits, s->level, s->strategy, s->mem_level, bound,
			 ret ? "error" : "too small");
	assert_int_equal(out[bound], 0x5a);
	if (!s->has_dict)
		assert_inflates(s->wbits, out, strm.total_out, plain, len);
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	free(out);
}

static void whole_table(void **state)
{
	static const int levels[] = { 6, 1, 9, 0, 4, -1 };
	static const int mem_levels[] = { 8, 9, 1 };
	static const enum gen gens[] = { GEN_RANDOM, GEN_TEXT, GEN_ZEROS };
	struct setup s = { 0 };
	size_t w, l, g, n, turn = 0;

	for (g = 0; g < NR(gens); g++) {
		unsigned char *plain = gen_alloc(gens[g], 100000);

		for (w = 0; w < NR(wrappers); w++)
			for (l = 0; l < NR(levels); l++)
				for (n = 0; n < NR(sizes); n++, turn++) {
					s.wbits = wrappers[w];
					s.level = levels[l];
					s.strategy = turn % 5;
					s.mem_level = mem_levels[turn / 5 % NR(mem_levels)];
					s.has_header = s.wbits > 15 && turn % 2;
					s.has_dict = s.wbits > 0 && s.wbits < 16 && turn % 3 == 0 && n;
					/* zlib 1.2.13's own bound is short here, see deflateBound(). */
					if (!s.level && (s.wbits != 15 || s.mem_level != 8))
						s.level = 6;
					in_one_call(&s, gens[g], plain, sizes[n]);
				}
		free(plain);
	}
}

static void default_setup_at_each_size(void **state)
{
	const struct setup setups[] = { { 15, 6, 0, 8, 0, 0 },
					{ 31, 1, 0, 8, 1, 0 },
					{ -15, 6, 0, 8, 0, 0 } };
	unsigned char *plain = gen_alloc(GEN_RANDOM, 9000);
	size_t len, i;

	for (i = 0; i < NR(setups); i++)
		for (len = 0; len < 9000; len += len < 300 ? 1 : 97)
			in_one_call(&setups[i], GEN_RANDOM, plain, len);
	free(plain);
}

static void large_random(void **state)
{
	const struct setup setups[] = { { 15, 1, 0, 8, 0, 0 }, { -15, 4, 0, 8, 0, 0 } };
	static const size_t larges[] = { 1048575, 1048576, 1048577, 8500000 };
	unsigned char *plain = gen_alloc(GEN_RANDOM, 8500000);
	size_t n, i;

	for (i = 0; i < NR(setups); i++)
		for (n = i; n < NR(larges); n++)
			in_one_call(&setups[i], GEN_RANDOM, plain, larges[n]);
	free(plain);
}

/* Programs take zlib's formula for granted and reserve so much themselves. */
static void compress_bound_is_the_formula(void **state)
{
	size_t i;

	for (i = 0; i < NR(sizes); i++)
		assert_int_equal(ours.compressBound(sizes[i]),
				 sizes[i] + (sizes[i] >> 12) + (sizes[i] >> 14) + (sizes[i] >> 25) +
					 13);
	assert_int_equal(ours.compressBound(1ul << 40), ref.compressBound(1ul << 40));
}

static void output_fits_compress_bound(void **state)
{
	unsigned char *plain = gen_alloc(GEN_RANDOM, 3000000), *out = malloc(3100000);
	static const size_t lens[] = { 0, 1, 10, 200, 65535, 65536, 1048576, 3000000 };
	size_t i;
	int level;

	for (i = 0; i < NR(lens); i++)
		for (level = -1; level <= 9; level += lens[i] > 100000 ? 5 : 1) {
			uLongf len = ref.compressBound(lens[i]);

			assert_int_equal(ours.compress2(out, &len, plain, lens[i], level), Z_OK);
			assert_inflates(15, out, len, plain, lens[i]);
		}
	free(plain);
	free(out);
}

/* What shrinks by a few percent only is compressed all the same, and not stored. */
static void a_little_is_gained(void **state)
{
	enum { LEN = 600000, VALUES = 180 };
	unsigned char *plain = gen_alloc(GEN_RANDOM, LEN);
	struct buf out = { 0 };

	for (size_t i = 0; i < LEN; i++)
		plain[i] = (unsigned char)(plain[i] % VALUES);
	for (int level = 1; level <= 6; level += 5) {
		out.len = 0;
		deflate_all(&ours, 15, level, Z_DEFAULT_STRATEGY, plain, LEN, &out);
		assert_inflates(15, out.data, out.len, plain, LEN);
		/* 7.4 bits of 8 are in each. */
		assert_in_range(out.len, LEN / 100 * 90, LEN / 100 * 97);
	}
	buf_free(&out);
	free(plain);
}

TEST_MAIN(120, cmocka_unit_test(a_little_is_gained), cmocka_unit_test(whole_table),
	  cmocka_unit_test(default_setup_at_each_size),
	  cmocka_unit_test(large_random), cmocka_unit_test(compress_bound_is_the_formula),
	  cmocka_unit_test(output_fits_compress_bound))
