/* SPDX-License-Identifier: Zlib */
/* inflate()'s special calls: sync, mark, validate, undermine, prime, stops at blocks and trees. */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum { PIECES = 6, PIECE = 20000 };

static unsigned char plain[PIECES * PIECE], back[PIECES * PIECE + 1];

/* Pieces with full flushes between; points: where each ends in the output. */
static void pack(int wbits, int flush, struct buf *out, size_t *points)
{
	z_stream strm = { 0 };
	size_t i;

	gen_fill(GEN_JSON, plain, sizeof(plain));
	assert_int_equal(ref.deflateInit2_(&strm, 6, Z_DEFLATED, wbits, 8, 0, ZLIB_VERSION,
					   (int)sizeof(strm)),
			 Z_OK);
	strm.next_out = buf_room(out, sizeof(plain));
	strm.avail_out = sizeof(plain);
	for (i = 0; i < PIECES; i++) {
		strm.next_in = plain + i * PIECE;
		strm.avail_in = PIECE;
		assert_int_equal(ref.deflate(&strm, flush), Z_OK);
		points[i] = strm.total_out;
	}
	assert_int_equal(ref.deflate(&strm, Z_FINISH), Z_STREAM_END);
	out->len = strm.total_out;
	ref.deflateEnd(&strm);
}

/* A damaged piece is skipped: the rest comes out after inflateSync(). */
static void sync_skips_a_damaged_piece(void **state)
{
	static const int wbits[] = { 15, 31, -15 };
	const struct zlib_api *apis[] = { &ours, &ref };
	size_t w, i, points[PIECES];

	for (w = 0; w < NR(wbits); w++) {
		struct trace traces[2] = { { 0 }, { 0 } };
		struct buf packed = { 0 };

		pack(wbits[w], Z_FULL_FLUSH, &packed, points);
		packed.data[points[1]] = 7; /* no such type of block */
		for (i = 0; i < NR(apis); i++) {
			const struct zlib_api *z = apis[i];
			z_stream strm = { .next_in = packed.data, .avail_in = packed.len };
			struct trace *t = &traces[i];
			size_t resumed;
			int ret;

			assert_int_equal(z->inflateInit2_(&strm, wbits[w], ZLIB_VERSION,
							  (int)sizeof(strm)),
					 Z_OK);
			strm.next_out = back;
			strm.avail_out = sizeof(back);
			ret = z->inflate(&strm, Z_NO_FLUSH);
			assert_int_equal(ret, Z_DATA_ERROR);
			assert_true(strm.total_out >= 2 * PIECE || test_mode != MODE_SOFT);
			ret = z->inflateSync(&strm);
			assert_int_equal(ret, Z_OK);
			/* At the end of a flush, and everything from there on is whole. */
			for (resumed = 0; resumed < PIECES; resumed++)
				if (strm.next_in == packed.data + points[resumed])
					break;
			assert_in_range(resumed, 2, PIECES - 1);
			assert_int_equal(strm.total_in, points[resumed]);
			strm.next_out = back;
			strm.avail_out = sizeof(back);
			ret = z->inflate(&strm, Z_NO_FLUSH);
			/* Since 1.2.12 the check is not made after a sync. */
			trace_call(t, "after sync", &strm, ret);
			assert_memory_equal(back, plain + (resumed + 1) * PIECE,
					    sizeof(plain) - (resumed + 1) * PIECE);
			z->inflateEnd(&strm);
		}
		assert_int_equal(traces[0].calls[0].ret, traces[1].calls[0].ret);
		trace_free(&traces[0]);
		trace_free(&traces[1]);
		buf_free(&packed);
	}
}

static void sync_without_a_point(void **state)
{
	unsigned char zeros[100] = { 0 };
	z_stream strm = { 0 };

	assert_int_equal(inflateInit2(&strm, 15), Z_OK);
	assert_int_equal(ours.inflateSync(&strm), Z_BUF_ERROR);
	strm.next_in = zeros;
	strm.avail_in = sizeof(zeros);
	assert_int_equal(ours.inflateSync(&strm), Z_DATA_ERROR);
	assert_int_equal(strm.avail_in, 0);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
}

/* Searching goes on over calls, byte by byte. */
static void sync_in_single_bytes(void **state)
{
	size_t points[PIECES], at;
	struct buf packed = { 0 };
	z_stream strm = { 0 };
	int ret = Z_DATA_ERROR;

	pack(-15, Z_FULL_FLUSH, &packed, points);
	assert_int_equal(inflateInit2(&strm, -15), Z_OK);
	for (at = points[0] - 20; ret == Z_DATA_ERROR; at++) {
		strm.next_in = packed.data + at;
		strm.avail_in = 1;
		ret = ours.inflateSync(&strm);
	}
	assert_int_equal(ret, Z_OK);
	assert_int_equal(at, points[0]);
	strm.next_in = packed.data + at;
	strm.avail_in = packed.len - at;
	strm.next_out = back;
	strm.avail_out = sizeof(back);
	assert_int_equal(ours.inflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_int_equal(strm.avail_out, sizeof(back) - (PIECES - 1) * PIECE);
	assert_memory_equal(back, plain + PIECE, (PIECES - 1) * PIECE);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	buf_free(&packed);
}

/* Every call of one script; the answers are noted. step bytes of input at a time. */
static void walk(const struct zlib_api *z, int wbits, const struct buf *packed, int flush, size_t step,
		 size_t room, struct trace *trace)
{
	z_stream strm = { .next_in = packed->data };
	int ret, calls = 0;

	assert_int_equal(z->inflateInit2_(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
	strm.next_out = back;
	do {
		size_t left = packed->len - strm.total_in, space = sizeof(back) - strm.total_out;

		strm.avail_in = step < left ? step : left;
		strm.avail_out = room < space ? room : space;
		ret = trace_call(trace, "inflate", &strm, z->inflate(&strm, flush));
		trace_call(trace, "mark", &strm, (int)z->inflateMark(&strm));
		trace_call(trace, "syncpoint", &strm, z->inflateSyncPoint(&strm));
		trace_call(trace, "codes", &strm, (int)z->inflateCodesUsed(&strm));
	} while ((ret == Z_OK || ret == Z_BUF_ERROR) && ++calls < 100000);
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(strm.total_out, sizeof(plain));
	assert_memory_equal(back, plain, sizeof(plain));
	assert_int_equal(z->inflateEnd(&strm), Z_OK);
}

/*
 * Z_BLOCK and Z_TREES stop where zlib stops, with its data_type and marks. This is the device's
 * weakest side, so these calls have to be answered exactly in every mode.
 */
static void stops_at_blocks_and_trees(void **state)
{
	static const int wbits[] = { 15, 31, -15 };
	static const int flushes[] = { Z_BLOCK, Z_TREES };
	static const size_t steps[] = { 1000000, 100 };
	size_t w, f, s, i, points[PIECES];

	for (w = 0; w < NR(wbits); w++)
		for (f = 0; f < NR(flushes); f++)
			for (s = 0; s < NR(steps); s++) {
				struct trace got = { 0 }, want = { 0 };
				struct buf packed = { 0 };

				pack(wbits[w], Z_SYNC_FLUSH, &packed, points);
				walk(&ours, wbits[w], &packed, flushes[f], steps[s], 1000000, &got);
				walk(&ref, wbits[w], &packed, flushes[f], steps[s], 1000000, &want);
				assert_same_trace(&got, &want);
				for (i = 0; i < got.nr; i++) {
					assert_int_equal(got.calls[i].avail_in, want.calls[i].avail_in);
					assert_int_equal(got.calls[i].avail_out,
							 want.calls[i].avail_out);
					assert_int_equal(got.calls[i].data_type,
							 want.calls[i].data_type);
				}
				trace_free(&got);
				trace_free(&want);
				buf_free(&packed);
			}
}

/* Marks between ordinary calls: only zlib itself has them to the bit. */
static void marks_between_ordinary_calls(void **state)
{
	struct trace got = { 0 }, want = { 0 };
	struct buf packed = { 0 };
	size_t points[PIECES];

	pack(15, Z_SYNC_FLUSH, &packed, points);
	walk(&ours, 15, &packed, Z_NO_FLUSH, 333, 777, &got);
	walk(&ref, 15, &packed, Z_NO_FLUSH, 333, 777, &want);
	if (test_mode == MODE_SOFT)
		assert_same_trace(&got, &want);
	trace_free(&got);
	trace_free(&want);
	buf_free(&packed);
}

/* Random access as in zlib's zran: start at a block with bits of the byte before and a window. */
static void prime_and_dictionary_start_inside(void **state)
{
	struct buf packed = { 0 };
	z_stream strm = { 0 };
	size_t points[PIECES], starts = 0;
	int ret;

	pack(15, Z_BLOCK, &packed, points);
	strm.next_in = packed.data;
	strm.avail_in = packed.len;
	strm.next_out = back;
	strm.avail_out = sizeof(back);
	assert_int_equal(ref.inflateInit2_(&strm, 15, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
	do {
		ret = ref.inflate(&strm, Z_BLOCK);
		/* Behind a block that is not the last (zlib.h on data_type). */
		if (ret == Z_OK && strm.data_type & 128 && !(strm.data_type & 64) && strm.total_out) {
			static unsigned char rest[sizeof(plain)];
			size_t from = strm.total_out, window = from < 32768 ? from : 32768;
			int bits = strm.data_type & 7;
			z_stream in = { 0 };

			assert_int_equal(inflateInit2(&in, -15), Z_OK);
			in.next_in = packed.data + strm.total_in;
			in.avail_in = packed.len - strm.total_in;
			if (bits)
				assert_int_equal(ours.inflatePrime(&in, bits,
								   packed.data[strm.total_in - 1] >>
									   (8 - bits)),
						 Z_OK);
			assert_int_equal(ours.inflateSetDictionary(&in, plain + from - window, window),
					 Z_OK);
			in.next_out = rest;
			in.avail_out = sizeof(rest);
			assert_int_equal(ours.inflate(&in, Z_NO_FLUSH), Z_STREAM_END);
			assert_int_equal(in.total_out, sizeof(plain) - from);
			assert_memory_equal(rest, plain + from, in.total_out);
			assert_int_equal(in.avail_in, 4);
			assert_int_equal(ours.inflateEnd(&in), Z_OK);
			starts++;
		}
	} while (ret == Z_OK);
	assert_int_equal(ret, Z_STREAM_END);
	assert_true(starts >= PIECES - 1);
	ref.inflateEnd(&strm);
	buf_free(&packed);
}

/* Bits are put in, and a sync point is looked for, behind what was read: also where that made no output yet. */
static void asked_where_nothing_was_made(void **state)
{
	static unsigned char text[90000], room[2][90000];
	static const int wrappers[] = { -15, 15, 31 };
	struct buf packed = { 0 };

	gen_fill(GEN_MIXED, text, sizeof(text));
	for (size_t w = 0; w < 3; w++)
		for (int what = 0; what < 5; what++)
			for (uInt in = 1; in < 60; in += 1 + in / 16) {
				z_stream strm[2];
				long got[2];
				int ret[2];

				packed.len = 0;
				deflate_all(&ref, wrappers[w], 6, 0, text, sizeof(text), &packed);
				for (int n = 0; n < 2; n++) {
					const struct zlib_api *z = n ? &ref : &ours;
					z_stream *s = &strm[n];

					*s = (z_stream){ .next_in = packed.data, .avail_in = in,
							 .next_out = room[n] };
					assert_int_equal(z->inflateInit2_(s, wrappers[w], ZLIB_VERSION, (int)sizeof(*s)),
							 Z_OK);
					z->inflate(s, Z_NO_FLUSH);
					/* An engine may have read ahead of its room: then there is nothing to compare. */
					got[n] = s->avail_in ? -99 : what == 0 ? z->inflatePrime(s, 3, 5) :
						 what == 1 ? z->inflateSync(s) :
						 what == 2 ? z->inflateMark(s) :
						 what == 3 ? z->inflateSyncPoint(s) : (long)z->inflateCodesUsed(s);
					s->avail_in = (uInt)(packed.data + packed.len - s->next_in);
					s->avail_out = sizeof(room[n]);
				}
				if (got[0] != -99 && got[1] != -99) {
					assert_int_equal(got[0], got[1]);
					ret[0] = ours.inflate(&strm[0], Z_NO_FLUSH);
					ret[1] = ref.inflate(&strm[1], Z_NO_FLUSH);
					assert_int_equal(ret[0], ret[1]);
					assert_int_equal(strm[0].total_out, strm[1].total_out);
					assert_memory_equal(room[0], room[1], strm[0].total_out);
					assert_string_equal(strm[0].msg ? strm[0].msg : "", strm[1].msg ? strm[1].msg : "");
				}
				ours.inflateEnd(&strm[0]);
				ref.inflateEnd(&strm[1]);
			}
	buf_free(&packed);
}

static void prime_limits(void **state)
{
	z_stream strm = { 0 };

	assert_int_equal(inflateInit2(&strm, -15), Z_OK);
	assert_int_equal(ours.inflatePrime(&strm, 16, 0), Z_OK);
	assert_int_equal(ours.inflatePrime(&strm, 16, 0), Z_OK);
	assert_int_equal(ours.inflatePrime(&strm, 1, 0), Z_STREAM_ERROR);
	assert_int_equal(ours.inflatePrime(&strm, -1, 0), Z_OK); /* empties it */
	assert_int_equal(ours.inflatePrime(&strm, 17, 0), Z_STREAM_ERROR);
	assert_int_equal(ours.inflatePrime(&strm, 0, 0), Z_OK);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
}

/* With inflateValidate(0) a wrong check is not noticed, with 1 it is. */
static void validate_switches_the_check(void **state)
{
	static const int wbits[] = { 15, 31 };
	size_t w, points[PIECES];
	int check;

	for (w = 0; w < NR(wbits); w++)
		for (check = 0; check <= 1; check++) {
			struct buf packed = { 0 };
			z_stream strm = { 0 };

			pack(wbits[w], Z_SYNC_FLUSH, &packed, points);
			packed.data[packed.len - (wbits[w] > 15 ? 8 : 1)] ^= 1;
			assert_int_equal(inflateInit2(&strm, wbits[w]), Z_OK);
			assert_int_equal(ours.inflateValidate(&strm, check), Z_OK);
			strm.next_in = packed.data;
			strm.avail_in = packed.len;
			strm.next_out = back;
			strm.avail_out = sizeof(back);
			assert_int_equal(ours.inflate(&strm, Z_FINISH),
					 check ? Z_DATA_ERROR : Z_STREAM_END);
			assert_int_equal(strm.total_out, sizeof(plain));
			assert_int_equal(ours.inflateEnd(&strm), Z_OK);
			buf_free(&packed);
		}
}

static void undermine_answers_as_zlib(void **state)
{
	z_stream strm = { 0 }, want = { 0 };

	assert_int_equal(inflateInit2(&strm, 15), Z_OK);
	assert_int_equal(ref.inflateInit2_(&want, 15, ZLIB_VERSION, (int)sizeof(want)), Z_OK);
	assert_int_equal(ours.inflateUndermine(&strm, 1), ref.inflateUndermine(&want, 1));
	assert_int_equal(ours.inflateUndermine(&strm, 0), ref.inflateUndermine(&want, 0));
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	ref.inflateEnd(&want);
}

/* Input that was taken for output that nobody has had yet is looked through like any other. */
static void sync_where_input_was_taken_ahead(void **state)
{
	/* From the room for a device's own output on, that has to wait in the device. */
	static const size_t rooms[] = { 1, 10, 73, 514, 3601, 25210, 66000, 79999, 99000 };
	struct buf packed = { 0 };
	size_t points[PIECES];

	pack(15, Z_FULL_FLUSH, &packed, points);
	for (size_t i = 0; i < NR(rooms); i++) {
		size_t room = rooms[i];
		z_stream strm = { .next_in = packed.data, .avail_in = packed.len };
		size_t made;
		int ret;

		assert_int_equal(inflateInit2(&strm, 15), Z_OK);
		strm.next_out = back;
		strm.avail_out = room;
		assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), Z_OK);
		assert_int_equal(strm.avail_out, 0);
		assert_memory_equal(back, plain, room);
		assert_int_equal(ours.inflateSync(&strm), Z_OK);
		assert_int_equal(strm.total_out, room);
		strm.next_out = back;
		strm.avail_out = sizeof(back);
		ret = ours.inflate(&strm, Z_NO_FLUSH);
		assert_int_equal(ret, Z_STREAM_END);
		made = strm.total_out - room;
		/* All from the end of a piece on, and of a piece that is near. */
		assert_int_equal(made % PIECE, 0);
		assert_true(made + room + PIECE >= sizeof(plain) || test_mode != MODE_SOFT);
		assert_memory_equal(back, plain + sizeof(plain) - made, made);
		assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	}
	buf_free(&packed);
}

/* Wherever input has ended: what was read and has made no output yet is looked through again. */
static void sync_where_input_has_ended(void **state)
{
	struct buf packed = { 0 };
	size_t points[PIECES];

	pack(31, Z_FULL_FLUSH, &packed, points);
	for (size_t cut = 30; cut < points[3]; cut += 21) {
		const struct zlib_api *apis[] = { &ours, &ref };
		z_stream strm[2] = { { 0 }, { 0 } };
		int ret[2], without[2] = { 0, 0 };
		size_t made[2];

		for (size_t i = 0; i < NR(apis); i++) {
			z_stream *s = &strm[i];

			assert_int_equal(apis[i]->inflateInit2_(s, 31, ZLIB_VERSION, (int)sizeof(*s)), Z_OK);
			s->next_in = packed.data;
			s->avail_in = cut;
			s->next_out = back;
			s->avail_out = sizeof(back);
			assert_int_equal(apis[i]->inflate(s, Z_NO_FLUSH), Z_OK);
			assert_int_equal(s->avail_in, 0);
			/* Whether there is anything to look through depends on the bits that are left. */
			if (cut & 1)
				without[i] = apis[i]->inflateSync(s);
			s->avail_in = packed.len - cut;
			ret[i] = apis[i]->inflateSync(s);
			made[i] = s->total_out;
			s->next_out = back;
			s->avail_out = sizeof(back);
		}
		/* A device may hold the last symbol of what has ended back. */
		if (made[0] == made[1])
			assert_int_equal(without[0], without[1]);
		assert_int_equal(ret[0], ret[1]);
		assert_int_equal(strm[0].total_in, strm[1].total_in);
		for (size_t i = 0; i < NR(apis); i++) {
			ret[i] = apis[i]->inflate(&strm[i], Z_NO_FLUSH);
			made[i] = strm[i].total_out - made[i];
			assert_memory_equal(back, plain + sizeof(plain) - made[i], made[i]);
			apis[i]->inflateEnd(&strm[i]);
		}
		assert_int_equal(ret[0], ret[1]);
		assert_int_equal(made[0], made[1]);
	}
	buf_free(&packed);
}

/* What is there of a trailer is looked through without any further input, too, as far as zlib has it. */
static void sync_without_input_near_the_end(void **state)
{
	static const int wbits[] = { 15, 31 };
	size_t points[PIECES];

	for (size_t w = 0; w < NR(wbits); w++) {
		struct buf packed = { 0 };

		pack(wbits[w], Z_NO_FLUSH, &packed, points);
		for (size_t lack = 1; lack < 12; lack++) {
			const struct zlib_api *apis[] = { &ours, &ref };
			uLong made[2];
			int ret[2];

			for (size_t i = 0; i < NR(apis); i++) {
				z_stream s = { 0 };

				assert_int_equal(apis[i]->inflateInit2_(&s, wbits[w], ZLIB_VERSION, (int)sizeof(s)), Z_OK);
				s.next_in = packed.data;
				s.avail_in = packed.len - lack;
				s.next_out = back;
				s.avail_out = sizeof(back);
				assert_int_equal(apis[i]->inflate(&s, Z_NO_FLUSH), Z_OK);
				made[i] = s.total_out;
				ret[i] = apis[i]->inflateSync(&s);
				apis[i]->inflateEnd(&s);
			}
			/* A device may hold the last symbol of what has ended back, but not in the trailer. */
			assert_true(made[0] == made[1] || lack > (wbits[w] == 15 ? 4 : 8));
			if (made[0] == made[1])
				assert_int_equal(ret[0], ret[1]);
		}
		buf_free(&packed);
	}
}

/* The device has failed, and software has not yet made what input was taken for. */
static void sync_after_a_failure(const void *arg, void *result)
{
	size_t points[PIECES], made;
	struct buf packed = { 0 };
	z_stream strm = { 0 };

	setenv("WD_DEVICE", "emu:threads=1,fault=error@2", 1);
	pack(15, Z_FULL_FLUSH, &packed, points);
	assert_int_equal(inflateInit2(&strm, 15), Z_OK);
	strm.next_in = packed.data;
	strm.avail_in = packed.len;
	strm.next_out = back;
	strm.avail_out = *(const uInt *)arg;
	assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), Z_OK);
	assert_int_equal(strm.avail_out, 0);
	made = strm.total_out;
	assert_int_equal(ours.inflateSync(&strm), Z_OK);
	strm.next_out = back;
	strm.avail_out = sizeof(back);
	assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), Z_STREAM_END);
	made = strm.total_out - made;
	/* The next piece, whatever had been read. */
	assert_int_equal(made, (sizeof(plain) - *(const uInt *)arg) / PIECE * PIECE);
	assert_memory_equal(back, plain + sizeof(plain) - made, made);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	*(int *)result = 1;
}

static void sync_of_what_software_has_to_read(void **state)
{
	static const uInt rooms[] = { 66000, 70000, 81000, 95000 };

	for (size_t i = 0; i < NR(rooms) && test_mode == MODE_EMU; i++) {
		int is_right = 0;

		assert_int_equal(run_in_child(sync_after_a_failure, &rooms[i], &is_right, sizeof(is_right)), 0);
		assert_true(is_right);
	}
}

/* The first one before this process has read its settings. */
/* A wrong trailer, or the beginning of one, is looked through as well: the marker may be there, or begin there. */
static void sync_looks_through_the_trailer(void **state)
{
	static const unsigned char words[][8] = { { 0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff },
						  { 7, 7, 0, 0, 0xff, 0xff, 7, 7 },
						  { 7, 7, 7, 7, 7, 7, 7, 7 } };
	enum { END = 100 };
	size_t points[PIECES];

	for (int n = 0; n < 2 * 3 * 9 * 2; n++) {
		const int bits = n % 2 ? 31 : 15, word = n / 2 % 3, cut = n / 6 % 9, is_sound = n / 54;
		const size_t len = bits == 31 ? 8 : 4;
		struct trace traces[2] = { { 0 }, { 0 } };
		struct buf packed = { 0 };
		size_t at;

		pack(bits, Z_FULL_FLUSH, &packed, points);
		at = packed.len - len;
		if (!is_sound)
			memcpy(packed.data + at, words[word], len);
		else if (bits == 31)
			memcpy(packed.data + at + 4, words[word], 4);
		buf_room(&packed, END);
		memcpy(packed.data + at + len, "\0\0\377\377\3", 5);
		memset(packed.data + at + len + 5, 9, END - 5);
		for (int i = 0; i < 2; i++) {
			const struct zlib_api *z = i ? &ref : &ours;
			z_stream strm = { .next_in = packed.data, .avail_in = (uInt)(at + (size_t)cut) };
			int ret = Z_OK;

			assert_int_equal(z->inflateInit2_(&strm, bits, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
			while (ret == Z_OK) {
				strm.next_out = back;
				strm.avail_out = sizeof(back);
				ret = z->inflate(&strm, Z_NO_FLUSH);
			}
			if (ret == Z_STREAM_END) {
				assert_int_equal(z->inflateEnd(&strm), Z_OK);
				continue;
			}
			for (int call = 0; call < 3; call++) {
				trace_call(&traces[i], "sync", &strm, z->inflateSync(&strm));
				if (call == 1)
					strm.avail_in = (uInt)(packed.data + at + len + END - strm.next_in);
			}
			strm.next_out = back;
			strm.avail_out = sizeof(back);
			trace_call(&traces[i], "inflate", &strm, z->inflate(&strm, Z_NO_FLUSH));
			assert_int_equal(z->inflateEnd(&strm), Z_OK);
		}
		assert_same_trace(&traces[0], &traces[1]);
		trace_free(&traces[0]);
		trace_free(&traces[1]);
		buf_free(&packed);
	}
}

/* What a stream was told of checks, here or in one before it, lasts until inflateReset2(). */
enum telling { NOTHING, VALIDATE_NEW, VALIDATE_LATER, VALIDATE_BACK, SYNC_NEW, SYNC_LATER, TELLINGS };

static void tell(const struct zlib_api *z, z_stream *strm, enum telling what, const struct buf *packed,
		 const size_t *points)
{
	static unsigned char marker[] = { 0, 0, 0xff, 0xff };

	strm->next_in = packed->data;
	strm->avail_in = what == VALIDATE_NEW || what == SYNC_NEW ? 0 : points[PIECES / 2] - 100;
	strm->next_out = back;
	strm->avail_out = sizeof(back);
	if (strm->avail_in)
		assert_int_equal(z->inflate(strm, Z_NO_FLUSH), Z_OK);
	if (what == VALIDATE_NEW || what == VALIDATE_LATER || what == VALIDATE_BACK)
		assert_int_equal(z->inflateValidate(strm, 0), Z_OK);
	if (what == VALIDATE_BACK)
		assert_int_equal(z->inflateValidate(strm, 1), Z_OK);
	if (what == SYNC_NEW) {
		strm->next_in = marker;
		strm->avail_in = sizeof(marker);
	} else if (what == SYNC_LATER) {
		strm->avail_in = packed->len - strm->total_in;
	}
	if (what == SYNC_NEW || what == SYNC_LATER)
		assert_int_equal(z->inflateSync(strm), Z_OK);
}

static void reset(const struct zlib_api *z, z_stream *strm, int how, int wbits)
{
	int ret = how == 0 ? z->inflateReset(strm) :
		  how == 1 ? z->inflateResetKeep(strm) :
			     z->inflateReset2(strm, wbits);

	assert_int_equal(ret, Z_OK);
}

static void tellings_last_over_resets(void **state)
{
	static const int wbits[] = { 15, 31, 47, -15, 15 };

	for (int n = 0; n < (int)NR(wbits) * TELLINGS * 3 * 2; n++) {
		const int bits = wbits[n % NR(wbits)], how = n / NR(wbits) % 3, is_wrong = n / NR(wbits) / 3 % 2;
		const enum telling what = (enum telling)(n / (int)NR(wbits) / 6);
		struct trace traces[2] = { { 0 }, { 0 } };
		struct buf packed = { 0 };
		size_t points[PIECES];
		uLong adler[2];

		pack(bits == 47 ? 31 : bits, Z_FULL_FLUSH, &packed, points);
		for (int i = 0; i < 2; i++) {
			const struct zlib_api *z = i ? &ref : &ours;
			z_stream strm = { 0 };

			assert_int_equal(z->inflateInit2_(&strm, bits, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
			tell(z, &strm, what, &packed, points);
			adler[i] = strm.adler;
			/* Twice: the second has only the first to know it from. */
			for (int again = 0; again < 2; again++) {
				int ret = Z_OK;

				reset(z, &strm, again ? 0 : how, bits);
				trace_call(&traces[i], "reset", &strm, ret);
				packed.data[packed.len - 3] ^= is_wrong;
				strm.next_in = packed.data;
				strm.avail_in = packed.len;
				strm.next_out = back;
				strm.avail_out = sizeof(back);
				while (ret == Z_OK)
					ret = z->inflate(&strm, Z_NO_FLUSH);
				packed.data[packed.len - 3] ^= is_wrong;
				trace_call(&traces[i], "inflate", &strm, ret);
				if (what == NOTHING && bits > 0 && is_wrong)
					assert_int_equal(ret, Z_DATA_ERROR);
			}
			assert_int_equal(z->inflateEnd(&strm), Z_OK);
		}
		assert_same_trace(&traces[0], &traces[1]);
		if (what == SYNC_NEW || what == SYNC_LATER)
			assert_int_equal(adler[0], adler[1]);
		trace_free(&traces[0]);
		trace_free(&traces[1]);
		buf_free(&packed);
	}
}

TEST_MAIN(60, cmocka_unit_test(sync_of_what_software_has_to_read),
	  cmocka_unit_test(sync_skips_a_damaged_piece), cmocka_unit_test(sync_without_a_point),
	  cmocka_unit_test(sync_in_single_bytes), cmocka_unit_test(stops_at_blocks_and_trees),
	  cmocka_unit_test(marks_between_ordinary_calls),
	  cmocka_unit_test(prime_and_dictionary_start_inside), cmocka_unit_test(asked_where_nothing_was_made),
		cmocka_unit_test(prime_limits),
	  cmocka_unit_test(validate_switches_the_check), cmocka_unit_test(undermine_answers_as_zlib),
	  cmocka_unit_test(sync_where_input_was_taken_ahead), cmocka_unit_test(sync_where_input_has_ended),
	  cmocka_unit_test(sync_without_input_near_the_end),
	  cmocka_unit_test(sync_looks_through_the_trailer), cmocka_unit_test(tellings_last_over_resets))
