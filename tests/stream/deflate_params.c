/* SPDX-License-Identifier: Zlib */
/* deflateParams() in mid-stream: every change of level and strategy, with room and without. */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	int level, strategy;
} params[] = { { 6, Z_DEFAULT_STRATEGY }, { 0, Z_DEFAULT_STRATEGY }, { 1, Z_DEFAULT_STRATEGY },
	       { 9, Z_DEFAULT_STRATEGY }, { 6, Z_HUFFMAN_ONLY },     { 6, Z_RLE },
	       { 4, Z_FIXED },		  { -1, Z_FILTERED } };

struct change {
	int wbits;
	size_t from, to, before, room;
};

static void change(const struct zlib_api *z, const struct change *c, const unsigned char *src,
		   size_t len, struct buf *out, struct trace *trace)
{
	z_stream strm = { 0 };
	int ret;

	assert_int_equal(z->deflateInit2_(&strm, params[c->from].level, Z_DEFLATED, c->wbits, 8,
					  params[c->from].strategy, ZLIB_VERSION, (int)sizeof(strm)),
			 Z_OK);
	strm.next_in = (z_const Bytef *)src;
	strm.avail_in = c->before;
	while (strm.avail_in) {
		strm.next_out = buf_room(out, c->room);
		strm.avail_out = c->room;
		trace_call(trace, "before", &strm, z->deflate(&strm, Z_NO_FLUSH));
		out->len += c->room - strm.avail_out;
	}
	/* Z_BUF_ERROR: what is compressed with the old values did not fit, call again. */
	do {
		strm.next_out = buf_room(out, c->room);
		strm.avail_out = c->room;
		ret = trace_call(trace, "params", &strm,
				 z->deflateParams(&strm, params[c->to].level,
						  params[c->to].strategy));
		out->len += c->room - strm.avail_out;
	} while (ret == Z_BUF_ERROR && !strm.avail_out);
	assert_int_equal(ret, Z_OK);
	strm.avail_in = len - c->before;
	do {
		strm.next_out = buf_room(out, c->room);
		strm.avail_out = c->room;
		ret = trace_call(trace, "finish", &strm, z->deflate(&strm, Z_FINISH));
		out->len += c->room - strm.avail_out;
	} while (ret == Z_OK);
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(strm.total_out, out->len);
	assert_int_equal(z->deflateEnd(&strm), Z_OK);
}

static void every_change(size_t room, enum gen gen)
{
	static const size_t before[] = { 0, 1, 3000, 40000 };
	static const int wbits[] = { 15, 31, -15, 10 };
	struct change c = { .room = room };
	size_t len = 60000, i, turn = 0;
	unsigned char *src = gen_alloc(gen, len);

	for (c.from = 0; c.from < NR(params); c.from++)
		for (c.to = 0; c.to < NR(params); c.to++)
			for (i = 0; i < NR(before); i++) {
				struct trace got = { 0 }, want = { 0 };
				struct buf out = { 0 }, ref_out = { 0 };

				c.before = before[i];
				c.wbits = wbits[turn++ % NR(wbits)];
				change(&ours, &c, src, len, &out, &got);
				assert_inflates(c.wbits, out.data, out.len, src, len);
				if (test_mode == MODE_SOFT) {
					change(&ref, &c, src, len, &ref_out, &want);
					assert_same_trace(&got, &want);
					assert_int_equal(out.len, ref_out.len);
					assert_memory_equal(out.data, ref_out.data, out.len);
				}
				trace_free(&got);
				trace_free(&want);
				buf_free(&out);
				buf_free(&ref_out);
			}
	free(src);
}

static void every_change_with_room(void **state)
{
	every_change(200000, GEN_SOURCE);
}

static void every_change_with_little_room(void **state)
{
	every_change(97, GEN_MIXED);
}

/* Many changes in one stream, input and room of any size. */
static void changes_all_along(void **state)
{
	size_t len = 300000, pos, turn;
	unsigned char *src = gen_alloc(GEN_MIXED, len);

	for (turn = 0; turn < 20; turn++) {
		struct buf out = { 0 };
		z_stream strm = { 0 };
		int ret = Z_OK;

		assert_int_equal(deflateInit(&strm, 6), Z_OK);
		for (pos = 0; ret != Z_STREAM_END; pos = strm.total_in) {
			size_t nr = test_random_below(20000), room = 1 + test_random_below(9000);

			nr = nr < len - pos ? nr : len - pos;
			strm.next_in = src + pos;
			strm.avail_in = nr;
			strm.next_out = buf_room(&out, room);
			strm.avail_out = room;
			if (test_random_below(3) && pos < len) {
				size_t p = test_random_below(NR(params));

				ret = ours.deflateParams(&strm, params[p].level, params[p].strategy);
				assert_true(ret == Z_OK || ret == Z_BUF_ERROR);
			} else {
				ret = ours.deflate(&strm, pos + nr == len ? Z_FINISH : Z_NO_FLUSH);
				assert_true(ret != Z_STREAM_ERROR && ret != Z_DATA_ERROR);
			}
			out.len += room - strm.avail_out;
		}
		assert_int_equal(strm.total_out, out.len);
		assert_int_equal(ours.deflateEnd(&strm), Z_OK);
		assert_inflates(15, out.data, out.len, src, len);
		buf_free(&out);
	}
	free(src);
}

/* zlib ends a block for most of them, and then no flush is one again; for others the one before still counts. */
static void flush_behind_a_change(void **state)
{
	static const int flushes[] = { Z_NO_FLUSH, Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_BLOCK };
	static unsigned char text[3000], room[2][20000];

	gen_fill(GEN_TEXT, text, sizeof(text));
	for (size_t from = 0; from < NR(params); from++)
		for (size_t to = 0; to < NR(params); to++)
			for (size_t f = 0; f < NR(flushes) * NR(flushes) * 2; f++) {
				int first = flushes[f % NR(flushes)], second = flushes[f / NR(flushes) % NR(flushes)];
				uInt len = f / NR(flushes) / NR(flushes) ? 0 : sizeof(text);
				int ret[2][3];

				for (int n = 0; n < 2; n++) {
					const struct zlib_api *z = n ? &ref : &ours;
					z_stream strm = { 0 };

					assert_int_equal(z->deflateInit2_(&strm, params[from].level, Z_DEFLATED, 15, 8,
									  params[from].strategy, ZLIB_VERSION,
									  (int)sizeof(strm)), Z_OK);
					strm.next_in = text;
					strm.avail_in = len;
					strm.next_out = room[n];
					strm.avail_out = sizeof(room[n]);
					ret[n][0] = z->deflate(&strm, first);
					ret[n][1] = z->deflateParams(&strm, params[to].level, params[to].strategy);
					ret[n][2] = z->deflate(&strm, second);
					z->deflateEnd(&strm);
				}
				assert_int_equal(ret[0][0], ret[1][0]);
				assert_int_equal(ret[0][1], ret[1][1]);
				/* What software had before is flushed in any case: then it is none again. */
				if (ret[0][2] != ret[1][2] && (ret[0][2] != Z_OK || ret[1][2] != Z_BUF_ERROR))
					fail_msg("parameters %zu to %zu, %u bytes, flush %d then %d: %d, zlib %d", from, to,
						 len, first, second, ret[0][2], ret[1][2]);
			}
}

static void wrong_values_are_refused(void **state)
{
	static const int wrong[][2] = { { -2, 0 }, { 10, 0 }, { 6, -1 }, { 6, 5 } };
	z_stream strm = { 0 };
	size_t i;

	assert_int_equal(ours.deflateParams(NULL, 6, 0), Z_STREAM_ERROR);
	assert_int_equal(ours.deflateParams(&strm, 6, 0), Z_STREAM_ERROR);
	assert_int_equal(deflateInit(&strm, 6), Z_OK);
	for (i = 0; i < NR(wrong); i++)
		assert_int_equal(ours.deflateParams(&strm, wrong[i][0], wrong[i][1]),
				 Z_STREAM_ERROR);
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
}

/* Before any data no room is needed, nothing is written and input is not touched. */
static void before_data_it_only_sets(void **state)
{
	unsigned char plain[] = "plain";
	z_stream strm = { .next_in = plain, .avail_in = 5 };

	assert_int_equal(deflateInit(&strm, 6), Z_OK);
	assert_int_equal(ours.deflateParams(&strm, 1, Z_RLE), Z_OK);
	assert_int_equal(ours.deflateParams(&strm, 9, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(strm.avail_in, 5);
	assert_int_equal(strm.total_out, 0);
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
}

/* A stream that software had is begun anew, with parameters for a device, or for none. */
static void between_two_streams(void **state)
{
	static const int levels[][3] = { { 0, 6, 1 }, { 9, 1, 0 }, { 6, 9, 6 } };
	static unsigned char src[50000];

	gen_fill(GEN_SOURCE, src, sizeof(src));
	for (size_t r = 0; r < NR(levels); r++) {
		z_stream strm = { 0 };

		assert_int_equal(deflateInit(&strm, levels[r][0]), Z_OK);
		for (int i = 0; i < 3; i++) {
			struct buf out = { 0 };

			assert_int_equal(ours.deflateParams(&strm, levels[r][i], Z_DEFAULT_STRATEGY), Z_OK);
			strm.next_in = src;
			strm.avail_in = sizeof(src);
			strm.next_out = buf_room(&out, 60000);
			strm.avail_out = 60000;
			assert_int_equal(ours.deflate(&strm, Z_FINISH), Z_STREAM_END);
			out.len = strm.total_out;
			assert_inflates(15, out.data, out.len, src, sizeof(src));
			assert_true((out.len > sizeof(src)) == !levels[r][i]);
			assert_int_equal(ours.deflateReset(&strm), Z_OK);
			buf_free(&out);
		}
		assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	}
}

/* One that only software could do is begun anew: its zlib has the new parameters, for it may be the one again. */
static void of_software_begun_anew(void **state)
{
	static unsigned char src[50000], out[2][60000];

	gen_fill(GEN_SOURCE, src, sizeof(src));
	for (size_t p = 0; p < NR(params); p++) {
		uLong len[2];

		for (int i = 0; i < 2; i++) {
			const struct zlib_api *z = i ? &ref : &ours;
			z_stream strm = { 0 };

			assert_int_equal(z->deflateInit2_(&strm, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY,
							  ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
			for (int round = 0; round < 2; round++) {
				if (round)
					assert_int_equal(z->deflateParams(&strm, params[p].level, params[p].strategy),
							 Z_OK);
				assert_int_equal(z->deflatePrime(&strm, 0, 0), Z_OK);
				strm.next_in = src;
				strm.avail_in = sizeof(src);
				strm.next_out = out[i];
				strm.avail_out = sizeof(out[i]);
				assert_int_equal(z->deflate(&strm, Z_FINISH), Z_STREAM_END);
				len[i] = strm.total_out;
				assert_int_equal(z->deflateReset(&strm), Z_OK);
			}
			assert_int_equal(z->deflateEnd(&strm), Z_OK);
		}
		assert_int_equal(len[0], len[1]);
		assert_memory_equal(out[0], out[1], len[0]);
	}
}

TEST_MAIN(120, cmocka_unit_test(every_change_with_room),
	  cmocka_unit_test(every_change_with_little_room), cmocka_unit_test(changes_all_along),
	  cmocka_unit_test(flush_behind_a_change),
	  cmocka_unit_test(wrong_values_are_refused), cmocka_unit_test(before_data_it_only_sets),
	  cmocka_unit_test(between_two_streams), cmocka_unit_test(of_software_begun_anew))
