/* SPDX-License-Identifier: Zlib */
/* deflateCopy() in every phase of a stream; deflateReset() and a hundred uses of one stream. */
#include "config.h"
#include "helpers.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static const int wrappers[] = { 15, 31, -15 };

static void begin(z_stream *strm, int wbits, int level)
{
	memset(strm, 0, sizeof(*strm));
	assert_int_equal(ours.deflateInit2_(strm, level, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY,
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

static void finish(z_stream *strm, const unsigned char *src, size_t len, size_t room, struct buf *out)
{
	int ret;

	strm->next_in = (z_const Bytef *)src;
	strm->avail_in = len;
	do {
		ret = step(strm, Z_FINISH, room, out);
	} while (ret == Z_OK);
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(strm->total_out, out->len);
}

/*
 * A stream that took some bytes with some flush and may still hold output is copied; both go on
 * with different text, alternately and with different room.
 */
static void fork_of(int wbits, int level, size_t taken, int flush, size_t room)
{
	static unsigned char plain[2][300000];
	struct buf out[2] = { { 0 }, { 0 } };
	z_stream strm[2];
	size_t len[2] = { 250000, 120000 }, i, used;
	unsigned char *tail[2];

	gen_fill(GEN_MIXED, plain[0], sizeof(plain[0]));
	memcpy(plain[1], plain[0], taken);
	gen_fill(GEN_JSON, plain[1] + taken, sizeof(plain[1]) - taken);

	begin(&strm[0], wbits, level);
	strm[0].next_in = plain[0];
	strm[0].avail_in = taken;
	if (taken || flush)
		step(&strm[0], flush, room, &out[0]);
	used = taken - strm[0].avail_in;
	buf_add(&out[1], out[0].data, out[0].len);
	assert_int_equal(ours.deflateCopy(&strm[1], &strm[0]), Z_OK);
	assert_ptr_not_equal(strm[0].state, strm[1].state);
	assert_int_equal(strm[1].total_in, strm[0].total_in);
	assert_int_equal(strm[1].total_out, strm[0].total_out);
	assert_int_equal(strm[1].adler, strm[0].adler);

	for (i = 0; i < 2; i++) {
		tail[i] = plain[i] + used;
		len[i] -= used;
	}
	for (i = 0; i < 2; i++) {
		size_t nr = len[i] / 2;

		strm[i].next_in = tail[i];
		strm[i].avail_in = nr;
		while (strm[i].avail_in)
			step(&strm[i], Z_NO_FLUSH, 4000 + i, &out[i]);
		tail[i] += nr;
		len[i] -= nr;
	}
	for (i = 0; i < 2; i++) {
		finish(&strm[i], tail[i], len[i], 30000 + i, &out[i]);
		assert_int_equal(ours.deflateEnd(&strm[i]), Z_OK);
		assert_inflates(wbits, out[i].data, out[i].len, plain[i], i ? 120000 : 250000);
		buf_free(&out[i]);
	}
}

static void copy_in_every_phase(void **state)
{
	static const size_t taken[] = { 0, 1, 5000, 100000 };
	static const size_t rooms[] = { 1, 3, 300, 200000 };
	static const int flushes[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_PARTIAL_FLUSH, Z_BLOCK };
	size_t t, r, f, turn = 0;

	for (t = 0; t < NR(taken); t++)
		for (r = 0; r < NR(rooms); r++)
			for (f = 0; f < NR(flushes); f++, turn++)
				fork_of(wrappers[turn % 3], turn % 5 ? 6 : 0, taken[t], flushes[f],
					rooms[r]);
}

/* Z_FINISH was begun, output waits: original and copy end with the same bytes. */
static void copy_while_finishing(void **state)
{
	static unsigned char plain[50000];
	size_t w, room;

	gen_fill(GEN_SOURCE, plain, sizeof(plain));
	for (w = 0; w < NR(wrappers); w++)
		for (room = 1; room <= 4096; room *= 8) {
			struct buf out = { 0 }, copy_out = { 0 };
			z_stream strm, copy;

			begin(&strm, wrappers[w], 6);
			strm.next_in = plain;
			strm.avail_in = sizeof(plain);
			while (strm.avail_in)
				assert_int_equal(step(&strm, Z_FINISH, room, &out), Z_OK);
			assert_int_equal(ours.deflateCopy(&copy, &strm), Z_OK);
			buf_add(&copy_out, out.data, out.len);
			finish(&strm, plain, 0, 500, &out);
			finish(&copy, plain, 0, 77, &copy_out);
			assert_int_equal(out.len, copy_out.len);
			assert_memory_equal(out.data, copy_out.data, out.len);
			assert_inflates(wrappers[w], out.data, out.len, plain, sizeof(plain));
			assert_int_equal(ours.deflateEnd(&copy), Z_OK);
			assert_int_equal(ours.deflateEnd(&strm), Z_OK);
			buf_free(&out);
			buf_free(&copy_out);
		}
}

/* The original may end first, and the copy be copied again. */
static void copy_outlives_the_original(void **state)
{
	static unsigned char plain[100000];
	struct buf out = { 0 };
	z_stream strm[4];
	size_t i, piece = sizeof(plain) / NR(strm);

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	begin(&strm[0], 15, 6);
	for (i = 0; i < NR(strm); i++) {
		if (i) {
			int ret;

			assert_int_equal(ours.deflateCopy(&strm[i], &strm[i - 1]), Z_OK);
			ret = ours.deflateEnd(&strm[i - 1]);
			assert_true(ret == Z_DATA_ERROR); /* it was in the middle */
		}
		strm[i].next_in = plain + i * piece;
		strm[i].avail_in = piece;
		assert_int_equal(step(&strm[i], Z_NO_FLUSH, sizeof(plain), &out), Z_OK);
	}
	finish(&strm[i - 1], plain, 0, 1000, &out);
	assert_int_equal(ours.deflateEnd(&strm[i - 1]), Z_OK);
	assert_inflates(15, out.data, out.len, plain, sizeof(plain));
	buf_free(&out);
}

static void wrong_arguments_are_refused(void **state)
{
	z_stream strm = { 0 }, copy = { 0 };

	assert_int_equal(ours.deflateCopy(&copy, &strm), Z_STREAM_ERROR);
	assert_int_equal(ours.deflateCopy(&copy, NULL), Z_STREAM_ERROR);
	begin(&strm, 15, 6);
	assert_int_equal(ours.deflateCopy(NULL, &strm), Z_STREAM_ERROR);
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	assert_int_equal(ours.deflateReset(&strm), Z_STREAM_ERROR);
	assert_int_equal(ours.deflateResetKeep(&strm), Z_STREAM_ERROR);
	assert_int_equal(ours.deflateReset(NULL), Z_STREAM_ERROR);
}

/* The text of each use in a different size; some are given up in the middle. */
static void a_hundred_uses_of_one_stream(void **state)
{
	static unsigned char plain[100000];
	size_t w, use;

	gen_fill(GEN_MIXED, plain, sizeof(plain));
	for (w = 0; w < NR(wrappers); w++) {
		z_stream strm;

		begin(&strm, wrappers[w], 6);
		for (use = 0; use < 100; use++) {
			size_t len = use * use * 7 % sizeof(plain);
			struct buf out = { 0 }, want = { 0 };

			if (use % 3 == 2) {
				strm.next_in = plain + 1000;
				strm.avail_in = 20000 + use * 100;
				step(&strm, use % 2 ? Z_NO_FLUSH : Z_FINISH, use * 10 + 1, &out);
				out.len = 0;
				assert_int_equal(ours.deflateReset(&strm), Z_OK);
			}
			assert_int_equal(strm.total_in, 0);
			assert_int_equal(strm.total_out, 0);
			assert_null(strm.msg);
			finish(&strm, plain, len, 20000, &out);
			assert_inflates(wrappers[w], out.data, out.len, plain, len);
			if (test_mode == MODE_SOFT) { /* nothing is left of earlier uses */
				deflate_all(&ref, wrappers[w], 6, Z_DEFAULT_STRATEGY, plain, len,
					    &want);
				assert_int_equal(out.len, want.len);
				assert_memory_equal(out.data, want.data, out.len);
			}
			buf_free(&out);
			buf_free(&want);
			assert_int_equal(ours.deflateReset(&strm), Z_OK);
		}
		assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	}
}

/* A reset keeps the parameters in force, and header and dictionary are forgotten. */
static void reset_keeps_parameters_only(void **state)
{
	unsigned char plain[5000], name[] = "name";
	gz_header head = { .name = name };
	struct buf out = { 0 };
	z_stream strm;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	begin(&strm, 31, 6);
	assert_int_equal(ours.deflateSetHeader(&strm, &head), Z_OK);
	assert_int_equal(ours.deflateParams(&strm, 0, Z_DEFAULT_STRATEGY), Z_OK);
	finish(&strm, plain, sizeof(plain), 9000, &out);
	assert_int_equal(out.data[3], 8); /* FNAME */
	assert_true(out.len > sizeof(plain));
	out.len = 0;
	assert_int_equal(ours.deflateReset(&strm), Z_OK);
	finish(&strm, plain, sizeof(plain), 9000, &out);
	assert_true(out.len > sizeof(plain)); /* still level 0 */
	assert_inflates(31, out.data, out.len, plain, sizeof(plain));
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	buf_free(&out);
}

/* deflateResetKeep() begins a stream too; the window is its own affair. */
static void reset_keep_begins_a_stream(void **state)
{
	static unsigned char plain[50000];
	struct buf out = { 0 };
	z_stream strm;

	gen_fill(GEN_TEXT, plain, sizeof(plain));
	begin(&strm, 15, 6);
	assert_int_equal(ours.deflateResetKeep(&strm), Z_OK);
	assert_int_equal(strm.adler, 1);
	assert_int_equal(strm.data_type, Z_UNKNOWN);
	finish(&strm, plain, sizeof(plain), 60000, &out);
	assert_inflates(15, out.data, out.len, plain, sizeof(plain));
	assert_int_equal(ours.deflateEnd(&strm), Z_OK);
	buf_free(&out);
}

/* Output that waits for room, more of it than a stream's own memory has, goes to the copy, too. */
static void copy_while_much_waits(void **state)
{
	static unsigned char plain[400000];
	static const size_t taken[] = { 3000, 60000, 70000, 100000, 400000 };
	struct buf out[2] = { { 0 }, { 0 } };

	gen_fill(GEN_RANDOM, plain, sizeof(plain));
	for (size_t t = 0; t < NR(taken); t++) {
		z_stream strm[2];

		begin(&strm[0], 15, 6);
		strm[0].next_in = plain;
		strm[0].avail_in = taken[t];
		assert_int_equal(step(&strm[0], Z_SYNC_FLUSH, 10, &out[0]), Z_OK);
		assert_int_equal(ours.deflateCopy(&strm[1], &strm[0]), Z_OK);
		buf_add(&out[1], out[0].data, out[0].len);
		for (int i = 0; i < 2; i++) {
			size_t done = strm[i].total_in;

			finish(&strm[i], plain + done, sizeof(plain) - done, 5000, &out[i]);
			assert_inflates(15, out[i].data, out[i].len, plain, sizeof(plain));
			assert_int_equal(ours.deflateEnd(&strm[i]), Z_OK);
			out[i].len = 0;
		}
	}
	buf_free(&out[0]);
	buf_free(&out[1]);
}

/* Units one by one, of which each makes more than the memory beside a stream has room for: it waits elsewhere. */
static void copy_of_what_waits(const void *arg, void *result)
{
	enum { LEN = 2500000 };
	unsigned char *plain = gen_alloc(GEN_RANDOM, LEN);
	int wbits = *(const int *)arg;

	setenv("ZWD_DEPTH", "1", 1);
	for (int is_finish = 0; is_finish < 2; is_finish++) {
		z_stream strm[2] = { { .next_in = plain, .avail_in = LEN } };
		struct buf out[2] = { 0 };
		int ret;

		assert_int_equal(deflateInit2(&strm[0], 6, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY), Z_OK);
		strm[0].next_out = buf_room(&out[0], 100);
		strm[0].avail_out = 100;
		assert_int_equal(deflate(&strm[0], is_finish ? Z_FINISH : Z_NO_FLUSH), Z_OK);
		out[0].len = 100 - strm[0].avail_out;
		buf_add(&out[1], out[0].data, out[0].len);
		assert_int_equal(deflateCopy(&strm[1], &strm[0]), Z_OK);
		for (int i = 1; i >= 0; i--) {
			do {
				strm[i].next_out = buf_room(&out[i], 50000);
				strm[i].avail_out = 50000;
				ret = deflate(&strm[i], Z_FINISH);
				out[i].len += 50000 - strm[i].avail_out;
			} while (ret == Z_OK);
			assert_int_equal(ret, Z_STREAM_END);
			assert_int_equal(deflateEnd(&strm[i]), Z_OK);
			assert_inflates(wbits, out[i].data, out[i].len, plain, LEN);
		}
		buf_free(&out[0]);
		buf_free(&out[1]);
	}
	free(plain);
	*(int *)result = 1;
}

static void what_waits_is_copied(void **state)
{
	for (size_t w = 0; w < 3; w++) {
		int is_right = 0;

		assert_int_equal(run_in_child(copy_of_what_waits, &wrappers[w], &is_right, sizeof(is_right)), 0);
		assert_true(is_right);
	}
}

TEST_MAIN(60, cmocka_unit_test(what_waits_is_copied),
	  cmocka_unit_test(copy_in_every_phase),
	  cmocka_unit_test(copy_while_finishing),
	  cmocka_unit_test(copy_outlives_the_original),
	  cmocka_unit_test(wrong_arguments_are_refused),
	  cmocka_unit_test(a_hundred_uses_of_one_stream),
	  cmocka_unit_test(reset_keeps_parameters_only),
	  cmocka_unit_test(reset_keep_begins_a_stream), cmocka_unit_test(copy_while_much_waits))
