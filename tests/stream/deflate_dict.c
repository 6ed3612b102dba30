/* SPDX-License-Identifier: Zlib */
/* deflateSetDictionary() and deflateGetDictionary(): at the start, between blocks, read back. */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static void begin(const struct zlib_api *z, z_stream *strm, int wbits, int level)
{
	memset(strm, 0, sizeof(*strm));
	assert_int_equal(z->deflateInit2_(strm, level, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY,
					  ZLIB_VERSION, (int)sizeof(*strm)),
			 Z_OK);
}

static int step(const struct zlib_api *z, z_stream *strm, int flush, struct buf *out)
{
	size_t room = 300000;
	int ret;

	strm->next_out = buf_room(out, room);
	strm->avail_out = room;
	ret = z->deflate(strm, flush);
	out->len += room - strm->avail_out;
	return ret;
}

static void assert_inflates_with(int wbits, const struct buf *packed, const void *dict,
				 uInt dict_len, const void *plain, size_t len)
{
	unsigned char *back = malloc(len + 1);
	z_stream strm = { 0 };
	int ret;

	assert_int_equal(ref.inflateInit2_(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
	strm.next_in = packed->data;
	strm.avail_in = packed->len;
	strm.next_out = back;
	strm.avail_out = len + 1;
	if (wbits < 0) {
		assert_int_equal(ref.inflateSetDictionary(&strm, dict, dict_len), Z_OK);
	} else {
		assert_int_equal(ref.inflate(&strm, Z_FINISH), Z_NEED_DICT);
		assert_int_equal(strm.adler, ref.adler32(1, dict, dict_len));
		assert_int_equal(ref.inflateSetDictionary(&strm, dict, dict_len), Z_OK);
	}
	ret = ref.inflate(&strm, Z_FINISH);
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(strm.total_out, len);
	assert_memory_equal(back, plain, len);
	ref.inflateEnd(&strm);
	free(back);
}

static const size_t dict_sizes[] = { 1, 2, 3, 300, 32767, 32768, 40000 };

static void dictionary_at_the_start(void **state)
{
	static const int wbits[] = { 15, -15, 9, -12 };
	static const int levels[] = { -1, 0, 1, 4, 9 };
	size_t len = 50000, w, l, d;
	unsigned char *plain = gen_alloc(GEN_SOURCE, len);

	for (w = 0; w < NR(wbits); w++)
		for (l = 0; l < NR(levels); l++)
			for (d = 0; d < NR(dict_sizes); d++) {
				struct buf out = { 0 }, want = { 0 };
				z_stream strm;

				begin(&ours, &strm, wbits[w], levels[l]);
				assert_int_equal(ours.deflateSetDictionary(&strm, plain,
									   dict_sizes[d]),
						 Z_OK);
				if (wbits[w] > 0)
					assert_int_equal(strm.adler,
							 ref.adler32(1, plain, dict_sizes[d]));
				strm.next_in = plain;
				strm.avail_in = len;
				assert_int_equal(step(&ours, &strm, Z_FINISH, &out), Z_STREAM_END);
				ours.deflateEnd(&strm);
				assert_inflates_with(wbits[w], &out, plain, dict_sizes[d], plain,
						     len);
				if (test_mode != MODE_SOFT) {
					buf_free(&out);
					continue;
				}
				begin(&ref, &strm, wbits[w], levels[l]);
				ref.deflateSetDictionary(&strm, plain, dict_sizes[d]);
				strm.next_in = plain;
				strm.avail_in = len;
				step(&ref, &strm, Z_FINISH, &want);
				ref.deflateEnd(&strm);
				assert_int_equal(out.len, want.len);
				assert_memory_equal(out.data, want.data, out.len);
				buf_free(&want);
				buf_free(&out);
			}
	free(plain);
}

/* zlib counts what of it fits its window; the text comes on top. In a raw stream before, and between, its blocks. */
static void dictionary_counts(void **state)
{
	static const int wbits[] = { 15, -15, -12, -9 };
	static unsigned char text[120000];

	gen_fill(GEN_TEXT, text, sizeof(text));
	for (size_t w = 0; w < NR(wbits); w++)
		for (size_t d = 0; d < NR(dict_sizes); d++)
			for (size_t len = 100; len < sizeof(text); len *= 1000) {
				uLong got[3], want[3];

				for (int is_ref = 0; is_ref < 2; is_ref++) {
					const struct zlib_api *z = is_ref ? &ref : &ours;
					uLong *counts = is_ref ? want : got;
					struct buf out = { 0 };
					z_stream strm;

					begin(z, &strm, wbits[w], 6);
					assert_int_equal(z->deflateSetDictionary(&strm, text, dict_sizes[d]), Z_OK);
					counts[0] = strm.total_in;
					strm.next_in = text;
					strm.avail_in = (uInt)len;
					assert_int_equal(step(z, &strm, Z_SYNC_FLUSH, &out), Z_OK);
					counts[1] = strm.total_in;
					if (wbits[w] < 0)
						assert_int_equal(z->deflateSetDictionary(&strm, text, dict_sizes[d]),
								 Z_OK);
					counts[2] = strm.total_in;
					z->deflateEnd(&strm);
					buf_free(&out);
				}
				assert_memory_equal(got, want, sizeof(got));
			}
}

/* It pays: text that repeats the dictionary becomes small. */
static void dictionary_is_used(void **state)
{
	unsigned char plain[4000];
	struct buf out = { 0 };
	z_stream strm;

	gen_fill(GEN_RANDOM, plain, sizeof(plain));
	begin(&ours, &strm, -15, 6);
	assert_int_equal(ours.deflateSetDictionary(&strm, plain, sizeof(plain)), Z_OK);
	strm.next_in = plain;
	strm.avail_in = sizeof(plain);
	assert_int_equal(step(&ours, &strm, Z_FINISH, &out), Z_STREAM_END);
	assert_true(out.len < 200);
	ours.deflateEnd(&strm);
	buf_free(&out);
}

/* Raw: allowed after a flush, when all input so far is out (pigz and ZFS do so). */
static void raw_dictionary_between_blocks(void **state)
{
	static const int flushes[] = { Z_SYNC_FLUSH, Z_FULL_FLUSH };
	static unsigned char plain[90000], dict[5000], back[90000];
	size_t f;

	gen_fill(GEN_JSON, plain, sizeof(plain));
	gen_fill(GEN_SOURCE, dict, sizeof(dict));
	for (f = 0; f < NR(flushes); f++) {
		struct buf out = { 0 };
		z_stream strm, in = { 0 };
		size_t first, half = sizeof(plain) / 2;

		begin(&ours, &strm, -15, 6);
		strm.next_in = plain;
		strm.avail_in = half;
		assert_int_equal(step(&ours, &strm, flushes[f], &out), Z_OK);
		first = out.len;
		assert_int_equal(ours.deflateSetDictionary(&strm, dict, sizeof(dict)), Z_OK);
		strm.next_in = plain + half;
		strm.avail_in = half;
		assert_int_equal(step(&ours, &strm, Z_FINISH, &out), Z_STREAM_END);
		ours.deflateEnd(&strm);

		assert_int_equal(ref.inflateInit2_(&in, -15, ZLIB_VERSION, (int)sizeof(in)), Z_OK);
		in.next_in = out.data;
		in.avail_in = first;
		in.next_out = back;
		in.avail_out = sizeof(back);
		assert_int_equal(ref.inflate(&in, Z_SYNC_FLUSH), Z_OK);
		assert_int_equal(in.total_out, half);
		assert_int_equal(ref.inflateSetDictionary(&in, dict, sizeof(dict)), Z_OK);
		in.avail_in = out.len - first;
		assert_int_equal(ref.inflate(&in, Z_FINISH), Z_STREAM_END);
		assert_memory_equal(back, plain, sizeof(plain));
		ref.inflateEnd(&in);
		buf_free(&out);
	}
}

static void refused_where_zlib_refuses(void **state)
{
	static unsigned char plain[1000];
	struct buf out = { 0 };
	z_stream strm = { 0 };

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	assert_int_equal(ours.deflateSetDictionary(NULL, plain, 10), Z_STREAM_ERROR);
	assert_int_equal(ours.deflateSetDictionary(&strm, plain, 10), Z_STREAM_ERROR);
	begin(&ours, &strm, 31, 6); /* gzip knows no dictionary */
	assert_int_equal(ours.deflateSetDictionary(&strm, plain, 10), Z_STREAM_ERROR);
	ours.deflateEnd(&strm);

	begin(&ours, &strm, 15, 6); /* zlib: only at the start */
	assert_int_equal(ours.deflateSetDictionary(&strm, NULL, 10), Z_STREAM_ERROR);
	strm.next_in = plain;
	strm.avail_in = sizeof(plain);
	assert_int_equal(step(&ours, &strm, Z_SYNC_FLUSH, &out), Z_OK);
	assert_int_equal(ours.deflateSetDictionary(&strm, plain, 10), Z_STREAM_ERROR);
	assert_int_equal(step(&ours, &strm, Z_FINISH, &out), Z_STREAM_END);
	ours.deflateEnd(&strm);
	assert_inflates(15, out.data, out.len, plain, sizeof(plain));
	out.len = 0;

	begin(&ours, &strm, -15, 6); /* raw: not with input that is still inside */
	strm.next_in = plain;
	strm.avail_in = sizeof(plain);
	assert_int_equal(step(&ours, &strm, Z_NO_FLUSH, &out), Z_OK);
	assert_int_equal(ours.deflateSetDictionary(&strm, plain, 10), Z_STREAM_ERROR);
	assert_int_equal(step(&ours, &strm, Z_FINISH, &out), Z_STREAM_END);
	ours.deflateEnd(&strm);
	assert_inflates(-15, out.data, out.len, plain, sizeof(plain));
	buf_free(&out);
}

/* What deflateGetDictionary() hands back is the end of the text, at most a window of it. */
static void get_dictionary_is_the_latest_text(void **state)
{
	static const int wbits[] = { 15, 31, -15, 10 };
	static const size_t sizes[] = { 0, 1, 1000, 32000, 100000 };
	static unsigned char plain[100000], dict[32768];
	size_t w, s;

	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	for (w = 0; w < NR(wbits); w++)
		for (s = 0; s < NR(sizes); s++) {
			struct buf out = { 0 };
			z_stream strm;
			uInt len = 99999, want = 99999;

			begin(&ours, &strm, wbits[w], 6);
			strm.next_in = plain;
			strm.avail_in = sizes[s];
			step(&ours, &strm, Z_SYNC_FLUSH, &out);
			assert_int_equal(ours.deflateGetDictionary(&strm, NULL, &len), Z_OK);
			assert_int_equal(ours.deflateGetDictionary(&strm, dict, &len), Z_OK);
			assert_int_equal(ours.deflateGetDictionary(&strm, dict, NULL), Z_OK);
			ours.deflateEnd(&strm);
			assert_memory_equal(dict, plain + sizes[s] - len, len);

			out.len = 0;
			begin(&ref, &strm, wbits[w], 6);
			strm.next_in = plain;
			strm.avail_in = sizes[s];
			step(&ref, &strm, Z_SYNC_FLUSH, &out);
			assert_int_equal(ref.deflateGetDictionary(&strm, NULL, &want), Z_OK);
			ref.deflateEnd(&strm);
			if (test_mode == MODE_SOFT)
				assert_int_equal(len, want);
			else /* zlib may keep less than a window */
				assert_true(len >= want && len <= 32768);
			buf_free(&out);
		}
}

/* Behind the stream's end, too, whichever of the units before it were sent. */
static void get_dictionary_after_the_end(void **state)
{
	static const int wbits[] = { 15, 31, -15 };
	static const size_t sizes[] = { 1, 1000, 40000, 150000 }, steps[] = { 1000, 150000 };
	static unsigned char plain[150000], dict[32768];

	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	for (size_t i = 0; i < NR(wbits) * NR(sizes) * NR(steps); i++) {
		size_t size = sizes[i / NR(wbits) % NR(sizes)], fed = 0;
		size_t step_len = steps[i / NR(wbits) / NR(sizes)];
		struct buf out = { 0 };
		z_stream strm;
		uInt len = 99999;
		int ret;

		begin(&ours, &strm, wbits[i % NR(wbits)], 6);
		do {
			strm.next_in = plain + fed;
			strm.avail_in = size - fed < step_len ? size - fed : step_len;
			fed += strm.avail_in;
			ret = step(&ours, &strm, fed < size ? Z_NO_FLUSH : Z_FINISH, &out);
		} while (ret == Z_OK);
		assert_int_equal(ret, Z_STREAM_END);
		assert_int_equal(ours.deflateGetDictionary(&strm, dict, &len), Z_OK);
		ours.deflateEnd(&strm);
		/* zlib has given up some of it when it took the last input. */
		assert_in_range(len, size < 30000 ? size : 30000, 32768);
		assert_memory_equal(dict, plain + size - len, len);
		buf_free(&out);
	}
}

/* Of what software had in between, too, whoever has the stream then. */
static void get_dictionary_after_software(void **state)
{
	static const int wbits[] = { 15, 31, -15 };
	static unsigned char plain[28000], dict[32768];

	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	for (size_t w = 0; w < NR(wbits); w++) {
		struct buf out = { 0 };
		z_stream strm;
		uInt len = 0;

		begin(&ours, &strm, wbits[w], 6);
		for (int part = 0; part < 3; part++) {
			static const uInt lens[] = { 5000, 20000, 3000 };

			if (part) { /* level 9 is not a device's */
				strm.next_out = buf_room(&out, 1000);
				strm.avail_out = 1000;
				assert_int_equal(ours.deflateParams(&strm, part == 1 ? 9 : 6, Z_DEFAULT_STRATEGY), Z_OK);
				out.len += 1000 - strm.avail_out;
			}
			strm.next_in = plain + strm.total_in;
			strm.avail_in = lens[part];
			assert_int_equal(step(&ours, &strm, Z_SYNC_FLUSH, &out), Z_OK);
			assert_int_equal(ours.deflateGetDictionary(&strm, dict, &len), Z_OK);
			assert_int_equal(len, strm.total_in);
			assert_memory_equal(dict, plain, len);
		}
		assert_int_equal(step(&ours, &strm, Z_FINISH, &out), Z_STREAM_END);
		assert_inflates(wbits[w], out.data, out.len, plain, sizeof(plain));
		assert_int_equal(ours.deflateEnd(&strm), Z_OK);
		buf_free(&out);
	}
}

static void get_dictionary_after_set(void **state)
{
	static unsigned char dict[40000], back[32768];
	size_t d;

	gen_fill(GEN_TEXT, dict, sizeof(dict));
	for (d = 0; d < NR(dict_sizes); d++) {
		size_t want = dict_sizes[d] < 32768 ? dict_sizes[d] : 32768;
		z_stream strm;
		uInt len = 0;

		begin(&ours, &strm, 15, 6);
		assert_int_equal(ours.deflateSetDictionary(&strm, dict, dict_sizes[d]), Z_OK);
		assert_int_equal(ours.deflateGetDictionary(&strm, back, &len), Z_OK);
		assert_int_equal(len, want);
		assert_memory_equal(back, dict + dict_sizes[d] - want, want);
		ours.deflateEnd(&strm);
	}
}

/* A copy made before there is any data has the dictionary, too. */
static void dictionary_is_copied(void **state)
{
	static unsigned char plain[20000], dict[20000], back[20000];
	static const int wbits[] = { 15, -15 };

	gen_fill(GEN_TEXT, dict, sizeof(dict));
	memcpy(plain, dict, sizeof(plain));
	for (size_t w = 0; w < NR(wbits); w++) {
		z_stream strm, copy, check = { 0 };
		struct buf out = { 0 };

		begin(&ours, &strm, wbits[w], 6);
		assert_int_equal(ours.deflateSetDictionary(&strm, dict, sizeof(dict)), Z_OK);
		assert_int_equal(ours.deflateCopy(&copy, &strm), Z_OK);
		assert_int_equal(ours.deflateEnd(&strm), Z_OK);
		copy.next_in = plain;
		copy.avail_in = sizeof(plain);
		assert_int_equal(step(&ours, &copy, Z_FINISH, &out), Z_STREAM_END);
		assert_true(out.len < 1000);
		assert_int_equal(ours.deflateEnd(&copy), Z_OK);
		assert_int_equal(ref.inflateInit2_(&check, wbits[w], ZLIB_VERSION, (int)sizeof(check)), Z_OK);
		check.next_in = out.data;
		check.avail_in = out.len;
		check.next_out = back;
		check.avail_out = sizeof(back);
		if (wbits[w] > 0)
			assert_int_equal(ref.inflate(&check, Z_FINISH), Z_NEED_DICT);
		assert_int_equal(ref.inflateSetDictionary(&check, dict, sizeof(dict)), Z_OK);
		assert_int_equal(ref.inflate(&check, Z_FINISH), Z_STREAM_END);
		assert_memory_equal(back, plain, sizeof(plain));
		ref.inflateEnd(&check);
		buf_free(&out);
	}
}

TEST_MAIN(60, cmocka_unit_test(dictionary_at_the_start), cmocka_unit_test(dictionary_is_used),
	  cmocka_unit_test(dictionary_counts),
	  cmocka_unit_test(raw_dictionary_between_blocks),
	  cmocka_unit_test(refused_where_zlib_refuses),
	  cmocka_unit_test(get_dictionary_is_the_latest_text),
	  cmocka_unit_test(get_dictionary_after_the_end),
	  cmocka_unit_test(get_dictionary_after_software),
	  cmocka_unit_test(get_dictionary_after_set),
	  cmocka_unit_test(dictionary_is_copied))
