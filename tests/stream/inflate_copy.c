/* SPDX-License-Identifier: Zlib */
/* inflateCopy() in every phase; inflateReset(), inflateReset2(), inflateResetKeep(). */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static const int wrappers[] = { 15, 31, -15 };
static unsigned char plain[200000], back[200000], copy_back[200000];

/* The stream is copied after taken bytes of input and room bytes of output; both go on. */
static void copy_at(int wbits, const struct buf *packed, size_t taken, size_t room)
{
	z_stream strm = { .next_in = packed->data, .avail_in = taken }, copy;
	size_t used, given;

	assert_int_equal(inflateInit2(&strm, wbits), Z_OK);
	strm.next_out = back;
	strm.avail_out = room;
	if (taken || room) {
		int ret = ours.inflate(&strm, Z_NO_FLUSH);

		assert_true(ret == Z_OK || ret == Z_BUF_ERROR || ret == Z_STREAM_END);
	}
	used = strm.total_in;
	given = strm.total_out;
	memcpy(copy_back, back, given);
	assert_int_equal(ours.inflateCopy(&copy, &strm), Z_OK);
	assert_ptr_not_equal(copy.state, strm.state);
	assert_int_equal(copy.total_out, given);

	/* The copy by small steps to its end, then the original at once. */
	copy.next_out = copy_back + given;
	copy.next_in = packed->data + used;
	do {
		size_t left = packed->len - copy.total_in, space = sizeof(back) - copy.total_out;

		copy.avail_in = left < 5000 ? left : 5000;
		copy.avail_out = space < 30000 ? space : 30000;
	} while (ours.inflate(&copy, Z_NO_FLUSH) == Z_OK);
	assert_int_equal(copy.total_in, packed->len);
	assert_int_equal(copy.total_out, sizeof(plain));
	assert_memory_equal(copy_back, plain, sizeof(plain));
	assert_int_equal(ours.inflateEnd(&copy), Z_OK);

	strm.avail_in = packed->len - used;
	strm.avail_out = sizeof(back) - given;
	assert_int_equal(ours.inflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_int_equal(strm.total_in, packed->len);
	assert_memory_equal(back, plain, sizeof(plain));
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
}

static void copy_in_every_phase(void **state)
{
	size_t w, i;

	gen_fill(GEN_MIXED, plain, sizeof(plain));
	for (w = 0; w < NR(wrappers); w++) {
		struct buf packed = { 0 };

		deflate_all(&ref, wrappers[w], 6, 0, plain, sizeof(plain), &packed);
		for (i = 0; i < 24; i++) /* header and first block byte by byte, then by leaps */
			copy_at(wrappers[w], &packed, i, i % 2 ? 100 : 200000);
		for (i = 1; i <= 10; i++) {
			copy_at(wrappers[w], &packed, packed.len, sizeof(plain) * i / 10);
			copy_at(wrappers[w], &packed, packed.len * i / 10, sizeof(plain));
			copy_at(wrappers[w], &packed, packed.len - i, sizeof(plain));
		}
		buf_free(&packed);
	}
}

static void copy_refuses(void **state)
{
	z_stream strm = { 0 }, copy;

	assert_int_equal(ours.inflateCopy(&copy, &strm), Z_STREAM_ERROR);
	assert_int_equal(ours.inflateCopy(&copy, NULL), Z_STREAM_ERROR);
	assert_int_equal(inflateInit2(&strm, 15), Z_OK);
	assert_int_equal(ours.inflateCopy(NULL, &strm), Z_STREAM_ERROR);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
}

static void use(z_stream *strm, const struct buf *packed, size_t len)
{
	strm->next_in = packed->data;
	strm->avail_in = packed->len;
	strm->next_out = back;
	strm->avail_out = sizeof(back);
	assert_int_equal(ours.inflate(strm, Z_FINISH), Z_STREAM_END);
	assert_int_equal(strm->total_in, packed->len);
	assert_int_equal(strm->total_out, len);
	assert_memory_equal(back, plain, len);
}

/* One stream reads a hundred of changing format, some given up in the middle or broken. */
static void a_hundred_uses(void **state)
{
	z_stream strm = { 0 };
	size_t i;

	gen_fill(GEN_MIXED, plain, sizeof(plain));
	assert_int_equal(inflateInit2(&strm, 15), Z_OK);
	for (i = 0; i < 100; i++) {
		int wbits = wrappers[i / 3 % NR(wrappers)];
		size_t len = i * i * 13 % sizeof(plain);
		struct buf packed = { 0 };

		deflate_all(&ref, wbits, 1 + i % 9, 0, plain, len, &packed);
		if (i % 3 == 0)
			assert_int_equal(ours.inflateReset2(&strm, wbits), Z_OK);
		if (i % 4 == 1) { /* left in the middle */
			strm.next_in = packed.data;
			strm.avail_in = packed.len / 2;
			strm.next_out = back;
			strm.avail_out = 1 + len / 3;
			ours.inflate(&strm, Z_NO_FLUSH);
			assert_int_equal(ours.inflateReset(&strm), Z_OK);
		} else if (i % 4 == 2 && packed.len > 40) { /* broken */
			unsigned char saved[20];

			memcpy(saved, packed.data + 15, sizeof(saved));
			memset(packed.data + 15, 0xff, sizeof(saved));
			strm.next_in = packed.data;
			strm.avail_in = packed.len;
			strm.next_out = back;
			strm.avail_out = sizeof(back);
			ours.inflate(&strm, Z_NO_FLUSH);
			memcpy(packed.data + 15, saved, sizeof(saved));
			assert_int_equal(ours.inflateReset(&strm), Z_OK);
		}
		assert_int_equal(strm.total_in, 0);
		assert_int_equal(strm.total_out, 0);
		assert_null(strm.msg);
		use(&strm, &packed, len);
		assert_int_equal(ours.inflateReset(&strm), Z_OK);
		buf_free(&packed);
	}
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
}

static void reset2_takes_the_same_values_as_init2(void **state)
{
	int wbits;

	for (wbits = -20; wbits <= 70; wbits++) {
		z_stream strm = { 0 }, want = { 0 };

		assert_int_equal(inflateInit2(&strm, 15), Z_OK);
		assert_int_equal(ref.inflateInit2_(&want, 15, ZLIB_VERSION, (int)sizeof(want)), Z_OK);
		assert_int_equal(ours.inflateReset2(&strm, wbits), ref.inflateReset2(&want, wbits));
		assert_int_equal(ours.inflateEnd(&strm), Z_OK);
		ref.inflateEnd(&want);
	}
}

/* Keep means the window: a raw stream that refers to the text before goes on after it. */
static void reset_keep_keeps_the_window(void **state)
{
	static unsigned char second[5000];
	struct buf packed = { 0 };
	size_t points[2];
	z_stream strm = { 0 };

	gen_fill(GEN_RANDOM, plain, 30000);
	memcpy(second, plain + 1000, sizeof(second));
	deflate_all(&ref, -15, 6, 0, plain, 30000, &packed);
	points[0] = packed.len;
	strm.next_in = second;
	strm.avail_in = sizeof(second);
	assert_int_equal(ref.deflateInit2_(&strm, 6, Z_DEFLATED, -15, 8, 0, ZLIB_VERSION,
					   (int)sizeof(strm)),
			 Z_OK);
	ref.deflateSetDictionary(&strm, plain, 30000);
	strm.next_out = buf_room(&packed, 10000);
	strm.avail_out = 10000;
	assert_int_equal(ref.deflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_true(strm.total_out < 1000); /* it does refer to it */
	points[1] = strm.total_out;
	ref.deflateEnd(&strm);

	memset(&strm, 0, sizeof(strm));
	assert_int_equal(inflateInit2(&strm, -15), Z_OK);
	strm.next_in = packed.data;
	strm.avail_in = points[0];
	strm.next_out = back;
	strm.avail_out = 29000; /* ends later, so that a window is kept */
	assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), Z_OK);
	strm.avail_out = 10000;
	assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), Z_STREAM_END);
	assert_int_equal(ours.inflateResetKeep(&strm), Z_OK);
	strm.next_in = packed.data + points[0];
	strm.avail_in = points[1];
	strm.next_out = back;
	strm.avail_out = sizeof(back);
	assert_int_equal(ours.inflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_int_equal(strm.total_out, sizeof(second));
	assert_memory_equal(back, second, sizeof(second));
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	buf_free(&packed);
}

TEST_MAIN(60, cmocka_unit_test(copy_in_every_phase), cmocka_unit_test(copy_refuses),
	  cmocka_unit_test(a_hundred_uses), cmocka_unit_test(reset2_takes_the_same_values_as_init2),
	  cmocka_unit_test(reset_keep_keeps_the_window))
