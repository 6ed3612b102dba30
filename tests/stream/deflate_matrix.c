/* SPDX-License-Identifier: Zlib */
/* deflate() in every wrapper, level, strategy, memory level, flush and way of feeding. */
#include "config.h"
#include "helpers.h"

static const int wrappers[] = { 15, -15, 31, 9, -12, 14, 25, -9, 8 };
static const int levels[] = { -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
static const int strategies[] = { Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED };
static const int mem_levels[] = { 8, 1, 9 };
/* What every second call asks for; the others say Z_NO_FLUSH. */
static const int flushes[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_PARTIAL_FLUSH, Z_BLOCK };
/* Bytes of input and of output room per call; 0 is everything. */
static const struct {
	size_t in, out;
} feeds[] = { { 0, 0 }, { 4096, 0 }, { 1, 64 }, { 0, 1 }, { 777, 501 }, { 16384, 65536 }, { 130, 7 } };

struct setup {
	int wbits, level, strategy, mem_level, flush;
	size_t in, out;
};

static uLong check_add(int wbits, uLong check, const void *data, size_t len)
{
	return wbits > 15 ? ref.crc32(check, data, len) : ref.adler32(check, data, len);
}

/* One call, with all that zlib promises about the fields around it. */
static int step(const struct zlib_api *z, z_stream *strm, int flush, size_t room, struct buf *out,
		struct trace *trace)
{
	unsigned char *dst = buf_room(out, room);
	const unsigned char *src = strm->next_in;
	uLong total_in = strm->total_in, total_out = strm->total_out;
	uInt avail_in = strm->avail_in;
	int ret;

	strm->next_out = dst;
	strm->avail_out = room;
	ret = trace_call(trace, "deflate", strm, z->deflate(strm, flush));
	assert_true(strm->avail_in <= avail_in && strm->avail_out <= room);
	assert_ptr_equal(strm->next_in, src + (avail_in - strm->avail_in));
	assert_ptr_equal(strm->next_out, dst + (room - strm->avail_out));
	assert_int_equal(strm->total_in, total_in + avail_in - strm->avail_in);
	assert_int_equal(strm->total_out, total_out + room - strm->avail_out);
	out->len += room - strm->avail_out;
	return ret;
}

static void encode(const struct zlib_api *z, const struct setup *s, const unsigned char *src,
		   size_t len, struct buf *out, struct trace *trace)
{
	size_t room = s->out ? s->out : len + len / 2 + 4096, pos = 0;
	unsigned int calls = 0, pending = 0;
	z_stream strm = { 0 };
	uLong check = check_add(s->wbits, 0, NULL, 0);
	int ret, flush, bits;

	ret = z->deflateInit2_(&strm, s->level, Z_DEFLATED, s->wbits, s->mem_level, s->strategy,
			       ZLIB_VERSION, (int)sizeof(strm));
	assert_int_equal(trace_call(trace, "deflateInit2", &strm, ret), Z_OK);
	do {
		size_t nr = s->in && s->in < len - pos ? s->in : len - pos;

		strm.next_in = (z_const Bytef *)src + pos;
		strm.avail_in = nr;
		pos += nr;
		flush = pos == len ? Z_FINISH : calls++ % 2 ? s->flush : Z_NO_FLUSH;
		do {
			const unsigned char *from = strm.next_in;

			ret = step(z, &strm, flush, room, out, trace);
			assert_true(ret == Z_OK || ret == Z_STREAM_END || ret == Z_BUF_ERROR);
			assert_null(ret == Z_BUF_ERROR ? NULL : strm.msg);
			check = check_add(s->wbits, check, from, strm.next_in - from);
			if (s->wbits > 0)
				assert_int_equal(strm.adler, check);
			assert_int_equal(z->deflatePending(&strm, &pending, &bits), Z_OK);
			assert_in_range(bits, 0, 16);
		} while (flush == Z_FINISH ? ret != Z_STREAM_END : strm.avail_in || pending);
	} while (flush != Z_FINISH);
	assert_int_equal(strm.total_in, len);
	assert_int_equal(strm.total_out, out->len);
	assert_in_range(strm.data_type, Z_BINARY, Z_UNKNOWN);

	/* After the end. */
	assert_int_equal(step(z, &strm, Z_FINISH, 100, out, trace), Z_STREAM_END);
	assert_int_equal(step(z, &strm, Z_NO_FLUSH, 100, out, trace), Z_STREAM_ERROR);
	strm.next_in = (z_const Bytef *)src;
	strm.avail_in = 1;
	assert_int_equal(step(z, &strm, Z_FINISH, 100, out, trace), Z_BUF_ERROR);
	assert_int_equal(strm.avail_in, 1);
	assert_int_equal(strm.total_out, out->len);
	assert_int_equal(z->deflateEnd(&strm), Z_OK);
	assert_null(strm.state);
}

static void one(const struct setup *s, const unsigned char *src, size_t len)
{
	struct trace got = { 0 }, want = { 0 };
	struct buf out = { 0 }, ref_out = { 0 };

	encode(&ours, s, src, len, &out, &got);
	assert_inflates(s->wbits == 8 ? 9 : s->wbits, out.data, out.len, src, len);
	if (test_mode == MODE_SOFT) {
		encode(&ref, s, src, len, &ref_out, &want);
		assert_same_trace(&got, &want);
		assert_int_equal(out.len, ref_out.len);
		assert_memory_equal(out.data, ref_out.data, out.len);
	}
	trace_free(&got);
	trace_free(&want);
	buf_free(&out);
	buf_free(&ref_out);
}

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* Wrapper, level and strategy in every combination; the other columns turn at coprime speeds. */
static void matrix(enum gen gen, size_t len, unsigned int turn)
{
	unsigned char *src = gen_alloc(gen, len);
	size_t w, l, t;

	for (w = 0; w < NR(wrappers); w++) {
		for (l = 0; l < NR(levels); l++) {
			for (t = 0; t < NR(strategies); t++, turn++) {
				const struct setup s = {
					wrappers[w],
					levels[l],
					strategies[t],
					mem_levels[turn % NR(mem_levels)],
					flushes[turn / 3 % NR(flushes)],
					feeds[turn / 2 % NR(feeds)].in,
					feeds[turn / 2 % NR(feeds)].out,
				};

				one(&s, src, len);
			}
		}
	}
	free(src);
}

static void text_in_every_setup(void **state)
{
	matrix(GEN_TEXT, 9000, 0);
}

static void binary_in_every_setup(void **state)
{
	matrix(GEN_BINARY, 5000, 11);
}

static void zeros_in_every_setup(void **state)
{
	matrix(GEN_ZEROS, 30011, 5);
}

static void tiny_in_every_setup(void **state)
{
	matrix(GEN_TEXT, 0, 7);
	matrix(GEN_RANDOM, 1, 3);
	matrix(GEN_RANDOM, 3, 4);
}

/* The common wrappers with each flush and each way of feeding, larger than any window. */
static void long_streams_by_flush_and_feed(void **state)
{
	static const int wbits[] = { 15, -15, 31 };
	static const int speed[] = { 1, 6 };
	size_t len = 100000, w, f, d, l;
	unsigned char *src = gen_alloc(GEN_MIXED, len);

	for (w = 0; w < NR(wbits); w++)
		for (f = 0; f < NR(flushes); f++)
			for (d = 0; d < NR(feeds); d++)
				for (l = 0; l < NR(speed); l++) {
					const struct setup s = { wbits[w],
								 speed[l],
								 Z_DEFAULT_STRATEGY,
								 8,
								 feeds[d].in == 1 || feeds[d].in == 130
									 ? Z_NO_FLUSH
									 : flushes[f],
								 feeds[d].in,
								 feeds[d].out };

					one(&s, src, len);
				}
	free(src);
}

static int type_of(const struct zlib_api *z, const unsigned char *data, uInt len, unsigned char *out, uInt room)
{
	z_stream strm = { .next_in = (z_const Bytef *)data, .avail_in = len, .next_out = out, .avail_out = room };

	assert_int_equal(z->deflateInit2_(&strm, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
					  (int)sizeof(strm)), Z_OK);
	assert_int_equal(z->deflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z->deflateEnd(&strm), Z_OK);
	return strm.data_type;
}

/* Text or binary: as zlib tells it, by a byte anywhere in the first block, and of next to nothing. */
static void kind_of_data(void **state)
{
	static const size_t places[] = { 0, 1, 63, 64, 300, 511, 512, 1000, 4000, 7000 };
	static unsigned char data[7500], out[20000];
	static const char *const short_ones[] = { "", " ", "\n", "\t\r\n", "\x0b", "\x1b", "\x7f", "\xff" };

	for (size_t i = 0; i < NR(short_ones); i++) {
		const unsigned char *one = (const unsigned char *)short_ones[i];
		uInt len = (uInt)strlen(short_ones[i]);

		assert_int_equal(type_of(&ours, one, len, out, sizeof(out)), type_of(&ref, one, len, out, sizeof(out)));
	}
	for (unsigned int byte = 0; byte < 33; byte++)
		for (size_t p = 0; p < NR(places); p++) {
			/* Hardly anything of it repeats: a match would hide the byte. */
			gen_fill(GEN_RANDOM, data, sizeof(data));
			for (size_t i = 0; i < sizeof(data); i++)
				data[i] = (unsigned char)(data[i] % 95 + 32);
			data[places[p]] = (unsigned char)byte;
			if (type_of(&ours, data, sizeof(data), out, sizeof(out)) !=
			    type_of(&ref, data, sizeof(data), out, sizeof(out)))
				fail_msg("byte %u at %zu", byte, places[p]);
		}
}

TEST_MAIN(120, cmocka_unit_test(text_in_every_setup), cmocka_unit_test(binary_in_every_setup),
	  cmocka_unit_test(zeros_in_every_setup), cmocka_unit_test(tiny_in_every_setup),
	  cmocka_unit_test(long_streams_by_flush_and_feed), cmocka_unit_test(kind_of_data))
