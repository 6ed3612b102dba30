/* SPDX-License-Identifier: Zlib */
/*
 * Bulk streams, cut into units that are in flight together: whatever an application does to them in
 * between, the output is one legal stream of exactly its input. Units of 64 KiB, so that there are many.
 */
#include "config.h"
#include "helpers.h"

#include <sys/wait.h>
#include <unistd.h>
#include "../../libz-wd/zwd.h"

enum { LEN = 1500000 };

static unsigned char *plain;
static const int formats[] = { -15, 15, 31 };

static uint64_t parallel_units(void)
{
	struct zwd_stats stats;

	zwd_stats(&stats, sizeof(stats));
	return stats.deflate_choice.parallel_units;
}

/* One call with as much room as said; Z_BUF_ERROR is no failure. Tells the answer. */
static int step(z_stream *strm, struct buf *out, size_t room, int flush)
{
	int ret;

	strm->next_out = buf_room(out, room);
	strm->avail_out = room;
	ret = ours.deflate(strm, flush);
	out->len += room - strm->avail_out;
	return ret;
}

/* Feeds len bytes; in the end, as with zlib, there is room left and all input is taken. */
static int feed(z_stream *strm, struct buf *out, size_t len, size_t room, int flush)
{
	int ret;

	strm->next_in = plain + strm->total_in;
	strm->avail_in = len;
	do {
		ret = step(strm, out, room, flush);
	} while (ret == Z_OK && !strm->avail_out);
	return ret;
}

static int is_right(int wbits, const struct buf *out, size_t len)
{
	struct buf back = { 0 };
	size_t rest;
	int ret = inflate_steps(&ref, wbits, out->data, out->len, 0, 0, &back, &rest), right;

	right = ret == Z_STREAM_END && !rest && back.len == len && !memcmp(back.data, plain, len);
	buf_free(&back);
	return right;
}

/* The rest of the stream; 0 when all is right. No cmocka: also run in a child. */
static int finish(z_stream *strm, int wbits, struct buf *out, size_t room)
{
	int ret = feed(strm, out, LEN - strm->total_in, room, Z_FINISH);

	if (ret != Z_STREAM_END || strm->total_in != LEN || strm->total_out != out->len ||
	    ours.deflateEnd(strm) != Z_OK)
		return 1;
	return is_right(wbits, out, LEN) ? 0 : 2;
}

static size_t random_len(void)
{
	static const size_t limits[] = { 50, 5000, 70000, 300000, 1000000 };

	return 1 + test_random_below(limits[test_random_below(5)]);
}

static void buf_copy(struct buf *to, const struct buf *from)
{
	*to = (struct buf){ 0 };
	buf_add(to, from->data, from->len);
}

static void copy_and_finish(z_stream *strm, int wbits, const struct buf *out)
{
	struct buf to = { 0 };
	z_stream copy;

	assert_int_equal(ours.deflateCopy(&copy, strm), Z_OK);
	buf_copy(&to, out);
	assert_int_equal(finish(&copy, wbits, &to, 1000 + test_random_below(200000)), 0);
	buf_free(&to);
}

static void fork_and_finish(z_stream *strm, int wbits, struct buf *out)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		alarm(300);
		_exit(finish(strm, wbits, out, 100000));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void check_dictionary(z_stream *strm)
{
	unsigned char dict[32768];
	uInt len = 0;

	assert_int_equal(ours.deflateGetDictionary(strm, dict, &len), Z_OK);
	assert_true(len <= strm->total_in);
	assert_memory_equal(dict, plain + strm->total_in - len, len);
}

/* Everything at once, at random moments. */
static void random_script(int wbits)
{
	static const int flushes[] = { Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_PARTIAL_FLUSH, Z_BLOCK };
	size_t room = random_len() + 100, in_max = random_len();
	unsigned int calls = 0, twins = 0, pending;
	z_stream strm = { 0 };
	struct buf out = { 0 };
	int bits;

	assert_int_equal(deflateInit2(&strm, 1 + test_random_below(6), Z_DEFLATED, wbits,
				      8 + test_random_below(2), 0),
			 Z_OK);
	while (strm.total_in < LEN * 9 / 10 && ++calls < 1000) {
		size_t len = 1 + test_random_below(in_max);
		int flush = Z_NO_FLUSH, ret;

		if (len > LEN - strm.total_in)
			len = LEN - strm.total_in;
		if (test_random_below(100) < 3)
			flush = flushes[test_random_below(4)];
		ret = feed(&strm, &out, len, room, flush);
		assert_true(ret == Z_OK || ret == Z_BUF_ERROR);
		assert_int_equal(strm.avail_in, 0);
		assert_int_equal(strm.total_out, out.len);
		switch (test_random_below(60)) {
		case 0:
			if (++twins < 4)
				copy_and_finish(&strm, wbits, &out);
			break;
		case 1:
			if (!IS_TSAN && ++twins < 4)
				fork_and_finish(&strm, wbits, &out);
			break;
		case 2:
			check_dictionary(&strm);
			break;
		case 3:
			assert_int_equal(ours.deflatePending(&strm, &pending, &bits), Z_OK);
			break;
		case 4:
			do {
				strm.next_out = buf_room(&out, room);
				strm.avail_out = room;
				ret = ours.deflateParams(&strm, test_random_below(10), 0);
				out.len += room - strm.avail_out;
			} while (ret == Z_BUF_ERROR);
			assert_int_equal(ret, Z_OK);
			break;
		case 5:
			if (test_random_below(8))
				break;
			assert_int_equal(ours.deflateReset(&strm), Z_OK);
			out.len = 0;
			break;
		}
	}
	assert_int_equal(finish(&strm, wbits, &out, room), 0);
	buf_free(&out);
}

static void random_scripts(void **state)
{
	int i, nr = IS_TSAN ? 6 : 15;

	for (i = 0; i < nr; i++)
		random_script(formats[i % 3]);
}

/* A sound device had all units of a stream but for a few, several at a time. */
static void assert_all_parallel(uint64_t before)
{
	if (test_mode == MODE_EMU)
		assert_in_range(parallel_units() - before, LEN / 65536 - 2, LEN / 65536 + 1);
}

/* Pieces of every size, only ever given: what most programs do. */
static void in_pieces(void **state)
{
	static const size_t steps[] = { 5000, 16384, 65536, 100000, LEN };
	size_t i;

	for (i = 0; i < 15; i++) {
		int wbits = formats[i % 3], ret = Z_OK;
		uint64_t before = parallel_units();
		z_stream strm = { 0 };
		struct buf out = { 0 };

		assert_int_equal(deflateInit2(&strm, 6, Z_DEFLATED, wbits, 8, 0), Z_OK);
		while (ret == Z_OK && strm.total_in + steps[i / 3] < LEN)
			ret = feed(&strm, &out, steps[i / 3], 65536, Z_NO_FLUSH);
		assert_int_equal(ret, Z_OK);
		assert_int_equal(finish(&strm, wbits, &out, 65536), 0);
		assert_all_parallel(before);
		buf_free(&out);
	}
}

/* From the caller's own buffer, with room for all of it. */
static void in_one_call(void **state)
{
	for (int i = 0; i < 3; i++) {
		uint64_t before = parallel_units();
		z_stream strm = { 0 };
		struct buf out = { 0 };

		assert_int_equal(deflateInit2(&strm, 6, Z_DEFLATED, formats[i], 8, 0), Z_OK);
		assert_int_equal(finish(&strm, formats[i], &out, 2 * LEN), 0);
		assert_all_parallel(before);
		buf_free(&out);
	}
}

/* A flush point makes everything before it readable, while units were in flight. */
static void flush_points(void **state)
{
	static const int flushes[] = { Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_PARTIAL_FLUSH };
	size_t i;

	for (i = 0; i < 3; i++) {
		z_stream strm = { 0 };
		struct buf out = { 0 }, back = { 0 };
		size_t rest;

		assert_int_equal(deflateInit2(&strm, 1, Z_DEFLATED, 15, 8, 0), Z_OK);
		while (strm.total_in < LEN / 2)
			feed(&strm, &out, 30000, 10000, Z_NO_FLUSH);
		assert_int_equal(feed(&strm, &out, 0, 10000, flushes[i]), Z_OK);
		inflate_steps(&ref, 15, out.data, out.len, 0, 0, &back, &rest);
		assert_int_equal(back.len, strm.total_in);
		assert_memory_equal(back.data, plain, back.len);
		/* Twice the same is no progress, and adds nothing. */
		rest = out.len;
		assert_int_equal(step(&strm, &out, 100, flushes[i]), Z_BUF_ERROR);
		assert_int_equal(out.len, rest);
		assert_int_equal(finish(&strm, 15, &out, 100000), 0);
		buf_free(&out);
		buf_free(&back);
	}
}

/* Ended in mid-stream, nothing of it is left on the device for the next ones to wait for. */
static void abandoned(void **state)
{
	int i;

	for (i = 0; i < 20; i++) {
		z_stream strm = { 0 };
		struct buf out = { 0 };

		assert_int_equal(deflateInit2(&strm, 1, Z_DEFLATED, 31, 8, 0), Z_OK);
		feed(&strm, &out, 400000, 1000000, Z_NO_FLUSH);
		if (i & 1)
			assert_int_equal(ours.deflateReset(&strm), Z_OK);
		assert_int_equal(ours.deflateEnd(&strm), i & 1 ? Z_OK : Z_DATA_ERROR);
		buf_free(&out);
	}
}

/* Many streams that stay open in mid-flight leave room for another one. */
static void many_open(void **state)
{
	enum { NR = 20 };
	z_stream strm[NR] = { 0 };
	struct buf out[NR] = { 0 };
	int i, round;

	for (i = 0; i < NR; i++)
		assert_int_equal(deflateInit2(&strm[i], 1, Z_DEFLATED, 15, 8, 0), Z_OK);
	for (round = 0; round < 4; round++)
		for (i = 0; i < NR; i++)
			assert_int_equal(feed(&strm[i], &out[i], 200000, 300000, Z_NO_FLUSH), Z_OK);
	for (i = 0; i < NR; i++) {
		assert_int_equal(finish(&strm[i], 15, &out[i], 1000000), 0);
		buf_free(&out[i]);
	}
}

/* What waits for room is told, and comes with the next call that has it. */
static void pending_output(void **state)
{
	z_stream strm = { 0 };
	struct buf out = { 0 };
	int bits, nr = 0;

	assert_int_equal(deflateInit2(&strm, 1, Z_DEFLATED, 31, 8, 0), Z_OK);
	strm.next_in = plain;
	strm.avail_in = LEN;
	while (strm.total_out < 100000) {
		unsigned int pending = 0;

		assert_int_equal(step(&strm, &out, 1000, Z_NO_FLUSH), Z_OK);
		assert_int_equal(strm.avail_out, 0);
		assert_int_equal(ours.deflatePending(&strm, &pending, &bits), Z_OK);
		if (!pending)
			continue;
		nr++;
		assert_int_equal(step(&strm, &out, pending, Z_NO_FLUSH), Z_OK);
		assert_int_equal(strm.avail_out, 0);
	}
	assert_true(nr > 0);
	strm.avail_in = 0;
	assert_int_equal(finish(&strm, 31, &out, 100000), 0);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pending_output), cmocka_unit_test(in_one_call),
		cmocka_unit_test(in_pieces),	cmocka_unit_test(flush_points),
		cmocka_unit_test(abandoned),	cmocka_unit_test(many_open),
		cmocka_unit_test(random_scripts),
	};

	setenv("ZWD_UNIT", "64K", 1);
	test_begin(120);
	plain = gen_alloc(GEN_MIXED, LEN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
