/* SPDX-License-Identifier: Zlib */
/*
 * Streams with flush points in them, whose parts may be read side by side: whatever lies between two of
 * them, and whatever only looks like one, the caller gets what zlib makes of it.
 */
#include "config.h"
#include "helpers.h"
#include "sanitizer.h"

#include <sys/wait.h>
#include <unistd.h>
#include "../../libz-wd/zwd.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum { LEN = 4 << 20, TAIL_LEN = 6, STEP = 131072 };

static const int formats[] = { -15, 15, 31 };
static unsigned char *text, *noise;

/* How a stream is made. */
enum kind { OWN, FULL, FULL_OFTEN, SYNC, SYNC_OF_NOISE, MIXED, WITHOUT, KINDS };

static uint64_t parallel_units(void)
{
	struct zwd_stats stats;

	zwd_stats(&stats, sizeof(stats));
	return stats.inflate_choice.parallel_units;
}

static const unsigned char *plain_of(enum kind kind)
{
	return kind == SYNC_OF_NOISE ? noise : text;
}

static int flush_of(enum kind kind, size_t at)
{
	switch (kind) {
	case FULL:
	case FULL_OFTEN:
		return Z_FULL_FLUSH;
	case SYNC:
	case SYNC_OF_NOISE:
		return Z_SYNC_FLUSH;
	case MIXED:
		return at < LEN / 2 ? Z_FULL_FLUSH : Z_SYNC_FLUSH;
	default:
		return Z_NO_FLUSH;
	}
}

/* By stock zlib, but for our own. TAIL_LEN bytes follow. */
static void make(enum kind kind, int wbits, const unsigned char *plain, size_t len, struct buf *out)
{
	const struct zlib_api *z = kind == OWN ? &ours : &ref;
	size_t step = kind == OWN ? len : kind == FULL_OFTEN ? 5000 : STEP, room;
	z_stream strm = { 0 };
	int ret;

	assert_int_equal(z->deflateInit2_(&strm, 6, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
					  (int)sizeof(strm)),
			 Z_OK);
	strm.next_in = (z_const Bytef *)plain;
	do {
		size_t nr = len - strm.total_in < step ? len - strm.total_in : step;

		strm.avail_in = nr;
		room = step + step / 4 + 1000;
		strm.next_out = buf_room(out, room);
		strm.avail_out = room;
		ret = z->deflate(&strm, strm.total_in + nr == len ? Z_FINISH : flush_of(kind, strm.total_in));
		assert_int_equal(strm.avail_in, 0);
		out->len += room - strm.avail_out;
	} while (ret == Z_OK);
	assert_int_equal(ret, Z_STREAM_END);
	assert_int_equal(z->deflateEnd(&strm), Z_OK);
	buf_add(out, "behind", TAIL_LEN);
}

/* In one call with all input and room. */
static void read_at_once(int wbits, const struct buf *packed, const unsigned char *plain, size_t len)
{
	unsigned char *back = malloc(len);
	z_stream strm = { 0 };

	strm.next_in = packed->data;
	strm.avail_in = packed->len;
	strm.next_out = back;
	strm.avail_out = len;
	assert_int_equal(inflateInit2(&strm, wbits), Z_OK);
	assert_int_equal(ours.inflate(&strm, Z_FINISH), Z_STREAM_END);
	assert_int_equal(strm.avail_in, TAIL_LEN);
	assert_int_equal(strm.total_out, len);
	assert_memory_equal(back, plain, len);
	assert_int_equal(ours.inflateEnd(&strm), Z_OK);
	free(back);
}

static void every_kind_at_once(void **state)
{
	for (int kind = 0; kind < KINDS; kind++)
		for (size_t f = 0; f < NR(formats); f++) {
			struct buf packed = { 0 };
			uint64_t units = parallel_units();

			make(kind, formats[f], plain_of(kind), LEN, &packed);
			read_at_once(formats[f], &packed, plain_of(kind), LEN);
			units = parallel_units() - units;
			if (test_mode == MODE_SOFT || kind == WITHOUT)
				assert_int_equal(units, 0);
			/* Nearly all of it, by units of 256 KiB, or of as much as was flushed, or joined to that. */
			if (test_mode == MODE_EMU && kind == OWN)
				assert_in_range(units, LEN / 262144 - 2, LEN / 262144);
			if (test_mode == MODE_EMU && kind == FULL)
				assert_in_range(units, LEN / STEP - 2, LEN / STEP);
			if (test_mode == MODE_EMU && kind == FULL_OFTEN)
				assert_in_range(units, LEN / 262144, LEN / 65536);
			/* Each try counts one, which another was sent in vain for. */
			if (test_mode == MODE_EMU && kind == SYNC)
				assert_in_range(units, 1, 4);
			if (test_mode == MODE_EMU && kind == MIXED)
				assert_in_range(units, LEN / 2 / STEP - 2, LEN / 2 / STEP + 4);
			buf_free(&packed);
		}
}

static void any_steps(void **state)
{
	static const size_t steps[][2] = { { 1, 0 },	    { 0, 1 },	       { 0, 5000 },	  { 0, 262144 },
					   { 0, 300000 },   { 70000, 600000 }, { 100001, 0 },	  { 300000, 1000000 },
					   { 1000000, LEN }, { 4096, LEN },    { 500000, 300001 } };

	for (int kind = 0; kind < KINDS; kind++)
		for (size_t t = 0; t < NR(steps); t++) {
			/* Single bytes cost a device a request each. */
			size_t len = steps[t][0] == 1 || steps[t][1] == 1 ? 2000 : LEN, rest;
			struct buf packed = { 0 }, back = { 0 };
			size_t f = (t + (size_t)kind) % NR(formats);

			make(kind, formats[f], plain_of(kind), len, &packed);
			assert_int_equal(inflate_steps(&ours, formats[f], packed.data, packed.len, steps[t][0],
						       steps[t][1], &back, &rest),
					 Z_STREAM_END);
			assert_int_equal(rest, TAIL_LEN);
			assert_int_equal(back.len, len);
			assert_memory_equal(back.data, plain_of(kind), len);
			buf_free(&packed);
			buf_free(&back);
		}
}

static size_t next_marker(const struct buf *packed, size_t from)
{
	for (; from + 4 <= packed->len; from++)
		if (!memcmp(packed->data + from, "\0\0\377\377", 4))
			return from;
	return packed->len;
}

/* Each call's input ends within a marker, before it or behind it. */
static void markers_across_calls(void **state)
{
	struct buf packed = { 0 };

	make(FULL, 15, text, LEN, &packed);
	for (size_t off = 0; off <= 6; off++) {
		unsigned char *back = malloc(LEN);
		uint64_t units = parallel_units();
		z_stream strm = { 0 };
		size_t at = 0;
		int ret = Z_OK;

		assert_int_equal(inflateInit2(&strm, 15), Z_OK);
		strm.next_in = packed.data;
		strm.next_out = back;
		strm.avail_out = LEN;
		while (ret == Z_OK) {
			for (int nr = 0; nr < 4; nr++)
				at = next_marker(&packed, at + 1);
			strm.avail_in = (at + off < packed.len ? at + off : packed.len) - strm.total_in;
			ret = ours.inflate(&strm, Z_NO_FLUSH);
		}
		assert_int_equal(ret, Z_STREAM_END);
		assert_int_equal(strm.total_in, packed.len - TAIL_LEN);
		assert_int_equal(strm.total_out, LEN);
		assert_memory_equal(back, text, LEN);
		units = parallel_units() - units;
		/* What lies between the last marker of a call and its end is none; all else, or nearly. */
		if (test_mode == MODE_EMU && off >= 5)
			assert_in_range(units, LEN / STEP - 4, LEN / STEP);
		assert_int_equal(ours.inflateEnd(&strm), Z_OK);
		free(back);
	}
	buf_free(&packed);
}

/* Everything that one call with so much room makes of it. */
struct end {
	int ret;
	const char *msg;
	uLong total_in, total_out, adler;
	unsigned char *out;
};

static struct end run(const struct zlib_api *z, int wbits, const struct buf *packed, size_t room)
{
	struct end end;
	z_stream strm = { 0 };

	end.out = malloc(room);
	strm.next_in = packed->data;
	strm.avail_in = packed->len;
	strm.next_out = end.out;
	strm.avail_out = room;
	assert_int_equal(z->inflateInit2_(&strm, wbits, ZLIB_VERSION, (int)sizeof(strm)), Z_OK);
	end.ret = z->inflate(&strm, Z_NO_FLUSH);
	/* That was all. */
	if (end.ret == Z_OK && strm.avail_out)
		end.ret = z->inflate(&strm, Z_FINISH);
	end.msg = strm.msg;
	end.total_in = strm.total_in;
	end.total_out = strm.total_out;
	end.adler = strm.adler;
	z->inflateEnd(&strm);
	return end;
}

static void assert_as_zlib(int wbits, const struct buf *packed, size_t room)
{
	struct end got = run(&ours, wbits, packed, room), want = run(&ref, wbits, packed, room);

	assert_int_equal(got.ret, want.ret);
	assert_int_equal(got.total_out, want.total_out);
	assert_memory_equal(got.out, want.out, want.total_out);
	/* Where room is what ended it, a device may have read less. */
	if (want.ret != Z_OK && want.total_out < room)
		assert_int_equal(got.total_in, want.total_in);
	if (wbits > 0)
		assert_int_equal(got.adler, want.adler);
	if (want.msg)
		assert_string_equal(got.msg, want.msg);
	else
		assert_null(got.msg);
	free(got.out);
	free(want.out);
}

static void add_stored(struct buf *out, const unsigned char *data, size_t len, int is_last)
{
	const unsigned char head[] = { (unsigned char)is_last, (unsigned char)len, (unsigned char)(len >> 8),
				       (unsigned char)~len, (unsigned char)(~len >> 8) };

	buf_add(out, head, sizeof(head));
	buf_add(out, data, len);
}

/* What is stored are deflate streams with flush points, all of which look like the outer one's. */
static void streams_within_stored_blocks(void **state)
{
	static const size_t lens[] = { 65535, 40000, 131, 50001 };
	struct buf inner = { 0 };

	make(FULL_OFTEN, -15, text, LEN, &inner);
	for (size_t l = 0; l < NR(lens); l++) {
		size_t most = lens[l] < 1000 ? 200000 : inner.len;
		struct buf outer = { 0 };

		for (size_t at = 0, len; at < most; at += len) {
			len = most - at < lens[l] ? most - at : lens[l];
			add_stored(&outer, inner.data + at, len, at + len == most);
		}
		buf_add(&outer, "behind", TAIL_LEN);
		assert_as_zlib(-15, &outer, 2 * LEN);
		buf_free(&outer);
	}
	buf_free(&inner);
}

/* A marker so many bytes before the end of a stored block; parts that are whole follow. */
static void markers_near_the_end_of_stored_blocks(void **state)
{
	struct buf inner = { 0 }, parts = { 0 };
	unsigned char block[60000];

	make(FULL, -15, text, 10 * STEP, &parts);
	make(FULL_OFTEN, -15, noise, 60000, &inner);
	memcpy(block, noise, sizeof(block));
	for (size_t left = 0; left <= 64; left++) {
		struct buf outer = { 0 };
		size_t at = sizeof(block) - left;

		memcpy(block, noise, sizeof(block));
		memcpy(block + at - 5, "\0\0\0\377\377", 5);
		add_stored(&outer, block, sizeof(block), 0);
		add_stored(&outer, block, 0, 0);
		buf_add(&outer, parts.data, parts.len);
		assert_as_zlib(-15, &outer, 11 * STEP);
		buf_free(&outer);
	}
	buf_free(&inner);
	buf_free(&parts);
}

/* The stream is over, and another one follows. */
static void parts_behind_the_end(void **state)
{
	for (size_t f = 0; f < NR(formats); f++)
		for (size_t len = 30000; len < 1000000; len *= 3) {
			struct buf packed = { 0 };

			make(FULL, formats[f], text, len, &packed);
			packed.len -= TAIL_LEN;
			make(FULL, -15, text + 100, LEN / 2, &packed);
			assert_as_zlib(formats[f], &packed, LEN);
			buf_free(&packed);
		}
}

static void damage_anywhere(void **state)
{
	static const size_t rooms[] = { LEN, LEN / 2 + 12345, 2 * LEN };
	struct buf packed = { 0 }, bad = { 0 };

	for (int nr = 0; nr < (test_mode == MODE_FAULT ? 6 : 30); nr++) {
		int wbits = formats[nr % (int)NR(formats)], kind = nr % 2 ? FULL : OWN;

		packed.len = bad.len = 0;
		make(kind, wbits, text, LEN, &packed);
		buf_add(&bad, packed.data, packed.len);
		if (nr % 5 == 4) /* or the end is missing */
			bad.len = 20 + test_random_below(bad.len - 20);
		else
			bad.data[20 + test_random_below(bad.len - 20 - TAIL_LEN)] ^= 1u << test_random_below(8);
		assert_as_zlib(wbits, &bad, rooms[test_random_below(NR(rooms))]);
	}
	buf_free(&packed);
	buf_free(&bad);
}

static void finish(z_stream *strm, const struct buf *packed, unsigned char *back, int *right)
{
	int ret;

	strm->next_in = packed->data + strm->total_in;
	strm->avail_in = packed->len - strm->total_in;
	strm->next_out = back + strm->total_out;
	strm->avail_out = LEN - strm->total_out;
	ret = ours.inflate(strm, Z_FINISH);
	*right = ret == Z_STREAM_END && strm->total_out == LEN && strm->avail_in == TAIL_LEN &&
		 !memcmp(back, text, LEN);
	ours.inflateEnd(strm);
}

/* Between two calls: copies, children, and what only software can do. */
static void between_two_calls(void **state)
{
	static const size_t lens[] = { 600000, 1048576, 1048577, 2000000, LEN - 1 };

	for (size_t t = 0; t < NR(lens) * 2; t++) {
		int wbits = formats[t % NR(formats)], right, status, ret;
		unsigned char *back = malloc(LEN), *more = malloc(LEN), dict[32768];
		struct buf packed = { 0 };
		z_stream strm = { 0 }, copy;
		uInt len = sizeof(dict);
		pid_t pid;

		make(t % 2 ? OWN : FULL, wbits, text, LEN, &packed);
		assert_int_equal(inflateInit2(&strm, wbits), Z_OK);
		strm.next_in = packed.data;
		strm.avail_in = packed.len;
		strm.next_out = back;
		strm.avail_out = lens[t / 2];
		assert_int_equal(ours.inflate(&strm, Z_NO_FLUSH), Z_OK);
		assert_int_equal(strm.total_out, lens[t / 2]);
		memcpy(more, back, lens[t / 2]);
		assert_int_equal(ours.inflateCopy(&copy, &strm), Z_OK);
		finish(&copy, &packed, more, &right);
		assert_true(right);
		pid = fork();
		if (!pid) {
			alarm(300);
			/* ThreadSanitizer lets no child make threads. */
			if (!IS_TSAN)
				finish(&strm, &packed, back, &right);
			_exit(!right);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(ours.inflateGetDictionary(&strm, dict, &len), Z_OK);
		assert_int_equal(len, sizeof(dict));
		assert_memory_equal(dict, text + strm.total_out - len, len);
		strm.avail_out = LEN - strm.total_out;
		ret = ours.inflate(&strm, Z_BLOCK);
		assert_true(ret == Z_OK || ret == Z_STREAM_END);
		finish(&strm, &packed, back, &right);
		assert_true(right);
		buf_free(&packed);
		free(back);
		free(more);
	}
}

/* A device that fails in the midst of it. */
static void uncompress_gives_all(void **state)
{
	for (int nr = 0; nr < 10; nr++) {
		uLongf len = compressBound(LEN), back_len = LEN;
		unsigned char *packed = malloc(len), *back = malloc(LEN);

		assert_int_equal(ours.compress(packed, &len, text, LEN), Z_OK);
		assert_int_equal(ours.uncompress(back, &back_len, packed, len), Z_OK);
		assert_int_equal(back_len, LEN);
		assert_memory_equal(back, text, LEN);
		free(packed);
		free(back);
	}
}

struct part_fault {
	int wbits;
	const char *device;
};

static void read_in_child(const void *arg, void *result)
{
	const struct part_fault *f = arg;
	struct buf packed = { 0 };

	setenv("WD_DEVICE", f->device, 1);
	make(FULL, f->wbits, text, LEN, &packed);
	read_at_once(f->wbits, &packed, text, LEN);
	buf_free(&packed);
	zwd_stats(result, sizeof(struct zwd_stats));
}

/* A part that fails, with others in flight behind it: as bad data, or for no reason that is told. */
static void one_part_fails(void **state)
{
	static const char *const devices[] = { "emu:threads=2,fault=error@6", "emu:threads=2,fault=error=0x30@6" };

	if (test_mode != MODE_EMU)
		skip();
	for (size_t i = 0; i < NR(devices) * NR(formats); i++) {
		struct part_fault f = { formats[i % NR(formats)], devices[i / NR(formats)] };
		struct zwd_stats stats = { 0 };

		assert_int_equal(run_in_child(read_in_child, &f, &stats, sizeof(stats)), 0);
		assert_int_equal(stats.inflate.failovers, 0);
		assert_true(stats.inflate_choice.parallel_units >= LEN / STEP / 4);
		/* Bad data shows a wrong cut as well, and is no error yet. */
		assert_int_equal(stats.inflate.errors, i / NR(formats));
	}
}

static int setup(void **state)
{
	text = gen_alloc(GEN_SOURCE, LEN);
	noise = gen_alloc(GEN_BINARY, LEN);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_part_fails), /* before this process has read its settings */
		cmocka_unit_test(every_kind_at_once),
		cmocka_unit_test(any_steps),
		cmocka_unit_test(markers_across_calls),
		cmocka_unit_test(streams_within_stored_blocks),
		cmocka_unit_test(markers_near_the_end_of_stored_blocks),
		cmocka_unit_test(parts_behind_the_end),
		cmocka_unit_test(damage_anywhere),
		cmocka_unit_test(between_two_calls),
		cmocka_unit_test(uncompress_gives_all),
	};

	setenv("ZWD_UNIT", "256K", 1);
	test_begin(600);
	return cmocka_run_group_tests(tests, setup, NULL);
}
