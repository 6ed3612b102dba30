/* SPDX-License-Identifier: Zlib */
/* inflate() of truncated and corrupted streams: zlib's verdict, and never a wrong byte before it. */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static const int wrappers[] = { 15, 31, -15 };

struct result {
	int ret;
	uLong total_in;
	char msg[64];
	struct buf out;
};

static void decode(const struct zlib_api *z, int wbits, const void *src, size_t len, int flush,
		   struct result *result)
{
	z_stream strm = { .next_in = (z_const Bytef *)src, .avail_in = len };
	int calls = 0;

	memset(result, 0, sizeof(*result));
	assert_int_equal(z->inflateInit2_(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
	do { /* a corrupted stream may become long */
		static unsigned char room[100000];

		strm.next_out = room;
		strm.avail_out = sizeof(room);
		result->ret = z->inflate(&strm, flush);
		buf_add(&result->out, room, sizeof(room) - strm.avail_out);
	} while (!strm.avail_out && (result->ret == Z_OK || result->ret == Z_BUF_ERROR) &&
		 ++calls < 20);
	result->total_in = strm.total_in;
	snprintf(result->msg, sizeof(result->msg), "%s", strm.msg ? strm.msg : "");
	assert_int_equal(strm.total_out, result->out.len);
	if (result->ret == Z_DATA_ERROR) { /* an error stays one */
		strm.avail_out = 1;
		assert_int_equal(z->inflate(&strm, flush), Z_DATA_ERROR);
		assert_int_equal(strm.avail_out, 1);
	}
	assert_int_equal(z->inflateEnd(&strm), Z_OK);
}

static void assert_same_verdict(int wbits, const void *src, size_t len, int flush)
{
	struct result got, want;

	decode(&ours, wbits, src, len, flush, &got);
	decode(&ref, wbits, src, len, flush, &want);
	if (got.ret != want.ret)
		fail_msg("ret %d %s after %zu bytes, zlib: %d %s after %zu", got.ret, got.msg,
			 got.out.len, want.ret, want.msg, want.out.len);
	assert_string_equal(got.msg, want.msg);
	assert_int_equal(got.total_in, want.total_in);
	assert_int_equal(got.out.len, want.out.len);
	if (want.out.len)
		assert_memory_equal(got.out.data, want.out.data, want.out.len);
	buf_free(&got.out);
	buf_free(&want.out);
}

static void truncated_at_every_byte(void **state)
{
	static unsigned char plain[2000];
	size_t w, cut, g;

	for (g = 0; g < GEN_NR; g++) {
		gen_fill((enum gen)g, plain, sizeof(plain));
		for (w = 0; w < NR(wrappers); w++) {
			struct buf packed = { 0 };
			size_t step;

			deflate_all(&ref, wrappers[w], 6, Z_DEFAULT_STRATEGY, plain, sizeof(plain),
				    &packed);
			step = 1 + packed.len / 300;
			for (cut = 0; cut < packed.len; cut += step) {
				assert_same_verdict(wrappers[w], packed.data, cut, Z_FINISH);
				assert_same_verdict(wrappers[w], packed.data, cut, Z_SYNC_FLUSH);
			}
			buf_free(&packed);
		}
	}
}

/* Cut inside the trailer of a long stream: all data, but no end. */
static void truncated_trailer_is_no_end(void **state)
{
	size_t len = 1500000, w, cut;
	unsigned char *plain = gen_alloc(GEN_JSON, len);

	for (w = 0; w < 2; w++) {
		struct buf packed = { 0 };

		deflate_all(&ref, wrappers[w], 1, Z_DEFAULT_STRATEGY, plain, len, &packed);
		for (cut = 1; cut <= (wrappers[w] == 31 ? 8 : 4); cut++) {
			struct result got;

			decode(&ours, wrappers[w], packed.data, packed.len - cut, Z_SYNC_FLUSH, &got);
			assert_true(got.ret == Z_OK || got.ret == Z_BUF_ERROR);
			assert_int_equal(got.out.len, len);
			assert_int_equal(got.total_in, packed.len - cut);
			buf_free(&got.out);
		}
		buf_free(&packed);
	}
	free(plain);
}

/* Where zlib stands with input in two pieces. */
static void decode_pieces(const struct zlib_api *z, const struct buf *packed, size_t first,
			  struct result *result)
{
	static unsigned char room[4096];
	z_stream strm = { .next_in = packed->data, .avail_in = (uInt)first };

	assert_int_equal(z->inflateInit2_(&strm, 31, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
	strm.next_out = room;
	strm.avail_out = sizeof(room);
	result->ret = z->inflate(&strm, Z_NO_FLUSH);
	if (result->ret == Z_OK || result->ret == Z_BUF_ERROR) {
		assert_int_equal(strm.avail_in, 0);
		strm.avail_in = (uInt)(packed->len - first);
		result->ret = z->inflate(&strm, Z_NO_FLUSH);
	}
	result->total_in = strm.total_in;
	result->out.len = strm.total_out;
	snprintf(result->msg, sizeof(result->msg), "%s", strm.msg ? strm.msg : "");
	assert_int_equal(z->inflateEnd(&strm), Z_OK);
}

/* Around the end of the body a byte more or less makes something else the checksum. */
static void moved_checks(void **state)
{
	unsigned char plain[200];
	size_t g, len;

	for (g = 0; g < GEN_NR * 8; g++) {
		struct buf packed = { 0 }, damaged = { 0 };
		size_t at, first;
		int kind;

		len = 3 + g * 7 % sizeof(plain);
		gen_fill((enum gen)(g % GEN_NR), plain, len);
		deflate_all(&ref, 31, 6, g / GEN_NR % 2 ? Z_FIXED : Z_DEFAULT_STRATEGY, plain, len, &packed);
		for (at = packed.len - 11; at < packed.len; at++)
			for (kind = 0; kind < 3; kind++) {
				unsigned char byte = kind ? packed.data[at] : 0xd0;

				damaged.len = 0;
				buf_add(&damaged, packed.data, at);
				if (kind < 2)
					buf_add(&damaged, &byte, 1);
				buf_add(&damaged, packed.data + at + (kind == 2),
					packed.len - at - (kind == 2));
				for (first = damaged.len - 12; first < damaged.len; first++) {
					struct result got, want;

					decode_pieces(&ours, &damaged, first, &got);
					decode_pieces(&ref, &damaged, first, &want);
					assert_int_equal(got.ret, want.ret);
					assert_string_equal(got.msg, want.msg);
					assert_int_equal(got.total_in, want.total_in);
					assert_int_equal(got.out.len, want.out.len);
				}
			}
		buf_free(&packed);
		buf_free(&damaged);
	}
}

/*
 * Readers that stop where their input is used up, as zlib's own gz functions do, get of a truncated
 * stream what zlib gives: input must not run ahead of the output.
 */
static size_t read_until_input_ends(const struct zlib_api *z, const struct buf *packed, size_t len,
				    size_t in_step, size_t room)
{
	static unsigned char out[65536];
	z_stream strm = { 0 };
	size_t pos = 0, total;
	int ret = Z_OK;

	assert_int_equal(z->inflateInit2_(&strm, 31, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
	while (ret == Z_OK) {
		if (!strm.avail_in) {
			size_t nr = in_step < len - pos ? in_step : len - pos;

			if (!nr)
				break;
			strm.next_in = packed->data + pos;
			strm.avail_in = nr;
			pos += nr;
		}
		strm.next_out = out;
		strm.avail_out = room;
		ret = z->inflate(&strm, Z_NO_FLUSH);
	}
	total = strm.total_out;
	assert_int_equal(z->inflateEnd(&strm), Z_OK);
	return total;
}

static void input_does_not_run_ahead(void **state)
{
	/* An engine may want more bits than the last symbols before the cut have. */
	const size_t slack = test_mode == MODE_SOFT ? 0 : 64;
	static const size_t rooms[] = { 16384, 1000, 65536 };
	size_t len = 300000, r, cut;
	unsigned char *plain = gen_alloc(GEN_TEXT, len);
	struct buf packed = { 0 };

	deflate_all(&ref, 31, 6, 0, plain, len, &packed);
	for (r = 0; r < NR(rooms); r++)
		for (cut = 0; cut < packed.len; cut += 5000) {
			size_t want = read_until_input_ends(&ref, &packed, packed.len - cut, 8192,
							    rooms[r]);

			assert_true(read_until_input_ends(&ours, &packed, packed.len - cut, 8192,
							  rooms[r]) + slack >= want);
		}
	buf_free(&packed);
	free(plain);
}

static void corrupted_at_every_byte(void **state)
{
	static const unsigned char masks[] = { 0xff, 0x01, 0x80, 0x10 };
	static const int levels[] = { 6, 1, 0 };
	static unsigned char plain[1000];
	size_t w, at, m, l;

	for (l = 0; l < NR(levels); l++) {
		gen_fill(l ? GEN_BINARY : GEN_TEXT, plain, sizeof(plain));
		for (w = 0; w < NR(wrappers); w++) {
			struct buf packed = { 0 };

			deflate_all(&ref, wrappers[w], levels[l], Z_DEFAULT_STRATEGY, plain,
				    sizeof(plain), &packed);
			for (at = 0; at < packed.len; at++) {
				m = at % NR(masks);
				packed.data[at] ^= masks[m];
				assert_same_verdict(wrappers[w], packed.data, packed.len, Z_FINISH);
				packed.data[at] ^= masks[m];
			}
			buf_free(&packed);
		}
	}
}

static void wrong_checks(void **state)
{
	static const struct {
		int wbits;
		size_t from_end;
		const char *msg;
	} rows[] = {
		{ 15, 1, "incorrect data check" },   { 15, 4, "incorrect data check" },
		{ 31, 8, "incorrect data check" },   { 31, 5, "incorrect data check" },
		{ 31, 4, "incorrect length check" }, { 31, 1, "incorrect length check" },
		{ 47, 8, "incorrect data check" },   { 47, 1, "incorrect length check" },
	};
	static const size_t sizes[] = { 0, 5, 1000, 300000 };
	size_t r, s;

	for (r = 0; r < NR(rows); r++)
		for (s = 0; s < NR(sizes); s++) {
			unsigned char *plain = gen_alloc(GEN_SOURCE, sizes[s]);
			struct buf packed = { 0 };
			struct result got;

			deflate_all(&ref, rows[r].wbits == 15 ? 15 : 31, 6, Z_DEFAULT_STRATEGY, plain, sizes[s],
				    &packed);
			packed.data[packed.len - rows[r].from_end] ^= 0x20;
			decode(&ours, rows[r].wbits, packed.data, packed.len, Z_FINISH, &got);
			assert_int_equal(got.ret, Z_DATA_ERROR);
			assert_string_equal(got.msg, rows[r].msg);
			assert_int_equal(got.out.len, sizes[s]);
			assert_memory_equal(got.out.data, plain, sizes[s]);
			buf_free(&got.out);
			assert_same_verdict(rows[r].wbits, packed.data, packed.len, Z_FINISH);
			free(plain);
			buf_free(&packed);
		}
}

/* Headers and blocks that no encoder writes; the words are zlib's in every mode. */
static void malformed_streams(void **state)
{
	static const struct {
		int wbits;
		size_t len;
		const char *bytes, *msg;
	} rows[] = {
		{ 15, 2, "\x78\x9d", "incorrect header check" },
		{ 15, 2, "\x1f\x8b", "incorrect header check" },
		{ 15, 2, "\x77\x85", "unknown compression method" },
		{ 15, 2, "\x88\x1c", "invalid window size" },
		{ 31, 2, "\x78\x9c", "incorrect header check" },
		{ 47, 2, "\x79\x9c", "incorrect header check" },
		{ 47, 10, "\x1f\x8b\x07\0\0\0\0\0\0\3", "unknown compression method" },
		{ 31, 10, "\x1f\x8b\x08\xe0\0\0\0\0\0\3", "unknown header flags set" },
		{ 31, 12, "\x1f\x8b\x08\x02\0\0\0\0\0\3\x11\x11", "header crc mismatch" },
		{ -15, 1, "\x07", "invalid block type" },
		{ -15, 5, "\x01\x05\0\x05\0", "invalid stored block lengths" },
		{ -15, 3, "\xfd\xff\xff", "too many length or distance symbols" },
		{ -15, 10, "\x04\x80\x49\x92\x24\x49\x92\x24\x49\x92", "" },
		{ -15, 4, "\x04\0\xfe\xff", "invalid code lengths set" },
		{ -15, 3, "\x4b\x04\x62", "" },
		{ -15, 3, "\x03\x02\x00", "" },
	};
	size_t r;

	for (r = 0; r < NR(rows); r++) {
		struct result got, want;

		decode(&ours, rows[r].wbits, rows[r].bytes, rows[r].len, Z_NO_FLUSH, &got);
		decode(&ref, rows[r].wbits, rows[r].bytes, rows[r].len, Z_NO_FLUSH, &want);
		if (*rows[r].msg) {
			assert_int_equal(got.ret, Z_DATA_ERROR);
			assert_string_equal(got.msg, rows[r].msg);
		}
		assert_int_equal(got.ret, want.ret);
		assert_int_equal(!*got.msg, !*want.msg);
		buf_free(&got.out);
		buf_free(&want.out);
	}
}

/* A distance that reaches before the first byte. */
static void distance_too_far_back(void **state)
{
	static unsigned char plain[40000];
	struct buf packed = { 0 };
	z_stream strm = { 0 };
	struct result got;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	assert_int_equal(ref.deflateInit2_(&strm, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY,
					   ZLIB_VERSION, (int)sizeof(strm)),
			 Z_OK);
	assert_int_equal(ref.deflateSetDictionary(&strm, plain, 30000), Z_OK);
	strm.next_in = plain;
	strm.avail_in = sizeof(plain);
	strm.next_out = buf_room(&packed, sizeof(plain));
	strm.avail_out = sizeof(plain);
	assert_int_equal(ref.deflate(&strm, Z_FINISH), Z_STREAM_END);
	packed.len = strm.total_out;
	ref.deflateEnd(&strm);
	decode(&ours, -15, packed.data, packed.len, Z_FINISH, &got);
	assert_int_equal(got.ret, Z_DATA_ERROR);
	assert_string_equal(got.msg, "invalid distance too far back");
	buf_free(&got.out);
	assert_same_verdict(-15, packed.data, packed.len, Z_FINISH);
	buf_free(&packed);
}

/* After a failed zlib header, the same stream may be reset to raw and go on (as browsers do). */
static void after_an_error_reset_works(void **state)
{
	static unsigned char plain[20000], back[20000];
	struct buf packed = { 0 };
	z_stream strm = { 0 };

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	deflate_all(&ref, -15, 6, Z_DEFAULT_STRATEGY, plain, sizeof(plain), &packed);
	assert_int_equal(inflateInit2(&strm, 47), Z_OK);
	strm.next_in = packed.data;
	strm.avail_in = packed.len;
	strm.next_out = back;
	strm.avail_out = sizeof(back);
	assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), Z_DATA_ERROR);
	assert_int_equal(strm.total_out, 0);
	assert_int_equal(ours.inflateReset2(&strm, -15), Z_OK);
	assert_null(strm.msg);
	strm.next_in = packed.data;
	strm.avail_in = packed.len;
	assert_int_equal(ours.inflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_memory_equal(back, plain, sizeof(plain));
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	buf_free(&packed);
}

/* In calls with so much room: what lies before a call is in the window, or nowhere. */
static void decode_by(const struct zlib_api *z, int wbits, const struct buf *packed, uInt room, struct result *result)
{
	z_stream strm = { .next_in = packed->data, .avail_in = (uInt)packed->len };

	memset(result, 0, sizeof(*result));
	assert_int_equal(z->inflateInit2_(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
	do {
		strm.next_out = buf_room(&result->out, room);
		strm.avail_out = room;
		result->ret = z->inflate(&strm, Z_NO_FLUSH);
		result->out.len += room - strm.avail_out;
	} while (result->ret == Z_OK);
	result->total_in = strm.total_in;
	snprintf(result->msg, sizeof(result->msg), "%s", strm.msg ? strm.msg : "");
	assert_int_equal(z->inflateEnd(&strm), Z_OK);
}

/* A window that the header tells of is the window, where the caller leaves it open: however far a device looks back. */
static void distance_beyond_the_header_s_window(void **state)
{
	static const int readers[] = { 0, 15, 32, 47 };
	static const uInt rooms[] = { 200, 700, 100000 };
	static unsigned char plain[100000];
	unsigned int refused = 0;

	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	for (size_t i = 0; i < 8 * NR(readers) * NR(rooms); i++) {
		uInt room = rooms[i / 8 % NR(rooms)];
		int reader = readers[i / 8 / NR(rooms)];
		struct buf packed = { 0 };
		struct result got, want;

		deflate_all(&ref, 15, 6, Z_DEFAULT_STRATEGY, plain, sizeof(plain), &packed);
		packed.data[0] = (unsigned char)(i % 8 << 4 | 8);
		packed.data[1] &= 0xe0;
		packed.data[1] += 31 - (packed.data[0] << 8 | packed.data[1]) % 31;
		decode_by(&ours, reader, &packed, room, &got);
		decode_by(&ref, reader, &packed, room, &want);
		if (got.ret != want.ret || strcmp(got.msg, want.msg))
			fail_msg("window bits %d, %zu in the header, room %u: %d %s, zlib: %d %s", reader, i % 8 + 8,
				 room, got.ret, got.msg, want.ret, want.msg);
		assert_int_equal(got.total_in, want.total_in);
		assert_int_equal(got.out.len, want.out.len);
		assert_memory_equal(got.out.data, want.out.data, want.out.len);
		refused += want.ret == Z_DATA_ERROR;
		buf_free(&got.out);
		buf_free(&want.out);
		buf_free(&packed);
	}
	assert_true(refused);
}

TEST_MAIN(120, cmocka_unit_test(truncated_at_every_byte),
	  cmocka_unit_test(truncated_trailer_is_no_end), cmocka_unit_test(moved_checks),
	  cmocka_unit_test(input_does_not_run_ahead),
	  cmocka_unit_test(corrupted_at_every_byte),
	  cmocka_unit_test(wrong_checks), cmocka_unit_test(malformed_streams),
	  cmocka_unit_test(distance_too_far_back),
	  cmocka_unit_test(distance_beyond_the_header_s_window), cmocka_unit_test(after_an_error_reset_works))
