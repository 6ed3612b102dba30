/* SPDX-License-Identifier: Zlib */
/* compress() and uncompress(): exact and short buffers, what is left, and the same errors. */
#include "config.h"
#include "helpers.h"

#include <dlfcn.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static const size_t sizes[] = { 0, 1, 2, 100, 4096, 65535, 65536, 500000, 2500000 };

static void round_trip(void **state)
{
	size_t g, s;
	int level;

	for (g = 0; g < GEN_NR; g++)
		for (s = 0; s < NR(sizes); s++) {
			unsigned char *plain = gen_alloc((enum gen)g, sizes[s]);
			unsigned char *back = malloc(sizes[s] + 1);
			uLongf packed_len, back_len, want_len = ours.compressBound(sizes[s]);
			unsigned char *packed = malloc(want_len), *want = malloc(want_len);

			/* -1, 0, 1, 5, 9; of the large ones 1 only */
			for (level = sizes[s] > 100000 ? 1 : -1;
			     level <= (sizes[s] > 100000 ? 1 : 9); level += level < 1 ? 1 : 4) {
				packed_len = want_len = ours.compressBound(sizes[s]);
				if (level < 0)
					assert_int_equal(ours.compress(packed, &packed_len, plain,
								       sizes[s]),
							 Z_OK);
				else
					assert_int_equal(ours.compress2(packed, &packed_len, plain,
									sizes[s], level),
							 Z_OK);
				assert_inflates(15, packed, packed_len, plain, sizes[s]);
				if (test_mode == MODE_SOFT) {
					ref.compress2(want, &want_len, plain, sizes[s], level);
					assert_int_equal(packed_len, want_len);
					assert_memory_equal(packed, want, packed_len);
				}
				back_len = sizes[s]; /* no more than it needs */
				assert_int_equal(ours.uncompress(back, &back_len, packed, packed_len),
						 Z_OK);
				assert_int_equal(back_len, sizes[s]);
				assert_memory_equal(back, plain, sizes[s]);
			}
			free(plain);
			free(back);
			free(packed);
			free(want);
		}
}

static void compress_into_exactly_and_too_little(void **state)
{
	static const size_t lens[] = { 1, 1000, 100000, 1500000 };
	size_t s;

	for (s = 0; s < NR(lens); s++) {
		unsigned char *plain = gen_alloc(GEN_TEXT, lens[s]);
		uLongf full = ours.compressBound(lens[s]), len;
		unsigned char *packed = malloc(full);

		assert_int_equal(ours.compress(packed, &full, plain, lens[s]), Z_OK);
		len = full / 2;
		assert_int_equal(ours.compress(packed, &len, plain, lens[s]), Z_BUF_ERROR);
		assert_true(len <= full / 2);
		len = 0;
		assert_int_equal(ours.compress(packed, &len, plain, lens[s]), Z_BUF_ERROR);
		assert_int_equal(len, 0);
		len = 3;
		assert_int_equal(ours.compress(packed, &len, plain, lens[s]), Z_BUF_ERROR);
		if (test_mode == MODE_SOFT) {
			len = full;
			assert_int_equal(ours.compress(packed, &len, plain, lens[s]), Z_OK);
			len = full - 1;
			assert_int_equal(ours.compress(packed, &len, plain, lens[s]), Z_BUF_ERROR);
		}
		free(plain);
		free(packed);
	}
}

static void compress_refuses_levels(void **state)
{
	unsigned char plain[] = "p", packed[100];
	uLongf len = sizeof(packed);

	assert_int_equal(ours.compress2(packed, &len, plain, 1, 10), Z_STREAM_ERROR);
	len = sizeof(packed);
	assert_int_equal(ours.compress2(packed, &len, plain, 1, -2), Z_STREAM_ERROR);
}

/* Both functions against the reference, for lengths around the right ones. */
static void uncompress_of_any_lengths(void **state)
{
	static const size_t lens[] = { 0, 1, 5000, 100000 };
	static const int around[] = { -3, -2, -1, 0, 1, 5 };
	size_t s, i, d;
	int broken;

	for (s = 0; s < NR(lens); s++)
		for (i = 0; i < NR(around); i++)
			for (d = 0; d < NR(around); d++)
				for (broken = 0; broken < 3; broken++) {
					unsigned char *plain = gen_alloc(GEN_SOURCE, lens[s]);
					unsigned char *back = malloc(lens[s] + 16);
					struct buf packed = { 0 };
					uLongf got, want;
					uLong src, want_src;
					int ret;

					if (around[d] < 0 && lens[s] < 10) {
						free(plain);
						free(back);
						continue;
					}
					deflate_all(&ref, 15, 6, 0, plain, lens[s], &packed);
					buf_add(&packed, "0123456789", 10);
					if (broken == 1)
						packed.data[packed.len - 11] ^= 1;
					else if (broken == 2)
						packed.data[1] ^= 1;
					src = want_src = packed.len - 10 + around[i];
					got = want = lens[s] + around[d];
					ret = ours.uncompress2(back, &got, packed.data, &src);
					assert_int_equal(ret, ref.uncompress2(back, &want,
									      packed.data, &want_src));
					assert_int_equal(got, want);
					/* Of a failure only zlib knows to the byte how far it read. */
					if (!ret || test_mode == MODE_SOFT)
						assert_int_equal(src, want_src);
					if (!ret)
						assert_memory_equal(back, plain, lens[s]);

					src = packed.len - 10 + around[i];
					got = want = lens[s] + around[d];
					ret = ours.uncompress(back, &got, packed.data, src);
					assert_int_equal(ret, ref.uncompress(back, &want, packed.data,
									     src));
					assert_int_equal(got, want);
					buf_free(&packed);
					free(plain);
					free(back);
				}
}

/* zlib: with no room at all a complete empty stream is fine, anything else is not. */
static void uncompress_without_room(void **state)
{
	unsigned char byte = 0;
	struct buf empty = { 0 }, one = { 0 };
	uLongf len;

	deflate_all(&ref, 15, 6, 0, &byte, 0, &empty);
	deflate_all(&ref, 15, 6, 0, &byte, 1, &one);
	len = 0;
	assert_int_equal(ours.uncompress(&byte, &len, empty.data, empty.len), Z_OK);
	assert_int_equal(len, 0);
	len = 0;
	assert_int_equal(ours.uncompress(&byte, &len, one.data, one.len),
			 ref.uncompress(&byte, &len, one.data, one.len));
	len = 1;
	assert_int_equal(ours.uncompress(&byte, &len, one.data, 0), Z_DATA_ERROR);
	buf_free(&empty);
	buf_free(&one);
}

/* A stream that wants a dictionary is a data error here. */
static void uncompress_with_dictionary(void **state)
{
	unsigned char plain[100], packed[200];
	z_stream strm = { .next_in = plain, .avail_in = sizeof(plain), .next_out = packed,
			  .avail_out = sizeof(packed) };
	uLongf len = sizeof(plain);

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	assert_int_equal(ref.deflateInit_(&strm, 6, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
	assert_int_equal(ref.deflateSetDictionary(&strm, plain, 50), Z_OK);
	assert_int_equal(ref.deflate(&strm, Z_FINISH), Z_STREAM_END);
	ref.deflateEnd(&strm);
	assert_int_equal(ours.uncompress(plain, &len, packed, strm.total_out), Z_DATA_ERROR);
}

/* What zlib has since 1.3.2 is there whatever the zlib underneath; lengths are size_t, as everywhere here. */
static void lengths_without_limit(void **state)
{
	int (*compress_z)(Bytef *, size_t *, const Bytef *, size_t) = dlsym(RTLD_DEFAULT, "compress_z");
	int (*uncompress_z)(Bytef *, size_t *, const Bytef *, size_t) = dlsym(RTLD_DEFAULT, "uncompress_z");
	size_t (*compressBound_z)(size_t) = dlsym(RTLD_DEFAULT, "compressBound_z");
	size_t (*deflateBound_z)(z_streamp, size_t) = dlsym(RTLD_DEFAULT, "deflateBound_z");
	static unsigned char plain[100000], packed[200000], back[100001];
	size_t len = sizeof(packed), back_len = sizeof(back);
	z_stream strm = { 0 };

	assert_true(compress_z && uncompress_z && compressBound_z && deflateBound_z);
	gen_fill(GEN_TEXT, plain, sizeof(plain));
	assert_int_equal(compress_z(packed, &len, plain, sizeof(plain)), Z_OK);
	assert_inflates(15, packed, len, plain, sizeof(plain));
	assert_int_equal(uncompress_z(back, &back_len, packed, len), Z_OK);
	assert_int_equal(back_len, sizeof(plain));
	assert_memory_equal(back, plain, sizeof(plain));
	assert_int_equal(compress_z(packed, &len, NULL, 1), Z_STREAM_ERROR);
	assert_int_equal(compressBound_z(1000000), ours.compressBound(1000000));
	assert_true(compressBound_z(SIZE_MAX) == SIZE_MAX);
	assert_int_equal(deflateInit(&strm, 6), Z_OK);
	assert_int_equal(deflateBound_z(&strm, 1000000), ours.deflateBound(&strm, 1000000));
	assert_true(deflateBound_z(&strm, SIZE_MAX) == SIZE_MAX);
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
}

TEST_MAIN(120, cmocka_unit_test(round_trip), cmocka_unit_test(compress_into_exactly_and_too_little),
	  cmocka_unit_test(compress_refuses_levels), cmocka_unit_test(uncompress_of_any_lengths),
	  cmocka_unit_test(uncompress_without_room), cmocka_unit_test(uncompress_with_dictionary),
	  cmocka_unit_test(lengths_without_limit))
