/* SPDX-License-Identifier: Zlib */
/* Streams of 20 MB, in one call and in pieces: beyond every request, unit and buffer size. */
#include "config.h"
#include "helpers.h"

enum { LEN = 20 * 1000 * 1000 };

static unsigned char *plain;
static struct buf packed;

static int make(void **state)
{
	plain = gen_alloc(GEN_MIXED, LEN);
	deflate_all(&ref, 31, 1, 0, plain, LEN, &packed);
	return 0;
}

static int drop(void **state)
{
	free(plain);
	buf_free(&packed);
	return 0;
}

static void deflate_with(int level, size_t in_step, size_t room)
{
	z_stream strm = { 0 };
	struct buf out = { 0 };
	size_t pos = 0;
	int ret, flush;

	assert_int_equal(deflateInit2(&strm, level, Z_DEFLATED, 31, 8, 0), Z_OK);
	do {
		size_t nr = in_step < LEN - pos ? in_step : LEN - pos;

		strm.next_in = plain + pos;
		strm.avail_in = nr;
		pos += nr;
		flush = pos == LEN ? Z_FINISH : Z_NO_FLUSH;
		do {
			strm.next_out = buf_room(&out, room);
			strm.avail_out = room;
			ret = ours.deflate(&strm, flush);
			assert_true(ret == Z_OK || ret == Z_STREAM_END || ret == Z_BUF_ERROR);
			out.len += room - strm.avail_out;
		} while (!strm.avail_out);
		assert_int_equal(strm.avail_in, 0);
	} while (flush != Z_FINISH);
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(strm.total_in, LEN);
	assert_int_equal(strm.total_out, out.len);
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	assert_inflates(31, out.data, out.len, plain, LEN);
	/* Not much larger than what zlib makes of it at its fastest. */
	assert_true(out.len < packed.len + packed.len / 8);
	buf_free(&out);
}

static void deflate_in_one_call(void **state)
{
	deflate_with(1, LEN, LEN);
}

static void deflate_in_pieces(void **state)
{
	deflate_with(1, 65536, 65536);
}

static void deflate_in_one_call_with_little_room(void **state)
{
	deflate_with(1, LEN, 10000);
}

static void inflate_with(size_t in_step, size_t out_step)
{
	struct buf out = { 0 };
	size_t rest;

	buf_room(&out, LEN + 65536);
	assert_int_equal(inflate_steps(&ours, 47, packed.data, packed.len, in_step, out_step, &out,
				       &rest),
			 Z_STREAM_END);
	assert_int_equal(rest, 0);
	assert_int_equal(out.len, LEN);
	assert_memory_equal(out.data, plain, LEN);
	buf_free(&out);
}

static void inflate_in_one_call(void **state)
{
	inflate_with(0, LEN);
}

static void inflate_in_pieces(void **state)
{
	inflate_with(65536, 65536);
}

static void inflate_small_pieces_into_large_room(void **state)
{
	inflate_with(10000, 1000000);
}

static void inflate_all_input_into_small_room(void **state)
{
	inflate_with(0, 20000);
}

/* A gigabyte's worth of ratio: few bytes in, many out, in one request or many. */
static void inflate_zeros(void **state)
{
	struct buf zeros = { 0 }, out = { 0 };
	size_t rest, i;

	memset(plain, 0, LEN);
	deflate_all(&ref, 15, 6, 0, plain, LEN, &zeros);
	assert_int_equal(inflate_steps(&ours, 15, zeros.data, zeros.len, 0, 300000, &out, &rest),
			 Z_STREAM_END);
	assert_int_equal(rest, 0);
	assert_int_equal(out.len, LEN);
	for (i = 0; i < LEN; i++)
		if (out.data[i])
			fail_msg("byte %zu is 0x%x", i, out.data[i]);
	buf_free(&zeros);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deflate_in_one_call),
		cmocka_unit_test(deflate_in_pieces),
		cmocka_unit_test(deflate_in_one_call_with_little_room),
		cmocka_unit_test(inflate_in_one_call),
		cmocka_unit_test(inflate_in_pieces),
		cmocka_unit_test(inflate_small_pieces_into_large_room),
		cmocka_unit_test(inflate_all_input_into_small_room),
		cmocka_unit_test(inflate_zeros),
	};

	test_begin(120);
	return cmocka_run_group_tests(tests, make, drop);
}
