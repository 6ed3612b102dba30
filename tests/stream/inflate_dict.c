/* SPDX-License-Identifier: Zlib */
/* inflateSetDictionary() and inflateGetDictionary(). */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static unsigned char plain[60000], back[60000];

static void pack(int wbits, const void *dict, uInt dict_len, struct buf *out)
{
	z_stream strm = { .next_in = plain, .avail_in = sizeof(plain) };

	assert_int_equal(ref.deflateInit2_(&strm, 6, Z_DEFLATED, wbits, 8, 0, ZLIB_VERSION,
					   (int)sizeof(strm)),
			 Z_OK);
	assert_int_equal(ref.deflateSetDictionary(&strm, dict, dict_len), Z_OK);
	strm.next_out = buf_room(out, 100000);
	strm.avail_out = 100000;
	assert_int_equal(ref.deflate(&strm, Z_FINISH), Z_STREAM_END);
	out->len = strm.total_out;
	ref.deflateEnd(&strm);
}

static void zlib_stream_asks_for_it(void **state)
{
	static const uInt dict_lens[] = { 1, 300, 32768, 40000 };
	static const size_t steps[] = { 0, 1, 1000 };
	size_t d, i;
	int wbits;

	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	for (d = 0; d < NR(dict_lens); d++)
		for (i = 0; i < NR(steps); i++)
			for (wbits = 15; wbits <= 47; wbits += 32) {
				struct buf packed = { 0 };
				z_stream strm = { 0 };
				size_t pos = 0;
				int ret, asked = 0;

				pack(15, plain, dict_lens[d], &packed);
				assert_int_equal(inflateInit2(&strm, wbits), Z_OK);
				strm.next_out = back;
				strm.avail_out = sizeof(back);
				do {
					if (!strm.avail_in) {
						size_t nr = packed.len - pos;

						nr = steps[i] && steps[i] < nr ? steps[i] : nr;
						strm.next_in = packed.data + pos;
						strm.avail_in = nr;
						pos += nr;
					}
					ret = ours.inflate(&strm, Z_NO_FLUSH);
					if (ret == Z_NEED_DICT) {
						asked++;
						assert_int_equal(strm.total_out, 0);
						assert_int_equal(strm.adler,
								 ref.adler32(1, plain,
									     dict_lens[d]));
						/* It asks again, and refuses another one. */
						assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH),
								 Z_NEED_DICT);
						assert_int_equal(ours.inflateSetDictionary(
									 &strm, plain,
									 dict_lens[d] + 1),
								 Z_DATA_ERROR);
						assert_int_equal(ours.inflateSetDictionary(
									 &strm, plain,
									 dict_lens[d]),
								 Z_OK);
						ret = Z_OK;
					}
				} while (ret == Z_OK);
				assert_int_equal(ret, Z_STREAM_END);
				assert_int_equal(asked, 1);
				assert_int_equal(strm.total_out, sizeof(plain));
				assert_int_equal(strm.adler, ref.adler32(1, plain, sizeof(plain)));
				assert_memory_equal(back, plain, sizeof(plain));
				assert_int_equal(ours.inflateEnd(&strm), Z_OK);
				buf_free(&packed);
			}
}

static void raw_stream_takes_it_at_any_time(void **state)
{
	struct buf packed = { 0 };
	z_stream strm = { 0 };

	gen_fill(GEN_JSON, plain, sizeof(plain));
	pack(-15, plain, 20000, &packed);
	assert_int_equal(inflateInit2(&strm, -15), Z_OK);
	assert_int_equal(ours.inflateSetDictionary(&strm, plain, 20000), Z_OK);
	strm.next_in = packed.data;
	strm.avail_in = packed.len;
	strm.next_out = back;
	strm.avail_out = sizeof(back);
	assert_int_equal(ours.inflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_memory_equal(back, plain, sizeof(plain));
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	buf_free(&packed);
}

static void refused_where_nobody_asked(void **state)
{
	z_stream strm = { 0 };

	assert_int_equal(ours.inflateSetDictionary(NULL, plain, 10), Z_STREAM_ERROR);
	assert_int_equal(inflateInit2(&strm, 15), Z_OK);
	assert_int_equal(ours.inflateSetDictionary(&strm, plain, 10), Z_STREAM_ERROR);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	assert_int_equal(inflateInit2(&strm, 31), Z_OK);
	assert_int_equal(ours.inflateSetDictionary(&strm, plain, 10), Z_STREAM_ERROR);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
}

/* The latest 32 KiB of the text, after any call; the same as zlib's in length and content. */
static void get_dictionary(void **state)
{
	static const int wbits[] = { 15, 31, -15, 47 };
	static unsigned char dict[32768], want[32768];
	size_t w, room;

	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	for (w = 0; w < NR(wbits); w++)
		for (room = 1; room < sizeof(plain); room = room * 5 + 3) {
			const struct zlib_api *apis[] = { &ours, &ref };
			uInt lens[2] = { 77777, 77777 };
			struct buf packed = { 0 };
			size_t i;

			deflate_all(&ref, wbits[w] == 47 ? 31 : wbits[w], 6, 0, plain, sizeof(plain),
				    &packed);
			for (i = 0; i < 2; i++) {
				z_stream strm = { 0 };
				int calls;

				assert_int_equal(apis[i]->inflateInit2_(&strm, wbits[w], ZLIB_VERSION,
									(int)sizeof(strm)),
						 Z_OK);
				strm.next_in = packed.data;
				strm.avail_in = packed.len;
				strm.next_out = back;
				for (calls = 0; calls < 3 && strm.total_out + room < sizeof(back);
				     calls++) {
					strm.avail_out = room;
					assert_int_equal(apis[i]->inflate(&strm, Z_NO_FLUSH), Z_OK);
				}
				assert_int_equal(apis[i]->inflateGetDictionary(&strm, NULL, &lens[i]),
						 Z_OK);
				assert_int_equal(apis[i]->inflateGetDictionary(&strm, i ? want : dict,
									       NULL),
						 Z_OK);
				assert_memory_equal(i ? want : dict, back + strm.total_out - lens[i],
						    lens[i]);
				apis[i]->inflateEnd(&strm);
			}
			assert_int_equal(lens[0], lens[1]);
			buf_free(&packed);
		}
}

TEST_MAIN(60, cmocka_unit_test(zlib_stream_asks_for_it),
	  cmocka_unit_test(raw_stream_takes_it_at_any_time),
	  cmocka_unit_test(refused_where_nobody_asked), cmocka_unit_test(get_dictionary))
