/* SPDX-License-Identifier: Zlib */
/*
 * Calls of a byte or two: few requests, whoever makes the work, and still nothing is held back that
 * the other side of a connection waits for: a flushed message is readable when its last byte has
 * arrived.
 */
#include "config.h"
#include "helpers.h"

#include <time.h>
#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum { LEN = 1 << 20, MESSAGES = 60, LONGEST = 5000 };

static const int wrappers[] = { 15, 31, -15 };
static unsigned char *plain;

static uint64_t requests(void)
{
	struct zwd_stats stats;

	assert_int_equal(zwd_stats(&stats, sizeof(stats)), sizeof(stats));
	return stats.inflate.hw_requests + stats.inflate.errors + stats.deflate.hw_requests +
	       stats.deflate.errors;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A request for every 50 calls at most; and, where it is healthy, in bearable time. */
static void assert_few(const char *what, uint64_t before, double begin, size_t calls)
{
	uint64_t made = requests() - before;

	if (made > calls / 50)
		fail_msg("%s: %llu requests for %zu calls", what, (unsigned long long)made, calls);
	if (!IS_TSAN && !IS_ASAN && now() - begin > 60)
		fail_msg("%s: %.1f s", what, now() - begin);
}

static void inflate_with(const struct buf *packed, int wbits, size_t in_step, size_t room,
			 const char *what)
{
	unsigned char *out = malloc(LEN + 1);
	uint64_t before = requests();
	z_stream strm = { 0 };
	double begin = now();
	size_t calls = 0;
	int ret = Z_OK;

	assert_int_equal(inflateInit2(&strm, wbits), Z_OK);
	while (ret == Z_OK || ret == Z_BUF_ERROR) {
		size_t left = packed->len - strm.total_in, space = LEN + 1 - strm.total_out;

		strm.next_in = packed->data + strm.total_in;
		strm.avail_in = (uInt)(in_step < left ? in_step : left);
		strm.next_out = out + strm.total_out;
		strm.avail_out = (uInt)(room < space ? room : space);
		ret = ours.inflate(&strm, Z_NO_FLUSH);
		assert_true(ret >= Z_OK || ret == Z_BUF_ERROR);
		if (ret == Z_BUF_ERROR && !left)
			fail_msg("%s: no end", what);
		assert_true(calls++ < 3u * LEN);
	}
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(strm.total_in, packed->len);
	assert_int_equal(strm.total_out, LEN);
	assert_memory_equal(out, plain, LEN);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	assert_few(what, before, begin, calls);
	free(out);
}

static void inflate_byte_by_byte(void **state)
{
	for (size_t w = 0; w < NR(wrappers); w++) {
		struct buf packed = { 0 };

		deflate_all(&ref, wrappers[w], 6, Z_DEFAULT_STRATEGY, plain, LEN, &packed);
		inflate_with(&packed, wrappers[w], 1, LEN, "a byte of input");
		inflate_with(&packed, wrappers[w], packed.len, 1, "a byte of room");
		inflate_with(&packed, wrappers[w], 1, 1, "a byte of input, a byte of room");
		inflate_with(&packed, wrappers[w], 3, 5, "three bytes, five bytes");
		buf_free(&packed);
	}
}

static void deflate_byte_by_byte(void **state)
{
	for (size_t w = 0; w < NR(wrappers); w++)
		for (size_t room = 1; room <= 7; room += 6) {
			unsigned char *out = malloc(2 * LEN);
			uint64_t before = requests();
			z_stream strm = { 0 };
			double begin = now();
			size_t calls = 0;
			int ret;

			assert_int_equal(deflateInit2(&strm, 6, Z_DEFLATED, wrappers[w], 8, 0),
					 Z_OK);
			do {
				strm.next_in = plain + strm.total_in;
				strm.avail_in = strm.total_in < LEN;
				strm.next_out = out + strm.total_out;
				strm.avail_out = (uInt)room;
				ret = ours.deflate(&strm, strm.total_in + 1 >= LEN ? Z_FINISH
										   : Z_NO_FLUSH);
				assert_true(ret == Z_OK || ret == Z_STREAM_END);
				assert_true(calls++ < 3u * LEN);
				assert_true(strm.total_out + 8 < 2u * LEN);
			} while (ret != Z_STREAM_END);
			assert_few("deflate", before, begin, calls);
			assert_inflates(wrappers[w], out, strm.total_out, plain, LEN);
			assert_int_equal(ours.deflateEnd(&strm), Z_OK);
			free(out);
		}
}

/* One end of a connection: what it is told comes out at the other before the next is said. */
struct line {
	const struct zlib_api *from, *to;
	z_stream deflate, inflate;
	size_t in_step, packed_step;
	int flush;
};

static void line_open(struct line *l, int wbits)
{
	assert_int_equal(l->from->deflateInit2_(&l->deflate, 6, Z_DEFLATED, wbits, 8, 0,
						ZLIB_VERSION, (int)sizeof(l->deflate)),
			 Z_OK);
	assert_int_equal(
		l->to->inflateInit2_(&l->inflate, wbits, ZLIB_VERSION, (int)sizeof(l->inflate)),
		Z_OK);
}

static void line_close(struct line *l)
{
	l->from->deflateEnd(&l->deflate);
	l->to->inflateEnd(&l->inflate);
}

static void say(struct line *l, const unsigned char *text, size_t len)
{
	static unsigned char packed[4 * LEN], back[LEN + 1];
	size_t pos = 0, packed_len, got = 0;
	int ret;

	l->deflate.next_out = packed;
	l->deflate.avail_out = sizeof(packed);
	do { /* written piece by piece, then flushed */
		size_t nr = l->in_step < len - pos ? l->in_step : len - pos;

		l->deflate.next_in = (z_const Bytef *)text + pos;
		l->deflate.avail_in = (uInt)nr;
		pos += nr;
		ret = l->from->deflate(&l->deflate, pos < len ? Z_NO_FLUSH : l->flush);
		assert_int_equal(ret, Z_OK);
		assert_int_equal(l->deflate.avail_in, 0);
	} while (pos < len);
	packed_len = sizeof(packed) - l->deflate.avail_out;

	for (pos = 0; pos < packed_len;) {
		size_t nr = l->packed_step < packed_len - pos ? l->packed_step : packed_len - pos;

		l->inflate.next_in = packed + pos;
		l->inflate.avail_in = (uInt)nr;
		pos += nr;
		do { /* until there is nothing more to be had of it */
			l->inflate.next_out = back + got;
			l->inflate.avail_out = (uInt)(sizeof(back) - got);
			ret = l->to->inflate(&l->inflate, Z_SYNC_FLUSH);
			got = sizeof(back) - l->inflate.avail_out;
			assert_true(ret == Z_OK || ret == Z_BUF_ERROR);
		} while (l->inflate.avail_in);
	}
	if (got != len)
		fail_msg("message of %zu bytes in %zu, flush %d, pieces of %zu and %zu, after %lu: "
			 "only %zu "
			 "have arrived",
			 len, packed_len, l->flush, l->in_step, l->packed_step,
			 l->deflate.total_in - len, got);
	assert_memory_equal(back, text, len);
}

static void request_and_response(void **state)
{
	static const int flushes[] = { Z_SYNC_FLUSH, Z_PARTIAL_FLUSH, Z_FULL_FLUSH };
	static const size_t steps[] = { 1, LEN, 100, 7 };
	static const struct {
		const struct zlib_api *client, *server;
	} ends[] = { { &ours, &ref }, { &ref, &ours }, { &ours, &ours } };

	for (size_t e = 0; e < NR(ends); e++)
		for (size_t f = 0; f < NR(flushes); f++)
			for (size_t s = 0; s < NR(steps); s++) {
				struct line there = { .from = ends[e].client,
						      .to = ends[e].server,
						      .in_step = steps[s],
						      .packed_step = steps[(s + f) % NR(steps)],
						      .flush = flushes[f] };
				struct line back = { .from = ends[e].server,
						     .to = ends[e].client,
						     .in_step = steps[(s + 1) % NR(steps)],
						     .packed_step = steps[s],
						     .flush = flushes[f] };
				int wbits = wrappers[(e + f + s) % NR(wrappers)];

				line_open(&there, wbits);
				line_open(&back, wbits);
				for (size_t m = 0; m < MESSAGES; m++) {
					/* Now and then a long answer. */
					size_t ask = 1 + test_random_below(100);
					size_t answer =
						1 +
						test_random_below(m % 20 == 19 ? 100000 : LONGEST);

					say(&there, plain + test_random_below(LEN - ask), ask);
					say(&back, plain + test_random_below(LEN - answer), answer);
				}
				line_close(&there);
				line_close(&back);
			}
}

static int make(void **state)
{
	plain = gen_alloc(GEN_JSON, LEN);
	return 0;
}

static int drop(void **state)
{
	free(plain);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inflate_byte_by_byte),
		cmocka_unit_test(deflate_byte_by_byte),
		cmocka_unit_test(request_and_response),
	};

	test_begin(120);
	return cmocka_run_group_tests(tests, make, drop);
}
