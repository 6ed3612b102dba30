/* SPDX-License-Identifier: Zlib */
/* Each kind of data in each size: ours to the reference and back, the same bytes where it is soft. */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static const int wrappers[] = { 15, 31, -15 };

static unsigned char *plain[GEN_NR];

/* 0..34, then powers of two and their neighbours up to 1 MB. */
static size_t size_at(size_t i)
{
	size_t power = (i - 35) / 3, offset = (i - 35) % 3;

	if (i < 35)
		return i;
	return ((size_t)64 << power) + offset - 1;
}

enum { SIZES = 35 + 15 * 3 };

static void ours_to_reference(void **state)
{
	static const int levels[] = { 6, 1, 9, 0, 4, -1, 2, 3, 5, 7, 8 };
	size_t g, i, w, l, turn = 0;

	for (g = 0; g < GEN_NR; g++)
		for (i = 0; i < SIZES; i++)
			for (w = 0; w < NR(wrappers); w++) {
				size_t len = size_at(i);

				if (len > 20000 && w != (g + i) % NR(wrappers))
					continue;
				/* All levels for the small ones, one in turn for the others. */
				for (l = 0; l < NR(levels); l++) {
					struct buf out = { 0 }, want = { 0 };

					if (len > 500 && l != turn % NR(levels))
						continue;
					deflate_all(&ours, wrappers[w], levels[l], 0, plain[g], len,
						    &out);
					assert_inflates(wrappers[w], out.data, out.len, plain[g], len);
					if (test_mode == MODE_SOFT) {
						deflate_all(&ref, wrappers[w], levels[l], 0, plain[g],
							    len, &want);
						assert_int_equal(out.len, want.len);
						assert_memory_equal(out.data, want.data, out.len);
					}
					buf_free(&out);
					buf_free(&want);
				}
				turn++;
			}
}

static void reference_to_ours(void **state)
{
	static const struct {
		int level, strategy;
	} setups[] = { { 6, Z_DEFAULT_STRATEGY }, { 1, Z_DEFAULT_STRATEGY },
		       { 9, Z_DEFAULT_STRATEGY }, { 6, Z_FILTERED },
		       { 6, Z_HUFFMAN_ONLY },	  { 6, Z_RLE },
		       { 6, Z_FIXED },		  { 0, Z_DEFAULT_STRATEGY } };
	size_t g, i, w, s, turn = 0;

	for (g = 0; g < GEN_NR; g++)
		for (i = 0; i < SIZES; i++)
			for (w = 0; w < NR(wrappers); w++, turn++)
				for (s = 0; s < NR(setups); s++) {
					struct buf packed = { 0 }, out = { 0 };
					size_t len = size_at(i), rest;

					if (len > 100 && s != turn % NR(setups))
						continue;
					if (len > 20000 && w != (g + i) % NR(wrappers))
						continue;
					deflate_all(&ref, wrappers[w], setups[s].level,
						    setups[s].strategy, plain[g], len, &packed);
					assert_int_equal(inflate_steps(&ours, wrappers[w], packed.data,
								       packed.len, 0, 0, &out, &rest),
							 Z_STREAM_END);
					assert_int_equal(rest, 0);
					assert_int_equal(out.len, len);
					if (len)
						assert_memory_equal(out.data, plain[g], len);
					buf_free(&packed);
					buf_free(&out);
				}
}

static int make(void **state)
{
	size_t g;

	for (g = 0; g < GEN_NR; g++)
		plain[g] = gen_alloc((enum gen)g, size_at(SIZES - 1));
	return 0;
}

static int drop(void **state)
{
	size_t g;

	for (g = 0; g < GEN_NR; g++)
		free(plain[g]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(ours_to_reference),
					    cmocka_unit_test(reference_to_ours) };

	test_begin(120);
	return cmocka_run_group_tests(tests, make, drop);
}
