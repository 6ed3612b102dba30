/* SPDX-License-Identifier: Zlib */
/* deflatePrime(), deflatePending() and deflateTune(). */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

#if ZLIB_VERNUM < 0x1320
int deflateUsed(z_streamp strm, int *bits); /* 1.3.1.2's */
#endif

static void begin(z_stream *strm, int wbits, int level)
{
	memset(strm, 0, sizeof(*strm));
	assert_int_equal(deflateInit2(strm, level, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY), Z_OK);
}

/*
 * The purpose of deflatePrime() in zlib.h: bits of an earlier stream are put before this one. Here
 * the earlier stream is an empty stored block that begins in mid-byte.
 */
static void prime_appends_to_bits(void **state)
{
	static unsigned char plain[60000], out[60100];
	int bits;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	for (bits = 0; bits <= 16; bits++) {
		z_stream strm, in = { 0 };
		static unsigned char back[60000];

		begin(&strm, -15, 6);
		/* inflatePrime() takes the same bits away again. */
		assert_int_equal(ours.deflatePrime(&strm, bits, 0x5a5a), Z_OK);
		strm.next_in = plain;
		strm.avail_in = sizeof(plain);
		strm.next_out = out;
		strm.avail_out = sizeof(out);
		assert_int_equal(ours.deflate(&strm, Z_FINISH), Z_STREAM_END);
		if (bits)
			assert_int_equal((out[0] | out[1] << 8) & ((1 << bits) - 1),
					 0x5a5a & ((1 << bits) - 1));
		assert_int_equal(ref.inflateInit2_(&in, -15, ZLIB_VERSION, (int)sizeof(in)), Z_OK);
		in.next_in = out + bits / 8;
		in.avail_in = strm.total_out - bits / 8;
		if (bits % 8) {
			assert_int_equal(ref.inflatePrime(&in, 8 - bits % 8,
							  out[bits / 8] >> bits % 8),
					 Z_OK);
			in.next_in++;
			in.avail_in--;
		}
		in.next_out = back;
		in.avail_out = sizeof(back);
		assert_int_equal(ref.inflate(&in, Z_FINISH), Z_STREAM_END);
		assert_int_equal(in.total_out, sizeof(plain));
		assert_memory_equal(back, plain, sizeof(plain));
		ref.inflateEnd(&in);
		assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	}
}

static void prime_refuses(void **state)
{
	z_stream strm;

	begin(&strm, -15, 6);
	assert_int_equal(ours.deflatePrime(&strm, 17, 0), Z_BUF_ERROR);
	assert_int_equal(ours.deflatePrime(&strm, -1, 0), Z_BUF_ERROR);
	assert_int_equal(ours.deflatePrime(&strm, 0, 0), Z_OK);
	assert_int_equal(ours.deflatePrime(NULL, 1, 0), Z_STREAM_ERROR);
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
}

/* What deflatePending() announces comes out at the next call, and nothing is left at the end. */
static void pending_is_what_comes_next(void **state)
{
	static const int flushes[] = { Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH };
	static unsigned char plain[50000], out[60000];
	unsigned int pending;
	z_stream strm;
	size_t f;
	int bits;

	gen_fill(GEN_JSON, plain, sizeof(plain));
	for (f = 0; f < NR(flushes); f++) {
		begin(&strm, 15, 6);
		assert_int_equal(ours.deflatePending(&strm, &pending, &bits), Z_OK);
		assert_int_equal(pending, 0);
		assert_int_equal(bits, 0);
		assert_int_equal(ours.deflatePending(&strm, NULL, NULL), Z_OK);
		strm.next_in = plain;
		strm.avail_in = sizeof(plain);
		strm.next_out = out;
		strm.avail_out = 50;
		assert_int_equal(ours.deflate(&strm, flushes[f]), Z_OK);
		assert_int_equal(strm.avail_out, 0);
		assert_int_equal(ours.deflatePending(&strm, &pending, &bits), Z_OK);
		if (pending) { /* exactly so much room takes exactly so much */
			strm.avail_out = pending;
			ours.deflate(&strm, flushes[f]);
			assert_int_equal(strm.avail_out, 0);
			assert_int_equal(strm.total_out, 50 + pending);
		}
		do {
			strm.avail_out = sizeof(out) - strm.total_out;
		} while (ours.deflate(&strm, flushes[f]) == Z_OK && !strm.avail_out);
		assert_int_equal(ours.deflatePending(&strm, &pending, &bits), Z_OK);
		assert_int_equal(pending, 0);
		if (flushes[f] != Z_FINISH) {
			assert_int_equal(bits, 0);
			assert_int_equal(ours.deflate(&strm, Z_FINISH), Z_STREAM_END);
		}
		assert_inflates(15, out, strm.total_out, plain, sizeof(plain));
		assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	}
}

/* How much of the last byte is in use; where software has the stream, as far as its zlib can tell. */
static void used_bits(void **state)
{
	static unsigned char plain[1000], out[2000];
	z_stream strm;
	int ret, bits = 77;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	begin(&strm, 15, 6);
	ret = deflateUsed(&strm, &bits);
	if (test_mode == MODE_EMU)
		assert_true(ret == Z_OK && !bits);
	strm.next_in = plain;
	strm.avail_in = sizeof(plain);
	strm.next_out = out;
	strm.avail_out = sizeof(out);
	assert_int_equal(ours.deflate(&strm, Z_SYNC_FLUSH), Z_OK);
	ret = deflateUsed(&strm, &bits);
	if (test_mode == MODE_EMU)
		assert_true(ret == Z_OK && bits == 8);
	assert_int_equal(ours.deflateTune(&strm, 8, 16, 128, 128), Z_OK);
	ret = deflateUsed(&strm, &bits);
	assert_true(ret == Z_STREAM_ERROR || (ret == Z_OK && bits >= 0 && bits <= 8));
	assert_int_equal(deflateUsed(NULL, &bits), Z_STREAM_ERROR);
	assert_int_equal(ours.deflateEnd(&strm), Z_DATA_ERROR);
}

/* Tuning is allowed at any time, and changes the output where zlib does the work. */
static void tune(void **state)
{
	static unsigned char plain[100000];
	const struct zlib_api *apis[] = { &ours, &ref };
	struct buf out[2] = { { 0 }, { 0 } };
	size_t i;

	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	for (i = 0; i < NR(apis); i++) {
		z_stream strm = { 0 };

		assert_int_equal(apis[i]->deflateInit_(&strm, 9, ZLIB_VERSION, (int)sizeof(strm)),
				 Z_OK);
		strm.next_in = plain;
		strm.avail_in = sizeof(plain) / 2;
		strm.next_out = buf_room(&out[i], sizeof(plain));
		strm.avail_out = sizeof(plain);
		assert_int_equal(apis[i]->deflateTune(&strm, 4, 4, 8, 4), Z_OK);
		assert_int_equal(apis[i]->deflate(&strm, Z_NO_FLUSH), Z_OK);
		assert_int_equal(apis[i]->deflateTune(&strm, 32, 258, 258, 4096), Z_OK);
		strm.avail_in += sizeof(plain) / 2;
		assert_int_equal(apis[i]->deflate(&strm, Z_FINISH), Z_STREAM_END);
		out[i].len = strm.total_out;
		assert_int_equal(apis[i]->deflateEnd(&strm), Z_OK);
	}
	assert_inflates(15, out[0].data, out[0].len, plain, sizeof(plain));
	if (test_mode == MODE_SOFT) {
		assert_int_equal(out[0].len, out[1].len);
		assert_memory_equal(out[0].data, out[1].data, out[0].len);
	}
	buf_free(&out[0]);
	buf_free(&out[1]);
}

/* Before there is data all of it is zlib's, then: with these figures as with its own. */
static void tune_from_the_start(void **state)
{
	static unsigned char plain[100000], out[2][110000];

	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	for (int level = 4; level <= 9; level++) {
		uLong len[2];

		for (int i = 0; i < 2; i++) {
			const struct zlib_api *z = i ? &ref : &ours;
			z_stream strm = { .next_in = plain, .avail_in = sizeof(plain), .next_out = out[i],
					  .avail_out = sizeof(out[i]) };

			assert_int_equal(z->deflateInit_(&strm, level, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
			assert_int_equal(z->deflateTune(&strm, 8, 5, 60, 30), Z_OK);
			assert_int_equal(z->deflate(&strm, Z_FINISH), Z_STREAM_END);
			len[i] = strm.total_out;
			assert_int_equal(z->deflateEnd(&strm), Z_OK);
		}
		assert_int_equal(len[0], len[1]);
		assert_memory_equal(out[0], out[1], len[0]);
	}
}

/* A state of the real zlib's that is of before deflateParams() is told of it when it is used again. */
static void tune_after_params_and_reset(void **state)
{
	static unsigned char plain[100000], out[2][110000];

	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	for (int level = 0; level <= 9; level++) {
		uLong len[2];

		for (int i = 0; i < 2; i++) {
			const struct zlib_api *z = i ? &ref : &ours;
			z_stream strm = { 0 };

			assert_int_equal(z->deflateInit_(&strm, 5, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
			assert_int_equal(z->deflateTune(&strm, 8, 5, 60, 30), Z_OK);
			assert_int_equal(z->deflateReset(&strm), Z_OK);
			strm.next_in = plain;
			strm.avail_in = 70000;
			strm.next_out = out[i];
			strm.avail_out = sizeof(out[i]);
			assert_int_equal(z->deflate(&strm, Z_NO_FLUSH), Z_OK);
			assert_int_equal(z->deflateParams(&strm, level, level % 3), Z_OK);
			assert_int_equal(z->deflateReset(&strm), Z_OK);
			assert_int_equal(z->deflateTune(&strm, 8, 5, 60, 30), Z_OK);
			strm.next_in = plain;
			strm.avail_in = sizeof(plain);
			strm.next_out = out[i];
			strm.avail_out = sizeof(out[i]);
			assert_int_equal(z->deflate(&strm, Z_FINISH), Z_STREAM_END);
			len[i] = strm.total_out;
			assert_int_equal(z->deflateEnd(&strm), Z_OK);
		}
		assert_int_equal(len[0], len[1]);
		assert_memory_equal(out[0], out[1], len[0]);
	}
}

/* With a dictionary and no data there is no header yet: the last parameters are the ones. */
static void params_after_dictionary(void **state)
{
	static const int calls[][2] = { { 6, 0 }, { 6, 3 }, { 1, 0 }, { 9, 2 }, { 0, 0 }, { 5, 0 } };
	static unsigned char plain[1000], out[2][2000];

	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	for (size_t n = 1; n <= NR(calls); n++) {
		for (int i = 0; i < 2; i++) {
			const struct zlib_api *z = i ? &ref : &ours;
			z_stream strm = { .next_out = out[i], .avail_out = 0 };

			assert_int_equal(z->deflateInit_(&strm, 6, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
			assert_int_equal(z->deflateSetDictionary(&strm, plain, 100), Z_OK);
			for (size_t k = 0; k < n; k++)
				assert_int_equal(z->deflateParams(&strm, calls[k][0], calls[k][1]), Z_OK);
			strm.next_in = plain;
			strm.avail_in = sizeof(plain);
			strm.avail_out = sizeof(out[i]);
			assert_int_equal(z->deflate(&strm, Z_FINISH), Z_STREAM_END);
			assert_int_equal(z->deflateEnd(&strm), Z_OK);
		}
		assert_memory_equal(out[0], out[1], 6);
	}
}

/* Likewise of a header, or that there is none any more. */
static void header_after_tune_and_reset(void **state)
{
	static unsigned char plain[1000], out[2][2000];
	uLong len[2];

	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	for (int n = 0; n < 4; n++) {
		for (int i = 0; i < 2; i++) {
			const struct zlib_api *z = i ? &ref : &ours;
			gz_header first = { .name = (Bytef *)"first", .os = 3 }, second = { .comment = (Bytef *)"second" };
			z_stream strm = { 0 };

			assert_int_equal(z->deflateInit2_(&strm, 6, Z_DEFLATED, 31, 8, 0, ZLIB_VERSION,
							  (int)sizeof(strm)), Z_OK);
			if (n & 1)
				assert_int_equal(z->deflateSetHeader(&strm, &first), Z_OK);
			assert_int_equal(z->deflateTune(&strm, 8, 5, 60, 30), Z_OK);
			assert_int_equal(z->deflateReset(&strm), Z_OK);
			assert_int_equal(z->deflateSetHeader(&strm, n & 2 ? &second : NULL), Z_OK);
			assert_int_equal(z->deflateTune(&strm, 8, 5, 60, 30), Z_OK);
			strm.next_in = plain;
			strm.avail_in = sizeof(plain);
			strm.next_out = out[i];
			strm.avail_out = sizeof(out[i]);
			assert_int_equal(z->deflate(&strm, Z_FINISH), Z_STREAM_END);
			len[i] = strm.total_out;
			assert_int_equal(z->deflateEnd(&strm), Z_OK);
		}
		assert_int_equal(len[0], len[1]);
		assert_memory_equal(out[0], out[1], len[0]);
	}
}

/* A state of the real zlib's that is of before does not stand for the stream when that is reset. */
static void keep_after_tune_and_reset(void **state)
{
	static unsigned char plain[100000], out[110000];

	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	for (int is_done = 0; is_done < 2; is_done++) {
		z_stream strm = { 0 }, copy = { 0 };

		begin(&strm, 15, 6);
		assert_int_equal(ours.deflateTune(&strm, 8, 5, 60, 30), Z_OK);
		assert_int_equal(ours.deflateReset(&strm), Z_OK);
		strm.next_in = plain;
		strm.avail_in = 70000;
		strm.next_out = out;
		strm.avail_out = sizeof(out);
		assert_int_equal(ours.deflate(&strm, is_done ? Z_FINISH : Z_FULL_FLUSH), is_done);
		assert_int_equal(ours.deflateResetKeep(&strm), Z_OK);
		assert_int_equal(ours.deflateCopy(&copy, &strm), Z_OK);
		assert_int_equal(strm.total_in, 0);
		assert_int_equal(ours.deflateEnd(&strm), Z_OK);
		copy.next_in = plain;
		copy.avail_in = sizeof(plain);
		copy.next_out = out;
		copy.avail_out = sizeof(out);
		assert_int_equal(ours.deflate(&copy, Z_FINISH), Z_STREAM_END);
		/* Where it is the real zlib's, its window stays. */
		if (test_mode != MODE_SOFT && !getenv("ZWD_TEST_ALLOC"))
			assert_inflates(15, out, copy.total_out, plain, sizeof(plain));
		assert_int_equal(ours.deflateEnd(&copy), Z_OK);
	}
}

/* What a device made waits for room when software takes over: it goes first, in a copy as well. */
static void tune_while_output_waits(void **state)
{
	static const size_t lens[] = { 10, 1000, 20000, 45000, 60000 };
	static unsigned char plain[60000], out[2][70000];

	gen_fill(GEN_RANDOM, plain, sizeof(plain));
	for (size_t i = 0; i < NR(lens); i++) {
		z_stream strm[2];

		begin(&strm[0], 15, 6);
		strm[0].next_in = plain;
		strm[0].avail_in = lens[i];
		strm[0].next_out = out[0];
		strm[0].avail_out = 5;
		ours.deflate(&strm[0], Z_SYNC_FLUSH);
		assert_int_equal(strm[0].avail_out, 0);
		assert_int_equal(ours.deflateTune(&strm[0], 8, 16, 128, 128), Z_OK);
		assert_int_equal(ours.deflateCopy(&strm[1], &strm[0]), Z_OK);
		memcpy(out[1], out[0], 5);
		for (int n = 0; n < 2; n++) {
			strm[n].next_in = plain + strm[n].total_in;
			strm[n].avail_in = sizeof(plain) - strm[n].total_in;
			strm[n].next_out = out[n] + 5;
			strm[n].avail_out = sizeof(out[n]) - 5;
			assert_int_equal(ours.deflate(&strm[n], Z_FINISH), Z_STREAM_END);
			assert_inflates(15, out[n], strm[n].total_out, plain, sizeof(plain));
			assert_int_equal(ours.deflateEnd(&strm[n]), Z_OK);
		}
	}
}

TEST_MAIN(60, cmocka_unit_test(prime_appends_to_bits), cmocka_unit_test(prime_refuses),
	  cmocka_unit_test(pending_is_what_comes_next), cmocka_unit_test(tune), cmocka_unit_test(used_bits),
	  cmocka_unit_test(tune_from_the_start), cmocka_unit_test(tune_after_params_and_reset),
	  cmocka_unit_test(params_after_dictionary), cmocka_unit_test(header_after_tune_and_reset), cmocka_unit_test(keep_after_tune_and_reset),
	  cmocka_unit_test(tune_while_output_waits))
