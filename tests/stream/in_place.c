/* SPDX-License-Identifier: Zlib */
/*
 * Guards: a device that reaches all memory of the process works on the caller's input where it
 * lies. Calls of 1 MiB copy nothing into memory of requests, says the statistic; small ones do.
 */
#include "config.h"
#include "helpers.h"

#include "../../libz-wd/zwd.h"

enum { LEN = 1 << 20, CALLS = 3, SMALL = 3000 };

static unsigned char *plain;
static const int formats[] = { -15, 15, 31 };

static struct zwd_stats stats(void)
{
	struct zwd_stats stats;

	zwd_stats(&stats, sizeof(stats));
	return stats;
}

/* All of it in calls of step bytes; the compressed stream. */
static struct buf pack(int wbits, size_t step)
{
	struct buf out = { 0 };
	z_stream strm = { 0 };
	int ret = Z_OK;

	assert_int_equal(deflateInit2(&strm, 6, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	for (size_t done = 0; done < CALLS * LEN; done += step) {
		const size_t room = 2 * step + 100,
			     len = done + step < CALLS * LEN ? step : CALLS * LEN - done;

		strm.next_in = plain + done;
		strm.avail_in = len;
		do {
			strm.next_out = buf_room(&out, room);
			strm.avail_out = room;
			ret = deflate(&strm, done + len == CALLS * LEN ? Z_FINISH : Z_NO_FLUSH);
			out.len += room - strm.avail_out;
		} while (ret == Z_OK && !strm.avail_out);
	}
	assert_int_equal(ret, Z_STREAM_END);
	deflateEnd(&strm);
	return out;
}

static void deflate_large(void **state)
{
	for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
		const struct zwd_stats before = stats();
		struct buf out = pack(formats[f], LEN);
		const struct zwd_stats after = stats();

		assert_inflates(formats[f], out.data, out.len, plain, CALLS * LEN);
		buf_free(&out);
		if (test_mode != MODE_EMU)
			continue;
		assert_int_equal(after.deflate.hw_in - before.deflate.hw_in, CALLS * LEN);
		assert_int_equal(after.deflate_choice.copied, before.deflate_choice.copied);
	}
}

/* Or the figure would mean nothing. */
static void deflate_small(void **state)
{
	const struct zwd_stats before = stats();
	struct buf out = pack(15, SMALL);
	const struct zwd_stats after = stats();

	assert_inflates(15, out.data, out.len, plain, CALLS * LEN);
	buf_free(&out);
	if (test_mode == MODE_EMU)
		assert_in_range(after.deflate_choice.copied - before.deflate_choice.copied, LEN,
				CALLS * LEN);
}

/* With room for all of it: what a device reads ahead has none of the caller's. */
static void inflate_large(void **state)
{
	struct buf packed = { 0 }, out = { 0 };
	struct zwd_stats before, after;
	z_stream strm = { 0 };

	deflate_all(&ref, 15, 6, Z_DEFAULT_STRATEGY, plain, CALLS * LEN, &packed);
	before = stats();
	assert_int_equal(inflateInit(&strm), Z_OK);
	strm.next_in = packed.data;
	strm.avail_in = packed.len;
	strm.next_out = buf_room(&out, CALLS * LEN);
	strm.avail_out = CALLS * LEN;
	assert_int_equal(inflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_int_equal(strm.total_out, CALLS * LEN);
	assert_memory_equal(out.data, plain, CALLS * LEN);
	inflateEnd(&strm);
	after = stats();
	if (test_mode == MODE_EMU) {
		assert_true(after.inflate.hw_in > before.inflate.hw_in);
		assert_int_equal(after.inflate_choice.copied, before.inflate_choice.copied);
	}
	buf_free(&packed);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deflate_large),
		cmocka_unit_test(deflate_small),
		cmocka_unit_test(inflate_large),
	};

	test_begin(60);
	plain = gen_alloc(GEN_TEXT, CALLS * LEN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
