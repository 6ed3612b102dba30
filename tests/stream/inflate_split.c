/* SPDX-License-Identifier: Zlib */
/* inflate() of every format, split anywhere, with any room, and what lies behind the stream. */
#include "config.h"
#include "helpers.h"

#include <zwd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* The wrapper a stream was made with and the windowBits that read it. */
static const struct {
	int made, read;
} formats[] = { { 15, 15 }, { 15, 0 },	{ 15, 47 },   { 31, 31 },   { 31, 47 },
		{ 31, 16 }, { -15, -15 }, { 9, 15 },    { 9, 9 },     { -9, -15 } };

static const int levels[] = { 6, 0, 1, 9 };

static void assert_back(const struct buf *got, const void *plain, size_t len)
{
	assert_int_equal(got->len, len);
	if (len)
		assert_memory_equal(got->data, plain, len);
}

/* In two calls, cut at each byte of the stream. */
static void every_split_point(void **state)
{
	static const size_t sizes[] = { 0, 1, 10, 600 };
	size_t f, s, cut;

	for (f = 0; f < NR(formats); f++)
		for (s = 0; s < NR(sizes); s++) {
			unsigned char *plain = gen_alloc(GEN_TEXT, sizes[s]), back[1600];
			struct buf packed = { 0 };

			deflate_all(&ref, formats[f].made, 6, s % 2 ? Z_DEFAULT_STRATEGY : Z_FIXED,
				    plain, sizes[s], &packed);
			for (cut = 0; cut <= packed.len; cut++) {
				z_stream strm = { 0 };
				int ret;

				assert_int_equal(inflateInit2(&strm, formats[f].read), Z_OK);
				strm.next_in = packed.data;
				strm.avail_in = cut;
				strm.next_out = back;
				strm.avail_out = sizeof(back);
				ret = ours.inflate(&strm, Z_NO_FLUSH);
				if (cut < packed.len) {
					assert_int_equal(ret, cut ? Z_OK : Z_BUF_ERROR);
					assert_int_equal(strm.avail_in, 0);
					strm.avail_in = packed.len - cut;
					ret = ours.inflate(&strm, Z_NO_FLUSH);
				}
				assert_int_equal(ret, Z_STREAM_END);
				assert_int_equal(strm.avail_in, 0);
				assert_int_equal(strm.total_in, packed.len);
				assert_int_equal(strm.total_out, sizes[s]);
				assert_memory_equal(back, plain, sizes[s]);
				assert_int_equal(ours.inflateEnd(&strm), Z_OK);
			}
			free(plain);
			buf_free(&packed);
		}
}

static void any_steps(void **state)
{
	static const size_t steps[][2] = { { 1, 0 },	{ 0, 1 },     { 1, 1 },	   { 7, 3 },
					   { 100, 999 }, { 4096, 200 }, { 0, 201 }, { 999, 32768 } };
	size_t f, t, g;

	for (g = 0; g < GEN_NR; g++) {
		unsigned char *plain = gen_alloc((enum gen)g, 40000);

		for (f = 0; f < NR(formats); f++) {
			for (t = 0; t < NR(steps); t++) {
				/* Single bytes cost a device a request each. */
				size_t len = steps[t][0] % 100 + steps[t][1] < 100 ? 1000 : 40000, rest;
				struct buf packed = { 0 }, back = { 0 };

				deflate_all(&ref, formats[f].made, levels[(g + f) % NR(levels)],
					    Z_DEFAULT_STRATEGY, plain, len, &packed);
				buf_add(&packed, "behind", 6);
				assert_int_equal(inflate_steps(&ours, formats[f].read, packed.data,
							       packed.len, steps[t][0], steps[t][1],
							       &back, &rest),
						 Z_STREAM_END);
				assert_int_equal(rest, 6);
				assert_back(&back, plain, len);
				buf_free(&back);
				buf_free(&packed);
			}
		}
		free(plain);
	}
}

/* With room for exactly the plain bytes the end is seen in the same call, also by Z_FINISH. */
static void exact_room_sees_the_end_at_once(void **state)
{
	static const size_t sizes[] = { 0, 1, 200, 4096, 32768, 65536, 300000 };
	size_t f, s, l;
	int flush;

	for (f = 0; f < NR(formats); f++)
		for (s = 0; s < NR(sizes); s++)
			for (l = 0; l < NR(levels); l++)
				for (flush = Z_NO_FLUSH; flush <= Z_FINISH; flush += 2) {
					unsigned char *plain = gen_alloc(GEN_JSON, sizes[s]);
					unsigned char *back = malloc(sizes[s] + 1);
					struct buf packed = { 0 };
					z_stream strm = { 0 };

					deflate_all(&ref, formats[f].made, levels[l],
						    Z_DEFAULT_STRATEGY, plain, sizes[s], &packed);
					buf_add(&packed, "xyz", 3);
					assert_int_equal(inflateInit2(&strm, formats[f].read), Z_OK);
					strm.next_in = packed.data;
					strm.avail_in = packed.len;
					strm.next_out = back;
					strm.avail_out = sizes[s];
					assert_int_equal(ours.inflate(&strm, flush), Z_STREAM_END);
					assert_int_equal(strm.avail_in, 3);
					assert_ptr_equal(strm.next_in, packed.data + packed.len - 3);
					assert_int_equal(strm.avail_out, 0);
					assert_memory_equal(back, plain, sizes[s]);
					/* And again, as often as one asks. */
					assert_int_equal(ours.inflate(&strm, flush), Z_STREAM_END);
					assert_int_equal(strm.avail_in, 3);
					assert_int_equal(ours.inflateEnd(&strm), Z_OK);
					buf_free(&packed);
					free(plain);
					free(back);
				}
}

/* One byte of room too few: not the end, and nothing of the trailer is lost. */
static void short_room_is_no_end(void **state)
{
	static unsigned char plain[70000], back[70000];
	size_t f;

	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	for (f = 0; f < NR(formats); f++) {
		struct buf packed = { 0 };
		z_stream strm = { 0 };

		deflate_all(&ref, formats[f].made, 6, Z_DEFAULT_STRATEGY, plain, sizeof(plain),
			    &packed);
		assert_int_equal(inflateInit2(&strm, formats[f].read), Z_OK);
		strm.next_in = packed.data;
		strm.avail_in = packed.len;
		strm.next_out = back;
		strm.avail_out = sizeof(back) - 1;
		assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), Z_OK);
		assert_int_equal(strm.avail_out, 0);
		assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), Z_BUF_ERROR);
		assert_int_equal(ours.inflate(&strm, Z_FINISH), Z_BUF_ERROR);
		strm.avail_out = 1;
		assert_int_equal(ours.inflate(&strm, Z_FINISH), Z_STREAM_END);
		assert_int_equal(strm.total_in, packed.len);
		assert_memory_equal(back, plain, sizeof(plain));
		assert_int_equal(ours.inflateEnd(&strm), Z_OK);
		buf_free(&packed);
	}
}

/* As gzip reads: member after member by inflateReset(), any number of bytes at a time. */
static void members_one_after_another(void **state)
{
	static const size_t sizes[] = { 1000, 0, 1, 70000, 0, 30 }, steps[] = { 0, 1, 13, 5000 };
	size_t t, m;

	for (t = 0; t < NR(steps); t++) {
		unsigned char *plain = gen_alloc(GEN_TEXT, 70000), *back = malloc(70001);
		struct buf packed = { 0 };
		z_stream strm = { 0 };
		size_t pos = 0;

		for (m = 0; m < NR(sizes); m++)
			deflate_all(&ref, 31, levels[m % NR(levels)], Z_DEFAULT_STRATEGY, plain,
				    sizes[m], &packed);
		assert_int_equal(inflateInit2(&strm, 47), Z_OK);
		for (m = 0; m < NR(sizes); m++) {
			int ret;

			strm.next_out = back;
			strm.avail_out = 70001;
			do {
				if (!strm.avail_in) {
					size_t nr = packed.len - pos;

					nr = steps[t] && steps[t] < nr ? steps[t] : nr;
					strm.next_in = packed.data + pos;
					strm.avail_in = nr;
					pos += nr;
				}
				ret = ours.inflate(&strm, Z_NO_FLUSH);
			} while (ret == Z_OK);
			assert_int_equal(ret, Z_STREAM_END);
			assert_int_equal(strm.total_out, sizes[m]);
			assert_memory_equal(back, plain, sizes[m]);
			assert_int_equal(ours.inflateReset(&strm), Z_OK);
			assert_int_equal(strm.total_in, 0);
		}
		assert_int_equal(strm.avail_in + packed.len - pos, 0);
		assert_int_equal(ours.inflateEnd(&strm), Z_OK);
		buf_free(&packed);
		free(plain);
		free(back);
	}
}

/* adler is the checksum of all output so far, after each call; data_type as in zlib where soft. */
static void running_checksum(void **state)
{
	static const int wbits[] = { 15, 31, 47 };
	static unsigned char plain[60000], back[60000];
	size_t w, step;

	gen_fill(GEN_MIXED, plain, sizeof(plain));
	for (w = 0; w < NR(wbits); w++)
		for (step = 100; step <= 10000; step *= 10) {
			struct buf packed = { 0 };
			z_stream strm = { 0 };
			int ret;

			deflate_all(&ref, wbits[w] == 15 ? 15 : 31, 6, Z_DEFAULT_STRATEGY, plain, sizeof(plain),
				    &packed);
			assert_int_equal(inflateInit2(&strm, wbits[w]), Z_OK);
			strm.next_in = packed.data;
			strm.avail_in = packed.len;
			strm.next_out = back;
			do {
				strm.avail_out = step;
				ret = ours.inflate(&strm, Z_SYNC_FLUSH);
				if (strm.total_out)
					assert_int_equal(strm.adler,
							 wbits[w] == 15 ?
								 ref.adler32(1, back, strm.total_out) :
								 ref.crc32(0, back, strm.total_out));
			} while (ret == Z_OK);
			assert_int_equal(ret, Z_STREAM_END);
			assert_int_equal(ours.inflateEnd(&strm), Z_OK);
			buf_free(&packed);
		}
}

/* Each call answers as zlib's does, for chosen feeds and flushes. */
static void script(const struct zlib_api *z, int wbits, const struct buf *packed, size_t in_step,
		   size_t room, int flush, struct trace *trace)
{
	unsigned char *back = malloc(room);
	z_stream strm = { 0 };
	size_t pos = 0;
	int ret, calls = 0;

	assert_int_equal(z->inflateInit2_(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
	do {
		size_t nr = in_step < packed->len - pos ? in_step : packed->len - pos;

		if (!strm.avail_in) {
			strm.next_in = packed->data + pos;
			strm.avail_in = nr;
			pos += nr;
		}
		strm.next_out = back;
		strm.avail_out = room;
		ret = trace_call(trace, "inflate", &strm, z->inflate(&strm, flush));
	} while ((ret == Z_OK || ret == Z_BUF_ERROR) && ++calls < 2000);
	trace_call(trace, "again", &strm, z->inflate(&strm, flush));
	trace_call(trace, "end", &strm, z->inflateEnd(&strm));
	free(back);
}

static void answers_of_each_call(void **state)
{
	static const int flushes[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH };
	static const size_t feeds[][2] = { { 50, 100000 }, { 1000, 100000 }, { 100000, 100000 },
					   { 1, 100000 } };
	static unsigned char plain[2500];
	size_t f, d, s;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	for (f = 0; f < NR(formats); f++)
		for (d = 0; d < NR(feeds); d++)
			for (s = 0; s < NR(flushes); s++) {
				struct trace got = { 0 }, want = { 0 };
				struct buf packed = { 0 };

				deflate_all(&ref, formats[f].made, 6, Z_DEFAULT_STRATEGY, plain,
					    sizeof(plain), &packed);
				script(&ours, formats[f].read, &packed, feeds[d][0], feeds[d][1],
				       flushes[s], &got);
				script(&ref, formats[f].read, &packed, feeds[d][0], feeds[d][1],
				       flushes[s], &want);
				assert_same_trace(&got, &want);
				trace_free(&got);
				trace_free(&want);
				buf_free(&packed);
			}
}

/* A stream of a small window is read by a larger one, not by a smaller one (zlib.h). */
static void window_must_be_large_enough(void **state)
{
	static unsigned char plain[100000], back[100000];
	int made, read;

	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	for (made = 9; made <= 15; made++)
		for (read = 8; read <= 15; read++) {
			struct buf packed = { 0 };
			z_stream strm = { 0 };
			int ret;

			deflate_all(&ref, made, 6, Z_DEFAULT_STRATEGY, plain, sizeof(plain), &packed);
			assert_int_equal(inflateInit2(&strm, read), Z_OK);
			strm.next_in = packed.data;
			strm.avail_in = packed.len;
			strm.next_out = back;
			strm.avail_out = sizeof(back);
			ret = ours.inflate(&strm, Z_FINISH);
			if (read >= made) {
				assert_int_equal(ret, Z_STREAM_END);
				assert_memory_equal(back, plain, sizeof(plain));
			} else {
				assert_int_equal(ret, Z_DATA_ERROR);
				assert_string_equal(strm.msg, "invalid window size");
			}
			assert_int_equal(ours.inflateEnd(&strm), Z_OK);
			buf_free(&packed);
		}
}

static void stats_of_software(uint64_t *in, uint64_t *streams)
{
	struct zwd_stats stats;

	zwd_stats(&stats, sizeof(stats));
	*in = stats.inflate.soft_in;
	*streams = stats.inflate_choice.soft_tuned + stats.inflate.failovers;
}

/* Wherever a call's input ends in a trailer, or before it, the stream stays where it is: only the device knows more. */
static void input_that_ends_near_the_end(void **state)
{
	static const size_t sizes[] = { 3000, 100000 };
	static unsigned char back[100001];

	for (size_t s = 0; s < NR(sizes); s++) {
		unsigned char *plain = gen_alloc(GEN_TEXT, sizes[s]);
		struct buf packed = { 0 };

		deflate_all(&ref, 31, 6, Z_DEFAULT_STRATEGY, plain, sizes[s], &packed);
		for (size_t left = 0; left <= 12; left++) {
			z_stream strm = { .next_in = packed.data, .avail_in = packed.len - left,
					  .next_out = back, .avail_out = sizeof(back) };
			uint64_t in, streams, in_now, streams_now;

			stats_of_software(&in, &streams);
			assert_int_equal(inflateInit2(&strm, 31), Z_OK);
			assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), left ? Z_OK : Z_STREAM_END);
			assert_int_equal(strm.avail_in, 0);
			strm.avail_in = left;
			assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), Z_STREAM_END);
			assert_int_equal(strm.total_out, sizes[s]);
			assert_memory_equal(back, plain, sizes[s]);
			assert_int_equal(ours.inflateEnd(&strm), Z_OK);
			stats_of_software(&in_now, &streams_now);
			if (test_mode == MODE_EMU) {
				assert_int_equal(in_now, in);
				assert_int_equal(streams_now, streams);
			}
		}
		buf_free(&packed);
		free(plain);
	}
}

TEST_MAIN(120, cmocka_unit_test(every_split_point), cmocka_unit_test(input_that_ends_near_the_end),
	  cmocka_unit_test(any_steps),
	  cmocka_unit_test(exact_room_sees_the_end_at_once), cmocka_unit_test(short_room_is_no_end),
	  cmocka_unit_test(members_one_after_another), cmocka_unit_test(running_checksum),
	  cmocka_unit_test(answers_of_each_call), cmocka_unit_test(window_must_be_large_enough))
