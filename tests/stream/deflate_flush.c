/* SPDX-License-Identifier: Zlib */
/* What each flush promises: marker, everything decodable so far, a point to restart, no repeats. */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static const int wrappers[] = { 15, -15, 31, 12 };
static const int levels[] = { 6, 1, 9, 0 };
static const size_t writes[] = { 1, 0, 700, 3, 70000, 17, 33000, 5, 1, 4096 };

static void begin(const struct zlib_api *z, z_stream *strm, int wbits, int level)
{
	memset(strm, 0, sizeof(*strm));
	assert_int_equal(z->deflateInit2_(strm, level, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY,
					  ZLIB_VERSION, (int)sizeof(*strm)),
			 Z_OK);
}

static int step(z_stream *strm, int flush, size_t room, struct buf *out)
{
	int ret;

	strm->next_out = buf_room(out, room);
	strm->avail_out = room;
	ret = ours.deflate(strm, flush);
	out->len += room - strm->avail_out;
	return ret;
}

/* Writes pieces, each with this flush, and feeds an inflate of the given zlib as they appear. */
static void conversation(const struct zlib_api *reader, int wbits, int level, int flush, enum gen gen)
{
	static unsigned char plain[200000], back[200000];
	struct buf out = { 0 };
	z_stream strm, in = { 0 };
	size_t pos = 0, sent = 0, got = 0, i;
	unsigned int pending;
	int bits, ret;

	gen_fill(gen, plain, sizeof(plain));
	begin(&ours, &strm, wbits, level);
	assert_int_equal(reader->inflateInit2_(&in, wbits, ZLIB_VERSION, (int)sizeof(in)), Z_OK);
	for (i = 0; i <= NR(writes); i++) {
		int last = i == NR(writes);

		strm.next_in = plain + pos;
		strm.avail_in = last ? 0 : writes[i];
		pos += strm.avail_in;
		ret = step(&strm, last ? Z_FINISH : flush, sizeof(plain), &out);
		if (last)
			assert_int_equal(ret, Z_STREAM_END);
		else if (!writes[i] && i)
			assert_int_equal(ret, Z_BUF_ERROR);
		else
			assert_int_equal(ret, Z_OK);
		assert_int_equal(strm.avail_in, 0);
		assert_int_equal(ours.deflatePending(&strm, &pending, &bits), Z_OK);
		assert_int_equal(pending, 0);
		if (!last && (flush == Z_SYNC_FLUSH || flush == Z_FULL_FLUSH)) {
			assert_int_equal(bits, 0);
			assert_memory_equal(out.data + out.len - 4, "\0\0\377\377", 4);
		}

		in.next_in = out.data + sent;
		in.avail_in = out.len - sent;
		sent = out.len;
		in.next_out = back + got;
		in.avail_out = sizeof(back) - got;
		ret = reader->inflate(&in, Z_SYNC_FLUSH);
		if (last)
			assert_int_equal(ret, Z_STREAM_END);
		else
			assert_true(ret == Z_OK || ret == Z_BUF_ERROR);
		assert_int_equal(in.avail_in, 0);
		got = in.total_out;
		if (last || flush != Z_BLOCK)
			assert_int_equal(got, pos);
		assert_memory_equal(back, plain, got);
	}
	assert_int_equal(reader->inflateEnd(&in), Z_OK);
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	buf_free(&out);
}

static void conversations(const struct zlib_api *reader, int flush)
{
	size_t w, l;

	for (w = 0; w < NR(wrappers); w++)
		for (l = 0; l < NR(levels); l++)
			conversation(reader, wrappers[w], levels[l], flush,
				     l % 2 ? GEN_MIXED : GEN_SOURCE);
}

static void partial_flush_delivers_all(void **state)
{
	conversations(&ref, Z_PARTIAL_FLUSH);
}

static void sync_flush_delivers_all(void **state)
{
	conversations(&ref, Z_SYNC_FLUSH);
}

static void full_flush_delivers_all(void **state)
{
	conversations(&ref, Z_FULL_FLUSH);
}

static void block_flush_delivers_in_the_end(void **state)
{
	conversations(&ref, Z_BLOCK);
}

static void our_inflate_gives_all_that_was_flushed(void **state)
{
	conversations(&ours, Z_SYNC_FLUSH);
	conversations(&ours, Z_PARTIAL_FLUSH);
	conversations(&ours, Z_FULL_FLUSH);
}

/* Raw inflate starts at every point of a full flush, and inflateSync() finds it. */
static void full_flush_is_a_point_to_restart(void **state)
{
	static unsigned char plain[120000], back[120000];
	size_t points[8], l, i, piece = sizeof(plain) / NR(points);

	for (l = 0; l < NR(levels); l++) {
		struct buf out = { 0 };
		z_stream strm, in;

		gen_fill(GEN_JSON, plain, sizeof(plain));
		begin(&ours, &strm, 15, levels[l]);
		for (i = 0; i < NR(points); i++) {
			strm.next_in = plain + i * piece;
			strm.avail_in = piece;
			assert_int_equal(step(&strm, Z_FULL_FLUSH, sizeof(plain), &out), Z_OK);
			points[i] = out.len;
		}
		assert_int_equal(step(&strm, Z_FINISH, sizeof(plain), &out), Z_STREAM_END);
		ours.deflateEnd(&strm);

		for (i = 0; i < NR(points); i++) {
			size_t want = sizeof(plain) - (i + 1) * piece;

			memset(&in, 0, sizeof(in));
			assert_int_equal(ref.inflateInit2_(&in, -15, ZLIB_VERSION, (int)sizeof(in)),
					 Z_OK);
			in.next_in = out.data + points[i];
			in.avail_in = out.len - points[i];
			in.next_out = back;
			in.avail_out = sizeof(back);
			assert_int_equal(ref.inflate(&in, Z_FINISH), Z_STREAM_END);
			assert_int_equal(in.avail_in, 4); /* the Adler-32 behind the body */
			assert_int_equal(in.total_out, want);
			assert_memory_equal(back, plain + (i + 1) * piece, want);
			ref.inflateEnd(&in);
		}

		/* From the middle of the first piece the search stops at its end. */
		memset(&in, 0, sizeof(in));
		assert_int_equal(ref.inflateInit2_(&in, 15, ZLIB_VERSION, (int)sizeof(in)), Z_OK);
		in.next_in = out.data + points[0] - 7;
		in.avail_in = out.len - (points[0] - 7);
		assert_int_equal(ref.inflateSync(&in), Z_OK);
		assert_ptr_equal(in.next_in, out.data + points[0]);
		ref.inflateEnd(&in);
		buf_free(&out);
	}
}

static void script_of_two_flushes(const struct zlib_api *z, int wbits, int first, int second,
				  size_t len, struct trace *trace)
{
	static unsigned char out[4096];
	unsigned char plain[100];
	z_stream strm;
	int i;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	begin(z, &strm, wbits, 6);
	strm.next_in = plain;
	strm.avail_in = len;
	strm.next_out = out;
	strm.avail_out = sizeof(out);
	trace_call(trace, "first", &strm, z->deflate(&strm, first));
	for (i = 0; i < 3; i++)
		trace_call(trace, "second", &strm, z->deflate(&strm, second));
	for (i = 0; i < 2; i++)
		trace_call(trace, "finish", &strm, z->deflate(&strm, Z_FINISH));
	trace_call(trace, "end", &strm, z->deflateEnd(&strm));
}

/* Z_BUF_ERROR where a flush has nothing to add, for each pair of flushes, with and without data. */
static void repeated_flush_answers_as_zlib(void **state)
{
	int first, second;
	size_t w, len;

	for (w = 0; w < NR(wrappers); w++)
		for (first = Z_NO_FLUSH; first <= Z_BLOCK; first++)
			for (second = Z_NO_FLUSH; second <= Z_BLOCK; second++)
				for (len = 0; len <= 100; len += 50) {
					struct trace got = { 0 }, want = { 0 };

					script_of_two_flushes(&ours, wrappers[w], first, second,
							      len, &got);
					script_of_two_flushes(&ref, wrappers[w], first, second, len,
							      &want);
					assert_same_trace(&got, &want);
					trace_free(&got);
					trace_free(&want);
				}
}

/* A repeated flush adds nothing to the output either. */
static void repeated_flush_writes_nothing(void **state)
{
	unsigned char plain[1000];
	int flush;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	for (flush = Z_PARTIAL_FLUSH; flush <= Z_FULL_FLUSH; flush++) {
		struct buf out = { 0 };
		z_stream strm;
		size_t len;
		int i;

		begin(&ours, &strm, 15, 6);
		strm.next_in = plain;
		strm.avail_in = sizeof(plain);
		assert_int_equal(step(&strm, flush, 4096, &out), Z_OK);
		len = out.len;
		for (i = 0; i < 5; i++)
			assert_int_equal(step(&strm, flush, 4096, &out), Z_BUF_ERROR);
		assert_int_equal(out.len, len);
		assert_int_equal(step(&strm, Z_FINISH, 4096, &out), Z_STREAM_END);
		assert_inflates(15, out.data, out.len, plain, sizeof(plain));
		ours.deflateEnd(&strm);
		buf_free(&out);
	}
}

/* A flush goes on over calls with little room until one leaves room, and ends in a marker. */
static void flush_with_little_room_comes_to_an_end(void **state)
{
	static const size_t rooms[] = { 7, 8, 100, 199, 200, 201, 1000 };
	static unsigned char plain[50000];
	size_t r, g;

	for (g = 0; g < GEN_NR; g++) {
		gen_fill((enum gen)g, plain, sizeof(plain));
		for (r = 0; r < NR(rooms); r++) {
			struct buf out = { 0 };
			unsigned int calls = 0;
			z_stream strm;
			int ret;

			begin(&ours, &strm, -15, 6);
			strm.next_in = plain;
			strm.avail_in = sizeof(plain);
			do {
				ret = step(&strm, Z_SYNC_FLUSH, rooms[r], &out);
				assert_int_equal(ret, Z_OK);
				assert_true(++calls < 100000 / rooms[r] + 1000);
			} while (!strm.avail_out);
			assert_int_equal(strm.avail_in, 0);
			assert_memory_equal(out.data + out.len - 4, "\0\0\377\377", 4);
			do {
				ret = step(&strm, Z_FINISH, rooms[r], &out);
			} while (ret == Z_OK);
			assert_int_equal(ret, Z_STREAM_END);
			assert_inflates(-15, out.data, out.len, plain, sizeof(plain));
			ours.deflateEnd(&strm);
			buf_free(&out);
		}
	}
}

/* Z_FINISH in calls of any room: Z_OK with a full buffer until Z_STREAM_END. */
static void finish_goes_on_until_the_end(void **state)
{
	static const size_t rooms[] = { 1, 2, 5, 6, 7, 64, 200, 4096 };
	static unsigned char plain[20000];
	size_t r, w, g;

	for (g = 0; g < GEN_NR; g++) {
		gen_fill((enum gen)g, plain, sizeof(plain));
		for (w = 0; w < NR(wrappers); w++)
			for (r = 0; r < NR(rooms); r++) {
				struct buf out = { 0 };
				z_stream strm;
				int ret;

				begin(&ours, &strm, wrappers[w], 6);
				strm.next_in = plain;
				strm.avail_in = sizeof(plain);
				do {
					ret = step(&strm, Z_FINISH, rooms[r], &out);
					if (ret == Z_OK)
						assert_int_equal(strm.avail_out, 0);
				} while (ret == Z_OK);
				assert_int_equal(ret, Z_STREAM_END);
				assert_inflates(wrappers[w], out.data, out.len, plain, sizeof(plain));
				ours.deflateEnd(&strm);
				buf_free(&out);
			}
	}
}

/* In rooms of so many bytes, the last flush repeated until there is room left. */
static size_t made_in_rooms(const struct zlib_api *z, int level, int flush, const unsigned char *plain, size_t len,
			    uInt room, unsigned char *out)
{
	z_stream strm;
	size_t made;

	begin(z, &strm, -15, level);
	strm.next_in = (z_const Bytef *)plain;
	strm.next_out = out;
	/* A segment that a device would have, then one for software. */
	strm.avail_in = (uInt)len;
	for (int i = 0; i < 2; i++) {
		do {
			strm.avail_out = room;
			z->deflate(&strm, flush);
		} while (!strm.avail_out);
		strm.avail_in = i ? 0 : (uInt)len;
		strm.next_in = (z_const Bytef *)plain;
	}
	made = (size_t)(strm.next_out - out);
	z->deflateEnd(&strm);
	return made;
}

struct marker_twice {
	int flush, level;
	size_t len, once, again;
	uInt room;
};

/* Short segments, which are software's where the engine is chosen. */
static void look_for_a_second_marker(const void *arg, void *result)
{
	static const int flushes[] = { Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_PARTIAL_FLUSH };
	static unsigned char plain[2000], out[40000];
	struct marker_twice *found = result;

	setenv("ZWD_ENGINE", "auto", 1);
	for (size_t i = 0; i < 2000 && !found->len; i++) {
		int flush = flushes[i % 3], level = i % 2 ? 1 : 6;
		size_t len = 1 + test_random_below(sizeof(plain) - 1), once, again;
		uInt room = 40 + (uInt)test_random_below(400);

		gen_fill(i / 2 % 2 ? GEN_TEXT : GEN_RANDOM, plain, len);
		once = made_in_rooms(&ref, level, flush, plain, len, sizeof(out) / 2, out);
		again = made_in_rooms(&ref, level, flush, plain, len, room, out);
		if (once != again)
			continue;
		once = made_in_rooms(&ours, level, flush, plain, len, sizeof(out) / 2, out);
		again = made_in_rooms(&ours, level, flush, plain, len, room, out);
		if (once != again)
			*found = (struct marker_twice){ flush, level, len, once, again, room };
	}
}

/* Where zlib writes its marker once, whatever the room, so do we. The first test: settings are read once. */
static void marker_is_written_once_where_zlib_does(void **state)
{
	struct marker_twice found = { 0 };

	if (test_mode == MODE_FAULT)
		return; /* then other bytes may come */
	assert_int_equal(run_in_child(look_for_a_second_marker, NULL, &found, sizeof(found)), 0);
	if (found.len)
		fail_msg("flush %d, level %d, %zu bytes: %zu, in rooms of %u %zu", found.flush, found.level, found.len,
			 found.once, found.room, found.again);
}

/* While the end is on its way out nothing changes it any more; another flush is refused, as zlib refuses it. */
static void nothing_comes_behind_the_end(void **state)
{
	static unsigned char plain[70000];
	static const size_t lens[] = { 100, 20000, 70000 };

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	for (size_t w = 0; w < NR(wrappers); w++)
		for (size_t l = 0; l < NR(lens); l++)
			for (int what = 0; what < 6; what++) {
				struct buf out = { 0 };
				z_stream strm;
				int ret, flush = what == 3 ? Z_SYNC_FLUSH : what == 4 ? Z_FULL_FLUSH : Z_NO_FLUSH;

				begin(&ours, &strm, wrappers[w], 6);
				strm.next_in = plain;
				strm.avail_in = (uInt)lens[l];
				/* Up to the first byte behind the header: the blocks are made by then. */
				do
					ret = step(&strm, Z_FINISH, 1, &out);
				while (ret == Z_OK && (strm.avail_in || out.len < 20));
				assert_int_equal(ret, Z_OK);
				if (what == 0)
					assert_int_equal(ours.deflateTune(&strm, 8, 8, 8, 8), Z_OK);
				else if (what == 1)
					ours.deflateParams(&strm, 1, Z_HUFFMAN_ONLY);
				else if (what == 2 && wrappers[w] < 0)
					ours.deflateSetDictionary(&strm, plain, 100);
				else if (what > 2)
					assert_int_equal(step(&strm, flush, 1000, &out), Z_STREAM_ERROR);
				do
					ret = step(&strm, Z_FINISH, 1000, &out);
				while (ret == Z_OK);
				assert_int_equal(ret, Z_STREAM_END);
				ours.deflateEnd(&strm);
				assert_inflates(wrappers[w], out.data, out.len, plain, lens[l]);
				buf_free(&out);
			}
}

static void no_room_and_wrong_flush_are_refused(void **state)
{
	static const int wrong[] = { -1, Z_TREES, 7, 100 };
	unsigned char plain[10] = "0123456789", out[100];
	z_stream strm;
	size_t i;
	int flush;

	begin(&ours, &strm, 15, 6);
	strm.next_in = plain;
	strm.avail_in = sizeof(plain);
	strm.next_out = out;
	strm.avail_out = 0;
	for (flush = Z_NO_FLUSH; flush <= Z_BLOCK; flush++) {
		assert_int_equal(ours.deflate(&strm, flush), Z_BUF_ERROR);
		assert_int_equal(strm.avail_in, sizeof(plain));
		assert_string_equal(strm.msg, "buffer error");
	}
	strm.avail_out = sizeof(out);
	for (i = 0; i < NR(wrong); i++)
		assert_int_equal(ours.deflate(&strm, wrong[i]), Z_STREAM_ERROR);
	assert_int_equal(ours.deflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_inflates(15, out, strm.total_out, plain, sizeof(plain));
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
}

/* deflateEnd() says that data was thrown away. */
static void end_before_the_end_is_a_data_error(void **state)
{
	unsigned char plain[1000], out[100];
	z_stream strm;

	gen_fill(GEN_RANDOM, plain, sizeof(plain));
	begin(&ours, &strm, 15, 6);
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	begin(&ours, &strm, 15, 6);
	strm.next_in = plain;
	strm.avail_in = sizeof(plain);
	strm.next_out = out;
	strm.avail_out = sizeof(out);
	assert_int_equal(ours.deflate(&strm, Z_NO_FLUSH), Z_OK);
	assert_int_equal(ours.deflateEnd(&strm), Z_DATA_ERROR);
	assert_null(strm.state);
	assert_int_equal(ours.deflateEnd(&strm), Z_STREAM_ERROR);
}

TEST_MAIN(120, cmocka_unit_test(marker_is_written_once_where_zlib_does),
	  cmocka_unit_test(partial_flush_delivers_all), cmocka_unit_test(sync_flush_delivers_all),
	  cmocka_unit_test(full_flush_delivers_all), cmocka_unit_test(block_flush_delivers_in_the_end),
	  cmocka_unit_test(our_inflate_gives_all_that_was_flushed),
	  cmocka_unit_test(full_flush_is_a_point_to_restart),
	  cmocka_unit_test(repeated_flush_answers_as_zlib),
	  cmocka_unit_test(repeated_flush_writes_nothing),
	  cmocka_unit_test(flush_with_little_room_comes_to_an_end),
	  cmocka_unit_test(finish_goes_on_until_the_end),
	  cmocka_unit_test(nothing_comes_behind_the_end),
	  cmocka_unit_test(no_room_and_wrong_flush_are_refused),
	  cmocka_unit_test(end_before_the_end_is_a_data_error))
